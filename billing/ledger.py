"""Double entry: what each movement of money and each claim is in the ledger.

Debit is above zero, credit below; the entries of a transaction sum to zero, which the database checks at the commit.
Accounts are made when they are first needed. Balances are never stored.

========  ===================================================  ====================================================
what      debit                                                credit
========  ===================================================  ====================================================
issue     receivable (of the bill), discounts by department    revenue by department, tax
credit    refunds by department, tax                           receivable (of the bill)
void      everything that issue and credits posted, reversed
payment   cash of the drawer | bank | advance (of the patient) receivable (of the bill) | advance (of the patient)
refund    receivable (of the bill) | advance (of the patient)  cash of the drawer | bank | advance (of the patient)
float     cash of the drawer                                   safe
movement  safe | petty cash, where cash goes out               cash of the drawer; where cash comes in, reversed
close     safe, difference where cash is missing               cash of the drawer, difference where there is more
========  ===================================================  ====================================================
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from django.db.models import Sum

from accounts.models import User
from billing.models import (
    Bill,
    CashMovement,
    CreditLine,
    CreditNote,
    Drawer,
    LedgerAccount,
    LedgerEntry,
    LedgerTransaction,
    Line,
    Payment,
    Refund,
    Shift,
)
from billing.states import PETTY, AccountKind, LedgerKind, Method
from scheduling.models import Department

_BY_DEPARTMENT: Final = (AccountKind.REVENUE, AccountKind.DISCOUNT, AccountKind.REFUND)


@dataclass(frozen=True, slots=True)
class Account:
    """An account by what it is for; `code` is its name within the facility."""

    kind: AccountKind
    of: int | str | None = None

    @property
    def code(self) -> str:
        """Such as cash:3, bank:upi, revenue:7, receivable."""
        return f"{self.kind.value}:{self.of}" if self.of is not None else self.kind.value


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a transaction to be: debit above zero, credit below."""

    account: Account
    amount: Decimal
    bill_id: int | None = None
    patient_id: int | None = None


def receivable(bill_id: int, amount: Decimal) -> Entry:
    """What a bill asks for."""
    return Entry(Account(AccountKind.RECEIVABLE), amount, bill_id=bill_id)


def advance(patient_id: int, amount: Decimal) -> Entry:
    """What a patient has with the hospital: credit where it grows."""
    return Entry(Account(AccountKind.ADVANCE), amount, patient_id=patient_id)


@dataclass(frozen=True, slots=True)
class Posting:
    """A transaction to be, with what it stands for (`facts` are fields of `LedgerTransaction`)."""

    kind: LedgerKind
    facility_id: int
    entries: Sequence[Entry]
    facts: dict[str, Any]


def post_issue(*, bill: Bill, lines: Sequence[Line], by: User | None, at: dt.datetime, date: dt.date) -> None:
    """Post that a bill was issued. A bill on which nothing was ever asked for has no posting."""
    entries = [receivable(bill.pk, bill.total)]
    for line in lines:
        entries += [
            Entry(Account(AccountKind.DISCOUNT, line.department_id), line.discount),
            Entry(Account(AccountKind.REVENUE, line.department_id), -(line.total - line.tax + line.discount)),
            Entry(Account(AccountKind.TAX), -line.tax),
        ]
    _post([Posting(LedgerKind.ISSUE, bill.facility_id, entries, {"by": by, "at": at, "date": date, "bill": bill})])


def post_credit(*, note: CreditNote, lines: Sequence[CreditLine]) -> None:
    """Post a credit note; the lines bring their bill's lines along (`line`)."""
    entries = [receivable(note.bill_id, -note.amount)]
    for each in lines:
        entries += [
            Entry(Account(AccountKind.REFUND, each.line.department_id), each.amount - each.tax),
            Entry(Account(AccountKind.TAX), each.tax),
        ]
    facts = {"by": note.by, "at": note.at, "date": note.date, "bill_id": note.bill_id, "credit_note": note}
    _post([Posting(LedgerKind.CREDIT, note.facility_id, entries, facts)])


def post_void(*, bill: Bill, by: User | None, at: dt.datetime, date: dt.date) -> None:
    """Post that an issued bill was taken back: whatever its issue and its credit notes posted, reversed."""
    posted = (
        LedgerEntry.objects.filter(transaction__bill=bill, transaction__kind__in=[LedgerKind.ISSUE, LedgerKind.CREDIT])
        .values_list("account_id", "bill_id", "patient_id")
        .annotate(amount=Sum("amount"))
        .order_by("account_id")
    )
    rows = [
        LedgerEntry(account_id=account, bill_id=of_bill, patient_id=patient, amount=-amount)
        for account, of_bill, patient, amount in posted
        if amount
    ]
    if rows:
        void = LedgerTransaction(facility_id=bill.facility_id, kind=LedgerKind.VOID, by=by, at=at, date=date, bill=bill)
        _write([(void, rows)])


def post_payments(payments: Sequence[Payment]) -> None:
    """Post money that came in, each payment onto its bill or else onto the patient's account."""
    _post(
        Posting(
            LedgerKind.PAYMENT,
            one.facility_id,
            [
                _way(one.method, one.shift, one.patient_id, one.amount),
                _claim(one.bill_id, one.patient_id, -one.amount),
            ],
            _facts(one) | {"payment": one},
        )
        for one in payments
    )


def post_refunds(refunds: Sequence[Refund]) -> None:
    """Post money that went back, by its own method or onto the patient's account; they bring their payments along."""
    _post(
        Posting(
            LedgerKind.REFUND,
            one.facility_id,
            [
                _claim(one.bill_id, one.payment.patient_id, one.amount),
                _way(one.method, one.shift, one.payment.patient_id, -one.amount),
            ],
            _facts(one) | {"refund": one},
        )
        for one in refunds
    )


def post_float(*, shift: Shift, by: User | None, at: dt.datetime) -> None:
    """Post what lay in the drawer at the start: it came out of the safe."""
    drawer = Account(AccountKind.CASH, shift.drawer_id)
    entries = [Entry(drawer, shift.float_amount), Entry(Account(AccountKind.SAFE), -shift.float_amount)]
    facts = {"by": by, "at": at, "date": shift.date, "shift": shift}
    _post([Posting(LedgerKind.FLOAT, shift.facility_id, entries, facts)])


def post_movement(moved: CashMovement) -> None:
    """Post cash that went from the drawer to the safe or was spent, or came back from there."""
    other = Account(AccountKind.PETTY if moved.kind in PETTY else AccountKind.SAFE)
    entries = [Entry(Account(AccountKind.CASH, moved.shift.drawer_id), moved.added), Entry(other, -moved.added)]
    facts = {"by_id": moved.by_id, "at": moved.at, "date": moved.date, "shift": moved.shift, "movement": moved}
    _post([Posting(LedgerKind.MOVEMENT, moved.facility_id, entries, facts)])


def post_close(*, shift: Shift, by: User | None, at: dt.datetime) -> None:
    """Post that what was counted went into the safe: the drawer is empty, and what does not agree stands apart."""
    assert shift.counted is not None
    assert shift.expected is not None
    entries = [
        Entry(Account(AccountKind.SAFE), shift.counted),
        Entry(Account(AccountKind.CASH, shift.drawer_id), -shift.expected),
        Entry(Account(AccountKind.DIFFERENCE), shift.expected - shift.counted),
    ]
    facts = {"by": by, "at": at, "date": shift.facility.local_date(at), "shift": shift}
    _post([Posting(LedgerKind.CLOSE, shift.facility_id, entries, facts)])


def _facts(moved: Payment | Refund) -> dict[str, Any]:
    facts = ("by_id", "at", "date", "bill_id", "shift_id")
    return {name: getattr(moved, name) for name in facts}


def _claim(bill_id: int | None, patient_id: int, amount: Decimal) -> Entry:
    return receivable(bill_id, amount) if bill_id is not None else advance(patient_id, amount)


def _way(method: str, shift: Shift | None, patient_id: int, amount: Decimal) -> Entry:
    if method == Method.ACCOUNT:
        return advance(patient_id, amount)
    if method == Method.CASH:
        assert shift is not None  # the database keeps it: cash moves in a shift
        return Entry(Account(AccountKind.CASH, shift.drawer_id), amount)
    return Entry(Account(AccountKind.BANK, method), amount)


def _post(postings: Iterable[Posting]) -> None:
    """Write transactions, all of one facility. What has nothing to enter is not written."""
    summed = [(one, _summed(one.entries)) for one in postings]
    kept = [(one, entries) for one, entries in summed if entries]
    if not kept:
        return
    ids = accounts(kept[0][0].facility_id, {entry.account for _, entries in kept for entry in entries})
    _write(
        [
            (
                LedgerTransaction(facility_id=one.facility_id, kind=one.kind, **one.facts),
                [
                    LedgerEntry(
                        account_id=ids[entry.account.code],
                        amount=entry.amount,
                        bill_id=entry.bill_id,
                        patient_id=entry.patient_id,
                    )
                    for entry in entries
                ],
            )
            for one, entries in kept
        ]
    )


def _summed(entries: Iterable[Entry]) -> list[Entry]:
    """Entries on the same account for the same bill and patient become one; those of zero are left out."""
    sums: dict[tuple[Account, int | None, int | None], Decimal] = {}
    for entry in entries:
        key = (entry.account, entry.bill_id, entry.patient_id)
        sums[key] = sums.get(key, Decimal(0)) + entry.amount
    return [Entry(account, amount, bill, patient) for (account, bill, patient), amount in sums.items() if amount]


def _write(transactions: Sequence[tuple[LedgerTransaction, Sequence[LedgerEntry]]]) -> None:
    """Two inserts, however many there are."""
    LedgerTransaction.objects.bulk_create(transaction for transaction, _ in transactions)
    for transaction, rows in transactions:
        for row in rows:
            row.transaction = transaction
    LedgerEntry.objects.bulk_create(row for _, rows in transactions for row in rows)


def accounts(facility_id: int, wanted: set[Account]) -> dict[str, int]:
    """The ids of accounts by their codes; those that are missing are made."""
    codes = sorted(account.code for account in wanted)
    held = LedgerAccount.objects.filter(facility_id=facility_id, code__in=codes)
    ids = dict(held.values_list("code", "pk"))
    missing = [account for account in wanted if account.code not in ids]
    if missing:
        # Somebody else may make the same at this moment: sorted, so that two who do wait and never deadlock.
        rows = sorted((_new(facility_id, account) for account in missing), key=lambda row: row.code)
        LedgerAccount.objects.bulk_create(rows, ignore_conflicts=True)
        ids = dict(held.values_list("code", "pk"))
    return ids


def _new(facility_id: int, account: Account) -> LedgerAccount:
    name = str(account.kind.label)
    row = LedgerAccount(facility_id=facility_id, kind=account.kind, code=account.code)
    if account.kind in _BY_DEPARTMENT and account.of is not None:
        row.department = Department.objects.get(pk=account.of)
        name = f"{name}: {row.department.name}"
    elif account.kind == AccountKind.CASH and account.of is not None:
        row.drawer = Drawer.objects.get(pk=account.of)
        name = f"{name}: {row.drawer.name}"
    elif account.kind == AccountKind.BANK:
        name = f"{name}: {Method(str(account.of)).label}"
    row.name = name
    return row
