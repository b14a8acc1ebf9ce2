"""Who takes money in one hospital and only sees patients in another learns nothing of the other's bills."""

import pytest
from django.urls import reverse

from accounts.tests.factories import UserFactory, give_role
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
