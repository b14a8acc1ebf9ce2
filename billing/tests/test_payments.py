"""Taking money: tenders, change, part payments, advances, references, and what is refused."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import override_settings

from accounts.actions import give_role
from accounts.errors import OutOfReach, PermissionDenied
from accounts.tests.factories import FacilityFactory, UserFactory
from billing.changes import BillChange
from billing.errors import (
    AdvanceTooSmall,
    BillNotOpen,
    NotIssued,
    Overpayment,
    ReferenceNeeded,
    ReferenceUsed,
    ShiftClosed,
    UnknownBill,
)
from billing.models import LedgerTransaction, Payment, Receipt
from billing.queries import advance_balance
from billing.tenders import Tender
from billing.tests.house import D, House, card, from_account
from common.errors import BadInput, NotFound, PreconditionFailed
from common.testing.races import race
from patients.actions import mark_merged


def handed(amount: str, tendered: str) -> Tender:
    return Tender("cash", D(amount), tendered=D(tendered))


@pytest.fixture
def house(db: None) -> House:
    house = House()
    house.open()
    return house


def written() -> tuple[int, int, int]:
    """How much there is of what a payment leaves behind."""
    return Payment.objects.count(), Receipt.objects.count(), LedgerTransaction.objects.filter(kind="payment").count()


# --- a bill is paid -------------------------------------------------------------------------------------------------


class TestPaying:
    def test_cash_pays_a_bill_and_the_receipt_says_so(self, house: House) -> None:
        bill = house.bill("500", "150")
        receipt = house.pay(bill, "650")
        assert (house.status(bill), house.paid(bill), house.due(bill)) == ("paid", D(650), D(0))
        assert (receipt.number, receipt.due_after, receipt.tendered, receipt.change) == ("R-2031-000001", 0, 650, 0)
        assert (receipt.bill.due, receipt.bill.status) == (D(0), "paid")
        (payment,) = house.payments(bill)
        assert (payment.method, payment.amount, payment.receipt_id) == ("cash", D(650), receipt.pk)
        assert (payment.shift_id, payment.by) == (house.meena.shifts.get().pk, house.meena)
        assert house.balance("cash") == D(1650)
        assert house.balance("receivable", bill=bill) == 0

    def test_the_change_due_stands_on_the_receipt(self, house: House) -> None:
        receipt = house.pay(house.bill("650"), handed("650", "1000"))
        assert (receipt.tendered, receipt.change) == (D(1000), D(350))
        assert house.balance("cash") == D(1650)

    def test_part_by_part(self, house: House) -> None:
        bill = house.bill("650")
        assert house.pay(bill, "200").due_after == D(450)
        assert house.status(bill) == "part_paid"
        assert house.pay(bill, card("450")).due_after == 0
        assert house.status(bill) == "paid"
        numbers = Receipt.objects.order_by("pk").values_list("number", flat=True)
        assert list(numbers) == ["R-2031-000001", "R-2031-000002"]

    def test_several_ways_at_once_are_one_receipt(self, house: House) -> None:
        bill = house.bill("1000")
        receipt = house.pay(bill, card("400"), Tender("upi", D(100), "U-1"), handed("300", "500"))
        assert [(one.method, one.amount) for one in receipt.payments.order_by("pk")] == [
            ("card", D(400)),
            ("upi", D(100)),
            ("cash", D(300)),
        ]
        assert (receipt.tendered, receipt.change, receipt.due_after) == (D(500), D(200), D(200))
        assert house.balance("bank") == D(500)

    def test_the_date_is_the_facility_s(self, db: None) -> None:
        house = House(zone="Etc/GMT-14")
        house.open()
        house.later(hours=3)  # 12:00 in UTC is already the next day there
        (payment,) = house.pay(house.bill("5"), "5").payments.all()
        assert payment.date == house.facility.local_date(house.now) != house.now.date()

    def test_what_comes_by_card_belongs_to_the_shift_where_there_is_one(self, house: House) -> None:
        house.pay(house.bill("5"), card("5"))
        house.pay(house.bill("5"), card("5"), by=house.farah)
        house.pay(house.bill("5"), card("5"), by=None)
        shifts = [payment.shift_id for payment in Payment.objects.order_by("pk")]
        assert shifts == [house.meena.shifts.get().pk, None, None]

    def test_other_apps_follow_in_the_same_transaction(self, house: House) -> None:
        bill = house.bill("650")
        told.clear()
        with override_settings(OPD_BILL_CONSEQUENCES=[f"{__name__}.hear"], OPD_BILL_LOCKS=[f"{__name__}.lock"]):
            house.pay(bill, "200")
        locked, change = told
        assert list(locked) == [bill]
        assert (change.kind, change.bill.status, change.bill.due, change.by) == ("paid", "part_paid", 450, house.meena)
        assert [payment.amount for payment in change.receipt.payments.all()] == [D(200)]

    def test_what_another_app_refuses_does_not_happen(self, house: House) -> None:
        bill = house.bill("650")
        before = written()
        with override_settings(OPD_BILL_CONSEQUENCES=[f"{__name__}.refuse"]), pytest.raises(BadInput):
            house.pay(bill, "200")
        assert (written(), house.status(bill)) == (before, "open")
        assert house.pay(bill, "200").number == "R-2031-000001"


told: list[Any] = []


def hear(change: BillChange) -> None:
    told.append(change)


def lock(bill_ids: list[int]) -> None:
    told.append(bill_ids)


def refuse(change: BillChange) -> None:
    raise BadInput


class TestMoreThanIsDue:
    def test_it_is_refused(self, house: House) -> None:
        bill = house.bill("650")
        with pytest.raises(Overpayment) as refused:
            house.pay(bill, "700")
        assert refused.value.code == "overpayment"
        assert str(refused.value).startswith("₹650.00 are due on B-2031-000001, and ₹700.00 would be paid.")
        assert (house.due(bill), written()) == (D(650), (0, 0, 0))

    def test_or_the_rest_stays_on_the_account_as_the_cashier_says(self, house: House) -> None:
        bill = house.bill("650")
        receipt = house.pay(bill, handed("700", "1000"), keep_rest=True)
        paid, kept = receipt.payments.order_by("pk")
        assert (paid.bill_id, paid.amount) == (bill, D(650))
        assert (kept.bill_id, kept.amount, kept.rest_of_id, kept.method) == (None, D(50), paid.pk, "cash")
        assert (receipt.change, house.status(bill)) == (D(300), "paid")
        assert advance_balance(house.facility.pk, house.patient.pk) == D(50)
        assert house.balance("cash") == D(1700)

    def test_the_rest_of_a_card_payment_carries_its_reference(self, house: House) -> None:
        receipt = house.pay(house.bill("650"), card("700", "T-77"), keep_rest=True)
        assert [one.reference for one in receipt.payments.all()] == ["T-77", "T-77"]

    def test_a_tender_that_is_not_needed_at_all_is_an_advance(self, house: House) -> None:
        receipt = house.pay(house.bill("650"), "650", card("100"), keep_rest=True)
        kept = receipt.payments.get(method="card")
        assert (kept.bill_id, kept.rest_of_id, kept.amount) == (None, None, D(100))

    def test_nothing_from_the_account_can_be_kept_on_the_account(self, house: House) -> None:
        house.deposit("1000")
        with pytest.raises(Overpayment):
            house.pay(house.bill("650"), from_account("700"), keep_rest=True)

    def test_exactly_what_is_due_leaves_no_rest(self, house: House) -> None:
        assert house.pay(house.bill("650"), "650", keep_rest=True).payments.count() == 1


class TestFromTheAccount:
    def test_an_advance_pays_a_later_bill(self, house: House) -> None:
        receipt = house.deposit("500", card("200"))
        assert (receipt.bill_id, receipt.payments.count(), receipt.due_after) == (None, 2, D(0))
        bill = house.bill("650")
        house.pay(bill, from_account("600"), "50")
        assert house.status(bill) == "paid"
        assert advance_balance(house.facility.pk, house.patient.pk) == D(100)
        assert house.balance("advance", patient=house.patient.pk) == D(-100)
        assert house.balance("cash") == D(1550)

    def test_it_holds_only_what_was_paid_in(self, house: House) -> None:
        house.deposit("500")
        bill = house.bill("650")
        with pytest.raises(AdvanceTooSmall) as refused:
            house.pay(bill, from_account("500.01"))
        assert str(refused.value) == "The account of the patient holds ₹500.00."
        with pytest.raises(AdvanceTooSmall):
            house.pay(house.bill("5", patient=house.newcomer()), from_account("5"))
        house.pay(bill, from_account("500"))
        assert house.due(bill) == D(150)

    def test_two_sums_off_the_account_are_weighed_together(self, house: House) -> None:
        house.deposit("500")
        with pytest.raises(AdvanceTooSmall):
            house.pay(house.bill("650"), from_account("300"), from_account("300"))

    def test_records_that_were_merged_have_one_account(self, house: House) -> None:
        known_as, real = house.newcomer(), house.newcomer()
        house.deposit("300", patient=known_as)
        house.deposit("200", patient=real)
        bill = house.bill("500", patient=known_as)
        mark_merged(patient_id=known_as.pk, into_id=real.pk, by=None)
        house.deposit("100", patient=known_as)  # whoever names the old record means the patient
        here = house.facility.pk
        assert advance_balance(here, known_as.pk) == advance_balance(here, real.pk) == D(600)
        house.pay(bill, from_account("500"))
        assert advance_balance(here, real.pk) == D(100)

    def test_an_advance_does_not_come_from_the_account(self, house: House) -> None:
        with pytest.raises(BadInput):
            house.deposit(from_account("5"))

    def test_an_advance_of_another_facility_s_patient_is_not_taken(self, house: House) -> None:
        elsewhere = House()
        with pytest.raises(OutOfReach):
            house.deposit("5", patient=elsewhere.patient)
        with pytest.raises(NotFound):
            house.deposit(card("5"), patient=elsewhere.patient, by=None)


# --- the same twice -------------------------------------------------------------------------------------------------


class TestTheSameReferenceAgain:
    def test_is_the_same_payment(self, house: House) -> None:
        bill = house.bill("650")
        first = house.pay(bill, card("650", "T-1"), version=2)
        again = house.pay(bill, card("650", "T-1"), version=2)  # whatever it read: what it asks for is done
        assert (again, again.bill.due, written()) == (first, D(0), (1, 1, 1))
        assert house.paid(bill) == D(650)

    def test_with_all_that_came_beside_it(self, house: House) -> None:
        bill = house.bill("650")
        tenders = (card("600", "T-1"), handed("100", "500"))
        first = house.pay(bill, *tenders, keep_rest=True)
        assert house.pay(bill, *tenders, keep_rest=True) == first
        assert written() == (3, 1, 3)

    @pytest.mark.parametrize(
        "other",
        [
            lambda house, bill: house.pay(bill, card("100", "T-1")),
            lambda house, bill: house.pay(bill, card("200", "T-1"), "50"),
            lambda house, bill: house.pay(bill, card("200", "T-1"), card("50", "T-2")),
            lambda house, bill: house.pay(house.bill("200"), card("200", "T-1")),
            lambda house, bill: house.deposit(card("200", "T-1")),
            lambda house, bill: house.deposit(card("200", "T-1"), patient=house.newcomer()),
        ],
    )
    def test_elsewhere_is_refused(self, house: House, other: Callable[[House, int], object]) -> None:
        bill = house.bill("650")
        house.pay(bill, card("200", "T-1"))
        with pytest.raises(ReferenceUsed) as refused:
            other(house, bill)
        assert "T-1" in str(refused.value)
        assert written() == (1, 1, 1)

    def test_of_an_advance_too(self, house: House) -> None:
        first = house.deposit(card("200", "T-1"))
        assert house.deposit(card("200", "T-1")) == first
        with pytest.raises(ReferenceUsed):
            house.deposit(card("200", "T-1"), patient=house.newcomer())
        assert written() == (1, 1, 1)

    def test_another_way_or_another_facility_has_references_of_its_own(self, house: House) -> None:
        house.pay(house.bill("5"), card("5", "T-1"))
        house.pay(house.bill("5"), Tender("upi", D(5), "T-1"))
        elsewhere = House()
        elsewhere.pay(elsewhere.bill("5"), card("5", "T-1"))
        assert Payment.objects.count() == 3

    def test_cash_may_carry_a_reference_too(self, house: House) -> None:
        bill = house.bill("650")
        same = Tender("cash", D(50), "till-9-0001")
        assert house.pay(bill, same) == house.pay(bill, same)
        assert house.paid(bill) == D(50)


@pytest.mark.django_db(transaction=True)
class TestTheSameReferenceAtTheSameMoment:
    def test_for_one_bill_it_is_one_payment_and_both_get_the_receipt(self) -> None:
        house = House()
        bill = house.bill("650")
        done = race([lambda: house.pay(bill, card("650", "T-1"), by=None)] * 4)
        assert not done.raised
        assert len({receipt.pk for receipt in done.returned}) == 1
        assert (written(), house.paid(bill)) == ((1, 1, 1), D(650))

    def test_for_two_bills_one_is_refused_in_words(self) -> None:
        house = House()
        bills = [house.bill("650"), house.bill("650", patient=house.newcomer())]
        done = race([lambda one=one: house.pay(one, card("650", "T-1"), by=None) for one in bills])
        (refused,) = done.raised
        assert isinstance(refused, ReferenceUsed)
        assert written() == (1, 1, 1)

    def test_onto_one_account_it_is_one_advance(self) -> None:
        house = House()
        done = race([lambda: house.deposit(card("650", "T-1"), by=None)] * 4)
        assert not done.raised
        assert len({receipt.pk for receipt in done.returned}) == 1
        assert advance_balance(house.facility.pk, house.patient.pk) == D(650)


# --- what is refused ------------------------------------------------------------------------------------------------


class TestRefused:
    def test_a_void_bill_cannot_be_paid(self, house: House) -> None:
        bill = house.bill("650")
        house.void(bill)
        with pytest.raises(BillNotOpen) as refused:
            house.pay(bill, "650")
        assert str(refused.value) == "B-2031-000001 is void: there is nothing to pay."

    def test_nor_one_paid_meanwhile(self, house: House) -> None:
        bill = house.bill("650")
        house.pay(bill, "650")
        with pytest.raises(BillNotOpen):
            house.pay(bill, "650")
        assert written() == (1, 1, 1)

    def test_nor_a_draft_nor_a_bill_of_nothing(self, house: House) -> None:
        with pytest.raises(NotIssued):
            house.pay(house.bill("650", draft=True), "5", keep_rest=True)
        with pytest.raises(BillNotOpen):
            house.pay(house.bill("0"), "5", keep_rest=True)

    def test_a_bill_that_is_not_there(self, house: House) -> None:
        with pytest.raises(UnknownBill):
            house.pay(0, "5")

    def test_cash_needs_an_open_shift_of_the_cashier_in_this_facility(self, house: House) -> None:
        bill = house.bill("650")
        elsewhere = House()
        elsewhere.open()
        both = UserFactory(username="both")
        for at in (house, elsewhere):
            give_role(user=both, role="billing-staff", facility=at.facility)
        elsewhere.open(both, drawer=1)
        for by in (house.farah, both, None):
            with pytest.raises(ShiftClosed) as refused:
                house.pay(bill, "650", by=by)
            assert refused.value.code == "shift_closed"
        assert written() == (0, 0, 0)

    def test_nor_in_a_shift_that_is_closed(self, house: House) -> None:
        house.close(house.meena.shifts.get(), "1000")
        with pytest.raises(ShiftClosed):
            house.pay(house.bill("650"), "650")

    def test_who_may_not_take_money_does_not(self, house: House) -> None:
        with pytest.raises(PermissionDenied):
            house.pay(house.bill("650"), card("650"), by=house.person("reception"))

    def test_a_bill_of_another_facility_is_not_there_and_the_attempt_is_known(self, house: House) -> None:
        stranger = UserFactory(username="stranger", roles=["billing-staff"], facility=FacilityFactory(name="Elsewhere"))
        bill = house.bill("650")
        with pytest.raises(OutOfReach) as refused:
            house.pay(bill, card("650"), by=stranger)
        assert (refused.value.status, refused.value.attempt["object_id"]) == (404, bill)

    def test_somebody_changed_it_since_it_was_read(self, house: House) -> None:
        bill = house.bill("650")
        version = house.pay(bill, "50").bill.version
        with pytest.raises(PreconditionFailed):
            house.pay(bill, "50", version=version - 1)
        house.pay(bill, "50", version=version)

    def test_what_is_refused_leaves_no_gap_in_the_numbers(self, house: House) -> None:
        bill = house.bill("650")
        with pytest.raises(Overpayment):
            house.pay(bill, "651")
        house.pay(bill, "5")
        with pytest.raises(ReferenceNeeded):
            house.pay(bill, Tender("card", D(5)))
        assert house.pay(bill, "5").number == "R-2031-000002"
