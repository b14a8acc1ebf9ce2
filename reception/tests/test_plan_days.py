"""On days of every kind a plan does what its preview said, and its undo brings back what was."""

import random
from datetime import timedelta

import pytest
from django.test import Client

from common.errors import DomainError
from common.transactions import outermost
from reception.tests.factories import Hall
from reception.tests.test_plans import address, ask, press
from tokens import allocation, queueing
from tokens.facts import PRESETS
from tokens.models import Plan, Token
from tokens.states import Source

pytestmark = pytest.mark.django_db

KEPT = ("id", "status", "slot_id", "session_id", "number", "overbooked", "arrived_at", "ended_at")


def some_day(dice: random.Random) -> Hall:
    """A session in the middle of its day, with a further one tomorrow: some here, some called, one inside."""
    hall = Hall(capacity=dice.randint(1, 4), policy=dice.choice(sorted(PRESETS)))
    hall.sitting(hall.rao, hall.session.starts_at + timedelta(days=1), slots=1)
    for number in range(dice.randint(6, 16)):
        token = hall.give(f"Patient {number}", dice.choice(list(Source)), slot=dice.randrange(3))
        for step, likely in (("arrive", 0.5), ("call", 0.3), ("start", 0.3), ("complete", 0.9)):
            if dice.random() < likely:
                _try(getattr(queueing, step), token)
        if dice.random() < 0.1:
            _try(allocation.mark_no_show, token)
    return hall


def _try(step, token: Token) -> None:
    """Take a step; what the rules refuse does not happen."""
    try:
        outermost(lambda: step(token_id=token.pk, by=None))
    except DomainError:
        return


def some_change(dice: random.Random, hall: Hall, asha: Client):
    """A change with its preview, the first of some that the rules do not refuse and that touches somebody."""
    for _ in range(12):
        slot = dice.choice(hall.slots).pk
        do = dice.choice(["capacity", "block", "close", "cancel"])
        move = {"move": "on"} if dice.random() < 0.7 else {}
        preview = ask(asha, hall, do, slot=slot, capacity=dice.randint(0, 6), move_asked=1, **move)
        plan = preview.context.get("plan")
        if plan and plan["effects"]:
            return preview
    return preview


def everything() -> list[tuple]:
    """All tokens as they stand."""
    return list(Token.objects.order_by("id").values_list(*KEPT))


@pytest.mark.parametrize("seed", range(24))
def test_what_is_previewed_is_what_is_done_and_undo_brings_it_back(seed):
    dice = random.Random(seed)
    hall = some_day(dice)
    asha = hall.asha
    preview = some_change(dice, hall, asha)
    before = everything()
    plan = preview.context["plan"]

    done = press(asha, hall, preview, reason="as it came")
    assert done.status_code == 200, done.content.decode()
    kept = Plan.objects.get()
    assert kept.effects["told"] == plan["effects"]
    said = [(line.number, line.then) for group in preview.context["told"].groups[:3] for line in group.lines]
    told = [(line.number, line.then) for group in done.context["told"].groups for line in group.lines]
    assert [each for each in said if each in told] == told
    for effect in plan["effects"]:
        token = Token.objects.get(pk=effect["token"])
        now = {"status": token.status, "slot": token.slot_id, "session": token.session_id, "number": token.number}
        assert now == effect["after"]
    touched = {effect["token"] for effect in plan["effects"]}
    assert [row for row in everything() if row[0] not in touched] == [row for row in before if row[0] not in touched]

    undone = asha.post(address(hall), {"do": "undo", "plan": kept.pk, "idempotency_key": "u"})
    assert undone.status_code == 302, undone.context["error"]
    assert everything() == before
