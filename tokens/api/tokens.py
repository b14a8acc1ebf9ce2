"""Tokens over REST: asked for, listed, shown, explained. What is done with one afterwards is in `steps.py`."""

from datetime import date
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts.api.callers import caller
from accounts.models import User
from common.api.idempotency import idempotent
from common.api.ids import ID
from tokens import allocation, queries
from tokens.api import serializers, shapes
from tokens.api.answers import answer_token, event_json, root_of, tokens_json
from tokens.api.steps import TokenSteps
from tokens.filters import TokenFilter
from tokens.models import Token
from tokens.states import Source
from tokens.waits import places


class TokenViewSet(TokenSteps, GenericViewSet[Token]):
    """Tokens of the facilities in which the caller may see them."""

    queryset = Token.objects.none()
    serializer_class = shapes.TokenSerializer
    filterset_class = TokenFilter
    search_fields = ("^number", "^former_numbers__number")
    ordering_fields = ("id", "number", "requested_at", "score", "status")
    ordering = ("id",)
    lookup_value_regex = ID

    def get_queryset(self) -> QuerySet[Token]:
        """What the caller may see."""
        return queries.tokens(caller(self.request))

    def list(self, request: Request) -> Response:
        """Tokens, each with its position in its slot; `search` finds a number, also one that a moved token had."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []
        return self.get_paginated_response(tokens_json(page, places(page), root_of(request)))

    @extend_schema(request=serializers.NewTokenSerializer, responses={201: shapes.TokenSerializer})
    @idempotent
    def create(self, request: Request) -> Response:
        """Give a token: in a slot, or in the first free one of a doctor or department.

        Each source has a permission of its own, and so has `paid`. 409 `duplicate_token`, `slot_closed`, `slot_over`.
        """
        given = serializers.NewTokenSerializer.of(request)
        return self.give(request, given, source=given["source"], paid=given["paid"], on=given.get("date"))

    @extend_schema(request=serializers.NewEmergencySerializer, responses={201: shapes.TokenSerializer})
    @action(detail=False, methods=["post"])
    @idempotent
    def emergency(self, request: Request) -> Response:
        """Give an emergency token; `displaced` names the tokens that lost their place by it."""
        return self.give(request, serializers.NewEmergencySerializer.of(request), source=Source.EMERGENCY.value)

    def give(
        self, request: Request, given: dict[str, Any], *, source: str, paid: bool = False, on: date | None = None
    ) -> Response:
        """Ask the engine for a place."""
        by, slot = caller(request), given.get("slot")
        outcome = allocation.request_token(
            patient_id=given["patient"],
            source=source,
            slot_id=slot,
            doctor_id=given.get("doctor"),
            department_id=given.get("department"),
            on=_day(given, on, source, by) if slot is None else None,
            paid=paid,
            arrived=given["arrived"],
            note=given["note"],
            by=by,
        )
        return answer_token(request, outcome, status=201)

    def retrieve(self, request: Request, pk: str) -> Response:
        """One token."""
        token = queries.get_token(token_id=int(pk), by=caller(request))
        return Response(tokens_json([token], places([token]), root_of(request))[0])

    @extend_schema(responses=shapes.TokenEventSerializer(many=True))
    @action(detail=True, filter_backends=())
    def events(self, request: Request, pk: str) -> Response:
        """What happened to a token, oldest first."""
        token = queries.get_token(token_id=int(pk), by=caller(request))
        page: Any = self.paginate_queryset(queries.events_of(token))  # type: ignore[arg-type]  # rows of another kind
        return self.get_paginated_response([event_json(event, token.session.facility.tz) for event in page])

    @extend_schema(parameters=[serializers.ThanQuerySerializer], responses=shapes.ExplanationSerializer)
    @action(detail=True, filter_backends=(), pagination_class=None)
    def explain(self, request: Request, pk: str) -> Response:
        """Why one of two tokens of a session stands before the other, in one sentence, with the facts."""
        asked = serializers.ThanQuerySerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        by = caller(request)
        token = queries.get_token(token_id=int(pk), by=by)
        sentence, facts = queries.explain(token=token, than_id=asked.validated_data["than"], by=by)
        return Response({"sentence": sentence, "facts": facts})


def _day(given: dict[str, Any], on: date | None, source: str, by: User) -> date:
    """The date asked for, else today where the doctor or department is."""
    facility = queries.asked_place(
        doctor_id=given.get("doctor"),
        department_id=given.get("department"),
        by=by,
        code=allocation.REQUEST_PERMISSION[Source(source)],
    )
    return on or facility.local_date()
