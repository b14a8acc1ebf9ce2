"""More races for money: advances, references, what is to be given back, shifts; and a storm of all of them.

As in `test_money_races`, each has its negative control.
"""

from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from django.db import IntegrityError

from accounts.models import User
from billing.actions import bills, payments, refunds, shifts
from billing.errors import ShiftClosed
from billing.models import Bill, CreditNote, Payment, Receipt, Shift
from billing.tests.house import House, card, from_account, gapless, lines
from billing.tests.house import numbers as serials
from billing.tests.racing import WithoutLock, codes, found, taken
from common.testing.races import Outcomes, crowd, race, race_of

pytestmark = pytest.mark.django_db(transaction=True)


class TestTwoUseTheSameAdvance:
    def requests(self, house: House) -> tuple[list[int], Outcomes]:
        made = [house.bill("500"), house.bill("500")]
        return made, race([lambda bill=bill: house.pay(bill, from_account("500")) for bill in made])  # type: ignore[misc]

    def test_it_pays_one_bill(self, house: House) -> None:
        house.deposit("500")
        made, done = self.requests(house)
        assert codes(done) == ["advance_too_small"]
        assert sorted(house.status(bill) for bill in made) == ["open", "paid"]
        assert house.balance("advance") == 0
        assert found(house) == set()

    def test_it_pays_a_bill_or_is_paid_out(self, house: House) -> None:
        for _ in range(4):
            house.deposit("500")
            bill = house.bill("500")
            done = race([lambda bill=bill: house.pay(bill, from_account("500")), lambda: house.refund_advance("500")])  # type: ignore[misc]
            assert codes(done) == ["advance_too_small"]
            assert house.balance("advance") == 0
        assert found(house) == set()

    def test_the_payment_that_brought_it_is_given_back_or_it_is_spent(self, house: House) -> None:
        for _ in range(4):
            house.deposit("500")
            payment, bill = house.payments(None)[-1], house.bill("500")
            given = lambda payment=payment: house.refund(payment, "500")  # noqa: E731
            done = race([lambda bill=bill: house.pay(bill, from_account("500")), given])  # type: ignore[misc]
            assert codes(done) == ["advance_too_small"]
        assert found(house) == set()

    def test_control_without_the_lock_it_is_spent_twice_and_the_proof_finds_it(
        self, house: House, unlocked: WithoutLock
    ) -> None:
        house.deposit("500")
        unlocked.all_read_first(2, (payments, "_write"))
        _, done = self.requests(house)
        assert len(done.returned) == 2
        assert house.balance("advance") == 500
        assert "advance_below_zero" in found(house)


class TestTheSameReferenceTwice:
    def test_for_two_bills_it_pays_one_of_them(self, house: House) -> None:
        made = [house.bill("500"), house.bill("500")]
        done = race([lambda bill=bill: house.pay(bill, card("500", "T-1"), by=None) for bill in made])  # type: ignore[misc]
        assert codes(done) == ["reference_used"]
        assert sorted(house.status(bill) for bill in made) == ["open", "paid"]
        assert found(house) == set()

    def test_written_in_two_ways_it_pays_one_of_them(self, house: House) -> None:
        made = [house.bill("500"), house.bill("500")]
        ways = zip(made, ("ab 12", "AB12"), strict=True)
        done = race([lambda bill=bill, way=way: house.pay(bill, card("500", way), by=None) for bill, way in ways])  # type: ignore[misc]
        assert codes(done) == ["reference_used"]
        assert sorted(house.status(bill) for bill in made) == ["open", "paid"]
        assert found(house) == set()

    def test_for_the_same_bill_it_is_one_payment_and_everybody_gets_its_receipt(self, house: House) -> None:
        bill = house.bill("500")
        done = race_of(8, lambda n: house.pay(bill, card("200", "T-1"), by=None))
        assert codes(done) == []
        assert {receipt.number for receipt in done.returned} == {Receipt.objects.get().number}
        assert taken(house, bill) == 200

    def test_onto_the_same_account_too(self, house: House) -> None:
        done = race_of(4, lambda n: house.deposit(card("200", "T-1"), by=None))
        assert codes(done) == []
        assert house.balance("advance") == -200

    def test_control_without_the_index_it_pays_two_bills(self, house: House, unlocked: WithoutLock) -> None:
        unlocked.drop("billing_payment", "payment_reference_once", "payment_reference_once_however_written")
        unlocked.all_read_first(2, (payments, "_write"))
        made = [house.bill("500"), house.bill("500")]
        done = race([lambda bill=bill: house.pay(bill, card("500", "T-1"), by=None) for bill in made])  # type: ignore[misc]
        assert len(done.returned) == 2
        assert Payment.objects.filter(reference="T-1").count() == 2


class TestGivenBackTwice:
    def credited(self, house: House) -> int:
        bill = house.bill("600")
        house.pay(bill, "600")
        house.credit(bill, "250")
        return bill

    def test_it_is_given_back_once(self, house: House) -> None:
        bill = self.credited(house)
        done = race([lambda: house.give_back(bill, by=house.meena), lambda: house.give_back(bill, by=house.farah)])
        assert codes(done) == ["nothing_to_give_back"]
        assert (house.due(bill), taken(house, bill)) == (0, 350)
        assert found(house) == set()

    def test_together_with_a_refund_of_the_payment_no_more_than_was_paid(self, house: House) -> None:
        bill = self.credited(house)
        payment = house.payments(bill)[0]
        done = race([lambda: house.give_back(bill), lambda: house.refund(payment, "600", by=house.farah)])
        assert len(done.raised) == 1
        assert codes(done)[0] in ("nothing_to_give_back", "refund_too_large")
        assert taken(house, bill) in (0, 350)
        assert found(house) == set()

    def test_control_without_the_lock_it_is_given_back_twice(self, house: House, unlocked: WithoutLock) -> None:
        bill = self.credited(house)
        unlocked.all_read_first(2, (refunds, "_give"))
        done = race([lambda: house.give_back(bill, by=house.meena), lambda: house.give_back(bill, by=house.farah)])
        assert len(done.returned) == 2
        assert taken(house, bill) == 100
        assert {"bill_paid", "payment_refunded"} <= found(house)


class TestCreditedTwice:
    def test_no_more_than_the_bill_asks_for(self, house: House) -> None:
        bill = house.bill("600")
        done = race([lambda: house.credit(bill, "400")] * 2)
        assert codes(done) == ["credit_too_large"]
        assert Bill.objects.get(pk=bill).credited == 400

    def test_control_without_the_lock_two_notes_are_written(self, house: House, unlocked: WithoutLock) -> None:
        bill = house.bill("600")
        unlocked.all_read_first(2, (bills, "write_credit"))
        race([lambda: house.credit(bill, "400")] * 2)
        written = CreditNote.objects.filter(bill=bill).count()
        assert (written, Bill.objects.get(pk=bill).credited) == (2, 400)
        assert {"bill_credited", "line_credited"} <= found(house)


class TestADraftIssuedTwice:
    def test_it_gets_one_number(self, house: House) -> None:
        bill = house.bill(lines=lines("600"), draft=True)
        done = race([lambda: house.act(bills.issue_bill, bill_id=bill)] * 4)
        assert codes(done) == ["bill_issued"] * 3
        assert serials(house.facility.id) == [1]
        assert found(house) == set()

    def test_control_without_the_lock_the_index_on_postings_refuses(self, house: House, unlocked: WithoutLock) -> None:
        bill = house.bill(lines=lines("600"), draft=True)
        unlocked.all_read_first(2, (bills, "_issue"))
        done = race([lambda: house.act(bills.issue_bill, bill_id=bill)] * 2)
        assert len(done.of(IntegrityError)) == 1


class TestTwoShifts:
    def test_at_one_drawer_one_begins(self) -> None:
        house = House()
        done = race([lambda: house.open(house.meena, 0), lambda: house.open(house.farah, 0)])
        assert codes(done) == ["drawer_taken"]
        assert house.balance("cash") == 1000

    def test_of_one_cashier_one_begins(self) -> None:
        house = House()
        done = race([lambda: house.open(house.meena, 0), lambda: house.open(house.meena, 1)])
        assert codes(done) == ["shift_open"]
        assert found(house) == set()

    def test_at_two_drawers_they_are_numbered_in_a_row(self) -> None:
        house = House(drawers=4)
        done = race_of(4, lambda n: house.open(house.cashiers[n], n))
        assert codes(done) == []
        assert sorted(shift.number for shift in done.returned) == [1, 2, 3, 4]

    def test_control_without_lock_and_index_two_begin_at_one_drawer(self, unlocked: WithoutLock) -> None:
        house = House()
        unlocked.drop("billing_shift", "one_open_shift_a_drawer", "shift_number_once_a_day")
        unlocked.all_read_first(2, (shifts, "_begin"))
        done = race([lambda: house.open(house.meena, 0), lambda: house.open(house.farah, 0)])
        assert len(done.returned) == 2

    def test_a_shift_closed_twice_is_closed_once(self, house: House) -> None:
        shift = Shift.objects.get(cashier=house.meena)
        done = race([lambda: house.close(shift, "1000"), lambda: house.close(shift, "900", "coins fell")])
        assert codes(done) == ["shift_closed"]
        assert house.balance("cash") == 1000
        assert found(house) == set()

    def test_control_without_lock_and_trigger_it_is_posted_once_all_the_same(
        self, house: House, unlocked: WithoutLock
    ) -> None:
        shift = Shift.objects.get(cashier=house.meena)
        unlocked.untrigger("billing_shift")
        unlocked.all_read_first(2, (shifts, "_count"))
        done = race([lambda: house.close(shift, "1000"), lambda: house.close(shift, "900", "coins fell")])
        assert len(done.of(IntegrityError)) == 1


def open_shift(cashier: User) -> Shift:
    """The shift of a cashier, who may have none at this moment."""
    shift = Shift.objects.filter(cashier=cashier, closed_at=None).first()
    if shift is None:
        raise ShiftClosed
    return shift


class TestAStorm:
    """Everything at once on few bills: nobody meets a fault or a deadlock, and the books agree."""

    def deeds(self, house: House, made: list[int]) -> list[Callable[[Random], Any]]:
        by = lambda chance: chance.choice(house.cashiers)  # noqa: E731
        one = lambda chance: chance.choice(made)  # noqa: E731
        payment = lambda chance: chance.choice(list(Payment.objects.values_list("id", flat=True)) or [0])  # noqa: E731
        return [
            lambda c: made.append(house.bill("600", "33.33")),
            lambda c: house.pay(one(c), "100", by=by(c)),
            lambda c: house.pay(one(c), card("50"), from_account("20"), by=by(c)),
            lambda c: house.pay(one(c), "700", by=by(c), keep_rest=True),
            lambda c: house.deposit("60", by=by(c)),
            lambda c: house.refund(payment(c), "10", by=by(c), to_account=c.random() < 0.5),
            lambda c: house.refund(payment(c), "10", by=by(c), credit=True),
            lambda c: house.credit(one(c), "40.01"),
            lambda c: house.give_back(one(c), by=by(c)),
            lambda c: house.refund_advance("15", by=by(c)),
            lambda c: house.void(one(c)),
            lambda c: house.move(open_shift(by(c)), c.choice(["to_safe", "paid_out"]), "300"),
            lambda c: house.move(open_shift(by(c)), c.choice(["from_safe", "came_back"]), "40"),
            lambda c: house.close(open_shift(by(c)), "1000", "not counted"),
            lambda c: house.open(by(c), c.randrange(2)),
        ]

    def test_six_hands_at_once(self, house: House) -> None:
        house.pace = timedelta(0)  # a clock that all of them move would say another order than that of the locks
        deeds = self.deeds(house, [house.bill("600") for _ in range(3)])
        met = crowd(deeds, people=6, each=12)
        assert met["busy"] == 0, met
        for letter, table in (
            ("B", "bill"),
            ("C", "creditnote"),
            ("R", "receipt"),
            ("V", "receipt"),
            ("M", "cashmovement"),
        ):
            assert gapless(serials(house.facility.id, f"billing_{table}", letter)), letter
        assert found(house) == set()
