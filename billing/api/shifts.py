"""Cash shifts over REST: opened, shown with their figures, cash carried in and out, counted and closed."""

from django.db.models import QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts.api.callers import caller
from accounts.errors import PermissionDenied
from accounts.permissions import ALL, facility_ids, require_anywhere
from billing import actions, queries
from billing.api import bodies, shapes
from billing.api.answers import money
from billing.api.callers import facility_of_desk
from billing.api.figures import movement_json, open_json, report_json, shift_json
from billing.errors import UnknownShift
from billing.filters import ShiftFilter
from billing.models import Shift
from billing.queries.shifts import expected_cash
from common.api.idempotency import idempotent
from common.api.ids import ID
from common.api.ordering import Ordering

NONE_OPEN = "You have no open shift."


class ShiftViewSet(GenericViewSet[Shift]):
    """The caller's own shifts; those of others for who may see them."""

    queryset = Shift.objects.none()
    serializer_class = shapes.ShiftSerializer
    filterset_class = ShiftFilter
    filter_backends = (DjangoFilterBackend, Ordering)
    ordering_fields = ("id", "date")
    ordering = ("-id",)
    lookup_value_regex = ID

    def get_queryset(self) -> QuerySet[Shift]:
        """What the caller may see."""
        by = caller(self.request)
        every = [facility_ids(by, code) for code in ("billing.take", "billing.shifts")]
        if not any(every):
            raise PermissionDenied(needed="billing.take")
        return queries.shifts_of(ALL if ALL in every else every[0] | every[1], by)

    def list(self, request: Request) -> Response:
        """Shifts, the newest first."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []
        return self.get_paginated_response([shift_json(shift) for shift in page])

    @extend_schema(request=bodies.NewShiftSerializer, responses={201: shapes.OpenShiftSerializer})
    @idempotent
    def create(self, request: Request) -> Response:
        """Open a shift at a drawer. A cashier has one: 409 `shift_open`, `drawer_taken`, `no_drawer`."""
        given, by = bodies.NewShiftSerializer.of(request), caller(request)
        shift = actions.open_shift(
            facility_id=facility_of_desk(given.get("facility"), given.get("drawer"), by=by),
            float_amount=given["float"],
            drawer_id=given.get("drawer"),
            by=by,
        )
        return Response(open_json(shift), status=201)

    @extend_schema(responses=shapes.ShiftReportSerializer)
    def retrieve(self, request: Request, pk: str) -> Response:
        """A shift with its figures: the X report while it is open, the Z report for ever after."""
        return Response(report_json(queries.shift_report(queries.get_shift(int(pk), caller(request)))))

    @extend_schema(responses=shapes.OpenShiftSerializer)
    @action(detail=False, filter_backends=(), pagination_class=None)
    def current(self, request: Request) -> Response:
        """The caller's open shift; 404 where there is none."""
        by = caller(request)
        ids = require_anywhere(by, "billing.take")
        shift = queries.shifts_of(ids, by).filter(cashier=by, closed_at=None).first()
        if shift is None:
            raise UnknownShift(NONE_OPEN)
        return Response(open_json(shift))

    @extend_schema(responses=shapes.CashMovementSerializer(many=True))
    @action(detail=True, filter_backends=())
    def movements(self, request: Request, pk: str) -> Response:
        """Cash that went into the drawer or out of it though nobody paid, the newest first."""
        shift = queries.get_shift(int(pk), caller(request))
        page = self.paginate_queryset(list(queries.movements_of(shift))) or []  # a few in each shift
        return self.get_paginated_response([movement_json(row, shift) for row in page])

    @extend_schema(request=bodies.NewMovementSerializer, responses={201: shapes.CashMovedSerializer})
    @movements.mapping.post
    @idempotent
    def move(self, request: Request, pk: str) -> Response:
        """Carry cash to the safe or from it, spend petty cash or bring it back.

        It is never changed: what was wrong is taken back by the opposite kind. 409 `not_in_drawer`, `shift_closed`,
        `petty_too_large`.
        """
        given = bodies.NewMovementSerializer.of(request)
        row = actions.move_cash(shift_id=int(pk), by=caller(request), **given)
        left = money(expected_cash(row.shift))
        return Response({**movement_json(row, row.shift), "expected": left}, status=201)

    @extend_schema(request=bodies.CloseShiftSerializer, responses=shapes.ClosedShiftSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def close(self, request: Request, pk: str) -> Response:
        """Count the drawer and close the shift for ever; a difference needs a reason.

        With `hand_to` another cashier goes on with the drawer, in a shift that is opened at once. 409 `shift_closed`.
        """
        given, by = bodies.CloseShiftSerializer.of(request), caller(request)
        shift = actions.close_shift(
            shift_id=int(pk),
            counts=given.get("counts"),
            counted=given.get("counted"),
            reason=given["reason"],
            hand_to_id=given.get("hand_to"),
            hand_float=given.get("hand_float"),
            by=by,
        )
        handed_to = Shift.objects.filter(after=shift).values_list("pk", flat=True).first()
        return Response({**shift_json(shift), "handed_to": handed_to})
