"""Receipts: what stands on them, and that a second print is a copy with the same number."""

import pytest

from accounts.errors import OutOfReach, PermissionDenied
from accounts.models import User
from accounts.tests.factories import FacilityFactory, UserFactory
from billing.actions import print_receipt
from billing.models import Receipt, ReceiptPrint
from billing.queries import get_receipt, receipt_in_full
from billing.tenders import Tender
from billing.tests.house import D, House, card
from common.errors import NotFound
from common.testing.races import race
from common.transactions import outermost


@pytest.fixture
def house(db: None) -> House:
    house = House()
    house.open()
    return house


def printed(house: House, receipt: Receipt, by: User | None = None) -> int:
    return outermost(lambda: print_receipt(receipt_id=receipt.pk, by=by or house.meena)).copy


class TestWhatStandsOnIt:
    def test_the_bill_what_was_paid_before_and_what_is_still_due(self, house: House) -> None:
        bill = house.bill("500", "300", "100")
        before = house.pay(bill, Tender("upi", D(200), "U-1"))
        house.refund(before.payments.get(), "50")
        receipt = house.pay(bill, Tender("cash", D(600), tendered=D(1000)))
        house.pay(bill, card("150"))  # later: it is not on the second receipt
        full = receipt_in_full(receipt.pk, house.meena)
        assert [line.description for line in full.lines] == ["Service 1", "Service 2", "Service 3"]
        assert [(one.method, one.amount) for one in full.payments] == [("cash", D(600))]
        assert [(one.method, one.amount) for one in full.paid_before] == [("upi", D(200))]
        assert [one.amount for one in full.given_before] == [D(50)]
        assert (full.amount, full.receipt.change, full.receipt.due_after) == (D(600), D(400), D(150))
        assert (full.bill, full.advances, full.refunds, full.prints) == (receipt.bill, (), (), 0)

    def test_the_rest_that_was_kept(self, house: House) -> None:
        full = receipt_in_full(house.pay(house.bill("650"), "700", keep_rest=True).pk, house.meena)
        assert ([one.amount for one in full.payments], [one.amount for one in full.advances]) == ([D(650)], [D(50)])
        assert full.amount == D(700)

    def test_an_advance_has_no_bill(self, house: House) -> None:
        full = receipt_in_full(house.deposit("500").pk, house.meena)
        assert (full.bill, full.lines, full.paid_before, full.amount) == (None, (), (), D(500))

    def test_a_voucher(self, house: House) -> None:
        bill = house.bill("650")
        payment = house.pay(bill, "650").payments.get()
        full = receipt_in_full(house.refund(payment, "150").receipt.pk, house.meena)
        assert (full.receipt.number, full.amount, full.payments) == ("V-2031-000001", D(150), ())
        assert [one.reason for one in full.refunds] == ["was not seen"]
        assert full.paid_before == (payment,)

    @pytest.mark.parametrize("with_bill", [True, False])
    def test_in_a_known_number_of_queries(
        self, house: House, with_bill: bool, django_assert_num_queries: object
    ) -> None:
        receipt = house.pay(house.bill(*["5"] * 9), "20", card("5")) if with_bill else house.deposit("5", card("7"))
        assert house.meena.grants
        with django_assert_num_queries(5 if with_bill else 4):  # type: ignore[operator]
            full = receipt_in_full(receipt.pk, house.meena)
            assert [full.receipt.patient.name, full.receipt.by, len(full.lines), full.amount]
            assert full.receipt.shift is not None
            assert full.receipt.shift.drawer.name


class TestPrinting:
    def test_the_first_is_the_receipt_every_other_a_copy_with_the_same_number(self, house: House) -> None:
        receipt = house.pay(house.bill("650"), "650")
        assert [printed(house, receipt) for _ in range(3)] == [0, 1, 2]
        assert Receipt.objects.get().number == receipt.number
        assert receipt_in_full(receipt.pk, house.meena).prints == 3
        assert set(ReceiptPrint.objects.values_list("by", flat=True)) == {house.meena.pk}

    def test_each_receipt_counts_its_own(self, house: House) -> None:
        bill = house.bill("650")
        one, two = house.pay(bill, "5"), house.pay(bill, "5")
        assert [printed(house, one), printed(house, two), printed(house, one)] == [0, 0, 1]

    def test_another_facility_s_is_not_there(self, house: House) -> None:
        receipt = house.pay(house.bill("650"), "650")
        stranger = UserFactory(username="stranger", roles=["billing-staff"], facility=FacilityFactory(name="Elsewhere"))
        with pytest.raises(OutOfReach) as refused:
            printed(house, receipt, by=stranger)
        assert refused.value.attempt["object_id"] == receipt.pk
        with pytest.raises(OutOfReach):
            get_receipt(receipt.pk, stranger)
        with pytest.raises(PermissionDenied):
            printed(house, receipt, by=house.person("doctor"))
        with pytest.raises(NotFound):
            get_receipt(0, stranger)
        with pytest.raises(NotFound):
            printed(house, Receipt(pk=0))


@pytest.mark.django_db(transaction=True)
def test_two_who_print_at_once_hold_the_receipt_and_one_copy() -> None:
    house = House()
    receipt = house.pay(house.bill("650"), card("650"))
    done = race([lambda: printed(house, receipt)] * 4)
    assert sorted(done.returned) == [0, 1, 2, 3]
