"""What a day's money is in the ledger, for many rows at once: the same entries that `billing.ledger` makes one by one.

The nightly proof holds both to the same: what is written here and does not agree is found by it.
"""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal

from billing.ledger import Account
from billing.rules import ZERO
from billing.states import AccountKind, LedgerKind, Method
from reception.history.records import Books, Owing, Posted, Till

RECEIVABLE = Account(AccountKind.RECEIVABLE)
ADVANCE = Account(AccountKind.ADVANCE)
SAFE = Account(AccountKind.SAFE)
DIFFERENCE = Account(AccountKind.DIFFERENCE)
TAX = Account(AccountKind.TAX)

Entry = tuple[Account, Decimal, int | None, int | None]


def _post(
    books: Books,
    kind: LedgerKind,
    entries: Iterable[Entry],
    *,
    on: date,
    at: datetime,
    by: int | None,
    bill: int | None = None,
    payment: int | None = None,
    refund: int | None = None,
    note: int | None = None,
    shift: int | None = None,
) -> None:
    """Entries of the same account, bill and patient become one; a transaction of nothing is none."""
    summed: dict[tuple[Account, int | None, int | None], Decimal] = {}
    for account, amount, of_bill, of_patient in entries:
        key = (account, of_bill, of_patient)
        summed[key] = summed.get(key, ZERO) + amount
    kept: Posted = [(account, amount, b, p) for (account, b, p), amount in summed.items() if amount]
    if kept:
        books.posted.append(((kind.value, on, at, by, bill, payment, refund, note, shift), kept))


def issue(bill: Owing) -> list[Entry]:
    """Entries of a bill that is issued."""
    entries: list[Entry] = [(RECEIVABLE, bill.sums.total, bill.id, None)]
    for _, line, sums in bill.each():
        entries += [
            (Account(AccountKind.DISCOUNT, line.department_id), sums.discount, None, None),
            (Account(AccountKind.REVENUE, line.department_id), -(sums.total - sums.tax + sums.discount), None, None),
            (TAX, -sums.tax, None, None),
        ]
    return entries


def post_issue(books: Books, bill: Owing) -> None:
    """A bill was issued."""
    _post(books, LedgerKind.ISSUE, issue(bill), on=bill.date, at=bill.issued_at, by=bill.by, bill=bill.id)


def post_void(books: Books, bill: Owing, *, on: date, at: datetime, by: int | None) -> None:
    """A bill to which nothing but its issue was posted is void."""
    back = [(account, -amount, b, p) for account, amount, b, p in issue(bill)]
    _post(books, LedgerKind.VOID, back, on=on, at=at, by=by, bill=bill.id)


def post_credit(
    books: Books,
    bill: Owing,
    note: int,
    shares: Iterable[tuple[int | None, Decimal, Decimal]],
    *,
    on: date,
    at: datetime,
    by: int | None,
) -> None:
    """A credit note; `shares` are department, amount and the tax in it."""
    entries: list[Entry] = []
    for department, amount, tax in shares:
        entries += [
            (RECEIVABLE, -amount, bill.id, None),
            (Account(AccountKind.REFUND, department), amount - tax, None, None),
            (TAX, tax, None, None),
        ]
    _post(books, LedgerKind.CREDIT, entries, on=on, at=at, by=by, bill=bill.id, note=note)


def post_payment(
    books: Books,
    payment: int,
    method: Method,
    amount: Decimal,
    till: Till,
    *,
    bill: int | None,
    patient: int,
    at: datetime,
) -> None:
    """Money came in for a bill, or onto the patient's account."""
    claim: Entry = (RECEIVABLE, -amount, bill, None) if bill else (ADVANCE, -amount, None, patient)
    entries = [_way(method, amount, till, patient), claim]
    _post(
        books, LedgerKind.PAYMENT, entries, on=till.date, at=at, by=till.cashier_id, bill=bill, payment=payment,
        shift=till.id,
    )  # fmt: skip


def post_refund(
    books: Books,
    refund: int,
    method: Method,
    amount: Decimal,
    till: Till,
    *,
    bill: int | None,
    patient: int,
    at: datetime,
) -> None:
    """Money went back, of a bill or from the patient's account."""
    claim: Entry = (RECEIVABLE, amount, bill, None) if bill else (ADVANCE, amount, None, patient)
    entries = [claim, _way(method, -amount, till, patient)]
    _post(
        books, LedgerKind.REFUND, entries, on=till.date, at=at, by=till.cashier_id, bill=bill, refund=refund,
        shift=till.id,
    )  # fmt: skip


def post_shift(books: Books, till: Till) -> None:
    """A float came out of the safe, and at the close what was counted went into it."""
    drawer = Account(AccountKind.CASH, till.drawer_id)
    begun: list[Entry] = [(drawer, till.float_amount, None, None), (SAFE, -till.float_amount, None, None)]
    _post(books, LedgerKind.FLOAT, begun, on=till.date, at=till.opens, by=till.cashier_id, shift=till.id)
    ended: list[Entry] = [
        (SAFE, till.counted, None, None),
        (drawer, -till.cash, None, None),
        (DIFFERENCE, till.cash - till.counted, None, None),
    ]
    _post(books, LedgerKind.CLOSE, ended, on=till.date, at=till.closes, by=till.cashier_id, shift=till.id)


def _way(method: Method, amount: Decimal, till: Till, patient: int) -> Entry:
    if method == Method.ACCOUNT:
        return (ADVANCE, amount, None, patient)
    if method == Method.CASH:
        return (Account(AccountKind.CASH, till.drawer_id), amount, None, None)
    return (Account(AccountKind.BANK, method.value), amount, None, None)
