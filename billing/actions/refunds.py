"""Giving money back: of a payment, of a bill, off a patient's account. The caller opens the transaction.

What is given back is a refund of the payment it came with, by the way it came (or onto the patient's account), from the
open shift of whoever pays it out, whenever and by whomever it was taken. Nothing that was paid is ever changed.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final

from django.db import transaction
from django.db.models import DecimalField, F, Q, Sum, Value
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_noop as _

from accounts.models import Facility, User
from accounts.permissions import reach, require
from billing import ledger
from billing.changes import BillChange, moved, tell
from billing.crediting import write_credit
from billing.desk import (
    account_holder,
    lock_records,
    number_receipt,
    open_account,
    reserve_refund,
)
from billing.errors import AdvanceTooSmall, NothingToGiveBack, RefundTooLarge, UnknownPayment
from billing.locking import be_patient, lock_bill
from billing.models import Bill, CreditNote, Payment, Receipt, Refund
from billing.queries.accounts import balance_on
from billing.reasons import reason_of
from billing.settling import settle
from billing.states import Method, ReceiptKind
from billing.tenders import amount_of, draw
from common.amounts import said
from common.errors import BadInput

_NONE: Final = Value(Decimal(0), output_field=DecimalField(max_digits=14, decimal_places=2))

Parts = Sequence[tuple[Payment, Decimal]]
"""What is given back of which payments."""


@transaction.atomic(savepoint=False)
def refund_payment(
    *,
    payment_id: int,
    amount: Decimal,
    reason: str,
    credit: bool = False,
    to_account: bool = False,
    reference: str = "",
    version: int | None = None,
    by: User | None,
    at: dt.datetime | None = None,
) -> Refund:
    """Give back of a payment, at most what is left of it. It locks the shift, then bill, account and counters.

    The bill asks for the money again, unless it had it to give back or a credit note takes it off (`credit`). An
    advance is given back as far as it was not spent.

    Args:
        credit: what was billed was not given: nothing is owed for it, so a credit note goes with the refund, of what
            the bill does not have to give back already. It needs `billing.credit` too.
        to_account: the money stays with the hospital, on the patient's account.
        reference: of the terminal or the bank, where it has one.
        version: the bill as the caller read it; None takes any.
        by: who gives it, with `billing.refund` and an open shift in this facility; None for the clinic itself, which
            gives back onto the account alone.
        at: now, where none is given.

    Returns:
        The refund, with its voucher (`refund.receipt`) and the bill as it is now (`refund.bill`).

    Raises:
        UnknownPayment, OutOfReach: 404.
        PermissionDenied, CreditLimitPassed: 403.
        BadAmount, ReasonNeeded: 400.
        PreconditionFailed: 412.
        RefundTooLarge, AdvanceTooSmall, NotInDrawer, RefundNeedsShift: 409.
    """
    at, amount, reason = at or timezone.now(), amount_of(amount), reason_of(reason)
    found = Payment.objects.select_related("facility").filter(pk=payment_id).first()
    if found is None:
        raise UnknownPayment
    if by is not None:
        reach(by, "billing.refund", found)
    bill = lock_bill(found.bill_id, version=version, cashier=by) if found.bill_id else None
    if bill is None:
        if to_account or credit:
            raise BadInput(
                _("This money lies on the patient's account, and nothing is billed for it."), attr="to_account"
            )
        be_patient(by)
        _require_on_account(found.facility, found.patient_id, amount)
    payment = Payment.objects.get(pk=payment_id)  # as it is under the lock
    if amount > payment.refundable:
        currency = found.facility.currency
        raise RefundTooLarge(refundable=said(payment.refundable, currency), amount=said(amount, currency))
    note = _credit(bill, amount, reason, by, at) if bill is not None and credit else None
    receipt = _receipt(found.facility, payment.patient_id, bill, by, at)
    _give(receipt, [(payment, amount)], reason, to_account=to_account, reference=reference.strip(), note=note)
    refund: Refund = receipt.refunds.get()
    refund.receipt, refund.bill, refund.payment = receipt, bill, payment
    return refund


def _credit(bill: Bill, amount: Decimal, reason: str, by: User | None, at: dt.datetime) -> CreditNote | None:
    """Take off the bill what it does not have to give back already. The caller holds its lock."""
    if by is not None:
        require(by, "billing.credit", bill.facility_id)
    owed_for = amount - bill.to_give_back
    if owed_for <= 0:
        return None
    note = write_credit(bill, amount=owed_for, reason=reason, by=by, at=at)
    tell(BillChange(bill, "credited", by, at, more=True))
    return note


@transaction.atomic(savepoint=False)
def give_back(
    *,
    bill_id: int,
    reason: str,
    to_account: bool = False,
    version: int | None = None,
    by: User | None,
    at: dt.datetime | None = None,
) -> Receipt:
    """Give back all that was paid on a bill and is no longer owed: the newest payments first, on one voucher.

    Args:
        to_account: onto the patient's account, instead of by the way each payment came.
        version: the bill as the caller read it; None takes any.
        by: who gives it, with `billing.refund` and an open shift in this facility; None for the clinic itself, which
            gives back onto the account alone.
        at: now, where none is given.

    Raises:
        UnknownBill, OutOfReach: 404.
        PermissionDenied: 403.
        ReasonNeeded: 400.
        PreconditionFailed: 412.
        NothingToGiveBack, NotInDrawer, RefundNeedsShift: 409.
    """
    at, reason = at or timezone.now(), reason_of(reason)
    bill = lock_bill(bill_id, version=version, cashier=by)
    if by is not None:
        reach(by, "billing.refund", bill)
    if not bill.to_give_back:
        raise NothingToGiveBack(number=str(bill))
    payments = {row.pk: row for row in bill.payments.filter(refunded__lt=F("amount")).order_by("-pk")}
    parts = draw([(pk, row.refundable) for pk, row in payments.items()], bill.to_give_back)
    receipt = _receipt(bill.facility, bill.patient_id, bill, by, at)
    return _give(receipt, [(payments[pk], part) for pk, part in parts], reason, to_account=to_account)


@transaction.atomic(savepoint=False)
def refund_advance(
    *,
    facility_id: int,
    patient_id: int,
    amount: Decimal,
    reason: str,
    by: User | None,
    at: dt.datetime | None = None,
) -> Receipt:
    """Pay out of a patient's account, by the ways in which the money came onto it, the newest first, on one voucher.

    It came by advances, or from payments of bills that were given back onto the account.

    Args:
        by: who pays it, with `billing.refund` and an open shift in this facility; the clinic itself (None) pays nothing
            out, and is refused.
        at: now, where none is given.

    Raises:
        NotFound, OutOfReach: 404.
        PermissionDenied: 403.
        BadAmount, ReasonNeeded: 400.
        AdvanceTooSmall, NotInDrawer, RefundNeedsShift: 409.
    """
    at, amount, reason = at or timezone.now(), amount_of(amount), reason_of(reason)
    be_patient(by)
    patient = account_holder(facility_id, patient_id, by, "billing.refund")
    records = _require_on_account(patient.facility, patient.pk, amount)
    sources = {row.pk: (row, left) for row, left in _sources(facility_id, records)}
    parts = draw([(pk, left) for pk, (_, left) in sources.items()], amount)
    receipt = _receipt(patient.facility, patient.merged_into_id or patient.pk, None, by, at)
    moved(facility_id)
    return _give(receipt, [(sources[pk][0], part) for pk, part in parts], reason)


def _sources(facility_id: int, records: Sequence[int]) -> Parts:
    """The payments that brought money onto an account, the newest first, with what of each is not paid out again.

    An advance is left as far as it was not refunded. A payment of a bill brought what was given back of it onto the
    account; what was paid out of that since is a refund of the same payment without the bill. The caller holds the
    locks of the accounts of these records, and pays out no more than lies there: some of it may have paid other bills.
    """
    moved = Coalesce(Sum("refunds__amount", filter=Q(refunds__method=Method.ACCOUNT)), _NONE)
    paid_out = Coalesce(Sum("refunds__amount", filter=Q(refunds__bill=None)), _NONE)
    here = Payment.objects.filter(facility_id=facility_id, patient__in=records)
    advances = Q(bill=None, refunded__lt=F("amount"))
    given_back = Q(bill__isnull=False, refunded__gt=0) & ~Q(method=Method.ACCOUNT)
    rows = here.filter(advances | given_back).annotate(moved=moved, paid_out=paid_out).order_by("-pk")
    return [(row, row.refundable if row.bill_id is None else row.moved - row.paid_out) for row in rows]


def _require_on_account(facility: Facility, patient_id: int, amount: Decimal) -> list[int]:
    """Lock a patient's account and make sure that it holds so much; the records whose accounts are locked."""
    records = lock_records(patient_id)
    balance = balance_on(facility.pk, records)
    if amount > balance:
        raise AdvanceTooSmall(balance=said(balance, facility.currency))
    return records


def _receipt(facility: Facility, patient_id: int, bill: Bill | None, by: User | None, at: dt.datetime) -> Receipt:
    """The voucher to be; its id and the shift come when it is known by which ways the money goes."""
    return Receipt(facility=facility, kind=ReceiptKind.REFUND, patient_id=patient_id, bill=bill, at=at, by=by)


def _give(
    receipt: Receipt,
    parts: Parts,
    reason: str,
    *,
    to_account: bool = False,
    reference: str = "",
    note: CreditNote | None = None,
) -> Receipt:
    """Write the refunds, settle the bill, number the voucher. The caller holds the locks of bill or account."""
    bill, facility = receipt.bill, receipt.facility
    refunds = [_refund(receipt, payment, amount, reason, to_account) for payment, amount in parts]
    if any(row.method == Method.ACCOUNT for row in refunds):
        open_account(facility.pk, receipt.patient_id)
    reserve_refund(receipt, refunds)
    for row in refunds:
        row.receipt_id, row.shift, row.reference, row.credit_note = receipt.pk, receipt.shift, reference, note
    Refund.objects.bulk_create(refunds)
    ledger.post_refunds(refunds)
    _grow(parts, bill)
    if bill is not None:
        settle(bill, paid=bill.paid - sum((amount for _, amount in parts), Decimal(0)))
        tell(BillChange(bill, "refunded", receipt.by, receipt.at, receipt))
        receipt.due_after = bill.due  # with what other apps took off it because of the refund
    return number_receipt(receipt)


def _refund(receipt: Receipt, payment: Payment, amount: Decimal, reason: str, to_account: bool) -> Refund:
    return Refund(
        facility_id=receipt.facility_id,
        payment=payment,
        bill=receipt.bill,
        method=Method.ACCOUNT if to_account else payment.method,
        amount=amount,
        reason=reason,
        date=receipt.facility.local_date(receipt.at),
        at=receipt.at,
        by=receipt.by,
    )


def _grow(parts: Iterable[tuple[Payment, Decimal]], bill: Bill | None) -> None:
    """Note on the payments what was given back of them.

    What is paid out of an account was given back of its payment when it came onto the account: not a second time.
    """
    for payment, amount in parts:
        if payment.bill_id == (bill.pk if bill else None):
            payment.refunded += amount
            payment.save(update_fields=["refunded"])
