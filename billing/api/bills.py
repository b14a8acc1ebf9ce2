"""Bills over REST: made, shown, changed while they are drafts, issued, paid, voided, credited."""

from typing import Any

from django.db.models import QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts.api.callers import caller
from accounts.permissions import reach, require_anywhere
from billing import actions, queries
from billing.api import bodies, shapes
from billing.api.answers import bill_json, credit_note_json, due_of, money, paid_json, receipt_json
from billing.api.callers import patient_billed, require_places
from billing.api.headers import IF_MATCH, IF_MATCH_OR_NOT, OLD, maybe_read
from billing.filters import BillFilter
from billing.models import Bill
from common.api.etag import etag, version_read
from common.api.idempotency import idempotent
from common.api.ids import ID
from common.api.ordering import Ordering
from common.transactions import outermost


class BillViewSet(GenericViewSet[Bill]):
    """Bills of the facilities in which the caller may see them."""

    queryset = Bill.objects.none()
    serializer_class = shapes.BillSerializer
    filterset_class = BillFilter
    filter_backends = (DjangoFilterBackend, Ordering)
    ordering_fields = ("id", "number", "date", "total", "due", "status")
    ordering = ("-id",)
    lookup_value_regex = ID

    def get_queryset(self) -> QuerySet[Bill]:
        """What the caller may see."""
        return queries.bills_of(require_anywhere(caller(self.request), "billing.view"), with_lines=True)

    def list(self, request: Request) -> Response:
        """Bills with their lines, the newest first."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []
        return self.get_paginated_response([bill_json(bill, bill.lines.all()) for bill in page])

    @extend_schema(request=bodies.NewBillSerializer, responses={201: shapes.BillSerializer})
    @idempotent
    def create(self, request: Request) -> Response:
        """Make a bill and issue it, unless it is a draft.

        A discount is an amount (50.00) or a share (10%), has a reason, and is within the limit of the caller's role:
        403 `discount_limit`. Who does not hold `billing.price` bills what the price list has for `item_type` and
        `item_id` (for the name, where the list has no id) at its price and tax: 403 `not_in_price_list`,
        `not_the_list_price`.
        """
        given = bodies.NewBillSerializer.of(request)
        by, content = caller(request), _content(given)
        patient = patient_billed(given["patient"])
        reach(by, "billing.bill", patient)  # nobody learns from the refusal of a department who is a patient elsewhere
        require_places(content["lines"], patient.facility_id)
        bill = actions.create_bill(
            facility_id=patient.facility_id,
            patient_id=patient.pk,
            **content,
            billable_type=given["billable_type"],
            billable_id=given.get("billable_id"),
            about=given["about"],
            draft=given["draft"],
            by=by,
        )
        return _shown(bill, status=201)

    def retrieve(self, request: Request, pk: str) -> Response:
        """One bill, with the `ETag` that a change needs."""
        return _shown(queries.get_bill(int(pk), caller(request)))

    @extend_schema(request=bodies.ChangeBillSerializer, parameters=[IF_MATCH])
    def partial_update(self, request: Request, pk: str) -> Response:
        """Write the lines of a draft anew. Needs `If-Match`; 409 `bill_issued` once it has a number."""
        given, read, by = bodies.ChangeBillSerializer.of(request), version_read(request), caller(request)
        return outermost(lambda: _shown(actions.change_draft(bill_id=int(pk), **_content(given), version=read, by=by)))

    @extend_schema(request=None, parameters=[IF_MATCH_OR_NOT], responses={200: shapes.BillSerializer} | OLD)
    @action(detail=True, methods=["post"])
    @idempotent
    def issue(self, request: Request, pk: str) -> Response:
        """Give a draft its number: from now on it is owed, and never edited."""
        return _shown(actions.issue_bill(bill_id=int(pk), version=maybe_read(request), by=caller(request)))

    @extend_schema(
        request=bodies.WhySerializer, parameters=[IF_MATCH_OR_NOT], responses={200: shapes.BillSerializer} | OLD
    )
    @action(detail=True, methods=["post"])
    @idempotent
    def void(self, request: Request, pk: str) -> Response:
        """Take back a bill on which nothing is paid: 409 `bill_has_payments`, `bill_void`."""
        given = bodies.WhySerializer.of(request)
        read, by = maybe_read(request), caller(request)
        return _shown(actions.void_bill(bill_id=int(pk), reason=given["reason"], version=read, by=by))

    @extend_schema(
        request=bodies.NewCreditSerializer,
        parameters=[IF_MATCH_OR_NOT],
        responses={201: shapes.CreditNoteSerializer} | OLD,
    )
    @action(detail=True, methods=["post"])
    @idempotent
    def credit(self, request: Request, pk: str) -> Response:
        """Take something off an issued bill by a credit note; what was paid too much by it is then given back.

        403 `credit_limit` where it is more than the caller's role may take off a bill.
        """
        given = bodies.NewCreditSerializer.of(request)
        note = actions.credit_bill(
            bill_id=int(pk),
            amount=given["amount"],
            reason=given["reason"],
            line_ids=given.get("lines"),
            version=maybe_read(request),
            by=caller(request),
        )
        return Response(credit_note_json(note), status=201, headers=etag(note.bill.version))

    @extend_schema(
        request=bodies.PaySerializer, parameters=[IF_MATCH_OR_NOT], responses={201: shapes.PaidSerializer} | OLD
    )
    @action(detail=True, methods=["post"])
    @idempotent
    def payments(self, request: Request, pk: str) -> Response:
        """Take a payment, or several at once. Cash needs the caller's open shift.

        The same reference for the same amount of the same bill gives the same payment again, however it is written:
        without regard to blanks, large and small letters. Cash has no reference: an
        `Idempotency-Key`, or `If-Match` with the bill's version, keeps it from being taken twice. 409
        `overpayment` unless `keep_rest`, `shift_closed`, `bill_not_open`, `reference_used`, `advance_too_small`.
        """
        given, read, by = bodies.PaySerializer.of(request), maybe_read(request), caller(request)
        receipt = actions.pay(
            bill_id=int(pk), tenders=given["tenders"], keep_rest=given["keep_rest"], version=read, by=by
        )
        bill = receipt.bill
        assert bill is not None
        answer = paid_json(receipt, list(receipt.payments.order_by("pk")), bill, receipt.facility)
        return Response(answer, status=201, headers=etag(bill.version))

    @extend_schema(
        request=bodies.GiveBackSerializer,
        parameters=[IF_MATCH_OR_NOT],
        responses={201: shapes.GivenBackSerializer} | OLD,
    )
    @action(detail=True, methods=["post"], url_path="give-back")
    @idempotent
    def give_back(self, request: Request, pk: str) -> Response:
        """Give back what was paid and is no longer owed, each part by the way it came, on one voucher.

        It goes out of the caller's open shift, by whatever way. 409 `nothing_to_give_back`, `shift_closed`,
        `not_in_drawer`.
        """
        given, read, by = bodies.GiveBackSerializer.of(request), maybe_read(request), caller(request)
        receipt = actions.give_back(
            bill_id=int(pk), reason=given["reason"], to_account=given["to_account"], version=read, by=by
        )
        bill = receipt.bill
        assert bill is not None
        answer = {**receipt_json(receipt), "due": money(due_of(bill))}
        return Response(answer, status=201, headers=etag(bill.version))


def _content(given: dict[str, Any]) -> dict[str, Any]:
    """Lines and discount as the actions take them."""
    return {
        "lines": [bodies.line_in(line) for line in given["lines"]],
        "discount": given.get("discount"),
        "discount_reason": given["discount_reason"],
    }


def _shown(bill: Bill, *, status: int = 200) -> Response:
    return Response(bill_json(bill, bill.lines.all()), status=status, headers=etag(bill.version))
