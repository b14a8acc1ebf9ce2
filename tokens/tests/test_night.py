"""A night's session goes on after midnight, and so does what is asked of it without naming a slot."""

import pytest

from tokens.tests.factories import DAY, HOUR, Morning

pytestmark = pytest.mark.django_db


@pytest.fixture
def night() -> Morning:
    """Dr Rao again from 22:00 to 02:00."""
    morning = Morning()
    session = morning.sitting(morning.rao, "22:00", slots=4, capacity=1)
    morning.slots = list(session.slots.order_by("starts_at"))
    return morning


def test_after_midnight_an_emergency_without_a_slot_finds_the_running_one(night: Morning) -> None:
    night.now = night.slots[2].starts_at + HOUR / 4
    outcome = night.ask("emergency", "Asha", None, doctor_id=night.rao.pk, on=night.now.date())
    assert outcome.token is not None
    assert outcome.token.slot_id == night.slots[2].pk


def test_a_request_for_the_next_day_is_not_given_a_slot_of_the_evening_before(night: Morning) -> None:
    outcome = night.ask("online", "Bala", None, doctor_id=night.rao.pk, on=night.slots[2].starts_at.date())
    assert outcome.token is not None
    assert outcome.token.slot_id == night.slots[2].pk


def test_the_evening_s_own_date_takes_the_slots_after_midnight_too(night: Morning) -> None:
    night.now = night.slots[1].ends_at
    outcome = night.ask("online", "Chitra", None, doctor_id=night.rao.pk, on=DAY)
    assert outcome.token is not None
    assert outcome.token.slot_id == night.slots[2].pk
