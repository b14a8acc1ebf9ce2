"""Taking money: tenders, change, part payments, advances, references, and what is refused."""

from decimal import Decimal

import pytest

from billing.models import Payment, Receipt
from billing.tests.house import House, card, from_account

pytestmark = pytest.mark.django_db


def D(amount: str) -> Decimal:  # noqa: N802
    return Decimal(amount)


@pytest.fixture
def house() -> House:
    house = House()
    house.open()
    return house


class TestOneWay:
    def test_cash_pays_a_bill_and_the_receipt_says_so(self, house: House) -> None:
        bill = house.bill("500", "150")
        receipt = house.pay(bill, "650")
        assert (house.status(bill), house.paid(bill), house.due(bill)) == ("paid", D("650"), D("0"))
        assert (receipt.number, receipt.due_after, receipt.change) == ("R-2031-000001", D("0"), D("0"))
        assert receipt.bill.due == D("0")
        (payment,) = house.payments(bill)
        assert (payment.method, payment.amount, payment.receipt) == ("cash", D("650"), receipt)
        assert house.balance("cash") == D("1650")

    def test_part_by_part(self, house: House) -> None:
        bill = house.bill("650")
        assert house.pay(bill, "200").due_after == D("450")
        assert house.status(bill) == "part_paid"
        assert house.pay(bill, card("450")).due_after == D("0")
        assert house.status(bill) == "paid"
        assert [one.number for one in Receipt.objects.order_by("pk")] == ["R-2031-000001", "R-2031-000002"]

    def test_smoke(self, house: House) -> None:
        bill = house.bill("650")
        house.pay(bill, card("700"), keep_rest=True)
        assert house.balance("advance") == D("-50")
        two = house.bill("100")
        house.pay(two, from_account("50"), "50")
        refund = house.refund(Payment.objects.filter(bill=two, method="account").get(), "50")
        assert refund.method == "account"
        house.refund_advance("50")
        shift = house.cashiers[0].shifts.get()
        house.close(shift, "1050")
