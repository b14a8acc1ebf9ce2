"""What was read for a report: plain records. Pure."""

import datetime as dt
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final


@dataclass(frozen=True, slots=True)
class Counts:
    """Tokens of a date and a source, or of a doctor.

    Attributes:
        tokens: given, whatever became of them.
        seen: their visit is over.
        due: had a place and were to come by now, or came.
        no_show: did not.
        unseen: came and left, or were sent home, without a visit.
    """

    tokens: int
    seen: int
    due: int
    no_show: int
    unseen: int

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(*(getattr(self, name) + getattr(other, name) for name in self.__slots__))


NONE: Final = Counts(0, 0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens counted by date and source, and by doctor."""

    by_source: dict[tuple[dt.date, str], Counts]
    by_doctor: dict[int, Counts]

    @property
    def all(self) -> Counts:
        """All of them."""
        return sum(self.by_source.values(), NONE)

    def of_source(self, source: str) -> Counts:
        """Those of a source."""
        return sum((counts for (_, one), counts in self.by_source.items() if one == source), NONE)

    def of_date(self, date: dt.date) -> Counts:
        """Those of a date."""
        return sum((counts for (one, _), counts in self.by_source.items() if one == date), NONE)

    @property
    def dates(self) -> list[dt.date]:
        """The dates that have any, in order."""
        return sorted({date for date, _ in self.by_source})


@dataclass(frozen=True, slots=True)
class Wait:
    """How long people waited from arrival to the first call, in whole minutes.

    Attributes:
        called: how many.
        low, quarter, half, three_quarters, high: within which one of ten, a quarter, half, three quarters and nine of
            ten were called. Each is a wait that somebody had.
        longest: of all.
        each: all of them, the shortest first; only of a day.
    """

    called: int
    low: int
    quarter: int
    half: int
    three_quarters: int
    high: int
    longest: int
    each: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Waits:
    """Waits of all, by source and by doctor."""

    all: Wait | None
    by_source: dict[str, Wait]
    by_doctor: dict[int, Wait]


SAME_DAY, OTHER_DAY, WAITS, NO_PLACE = "same_day", "other_day", "waits", "no_place"
FATES: Final = (SAME_DAY, OTHER_DAY, WAITS, NO_PLACE)
"""What became of somebody who lost a place: had one again on the day, on another day, waits for one, got none."""


@dataclass(frozen=True, slots=True)
class Displaced:
    """Places that were lost.

    Attributes:
        pairs: how many, by the source of who came and of who lost the place.
        planned: how many the hospital itself took back, by cutting or blocking a slot.
        fates: what became of those of `pairs`.
        planned_fates: of those of `planned`.
    """

    pairs: dict[tuple[str, str], int]
    planned: int
    fates: dict[str, int]
    planned_fates: dict[str, int]

    @property
    def lost(self) -> int:
        """How many places were lost to other people."""
        return sum(self.pairs.values())


@dataclass(frozen=True, slots=True)
class Kept:
    """How estimates of the wait turned out.

    Attributes:
        told: how many there were, of people who went in since.
        before_p50, before_p90: how many of them went in before the first and the second figure.
    """

    told: int
    before_p50: int
    before_p90: int


@dataclass(frozen=True, slots=True)
class Choice:
    """Something a report can be narrowed to."""

    id: int
    name: str
    department_id: int | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """Places of a doctor in a slot, or in all slots that begin in the same hour of the period's days.

    Attributes:
        doctor_id: whose.
        hour: in which it begins on the facility's clock; 24 and more are of the night after.
        start, size: where it begins and how long it is, in hours; of a month the whole hour.
        offered: places; of a blocked slot those that were given before.
        taken: places used, those beyond the capacity among them.
        over: those.
        blocked: nothing was given there any more.
        at: when it begins; only of a day.
    """

    doctor_id: int
    hour: int
    start: float
    size: float
    offered: int
    taken: int
    over: int
    blocked: bool = False
    at: datetime | None = None


# Money


@dataclass(frozen=True, slots=True)
class Taken:
    """Money that moved by one way of paying through the hands of one person, or on one date.

    Attributes:
        payments, refunds: how many.
        paid, given: how much.
    """

    payments: int
    paid: Decimal
    refunds: int
    given: Decimal

    @property
    def net(self) -> Decimal:
        """Taken less given back."""
        return self.paid - self.given

    def __add__(self, other: "Taken") -> "Taken":
        return Taken(*(getattr(self, name) + getattr(other, name) for name in self.__slots__))


ZERO: Final = Decimal("0.00")
NO_MONEY: Final = Taken(0, ZERO, 0, ZERO)


@dataclass(frozen=True, slots=True)
class Takings:
    """Money that came in and went out.

    Attributes:
        moved: by cashier and method, the patient's account left out.
        by_date: all of it by date.
        to_accounts: what came onto patients' accounts less what left them, whatever the way: part of it no bill's yet.
    """

    moved: dict[tuple[str, str], Taken]
    by_date: dict[dt.date, Taken]
    to_accounts: Decimal

    @property
    def all(self) -> Taken:
        """All of it."""
        return sum(self.moved.values(), NO_MONEY)

    def of_method(self, method: str) -> Taken:
        """What moved by one way of paying."""
        return sum((taken for (_, one), taken in self.moved.items() if one == method), NO_MONEY)

    def of_cashier(self, cashier: str) -> Taken:
        """What moved through the hands of one person."""
        return sum((taken for (one, _), taken in self.moved.items() if one == cashier), NO_MONEY)


@dataclass(frozen=True, slots=True)
class Share:
    """What was taken on bills for one department and doctor; no doctor where it is the house's own."""

    department_id: int | None
    doctor_id: int | None
    amount: Decimal


@dataclass(frozen=True, slots=True)
class ShiftLine:
    """A cashier at a drawer. `counted` and `difference` are None while it is open; `cash` is what it took, net.

    `carried` is what was put into the drawer though nobody paid, less what was carried out of it.
    """

    date: dt.date
    number: int
    cashier: str
    drawer: str
    opened_at: datetime
    closed_at: datetime | None
    float_amount: Decimal
    cash: Decimal
    carried: Decimal
    expected: Decimal
    counted: Decimal | None
    difference: Decimal | None
    reason: str


@dataclass(frozen=True, slots=True)
class Unpaid:
    """A bill on which something was due.

    Attributes:
        patient, name: number and name of the record that the patient has now.
        date: of the issue.
        days: how many had passed since.
        total: what it came to; `due` what it still asked for, of a part of the house what its lines did.
    """

    bill: str
    patient: str
    name: str
    date: dt.date
    days: int
    total: Decimal
    due: Decimal


@dataclass(frozen=True, slots=True)
class Owed:
    """What was due on bills at the end of the period, or is now.

    Attributes:
        ages: bills and the amount due, by age (`AGES`).
        to_give_back: bills that were paid beyond what they ask for, and by how much.
        oldest: the bills one by one, the oldest first, as many as were asked for.
    """

    ages: dict[int, tuple[int, Decimal]]
    to_give_back: tuple[int, Decimal]
    oldest: Sequence[Unpaid] = ()

    @property
    def all(self) -> tuple[int, Decimal]:
        """All ages."""
        return sum(n for n, _ in self.ages.values()), sum((due for _, due in self.ages.values()), ZERO)


AGES: Final = (0, 7, 30, 60, 90)
"""The oldest day of each age but the last: of the day, up to a week, a month, two, three; then older."""


def age_of(days: int) -> int:
    """In which age a bill is that was issued so many days before; the last is that of the oldest."""
    return bisect_left(AGES, days)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why money was given away or went back, and who did it.

    Attributes:
        words: as it was written down.
        by: nobody where a rule did it.
        number: of bills, refunds or credit notes.
    """

    words: str
    by: str
    number: int
    amount: Decimal
