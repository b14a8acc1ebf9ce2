"""The money of a day of the past: what is billed as patients come, what they pay, and what is given back."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from heapq import heappop, heappush
from itertools import count
from random import Random
from typing import Any

from billing.rules import HUNDRED, ZERO, Left, LineIn, Off, credit, rounded, totals
from billing.states import CounterKind
from reception.history import postings
from reception.history.counting import Ids, Numbers
from reception.history.playing import News
from reception.history.records import Books, Owing
from reception.history.taking import Desk, closes, opens
from tokens.facts import TokenFacts
from tokens.states import Source

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)

FOR_MORE = 0.24
"""The share of those who were seen who go on to the laboratory or the pharmacy."""

OFF = Off(percent=Decimal(10))
OFF_REASONS = ("Senior citizen", "Staff family", "Health camp")


@dataclass(frozen=True)
class Fees:
    """What a doctor's patients pay for."""

    name: str
    department_id: int
    consultation: Decimal
    hospital: Decimal


@dataclass(frozen=True)
class Terms:
    """What the facility has decided about money, and how soon its patients pay.

    Attributes:
        late: the share of bills that are not paid on their day.
        never: the share that nobody pays, out of those that are late.
        late_days: so many days later at most the others are paid.
    """

    facility_id: int
    currency: str
    priority_fee: Decimal
    follow_up_free_days: int
    hospital_fee_once: bool
    refund_full_hours: int
    refund_later_percent: Decimal
    fees: dict[int, Fees]
    prices: Sequence[LineIn]
    late: float = 0.05
    never: float = 0.015
    late_days: int = 14


@dataclass
class Carried:
    """What goes on from one day to the next.

    Attributes:
        owing: bills that will be paid later, by the day on which that is.
        consulted: when a patient last paid for a consultation with a doctor.
        advances: what patients have on their accounts.
        accounts: patients who have one.
    """

    owing: dict[date, list[Owing]] = field(default_factory=dict)
    consulted: dict[tuple[int, int], date] = field(default_factory=dict)
    advances: dict[int, Decimal] = field(default_factory=dict)
    accounts: set[int] = field(default_factory=set)


Deed = Callable[[Any, datetime], None]


class MoneyDay:
    """What the desk bills and the cashiers take on one day.

    Args:
        doctors: whose patients the tokens are, by their sessions.
        starts: when slots begin: a cancellation is early or late by that.
        clerk: who stands at the desk when patients come.
    """

    def __init__(
        self,
        day: date,
        books: Books,
        *,
        terms: Terms,
        carried: Carried,
        desk: Desk,
        ids: dict[str, Ids],
        numbers: Numbers,
        doctors: dict[int, int],
        starts: dict[int, datetime],
        clerk: int,
        chance: Random,
    ) -> None:
        self.day, self.books, self.terms, self.carried, self.desk = day, books, terms, carried, desk
        self._ids, self._numbers, self._doctors, self._starts = ids, numbers, doctors, starts
        self._clerk, self._chance = clerk, chance
        self._cashier = desk.tills[0].cashier_id
        self._visits: dict[int, int] = {}
        self._of_token: dict[int, Owing] = {}
        self._tokens: dict[int, int] = {}
        self._order = count()
        self._agenda: list[tuple[datetime, int, Deed, Any]] = []

    def play(self, news: Iterable[News]) -> None:
        """Follow the news of the day's tokens from the first to the last coin."""
        follow = {"here": self._here, "waits": self._waits, "ends": self._ends, "seen": self._seen}
        for one in news:
            self._at(one.at, follow[one.what], one)
        for day in [day for day in self.carried.owing if day <= self.day]:
            for bill in self.carried.owing.pop(day):
                if bill.voided_at is None:
                    self.books.touched[bill.id] = bill
                    self._at(self.desk.opens + self._chance.uniform(1, 8) * HOUR, self._pay, bill)
        while self._agenda:
            at, _, deed, about = heappop(self._agenda)
            deed(about, at)
        self._write_visits()

    def _at(self, at: datetime, deed: Deed, about: Any) -> None:
        heappush(self._agenda, (at, next(self._order), deed, about))

    # What patients bring about

    def _here(self, news: News, at: datetime) -> None:
        """Arrived and confirmed: the visit of the day, and the bill of the consultation."""
        token = news.token
        visit, first = self._visit(token.patient_id, at)
        self._tokens[token.id] = visit
        if token.id in self._of_token:
            return  # the place came back, and what was paid stayed
        lines = self._consultation(token, first)
        if lines:
            fees = self.terms.fees[self._doctors[token.session_id]]
            about = f"{token.number}, {fees.name}"
            bill = self._issue(token.patient_id, lines, at, about, "visit", visit, by=None)
            bill.token_id = token.id
            self._of_token[token.id] = bill
            self._ask_for(bill, at)

    def _visit(self, patient: int, at: datetime) -> tuple[int, bool]:
        known = self._visits.get(patient)
        if known is not None:
            return known, False
        made = self._visits[patient] = next(self._ids["reception_visit"])
        self.books.add("reception_visit", (made, self.terms.facility_id, patient, self.day, at, self._clerk))
        self.books.visits += 1
        return made, True

    def _consultation(self, token: TokenFacts, first: bool) -> list[LineIn]:
        doctor = self._doctors[token.session_id]
        fees, key = self.terms.fees[doctor], (token.patient_id, doctor)
        of = partial(LineIn, item_id=token.id, department_id=fees.department_id, doctor_id=doctor)
        lines = []
        days = self.terms.follow_up_free_days
        last = self.carried.consulted.get(key)
        free = token.source == Source.FOLLOW_UP and last is not None and (self.day - last).days <= days
        off, why = (Off(percent=HUNDRED), f"Follow-up within {days} days") if free else (None, "")
        if fees.consultation:
            named = f"Consultation, {fees.name}"
            lines.append(of(named, fees.consultation, off=off, discount_reason=why, item_type="consultation"))
            if not free:
                self.carried.consulted[key] = self.day
        if fees.hospital and (first or not self.terms.hospital_fee_once):
            lines.append(of("Hospital fee", fees.hospital, off=off, discount_reason=why, item_type="hospital_fee"))
        if token.paid and self.terms.priority_fee:
            lines.append(of("Priority fee", self.terms.priority_fee, item_type="priority"))
        return lines

    def _waits(self, news: News, at: datetime) -> None:
        """Who lost the place owes nothing; what was paid stays for the place that may come."""
        bill = self._of_token.get(news.token.id)
        if bill is not None and not bill.paid and bill.due > 0:
            self._void(bill, at, "Waits for a place again")

    def _ends(self, news: News, at: datetime) -> None:
        bill = self._of_token.get(news.token.id)
        if bill is None:
            return
        if not bill.paid:
            self._void(bill, at, "Not seen" if news.by_clinic else "Called off")
            return
        early = self._starts[news.token.slot_id] - at >= self.terms.refund_full_hours * HOUR
        percent = HUNDRED if news.by_clinic or early else self.terms.refund_later_percent
        why = "Not seen" if news.by_clinic else "Late"
        self._credit(bill, rounded(bill.sums.total * percent / HUNDRED), at, why, by=None)
        self._of_token.pop(news.token.id)
        self._at(at + self._chance.randrange(2, 30) * MINUTE, self._give_back, bill)

    def _seen(self, news: News, at: datetime) -> None:
        """Some go on to the laboratory or the pharmacy."""
        if self.terms.prices and self._chance.random() < FOR_MORE:
            self._at(at + self._chance.randrange(3, 25) * MINUTE, self._buy, news.token)

    def _buy(self, token: TokenFacts, at: datetime) -> None:
        lines = self._chance.sample(self.terms.prices, self._chance.choice((1, 1, 1, 2, 2, 3)))
        why = self._chance.choice(OFF_REASONS) if self._chance.random() < 0.08 else ""
        bought = [
            replace(
                line,
                quantity=Decimal(self._chance.choice((1, 1, 1, 2, 10))),
                off=OFF if why else None,
                discount_reason=why,
                doctor_id=self._doctors[token.session_id],
            )
            for line in lines
        ]
        what = lines[0].item_type
        bill = self._issue(token.patient_id, bought, at, token.number, what, None, by=self._cashier)
        self._ask_for(bill, at)
        if self._chance.random() < 0.015:
            self._at(at + self._chance.randrange(20, 90) * MINUTE, self._not_given, bill)

    def _not_given(self, bill: Owing, at: datetime) -> None:
        """The first line was not given after all."""
        if bill.paid and not bill.credited:
            self._credit(bill, bill.sums.lines[0].total, at, "Not given", by=self._cashier, only=0)
            self._at(at + 5 * MINUTE, self._give_back, bill)

    # Bills

    def _issue(
        self, patient: int, lines: list[LineIn], at: datetime, about: str, what: str, of: int | None, *, by: int | None
    ) -> Owing:
        """A bill with its number; one of a consultation is made, credited and void by the clinic itself (`by` None)."""
        bill = Owing(
            id=next(self._ids["billing_bill"]),
            patient_id=patient,
            number=self._numbers.next(CounterKind.BILL, self.day),
            about=about,
            billable_type=what,
            billable_id=of,
            lines=lines,
            sums=totals(lines),
            line_ids=[next(self._ids["billing_line"]) for _ in lines],
            issued_at=at,
            date=self.day,
            by=by,
        )
        self.books.bills.append(bill)
        postings.post_issue(self.books, bill)
        return bill

    def _void(self, bill: Owing, at: datetime, why: str) -> None:
        bill.voided_at, bill.void_reason, bill.version = at, why, bill.version + 1
        postings.post_void(self.books, bill, on=self.day, at=at, by=None)
        if bill.token_id is not None:
            self._of_token.pop(bill.token_id, None)
            self.carried.consulted.pop((bill.patient_id, bill.lines[0].doctor_id or 0), None)

    def _credit(
        self, bill: Owing, amount: Decimal, at: datetime, why: str, *, by: int | None, only: int | None = None
    ) -> None:
        """Take something off a bill on which nothing was credited before.

        Args:
            only: the line that bears it; all of them in proportion where it is None.
        """
        lines = [Left(sums.total if only in (None, n) else ZERO, sums.tax) for n, sums in enumerate(bill.sums.lines)]
        amount = min(amount, sum((line.amount for line in lines), ZERO))
        if not amount:
            return
        shares = credit(amount, lines)
        note = next(self._ids["billing_creditnote"])
        number = self._numbers.next(CounterKind.CREDIT_NOTE, self.day)
        tax = sum((tax for _, tax in shares), ZERO)
        facility = self.terms.facility_id
        row = (note, facility, bill.id, number, amount, tax, why, self.day, at, by)
        self.books.add("billing_creditnote", row)
        borne = [(line, part) for line, part in zip(bill.each(), shares, strict=True) if part[0]]
        self.books.take("billing_creditline", ((note, line[0], *part) for line, part in borne))
        bill.credited += amount
        bill.version += 1
        by_department = [(line[1].department_id, *part) for line, part in borne]
        postings.post_credit(self.books, bill, note, by_department, on=self.day, at=at, by=by)

    # Money

    def _ask_for(self, bill: Owing, at: datetime) -> None:
        """Most pay at once, some in two parts, some another day, a few never."""
        if not bill.due:
            return
        fate = self._chance.random()
        if fate < 1 - self.terms.late:
            self._at(at + self._chance.uniform(0.5, 8) * MINUTE, self._pay if fate > 0.04 else self._pay_half, bill)
        elif fate < 1 - self.terms.never:
            self._later(bill)

    def _later(self, bill: Owing) -> None:
        day = self.day + timedelta(days=self._chance.randrange(1, self.terms.late_days + 1))
        self.carried.owing.setdefault(day, []).append(bill)

    def _pay_half(self, bill: Owing, at: datetime) -> None:
        self._take(bill, rounded(bill.due / 2), at)
        self._at(at + self._chance.randrange(30, 240) * MINUTE, self._pay, bill)

    def _pay(self, bill: Owing, at: datetime) -> None:
        self._take(bill, bill.due, at)

    def _take(self, bill: Owing, amount: Decimal, at: datetime) -> None:
        """Take it at a drawer that is open; before the first opens they wait, after the last they come again."""
        if bill.voided_at is not None or amount <= 0 or amount > bill.due:
            return
        till = self.desk.till(at, self._chance)
        if till is not None:
            self.desk.take(bill, amount, till, at)
        elif at < self.desk.opens:
            self._at(opens(self.desk, self._chance), self._pay, bill)
        else:
            self._later(bill)

    def _give_back(self, bill: Owing, at: datetime) -> None:
        """Give back what is no longer owed, from a drawer that has as much; else it stands open for another day."""
        if bill.due >= 0:
            return
        till = self.desk.till(at, self._chance, holding=-bill.due)
        if till is not None:
            self.desk.give_back(bill, till, at, "Credited")
        elif closes(self.desk, at):
            self._at(at + 20 * MINUTE, self._give_back, bill)

    # Visits

    def _write_visits(self) -> None:
        for token, visit in self._tokens.items():
            bill = self._of_token.get(token)
            self.books.add("reception_visittoken", (visit, token, bill.id if bill else None))
