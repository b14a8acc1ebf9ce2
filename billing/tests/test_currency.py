"""No amount says its currency, so a facility's currency stays once there are amounts in it."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError, connection, transaction

from accounts.models import Facility
from accounts.tests.test_currencies import sent
from billing.models import BillingSettings, Price
from billing.tests.house import DAY, House, rows

pytestmark = pytest.mark.django_db

MONEY: dict[str, Callable[[House], Any]] = {
    "a bill": lambda house: house.bill("650"),
    "a draft": lambda house: house.bill("650", draft=True),
    "a draft that was laid aside": lambda house: house.void(house.bill("650", draft=True)),
    "an advance": lambda house: house.deposit("5", by=house.meena) if house.open() else None,
    "a shift without a float": lambda house: house.open(float_amount="0"),
}


def currency(house: House) -> str:
    """What is stored."""
    return Facility.objects.get(pk=house.facility.pk).currency


@pytest.mark.parametrize("made", MONEY)
def test_once_there_is_money_the_database_refuses_another_one(made: str) -> None:
    house = House()
    MONEY[made](house)
    with pytest.raises(IntegrityError, match="the money of facility"), transaction.atomic():
        Facility.objects.filter(pk=house.facility.pk).update(currency="USD")
    assert currency(house) == "INR"


@pytest.mark.parametrize("made", MONEY)
def test_the_form_says_so_at_the_field(made: str) -> None:
    house = House()
    MONEY[made](house)
    refused = sent(house.facility, "USD")
    assert refused.status_code == 200
    assert list(refused.context["adminform"].form.errors) == ["currency"]
    assert "Bills and shifts of this facility are in INR" in refused.content.decode()
    assert currency(house) == "INR"


def test_everything_else_of_the_facility_is_changed_as_ever() -> None:
    house = House()
    house.bill("650")
    assert sent(house.facility, "INR", name="Sunrise Clinic").status_code == 302
    assert Facility.objects.get(pk=house.facility.pk).name == "Sunrise Clinic"
    Facility.objects.filter(pk=house.facility.pk).update(currency="INR")


def test_what_is_only_set_up_and_money_elsewhere_hold_nothing_back() -> None:
    house, elsewhere = House(), House()
    elsewhere.bill("650")
    BillingSettings.objects.create(facility=house.facility)
    Price.objects.create(
        facility=house.facility, code="ecg", name="ECG", item_type="service", amount=650, valid_from=DAY
    )
    assert sent(house.facility, "USD").status_code == 302
    assert currency(house) == "USD"


@pytest.mark.django_db(transaction=True)
def test_whoever_writes_the_first_bill_at_this_moment_is_waited_for() -> None:
    house, other = House(), connection.copy()
    try:
        other.set_autocommit(False)
        with other.cursor() as cursor:  # as every row does that refers to the facility
            cursor.execute("SELECT FROM accounts_facility WHERE id = %s FOR KEY SHARE", [house.facility.pk])
        with transaction.atomic():
            rows("SET LOCAL lock_timeout = '1ms'")
            with pytest.raises(OperationalError, match="lock timeout"), transaction.atomic():
                Facility.objects.filter(pk=house.facility.pk).update(currency="USD")
    finally:
        other.close()
    Facility.objects.filter(pk=house.facility.pk).update(currency="USD")
    assert currency(house) == "USD"
