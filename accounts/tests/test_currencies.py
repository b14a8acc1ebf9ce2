"""A facility's currency has two decimals, as money is kept; a house that had another one before goes on."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse

from accounts.models import Facility
from accounts.tests.factories import FacilityFactory, UserFactory
from common.currencies import has_two_decimals

pytestmark = pytest.mark.django_db

TWO = ["INR", "USD", "EUR", "GBP", "NGN", "PHP", "BDT", "NPR", "AED", "SAR", "HUF", "MGA"]
OTHER = ["JPY", "KRW", "VND", "XOF", "KWD", "BHD", "OMR", "TND", "CLF", "XAU"]


@pytest.mark.parametrize("code", TWO)
def test_a_currency_of_two_decimals_is_taken(code: str) -> None:
    assert has_two_decimals(code)
    facility = Facility.objects.create(name="Elsewhere", slug="elsewhere", currency=code)
    facility.full_clean()
    assert Facility.objects.get(pk=facility.pk).currency == code


@pytest.mark.parametrize("code", OTHER)
def test_one_of_none_or_three_is_refused_in_words_and_by_the_database(code: str) -> None:
    assert not has_two_decimals(code)
    facility = FacilityFactory()
    facility.currency = code
    with pytest.raises(ValidationError) as refused:
        facility.full_clean()
    assert "two decimals" in refused.value.message_dict["currency"][0]
    with pytest.raises(IntegrityError, match="have not two decimals"), transaction.atomic():
        facility.save()
    with pytest.raises(IntegrityError, match="have not two decimals"), transaction.atomic():
        Facility.objects.create(name="Elsewhere", slug="elsewhere", currency=code)
    with pytest.raises(IntegrityError, match="have not two decimals"), transaction.atomic():
        Facility.objects.filter(pk=facility.pk).update(currency=code)


def sent(facility: Facility, currency: str, **more: Any) -> Any:
    """The admin's form of a facility, sent by somebody who may."""
    client = Client()
    client.force_login(UserFactory(roles=["admin"]))
    fields = {"name": facility.name, "slug": facility.slug, "time_zone": "Asia/Kolkata", "phone_region": "IN"}
    fields |= {"currency": currency, "is_active": "on", "languages_0": "en", **more}
    return client.post(reverse("admin:accounts_facility_change", args=[facility.pk]), fields)


def test_the_form_says_what_to_do() -> None:
    facility = FacilityFactory()
    answer = sent(facility, "JPY")
    assert answer.status_code == 200
    assert "Choose a currency that has two" in answer.content.decode()
    assert sent(facility, "EUR").status_code == 302
    facility.refresh_from_db()
    assert facility.currency == "EUR"


def test_a_house_that_has_another_one_from_before_goes_on_and_is_edited_as_ever() -> None:
    facility = FacilityFactory()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE accounts_facility SET currency = 'KWD' WHERE id = %s", [facility.pk])
        cursor.execute("SET LOCAL session_replication_role = origin")
    facility.refresh_from_db()
    assert sent(facility, "KWD", name="Gulf Clinic").status_code == 302
    facility.refresh_from_db()
    assert (facility.currency, facility.name) == ("KWD", "Gulf Clinic")
    assert sent(facility, "JPY").status_code == 200
