"""Sessions over REST: their queues, the next call, delays and the end of the day; and plans taken back."""

from collections.abc import Callable

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet, ViewSet

from accounts.api.callers import caller
from common.api.idempotency import idempotent
from common.api.ids import ID
from scheduling.models import Session
from scheduling.queries import session as session_seen
from scheduling.queries import sessions as sessions_seen
from tokens import planning, queries, queueing, supply
from tokens.api import serializers, shapes
from tokens.api.answers import answer_session, answer_token, queue_json, root_of, session_json
from tokens.api.planned import planned
from tokens.filters import SessionFilter

PLANNED = {200: shapes.PlannedSessionSerializer}


class SessionViewSet(GenericViewSet[Session]):
    """Sessions of the facilities whose schedules the caller may see."""

    queryset = Session.objects.none()
    serializer_class = shapes.SessionSerializer
    filterset_class = SessionFilter
    ordering_fields = ("starts_at", "id")
    search_fields = ("doctor__name", "prefix")
    lookup_value_regex = ID

    def get_queryset(self) -> QuerySet[Session]:
        """What the caller may see."""
        return sessions_seen(caller(self.request))

    def list(self, request: Request) -> Response:
        """Sessions in order of time."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []
        return self.get_paginated_response([session_json(session, session.facility.tz) for session in page])

    def retrieve(self, request: Request, pk: str) -> Response:
        """One session."""
        session = session_seen(pk=int(pk), by=caller(request))
        return Response(session_json(session, session.facility.tz))

    @extend_schema(responses=shapes.QueueSerializer)
    @action(detail=True, filter_backends=(), pagination_class=None)
    def queue(self, request: Request, pk: str) -> Response:
        """Who is with the doctor, who is called, who is next, who waits; the delay. Its changes: `stream/`."""
        session = queries.get_session(session_id=int(pk), by=caller(request))
        return Response(queue_json(queries.queue(session.pk), root_of(request)))

    @extend_schema(request=None, responses={200: shapes.TokenSerializer, 204: None})
    @action(detail=True, methods=["post"], url_path="call-next")
    @idempotent
    def call_next(self, request: Request, pk: str) -> Response:
        """Call the first who can be called; 204 when nobody can. Pressed twice together, it calls two patients."""
        return answer_token(request, queueing.call_next(session_id=int(pk), by=caller(request)))

    @extend_schema(request=serializers.DelaySerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def delay(self, request: Request, pk: str) -> Response:
        """The doctor is so many minutes late: no place moves, the estimates do."""
        minutes = serializers.DelaySerializer.of(request)["minutes"]
        return answer_session(supply.delay_session(session_id=int(pk), minutes=minutes, by=caller(request)))

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    @idempotent
    def pause(self, request: Request, pk: str) -> Response:
        """The doctor pauses."""
        return answer_session(supply.pause_session(session_id=int(pk), by=caller(request)))

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    @idempotent
    def resume(self, request: Request, pk: str) -> Response:
        """The doctor goes on."""
        return answer_session(supply.resume_session(session_id=int(pk), by=caller(request)))

    @extend_schema(request=serializers.CloseSerializer, responses=PLANNED)
    @action(detail=True, methods=["post"])
    @idempotent
    def close(self, request: Request, pk: str) -> Response:
        """End the session: who never came becomes a no-show, others not seen are moved or cancelled.

        With `dry_run` the session is as it stands and `plan` tells what would happen.
        """
        return _planned(supply.close_session, request, pk, serializers.CloseSerializer)

    @extend_schema(request=serializers.CancelSessionSerializer, responses=PLANNED)
    @action(detail=True, methods=["post"])
    @idempotent
    def cancel(self, request: Request, pk: str) -> Response:
        """The doctor does not come: nobody is a no-show, everybody not seen is moved or cancelled."""
        return _planned(supply.cancel_session, request, pk, serializers.CancelSessionSerializer)

    @extend_schema(request=serializers.PlannedSerializer, responses=PLANNED)
    @action(detail=True, methods=["post"])
    @idempotent
    def rescore(self, request: Request, pk: str) -> Response:
        """Score every active token by today's policy; who holds a place keeps it."""
        return _planned(supply.rescore_session, request, pk, serializers.PlannedSerializer)


def _planned(
    change: Callable[..., supply.PlanResult], request: Request, pk: str, body: type[serializers.PlannedSerializer]
) -> Response:
    """Preview or apply a change of the session: the session, and the plan beside it."""
    result = planned(change, session_id=int(pk), **body.of(request), by=caller(request))
    if result.outcome is not None:
        return answer_session(result.outcome, plan=result.plan)
    session = queries.get_session(session_id=int(pk), by=caller(request), code="tokens.supply")
    return Response({**session_json(session, session.facility.tz), "plan": result.plan})


class PlanViewSet(ViewSet):
    """Plans that were applied."""

    lookup_value_regex = ID

    @extend_schema(request=None, responses=shapes.SessionSerializer, operation_id="plans_undo_create")
    @action(detail=True, methods=["post"])
    @idempotent
    def undo(self, request: Request, pk: str) -> Response:
        """Take a plan back, while nothing later depends on it; the answer is its session."""
        return answer_session(planning.undo_plan(plan_id=int(pk), by=caller(request)))
