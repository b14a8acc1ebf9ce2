"""Everything that moves money: one function a verb, keyword-only, the actor named.

They work inside the transaction that the caller opened (`common.transactions.outermost`).
"""

from billing.actions.bills import change_draft, create_bill, credit_bill, issue_bill, void_bill

__all__ = [
    "change_draft",
    "create_bill",
    "credit_bill",
    "issue_bill",
    "void_bill",
]
