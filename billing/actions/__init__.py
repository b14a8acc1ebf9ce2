"""Everything that moves money: one function a verb, keyword-only, the actor named.

They work inside the transaction that the caller opened (`common.transactions.outermost`).
"""

from billing.actions.bills import change_draft, create_bill, credit_bill, issue_bill, void_bill
from billing.actions.movements import move_cash
from billing.actions.payments import pay, take_advance
from billing.actions.receipts import print_receipt
from billing.actions.refunds import give_back, refund_advance, refund_payment
from billing.actions.shifts import close_shift, open_shift

__all__ = [
    "change_draft",
    "close_shift",
    "create_bill",
    "credit_bill",
    "give_back",
    "issue_bill",
    "move_cash",
    "open_shift",
    "pay",
    "print_receipt",
    "refund_advance",
    "refund_payment",
    "take_advance",
    "void_bill",
]
