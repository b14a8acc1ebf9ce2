"""Taking money: for a bill, or onto a patient's account. The caller opens the transaction (`common.transactions`)."""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_noop as _

from accounts.models import Facility, User
from accounts.permissions import reach
from billing import ledger
from billing.changes import BillChange, moved, tell
from billing.desk import account_holder, lock_accounts, number_receipt, open_account, reserve
from billing.errors import (
    AdvanceTooSmall,
    BillNotOpen,
    NotIssued,
    Overpayment,
    ReferenceGivenBack,
    ReferenceUsed,
    ShiftClosed,
)
from billing.locking import be_patient, lock_bill
from billing.models import Bill, Payment, Receipt
from billing.models.fields import NormalReference
from billing.references import normal
from billing.settling import settle
from billing.states import OWED, BillStatus, Method, ReceiptKind
from billing.tenders import Part, Tender, change, checked, handed_over, same_money, split, total
from common.amounts import said
from common.api.etag import require_version
from common.errors import BadInput
from common.transactions import RunAgain

REFERENCE_ONCE = "payment_reference_once"


@transaction.atomic(savepoint=False)
def pay(
    *,
    bill_id: int,
    tenders: Sequence[Tender],
    keep_rest: bool = False,
    version: int | None = None,
    by: User | None,
    at: dt.datetime | None = None,
) -> Receipt:
    """Take money for a bill, in one or several ways at once. It locks the shift, then bill, account and counter.

    The same references with the same sums for the same bill again are the same payment: its receipt comes again,
    and nothing is taken. Once something of it was given back the references are used up.

    Args:
        tenders: how it is paid; cash may say what was handed over, and the receipt has the change.
        keep_rest: what is more than due stays on the patient's account; otherwise it is refused.
        version: the bill as the caller read it; None takes any.
        by: who takes it, with `billing.take`, and for cash with an open shift in this facility; what comes in other
            ways belongs to the shift too where there is one. None for the clinic itself.
        at: now, where none is given.

    Returns:
        The receipt, with the bill as it is now (`receipt.bill`) and the change to give.

    Raises:
        UnknownBill, OutOfReach: 404.
        PermissionDenied: 403.
        BadAmount, ReferenceNeeded, BadInput: 400.
        PreconditionFailed: 412.
        NotIssued, BillNotOpen, Overpayment, AdvanceTooSmall, ReferenceUsed, ShiftClosed: 409.
        RunAgain: somebody used the reference at this moment.
    """
    at = at or timezone.now()
    tenders = checked(tenders)
    bill = lock_bill(bill_id, cashier=by)
    if by is not None:
        reach(by, "billing.take", bill)
    known = _replayed(tenders, facility_id=bill.facility_id, bill_id=bill.pk, patient_id=bill.patient_id)
    if known is not None:
        known.bill = bill
        return known
    require_version(bill.version, version)
    _require_due(bill, tenders, keep_rest)
    return _take(bill, split(tenders, bill.due), by, at)


def _require_due(bill: Bill, tenders: Sequence[Tender], keep_rest: bool) -> None:
    """Let pass what the bill asks for, and what may stay on the account."""
    if bill.status == BillStatus.DRAFT:
        raise NotIssued
    if bill.status not in OWED:
        raise BillNotOpen(number=str(bill), status=str(bill.get_status_display()).lower())
    # What comes off the account cannot be kept on it.
    most = [tender for tender in tenders if tender.method == Method.ACCOUNT] if keep_rest else tenders
    if total(most) > bill.due:
        raise Overpayment(
            due=said(bill.due, bill.currency), number=bill.number, amount=said(total(tenders), bill.currency)
        )


def _take(bill: Bill, parts: Sequence[Part], by: User | None, at: dt.datetime) -> Receipt:
    """Write the payments of a bill. The caller holds its lock and has made sure that it asks for so much."""
    tenders = [part.tender for part in parts]
    _draw_on_account(bill, tenders)
    if any(part.rest for part in parts):
        open_account(bill.facility_id, bill.patient_id)
    receipt = _receipt(tenders, bill.facility, bill.patient_id, by, at)
    receipt.bill = bill
    _write(receipt, parts)
    settle(bill, paid=bill.paid + sum((part.on_bill for part in parts), Decimal(0)))
    receipt.due_after = bill.due
    tell(BillChange(bill, "paid", by, at, receipt))
    return number_receipt(receipt)


def _draw_on_account(bill: Bill, tenders: Sequence[Tender]) -> None:
    """Lock the patient's account, where something comes off it, and make sure that it holds so much."""
    wanted = total(tender for tender in tenders if tender.method == Method.ACCOUNT)
    if not wanted:
        return
    balance = lock_accounts(bill.facility_id, bill.patient_id)
    if wanted > balance:
        raise AdvanceTooSmall(balance=said(balance, bill.currency))


@transaction.atomic(savepoint=False)
def take_advance(
    *, facility_id: int, patient_id: int, tenders: Sequence[Tender], by: User | None, at: dt.datetime | None = None
) -> Receipt:
    """Take money onto a patient's account, for whatever is billed later.

    The same references with the same sums for the same patient again are the same payment: its receipt comes again,
    unless something of it was given back.

    Args:
        tenders: how it is paid, in any way but from the account itself.
        by: who takes it, with `billing.take`, and for cash with an open shift in this facility.
        at: now, where none is given.

    Raises:
        NotFound, OutOfReach: 404.
        PermissionDenied: 403.
        BadAmount, ReferenceNeeded, BadInput: 400.
        ReferenceUsed, ShiftClosed: 409.
        RunAgain: somebody used the reference at this moment.
    """
    at = at or timezone.now()
    tenders = checked(tenders)
    if any(tender.method == Method.ACCOUNT for tender in tenders):
        raise BadInput(_("An advance is paid from elsewhere, not from the account itself."), attr="method")
    be_patient(by)
    patient = account_holder(facility_id, patient_id, by, "billing.take")
    head = patient.merged_into_id or patient.pk
    known = _replayed(tenders, facility_id=facility_id, bill_id=None, patient_id=head)
    if known is not None:
        return known
    open_account(facility_id, head)
    receipt = _receipt(tenders, patient.facility, head, by, at)
    _write(receipt, [Part(tender, Decimal(0), tender.amount) for tender in tenders])
    moved(facility_id)
    return number_receipt(receipt)


def _receipt(
    tenders: Sequence[Tender], facility: Facility, patient_id: int, by: User | None, at: dt.datetime
) -> Receipt:
    """The receipt to be, with its id and the cashier's shift, which is locked from here on."""
    has_cash = any(tender.method == Method.CASH for tender in tenders)
    receipt_id, shift = reserve(facility.pk, by, needed=ShiftClosed if has_cash else None)
    return Receipt(
        pk=receipt_id,
        facility=facility,
        kind=ReceiptKind.PAYMENT,
        patient_id=patient_id,
        shift=shift,
        tendered=handed_over(tenders),
        change=change(tenders),
        at=at,
        by=by,
    )


def _write(receipt: Receipt, parts: Sequence[Part]) -> None:
    """Write and post a payment for each part, and one more for what of it stays on the account."""
    payments = [_payment(receipt, part) for part in parts]
    rests = [
        _payment(receipt, Part(part.tender, Decimal(0), part.rest), rest_of=payment)
        for part, payment in zip(parts, payments, strict=True)
        if part.on_bill and part.rest
    ]
    try:
        Payment.objects.bulk_create(payments)
        if rests:
            Payment.objects.bulk_create(rests)
    except IntegrityError as error:
        if REFERENCE_ONCE in str(error):
            raise RunAgain from error  # somebody was quicker: read again, then give their receipt or refuse in words
        raise
    ledger.post_payments([*payments, *rests])


def _payment(receipt: Receipt, part: Part, *, rest_of: Payment | None = None) -> Payment:
    return Payment(
        facility_id=receipt.facility_id,
        receipt_id=receipt.pk,
        patient_id=receipt.patient_id,
        bill=receipt.bill if part.on_bill else None,
        method=part.tender.method,
        amount=part.on_bill or part.rest,
        reference=part.tender.reference,
        rest_of=rest_of,
        shift=receipt.shift,
        date=receipt.facility.local_date(receipt.at),
        at=receipt.at,
        by=receipt.by,
    )


def _replayed(tenders: Sequence[Tender], *, facility_id: int, bill_id: int | None, patient_id: int) -> Receipt | None:
    """The receipt that these references were written on before; None where they are new.

    Args:
        patient_id: the record in use; an advance may have been taken for one that was merged into it since.

    Raises:
        ReferenceUsed: 409, one of them stands for another payment.
        ReferenceGivenBack: 409, something on that receipt was given back: it would say that the money is here.
    """
    named = [(tender.method, tender.reference) for tender in tenders if tender.reference]
    found = _with_references(named, facility_id)
    if not found:
        return None
    receipt = found[0].receipt
    payments = receipt.payments.all()
    whole = [(each.method, each.reference, each.amount) for each in payments]
    asked = [(tender.method, tender.reference, tender.amount) for tender in tenders]
    whose = receipt.patient.merged_into_id or receipt.patient_id
    about = receipt.bill_id == bill_id and (bill_id is not None or whose == patient_id)
    if not about or not same_money(whole, asked) or len(found) < len(named):
        raise ReferenceUsed(attr="reference", reference=found[0].reference)
    if any(each.refunded for each in payments):
        raise ReferenceGivenBack(attr="reference", reference=found[0].reference)
    return receipt


def _with_references(named: Sequence[tuple[str, str]], facility_id: int) -> list[Payment]:
    """The payments that carry these references, at most one each, the oldest first; however they are written.

    Of former near duplicates it is the one that is written so; else the first of them, which stands for their form.

    Args:
        named: (method, reference), no two of the same form.
    """
    if not named:
        return []
    either = Q()
    for method, reference in named:
        either |= Q(method=method, reference=reference)
        either |= Q(method=method, normal=normal(reference), reference_doubled=False) & ~Q(reference="")
    rows = Payment.objects.alias(normal=NormalReference("reference")).filter(
        either, facility_id=facility_id, rest_of=None
    )
    found: dict[tuple[str, str], Payment] = {}
    for row in rows.select_related("receipt__facility", "receipt__patient").order_by("pk"):
        key = (row.method, normal(row.reference))
        if key not in found or (row.method, row.reference) in named:
            found[key] = row
    return sorted(found.values(), key=lambda row: row.pk)
