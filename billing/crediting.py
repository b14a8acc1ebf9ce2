"""Credit notes: what is taken off an issued bill, line by line and to the cent."""

import datetime as dt
from collections.abc import Collection, Sequence
from decimal import Decimal

from django.db.models import Sum

from accounts.models import User
from billing.credit_limits import require_credit
from billing.errors import BadAmount, BillIsVoid, CreditTooLarge, NotIssued, UnknownLine
from billing.ledger import post_credit
from billing.models import Bill, CreditLine, CreditNote, Line
from billing.numbers import next_number
from billing.reasons import reason_of
from billing.rules import ZERO, Left, NotMoney, OffTooLarge, credit, exact
from billing.settling import settle
from billing.states import BillStatus, CounterKind
from common.amounts import said


def write_credit(
    bill: Bill,
    *,
    amount: Decimal,
    reason: str,
    line_ids: Collection[int] | None = None,
    by: User | None,
    at: dt.datetime,
) -> CreditNote:
    """Write a credit note, post it, and settle the bill. The caller holds the bill's lock, and tells.

    Args:
        amount: taxes included.
        line_ids: the lines that bear it; all of them, where none are named.

    Raises:
        ReasonNeeded, ReasonTooLong, BadAmount: 400.
        CreditLimitPassed: 403.
        UnknownLine: 404, one is not on this bill.
        NotIssued, BillIsVoid, CreditTooLarge: 409.
    """
    why = reason_of(reason)
    _require_creditable(bill, amount)
    require_credit(bill, amount, by=by)
    lines = _lines(bill, line_ids)
    shares = _shares(bill, amount, lines)
    date = bill.facility.local_date(at)
    note = CreditNote.objects.create(
        facility=bill.facility,
        bill=bill,
        number=next_number(bill.facility_id, CounterKind.CREDIT_NOTE, date),
        amount=amount,
        tax=sum((tax for _, tax in shares), ZERO),
        reason=why,
        date=date,
        at=at,
        by=by,
    )
    rows = CreditLine.objects.bulk_create(
        CreditLine(note=note, line=line, amount=share, tax=tax)
        for line, (share, tax) in zip(lines, shares, strict=True)
        if share
    )
    post_credit(note=note, lines=rows)
    settle(bill, credited=bill.credited + amount)
    return note


def _require_creditable(bill: Bill, amount: Decimal) -> None:
    try:
        wrong = not exact(amount)
    except NotMoney:
        wrong = True
    if wrong:
        raise BadAmount(attr="amount")
    if bill.status == BillStatus.DRAFT:
        raise NotIssued
    if bill.status == BillStatus.VOID:
        raise BillIsVoid(number=str(bill))


def _lines(bill: Bill, line_ids: Collection[int] | None) -> Sequence[Line]:
    """The lines that bear a credit, with what was taken off them before."""
    rows = bill.lines.order_by("position")
    if line_ids is not None:
        rows = rows.filter(pk__in=line_ids)
    found = list(rows.annotate(credited=Sum("credits__amount"), tax_credited=Sum("credits__tax")))
    if line_ids is not None and len(found) < len(set(line_ids)):
        raise UnknownLine
    return found


def _shares(bill: Bill, amount: Decimal, lines: Sequence[Line]) -> list[tuple[Decimal, Decimal]]:
    """What each line bears of a credit, and the tax in it."""
    left = [_left(line) for line in lines]
    try:
        return credit(amount, left)
    except OffTooLarge:
        most = sum((each.amount for each in left), ZERO)
        raise CreditTooLarge(
            number=bill.number, left=said(most, bill.currency), amount=said(amount, bill.currency)
        ) from None


def _left(line: Line) -> Left:
    credited, tax_credited = getattr(line, "credited", None), getattr(line, "tax_credited", None)
    return Left(line.total, line.tax, credited or ZERO, tax_credited or ZERO)
