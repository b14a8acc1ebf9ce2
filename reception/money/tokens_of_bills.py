"""What a change of a bill means for the tokens that it is about."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from django.db import connection

from accounts.models import User
from accounts.permissions import allows
from billing.changes import BillChange
from billing.models import Bill
from billing.states import BillStatus
from reception.errors import PriorityInUse
from reception.money.fees import PRIORITY
from reception.money.visits import release
from tokens import allocation, live
from tokens.states import ACTIVE

NO_SESSION: Final = 0
"""What screens of the facility hear where money moved that no session shows."""

_TOKENS: Final = """
    SELECT t.id, t.number, t.session_id, t.paid, t.status, l.item_type,
           coalesce((SELECT sum(c.amount) FROM billing_creditline c WHERE c.line_id = l.id), 0)
      FROM billing_line l JOIN tokens_token t ON t.id = l.item_id
     WHERE l.bill_id = %s AND l.item_type IN ('consultation', 'priority')
     ORDER BY t.id"""


@dataclass(frozen=True, slots=True)
class TokenOfBill:
    """A token that a line of a bill is about, and what was taken off that line."""

    id: int
    number: str
    session_id: int
    paid: bool
    status: str
    line: str
    credited: Decimal

    @property
    def uses_priority(self) -> bool:
        """Whether the line is for priority that the token has and may still gain from."""
        return self.line == PRIORITY and self.paid and self.status in ACTIVE

    @property
    def gets_priority(self) -> bool:
        """Whether the line is for priority that the token gets once it is paid for."""
        return self.line == PRIORITY and not self.paid and self.status in ACTIVE


def tokens_of(bill: Bill) -> list[TokenOfBill]:
    """The tokens that lines of the bill are about. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_TOKENS, (bill.pk,))
        return [TokenOfBill(*row) for row in cursor.fetchall()]


def follow(change: BillChange) -> None:
    """Who has paid for priority gets it at once; while it is used its fee stays paid; screens are told.

    Raises:
        PriorityInUse: 409.
    """
    tokens = tokens_of(change.bill)
    if change.kind == "paid" and change.bill.status == BillStatus.PAID:
        for token in tokens:
            if token.gets_priority:
                allocation.mark_paid(token_id=token.id, by=_may_mark(change), at=change.at)
    elif change.kind in ("credited", "refunded"):
        _refuse_in_use(change, tokens)
    elif change.kind == "voided":
        release(change.bill.pk)
    session_ids = {token.session_id for token in tokens} or {NO_SESSION}
    live.announce(change.bill.facility_id, session_ids)


def _may_mark(change: BillChange) -> User | None:
    """Who marks the token as paid: the cashier where the role says so, else the clinic itself."""
    by = change.by
    return by if by is not None and allows(by, "tokens.mark_paid", change.bill.facility_id) else None


def _refuse_in_use(change: BillChange, tokens: list[TokenOfBill]) -> None:
    """The fee of a priority is not taken off, nor given back, while the token stands in the queue with it."""
    for token in tokens:
        if token.uses_priority and (token.credited if change.kind == "credited" else change.bill.due > 0):
            raise PriorityInUse(number=token.number)
