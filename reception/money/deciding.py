"""What an action of the engine means for bills: which tokens it concerns, and what becomes of each. No writes."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from reception.money.reading import BillOf, TokenMoney
from reception.money.refund_rules import Deed, Fate, Loss, fate, loss_of, owes
from tokens.outcome import Touched
from tokens.states import Status

_OVER = (Status.CANCELLED, Status.NO_SHOW)


@dataclass(frozen=True, slots=True)
class Change:
    """A token whose bills may have to change: how it ended, and whether it waited, or was over, before."""

    token_id: int
    reason: str = ""
    waited: bool = False
    over: bool = False


@dataclass(frozen=True, slots=True)
class Becomes:
    """A bill, how what it is for was lost, and its fate. `frees`: it is the consultation bill in force no more."""

    token: TokenMoney
    bill: BillOf
    loss: Loss
    fate: Fate
    frees: bool


def changes(touched: Iterable[Touched]) -> list[Change]:
    """Those among the touched tokens that may concern money, told from what is in memory."""
    return [
        Change(
            t.after.id,
            t.reason,
            t.was("status") == Status.WAITLISTED,
            t.was("status") in _OVER and t.before is not None,
        )
        for t in touched
        if _concerns(t)
    ]


def _concerns(touched: Touched) -> bool:
    token = touched.after
    now = owes(token.status, arrived=token.arrived_at is not None)
    if touched.before is None:
        return now
    before = owes(touched.was("status"), arrived=touched.was("arrived_at") is not None)
    if now != before or "patient_id" in touched.before:
        return True
    if now:
        return "session_id" in touched.before or "paid" in touched.before
    return token.status in _OVER and touched.was("status") not in _OVER


def loss(token: TokenMoney, change: Change) -> Loss:
    """How the token lost what its bills are for, if it did; it does so once."""
    if change.over and token.status in _OVER:
        return Loss.NONE
    return loss_of(
        status=token.status,
        arrived=token.arrived,
        reason=change.reason,
        waited=change.waited,
        moved=token.moved,
        other=token.other_patient,
    )


def fates(token: TokenMoney, how: Loss, at: datetime) -> list[Becomes]:
    """What becomes of the consultation bill in force, of those for priority alone, and of those of the wrong patient.

    Args:
        at: the moment of the decision.
    """
    left = token.left(at)
    ends = how not in (Loss.NONE, Loss.ARRIVAL, Loss.WAITS)
    foreign = {bill.id: bill for bill in token.foreign}
    found = []
    for bill in {bill.id: bill for bill in (*token.in_use, *foreign.values())}.values():
        why = Loss.PATIENT if bill.id in foreign else how
        what = fate(bill.now(offered=not token.paid), why, left=left, rules=token.rules)
        live = bill.id == token.live_id
        found.append(Becomes(token, bill, why, what, frees=live and (ends or what.deed != Deed.KEEP)))
    return found
