"""What a movement of money means in other apps, which are named in the settings and never imported from here."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from django.conf import settings
from django.utils.module_loading import import_string

from accounts.models import User
from billing.models import Bill, Receipt

Kind = Literal["issued", "voided", "credited", "paid", "refunded"]


@dataclass(frozen=True, slots=True)
class BillChange:
    """What happened to a bill.

    Attributes:
        bill: as it is now, locked; its status and amounts are those after the change.
        kind: what was done. A bill of nothing is "issued" and never "paid": its status says that nothing is due.
        by: who did it; None for the clinic itself.
        receipt: of a payment or refund, without its number yet: numbers are drawn last, when nobody refuses any more.
        more: the same deed changes the bill again at once: what is due on it now is not what will be asked for.
    """

    bill: Bill
    kind: Kind
    by: User | None
    at: dt.datetime
    receipt: Receipt | None = None
    more: bool = False


def tell(change: BillChange) -> None:
    """Let other apps follow, in the same transaction and in order. What one of them refuses does not happen."""
    for follow in _functions(tuple(settings.OPD_BILL_CONSEQUENCES)):
        follow(change)


def moved(facility_id: int) -> None:
    """Let other apps know that a shift or an account changed, though no bill did."""
    for follow in _functions(tuple(settings.OPD_MONEY_MOVED)):
        follow(facility_id)


def lock_before(bill_ids: Sequence[int]) -> None:
    """Let other apps lock what stands before bills in the order of locks."""
    for lock in _functions(tuple(settings.OPD_BILL_LOCKS)):
        lock(bill_ids)


@cache
def _functions(paths: tuple[str, ...]) -> tuple[Callable[[Any], None], ...]:
    return tuple(import_string(path) for path in paths)
