"""Months of a hospital's money by dice, through the actions; and every figure once more from all rows, by hand."""

import random
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.db import transaction

from billing.models import Bill, CreditLine, CreditNote, Line, Payment, Refund, Shift
from billing.rules import LineIn, Off
from billing.states import BillStatus
from billing.tenders import Tender
from billing.tests.house import House, card, cash, from_account
from common.errors import DomainError
from reports import periods
from reports.queries.scope import Scope
from scheduling.tests.factories import DoctorFactory

ZERO = Decimal("0.00")
CENT = Decimal("0.01")
KINDS = ["bill", "bill", "pay", "pay", "pay", "refund", "credit", "give_back", "void", "deposit", "pay_out", "draft"]
REASONS = ("Senior citizen", "Staff", "=HYPERLINK(1)", "Camp")


class Months(House):
    """Bills, payments, refunds, credit notes, voids and shifts on a month of days around March.

    Args:
        seed: of the dice.
        days: how many days, from late February on.
        zone: where the hospital is; by default where its shifts, opened at half past nine in the evening, go on after
            midnight, and clocks go forward on 9 March.
    """

    def __init__(self, seed: int = 9, days: int = 32, zone: str = "America/Chicago") -> None:
        super().__init__(zone=zone, departments=3)
        self.dice = random.Random(seed)
        self.doctors = [DoctorFactory(department=self.departments[n % 2]) for n in range(3)]
        self.people = [self.patient, *(self.newcomer() for _ in range(4))]
        self.bills: list[int] = []
        for day in range(days):
            self.now = datetime(2031, 2, 25, 3, 30, tzinfo=UTC) + timedelta(days=day)
            self.one_day(day)

    @cached_property
    def books(self) -> "Books":
        """What came of it all."""
        return Books(self.facility.pk)

    def act(self, action: Callable[..., Any], **arguments: Any) -> Any:
        """Run an action within the transaction of the test; what is refused leaves nothing."""
        with transaction.atomic():
            return action(**({"by": self.meena, "at": self.now} | arguments))

    def one_day(self, day: int) -> None:
        """Shifts open, things happen, one of them closes with a difference; some days nobody comes."""
        if day % 7 == 6:
            return
        shifts = [self.open(cashier, drawer=n) for n, cashier in enumerate(self.cashiers)]
        for _ in range(self.dice.randint(4, 9)):
            self.later(minutes=self.dice.randint(1, 70))
            self.something()
        for n, shift in enumerate(shifts):
            expected = shift.float_amount + cash_of(shift)
            off = Decimal(self.dice.choice(["0", "0", "-20", "5.50"])) if n else ZERO
            counted = max(ZERO, expected + off)
            self.close(shift, counted, "miscounted" if counted != expected else "", by=shift.cashier)

    def something(self) -> None:
        """What people at a cash desk do; what the rules refuse does not happen."""
        dice, who = self.dice, self.dice.choice(self.cashiers)
        kind = dice.choice(KINDS) if self.bills else "bill"
        try:
            getattr(self, f"_{kind}")(who)
        except DomainError:
            return

    def _bill(self, who: Any) -> None:
        asked = [self._line() for _ in range(self.dice.randint(1, 4))]
        whole = self.dice.choice([None, None, Off(percent=Decimal(10)), Off(amount=Decimal("7.77"))])
        more = {"discount": whole, "discount_reason": self.dice.choice(REASONS) if whole else ""}
        self.bills.append(self.bill(lines=asked, patient=self.dice.choice(self.people), by_rule=True, **more))
        if self.dice.random() < 0.6:
            self._pay(who, self.bills[-1])

    def _draft(self, _who: Any) -> None:
        draft = self.bill(lines=[self._line()], draft=True)
        if self.dice.random() < 0.5:
            self.void(draft)

    def _line(self) -> LineIn:
        doctor = self.dice.choice([None, *self.doctors])
        department = doctor.department if doctor else self.dice.choice([None, self.departments[2]])
        off = self.dice.choice([None, None, None, Off(percent=Decimal("12.5"))])
        return LineIn(
            description="Service", unit_price=Decimal(self.dice.randint(0, 99999)) / 100,
            quantity=Decimal(self.dice.randint(1, 3)), off=off, discount_reason="Camp" if off else "",
            tax_percent=Decimal(self.dice.choice([0, 0, 18])), tax_included=self.dice.random() < 0.5,
            department_id=department.pk if department else None, doctor_id=doctor.pk if doctor else None,
        )  # fmt: skip

    def _pay(self, who: Any, bill_id: int | None = None) -> None:
        bill = Bill.objects.get(pk=bill_id or self.dice.choice(self.bills))
        due = bill.due
        part = self.dice.choice([due, due, (due / 3).quantize(CENT), due + 10])
        tenders: list[Tender] = [self.dice.choice([cash, card, from_account])(part)]
        if self.dice.random() < 0.3:
            half = (part / 2).quantize(CENT)
            tenders = [cash(half), card(part - half)]
        self.pay(bill.pk, *tenders, keep_rest=part > due, by=who)

    def _refund(self, who: Any) -> None:
        payment = self.dice.choice(list(Payment.objects.filter(facility=self.facility)) or [None])
        if payment is None:
            return
        amount = self.dice.choice([payment.refundable, (payment.refundable / 2).quantize(CENT)])
        more = {"to_account": self.dice.random() < 0.3, "credit": self.dice.random() < 0.3}
        self.refund(payment, amount, by=who, reason=self.dice.choice(REASONS), **(more if payment.bill_id else {}))

    def _credit(self, who: Any) -> None:
        bill = Bill.objects.get(pk=self.dice.choice(self.bills))
        line = self.dice.choice(list(bill.lines.all()))
        self.credit(bill.pk, line.total, line_ids=[line.pk], by=who, reason=self.dice.choice(REASONS))

    def _give_back(self, who: Any) -> None:
        bill = Bill.objects.filter(facility=self.facility, due__lt=0).first()
        if bill:
            self.give_back(bill.pk, by=who, to_account=self.dice.random() < 0.3)

    def _void(self, who: Any) -> None:
        opened = Bill.objects.filter(facility=self.facility, status="open").order_by("-credited", "id")
        bill = self.dice.choice(list(opened[:3]) or [None])
        if bill:
            self.void(bill.pk, by=who, reason=self.dice.choice(REASONS))

    def _deposit(self, who: Any) -> None:
        self.deposit(cash(self.dice.randint(100, 900)), patient=self.dice.choice(self.people), by=who)

    def _pay_out(self, who: Any) -> None:
        self.refund_advance(self.dice.randint(1, 50), patient=self.dice.choice(self.people), by=who)


def cash_of(shift: Shift) -> Decimal:
    taken = sum((p.amount for p in Payment.objects.filter(shift=shift, method="cash")), ZERO)
    return taken - sum((r.amount for r in Refund.objects.filter(shift=shift, method="cash")), ZERO)


def scope(house: House, text: str, today: date = date(2031, 4, 5), **narrower: Any) -> Scope:
    """A day or a month of the house, seen on a later day."""
    now = datetime(today.year, today.month, today.day, 12, tzinfo=house.facility.tz)
    return Scope(house.facility.pk, house.facility.time_zone, "INR", periods.parse(text, now), **narrower)


class Books:
    """All rows of a house's money, read once."""

    def __init__(self, own: int) -> None:
        self.payments = [row for row in Payment.objects.all() if row.facility_id == own]
        self.refunds = [row for row in Refund.objects.all() if row.facility_id == own]
        self.notes = [row for row in CreditNote.objects.all() if row.facility_id == own]
        self.bills = {row.pk: row for row in Bill.objects.select_related("facility") if row.facility_id == own}
        self.lines: dict[int, list[Line]] = defaultdict(list)
        for line in Line.objects.order_by("position"):
            self.lines[line.bill_id].append(line)
        self.credits: dict[int, list[tuple[date, Decimal]]] = defaultdict(list)
        for credit in CreditLine.objects.select_related("note"):
            self.credits[credit.line_id].append((credit.note.date, credit.amount))


class NaiveTill:
    """Every figure of money from all rows.

    Args:
        asked: what the report is about.
        books: of its house.
    """

    def __init__(self, asked: Scope, books: Books) -> None:
        self.asked = asked
        self.first, self.last = asked.period.first, min(asked.period.last, asked.period.today)
        self.payments, self.refunds, self.notes = books.payments, books.refunds, books.notes
        self.bills, self.lines, self.credits = books.bills, books.lines, books.credits

    def within(self, rows: Iterable[Any]) -> list[Any]:
        return [row for row in rows if row.date is not None and self.first <= row.date <= self.last]

    def wanted(self, line: Line) -> bool:
        asked = self.asked
        return asked.department_id in (None, line.department_id) and asked.doctor_id in (None, line.doctor_id)

    def shares(self) -> dict[tuple[int | None, int | None], Decimal]:
        """What each line took in the period, summed by department and doctor."""
        found: dict[tuple[int | None, int | None], Decimal] = defaultdict(lambda: ZERO)
        for bill_id in {row.bill_id for row in [*self.within(self.payments), *self.within(self.refunds)]} - {None}:
            after, before = self.stands(bill_id, self.last), self.stands(bill_id, self.first - timedelta(days=1))
            for line in self.lines[bill_id]:
                if self.wanted(line):
                    found[line.department_id, line.doctor_id] += after.get(line.pk, ZERO) - before.get(line.pk, ZERO)
        return {key: amount for key, amount in found.items() if amount}

    def stands(self, bill_id: int, day: date) -> dict[int, Decimal]:
        """For which lines the money stands that was paid by a day, as of the last movement until then."""
        moves = [(p.date, p.amount) for p in self.payments if p.bill_id == bill_id and p.date <= day]
        moves += [(r.date, -r.amount) for r in self.refunds if r.bill_id == bill_id and r.date <= day]
        if not moves:
            return {}
        upto, paid = max(date for date, _ in moves), sum(amount for _, amount in moves)
        lines = self.lines[bill_id]
        off = {line.pk: sum((a for d, a in self.credits[line.pk] if d <= upto), ZERO) for line in lines}
        net = {line.pk: line.total - off[line.pk] for line in lines}
        asked_for = sum(net.values())
        first = share_out(min(paid, asked_for), net)
        beyond = share_out(max(ZERO, paid - asked_for), off)
        return {pk: first[pk] + beyond[pk] for pk in net}

    def due_then(self, bill: Bill, day: date) -> Decimal:
        """What a bill asked for at the end of a day."""
        if bill.status == BillStatus.DRAFT or bill.date is None or bill.date > day:
            return ZERO
        if bill.voided_at and bill.voided_at.astimezone(bill.facility.tz).date() <= day:
            return ZERO
        paid = sum((p.amount for p in self.payments if p.bill_id == bill.pk and p.date <= day), ZERO)
        paid -= sum((r.amount for r in self.refunds if r.bill_id == bill.pk and r.date <= day), ZERO)
        return bill.total - paid - sum((n.amount for n in self.notes if n.bill_id == bill.pk and n.date <= day), ZERO)

    def line_due(self, bill: Bill, day: date) -> dict[int, Decimal]:
        """The same for each of its lines."""
        lines = self.lines[bill.pk]
        return share_out(self.due_then(bill, day), {line.pk: self.asks(line, day) for line in lines})

    def asks(self, line: Line, day: date) -> Decimal:
        """What a line asks for at the end of a day, less what credit notes took off by then."""
        return line.total - sum((amount for date, amount in self.credits[line.pk] if date <= day), ZERO)

    def voided_on(self, bill: Bill) -> date | None:
        """The facility's date on which a bill with a number was taken back."""
        return bill.voided_at.astimezone(bill.facility.tz).date() if bill.voided_at and bill.number else None


def share_out(amount: Decimal, weights: dict[int, Decimal]) -> dict[int, Decimal]:
    """Largest remainder, to the cent; equal remainders in the order of the lines."""
    whole, cents = int(sum(weights.values()) * 100), int(amount * 100)
    if not whole:
        return dict.fromkeys(weights, ZERO)
    parts = {pk: divmod(cents * int(weight * 100), whole) for pk, weight in weights.items()}
    left = cents - sum(part for part, _ in parts.values())
    turns = sorted(parts, key=lambda pk: -parts[pk][1])[:left]
    return {pk: Decimal(part + (pk in turns)) / 100 for pk, (part, _) in parts.items()}
