"""Waits along a queue: delay, pause, elapsed time, held, not begun, not here, away, called, emergencies. Pure."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokens.facts import PRESETS, SessionFacts, SlotFacts, TokenFacts
from tokens.waits.estimate import EMERGENCIES_AT_MOST, NOTHING, PAUSE, Known, estimate_of, estimates, planned_step
from tokens.waits.model import Clinic, Occasion, Prior, Sitting, Visit

NINE = datetime(2031, 3, 3, 9, tzinfo=UTC)
TEN_MINUTES = Known(clinic=Clinic(Prior(10, 100)))


def at(minutes: float) -> datetime:
    """So many minutes after nine."""
    return NINE + timedelta(minutes=minutes)


def session(*tokens: TokenFacts, slots: int = 4, capacity: int = 6, **values: Any) -> SessionFacts:
    """Nine to one, slots of an hour with places of ten minutes."""
    found = SessionFacts(
        id=1,
        facility_id=1,
        department_id=1,
        doctor_id=1,
        room_id=1,
        date=date(2031, 3, 3),
        starts_at=NINE,
        ends_at=at(240),
        status="open",
        prefix="A",
        last_number=0,
        calls=0,
        delay_minutes=0,
        paused_at=None,
        closed_at=None,
        version=1,
        events=0,
        last_event_at=None,
        policy=PRESETS["weighted-waitlist"],
    )
    found.slots = [SlotFacts(n, 1, at(60 * n), at(60 * n + 60), capacity, "open", 0, 0) for n in range(slots)]
    found.tokens = {token.id: token for token in tokens}
    return replace(found, **values)


def token(number: int, slot: int = 0, **values: Any) -> TokenFacts:
    """One who is here and stands in that place of the slot's order."""
    base: dict[str, Any] = {"arrived_at": at(-30), "status": "confirmed", "source": "walk_in", "score": 100}
    return TokenFacts(number, 1, slot, number, requested_at=at(-60), order_at=at(number - 60), **(base | values))


def inside(number: int, since: float, **values: Any) -> TokenFacts:
    """One who is with the doctor since that minute."""
    return token(number, status="in_progress", started_at=at(since), called_at=at(since), **values)


def halves(found: SessionFacts, minute: float, known: Known = TEN_MINUTES) -> dict[int, int]:
    """The first figures."""
    return {i: wait.p50 for i, wait in estimates(found, at(minute), known).items()}


class TestAlongTheQueue:
    def test_everybody_ahead_counts(self) -> None:
        found = estimates(session(*map(token, range(1, 10))), at(0), TEN_MINUTES)
        p50 = [found[i].p50 for i in range(1, 10)]
        assert p50[0] == 0
        assert p50 == sorted(p50)
        assert 70 <= p50[8] <= 80
        assert all(found[i].p90 > found[i].p50 for i in range(2, 10))

    def test_nobody_waits_who_is_not_on_the_way(self) -> None:
        others = [token(i, status=s) for i, s in enumerate(("waitlisted", "cancelled", "no_show", "completed"), 2)]
        assert set(estimates(session(token(1), *others), at(0), TEN_MINUTES)) == {1}

    @pytest.mark.parametrize("status", ["closed", "cancelled"])
    def test_nobody_waits_in_a_session_that_is_not_open(self, status: str) -> None:
        assert estimates(session(token(1), status=status), at(0), TEN_MINUTES) == {}

    @pytest.mark.parametrize(("minute", "there"), [(-13 * 60, False), (-11 * 60, True), (300, True), (17 * 60, False)])
    def test_nobody_thinks_in_minutes_half_a_day_before_or_after(self, minute: int, there: bool) -> None:
        assert bool(estimates(session(token(1)), at(minute), TEN_MINUTES)) is there

    def test_without_any_knowledge_the_plan_decides(self) -> None:
        assert planned_step(session(capacity=6)) == 10
        assert planned_step(session(capacity=12)) == 5
        fast, slow = (halves(session(*map(token, range(1, 6)), capacity=c), 0, NOTHING)[5] for c in (12, 4))
        assert slow == pytest.approx(3 * fast, abs=2)

    @pytest.mark.parametrize("slots", [[], [SlotFacts(0, 1, NINE, NINE, 0, "open", 0, 0)]])
    def test_a_plan_without_places_says_nothing(self, slots: list[SlotFacts]) -> None:
        assert planned_step(replace(session(), slots=slots)) == Prior().minutes

    def test_first_visits_ahead_take_longer_where_they_did(self) -> None:
        clinic = Clinic(Prior(10, 20))
        for _ in range(30):
            sitting = clinic.open(Occasion(0))
            for place in range(12):
                sitting.started(place * 10 + (place // 2) * 10, Visit(1 if place % 2 else 5))
                sitting.predict([])
        clinic.regression.fit()
        queue = session(*map(token, range(1, 6)))
        new = halves(queue, 0, Known(clinic, visits={}))
        known = halves(queue, 0, Known(clinic, visits=dict.fromkeys(range(1, 6), 4)))
        assert new[5] > known[5] + 10


class TestTheDoctor:
    def test_a_session_that_has_not_begun_begins_first(self) -> None:
        assert halves(session(token(1)), -20) == {1: 20}

    def test_its_delay_is_waited_for_too(self) -> None:
        assert halves(session(token(1), delay_minutes=15), -20) == {1: 35}

    def test_and_so_is_a_usual_lateness_the_longer_of_the_two(self) -> None:
        late = replace(TEN_MINUTES, late=9.0)
        assert halves(session(token(1)), -20, late) == {1: 29}
        assert halves(session(token(1), delay_minutes=15), -20, late) == {1: 35}

    def test_a_session_that_runs_waits_for_no_delay(self) -> None:
        assert halves(session(inside(1, 0), token(2), delay_minutes=15), 0)[2] < 12

    def test_nor_does_one_in_which_somebody_was_called(self) -> None:
        assert halves(session(token(2), delay_minutes=15, calls=3), 2) == {2: 0}

    def test_the_current_one_takes_less_the_longer_it_has_taken(self) -> None:
        waits = [halves(session(inside(1, 0), token(2)), minute)[2] for minute in (0, 4, 8)]
        assert waits == sorted(waits, reverse=True)
        assert waits[0] > waits[2] > 0

    def test_and_is_never_over_before_it_is(self) -> None:
        assert halves(session(inside(1, 0), token(2)), 90)[2] >= 1

    def test_a_pause_is_waited_for_and_makes_it_less_sure(self) -> None:
        running = estimates(session(inside(1, 0), token(2)), at(5), TEN_MINUTES)[2]
        paused = estimates(session(inside(1, 0), token(2), paused_at=at(3)), at(5), TEN_MINUTES)[2]
        assert paused.p50 - running.p50 == PAUSE
        assert paused.p90 - running.p90 == 2 * PAUSE

    def test_emergencies_that_are_expected_make_everybody_else_wait_longer(self) -> None:
        queue = session(*map(token, range(1, 8)), token(9, source="emergency", score=1000))
        calm, busy = (halves(queue, 0, replace(TEN_MINUTES, emergencies=share)) for share in (0.0, 0.2))
        assert busy[7] == pytest.approx(calm[7] / 0.8, abs=1)
        assert busy[9] == calm[9] == 0
        most = halves(queue, 0, replace(TEN_MINUTES, emergencies=0.9))
        assert most[7] == pytest.approx(calm[7] / (1 - EMERGENCIES_AT_MOST), abs=1)

    def test_what_was_told_and_came_otherwise_corrects(self) -> None:
        queue = session(*map(token, range(1, 8)))
        found = estimates(queue, at(0), replace(TEN_MINUTES, correction=1.2))[7]
        assert found.p50 == pytest.approx(1.2 * halves(queue, 0)[7], abs=1)
        assert found.correction == 1.2


class TestThoseAhead:
    def test_who_is_called_waits_for_the_one_inside_alone_and_everybody_for_both(self) -> None:
        queue = session(inside(1, 0), token(3), token(2, called_at=at(1)))
        found = halves(queue, 0)
        assert found[2] < found[3]
        assert halves(session(token(3), token(2, called_at=at(1))), 1)[2] == 0

    def test_who_is_held_waits_at_least_so_long_and_lets_others_pass(self) -> None:
        queue = session(inside(0, 0), token(1, held_until=at(40)), token(2), token(3))
        found = halves(queue, 0)
        assert found[1] == 40
        assert found[2] == halves(session(inside(0, 0), token(2)), 0)[2]

    def test_who_was_held_is_as_good_as_anybody(self) -> None:
        held = session(token(1, held_until=at(5)), token(2))
        assert halves(held, 6) == halves(session(token(1), token(2)), 6)

    def test_who_is_not_here_holds_up_less_the_later_it_gets(self) -> None:
        queue = session(*(token(i, arrived_at=None) for i in (1, 2, 3)), token(4))
        here = halves(session(*map(token, range(1, 5))), 0)[4]
        waits = [halves(queue, minute)[4] for minute in (0, 30, 59)]
        assert here > waits[0] > waits[1] > waits[2]

    def test_who_is_not_here_does_not_wait_less_than_until_the_slot(self) -> None:
        found = halves(session(token(1), token(2, slot=1, arrived_at=None), token(3, slot=2)), 0)
        assert found[2] == 60
        assert found[3] < 15

    def test_who_is_not_here_hardly_counts_where_others_seldom_come(self) -> None:
        queue = session(token(1, arrived_at=None), token(2, arrived_at=None), token(3))
        seldom, often = (halves(queue, 0, replace(TEN_MINUTES, shows=share))[3] for share in (0.2, 1.0))
        assert seldom < often / 2

    def test_one_back_from_a_test_takes_half(self) -> None:
        back = token(1, status="in_progress", started_at=at(-40), away_at=at(-20), back_at=at(-1))
        found = halves(session(back, token(2)), 0)
        assert found[1] == 0
        assert 0 < found[2] < halves(session(token(1), token(2)), 0)[2]

    def test_one_who_is_away_may_come_back_before(self) -> None:
        away = token(1, status="in_progress", started_at=at(-40), away_at=at(-20))
        found = halves(session(away, token(2)), 0)
        assert set(found) == {2}
        assert 0 < found[2] < 5

    def test_later_slots_wait_for_earlier_ones(self) -> None:
        found = halves(session(token(1, slot=2), token(2, slot=0), token(3, slot=1)), 0)
        assert found[2] < found[3] < found[1]


class TestTheSession:
    def test_its_pace_so_far_counts(self) -> None:
        clinic = Clinic(Prior(10, 20))
        for step in (6.0, 16.0) * 30:
            sitting = clinic.open(Occasion(0))
            for place in range(14):
                sitting.started(place * step, Visit(2))
        clinic.regression.fit()
        waits = []
        for step in (6.0, 16.0):
            sitting = Sitting(clinic, Occasion(0))
            for place in range(7):
                sitting.started(NINE.timestamp() / 60 + place * step, Visit(2))
            known = Known(clinic, sittings={1: sitting})
            waits.append(halves(session(*map(token, range(1, 6))), 96, known)[5])
        assert waits[0] < waits[1]


states = st.fixed_dictionaries(
    {
        "arrived_at": st.sampled_from([None, at(-30)]),
        "called_at": st.sampled_from([None, None, at(-1)]),
        "held_until": st.sampled_from([None, None, at(3), at(45)]),
        "source": st.sampled_from(["walk_in", "walk_in", "emergency"]),
        "back_at": st.sampled_from([None, None, at(-2)]),
    }
)
queues = st.lists(st.tuples(st.integers(0, 3), states), max_size=12)


class TestAlways:
    @given(queues, st.integers(-60, 200), st.integers(0, 90), st.booleans())
    def test_in_any_queue(self, drawn: list[Any], minute: int, delay: int, paused: bool) -> None:
        tokens = [token(i, slot, **state) for i, (slot, state) in enumerate(drawn, start=1)]
        queue = session(*tokens, delay_minutes=delay, paused_at=at(-5) if paused else None)
        found = estimates(queue, at(minute), TEN_MINUTES)
        assert set(found) == {one.id for one in tokens}
        assert all(0 <= wait.p50 <= wait.p90 for wait in found.values())
        assert all(estimate_of(one, queue, at(minute), TEN_MINUTES) == found[one.id] for one in tokens)

    @given(st.integers(2, 20), st.integers(0, 60))
    def test_one_more_ahead_never_shortens_it(self, people: int, minute: int) -> None:
        queue = session(*map(token, range(1, people + 1)))
        waits = halves(queue, minute)
        assert list(waits.values()) == sorted(waits.values())
