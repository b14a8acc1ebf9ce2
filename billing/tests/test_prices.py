"""The price list and taxes as data: what is in force on a day, and the line it makes."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from billing.models import Price, TaxRate
from billing.prices import line_of
from billing.queries import price_list
from billing.rules import LineIn, Off, totals
from billing.tests.house import DAY, House

pytestmark = pytest.mark.django_db

LATER = date(2031, 6, 1)


@pytest.fixture
def house() -> House:
    return House()


def price(house: House, amount: str, **more: Any) -> Price:
    common: dict[str, Any] = {"code": "x-ray", "name": "X-ray, chest", "item_type": "test", "valid_from": DAY}
    return Price.objects.create(facility=house.facility, amount=Decimal(amount), **(common | more))


def tax(house: House, percent: str, **more: Any) -> TaxRate:
    common: dict[str, Any] = {"name": "GST", "valid_from": DAY}
    return TaxRate.objects.create(facility=house.facility, percent=Decimal(percent), **(common | more))


def test_a_new_amount_is_a_new_row_and_each_has_its_days(house: House) -> None:
    price(house, "300", valid_until=date(2031, 5, 31))
    price(house, "350", valid_from=LATER)
    listed = {on: [one.amount for one in price_list(house.facility.pk, on)] for on in (DAY, date(2031, 5, 31), LATER)}
    assert listed == {DAY: [300], date(2031, 5, 31): [300], LATER: [350]}
    assert not price_list(house.facility.pk, date(2031, 3, 2))
    assert not price_list(House().facility.pk, DAY)


def test_a_price_makes_a_line_with_its_department_item_and_tax(house: House) -> None:
    one = price(house, "300", item_id=4, department=house.departments[0], tax=tax(house, "12", included=True))
    assert line_of(one, Decimal(2), on=DAY, off=Off.parse("5%"), discount_reason="Staff") == LineIn(
        "X-ray, chest", Decimal(300), Decimal(2), Off.parse("5%"), "Staff", Decimal(12), True, "test", 4,
        house.departments[0].pk,
    )  # fmt: skip


def test_a_tax_that_has_another_percentage_by_now_has_it_on_the_bill(house: House) -> None:
    one = price(house, "100", tax=tax(house, "12", valid_until=date(2031, 5, 31)))
    tax(house, "18", valid_from=LATER)
    sums = [totals([line_of(one, on=on)]).tax for on in (DAY, date(2031, 5, 31), LATER)]
    assert sums == [12, 12, 18]


def test_a_tax_that_ended_is_not_taken(house: House) -> None:
    one = price(house, "100", tax=tax(house, "12", valid_until=date(2031, 5, 31)))
    assert line_of(one, on=LATER).tax_percent == 0
    assert line_of(price(house, "5", code="y"), on=DAY).tax_percent == 0


def test_a_bill_that_was_issued_keeps_its_price_and_tax(house: House) -> None:
    rate = tax(house, "12")
    bill = house.bill(lines=[line_of(price(house, "100", tax=rate), on=DAY)])
    Price.objects.update(amount=500)
    TaxRate.objects.update(percent=28)
    assert house.due(bill) == 112
