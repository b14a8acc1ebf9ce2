"""Two desks press together under the same preview: one change is made, the other desk sees the new preview."""

import re
import threading
from functools import partial

import pytest

from common.testing.races import race
from reception.tests.factories import Hall, text
from reception.tests.test_plans import address, ask, fields, filled
from scheduling import locking
from tokens import storage, supply
from tokens.models import Plan
from tokens.supply import PlanResult

pytestmark = pytest.mark.django_db(transaction=True)


def two_desks(hall: Hall):
    """Two people with the same preview in front of them, ready to press."""
    desks = [hall.client("reception"), hall.client("manager")]
    forms = [fields(ask(desk, hall, "capacity", slot=hall.slots[1].pk, capacity=3)) for desk in desks]
    return [partial(desk.post, address(hall), form) for desk, form in zip(desks, forms, strict=True)]


def test_one_is_made_and_the_other_is_shown_anew():
    hall = Hall(capacity=6, policy="ranked-next-slot")
    filled(hall)
    done = race(two_desks(hall))
    assert not done.raised
    assert sorted(answer.status_code for answer in done.values) == [302, 409]
    refused = next(answer for answer in done.values if answer.status_code == 409)
    assert "Nothing was changed: the slot moved while you read" in text(refused)
    assert Plan.objects.count() == 1


def test_control_without_the_version_and_the_comparison_the_second_is_made_unseen(monkeypatch: pytest.MonkeyPatch):
    hall = Hall(capacity=6, policy="ranked-next-slot")
    filled(hall)
    desks = two_desks(hall)
    change = supply.change_capacity

    def whatever_stands(**arguments) -> PlanResult:
        return change(**{**arguments, "version": None})

    monkeypatch.setattr(supply, "change_capacity", whatever_stands)
    monkeypatch.setattr("reception.pages.plans.fingerprint", lambda plan: "")
    monkeypatch.setattr("reception.pages.plan_drawer.fingerprint", lambda plan: "")
    for desk in desks:
        desk.args[1]["seen"] = ""
    done = race(desks)
    assert [answer.status_code for answer in done.values] == [302, 302]
    assert Plan.objects.count() == 2


def test_control_without_the_lock_a_constraint_refuses_the_second(monkeypatch: pytest.MonkeyPatch):
    hall = Hall(capacity=6, policy="ranked-next-slot")
    filled(hall)
    desks = two_desks(hall)
    locked = locking.lock_statement
    monkeypatch.setattr(locking, "lock_statement", lambda lookup: re.sub(r" FOR NO KEY UPDATE.*", "", locked(lookup)))
    everybody, write = threading.Barrier(2, timeout=60), storage.write

    def wait_and_write(*arguments, **named):
        everybody.wait()
        return write(*arguments, **named)

    monkeypatch.setattr(storage, "write", wait_and_write)
    done = race(desks)
    answers = [text(answer) for answer in done.values if answer.status_code == 409]
    assert len(answers) == 1
    assert "the slot moved while you read" not in answers[0]
    assert Plan.objects.count() == 1
