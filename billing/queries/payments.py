"""Payments, refunds and the receipts that they stand on."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_noop as _

from accounts.models import User
from accounts.permissions import reach, within
from billing.errors import UnknownPayment
from billing.models import Bill, Line, Payment, Receipt, ReceiptPrint, Refund
from billing.states import ReceiptKind
from common.errors import NotFound


def get_payment(payment_id: int, by: User) -> Payment:
    """One payment with bill, patient, receipt and shift. One query.

    Raises:
        UnknownPayment: 404.
        OutOfReach: 404, and recorded: it is a payment of a facility the caller has no part in.
        PermissionDenied: 403.
    """
    payment = _payments().filter(pk=payment_id).first()
    if payment is None:
        raise UnknownPayment
    reach(by, "billing.view", payment)
    return payment


def _payments() -> QuerySet[Payment]:
    return Payment.objects.select_related("facility", "bill", "patient", "receipt", "shift", "by")


def payments_of(facility_ids: frozenset[int], *, on: date | None = None) -> QuerySet[Payment]:
    """Payments with bill, patient, receipt, shift and who took them, the newest first. One query.

    Args:
        facility_ids: ``ALL`` for everywhere.
        on: only those of this date of their facility.
    """
    payments = _payments().filter(within(facility_ids)).order_by("-pk")
    return payments.filter(date=on) if on else payments


def refunds_of(facility_ids: frozenset[int], *, on: date | None = None) -> QuerySet[Refund]:
    """Refunds with payment, bill, patient, receipt, shift and who gave them, the newest first. One query.

    Args:
        facility_ids: ``ALL`` for everywhere.
        on: only those of this date of their facility.
    """
    refunds = Refund.objects.select_related("facility", "payment__patient", "bill", "receipt", "shift", "by")
    refunds = refunds.filter(within(facility_ids)).order_by("-pk")
    return refunds.filter(date=on) if on else refunds


def get_receipt(receipt_id: int, by: User) -> Receipt:
    """One receipt or voucher, with facility, patient, bill and who wrote it. One query.

    Raises:
        NotFound: 404.
        OutOfReach: 404, and recorded: it is a receipt of a facility the caller has no part in.
        PermissionDenied: 403.
    """
    rows = Receipt.objects.select_related("facility__billing_settings", "patient", "bill", "shift__drawer", "by")
    receipt = rows.filter(pk=receipt_id).first()
    if receipt is None:
        raise NotFound(_("There is no such receipt here."))
    reach(by, "billing.view", receipt)
    return receipt


@dataclass(frozen=True, slots=True)
class ReceiptInFull:
    """Everything that stands on a receipt or voucher.

    Attributes:
        lines: of the bill, in their order; none where there is no bill.
        payments: what was taken with this receipt for the bill.
        advances: what was taken with it onto the patient's account.
        refunds: what was given back with it.
        paid_before: payments of the bill with earlier receipts, as they came.
        given_before: refunds of the bill with earlier vouchers.
        prints: how many times it left the printer.
    """

    receipt: Receipt
    bill: Bill | None
    lines: tuple[Line, ...]
    payments: tuple[Payment, ...]
    advances: tuple[Payment, ...]
    refunds: tuple[Refund, ...]
    paid_before: tuple[Payment, ...]
    given_before: tuple[Refund, ...]
    prints: int

    @property
    def amount(self) -> Decimal:
        """What was taken, or given back, with it in all."""
        rows = self.refunds if self.receipt.kind == ReceiptKind.REFUND else (*self.payments, *self.advances)
        return sum((row.amount for row in rows), Decimal("0.00"))


def receipt_in_full(receipt_id: int, by: User) -> ReceiptInFull:
    """A receipt with all that is printed on it. Five queries, four without a bill.

    Raises:
        As `get_receipt`.
    """
    receipt = get_receipt(receipt_id, by)
    own = Q(receipt_id=receipt.pk)
    # A receipt's id is drawn under the bill's lock, so an earlier receipt of the bill has a smaller one.
    earlier = Q(bill_id=receipt.bill_id, receipt_id__lt=receipt.pk) if receipt.bill_id else Q(pk__in=())
    came = list(Payment.objects.filter(own | earlier).order_by("pk"))
    went = list(Refund.objects.filter(own | earlier).select_related("payment").order_by("pk"))
    lines = list(receipt.bill.lines.all()) if receipt.bill else []
    return ReceiptInFull(
        receipt=receipt,
        bill=receipt.bill,
        lines=tuple(lines),
        payments=tuple(row for row in came if row.receipt_id == receipt.pk and row.bill_id),
        advances=tuple(row for row in came if row.receipt_id == receipt.pk and not row.bill_id),
        refunds=tuple(row for row in went if row.receipt_id == receipt.pk),
        paid_before=tuple(row for row in came if row.receipt_id != receipt.pk),
        given_before=tuple(row for row in went if row.receipt_id != receipt.pk),
        prints=ReceiptPrint.objects.filter(receipt=receipt).count(),
    )
