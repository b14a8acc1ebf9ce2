"""The one function that changes a bill's state and what is paid and credited of it."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from accounts.models import User
from billing.models import Bill
from billing.rules import status_of
from billing.states import BillStatus


@dataclass(frozen=True, slots=True)
class Issue:
    """That a bill was issued, under which number, on the facility's date."""

    number: str
    date: dt.date
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Void:
    """That a bill was taken back, when, by whom and why."""

    at: dt.datetime
    by: User | None
    reason: str


def settle(
    bill: Bill,
    *,
    paid: Decimal | None = None,
    credited: Decimal | None = None,
    issued: Issue | None = None,
    voided: Void | None = None,
    drafted: Sequence[str] = (),
) -> Bill:
    """Write what changed of a bill, and the state that follows from it. The caller holds the bill's lock.

    Args:
        paid: payments less refunds, in all.
        credited: credit notes, in all.
        issued: it gets its number.
        voided: it counts no more.
        drafted: names of what the caller has changed of a draft.
    """
    changed = ["status", "version", *drafted]
    if paid is not None:
        bill.paid = paid
        changed.append("paid")
    if credited is not None:
        bill.credited = credited
        changed.append("credited")
    if issued is not None:
        bill.number, bill.date, bill.issued_at = issued.number, issued.date, issued.at
        changed += ["number", "date", "issued_at"]
    if voided is not None:
        bill.voided_at, bill.voided_by, bill.void_reason = voided.at, voided.by, voided.reason
        changed += ["voided_at", "voided_by", "void_reason"]
    bill.status = _status(bill)
    bill.version += 1
    bill.save(update_fields=changed)
    bill.due = bill.total - bill.credited - bill.paid  # as the database has reckoned it
    return bill


def _status(bill: Bill) -> BillStatus:
    if bill.voided_at is not None:
        return BillStatus.VOID
    if bill.issued_at is None:
        return BillStatus.DRAFT
    return BillStatus(status_of(total=bill.total, credited=bill.credited, paid=bill.paid))
