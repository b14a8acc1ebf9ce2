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
    """A token whose bills may have to change: how it ended, and whether it waited before."""

    token_id: int
    reason: str = ""
    waited: bool = False


@dataclass(frozen=True, slots=True)
class Becomes:
    """A bill and its fate. `frees`: it was the consultation bill in force, and is so no more."""

    token: TokenMoney
    bill: BillOf
    fate: Fate
    frees: bool


def changes(touched: Iterable[Touched]) -> list[Change]:
    """Those among the touched tokens that may concern money, told from what is in memory."""
    return [Change(t.after.id, t.reason, t.was("status") == Status.WAITLISTED) for t in touched if _concerns(t)]


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
    """How the token lost what its consultation bill is for, if it did."""
    return loss_of(
        status=token.status,
        arrived=token.arrived,
        reason=change.reason,
        waited=change.waited,
        moved=token.moved,
        other=token.other_patient,
    )


def fates(token: TokenMoney, how: Loss, at: datetime) -> list[Becomes]:
    """What becomes of the consultation bill in force and of the bills for priority alone.

    Args:
        at: the moment of the decision.
    """
    left = token.left(at)
    ends = how not in (Loss.NONE, Loss.ARRIVAL, Loss.WAITS)
    found = []
    for bill in [*([token.live] if token.live else []), *token.alone]:
        what = fate(bill.now(offered=not token.paid), how, left=left, rules=token.rules)
        live = bill.id == token.live_id
        found.append(Becomes(token, bill, what, frees=live and (ends or what.deed != Deed.KEEP)))
    return found
