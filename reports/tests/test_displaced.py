"""Who lost a place, to whom, and what became of them: played through the engine, one case after the other."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from reports import periods
from reports.queries.hall import displaced
from reports.queries.scope import Scope
from reports.records import FATES, Displaced
from tokens.models import Event, Token
from tokens.tests.factories import DAY, Morning, own_policy

pytestmark = pytest.mark.django_db


def lost(morning: Morning, text: str = "2031-03-03", now: datetime | None = None, **narrower: Any) -> Displaced:
    period = periods.parse(text, now or morning.now)
    return displaced(Scope(morning.facility.pk, "UTC", "INR", period, **narrower))


def fates(**numbers: int) -> dict[str, int]:
    return dict.fromkeys(FATES, 0) | numbers


@pytest.fixture
def morning() -> Morning:
    """One place an hour: whoever has more points takes it."""
    return Morning(capacity=1)


def test_nobody_lost_anything(morning: Morning) -> None:
    morning.give("online", "Asha")
    assert lost(morning) == Displaced({}, 0, fates(), fates())


def test_a_paid_patient_takes_the_place_of_an_online_one_who_waits(morning: Morning) -> None:
    morning.give("online", "Asha")
    morning.give("paid", "Ravi")
    found = lost(morning)
    assert found.pairs == {("paid", "online"): 1}
    assert (found.lost, found.fates) == (1, fates(waits=1))


def test_had_a_place_again_on_the_same_day(morning: Morning) -> None:
    asha = morning.give("online", "Asha")
    ravi = morning.give("paid", "Ravi")
    morning.cancel(ravi)
    assert morning.status(asha) == "confirmed"
    assert lost(morning).fates == fates(same_day=1)


def test_had_a_place_again_on_another_day(morning: Morning) -> None:
    tomorrow = morning.sitting(morning.rao, "09:00", day=1)
    asha = morning.give("online", "Asha")
    morning.give("paid", "Ravi")
    from tokens import allocation

    morning.act(allocation.move_token, token_id=asha, slot_id=tomorrow.slots.get().pk, reason="asked for it")
    found = lost(morning)
    assert (found.pairs, found.fates) == ({("paid", "online"): 1}, fates(other_day=1))
    assert lost(morning, "2031-03-04").lost == 0, "the place was lost on Monday"
    assert lost(morning, "2031-03").fates == fates(other_day=1)


def test_got_none(morning: Morning) -> None:
    asha = morning.give("online", "Asha")
    morning.give("paid", "Ravi")
    morning.cancel(asha, reason="gave up")
    assert lost(morning).fates == fates(no_place=1)


def test_who_still_waits_when_the_day_is_over_got_none(morning: Morning) -> None:
    morning.give("online", "Asha")
    morning.give("paid", "Ravi")
    found = lost(morning, now=morning.now + timedelta(days=1))
    assert found.fates == fates(no_place=1)


def test_moved_at_once_to_the_next_slot_is_a_place_again() -> None:
    morning = Morning(own_policy(without_place="next_slot"), capacity=1)
    asha = morning.give("online", "Asha")
    morning.give("paid", "Ravi")
    assert morning.place(asha) == ("confirmed", 1)
    found = lost(morning)
    assert (found.pairs, found.fates) == ({("paid", "online"): 1}, fates(same_day=1))


def test_moved_at_once_to_another_day_was_lost_on_the_day_of_the_place() -> None:
    morning = Morning(own_policy(without_place="next_slot", next_slot_days=2), capacity=1, slots=1)
    morning.sitting(morning.rao, "09:00", day=1, capacity=1)
    asha = morning.give("online", "Asha")
    morning.give("paid", "Ravi")
    assert Token.objects.get(pk=asha).session.date == DAY + timedelta(days=1)
    event = Event.objects.get(token=asha, kind="displaced")
    assert event.session_id != morning.session.pk, "the event is of the session to which it went"
    assert lost(morning).fates == fates(other_day=1)
    assert lost(morning, "2031-03-04").lost == 0


def test_lost_twice_counts_twice(morning: Morning) -> None:
    morning.give("online", "Asha")
    ravi = morning.give("paid", "Ravi")
    morning.cancel(ravi)
    morning.give("emergency", "Omar")
    found = lost(morning)
    assert found.pairs == {("paid", "online"): 1, ("emergency", "online"): 1}
    assert found.fates == fates(same_day=1, waits=1)


def test_what_the_hospital_took_back_is_told_apart() -> None:
    morning = Morning(capacity=2)
    morning.fill(0, "Asha", "Ravi")
    morning.capacity(0, 1)
    found = lost(morning)
    assert (found.pairs, found.planned, found.planned_fates) == ({}, 1, fates(waits=1))
    assert found.fates == fates()


def test_narrower(morning: Morning) -> None:
    other = morning.doctor("Dr Nair")
    morning.give("online", "Asha")
    morning.give("paid", "Ravi")
    assert lost(morning, doctor_id=morning.rao.pk).lost == 1
    assert lost(morning, doctor_id=other.pk).lost == 0
    assert lost(morning, department_id=morning.department.pk).lost == 1
    assert lost(morning, source="online").lost == 1, "the source of who lost it"
    assert lost(morning, source="paid").lost == 0
    assert lost(Morning()).lost == 0, "another hospital's"
