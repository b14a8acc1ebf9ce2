"""What becomes of a bill when its token loses what the bill was for. Pure: no Django, no clock, no settings.

The words before a cancellation and the deed itself come from the same function, `fate`.
"""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

from billing.rules import HUNDRED, ZERO, rounded
from reception.money.fees import Rules
from tokens.rules import NO_PLACE, NOT_SERVED, SENT_ON
from tokens.states import USED, Status

KEEP: Final = "keep"
"""The word of `BillingSettings.when_displaced` under which what was paid stays for the place that may come."""


class Loss(StrEnum):
    """How a token lost what its bill was for."""

    NONE = "none"
    ARRIVAL = "arrival"  # the arrival was taken back; the place is there
    WAITS = "waits"  # displaced: it waits for another place
    HOSPITAL = "hospital"  # it ended, and nobody but the hospital ended it
    PERSON = "person"  # somebody cancelled, or the patient did not come
    SENT_ON = "sent_on"  # another doctor sees the patient instead
    MOVED = "moved"  # another doctor, or another day
    PATIENT = "patient"  # it is another patient's


ENDED: Final = frozenset({Loss.HOSPITAL, Loss.PERSON})


class Deed(StrEnum):
    """What is done to a bill."""

    KEEP = "keep"
    VOID = "void"
    CREDIT = "credit"


class Why(StrEnum):
    """Why so much goes back."""

    NOTHING_PAID = "nothing_paid"
    HOSPITAL = "hospital"
    IN_TIME = "in_time"
    LATE = "late"
    OTHERWISE = "otherwise"


@dataclass(frozen=True, slots=True)
class BillNow:
    """The amounts of an issued bill, and what it is for.

    Attributes:
        priority_only: it is for priority alone, not for a consultation.
        offered: of such a bill: the token has no priority yet, the bill waits for the patient's decision.
    """

    total: Decimal
    credited: Decimal = ZERO
    paid: Decimal = ZERO
    priority_only: bool = False
    offered: bool = False

    @property
    def left(self) -> Decimal:
        """What it asks for in all, after credit notes."""
        return self.total - self.credited

    @property
    def due(self) -> Decimal:
        """What is still to be paid; below zero: to be given back."""
        return self.left - self.paid


@dataclass(frozen=True, slots=True)
class Fate:
    """What is done to a bill: a credit note of `credit`, after which `back` is to be given back in all."""

    deed: Deed
    credit: Decimal = ZERO
    back: Decimal = ZERO
    why: Why = Why.OTHERWISE


def owes(status: str, *, arrived: bool) -> bool:
    """Whether a token is to be billed: it holds a place and its patient is here. One that waits never owes."""
    return arrived and status in USED


def loss_of(
    *, status: str, arrived: bool, reason: str = "", waited: bool = False, moved: bool = False, other: bool = False
) -> Loss:
    """How the token lost what its bill was for.

    Args:
        reason: of the event that ended it.
        waited: it waited for a place when it ended.
        moved: it is with another doctor, or on another day, than the bill.
        other: it is another patient's than the bill.
    """
    if status in (Status.CANCELLED, Status.NO_SHOW):
        if reason == SENT_ON:
            return Loss.SENT_ON
        return Loss.HOSPITAL if waited or reason in (NO_PLACE, NOT_SERVED) else Loss.PERSON
    if other:
        return Loss.PATIENT
    if moved:
        return Loss.MOVED
    if status == Status.WAITLISTED:
        return Loss.WAITS
    return Loss.NONE if arrived else Loss.ARRIVAL


def fate(bill: BillNow, loss: Loss, *, left: timedelta, rules: Rules) -> Fate:
    """What becomes of an issued bill.

    Nothing paid: it is void. Paid: all of it back where the hospital took the place, or where somebody cancelled
    early enough; a share of it later. What is not given back stays paid, and nothing stays due.

    Args:
        left: from now to the begin of the slot; below zero once it has begun.
    """
    if loss == Loss.NONE or (bill.total > 0 and not bill.left and not bill.paid):
        return Fate(Deed.KEEP)
    if not bill.paid:
        return _unpaid(bill, loss)
    if _stays(bill, loss, rules):
        return Fate(Deed.KEEP)
    if loss != Loss.PERSON:
        return _back(bill, bill.paid, Why.HOSPITAL)
    if left >= timedelta(hours=rules.refund_full_hours):
        return _back(bill, bill.paid, Why.IN_TIME)
    return _back(bill, rounded(bill.paid * rules.refund_later_percent / HUNDRED), Why.LATE)


def _unpaid(bill: BillNow, loss: Loss) -> Fate:
    gone = loss in ENDED or loss in (Loss.PATIENT, Loss.SENT_ON)
    if bill.priority_only and not gone and (loss != Loss.WAITS or bill.offered):
        return Fate(Deed.KEEP)
    return Fate(Deed.VOID, why=Why.NOTHING_PAID)


def _stays(bill: BillNow, loss: Loss, rules: Rules) -> bool:
    """Whether what was paid is kept for the place that is there, or may come."""
    if bill.priority_only:  # it goes along with who is sent on, but a token that is over owes nothing
        return loss not in ENDED and loss != Loss.PATIENT and not (loss == Loss.SENT_ON and bill.due > 0)
    if loss == Loss.WAITS:  # a part-paid bill would leave something due, and who waits owes nothing
        return rules.when_displaced == KEEP and bill.due <= 0
    return loss == Loss.ARRIVAL


def _back(bill: BillNow, back: Decimal, why: Why) -> Fate:
    back = max(back, bill.paid - bill.left)  # what a credit note took off before goes back in any case
    credit = bill.left - (bill.paid - back)
    return Fate(Deed.CREDIT if credit else Deed.KEEP, credit, back, why)
