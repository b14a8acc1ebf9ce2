"""The calendar grid in one answer, and what the holder of a slip may see."""

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.callers import caller
from tokens import queries, waits
from tokens.api import serializers, shapes
from tokens.api.answers import board_json, root_of, standing_json

KEY = OpenApiParameter("key", str, OpenApiParameter.PATH, description="The unguessable one on the slip.")


class BoardView(APIView):
    """The whole calendar grid."""

    @extend_schema(parameters=[serializers.GridQuerySerializer], responses=shapes.BoardSerializer)
    def get(self, request: Request) -> Response:
        """Resources, sessions, slots and tokens of some days, in a fixed number of queries."""
        asked = serializers.GridQuerySerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        given = asked.validated_data
        board = queries.board(
            caller(request),
            doctor_id=given.get("doctor"),
            department_id=given.get("department"),
            room_id=given.get("room"),
            date_from=given.get("date_from"),
            date_to=given.get("date_to"),
        )
        return Response(board_json(board, timezone.now(), root_of(request)))


class StatusView(APIView):
    """A token as the holder of its slip sees it."""

    # Whoever holds the key may look, also with a sign-in that has expired.
    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(parameters=[KEY], responses=shapes.TokenStatusSerializer)
    def get(self, request: Request, key: str) -> Response:
        """Position, people ahead, who is being served, the delay. No sign-in, no names; 600 a minute an address."""
        found, now = queries.standing(key), timezone.now()
        wait = waits.waits(found.session, now).get(found.token.pk)
        waits.given(found.token.pk, wait, where="api", ahead=found.people_ahead, at=now)
        return Response(standing_json(found, wait))
