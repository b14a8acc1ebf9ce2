"""Simulations over REST: the contract's names, who may ask, and what is refused."""

from datetime import timedelta

import pytest
from rest_framework.test import APIClient

from accounts.actions import give_role
from accounts.models import Facility, User
from tokens.models import Token
from tokens.simulation.bookings import make_up
from tokens.simulation.real_day import RealDay
from tokens.tests.test_simulation import CONTRACT

URL = "/api/v1/simulations/"
AGAIN = "/api/v1/simulations/replay/"
SMALL = {"doctors": 3, "slots_per_doctor": 3, "capacity": 2, "requests": 20, "seed": 7}

pytestmark = pytest.mark.django_db


@pytest.fixture
def past_day():
    bookings = make_up(30, seed=1)
    return RealDay(bookings, policy="considerate", supply=0.7, seed=1).play().facility, bookings[0].day


def client(role, facility):
    user = User.objects.create(username=f"{role}-{facility.slug}")
    give_role(user=user, role=role, facility=facility)
    signed_in = APIClient()
    signed_in.force_authenticate(user)
    return signed_in


@pytest.fixture
def elsewhere():
    return Facility.objects.create(name="Lakeside", slug="lakeside")


def test_the_answer_has_the_names_of_the_contract_and_is_the_same_for_the_same_seed(elsewhere):
    manager = client("manager", elsewhere)
    first = manager.post(URL, SMALL)
    assert first.status_code == 200
    assert first.json().keys() >= CONTRACT
    assert first.json()["capacity_violations"] == 0
    assert first.json() == manager.post(URL, SMALL).json()
    assert not Token.objects.exists()


@pytest.mark.parametrize(
    ("body", "attr"),
    [
        ({"doctors": 0}, "doctors"),
        ({"doctors": "many"}, "doctors"),
        ({"requests": 2001}, "requests"),
        ({"capacity": None}, "capacity"),
        ({"policy": "mine"}, "policy"),
        ({"seed": "lucky"}, "seed"),
    ],
)
def test_bad_input_is_400_and_names_the_field(elsewhere, body, attr):
    answer = client("manager", elsewhere).post(URL, body)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["attr"] == attr


def test_only_who_may_simulate(elsewhere):
    assert client("reception", elsewhere).post(URL, SMALL).status_code == 403
    assert APIClient().post(URL, SMALL).status_code == 401


def test_a_past_day_side_by_side(past_day):
    facility, day = past_day
    answer = client("manager", facility).get(AGAIN, {"date": day.isoformat(), "policy": "ranked-overbook"})
    assert answer.status_code == 200
    both = answer.json()
    assert both["recorded"].keys() == both["replayed"].keys() >= CONTRACT - {"doctors", "slots_created", "timeline"}
    assert both["recorded"]["tokens_booked"] == both["replayed"]["tokens_booked"] > 20


def test_another_facilitys_day_does_not_exist(past_day, elsewhere):
    facility, day = past_day
    asked = {"date": day.isoformat(), "policy": "considerate", "facility": facility.pk}
    assert client("manager", elsewhere).get(AGAIN, asked).status_code == 404
    assert client("reception", facility).get(AGAIN, asked).status_code == 403
    assert client("manager", facility).get(AGAIN, {**asked, "facility": 10**9}).status_code == 404


def test_a_day_must_be_one_that_is_over(past_day):
    facility, day = past_day
    manager = client("manager", facility)
    tomorrow = facility.local_date() + timedelta(days=1)
    for wrong in ({"date": tomorrow.isoformat()}, {"date": "yesterday"}, {}, {"date": day.isoformat(), "policy": "x"}):
        assert manager.get(AGAIN, {"policy": "considerate", **wrong}).status_code == 400
    empty = manager.get(AGAIN, {"date": "2001-01-01", "policy": "considerate"}).json()
    assert empty["recorded"] == empty["replayed"]
    assert empty["recorded"]["tokens_booked"] == 0
