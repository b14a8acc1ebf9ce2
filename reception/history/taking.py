"""The cashiers of a day: their drawers, what they take and give back, and how they count in the evening."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random

from billing.rules import ZERO
from billing.states import BY_REFERENCE, CounterKind, Method, ReceiptKind
from reception.history import postings
from reception.history.counting import Ids, Numbers
from reception.history.records import Books, Owing, Paid, Till

FLOAT = Decimal("2000.00")
METHODS = {Method.CASH: 50, Method.UPI: 28, Method.CARD: 15, Method.WALLET: 4, Method.BANK: 3}
"""Of a hundred payments."""

NOTES = (Decimal(500), Decimal(200), Decimal(100), Decimal(50), Decimal(20), Decimal(10), Decimal(5), Decimal(1))
OFF_BY = (Decimal(-10), Decimal(-5), Decimal(5), Decimal(-50), Decimal(100))


class Desk:
    """The cash desk on one day.

    Args:
        tills: the shifts of the day.
        advances: what patients have on their accounts; changed along.
        accounts: the patients who have one; changed along.
    """

    def __init__(
        self,
        day: date,
        books: Books,
        tills: Sequence[Till],
        *,
        facility_id: int,
        advances: dict[int, Decimal],
        accounts: set[int],
        ids: dict[str, Ids],
        numbers: Numbers,
        chance: Random,
    ) -> None:
        self.day, self.books, self.tills, self._facility_id = day, books, tills, facility_id
        self._advances, self._accounts = advances, accounts
        self._ids, self._numbers, self._chance = ids, numbers, chance
        self.opens = min(till.opens for till in tills)
        self.closes = max(till.closes for till in tills)

    def till(self, at: datetime, chance: Random, holding: Decimal = ZERO) -> Till | None:
        """A drawer that is open at that moment, and holds so much."""
        at_work = [till for till in self.tills if till.opens <= at < till.closes and till.cash >= holding]
        return chance.choice(at_work) if at_work else None

    def take(self, bill: Owing, amount: Decimal, till: Till, at: datetime) -> None:
        """Take an amount that is due, by one way or two; now and then more, which stays on the patient's account."""
        due_after = bill.due - amount
        receipt = next(self._ids["billing_receipt"])
        change = tendered = ZERO
        for method, part in self._ways(bill.patient_id, amount):
            payment = self._pay(receipt, bill, method, part, till, at)
            if method == Method.CASH:
                handed = part + _up(part) if self._chance.random() < 0.6 else part
                tendered, change = tendered + handed, change + handed - part
                if change >= 20 and self._chance.random() < 0.02:
                    self._keep(receipt, payment, bill, change, till, at)
                    change = ZERO
        bill.paid += amount
        bill.version += 1
        self._write_receipt(receipt, ReceiptKind.PAYMENT, bill, till, at, (tendered, change, due_after))

    def _write_receipt(
        self, receipt: int, kind: ReceiptKind, bill: Owing, till: Till, at: datetime, amounts: tuple[Decimal, ...]
    ) -> None:
        letter = CounterKind.RECEIPT if kind == ReceiptKind.PAYMENT else CounterKind.VOUCHER
        number = self._numbers.next(letter, self.day)
        self.books.add(
            "billing_receipt",
            (receipt, self._facility_id, kind.value, number, bill.patient_id, bill.id, till.id, *amounts, at,
             till.cashier_id),
        )  # fmt: skip

    def _ways(self, patient: int, amount: Decimal) -> list[tuple[Method, Decimal]]:
        held = min(self._advances.get(patient, ZERO), amount)
        left = amount - held
        ways = [(Method.ACCOUNT, held)] if held else []
        if not left:
            return ways
        first = self._chance.choices(list(METHODS), list(METHODS.values()))[0]
        if left > 300 and self._chance.random() < 0.03:
            ways.append((Method.CASH, Decimal("200.00")))
            left, first = left - 200, Method.UPI
        return [*ways, (first, left)]

    def _pay(
        self,
        receipt: int,
        bill: Owing,
        method: Method,
        amount: Decimal,
        till: Till,
        at: datetime,
        *,
        rest_of: int | None = None,
    ) -> int:
        """Write a payment; with `rest_of` it is the excess of that one, for no bill."""
        payment = next(self._ids["billing_payment"])
        of_bill = None if rest_of else bill.id
        if method == Method.CASH:
            till.cash += amount
        if method == Method.ACCOUNT:
            self._advance(bill.patient_id, -amount)
        reference = f"{method.value}-{payment:012d}" if method in BY_REFERENCE else ""
        paid = Paid(payment, method, amount, of_bill, bill.patient_id)
        if not rest_of:
            bill.payments.append(paid)
        self.books.add(
            "billing_payment",
            (paid, receipt, reference, rest_of, till.id, self.day, at, till.cashier_id),
        )
        postings.post_payment(
            self.books, payment, method, amount, till, bill=of_bill, patient=bill.patient_id, at=at
        )  # fmt: skip
        return payment

    def _keep(self, receipt: int, payment: int, bill: Owing, rest: Decimal, till: Till, at: datetime) -> None:
        self._pay(receipt, bill, Method.CASH, rest, till, at, rest_of=payment)
        self._advance(bill.patient_id, rest)

    def _advance(self, patient: int, amount: Decimal) -> None:
        self._advances[patient] = self._advances.get(patient, ZERO) + amount
        if patient not in self._accounts:
            self._accounts.add(patient)
            self.books.add("billing_patientaccount", (self._facility_id, patient))

    def give_back(self, bill: Owing, till: Till, at: datetime, why: str) -> None:
        """Give back all that is no longer owed, the newest payment first, each by its own way."""
        receipt = next(self._ids["billing_receipt"])
        for paid in reversed(bill.payments):
            amount = min(-bill.due, paid.amount - paid.refunded)
            if amount > 0:
                self._refund(receipt, bill, paid, amount, till, at, why)
        bill.version += 1
        self._write_receipt(receipt, ReceiptKind.REFUND, bill, till, at, (ZERO, ZERO, max(bill.due, ZERO)))

    def _refund(
        self, receipt: int, bill: Owing, paid: Paid, amount: Decimal, till: Till, at: datetime, why: str
    ) -> None:
        refund = next(self._ids["billing_refund"])
        paid.refunded += amount
        bill.paid -= amount
        self.books.refunded[paid.id] = paid
        if paid.method == Method.CASH:
            till.cash -= amount
        if paid.method == Method.ACCOUNT:
            self._advance(bill.patient_id, amount)
        self.books.add(
            "billing_refund",
            (refund, self._facility_id, receipt, paid.id, bill.id, paid.method.value, amount, why, "", till.id,
             self.day, at, till.cashier_id),
        )  # fmt: skip
        postings.post_refund(
            self.books, refund, paid.method, amount, till, bill=bill.id, patient=bill.patient_id, at=at
        )  # fmt: skip

    def count(self) -> None:
        """Every cashier counts; now and then there is a little more or less than there should be."""
        for till in self.tills:
            off = self._chance.choice(OFF_BY) if self._chance.random() < 0.06 else ZERO
            till.counted = max(till.cash + off, ZERO)
            till.reason = "Counted twice" if till.counted != till.cash else ""
            left = till.counted
            for note in NOTES:
                pieces = int(left // note)
                left -= pieces * note
                if pieces:
                    till.counts[str(note)] = pieces
            if left:
                till.counts = {}  # smaller than the smallest coin: the amount alone was written down
            postings.post_shift(self.books, till)


def _up(amount: Decimal) -> Decimal:
    """How much is missing to whole notes of fifty."""
    return (50 - amount % 50) % 50


def opens(desk: Desk, chance: Random) -> datetime:
    """A moment in the first half hour of the cash desk."""
    return desk.opens + timedelta(minutes=chance.uniform(0, 30))


def closes(desk: Desk, at: datetime) -> bool:
    """Whether the cash desk is open for some time yet."""
    return at < desk.closes - timedelta(minutes=25)
