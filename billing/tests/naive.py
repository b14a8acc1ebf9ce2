"""The money of a hospital once more: naive, slow, with lists and whole cents, written from the prose.

Nothing of `billing.rules`, of the actions or of the database is used here, on purpose: where the two differ, one of
them has misread the prose. A balance is the sum of a list; a bill's due is worked out each time it is asked for.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date

from billing.tests.cents import Asked, No, Off, bill_lines, half_up, share_out
from billing.tests.records import ACCOUNT, CASH, B, M, P, S, Tender

Key = tuple[int, str, int | str | None]
"""An account of the ledger: facility, kind, and of which drawer, method, department or patient."""


def as_compared(reference: str) -> str:
    """A reference is one payment's however it is typed: large or small, with blanks or without."""
    return "".join(reference.split()).upper()


@dataclass
class Naive:
    """Several facilities' bills, payments, shifts and ledger.

    Attributes:
        days: what date it is in each facility.
    """

    days: dict[int, date] = field(default_factory=dict)
    bills: dict[int, B] = field(default_factory=dict)
    payments: dict[int, P] = field(default_factory=dict)
    shifts: dict[int, S] = field(default_factory=dict)
    movements: list[M] = field(default_factory=list)
    ledger: list[tuple[Key, int, int | None]] = field(default_factory=list)
    sums: dict[Key, int] = field(default_factory=lambda: defaultdict(int))
    counters: dict[tuple[int, str, int], int] = field(default_factory=lambda: defaultdict(int))

    # What there is

    def shift_of(self, cashier: int | None, facility: int) -> S | None:
        """The cashier's open shift in a facility."""
        mine = (cashier, facility, None)
        return next((s for s in reversed(self.shifts.values()) if (s.cashier, s.facility, s.counted) == mine), None)

    def balances(self) -> dict[Key, int]:
        """Every account that is not at zero."""
        return {key: cents for key, cents in self.sums.items() if cents}

    def claims(self) -> dict[int, int]:
        """What the receivable says of each bill on which something is due, or to be given back."""
        found: dict[int, int] = defaultdict(int)
        for (_, kind, _), cents, bill_id in self.ledger:
            if kind == "receivable" and bill_id:
                found[bill_id] += cents
        return {bill_id: cents for bill_id, cents in found.items() if cents}

    def advance(self, facility: int, patient: int) -> int:
        """What a patient's account holds."""
        return -self.sums.get((facility, "advance", patient), 0)

    def number(self, facility: int, kind: str) -> str:
        """The next number, without a gap."""
        key = (facility, kind, self.days[facility].year)
        self.counters[key] += 1
        return f"{kind}-{key[2]}-{self.counters[key]:06d}"

    def post(self, facility: int, *entries: tuple[str, int | str | None, int], bill: int | None = None) -> None:
        """Debits above zero, credits below; together nothing."""
        assert sum(cents for _, _, cents in entries) == 0, entries
        for kind, of, cents in entries:
            if cents:
                self.ledger.append(((facility, kind, of), cents, bill))
                self.sums[facility, kind, of] += cents

    # Bills

    def issue(self, bill_id: int, facility: int, patient: int, asked: list[Asked], off: Off | None = None) -> B:
        """Make out a bill: the claim against what was earned, given away, and owed to the state."""
        bill = B(bill_id, facility, patient, bill_lines(asked, off), self.number(facility, "B"))
        self.bills[bill_id] = bill
        for line in bill.lines:
            self.post(
                facility,
                ("receivable", None, line.total),
                ("discount", line.department, line.discount),
                ("tax", None, -line.tax),
                ("revenue", line.department, -(line.total + line.discount - line.tax)),
                bill=bill.id,
            )
        return bill

    def void(self, bill_id: int) -> None:
        """Take a bill back that nobody has paid: on every account it is as if it had never been."""
        bill = self.bills[bill_id]
        why = {"bill_void"} if bill.void else set()
        why |= {"bill_has_payments"} if bill.paid else set()
        if why:
            raise No(*why)
        bill.void = True
        earned = ("receivable", "revenue", "discount", "tax", "refund")
        mine = [(kind, of, -cents) for (_, kind, of), cents, its in self.ledger if its == bill_id and kind in earned]
        self.post(bill.facility, *mine, bill=bill_id)

    def credit(self, bill_id: int, amount: int) -> None:
        """Take something off an issued bill, line by line by what is left of each, tax in proportion."""
        bill = self.bills[bill_id]
        why = {"bill_void"} if bill.void else set()
        why |= {"credit_too_large"} if amount > bill.total - bill.credited else set()
        why |= {"bad_amount"} if amount <= 0 else set()
        if why:
            raise No(*why)
        self.number(bill.facility, "C")
        parts = share_out(amount, [line.total - line.credited for line in bill.lines])
        for line, part in zip(bill.lines, parts, strict=True):
            if not part:
                continue
            line.credited += part
            tax = half_up(line.tax * line.credited, line.total) - line.tax_credited
            line.tax_credited += tax
            entries = (("refund", line.department, part - tax), ("tax", None, tax), ("receivable", None, -part))
            self.post(bill.facility, *entries, bill=bill_id)

    # Money that comes

    def may_take(self, facility: int, patient: int, tenders: list[Tender], by: int | None) -> set[str]:
        """What speaks against the tenders by themselves."""
        why: set[str] = set()
        named = [(tender.method, as_compared(tender.reference)) for tender in tenders if tender.reference]
        if len(set(named)) < len(named):
            why.add("invalid")  # a reference stands for one payment, and not for two of the same paper
        for tender in tenders:
            if tender.amount <= 0:
                why.add("bad_amount")
            if tender.method == CASH and self.shift_of(by, facility) is None:
                why.add("shift_closed")
            if tender.method not in (CASH, ACCOUNT):
                if not tender.reference:
                    why.add("reference_required")
                if self.with_reference(facility, tender):
                    why.add("reference_used")
        from_account = sum(tender.amount for tender in tenders if tender.method == ACCOUNT)
        if from_account > self.advance(facility, patient):
            why.add("advance_too_small")
        return why

    def with_reference(self, facility: int, tender: Tender) -> P | None:
        """The payment that carries the reference already."""
        asked = (facility, tender.method, as_compared(tender.reference))
        mine = ((p, (p.facility, p.method, as_compared(p.reference))) for p in self.payments.values())
        return next((p for p, carried in mine if carried == asked), None)

    def pay(self, bill_id: int, tenders: list[Tender], by: int | None, *, keep_rest: bool = False) -> list[P]:
        """Take money for a bill. What is too much stays on the account, where the cashier says so.

        What comes from the account pays first: it would make no sense to take it from there and to put it back.
        """
        bill = self.bills[bill_id]
        why = self.may_take(bill.facility, bill.patient, tenders, by)
        from_account = sum(tender.amount for tender in tenders if tender.method == ACCOUNT)
        if bill.status not in ("open", "part_paid"):
            why.add("bill_not_open")
        elif from_account > bill.due or (sum(tender.amount for tender in tenders) > bill.due and not keep_rest):
            why.add("overpayment")
        if why:
            raise No(*why)
        receipt, room, made = self.number(bill.facility, "R"), bill.due, []
        for tender in sorted(tenders, key=lambda tender: tender.method != ACCOUNT):
            part = min(tender.amount, room)
            room -= part
            for of, amount in ((bill_id, part), (None, tender.amount - part)):
                if amount:
                    made.append(self.take(bill.facility, bill.patient, of, tender, amount, by, receipt))
        return made

    def deposit(self, facility: int, patient: int, tenders: list[Tender], by: int | None) -> list[P]:
        """Take an advance."""
        why = self.may_take(facility, patient, tenders, by)
        why |= {"invalid"} if any(tender.method == ACCOUNT for tender in tenders) else set()
        if why:
            raise No(*why)
        receipt = self.number(facility, "R")
        return [self.take(facility, patient, None, tender, tender.amount, by, receipt) for tender in tenders]

    def take(
        self, facility: int, patient: int, bill_id: int | None, tender: Tender, amount: int, by: int | None, paper: str
    ) -> P:
        """One payment: from where the money comes, to whose claim or account."""
        shift = self.shift_of(by, facility)
        into = shift.id if shift else None
        payment = P(-1, facility, patient, bill_id, tender.method, amount, tender.reference.strip(), into, paper)
        self.post(facility, (*self.purse(payment, shift), amount), (*self.claim(payment), -amount), bill=bill_id)
        if payment.method == CASH and shift:
            shift.cash += amount
        if bill_id:
            self.bills[bill_id].paid += amount
        return payment

    def known_as(self, payment: P, payment_id: int) -> None:
        """Give a payment the name by which it will be asked for."""
        payment.id = payment_id
        self.payments[payment_id] = payment

    def purse(self, payment: P, shift: S | None) -> tuple[str, int | str | None]:
        """Where the money of a payment lies, or goes back from."""
        if payment.method == CASH:
            assert shift
            return CASH, shift.drawer
        return ("advance", payment.patient) if payment.method == ACCOUNT else ("bank", payment.method)

    def claim(self, payment: P) -> tuple[str, int | str | None]:
        """What a payment was for."""
        return ("receivable", None) if payment.bill else ("advance", payment.patient)

    # Money that goes

    def refund(
        self, payment_id: int, amount: int, by: int | None, *, credit: bool = False, to_account: bool = False
    ) -> None:
        """Give back of one payment, at most what is left of it."""
        payment = self.payments[payment_id]
        why = self.may_give(payment, amount, by, to_account=to_account)
        bill = self.bills[payment.bill] if payment.bill else None
        if (credit or to_account) and not bill:
            why.add("invalid")
        if why:
            raise No(*why)
        if credit and bill and amount > max(-bill.due, 0):  # what is to be given back anyway was credited before
            self.credit(bill.id, amount - max(-bill.due, 0))
        self.number(payment.facility, "V")
        self.give(payment, amount, by, to_account=to_account)

    def give_back(self, bill_id: int, by: int | None, *, to_account: bool = False) -> None:
        """Everything that was paid and is no longer owed, the newest payment first, on one voucher."""
        bill = self.bills[bill_id]
        wanted = max(-bill.due, 0)
        if not wanted:
            raise No("nothing_to_give_back")
        parts: list[tuple[P, int]] = []
        for payment in sorted((p for p in self.payments.values() if p.bill == bill_id), key=lambda p: -p.id):
            part = min(payment.left, wanted)
            wanted -= part
            parts += [(payment, part)] if part else []
        assert not wanted, "more is to be given back than was paid"
        self.give_all(parts, by, to_account=to_account)

    def refund_advance(self, facility: int, patient: int, amount: int, by: int | None) -> None:
        """Pay out of a patient's account, by the ways in which the money came onto it, the newest first."""
        wanted = amount
        parts: list[tuple[P, int]] = []
        mine = [p for p in self.payments.values() if (p.facility, p.patient) == (facility, patient)]
        for payment in sorted(mine, key=lambda p: -p.id):
            part = min(payment.on_account, wanted)
            wanted -= part
            parts += [(payment, part)] if part else []
        why = {"advance_too_small", "refund_too_large"} if wanted or amount > self.advance(facility, patient) else set()
        why |= {"bad_amount"} if amount <= 0 else set()
        if why:
            raise No(*why)
        self.give_all(parts, by, out=True)

    def give_all(
        self, parts: list[tuple[P, int]], by: int | None, *, to_account: bool = False, out: bool = False
    ) -> None:
        """Several refunds on one voucher, all or none."""
        facility = parts[0][0].facility
        cash = sum(amount for payment, amount in parts if payment.method == CASH and not to_account)
        shift = self.shift_of(by, facility)
        ways = {ACCOUNT if to_account else payment.method for payment, _ in parts}
        why = self.may_go(ways, by, shift)
        if cash and shift and cash > shift.holds:
            why.add("not_in_drawer")
        if why:
            raise No(*why)
        self.number(facility, "V")
        for payment, amount in parts:
            self.give(payment, amount, by, to_account=to_account, out=out)

    def may_give(self, payment: P, amount: int, by: int | None, *, to_account: bool) -> set[str]:
        """What speaks against giving back so much of a payment."""
        why: set[str] = set()
        if amount <= 0:
            why.add("bad_amount")
        if amount > payment.left:
            why.add("refund_too_large")
        if payment.bill is None and amount > self.advance(payment.facility, payment.patient):
            why |= {"advance_too_small", "refund_too_large"}
        shift, way = self.shift_of(by, payment.facility), ACCOUNT if to_account else payment.method
        if way == CASH and shift and amount > shift.holds:
            why.add("not_in_drawer")
        return why | self.may_go({way}, by, shift)

    def may_go(self, ways: set[str], by: int | None, shift: S | None) -> set[str]:
        """Whoever gives money back has a shift; the clinic itself moves it onto accounts alone."""
        return set() if shift or (by is None and ways == {ACCOUNT}) else {"shift_closed"}

    def give(self, payment: P, amount: int, by: int | None, *, to_account: bool = False, out: bool = False) -> None:
        """One refund: by the way the money came, or onto the patient's account, or out of that account again."""
        shift = self.shift_of(by, payment.facility)
        bill_id = None if out else payment.bill
        purse = ("advance", payment.patient) if to_account else self.purse(payment, shift)
        claim = ("advance", payment.patient) if out else self.claim(payment)
        self.post(payment.facility, (*claim, amount), (*purse, -amount), bill=bill_id)
        if purse[0] == CASH and shift:
            shift.cash -= amount
        if out and payment.bill:
            payment.paid_out += amount
            return
        payment.refunded += amount
        if purse[0] == "advance":
            payment.moved += amount
        if bill_id:
            self.bills[bill_id].paid -= amount

    # Shifts

    def open(self, shift_id: int, facility: int, drawer: int, cashier: int, start: int) -> S:
        """Begin a shift: a cashier has one, and so has a drawer."""
        running = [s for s in self.shifts.values() if s.counted is None]
        why = {"shift_open"} if any(s.cashier == cashier for s in running) else set()
        why |= {"drawer_taken"} if any(s.drawer == drawer for s in running) else set()
        if why:
            raise No(*why)
        day = self.days[facility]
        number = 1 + len([s for s in self.shifts.values() if (s.facility, s.day) == (facility, day)])
        shift = S(shift_id, facility, drawer, cashier, day, number, start)
        self.shifts[shift_id] = shift
        self.post(facility, (CASH, drawer, start), ("safe", None, -start))
        return shift

    def move(self, shift_id: int, kind: str, amount: int, reason: str) -> M:
        """Carry cash out of a drawer, to the safe or to spend it, or into it, from the safe or what was not spent."""
        shift = self.shifts[shift_id]
        comes, petty = kind in ("from_safe", "came_back"), kind in ("paid_out", "came_back")
        why = {"bad_amount"} if amount <= 0 else set()
        why |= {"required"} if petty and not reason else set()
        why |= {"shift_closed"} if shift.counted is not None else set()
        why |= {"not_in_drawer"} if not comes and amount > shift.holds else set()
        spent = self.sums.get((shift.facility, "petty", None), 0)
        why |= {"petty_too_large"} if kind == "came_back" and amount > spent else set()
        if why:
            raise No(*why)
        into = amount if comes else -amount
        shift.moved += into
        self.post(shift.facility, (CASH, shift.drawer, into), ("petty" if petty else "safe", None, -into))
        row = M(self.number(shift.facility, "M"), shift_id, kind, amount, reason)
        self.movements.append(row)
        return row

    def close(self, shift_id: int, counted: int, reason: str = "") -> S:
        """Count a drawer and empty it: what is too much or too little has a reason."""
        shift = self.shifts[shift_id]
        why = {"shift_closed"} if shift.counted is not None else set()
        if shift.counted is None and counted != shift.holds and not reason:
            why.add("difference_unexplained")
        if why:
            raise No(*why)
        shift.counted, shift.expected = counted, shift.holds
        self.post(
            shift.facility,
            ("safe", None, counted),
            (CASH, shift.drawer, -shift.holds),
            ("difference", None, shift.holds - counted),
        )
        return shift
