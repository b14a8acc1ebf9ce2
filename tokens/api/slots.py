"""Slots over REST: listed with how full they are, added by hand, changed by plan and preview."""

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts.api.callers import caller
from common.api.idempotency import idempotent
from common.api.ids import ID
from scheduling.actions import add_slot
from scheduling.models import Slot
from scheduling.queries import slots as slots_seen
from tokens import allocation, queries, supply
from tokens.api import serializers, shapes
from tokens.api.answers import root_of, slots_json, token_json
from tokens.api.planned import planned
from tokens.filters import SlotFilter
from tokens.waits import waits_in


class SlotViewSet(GenericViewSet[Slot]):
    """Slots of the facilities whose schedules the caller may see."""

    queryset = Slot.objects.none()
    serializer_class = shapes.SlotSerializer
    filterset_class = SlotFilter
    ordering_fields = ("starts_at", "id")
    search_fields = ("session__doctor__name",)
    lookup_value_regex = ID

    def get_queryset(self) -> QuerySet[Slot]:
        """What the caller may see."""
        return slots_seen(caller(self.request))

    def list(self, request: Request) -> Response:
        """Slots in order of time, with how full they are. Dates are those on which their sessions begin."""
        return self.get_paginated_response(_shown(self.paginate_queryset(self.filter_queryset(self.get_queryset()))))

    def retrieve(self, request: Request, pk: str) -> Response:
        """One slot."""
        return Response(_shown([queries.get_slot(slot_id=int(pk), by=caller(request))])[0])

    @extend_schema(request=serializers.NewSlotSerializer, responses={201: shapes.SlotSerializer})
    @idempotent
    def create(self, request: Request) -> Response:
        """Add a single slot by hand; who waited for such a place gets it. An overlap is 409 `overlap`."""
        given = serializers.NewSlotSerializer.of(request)
        who, where = given.pop("doctor"), given.pop("room")
        slot = add_slot(doctor_id=who, room_id=where, **given, by=caller(request))
        allocation.settle_session(session_id=slot.session_id)
        made = queries.get_slot(slot_id=slot.pk, by=caller(request), code="scheduling.edit")
        return Response(_shown([made])[0], status=201)

    @extend_schema(responses=shapes.TokenSerializer(many=True))
    @action(detail=True, filter_backends=())
    def tokens(self, request: Request, pk: str) -> Response:
        """The slot's tokens: confirmed in order, then waitlisted in order, then the rest."""
        slot = queries.get_slot(slot_id=int(pk), by=caller(request), code=queries.VIEW)
        found, positions = queries.in_slot(slot)
        page = self.paginate_queryset(found) or []
        zone, root, expected = slot.session.facility.tz, root_of(request), waits_in(slot.session)
        return self.get_paginated_response(
            [token_json(t, position=positions.get(t.id), wait=expected.get(t.id), zone=zone, root=root) for t in page]
        )

    @extend_schema(request=serializers.CapacitySerializer, responses=shapes.PlanSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def capacity(self, request: Request, pk: str) -> Response:
        """Give the slot more or fewer places. 409 `capacity_too_low` names the lowest possible value."""
        return _planned(supply.change_capacity, request, pk, serializers.CapacitySerializer)

    @extend_schema(request=serializers.BlockSerializer, responses=shapes.PlanSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def block(self, request: Request, pk: str) -> Response:
        """Give no places in the slot any more; its patients who can be moved lose theirs."""
        return _planned(supply.block_slot, request, pk, serializers.BlockSerializer)

    @extend_schema(request=serializers.PlannedSerializer, responses=shapes.PlanSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def unblock(self, request: Request, pk: str) -> Response:
        """Open the slot again; who waits for it gets its free places."""
        return _planned(supply.unblock_slot, request, pk, serializers.PlannedSerializer)


def _shown(slots: list[Slot] | None) -> list[dict[str, Any]]:
    found = slots or []
    return slots_json(found, queries.counts(found), timezone.now())


def _planned(
    change: Callable[..., supply.PlanResult], request: Request, pk: str, body: type[serializers.PlannedSerializer]
) -> Response:
    """Preview or apply a change of the slot."""
    return Response(planned(change, slot_id=int(pk), **body.of(request), by=caller(request)).plan)
