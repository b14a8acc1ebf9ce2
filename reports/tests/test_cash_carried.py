"""Cash that was carried in and out of a drawer is in what its shift expects, and in no figure of takings."""

from decimal import Decimal
from typing import Any

import pytest

from billing.tests.house import House
from reports.queries import money
from reports.tests.till import scope

pytestmark = pytest.mark.django_db


def test_an_open_shift_and_a_closed_one_expect_what_is_left_and_takings_stay() -> None:
    house = House()
    first, second = house.open(), house.open(house.farah, 1)
    house.pay(house.bill("300"), "300")
    asked = scope(house, "2031-03-03")
    before = money.takings(asked), money.reasons(asked), money.shares(asked)
    for shift in (first, second):
        for kind, amount in (("to_safe", "500"), ("from_safe", "40"), ("paid_out", "60.50"), ("came_back", "0.50")):
            house.move(shift, kind, amount)
    house.close(second, "480")
    assert (money.takings(asked), money.reasons(asked), money.shares(asked)) == before
    found: list[Any] = money.shifts(asked)
    assert [(each.cash, each.expected) for each in found] == [
        (Decimal(300), Decimal(780)),
        (Decimal(0), Decimal(480)),
    ]
