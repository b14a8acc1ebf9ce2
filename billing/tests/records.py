"""The records of the model in `naive.py`: bills, payments, shifts, tenders. Amounts are whole cents."""

from dataclasses import dataclass
from datetime import date

from billing.tests.cents import Ln

CASH, ACCOUNT = "cash", "account"


@dataclass
class B:
    """A bill."""

    id: int
    facility: int
    patient: int
    lines: list[Ln]
    number: str = ""
    paid: int = 0
    void: bool = False

    @property
    def total(self) -> int:
        return sum(line.total for line in self.lines)

    @property
    def credited(self) -> int:
        return sum(line.credited for line in self.lines)

    @property
    def due(self) -> int:
        return self.total - self.credited - self.paid

    @property
    def status(self) -> str:
        if self.void:
            return "void"
        if not self.number:
            return "draft"
        if self.due <= 0:
            return "paid"
        return "part_paid" if self.paid else "open"


@dataclass
class P:
    """A payment: for a bill, or without one onto the patient's account."""

    id: int
    facility: int
    patient: int
    bill: int | None
    method: str
    amount: int
    reference: str = ""
    shift: int | None = None
    receipt: str = ""
    refunded: int = 0
    moved: int = 0
    paid_out: int = 0

    @property
    def left(self) -> int:
        return self.amount - self.refunded

    @property
    def on_account(self) -> int:
        """What it brought onto the patient's account, by itself or when it was given back, and was not paid out."""
        if self.bill is None:
            return self.left
        return self.moved - self.paid_out if self.method != ACCOUNT else 0


@dataclass
class S:
    """A shift: what goes through its drawer."""

    id: int
    facility: int
    drawer: int
    cashier: int
    day: date
    number: int
    start: int
    cash: int = 0
    moved: int = 0
    counted: int | None = None
    expected: int | None = None

    @property
    def holds(self) -> int:
        return self.start + self.cash + self.moved


@dataclass
class M:
    """Cash that was carried into a drawer or out of it."""

    number: str
    shift: int
    kind: str
    amount: int
    reason: str


@dataclass
class Tender:
    """Money that is offered for a bill."""

    method: str
    amount: int
    reference: str = ""
