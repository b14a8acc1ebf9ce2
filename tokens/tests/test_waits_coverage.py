"""The live estimate on made-up days whose truth is known: from the hospital's records to what a patient is told."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import accumulate
from random import Random
from zoneinfo import ZoneInfo

import pytest

from tokens.facts import TokenFacts
from tokens.tests.test_waits_estimate import NINE, at, inside, session, token
from tokens.waits.consultations import Score, score
from tokens.waits.estimate import Known, estimates
from tokens.waits.history import House, Past
from tokens.waits.learning import known

UTC = ZoneInfo("UTC")
HOUSE = House(facility=(400, 9.0), department=(100, 11.0), planned=10.0, shows=(85, 15))


def lengths(random: Random, count: int) -> list[float]:
    """What visits take: eleven minutes in the middle, now and then half an hour."""
    return [random.lognormvariate(2.4, 0.5) for _ in range(count)]


def _met(random: Random) -> float:
    """What the visit takes that is met at a moment by chance: long ones are met more often."""
    return next(one for one in iter(lambda: lengths(random, 1)[0], None) if random.uniform(0, 90) < one)


def past_of(random: Random, days: int, count: int = 15) -> list[Past]:
    """Mornings of a doctor whose hall is never empty."""
    found = []
    for day in range(days):
        start = NINE - timedelta(days=days - day)
        took = lengths(random, count)
        for place, begin in enumerate(accumulate(took, initial=0.0)):
            if place < count:
                moment = start + timedelta(minutes=begin)
                end = moment + timedelta(minutes=took[place])
                found.append(Past(day + 10, start.date(), start, day * 100 + place, "walk_in", start, moment, end))
    return found


def known_after(days: int, seed: int) -> Known:
    """What is known of the doctor after so many mornings."""
    return known(past_of(Random(seed), days), {}, HOUSE, [], UTC, NINE.date())


def told(doctors: Sequence[Known], ahead: int, seed: int, days: int = 30) -> Score:
    """How estimates turn out that are given in the middle of a visit to one with so many ahead."""
    random, outcomes = Random(seed), []
    for doctor in doctors:
        for _ in range(days):
            took = [_met(random), *lengths(random, ahead)]
            elapsed = random.uniform(0, took[0])
            queue: list[TokenFacts] = [inside(1, -elapsed), *(token(n) for n in range(2, ahead + 3))]
            wait = estimates(session(*queue), at(0), doctor)[ahead + 2]
            outcomes.append((wait.p50, wait.p90, sum(took) - elapsed))
    return score(ahead, outcomes)


@pytest.fixture(scope="module", params=[40, 80])
def doctors(request: pytest.FixtureRequest) -> list[Known]:
    """Doctors of so many mornings each: what is known of one is never quite right."""
    return [known_after(request.param, seed) for seed in range(16)]


@pytest.mark.parametrize("ahead", [0, 2, 4, 7, 12])
def test_half_are_seen_before_p50_and_nine_of_ten_before_p90(doctors: list[Known], ahead: int) -> None:
    found = told(doctors, ahead, seed=2)
    assert found.before_p50 == pytest.approx(50, abs=11)
    assert found.before_p90 == pytest.approx(90, abs=6)


@pytest.mark.parametrize("ahead", [2, 7])
def test_a_new_doctor_is_told_with_more_doubt(ahead: int) -> None:
    new, old = known_after(0, seed=1), known_after(90, seed=1)
    queue = session(*(token(n) for n in range(1, ahead + 2)))
    one, other = (estimates(queue, at(0), who)[ahead + 1] for who in (new, old))
    assert one.p90 / one.p50 > other.p90 / other.p50
    assert told([new], ahead, seed=3, days=250).before_p90 == pytest.approx(90, abs=12)


def test_a_past_that_makes_no_sense_is_no_error() -> None:
    start = NINE - timedelta(days=1)
    odd = [
        Past(1, start.date(), start, 1, "walk_in", None, start, start - timedelta(minutes=5)),
        Past(1, start.date(), start, 2, "walk_in", start + timedelta(hours=3), start, None),
        Past(2, date(2031, 1, 1), datetime(2031, 1, 1, tzinfo=UTC), 2, "emergency", None, start, start),
    ]
    found = known(odd, {2: 1}, House((0, 0.0), (0, 0.0), None, (0, 0)), [], UTC, NINE.date())
    assert found.clinic is not None
    assert found.clinic.step > 0
    assert estimates(session(token(1), token(2)), at(0), found)[2].p50 > 0
