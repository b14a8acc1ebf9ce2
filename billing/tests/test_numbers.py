"""Numbers without gaps, by facility, kind and year."""

import datetime as dt

import pytest
from django.db import transaction

from billing.models import Bill, Counter
from billing.numbers import next_number
from billing.states import CounterKind
from billing.tests.house import House, gapless, numbers

pytestmark = pytest.mark.django_db

DAY = dt.date(2026, 12, 31)


@pytest.fixture
def house() -> House:
    return House()


def test_the_first_is_one_and_the_next_is_one_more(house: House) -> None:
    given = [next_number(house.facility.pk, CounterKind.BILL, DAY) for _ in range(3)]
    assert given == ["B-2026-000001", "B-2026-000002", "B-2026-000003"]


def test_each_kind_year_and_facility_counts_for_itself(house: House) -> None:
    next_number(house.facility.pk, CounterKind.BILL, DAY)
    assert next_number(house.facility.pk, CounterKind.RECEIPT, DAY) == "R-2026-000001"
    assert next_number(house.facility.pk, CounterKind.BILL, DAY + dt.timedelta(days=1)) == "B-2027-000001"
    assert next_number(House().facility.pk, CounterKind.BILL, DAY) == "B-2026-000001"


def test_after_a_million_the_number_grows(house: House) -> None:
    Counter.objects.create(facility=house.facility, kind="B", year=2026, last=999_999)
    assert next_number(house.facility.pk, CounterKind.BILL, DAY) == "B-2026-1000000"


def test_a_rollback_gives_the_number_back(house: House) -> None:
    with transaction.atomic():
        next_number(house.facility.pk, CounterKind.BILL, DAY)
        transaction.set_rollback(True)
    assert next_number(house.facility.pk, CounterKind.BILL, DAY) == "B-2026-000001"


def test_the_year_is_that_of_the_facility(house: House) -> None:
    kolkata = House(zone="Asia/Kolkata")
    kolkata.now = dt.datetime(2031, 12, 31, 18, 30, tzinfo=dt.UTC)  # midnight there
    house.now = kolkata.now
    there, here = (Bill.objects.get(pk=each.bill("10")) for each in (kolkata, house))
    assert (there.number, here.number) == ("B-2032-000001", "B-2031-000001")


def test_drafts_and_what_was_refused_leave_no_gap(house: House) -> None:
    house.bill("10")
    house.bill("10", draft=True)
    with pytest.raises(Exception, match="above zero"):
        house.bill("-10")
    house.bill("10")
    assert numbers(house.facility.pk) == [1, 2]
    assert gapless(numbers(house.facility.pk))
