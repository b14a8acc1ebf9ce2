"""Bills from the first line to the last credit note. The caller opens the transaction (`common.transactions`).

`by` is who acts, None the clinic itself: a workflow, which may do everything. `at` is the moment, now where none is
given. Numbers are drawn last, so that whoever needs the next one waits as shortly as can be.
"""

import datetime as dt
from collections.abc import Collection, Sequence
from decimal import Decimal

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop as _

from accounts.models import User
from accounts.permissions import reach
from billing import ledger
from billing.changes import BillChange, tell
from billing.crediting import write_credit
from billing.discounts import require_discount
from billing.errors import BillIsPaid, BillIsVoid, NotADraft
from billing.locking import lock_bill
from billing.models import Bill, CreditNote, Line
from billing.numbers import next_number
from billing.prices import require_prices
from billing.reasons import reason_of
from billing.rules import LineIn, Off, Totals
from billing.settling import Issue, Void, settle
from billing.states import BillStatus, CounterKind
from billing.writing import reckon, write_lines
from common.amounts import said
from common.errors import NotFound
from patients.models import Patient

_AMOUNTS = ("gross", "discount", "tax", "total")


@transaction.atomic(savepoint=False)
def create_bill(
    *,
    facility_id: int,
    patient_id: int,
    lines: Sequence[LineIn],
    billable_type: str = "",
    billable_id: int | None = None,
    about: str = "",
    discount: Off | None = None,
    discount_reason: str = "",
    draft: bool = False,
    by_rule: bool = False,
    by: User | None,
    at: dt.datetime | None = None,
) -> Bill:
    """Make a bill and, unless it is a draft, issue it: number, ledger and what follows in other apps.

    A bill of a record that was merged becomes one of the record that goes on.

    Args:
        billable_type, billable_id: what the bill is for, whatever app it belongs to.
        about: what people call it by, such as A-014, Dr Rao.
        discount: on the whole bill, spread over its lines.
        by_rule: prices and discounts follow from a rule of the facility, so nobody's right and limit are asked for.

    Raises:
        NotFound: 404, there is no such patient in this facility, or `by` has no part in it.
        PermissionDenied, NotInPriceList, NotTheListPrice, DiscountLimitPassed: 403.
        NoLines, BadAmount, DiscountTooLarge, ReasonNeeded: 400.
    """
    at = at or timezone.now()
    patient = Patient.objects.select_related("facility").filter(pk=patient_id, facility_id=facility_id).first()
    if patient is None:
        raise NotFound(_("There is no such patient here."))
    if by is not None:
        reach(by, "billing.bill", patient.facility, facility_id=facility_id)
    sums = reckon(lines, discount, discount_reason)
    if not by_rule:
        require_prices(lines, by=by, facility=patient.facility, on=patient.facility.local_date(at))
        require_discount(sums, by=by, facility_id=facility_id)
    bill = Bill(
        facility=patient.facility,
        patient_id=patient.merged_into_id or patient.pk,
        currency=patient.facility.currency,
        billable_type=billable_type,
        billable_id=billable_id,
        about=about,
        created_at=at,
        created_by=by,
        **_amounts(sums),
    )
    if patient.merged_into_id is None:
        bill.patient = patient  # who shows the bill need not read it again while others wait for the next number
    bill.save(force_insert=True)
    rows = write_lines(bill, lines, sums, discount_reason)
    return bill if draft else _issue(bill, rows, by, at)


@transaction.atomic(savepoint=False)
def change_draft(
    *,
    bill_id: int,
    lines: Sequence[LineIn],
    discount: Off | None = None,
    discount_reason: str = "",
    about: str | None = None,
    by_rule: bool = False,
    version: int | None = None,
    by: User | None,
) -> Bill:
    """Write the lines of a draft anew.

    Args:
        about: replaces what people call it by; None leaves it.
        version: what the caller read; None takes any.

    Raises:
        UnknownBill: 404.
        PreconditionFailed: 412.
        NotADraft, BillIsVoid: 409.
        As `create_bill` for lines and discounts.
    """
    bill = _locked(bill_id, version, by, "billing.bill")
    _require_draft(bill)
    sums = reckon(lines, discount, discount_reason)
    if not by_rule:
        require_prices(lines, by=by, facility=bill.facility, on=bill.facility.local_date())
        require_discount(sums, by=by, facility_id=bill.facility_id)
    for name, amount in _amounts(sums).items():
        setattr(bill, name, amount)
    bill.about = bill.about if about is None else about
    bill.lines.all().delete()
    write_lines(bill, lines, sums, discount_reason)
    return settle(bill, drafted=(*_AMOUNTS, "about"))


@transaction.atomic(savepoint=False)
def issue_bill(*, bill_id: int, version: int | None = None, by: User | None, at: dt.datetime | None = None) -> Bill:
    """Issue a draft: from now on it is owed, and never edited.

    Raises:
        UnknownBill: 404.
        PreconditionFailed: 412.
        NotADraft, BillIsVoid: 409.
    """
    bill = _locked(bill_id, version, by, "billing.bill")
    _require_draft(bill)
    return _issue(bill, list(bill.lines.all()), by, at or timezone.now())


@transaction.atomic(savepoint=False)
def void_bill(
    *, bill_id: int, reason: str, version: int | None = None, by: User | None, at: dt.datetime | None = None
) -> Bill:
    """Take back a bill on which nothing is paid; a draft is laid aside.

    Raises:
        UnknownBill: 404.
        PreconditionFailed: 412.
        ReasonNeeded: 400.
        BillIsVoid, BillIsPaid: 409.
    """
    at = at or timezone.now()
    bill = _locked(bill_id, version, by, "billing.void")
    reason = reason_of(reason)
    if bill.status == BillStatus.VOID:
        raise BillIsVoid(number=str(bill))
    if bill.paid:
        raise BillIsPaid(number=bill.number, paid=said(bill.paid, bill.currency))
    if bill.issued_at is not None:
        ledger.post_void(bill=bill, by=by, at=at, date=bill.facility.local_date(at))
    settle(bill, voided=Void(at, by, reason))
    tell(BillChange(bill, "voided", by, at))
    return bill


@transaction.atomic(savepoint=False)
def credit_bill(
    *,
    bill_id: int,
    amount: Decimal,
    reason: str,
    line_ids: Collection[int] | None = None,
    version: int | None = None,
    by: User | None,
    at: dt.datetime | None = None,
) -> CreditNote:
    """Take something off an issued bill. Where more was paid than is then owed, the bill has it to give back.

    Args:
        amount: taxes included; spread over what is left of the lines, to the cent.
        line_ids: the lines that bear it; all of them, where none are named.

    Raises:
        UnknownBill, UnknownLine: 404.
        PreconditionFailed: 412.
        PermissionDenied, CreditLimitPassed: 403.
        ReasonNeeded, BadAmount: 400.
        NotIssued, BillIsVoid, CreditTooLarge: 409.
    """
    at = at or timezone.now()
    bill = _locked(bill_id, version, by, "billing.credit")
    note = write_credit(bill, amount=amount, reason=reason, line_ids=line_ids, by=by, at=at)
    tell(BillChange(bill, "credited", by, at))
    return note


def _locked(bill_id: int, version: int | None, by: User | None, code: str) -> Bill:
    bill = lock_bill(bill_id, version=version)
    if by is not None:
        reach(by, code, bill)
    return bill


def _require_draft(bill: Bill) -> None:
    if bill.status == BillStatus.VOID:
        raise BillIsVoid(number=str(bill))
    if bill.status != BillStatus.DRAFT:
        raise NotADraft(number=bill.number)


def _issue(bill: Bill, lines: Sequence[Line], by: User | None, at: dt.datetime) -> Bill:
    """Post, number, settle, tell: in this order, for the counter is the last lock to be taken."""
    date = bill.facility.local_date(at)
    ledger.post_issue(bill=bill, lines=lines, by=by, at=at, date=date)
    number = next_number(bill.facility_id, CounterKind.BILL, date)
    settle(bill, issued=Issue(number, date, at))
    tell(BillChange(bill, "issued", by, at))
    return bill


def _amounts(sums: Totals) -> dict[str, Decimal]:
    return {name: getattr(sums, name) for name in _AMOUNTS}
