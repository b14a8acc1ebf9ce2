"""Waits of a running session: delay, pause, elapsed time, held, not begun; what is learned; what patients were told."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from tokens.models import Token, WaitEstimate
from tokens.queries import read_session
from tokens.tests.factories import HOUR, Morning, moment
from tokens.waits import Wait, accuracy, given, log, waits
from tokens.waits.estimate import NOTHING, PAUSE, Known, estimates, planned_step
from tokens.waits.knowledge import doctor_of, keeper, learn

pytestmark = pytest.mark.django_db


def see(morning: Morning, who: int, start: str, minutes: float = 10, *, day: int = 0) -> None:
    """A visit, as if it had been."""
    at = moment(start, day)
    for act, when in (("start", at), ("complete", at + timedelta(minutes=minutes))):
        morning.now = when
        getattr(morning, act)(who)


def test_it_runs() -> None:
    morning = Morning(capacity=6)
    ids = [morning.give("walk_in", f"P{i}") for i in range(6)]
    morning.clock("09:05")
    session, _ = read_session(morning.session.pk)
    print({i: w for i, w in estimates(session, morning.now).items()})
    see(morning, ids[0], "09:06")
    k = learn(doctor_of(session), morning.now)
    print(k)
    keeper.learn(doctor_of(session), morning.now)
    print(waits(read_session(morning.session.pk)[0], morning.now))
