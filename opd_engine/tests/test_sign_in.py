"""Where people find themselves after signing in, and what `/` leads to."""

import pytest
from django.test import Client

from accounts.tests.factories import PASSWORD, UserFactory
from scheduling.tests.factories import DoctorFactory

pytestmark = pytest.mark.django_db

HOMES = {
    "reception": "/desk/",
    "billing-staff": "/cash/",
    "lab-technician": "/desk/",
    "pharmacist": "/desk/",
    "manager": "/overview/",
    "kiosk": "/kiosk/",
}


def lands(user, **form):
    response = Client().post("/accounts/login/", {"login": user.username, "password": PASSWORD, **form})
    return response["Location"]


@pytest.mark.parametrize("role", HOMES)
def test_everybody_begins_where_they_work(role):
    doctor = DoctorFactory()
    user = UserFactory(roles=[role], facility=doctor.facility)
    assert lands(user) == HOMES[role]
    client = Client()
    client.force_login(user)
    assert client.get("/")["Location"] == HOMES[role]


def test_a_doctor_begins_at_the_console_and_a_page_that_was_asked_for_comes_first():
    doctor = DoctorFactory()
    doctor.user = UserFactory(roles=["doctor"], facility=doctor.facility)
    doctor.save()
    assert lands(doctor.user) == "/console/"
    assert lands(doctor.user, next="/desk/") == "/desk/"


def test_the_administrator_begins_at_the_desk_and_a_stranger_signs_in_first():
    assert lands(UserFactory(roles=["super-admin"])) == "/desk/"
    assert Client().get("/")["Location"] == "/accounts/login/"
