"""Payments, refunds, advances, receipts and patients' accounts over REST."""

from django.db.models import QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts.api.callers import caller
from accounts.permissions import require_anywhere
from billing import actions, queries
from billing.api import bodies, shapes
from billing.api.answers import (
    paid_json,
    payment_json,
    print_json,
    receipt_json,
    refund_json,
    refunded_json,
)
from billing.api.callers import patient_billed
from billing.api.headers import IF_MATCH_OR_NOT, OLD, maybe_read
from billing.filters import PaymentFilter, ReceiptFilter, RefundFilter
from billing.models import Payment, Receipt, Refund
from billing.queries.receipts import receipts_of
from common.api.etag import etag
from common.api.idempotency import idempotent
from common.api.ids import ID
from common.api.ordering import Ordering

BACKENDS = (DjangoFilterBackend, Ordering)


class PaymentViewSet(GenericViewSet[Payment]):
    """Payments of the facilities in which the caller may see them."""

    queryset = Payment.objects.none()
    serializer_class = shapes.PaymentSerializer
    filterset_class = PaymentFilter
    filter_backends = BACKENDS
    ordering_fields = ("id", "date", "amount")
    ordering = ("-id",)
    lookup_value_regex = ID

    def get_queryset(self) -> QuerySet[Payment]:
        """What the caller may see."""
        return queries.payments_of(require_anywhere(caller(self.request), "billing.view"))

    def list(self, request: Request) -> Response:
        """Payments, the newest first."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []
        return self.get_paginated_response([payment_json(row, row.receipt, row.bill, row.facility) for row in page])

    def retrieve(self, request: Request, pk: str) -> Response:
        """One payment."""
        payment = queries.get_payment(int(pk), caller(request))
        return Response(payment_json(payment, payment.receipt, payment.bill, payment.facility))

    @extend_schema(
        request=bodies.NewRefundSerializer,
        parameters=[IF_MATCH_OR_NOT],
        responses={201: shapes.RefundedSerializer} | OLD,
    )
    @action(detail=True, methods=["post"])
    @idempotent
    def refund(self, request: Request, pk: str) -> Response:
        """Give a payment back, or a part of it, by the way it came, out of the caller's open shift.

        The bill asks for it again, unless `credit` says that what it paid for was not given. Sent twice it is given
        twice, as far as the payment goes: an `Idempotency-Key`, or `If-Match` with the version of the bill, keeps it to
        once. 409 `refund_too_large`, `shift_closed`, `not_in_drawer`. 403 `credit_limit` with `credit`.
        """
        given = bodies.NewRefundSerializer.of(request)
        refund = actions.refund_payment(payment_id=int(pk), **given, version=maybe_read(request), by=caller(request))
        headers = etag(refund.bill.version) if refund.bill else {}
        return Response(refunded_json(refund), status=201, headers=headers)


class RefundViewSet(GenericViewSet[Refund]):
    """Refunds of the facilities in which the caller may see them."""

    queryset = Refund.objects.none()
    serializer_class = shapes.RefundSerializer
    filterset_class = RefundFilter
    filter_backends = BACKENDS
    ordering_fields = ("id", "date", "amount")
    ordering = ("-id",)

    def get_queryset(self) -> QuerySet[Refund]:
        """What the caller may see."""
        return queries.refunds_of(require_anywhere(caller(self.request), "billing.view"))

    def list(self, request: Request) -> Response:
        """Refunds, the newest first."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []
        return self.get_paginated_response([refund_json(row, row.receipt, row.facility) for row in page])


class AdvanceViewSet(GenericViewSet[Payment]):
    """Money that a patient pays before there is a bill."""

    queryset = Payment.objects.none()
    serializer_class = shapes.PaidSerializer
    filter_backends = ()

    @extend_schema(request=bodies.NewAdvanceSerializer, responses={201: shapes.PaidSerializer})
    @idempotent
    def create(self, request: Request) -> Response:
        """Take money onto a patient's account. Cash needs the caller's open shift."""
        given, by = bodies.NewAdvanceSerializer.of(request), caller(request)
        patient = patient_billed(given["patient"])
        receipt = actions.take_advance(
            facility_id=patient.facility_id, patient_id=patient.pk, tenders=given["tenders"], by=by
        )
        answer = paid_json(receipt, list(receipt.payments.order_by("pk")), None, receipt.facility)
        return Response(answer, status=201)

    @extend_schema(request=bodies.RefundAdvanceSerializer, responses={201: shapes.ReceiptSerializer})
    @action(detail=False, methods=["post"])
    @idempotent
    def refund(self, request: Request) -> Response:
        """Give back what lies on a patient's account, by the ways it came, the newest first, out of an open shift."""
        given, by = bodies.RefundAdvanceSerializer.of(request), caller(request)
        patient = patient_billed(given["patient"])
        receipt = actions.refund_advance(
            facility_id=patient.facility_id,
            patient_id=patient.pk,
            amount=given["amount"],
            reason=given["reason"],
            by=by,
        )
        return Response(receipt_json(receipt), status=201)


class ReceiptViewSet(GenericViewSet[Receipt]):
    """Receipts and refund vouchers of the facilities in which the caller may see them."""

    queryset = Receipt.objects.none()
    serializer_class = shapes.ReceiptSerializer
    filterset_class = ReceiptFilter
    filter_backends = BACKENDS
    ordering_fields = ("id", "number")
    ordering = ("-id",)
    lookup_value_regex = ID

    def get_queryset(self) -> QuerySet[Receipt]:
        """What the caller may see."""
        return receipts_of(require_anywhere(caller(self.request), "billing.view"))

    def list(self, request: Request) -> Response:
        """Receipts, the newest first."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []
        return self.get_paginated_response([receipt_json(receipt) for receipt in page])

    def retrieve(self, request: Request, pk: str) -> Response:
        """One receipt with what is on it."""
        return Response(receipt_json(queries.get_receipt(int(pk), caller(request))))

    @extend_schema(request=None, responses={201: shapes.PrintedSerializer})
    @action(detail=True, methods=["post"], url_path="print")
    @idempotent
    def print(self, request: Request, pk: str) -> Response:
        """Say that it is printed: the first time it is the receipt, every other time a copy, and is marked so."""
        printed = actions.print_receipt(receipt_id=int(pk), by=caller(request))
        return Response(print_json(printed, printed.receipt.facility.tz), status=201)
