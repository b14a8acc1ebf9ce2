"""Reads for screens and answers, each with a known number of queries."""

from billing.queries.accounts import advance_balance, statement
from billing.queries.bills import bill_in_full, bills_of, counts_of_day, find_bills, get_bill, of_item
from billing.queries.ledger import has_money
from billing.queries.payments import get_payment, get_receipt, payments_of, receipt_in_full, refunds_of
from billing.queries.prices import price_list, tax_rates
from billing.queries.shifts import current_shift, free_drawers, get_shift, movements_of, shift_report, shifts_of

__all__ = [
    "advance_balance",
    "bill_in_full",
    "bills_of",
    "counts_of_day",
    "current_shift",
    "find_bills",
    "free_drawers",
    "get_bill",
    "get_payment",
    "get_receipt",
    "get_shift",
    "has_money",
    "movements_of",
    "of_item",
    "payments_of",
    "price_list",
    "receipt_in_full",
    "refunds_of",
    "shift_report",
    "shifts_of",
    "statement",
    "tax_rates",
]
