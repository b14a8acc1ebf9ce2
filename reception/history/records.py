"""What one day of the past leaves behind: rows by table, and the bills that later days may still pay."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from billing.ledger import Account
from billing.rules import ZERO, LineIn, LineSum, Totals, status_of
from billing.states import Method

Row = tuple[Any, ...]


@dataclass(slots=True)
class Till:
    """A cashier's shift at a drawer, on one day.

    Attributes:
        cash: what lies in the drawer by now.
    """

    id: int
    cashier_id: int
    drawer_id: int
    number: int
    date: date
    opens: datetime
    closes: datetime
    float_amount: Decimal
    cash: Decimal
    counted: Decimal = ZERO
    counts: dict[str, int] = field(default_factory=dict)
    reason: str = ""


@dataclass(slots=True)
class Paid:
    """A payment, as far as it may still be given back."""

    id: int
    method: Method
    amount: Decimal
    bill_id: int | None
    patient_id: int
    refunded: Decimal = ZERO


@dataclass(slots=True)
class Owing:
    """A bill that is issued, as it stands by now."""

    id: int
    patient_id: int
    number: str
    about: str
    billable_type: str
    billable_id: int | None
    lines: list[LineIn]
    sums: Totals
    line_ids: list[int]
    issued_at: datetime
    date: date
    by: int | None
    paid: Decimal = ZERO
    credited: Decimal = ZERO
    version: int = 2
    voided_at: datetime | None = None
    void_reason: str = ""
    payments: list[Paid] = field(default_factory=list)
    token_id: int | None = None

    @property
    def due(self) -> Decimal:
        """What is still asked for; below zero: to be given back."""
        return self.sums.total - self.credited - self.paid

    @property
    def status(self) -> str:
        """As the table says it."""
        if self.voided_at is not None:
            return "void"
        return status_of(total=self.sums.total, credited=self.credited, paid=self.paid)

    def each(self) -> Iterator[tuple[int, LineIn, LineSum]]:
        """Its lines: id, what it was asked for, and what it came to."""
        return zip(self.line_ids, self.lines, self.sums.lines, strict=True)


Posted = list[tuple[Account, Decimal, int | None, int | None]]
"""Entries of a transaction: account, amount, whose bill, whose advance."""


@dataclass
class Books:
    """The rows of a day, by table, in the order in which they came about.

    Attributes:
        bills: those that were issued on the day.
        touched: those of earlier days that were paid, credited or void on it, by their ids.
        refunded: payments of earlier days of which something was given back, by their ids.
        tills: the day's shifts.
        posted: for each row of the ledger's transactions its entries.
    """

    rows: dict[str, list[Row]] = field(default_factory=dict)
    bills: list[Owing] = field(default_factory=list)
    touched: dict[int, Owing] = field(default_factory=dict)
    refunded: dict[int, Paid] = field(default_factory=dict)
    tills: list[Till] = field(default_factory=list)
    posted: list[tuple[Row, Posted]] = field(default_factory=list)
    visits: int = 0

    def add(self, table: str, *row: Row) -> None:
        """Add rows of a table."""
        self.rows.setdefault(table, []).extend(row)

    def take(self, table: str, rows: Iterable[Row]) -> None:
        """Add many."""
        self.rows.setdefault(table, []).extend(rows)

    def count(self, table: str) -> int:
        """How many rows a table gets."""
        return len(self.rows.get(table, ()))
