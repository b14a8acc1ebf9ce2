"""The hall in words: what a slot, a column and a line say. Facts in, words out."""

from datetime import timedelta

import pytest

from reception.hall import Names, column, figures, phase_of
from reception.tests.test_offers import HOUR, NINE, session

NAMES = Names("Dr Rao", "General Medicine", "Room 4")
MINUTE = timedelta(minutes=1)


def seen(facts, now=NINE):
    return column(facts, NAMES, {pk: f"Patient {pk}" for pk in facts.tokens}, now)


@pytest.mark.parametrize(
    ("holders", "words", "cells"),
    [
        ([], "2 free", ["free", "free"]),
        (["online"], "1 free", ["held", "free"]),
        (["online", "paid"], "2 of 2", ["held", "held"]),
    ],
)
def test_a_slot_says_what_is_free_and_shows_a_cell_for_each_place(holders, words, cells):
    (slot,) = seen(session(holders, capacity=2)).slots
    assert (slot.words, slot.cells) == (words, cells)


def test_a_place_beyond_the_capacity_is_said_and_shown():
    facts = session(["online", "online"], capacity=1)
    facts.tokens[2].overbooked, facts.slots[0].overbooked = True, 1
    (slot,) = seen(facts).slots
    assert (slot.words, slot.cells) == ("2 of 1, 1 over", ["held", "over"])


def test_above_twelve_places_one_bar_says_it():
    (slot,) = seen(session(["online"] * 3, capacity=20)).slots
    assert (slot.cells, slot.share) == ([], 15)


def test_a_slot_that_is_over_says_what_became_of_it_and_folds():
    facts = session(["online", "online", "online"], capacity=3)
    facts.tokens[1].status = facts.tokens[2].status = "completed"
    facts.tokens[3].status, facts.slots[0].used = "no_show", 2
    (slot,) = seen(facts, NINE + 2 * HOUR).slots
    assert (slot.words, slot.opened) == ("2 seen, 1 no show", False)


def test_and_stays_open_while_somebody_is_still_here():
    facts = session(["online"], here=True)
    (slot,) = seen(facts, NINE + 2 * HOUR).slots
    assert (slot.words, slot.opened) == ("1 still here", True)


@pytest.mark.parametrize(
    ("values", "mark", "state"),
    [
        ({}, "absent", "not here yet"),
        ({"arrived_at": NINE}, "here", "here"),
        ({"arrived_at": NINE, "called_at": NINE, "call_count": 1}, "called", "called"),
        ({"arrived_at": NINE, "held_until": NINE + HOUR}, "held", "held"),
        ({"arrived_at": NINE, "skipped_after": 0}, "skipped", "skipped"),
        ({"status": "in_progress", "started_at": NINE}, "room", "in the room"),
        ({"status": "in_progress", "away_at": NINE, "away_to": "X-ray"}, "away", "out for a test"),
        ({"status": "waitlisted"}, "wait", "waits for a place, not here yet"),
        ({"status": "waitlisted", "arrived_at": NINE}, "wait-here", "waits for a place, here"),
        ({"status": "no_show"}, "gone", "did not come"),
        ({"status": "completed", "ended_at": NINE}, "done", "seen"),
    ],
)
def test_every_state_has_a_shape_and_words(values, mark, state):
    facts = session(["online"])
    for name, value in values.items():
        setattr(facts.tokens[1], name, value)
    slot = seen(facts).slots[0]
    (row,) = [*slot.rows, *slot.waiting, *slot.gone]
    assert (row.mark, row.state) == (mark, state)


def test_the_column_says_who_is_inside_and_for_how_long():
    facts = session(["online"])
    facts.tokens[1].status, facts.tokens[1].started_at = "in_progress", NINE
    assert seen(facts, NINE + 6 * MINUTE).state == "With A-001, 6 min"


def test_a_late_doctor_is_said_and_a_punctual_one_is_not():
    facts = session(["online"])
    assert seen(facts).punctual == ""
    facts.delay_minutes = 15
    assert seen(facts).punctual == "15 min late"


@pytest.mark.parametrize(("after", "phase"), [(-10, "later"), (10, "now"), (59, "now")])
def test_a_session_is_later_or_now_by_its_time(after, phase):
    assert phase_of(session([]), NINE + after * MINUTE) == phase


def test_and_now_as_long_as_somebody_waits():
    assert phase_of(session(["online"], here=True), NINE + 3 * HOUR) == "now"
    assert phase_of(session([]), NINE + 3 * HOUR) == "over"


def test_the_numbers_of_the_day():
    facts = session(["online", "online"], ["online"], capacity=2, here=True)
    facts.tokens[1].status, facts.tokens[1].started_at = "completed", NINE + 20 * MINUTE
    facts.tokens[3].status = "cancelled"
    numbers = figures([facts])
    assert (numbers.tokens, numbers.seen, numbers.here, numbers.median_wait) == (2, 1, 1, 20)
