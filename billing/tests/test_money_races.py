"""Races for money over real connections: everybody starts at one barrier, and no coin is taken or given twice.

Each has its negative control. Without the lock, and with everybody having read before anybody writes, the same race
goes wrong: a constraint or a trigger of the database refuses what the lock would have put in order, and where nothing
does, the proof finds it. So the race was one, and the lock is what decides it.
"""

import threading
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError
from django.utils import timezone

from billing import actions
from billing.actions import bills, payments, refunds, shifts
from billing.models import Bill, Payment, Receipt, Shift
from billing.rules import LineIn
from billing.tenders import Tender
from billing.tests.house import House, card, gapless, lines, rows
from billing.tests.house import numbers as serials
from billing.tests.racing import WithoutLock, codes, found, taken
from common.testing.races import PATIENCE, Outcomes, race, race_of
from common.transactions import outermost

pytestmark = pytest.mark.django_db(transaction=True)


class TestTwoCashiersPayTheSameBill:
    def requests(self, house: House, bill: int, amount: str) -> Outcomes:
        return race([lambda: house.pay(bill, amount, by=house.meena), lambda: house.pay(bill, amount, by=house.farah)])

    def test_one_takes_the_money_and_the_other_is_told_that_nothing_is_due(self, house: House) -> None:
        bill = house.bill("600")
        done = self.requests(house, bill, "600")
        assert codes(done) == ["bill_not_open"]
        assert (house.status(bill), taken(house, bill)) == ("paid", Decimal(600))
        assert house.balance("cash") == Decimal(2600)
        assert found(house) == set()

    def test_eight_of_them_at_once(self, house: House) -> None:
        bill = house.bill("600")
        done = race_of(8, lambda n: house.pay(bill, card("400", f"T{n}"), by=house.cashiers[n % 2]))
        assert codes(done) == ["overpayment"] * 7
        assert house.due(bill) == 200
        assert found(house) == set()

    def test_two_halves_are_both_taken(self, house: House) -> None:
        bill = house.bill("600")
        done = self.requests(house, bill, "300")
        assert codes(done) == []
        assert (house.status(bill), taken(house, bill)) == ("paid", Decimal(600))
        assert sorted(receipt.due_after for receipt in done.returned) == [0, 300]

    def test_control_without_the_lock_both_take_all_of_it_and_the_proof_finds_it(
        self, house: House, unlocked: WithoutLock
    ) -> None:
        bill = house.bill("600")
        unlocked.all_read_first(2, (payments, "_take"))
        done = self.requests(house, bill, "600")
        assert len(done.returned) == 2
        assert (house.paid(bill), taken(house, bill)) == (600, 1200)
        assert {"bill_paid", "bill_due"} <= found(house)

    def test_control_without_the_lock_one_of_two_halves_is_forgotten(self, house: House, unlocked: WithoutLock) -> None:
        bill = house.bill("600")
        unlocked.all_read_first(2, (payments, "_take"))
        self.requests(house, bill, "300")
        assert (house.paid(bill), taken(house, bill)) == (300, 600)
        assert "bill_paid" in found(house)


class TestARefundOfAPartlyPaidBillPressedTwice:
    """At most what was paid; once; the balance follows."""

    def partly(self, house: House) -> tuple[int, Payment]:
        bill = house.bill("600")
        house.pay(bill, "400")
        return bill, house.payments(bill)[0]

    def requests(self, house: House, payment: Payment, amount: str = "400", **more: Any) -> Outcomes:
        return race([lambda: house.refund(payment, amount, **more)] * 2)

    def test_at_most_what_was_paid_once_and_the_balance_follows(self, house: House) -> None:
        bill, payment = self.partly(house)
        done = self.requests(house, payment)
        assert codes(done) == ["refund_too_large"]
        assert (house.due(bill), house.status(bill)) == (600, "open")
        assert house.balance("receivable", bill=bill) == 600
        assert house.balance("cash") == 2000
        assert found(house) == set()

    def test_a_part_that_was_read_once_is_given_once(self, house: House) -> None:
        bill, payment = self.partly(house)
        version = Bill.objects.get(pk=bill).version
        done = self.requests(house, payment, "100", version=version)
        assert codes(done) == ["precondition_failed"]
        assert house.due(bill) == 300
        assert found(house) == set()

    def test_control_without_the_lock_it_is_given_twice_and_the_proof_finds_it(
        self, house: House, unlocked: WithoutLock
    ) -> None:
        bill, payment = self.partly(house)
        unlocked.all_read_first(2, (refunds, "_give"))
        done = self.requests(house, payment)
        assert len(done.returned) == 2
        assert taken(house, bill) == -400
        assert {"bill_paid", "payment_refunded", "bill_due"} <= found(house)


class TestVoidAgainstPay:
    def requests(self, house: House, bill: int) -> Outcomes:
        return race([lambda: house.void(bill), lambda: house.pay(bill, "600")])

    def test_it_is_void_and_nothing_was_taken_or_it_is_paid_and_stays(self, house: House) -> None:
        for _ in range(8):
            bill = house.bill("600")
            done = self.requests(house, bill)
            assert codes(done) in (["bill_has_payments"], ["bill_not_open"])
            assert (house.status(bill), taken(house, bill)) in (("void", 0), ("paid", 600))
        assert found(house) == set()

    def test_control_without_the_lock_the_database_refuses_one(self, house: House, unlocked: WithoutLock) -> None:
        bill = house.bill("600")
        unlocked.all_read_first(2, (payments, "_take"), (bills.ledger, "post_void"))
        done = self.requests(house, bill)
        assert len(done.of(IntegrityError)) == 1

    def test_control_without_lock_and_promises_a_void_bill_was_paid(self, house: House, unlocked: WithoutLock) -> None:
        bill = house.bill("600")
        unlocked.drop("billing_bill", "bill_void_at_a_moment_and_unpaid", "bill_status_follows_amounts")
        unlocked.untrigger("billing_bill")
        unlocked.all_read_first(2, (payments, "_take"), (bills.ledger, "post_void"))
        assert len(self.requests(house, bill).returned) == 2
        assert Bill.objects.get(pk=bill).voided_at is not None
        assert taken(house, bill) == 600
        assert "bill_due" in found(house)


class TestCloseAgainstPay:
    def requests(self, house: House, shift: Shift, bill: int) -> Outcomes:
        # Now for both, as in the product: a shift is closed at the moment at which its lock is there.
        house.now = timezone.now()
        closing = lambda: house.close(shift, "1000", "as counted", at=None)  # noqa: E731
        return race([closing, lambda: house.pay(bill, "600", at=None)])

    def cash_of(self, shift: Shift) -> Decimal:
        """What went into the drawer."""
        return shift.float_amount + sum(
            (payment.amount for payment in Payment.objects.filter(shift=shift, method="cash")), Decimal(0)
        )

    def test_the_payment_is_in_the_count_or_is_told_that_no_shift_is_open(self, house: House) -> None:
        shift = Shift.objects.get(cashier=house.meena, closed_at=None)
        for _ in range(8):
            bill = house.bill("600")
            done = self.requests(house, shift, bill)
            closed = Shift.objects.get(pk=shift.pk)
            assert codes(done) in ([], ["shift_closed"])
            assert closed.expected == self.cash_of(closed)
            assert closed.difference == -taken(house, bill)
            assert house.balance("cash") == 1000  # what lies in the other drawer
            shift = house.open()
        assert found(house) == set()

    def test_control_without_the_lock_the_trigger_refuses_or_the_count_forgets(
        self, house: House, unlocked: WithoutLock
    ) -> None:
        shift, bill = Shift.objects.get(cashier=house.meena), house.bill("600")
        unlocked.all_read_first(2, (payments, "_write"), (shifts, "post_close"))
        done = self.requests(house, shift, bill)
        # Whose row comes first decides: the payment waits for the close and is refused, or the close forgets it.
        assert len(done.of(IntegrityError)) == 1 or "shift_expected" in found(house)

    def test_control_without_lock_and_trigger_a_closed_shift_lacks_a_payment(
        self, house: House, unlocked: WithoutLock
    ) -> None:
        shift, bill = Shift.objects.get(cashier=house.meena), house.bill("600")
        unlocked.untrigger("billing_payment")
        unlocked.all_read_first(2, (payments, "_write"), (shifts, "post_close"))
        assert len(self.requests(house, shift, bill).returned) == 2
        closed = Shift.objects.get(pk=shift.pk)
        assert (closed.expected, self.cash_of(closed)) == (1000, 1600)
        assert {"shift_expected", "drawer_balance"} <= found(house)


class Stumbles(Exception):
    """Something went wrong after the bill was made."""


class TestTwoIssuing:
    """Numbers are consecutive and without gaps, also when one rolls back."""

    def make(self, house: House, stumble: bool = False) -> int:
        def work() -> int:
            bill = actions.create_bill(
                facility_id=house.facility.id, patient_id=house.patient.id, lines=lines("600"), by=None, at=house.now
            )
            if stumble:
                raise Stumbles
            return bill.id

        return outermost(work)

    def test_sixteen_at_once_of_whom_every_third_rolls_back(self, house: House) -> None:
        done = race_of(16, lambda n: self.make(house, stumble=n % 3 == 0))
        assert len(done.of(Stumbles)) == len(done.raised) == 6
        assert serials(house.facility.id) == list(range(1, 11))
        assert found(house) == set()

    def test_bills_receipts_vouchers_and_credit_notes_each_count_by_themselves(self, house: House) -> None:
        made = [house.bill("600") for _ in range(6)]

        def work(n: int) -> None:
            by = house.cashiers[n % 2]
            house.pay(made[n], "600", by=by)
            house.credit(made[n], "100")
            house.give_back(made[n], by=by)

        assert codes(race_of(6, work)) == []
        for letter, table in (("B", "bill"), ("C", "creditnote"), ("R", "receipt"), ("V", "receipt")):
            assert gapless(serials(house.facility.id, f"billing_{table}", letter)), letter
        assert found(house) == set()

    def test_the_first_bills_of_a_facility_make_its_counter_and_its_accounts_once(self) -> None:
        house = House(departments=4)
        where = [one.id for one in house.departments]

        def work(n: int) -> int:
            asked = [LineIn("Service", Decimal(100), department_id=where[(n + m) % 4]) for m in (0, 1, 2)]
            return house.bill(lines=asked if n % 2 else asked[::-1])

        assert codes(race_of(8, work)) == []
        assert serials(house.facility.id) == list(range(1, 9))
        assert found(house) == set()

    def test_the_first_payments_of_a_facility_too(self) -> None:
        house = House()
        made = [house.bill("600") for _ in range(8)]
        ways = ["card", "upi", "bank", "wallet"]

        def work(n: int) -> Receipt:
            two = [Tender(ways[(n + m) % 4], Decimal(300), f"{n}-{m}") for m in (0, 1)]
            return house.pay(made[n], *(two if n % 2 else two[::-1]), by=None)

        assert codes(race_of(8, work)) == []
        assert found(house) == set()

    def test_control_a_counter_that_is_read_and_then_written_gives_a_number_twice(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.make(house)  # which makes the accounts of the ledger: whoever makes them is waited for
        everybody = threading.Barrier(4, timeout=PATIENCE)

        def careless(facility_id: int, kind: str, on: Any) -> str:
            number = 1 + Bill.objects.filter(facility=facility_id).exclude(number=None).count()
            everybody.wait()
            return f"B-{on.year}-{number:06d}"

        monkeypatch.setattr(bills, "next_number", careless)
        done = race_of(4, lambda n: self.make(house))
        assert len(done.of(IntegrityError)) == 3

    def test_control_a_sequence_leaves_a_gap_when_one_rolls_back(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rows("CREATE SEQUENCE careless")

        def careless(facility_id: int, kind: str, on: Any) -> str:
            return f"B-{on.year}-{rows('SELECT nextval(%s)', 'careless')[0][0]:06d}"

        monkeypatch.setattr(bills, "next_number", careless)
        for stumble in (False, True, False):
            race([lambda stumble=stumble: self.make(house, stumble)])  # type: ignore[misc]
        assert serials(house.facility.id) == [1, 3]
