"""Two hospitals and the model of them, side by side: each deed is done with both, and both must say the same.

Chance comes from outside as a `random.Random`: the stateful test's own, which shrinks, or a seeded one for a thousand
days. The two hospitals keep their books eighteen hours apart, so one of them is often in another day, month or year.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta
from random import Random
from typing import Any

from accounts.models import User
from billing import actions
from billing.errors import ReferenceGivenBack
from billing.models import Payment, Receipt
from billing.tenders import Tender
from billing.tests import cents, records
from billing.tests.books import differences
from billing.tests.cents import No
from billing.tests.house import House
from billing.tests.naive import Naive, as_compared
from billing.tests.records import ACCOUNT, CASH, B, P, S
from billing.tests.words import decimal, line_of, off_of, tender_of
from common.errors import DomainError
from patients.models import Patient

ZONES = {"Etc/GMT-10": 10, "Etc/GMT+8": -8}
"""Hours ahead of UTC; the names have the sign the other way round."""

METHODS = (CASH, CASH, CASH, "card", "upi", "bank", "wallet", ACCOUNT)
PRICES = (0, 1, 5, 99, 100, 33_33, 250_00, 600_00, 1234_56)
QUANTITIES = (1000, 1000, 1000, 2000, 500, 333, 1005, 1)
TAXES = (0, 0, 5_00, 12_50, 18_00)
PERCENTS = (10_00, 33_33, 50_00, 100_00, 1)


class Both:
    """The deeds. Each chooses by chance whom and how much, does it with both, and compares what they say."""

    def __init__(self) -> None:
        self.houses = [House(zone=zone) for zone in ZONES]
        self.model = Naive()
        for house in self.houses:
            house.patients = [house.patient, house.newcomer(), house.newcomer()]  # type: ignore[attr-defined]
        self.mine = {house.facility.id: house for house in self.houses}
        self.references = 0
        self.said: dict[str, int] = {}
        self.set_clock(self.houses[0].now)

    # The clock

    def set_clock(self, now: Any) -> None:
        """Let it be a moment, in both hospitals."""
        for house, hours in zip(self.houses, ZONES.values(), strict=True):
            house.now = now
            self.model.days[house.facility.id] = (now + timedelta(hours=hours)).date()

    def later(self, **time: int) -> None:
        """Let time pass."""
        self.set_clock(self.houses[0].now + timedelta(**time))

    # Both at once

    def both(self, deed: str, real: Callable[[], Any], told: Callable[[], Any]) -> tuple[Any, Any] | None:
        """Do the same with both: both refuse, for one of the same reasons, or both do it.

        Returns:
            What each answered; None where it was refused.
        """
        answer = expected = None
        try:
            answer, said = real(), ""
        except DomainError as refused:
            said = refused.code
        try:
            expected, reasons = told(), {""}
        except No as no:
            reasons = no.codes
        assert said in reasons, f"{deed}: the product says {said or 'yes'!r}, the prose {sorted(reasons)}"
        self.said[f"{deed} {said}".strip()] = self.said.get(f"{deed} {said}".strip(), 0) + 1
        return None if said else (answer, expected)

    def learn(self, receipt: Receipt, made: Sequence[P]) -> None:
        """Give the model's payments the ids of the product's, which must be the same payments."""
        known = list(Payment.objects.filter(receipt=receipt).order_by("id"))
        assert len(known) == len(made), (known, made)
        assert all(receipt.number == payment.receipt for payment in made)
        for payment in made:
            same = (payment.method, payment.bill, decimal(payment.amount), payment.reference)
            row = next(r for r in known if (r.method, r.bill_id, r.amount, r.reference) == same)
            known.remove(row)
            self.model.known_as(payment, row.id)
        self.model.payments = dict(sorted(self.model.payments.items()))

    def somebody(self, house: House, chance: Random) -> User | None:
        """Who does it: mostly who is at a drawer, at times who is not, or the clinic itself."""
        at_a_drawer = [one for one in house.cashiers if self.model.shift_of(one.id, house.facility.id)]
        if at_a_drawer and chance.random() < 0.85:
            return chance.choice(at_a_drawer)
        return chance.choice([*house.cashiers, None])

    def amount(self, chance: Random, most: int) -> int:
        """Some of it, mostly all of it, at times too much, a cent or nothing."""
        return chance.choice([most, most, most, max(most // 2, 1), max(most // 3, 1), most + 1, most + 500_00, 1, 0])

    # Bills

    def bill(self, chance: Random) -> None:
        """Make out a bill of one to four lines, with all that a line may have."""
        house = chance.choice(self.houses)
        patient = chance.choice(house.patients).id  # type: ignore[attr-defined]
        asked = [self.line(chance, house) for _ in range(chance.choice([1, 1, 2, 3, 4]))]
        off = self.off(chance) if chance.random() < 0.3 else None
        arguments: dict[str, Any] = {
            "facility_id": house.facility.id,
            "patient_id": patient,
            "lines": [line_of(line) for line in asked],
            "discount": off_of(off),
            "discount_reason": "poor" if off else "",
        }
        known: list[int] = []

        def real() -> Any:
            bill = house.act(actions.create_bill, by=None, **arguments)
            known.append(bill.id)
            return bill

        done = self.both(
            "bill", real, lambda: self.model.issue(known[0] if known else 0, house.facility.id, patient, asked, off)
        )
        if done:
            assert done[0].number == done[1].number

    def line(self, chance: Random, house: House) -> cents.Asked:
        """Some line."""
        return cents.Asked(
            price=chance.choice(PRICES),
            quantity=chance.choice(QUANTITIES),
            off=self.off(chance) if chance.random() < 0.25 else None,
            tax=chance.choice(TAXES),
            included=chance.random() < 0.5,
            department=chance.choice([None, *(one.id for one in house.departments)]),
        )

    def off(self, chance: Random) -> cents.Off:
        """Some discount; at times it is too large."""
        if chance.random() < 0.5:
            return cents.Off(percent=chance.choice(PERCENTS))
        return cents.Off(cents=chance.choice([0, 1, 5, 50, 100_00]))

    def some_bill(self, chance: Random, *suits: Callable[[B], bool]) -> B | None:
        """A bill for which the deed makes sense, mostly; at times any."""
        bills = list(self.model.bills.values())
        fitting = [bill for bill in bills if all(suit(bill) for suit in suits)]
        choice = fitting if fitting and chance.random() < 0.9 else bills[-20:]
        return chance.choice(choice[-40:]) if choice else None

    def void(self, chance: Random) -> None:
        """Take a bill back."""
        if bill := self.some_bill(chance, lambda bill: not bill.paid and not bill.void):
            house = self.mine[bill.facility]
            self.both("void", lambda: house.void(bill.id, by=house.meena), lambda: self.model.void(bill.id))

    def credit(self, chance: Random) -> None:
        """Take something off a bill."""
        if bill := self.some_bill(chance, lambda bill: not bill.void and bill.total > bill.credited):
            amount, house = self.amount(chance, bill.total - bill.credited), self.mine[bill.facility]
            self.both(
                "credit", lambda: house.credit(bill.id, decimal(amount)), lambda: self.model.credit(bill.id, amount)
            )

    # Money that comes

    def tenders(self, chance: Random, facility: int, patient: int, wanted: int) -> list[records.Tender]:
        """How a sum is paid: in one way, or in several that come to it."""
        ways = chance.choice([1, 1, 1, 2, 3])
        parts = [wanted // ways] * ways
        parts[0] += wanted - sum(parts)
        return [self.tender(chance, facility, patient, part) for part in parts]

    def tender(self, chance: Random, facility: int, patient: int, amount: int) -> records.Tender:
        """One way; a reference that was used before is shown now and then."""
        method = chance.choice(METHODS)
        if method == ACCOUNT and chance.random() < 0.7:
            amount = min(amount, self.model.advance(facility, patient)) or amount
        reference = ""
        if method not in (CASH, ACCOUNT) and chance.random() < 0.97:
            self.references += 1
            shown = self.references if chance.random() < 0.85 else chance.randint(1, self.references)
            reference = chance.choice(["T-{}", "T-{}", "t-{}", " T- {} "]).format(shown)
        return records.Tender(method, amount, reference)

    def pay(self, chance: Random) -> None:
        """Pay a bill: all of it, a part, too much, by several ways."""
        bill = self.some_bill(chance, lambda bill: bill.status in ("open", "part_paid"))
        if bill is None:
            return
        house = self.mine[bill.facility]
        offered = self.tenders(chance, bill.facility, bill.patient, self.amount(chance, max(bill.due, 1)))
        by, keep = self.somebody(house, chance), chance.random() < 0.4
        if self.replays(bill.id, bill.patient, offered):
            return
        done = self.both(
            "pay",
            lambda: house.pay(bill.id, *map(tender_of, offered), keep_rest=keep, by=by),
            lambda: self.model.pay(bill.id, offered, by and by.id, keep_rest=keep),
        )
        if done:
            self.learn(*done)

    def replays(self, bill: int | None, patient: int, offered: list[records.Tender]) -> bool:
        """Whether it looks like a payment for the same that was made before: `again` plays those."""
        same = [p for p in self.model.payments.values() if (p.bill, p.patient) == (bill, patient)]
        used = {(p.method, as_compared(p.reference)) for p in same if p.reference}
        return any((tender.method, as_compared(tender.reference)) in used for tender in offered)

    def again(self, chance: Random) -> None:
        """The same payment with the same reference, as an app sends it after a time-out: the same receipt.

        Where something of it was given back, the reference is used up.
        """
        on_paper = Counter(p.receipt for p in self.model.payments.values())
        alone = [p for p in self.model.payments.values() if p.reference and on_paper[p.receipt] == 1]
        if alone:
            payment = chance.choice(alone[-10:])
            house = self.mine[payment.facility]
            written = chance.choice([payment.reference, payment.reference.lower(), f" {payment.reference} "])
            tender = Tender(payment.method, decimal(payment.amount), reference=written)
            try:
                answer = self.sent(house, payment, tender)
            except ReferenceGivenBack:
                assert payment.refunded
                self.said["used up"] = self.said.get("used up", 0) + 1
                return
            assert (answer.number, payment.refunded) == (payment.receipt, 0)
            self.said["again"] = self.said.get("again", 0) + 1

    def sent(self, house: House, payment: P, tender: Tender) -> Receipt:
        """What the real one answers to a payment of this form: on its bill, or onto its account."""
        if payment.bill:
            return house.pay(payment.bill, tender, by=house.meena)
        return house.deposit(tender, patient=Patient.objects.get(pk=payment.patient), by=house.meena)

    def deposit(self, chance: Random) -> None:
        """Pay onto a patient's account."""
        house = chance.choice(self.houses)
        facility, patient = house.facility.id, chance.choice(house.patients)  # type: ignore[attr-defined]
        offered = self.tenders(chance, facility, patient.id, chance.choice([500_00, 33_33, 1, 1000_01]))
        by = self.somebody(house, chance)
        if self.replays(None, patient.id, offered):
            return
        done = self.both(
            "deposit",
            lambda: house.deposit(*map(tender_of, offered), patient=patient, by=by),
            lambda: self.model.deposit(facility, patient.id, offered, by and by.id),
        )
        if done:
            self.learn(*done)

    # Money that goes

    def refund(self, chance: Random) -> None:
        """Give back of a payment, with a credit note or without, as it came or onto the account."""
        payments = [payment for payment in self.model.payments.values() if payment.left]
        partly = [payment for payment in payments if payment.refunded]
        payments = payments if payments and chance.random() < 0.9 else list(self.model.payments.values())
        if not payments:
            return
        payment = chance.choice(partly[-10:] if partly and chance.random() < 0.4 else payments[-40:])
        most = payment.amount if chance.random() < 0.2 else payment.left
        house, amount = self.mine[payment.facility], self.amount(chance, max(most, 1))
        by = self.somebody(house, chance)
        how: dict[str, Any] = {}
        if payment.bill:
            how = {"credit": chance.random() < 0.4, "to_account": chance.random() < 0.25}
        self.both(
            "refund",
            lambda: house.refund(payment.id, decimal(amount), by=by, **how),
            lambda: self.model.refund(payment.id, amount, by and by.id, **how),
        )

    def give_back(self, chance: Random) -> None:
        """Give back what is no longer owed."""
        if bill := self.some_bill(chance, lambda bill: bill.due < 0 and not bill.void):
            house, onto = self.mine[bill.facility], chance.random() < 0.2
            by = self.somebody(house, chance)
            self.both(
                "give back",
                lambda: house.give_back(bill.id, by=by, to_account=onto),
                lambda: self.model.give_back(bill.id, by and by.id, to_account=onto),
            )

    def refund_advance(self, chance: Random) -> None:
        """Pay out of a patient's account."""
        house = chance.choice(self.houses)
        facility, patient = house.facility.id, chance.choice(house.patients)  # type: ignore[attr-defined]
        amount = self.amount(chance, max(self.model.advance(facility, patient.id), 1))
        by = self.somebody(house, chance)
        self.both(
            "refund advance",
            lambda: house.refund_advance(decimal(amount), patient=patient, by=by),
            lambda: self.model.refund_advance(facility, patient.id, amount, by and by.id),
        )

    # Shifts

    def open(self, chance: Random) -> None:
        """Begin a shift at some drawer."""
        house = chance.choice(self.houses)
        self.open_at(
            house, chance.choice(house.cashiers), chance.randrange(len(house.drawers)), chance.choice([0, 1, 1000_00])
        )

    def open_at(self, house: House, cashier: User, drawer: int, start: int) -> None:
        """Let a cashier begin at a drawer."""
        known: list[int] = []

        def real() -> Any:
            shift = house.open(cashier, drawer, str(decimal(start)))
            known.append(shift.id)
            return shift

        def told() -> Any:
            shift_id = known[0] if known else 0
            return self.model.open(shift_id, house.facility.id, house.drawers[drawer].id, cashier.id, start)

        done = self.both("open", real, told)
        if done:
            assert (done[0].number, done[0].date) == (done[1].number, done[1].day)

    def some_shift(self, chance: Random) -> S | None:
        """A shift that is open, mostly; at times one that was closed."""
        shifts = list(self.model.shifts.values())
        running = [shift for shift in shifts if shift.counted is None]
        choice = running if running and chance.random() < 0.9 else shifts[-5:]
        return chance.choice(choice) if choice else None

    def move(self, chance: Random) -> None:
        """Carry cash between drawer and safe, or spend it: mostly some of what is there, at times too much."""
        shift = self.some_shift(chance)
        if shift is None:
            return
        kind = chance.choice(["to_safe", "to_safe", "from_safe", "paid_out", "came_back"])
        spent = self.model.balances().get((shift.facility, "petty", None), 0)
        most = spent if kind == "came_back" else chance.choice([shift.holds // 2, shift.holds, 20_00])
        amount = self.amount(chance, max(most, 1))
        reason, house = chance.choice(["", "tea", "courier"]), self.mine[shift.facility]
        done = self.both(
            "move",
            lambda: house.act(
                actions.move_cash, shift_id=shift.id, kind=kind, amount=decimal(amount), reason=reason,
                by=chance.choice(house.cashiers),
            ),
            lambda: self.model.move(shift.id, kind, amount, reason),
        )  # fmt: skip
        if done:
            assert done[0].number == done[1].number
            self.said[kind] = self.said.get(kind, 0) + 1

    def close(self, chance: Random) -> None:
        """Count a drawer: mostly what is expected, at times not, with a reason or without."""
        shift = self.some_shift(chance)
        if shift is None:
            return
        counted = max(shift.holds + chance.choice([0, 0, 0, 0, 1, -5_00, 100_00]), 0)
        reason = chance.choice(["", "a coin fell"])
        self.close_at(shift, counted, reason)

    def close_at(self, shift: S, counted: int, reason: str) -> None:
        """Close a shift with a count."""
        house = self.mine[shift.facility]
        cashier = next(one for one in house.cashiers if one.id == shift.cashier)
        arguments = {"shift_id": shift.id, "counts": None, "counted": decimal(counted), "reason": reason}
        self.both(
            "close",
            lambda: house.act(actions.close_shift, by=cashier, **arguments),
            lambda: self.model.close(shift.id, counted, reason),
        )

    def differences(self) -> list[str]:
        """Everything in which the database and the model differ."""
        return differences(self.model, list(self.mine))
