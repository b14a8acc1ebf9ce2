"""What a change of a bill means for the tokens that it is about."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from django.db import connection
from django.utils.translation import gettext_noop as _

from accounts.models import User
from accounts.permissions import allows
from billing.changes import BillChange, tell
from billing.crediting import write_credit
from billing.models import Bill, BillingSettings
from billing.states import BillStatus
from common.amounts import said
from common.errors import BadInput
from reception.errors import PriorityInUse, PriorityNotSold, PriorityTooCheap
from reception.money.fees import PRIORITY
from reception.money.visits import release
from tokens import allocation, live
from tokens.states import ACTIVE

NO_SESSION: Final = 0
"""What screens of the facility hear where money moved that no session shows."""

WITHDRAWN: Final = "Priority is not given"
"""Why the rest of a bill for priority is not asked for."""

_TOKENS: Final = """
    SELECT t.id, t.number, t.session_id, t.paid, t.status, l.item_type,
           coalesce((SELECT sum(c.amount) FROM billing_creditline c WHERE c.line_id = l.id), 0)
      FROM billing_line l JOIN tokens_token t ON t.id = l.item_id
     WHERE l.bill_id = %s AND l.item_type IN ('consultation', 'priority')
     ORDER BY t.id"""

# Lines about tokens, with what is wrong about them: the token is not there, not here, or of somebody else.
_LINES: Final = """
    SELECT l.item_type, l.gross, coalesce(s.facility_id = b.facility_id
               AND coalesce(of_token.merged_into_id, of_token.id) = coalesce(of_bill.merged_into_id, of_bill.id), false)
      FROM billing_line l
      JOIN billing_bill b ON b.id = l.bill_id
      JOIN patients_patient of_bill ON of_bill.id = b.patient_id
      LEFT JOIN tokens_token t ON t.id = l.item_id
      LEFT JOIN scheduling_session s ON s.id = t.session_id
      LEFT JOIN patients_patient of_token ON of_token.id = t.patient_id
     WHERE l.bill_id = %s AND l.item_type IN ('consultation', 'priority') AND l.item_id IS NOT NULL"""


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
        """Whether the line is for priority that the token gets once it is paid for, not taken off instead."""
        return self.line == PRIORITY and not self.paid and not self.credited and self.status in ACTIVE


def tokens_of(bill: Bill) -> list[TokenOfBill]:
    """The tokens that lines of the bill are about. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_TOKENS, (bill.pk,))
        return [TokenOfBill(*row) for row in cursor.fetchall()]


def follow(change: BillChange) -> None:
    """Who has paid for priority gets it at once; while it is used its fee stays paid; screens are told.

    Of priority that is not given any more nothing stays due.

    Raises:
        BadInput: 400, the bill is about a token that is not its patient's.
        PriorityNotSold, PriorityTooCheap, PriorityInUse: 409.
    """
    if change.kind == "issued":
        _refuse_forged(change.bill)
    tokens = tokens_of(change.bill)
    if change.kind == "paid" and change.bill.status == BillStatus.PAID:
        for token in tokens:
            if token.gets_priority:
                allocation.mark_paid(token_id=token.id, by=_may_mark(change), at=change.at)
    elif change.kind in ("credited", "refunded"):
        _refuse_in_use(change, tokens)
        if not change.more:
            _withdraw(change, tokens)
    elif change.kind == "voided":
        release(change.bill.pk)
    session_ids = {token.session_id for token in tokens} or {NO_SESSION}
    live.announce(change.bill.facility_id, session_ids)


def _refuse_forged(bill: Bill) -> None:
    """Let pass lines about the patient's own tokens; what is paid for priority is its price, before any discount."""
    with connection.cursor() as cursor:
        cursor.execute(_LINES, (bill.pk,))
        lines = cursor.fetchall()
    if not all(own for *_line, own in lines):
        raise BadInput(_("A line is about a token that is not this patient's."), attr="lines")
    asked = [gross for kind, gross, _own in lines if kind == PRIORITY]
    if asked:
        fee = BillingSettings.objects.filter(pk=bill.facility_id).values_list("priority_fee", flat=True).first()
        if not fee:
            raise PriorityNotSold
        if min(asked) < fee:
            raise PriorityTooCheap(fee=said(fee, bill.currency))


def _may_mark(change: BillChange) -> User | None:
    """Who marks the token as paid: the cashier where the role says so, else the clinic itself."""
    by = change.by
    return by if by is not None and allows(by, "tokens.mark_paid", change.bill.facility_id) else None


def _refuse_in_use(change: BillChange, tokens: list[TokenOfBill]) -> None:
    """The fee of a priority is not taken off, nor given back, while the token stands in the queue with it."""
    for token in tokens:
        if token.uses_priority and (token.credited if change.kind == "credited" else change.bill.due > 0):
            raise PriorityInUse(number=token.number)


def _withdraw(change: BillChange, tokens: list[TokenOfBill]) -> None:
    """Take off a bill for priority alone what it still asks for, once a credit note stands on it.

    Such a bill gives no priority any more (`gets_priority`), and who wants it after all pays the fee anew: nobody is to
    be asked for both.
    """
    bill = change.bill
    if bill.due <= 0 or not bill.credited or not tokens or any(token.paid for token in tokens):
        return
    if bill.lines.exclude(item_type=PRIORITY).exists():
        return
    write_credit(bill, amount=bill.due, reason=WITHDRAWN, by=None, at=change.at)
    tell(BillChange(bill, "credited", None, change.at))
