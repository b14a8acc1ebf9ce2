"""Who takes money in one hospital and only sees patients in another learns nothing of the other's bills."""

from decimal import Decimal

import pytest
from django.urls import reverse

from accounts.tests.factories import UserFactory, give_role
from billing.models import BillingSettings
from billing.rules import LineIn
from reception.tests.cashing import CashDesk

pytestmark = pytest.mark.django_db


def test_finding_where_one_may_not_see_bills() -> None:
    mine, theirs = CashDesk(), CashDesk()
    bill = theirs.owe("Sunita", "500")
    user = UserFactory(username="both", roles=["billing-staff"], facility=mine.facility)
    give_role(user=user, role="doctor", facility=theirs.facility)
    client = mine.browser_of(user)
    session = client.session
    session["facility"] = theirs.facility.pk
    session.save()
    for path, asked in ((reverse("cash_find"), {"q": bill.number}), (reverse("cash"), {"bill": bill.pk})):
        answer = client.get(path, asked)
        assert answer.status_code in (403, 404), path
        assert "Sunita" not in answer.content.decode()


@pytest.mark.parametrize("name", ["patient", "token"])
def test_a_patient_of_where_one_may_not_see_bills(name: str) -> None:
    mine, theirs = CashDesk(), CashDesk()
    bill = theirs.owe("Sunita", "500")
    token = theirs.give(bill.patient, "online")
    user = UserFactory(username="both", roles=["billing-staff"], facility=mine.facility)
    give_role(user=user, role="doctor", facility=theirs.facility)
    client = mine.browser_of(user)
    session = client.session
    session["facility"] = mine.facility.pk
    session.save()
    answer = client.get(reverse("cash"), {name: bill.patient_id if name == "patient" else token.pk})
    assert answer.status_code in (403, 404)
    assert bill.number not in answer.content.decode()


def test_an_address_has_digits_from_0_to_9() -> None:
    desk = CashDesk()
    bill = desk.owe("Sunita", "500")
    assert desk.meena.get(reverse("cash"), {"bill": bill.pk}).status_code == 200
    arabic = str(bill.pk).translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))
    assert desk.meena.get(reverse("cash"), {"bill": arabic}).status_code == 404


def test_a_bill_that_names_another_house_s_token_tells_nothing_of_it() -> None:
    """Lines may name anything; whether that token exists and could have priority is not the clinic's to know."""
    mine, theirs = CashDesk(), CashDesk()
    BillingSettings.objects.update(priority_fee=300)
    for token in (theirs.give(theirs.patient("Sunita"), "online"), mine.give(mine.patient("Omar"), "online")):
        line = LineIn("Consultation", Decimal(5), item_type="consultation", item_id=token.pk)
        bill = mine.owe("Ravi", lines=[line], draft=True)
        page = mine.meena.get(reverse("cash"), {"bill": bill.pk}).content.decode()
        mine_is_it = token.session.facility_id == mine.facility.pk
        assert (f"do=priority&amp;token={token.pk}" in page) is mine_is_it
        assert (reverse("token", args=[token.pk]) in page) is mine_is_it


@pytest.mark.parametrize(
    ("name", "sent"),
    [("cash_close_shift", {"shift": "x"}), ("cash_open_shift", {"float": "x"}), ("cash_look", {}), ("cash_void", {})],
)
def test_a_form_that_is_wrong_shows_no_list_to_who_may_not_see_it(name: str, sent: dict[str, str]) -> None:
    desk = CashDesk()
    desk.owe("Sunita", "500")
    doctor = desk.browser_of(UserFactory(username="doctor", roles=["doctor"], facility=desk.facility))
    answer = doctor.post(reverse(name), {**sent, "key": "once"})
    assert answer.status_code == 403
    assert "Sunita" not in answer.content.decode()
