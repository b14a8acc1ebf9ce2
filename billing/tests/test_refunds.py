"""Giving money back: of a payment, of a bill, off an account; by which way, from which shift, and what is refused."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.test import override_settings

from accounts.errors import OutOfReach, PermissionDenied
from accounts.models import Permission, Role, RolePermission
from accounts.tests.factories import FacilityFactory, UserFactory
from billing.changes import BillChange
from billing.errors import (
    AdvanceTooSmall,
    BadAmount,
    NothingToGiveBack,
    NotInDrawer,
    ReasonNeeded,
    RefundNeedsShift,
    RefundTooLarge,
    UnknownPayment,
)
from billing.models import Payment, Refund
from billing.queries import shift_report
from billing.tenders import Tender
from billing.tests.house import D, House, card, from_account, on_account, paid
from common.errors import BadInput, PreconditionFailed


@pytest.fixture
def house(db: None) -> House:
    house = House()
    house.open()
    return house


class TestOfAPayment:
    def test_it_goes_by_the_way_it_came_and_the_bill_asks_for_it_again(self, house: House) -> None:
        bill, (payment,) = paid(house, "650")
        refund = house.refund(payment, "150")
        assert (refund.method, refund.amount, refund.shift_id) == ("cash", D(150), house.meena.shifts.get().pk)
        assert (refund.receipt.number, refund.receipt.kind, refund.receipt.due_after) == (
            "V-2031-000001",
            "refund",
            150,
        )
        assert (refund.bill.due, refund.payment.refundable) == (D(150), D(500))
        assert (house.status(bill), house.paid(bill), house.due(bill)) == ("part_paid", D(500), D(150))
        assert house.balance("cash") == D(1500)
        assert house.balance("receivable", bill=bill) == D(150)

    def test_at_most_what_is_left_of_it(self, house: House) -> None:
        bill, (payment, _) = paid(house, "400", card("250"))
        house.refund(payment, "300")
        with pytest.raises(RefundTooLarge) as refused:
            house.refund(payment, "100.01")
        assert str(refused.value) == "₹100.00 of this payment can be given back, not ₹100.01."
        house.refund(payment, "100")
        with pytest.raises(RefundTooLarge):
            house.refund(payment, "0.01")
        assert (house.paid(bill), Payment.objects.get(pk=payment.pk).refunded) == (D(250), D(400))

    def test_where_nothing_is_owed_for_it_a_credit_note_goes_with_it(self, house: House) -> None:
        bill, (payment,) = paid(house, "650")
        refund = house.refund(payment, "150", credit=True)
        assert refund.credit_note.amount == D(150)
        assert (house.status(bill), house.due(bill), house.paid(bill)) == ("paid", D(0), D(500))
        assert house.balance("receivable", bill=bill) == 0

    def test_the_credit_note_is_of_what_was_not_taken_off_before(self, house: House) -> None:
        bill, (payment,) = paid(house, "650")
        house.credit(bill, "100")
        refund = house.refund(payment, "150", credit=True)
        assert refund.credit_note.amount == D(50)
        assert (house.due(bill), house.paid(bill)) == (D(0), D(500))
        house.credit(bill, "200")
        assert house.refund(payment, "200", credit=True).credit_note is None

    def test_all_of_a_bill_that_was_credited_nearly_whole(self, house: House) -> None:
        bill, (payment,) = paid(house, "200")
        house.credit(bill, "600")  # 50 are left of it, and 150 are to be given back
        assert house.refund(payment, "200", credit=True).credit_note.amount == D(50)
        assert (house.due(bill), house.paid(bill)) == (D(0), D(0))

    def test_onto_the_patient_s_account_no_cash_moves(self, house: House) -> None:
        bill, (payment,) = paid(house, "650")
        refund = house.refund(payment, "650", to_account=True)
        assert (refund.method, refund.shift_id) == ("account", house.meena.shifts.get().pk)
        assert (on_account(house), house.balance("cash"), house.status(bill)) == (D(650), D(1650), "open")
        house.pay(bill, from_account("650"))
        assert (on_account(house), house.status(bill)) == (D(0), "paid")

    def test_what_came_off_the_account_goes_back_there(self, house: House) -> None:
        house.deposit("650")
        bill, (payment,) = paid(house, from_account("650"))
        assert house.refund(payment, "100").method == "account"
        assert (on_account(house), house.due(bill)) == (D(100), D(100))

    def test_an_advance_is_given_back_as_far_as_it_was_not_spent(self, house: House) -> None:
        (advance,) = house.deposit("500").payments.all()
        house.pay(house.bill("200"), from_account("200"))
        with pytest.raises(AdvanceTooSmall):
            house.refund(advance, "301")
        refund = house.refund(advance, "300")
        assert (refund.method, refund.bill, on_account(house)) == ("cash", None, D(0))
        for wish in ({"to_account": True}, {"credit": True}):
            with pytest.raises(BadInput):
                house.refund(advance, "1", **wish)

    def test_the_kept_rest_of_a_payment_is_given_back_like_an_advance(self, house: House) -> None:
        bill = house.bill("650")
        house.pay(bill, "700", keep_rest=True)
        house.refund(house.payments(None)[0], "50")
        assert (on_account(house), house.due(bill), house.balance("cash")) == (D(0), D(0), D(1650))

    def test_the_reference_of_the_terminal_is_kept(self, house: House) -> None:
        _, (payment,) = paid(house, card("650"))
        refund = house.refund(payment, "50", reference=" RV-1 ")
        assert (refund.method, refund.reference) == ("card", "RV-1")
        assert house.balance("bank") == D(600)

    def test_other_apps_follow_credit_and_refund_in_order(self, house: House) -> None:
        _, (payment,) = paid(house, "650")
        told.clear()
        with override_settings(OPD_BILL_CONSEQUENCES=[f"{__name__}.hear"]):
            house.refund(payment, "150", credit=True)
        assert told == [("credited", D(650), D(-150), 0), ("refunded", D(500), D(0), 1)]


told: list[tuple[str, Decimal, Decimal, int]] = []


def hear(change: BillChange) -> None:
    refunds = change.receipt.refunds.count() if change.receipt else 0
    told.append((change.kind, change.bill.paid, change.bill.due, refunds))


class TestFromWhoseShift:
    def test_a_later_refund_belongs_to_the_shift_that_pays_it(self, house: House) -> None:
        _, (payment,) = paid(house, "650")
        first = house.meena.shifts.get()
        house.close(first, "1650")
        house.later(days=1)
        second = house.open(house.farah, drawer=1)
        refund = house.refund(payment, "650", by=house.farah)
        assert (refund.shift_id, refund.date) == (second.pk, house.now.date())
        assert (shift_report(first).expected, shift_report(second).expected) == (D(1650), D(350))

    @pytest.mark.parametrize("method", ["cash", "card", "bank", "upi", "wallet", "account"])
    def test_every_way_needs_the_open_shift_of_whoever_pays(self, house: House, method: str) -> None:
        house.deposit("650")
        bill, (payment,) = paid(house, Tender(method, D(650), reference=f"{method}-1"))
        house.credit(bill, "100")
        works: list[Callable[..., Any]] = [
            lambda **how: house.refund(payment, "50", **how),
            lambda **how: house.give_back(bill, **how),
            lambda **how: house.refund(payment, "50", to_account=True, **how),
        ]
        for work in works:
            with pytest.raises(RefundNeedsShift) as refused:
                work(by=house.farah)
            assert (refused.value.code, refused.value.status) == ("shift_closed", 409)
            assert "belongs to the shift of whoever gives it" in str(refused.value)
        shift = house.open(house.farah, drawer=1, float_amount="100")
        assert house.refund(payment, "50", by=house.farah).shift_id == shift.pk
        assert house.give_back(bill, by=house.farah).shift_id == shift.pk

    @pytest.mark.parametrize("way", ["650", card("650", "A-1")])
    def test_what_lies_on_an_account_needs_it_too(self, house: House, way: str | Tender) -> None:
        house.deposit(way)
        for by in (house.farah, None):
            with pytest.raises(RefundNeedsShift):
                house.refund_advance("50", by=by)
        house.refund_advance("50")
        assert on_account(house) == D(600)

    def test_who_has_no_drawer_begins_a_shift_with_an_empty_one(self, house: House) -> None:
        _, (payment,) = paid(house, card("650"))
        with pytest.raises(RefundNeedsShift):
            house.refund(payment, "650", by=house.farah)
        shift = house.open(house.farah, drawer=1, float_amount="0")
        house.refund(payment, "650", by=house.farah)
        report = shift_report(shift)
        assert (report.given, report.expected, report.vouchers) == (D(650), D(0), 1)
        house.close(shift, "0")

    @pytest.mark.parametrize("way", ["650", card("650", "A-2")])
    def test_the_clinic_itself_has_no_shift_and_pays_nothing_out(self, house: House, way: str | Tender) -> None:
        bill, (payment,) = paid(house, way)
        house.credit(bill, "100")
        with pytest.raises(RefundNeedsShift):
            house.refund(payment, "50", by=None)
        with pytest.raises(RefundNeedsShift):
            house.give_back(bill, by=None)
        assert house.give_back(bill, to_account=True, by=None).shift_id is None
        assert on_account(house) == D(100)

    def test_a_drawer_does_not_give_what_it_does_not_hold(self, house: House) -> None:
        bill, (payment,) = paid(house, "5000", total="5000")
        house.close(house.meena.shifts.get(), "6000")
        house.open(float_amount="100")
        with pytest.raises(NotInDrawer) as refused:
            house.refund(payment, "100.01")
        assert str(refused.value) == "The drawer holds ₹100.00."
        with pytest.raises(NotInDrawer):
            house.refund(payment, "5000", credit=True)
        assert (house.paid(bill), Refund.objects.count()) == (D(5000), 0)
        house.refund(payment, "100")
        assert house.balance("cash") == 0


class TestOfABill:
    def test_all_that_is_no_longer_owed_the_newest_first_each_by_its_way(self, house: House) -> None:
        bill = house.bill("1000")
        for ways in (["300"], [card("300", "T-1")], ["400"]):
            house.pay(bill, *ways)
        house.credit(bill, "800")
        voucher = house.give_back(bill)
        given = [(one.method, one.amount) for one in voucher.refunds.order_by("pk")]
        assert given == [("cash", D(400)), ("card", D(300)), ("cash", D(100))]
        assert (voucher.number, voucher.due_after) == ("V-2031-000001", D(0))
        assert (house.status(bill), house.paid(bill), house.due(bill)) == ("paid", D(200), D(0))

    def test_pressed_twice_it_is_given_once(self, house: House) -> None:
        bill, _ = paid(house, "650")
        house.credit(bill, "650")
        house.give_back(bill)
        with pytest.raises(NothingToGiveBack) as refused:
            house.give_back(bill)
        assert str(refused.value) == "Nothing is to be given back on B-2031-000001."

    def test_onto_the_account(self, house: House) -> None:
        bill, _ = paid(house, "400", card("250"))
        house.credit(bill, "500")
        voucher = house.give_back(bill, to_account=True, by=None)
        assert {one.method for one in voucher.refunds.all()} == {"account"}
        assert (on_account(house), house.due(bill)) == (D(500), D(0))

    def test_all_the_cash_of_it_must_lie_in_the_drawer(self, house: House) -> None:
        bill, _ = paid(house, "1300", "1700", total="3000")
        house.credit(bill, "3000")
        house.close(house.meena.shifts.get(), "4000")
        house.open(float_amount="2999.99")
        with pytest.raises(NotInDrawer):
            house.give_back(bill)
        assert house.due(bill) == D(-3000)

    def test_nothing_of_a_void_bill_which_has_no_payments(self, house: House) -> None:
        bill = house.bill("650")
        house.void(bill)
        with pytest.raises(NothingToGiveBack):
            house.give_back(bill)


class TestRefused:
    def test_without_a_reason(self, house: House) -> None:
        bill, (payment,) = paid(house, "650")
        with pytest.raises(ReasonNeeded):
            house.refund(payment, "50", reason=" ")
        with pytest.raises(ReasonNeeded):
            house.give_back(bill, reason="")

    @pytest.mark.parametrize("amount", ["0", "-5", "0.001"])
    def test_what_is_no_amount(self, house: House, amount: str) -> None:
        _, (payment,) = paid(house, "650")
        with pytest.raises(BadAmount):
            house.refund(payment, amount)

    def test_a_payment_that_is_not_there(self, house: House) -> None:
        with pytest.raises(UnknownPayment):
            house.refund(0, "5")

    def test_who_may_not(self, house: House) -> None:
        bill, (payment,) = paid(house, card("650"))
        for work in (
            lambda by: house.refund(payment, "5", by=by),
            lambda by: house.give_back(bill, by=by),
            lambda by: house.refund_advance("5", by=by),
        ):
            with pytest.raises(PermissionDenied):
                work(house.person("reception"))

    def test_who_may_refund_and_not_credit_does_not_credit(self, house: House) -> None:
        _, (payment,) = paid(house, card("650"))
        role = Role.objects.create(slug="refunds", name="Refunds")
        RolePermission.objects.create(role=role, permission=Permission.objects.get(code="billing.refund"))
        by = UserFactory(username="only-refunds", roles=["refunds"], facility=house.facility)
        with pytest.raises(PermissionDenied):
            house.refund(payment, "5", credit=True, by=by)
        with pytest.raises(RefundNeedsShift):
            house.refund(payment, "5", by=by)

    def test_another_facility_s_payment_is_not_there(self, house: House) -> None:
        bill, (payment,) = paid(house, card("650"))
        house.credit(bill, "50")
        stranger = UserFactory(username="stranger", roles=["billing-staff"], facility=FacilityFactory(name="Elsewhere"))
        with pytest.raises(OutOfReach) as refused:
            house.refund(payment, "5", by=stranger)
        assert refused.value.attempt["kind"] == "billing.payment"
        with pytest.raises(OutOfReach):
            house.give_back(bill, by=stranger)

    def test_somebody_changed_the_bill_since(self, house: House) -> None:
        _, (payment,) = paid(house, "400")
        version = house.refund(payment, "50").bill.version
        with pytest.raises(PreconditionFailed):
            house.refund(payment, "50", version=version - 1)
        house.refund(payment, "50", version=version)

    def test_what_is_refused_leaves_no_gap_in_the_vouchers(self, house: House) -> None:
        _, (payment,) = paid(house, "650")
        house.refund(payment, "5")
        with pytest.raises(RefundTooLarge):
            house.refund(payment, "646")
        assert house.refund(payment, "5").receipt.number == "V-2031-000002"
