"""Patients' accounts: paid out by the ways the money came, never below zero; and drawers, which give what they hold."""

import threading
from decimal import Decimal
from typing import Any

import pytest

from accounts.errors import OutOfReach
from billing import desk, locking
from billing.actions import close_shift, payments
from billing.errors import (
    AdvanceTooSmall,
    NotInDrawer,
    RefundTooLarge,
)
from billing.models import Payment, Receipt, Refund
from billing.proof import prove
from billing.queries import advance_balance, shift_report
from billing.tests.house import D, House, card, from_account, on_account, paid
from common.errors import NotFound
from common.testing.races import PATIENCE, race
from patients.actions import mark_merged


@pytest.fixture
def house(db: None) -> House:
    house = House()
    house.open()
    return house


class TestOffAnAccount:
    def test_by_the_ways_it_came_the_newest_first(self, house: House) -> None:
        house.deposit("300")
        house.deposit(card("200"))
        voucher = house.refund_advance("250")
        given = [(one.method, one.amount, one.bill_id) for one in voucher.refunds.order_by("pk")]
        assert given == [("card", D(200), None), ("cash", D(50), None)]
        assert on_account(house) == D(250)
        house.refund_advance("250")
        with pytest.raises(AdvanceTooSmall):
            house.refund_advance("0.01")

    def test_only_what_is_left_of_it(self, house: House) -> None:
        house.deposit("300")
        house.pay(house.bill("650"), from_account("120"))
        with pytest.raises(AdvanceTooSmall) as refused:
            house.refund_advance("181")
        assert str(refused.value) == "The account of the patient holds ₹180.00."
        house.refund_advance("180")

    def test_what_was_given_back_onto_it_can_be_paid_out_later(self, house: House) -> None:
        bill, (payment,) = paid(house, "650")
        house.refund(payment, "650", to_account=True)
        voucher = house.refund_advance("400")
        (out,) = voucher.refunds.all()
        assert (out.payment_id, out.method, out.amount, out.bill_id) == (payment.pk, "cash", D(400), None)
        assert Payment.objects.get(pk=payment.pk).refunded == D(650)  # it was given back once, and is paid out now
        assert (on_account(house), house.balance("cash"), house.due(bill)) == (D(250), D(1250), D(650))
        house.pay(bill, from_account("250"))
        with pytest.raises(AdvanceTooSmall):
            house.refund_advance("1")

    def test_what_went_round_twice_is_paid_out_once(self, house: House) -> None:
        house.deposit("100")
        bill, (payment,) = paid(house, card("200"), total="300")
        house.pay(bill, from_account("100"))
        house.refund(payment, "200", to_account=True)
        house.refund(house.payments(bill)[1], "100")
        voucher = house.refund_advance("300")
        given = [(one.method, one.amount) for one in voucher.refunds.order_by("pk")]
        assert given == [("card", D(200)), ("cash", D(100))]
        assert (on_account(house), house.balance("cash"), house.balance("bank")) == (D(0), D(1000), D(0))

    def test_of_merged_records_together(self, house: House) -> None:
        known_as = house.newcomer()
        house.deposit("300", patient=known_as)
        house.deposit("200")
        mark_merged(patient_id=known_as.pk, into_id=house.patient.pk, by=None)
        voucher = house.refund_advance("500", patient=known_as)
        assert voucher.patient_id == house.patient.pk
        assert (on_account(house), house.balance("cash")) == (D(0), D(1000))

    def test_not_another_facility_s_patient(self, house: House) -> None:
        elsewhere = House()
        with pytest.raises(OutOfReach):
            house.refund_advance("5", patient=elsewhere.patient)
        with pytest.raises(NotFound):
            house.refund_advance("5", patient=elsewhere.patient, by=None)


@pytest.mark.django_db(transaction=True)
class TestAtTheSameMoment:
    def test_two_cashiers_spend_the_same_advance(self) -> None:
        house = House()
        house.open()
        house.open(house.farah, drawer=1)
        house.deposit("500")
        bill = house.bill("500")
        done = race(
            [
                lambda: house.pay(bill, from_account("500")),
                lambda: house.refund_advance("500", by=house.farah),
                lambda: house.refund(house.payments(None)[0], "500"),
            ]
        )
        assert len(done.returned) == 1
        assert {type(error) for error in done.raised} <= {AdvanceTooSmall, RefundTooLarge}
        assert on_account(house) == 0

    def test_control_without_the_lock_of_the_account_it_is_spent_twice(self, monkeypatch: pytest.MonkeyPatch) -> None:
        house = House()
        house.deposit(card("500"), by=None)
        bills = [house.bill("500") for _ in range(2)]
        both_have_read = threading.Barrier(2, timeout=PATIENCE)

        def read_only(facility_id: int, patient_id: int) -> Decimal:
            balance = advance_balance(facility_id, patient_id)
            both_have_read.wait()
            return balance

        monkeypatch.setattr(payments, "lock_accounts", read_only)
        done = race([lambda bill=bill: house.pay(bill, from_account("500"), by=None) for bill in bills])
        assert not done.raised
        assert on_account(house) == D(-500)
        assert [finding.code for finding in prove(house.facility).findings] == ["advance_below_zero"]

    def test_both_sides_of_a_merge(self) -> None:
        house = House()
        known_as = house.newcomer()
        house.deposit(card("500"), patient=known_as, by=None)
        bills = [house.bill("500", patient=known_as), house.bill("500")]
        mark_merged(patient_id=known_as.pk, into_id=house.patient.pk, by=None)
        done = race([lambda bill=bill: house.pay(bill, from_account("500"), by=None) for bill in bills])
        assert len(done.of(AdvanceTooSmall)) == 1
        assert on_account(house) == 0

    def test_what_a_drawer_holds_is_given_once(self) -> None:
        house = House()
        shift = house.open(float_amount="0")
        payments = [house.pay(house.bill("500"), "500").payments.get() for _ in range(2)]
        house.refund(payments[0], "400", reason="not seen")
        done = race(
            [lambda one=one: house.refund(one, "100") for one in payments]
            + [lambda: house.refund(payments[1], "400")] * 2
        )
        assert not set(map(type, done.raised)) - {NotInDrawer, RefundTooLarge}
        assert shift_report(shift).expected == 1000 - sum(Refund.objects.values_list("amount", flat=True)) >= 0
        assert Receipt.objects.filter(kind="refund").count() == Refund.objects.count()

    def test_control_without_the_lock_of_the_shift_it_gives_more_than_it_holds(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        house = House()
        shift = house.open(float_amount="0")
        paid_before = [house.pay(house.bill("500"), "500").payments.get() for _ in range(2)]
        house.act(close_shift, shift_id=shift.pk, counted=D(1000))
        shift = house.open(float_amount="500")
        both_have_looked = threading.Barrier(2, timeout=PATIENCE)

        look = desk.require_in_drawer

        def look_only(*asked: Any) -> None:
            look(*asked)
            both_have_looked.wait()

        monkeypatch.setattr(desk, "require_in_drawer", look_only)
        monkeypatch.setattr(desk, "_RESERVE", desk._RESERVE.replace("FOR NO KEY UPDATE SKIP LOCKED", ""))
        monkeypatch.setattr(locking, "HOLD_SHIFT", locking.HOLD_SHIFT.replace("FOR NO KEY UPDATE", ""))
        done = race([lambda one=one: house.refund(one, "500") for one in paid_before])
        assert not done.raised
        assert shift_report(shift).expected == D(-500)
