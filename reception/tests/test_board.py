"""What a public screen says: who is called, who is next, what stands instead, nothing else. Facts in, words out."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from reception.board import Call, Line, Place, lines, natural, room_words, sentence, short_name, spelled
from reception.tests.test_offers import HOUR, NINE, session
from tokens.facts import SessionFacts

MINUTE = timedelta(minutes=1)
CALLED = {"called_at": NINE, "call_count": 1}
INSIDE = {"status": "in_progress", "started_at": NINE}
ROOM_4 = Place("Room 4", "Dr Rao", "General Medicine")


def hall(*values: dict[str, object], **of_session: object) -> SessionFacts:
    """A session from nine to ten: one who is here for each set of values."""
    facts = session(["online"] * len(values), capacity=max(1, len(values)), here=True)
    for token, given in zip(facts.tokens.values(), values, strict=True):
        for name, value in given.items():
            setattr(token, name, value)
    facts.calls = sum("called_at" in given or "started_at" in given for given in values)
    for name, value in of_session.items():
        setattr(facts, name, value)
    return facts


def shown(*sessions: SessionFacts, now: datetime = NINE, **rooms: str) -> list[Line]:
    places = {s.id: Place(rooms.get(f"s{s.id}", "Room 4"), "Dr Rao", "General Medicine") for s in sessions}
    return lines(sessions, places, now)


def one(facts: SessionFacts, now: datetime = NINE) -> Line:
    (line,) = shown(facts, now=now)
    return line


@pytest.mark.parametrize(
    ("values", "state", "number"),
    [
        ([{}], "later", None),
        ([CALLED], "called", "A-001"),
        ([INSIDE], "inside", "A-001"),
        ([INSIDE, CALLED], "called", "A-002"),
        ([CALLED, CALLED | {"called_at": NINE + MINUTE}], "called", "A-002"),
        # gone, away, or waiting for a place: nobody is called in
        ([{"status": "completed", "ended_at": NINE, **CALLED}], "free", None),
        ([{"status": "no_show", **CALLED}], "free", None),
        ([{"status": "cancelled", **CALLED}], "free", None),
        ([{"status": "waitlisted", **CALLED}], "free", None),
        ([{**INSIDE, "away_at": NINE, "away_to": "X-ray"}], "free", None),
        # back from a test, and called again
        ([{**INSIDE, "away_at": NINE, "back_at": NINE, **CALLED}], "called", "A-001"),
    ],
)
def test_who_is_shown(values, state, number):
    line = one(hall(*values))
    assert (line.state, line.now and line.now.number) == (state, number)
    assert bool(line.calls) == (state == "called")


def test_all_who_are_called_are_announced_and_the_newest_stands_large():
    line = one(hall(CALLED, {"called_at": NINE + MINUTE, "call_count": 1}, {"called_at": NINE - MINUTE}))
    assert line.now is not None
    assert line.now.number == "A-002"
    assert {call.number for call in line.calls} == {"A-001", "A-002", "A-003"}
    assert line.notes == ("Please go in", "Also called: A-001, A-003")


@pytest.mark.parametrize(
    ("values", "next_ones"),
    [
        ([{}, {}, {}, {}], ("A-001", "A-002", "A-003")),
        ([{}, {"source": "emergency"}, {}], ("A-002", "A-001", "A-003")),
        ([{"arrived_at": None}, {}], ("A-002",)),
        ([{"held_until": NINE + HOUR}, {}], ("A-002",)),
        ([{"held_until": NINE - MINUTE}, {}], ("A-001", "A-002")),
        ([CALLED, {}], ("A-002",)),
        ([INSIDE, {}], ("A-002",)),
        # skipped: behind the next one, who makes it count no longer; alone, it is called again
        ([{"skipped_after": 9}, {}, {}], ("A-002", "A-001", "A-003")),
        ([{"skipped_after": 9}], ("A-001",)),
        ([{"status": "waitlisted"}, {}], ("A-002",)),
    ],
)
def test_the_next_few_are_those_whom_the_next_calls_call(values, next_ones):
    assert one(hall(*values)).next == next_ones


@pytest.mark.parametrize(
    ("of_session", "now", "words", "notes"),
    [
        ({}, NINE - HOUR, "Starts at 09:00", ()),
        ({"delay_minutes": 30}, NINE - HOUR, "Starts about 09:30", ("About 30 min late",)),
        ({}, NINE + MINUTE, "Starts soon", ()),
        ({"delay_minutes": 30}, NINE + MINUTE, "Starts about 09:30", ("About 30 min late",)),
        ({"calls": 1}, NINE + MINUTE, "–", ()),
        ({"calls": 1, "paused_at": NINE + MINUTE}, NINE + 5 * MINUTE, "Break since 09:01", ()),
        ({"calls": 1, "delay_minutes": 20}, NINE + MINUTE, "–", ("About 20 min late",)),
    ],
)
def test_what_stands_where_nobody_is_called(of_session, now, words, notes):
    line = one(hall({}, **of_session), now)
    assert (line.words, line.notes, line.now) == (words, notes, None)


def test_a_break_while_somebody_is_inside_is_a_note():
    assert one(hall(INSIDE, paused_at=NINE)).notes == ("Break",)


def test_times_are_those_of_the_clock_on_the_wall():
    kolkata = (NINE - HOUR).astimezone(ZoneInfo("Asia/Kolkata"))
    assert one(hall({}), kolkata).words == "Starts at 14:30"


@pytest.mark.parametrize(
    ("values", "of_session", "now", "there"),
    [
        ([{}], {}, NINE - 2 * HOUR, True),
        ([{"arrived_at": None}], {}, NINE - 4 * HOUR, False),
        ([{"arrived_at": None}], {}, NINE + HOUR, False),  # over: who never came keeps no room open
        ([{"arrived_at": None}], {"delay_minutes": 30}, NINE + HOUR, True),
        ([{}], {"calls": 1}, NINE + 3 * HOUR, True),  # somebody is still here
        ([{**INSIDE}], {}, NINE + 3 * HOUR, True),
        ([{}], {"status": "closed"}, NINE, False),
        ([{}], {"status": "cancelled"}, NINE, False),
    ],
)
def test_when_a_room_stands_on_the_board(values, of_session, now, there):
    assert bool(shown(hall(*values, **of_session), now=now)) is there


def test_a_room_shows_the_session_that_goes_on_and_the_next_one_only_after_it():
    morning, noon = hall({}, calls=1), hall({}, id=2, starts_at=NINE + HOUR, ends_at=NINE + 2 * HOUR)
    assert [line.session_id for line in shown(noon, morning, now=NINE + 30 * MINUTE)] == [1]
    morning.tokens.clear()
    assert [line.session_id for line in shown(noon, morning, now=NINE + HOUR)] == [2]


def test_rooms_stand_in_their_natural_order():
    sessions = [hall({}, id=pk) for pk in (1, 2, 3, 4)]
    found = shown(*sessions, s1="Room 11", s2="Room 2", s3="Annexe", s4="room 1")
    assert [line.place.room for line in found] == ["Annexe", "room 1", "Room 2", "Room 11"]
    assert natural("2 East") < natural("10 East") < natural("East")


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("Lakshmi Narayan", "Lakshmi N."),
        ("Lakshmi", "Lakshmi"),
        ("Mrs. Lakshmi Devi Narayan", "Lakshmi N."),
        ("K. Ramesh", "Ramesh K."),
        ("लक्ष्मी शीला", "लक्ष्मी शी."),
        ("ليلى حسن", "ليلى ح."),
        ("", ""),
        ("Dr", ""),
    ],
)
def test_a_name_is_a_given_name_and_an_initial_at_most(name, short):
    assert short_name(name) == short


def test_names_stand_beside_numbers_that_are_called_and_nowhere_without_leave():
    facts, places = hall(CALLED, {}), {1: ROOM_4}
    names = {1: "Lakshmi Narayan", 2: "Ravi Prasad"}
    (line,) = lines([facts], places, NINE, names)
    assert line.now is not None
    assert line.now.name == "Lakshmi N."
    assert "Ravi" not in repr(line)
    assert "Narayan" not in repr(line)
    (line,) = lines([facts], places, NINE)
    assert line.now is not None
    assert line.now.name == ""


def test_a_number_is_read_letter_by_letter_and_digit_by_digit():
    assert spelled("A-017") == "A, 0, 1, 7"
    assert spelled("AB-1203") == "A, B, 1, 2, 0, 3"
    assert sentence(Call("A-017", "Room 4", NINE)) == "Token A, 0, 1, 7. Please go to Room 4."


@pytest.mark.parametrize(("name", "words"), [("Room 4", "Room 4"), ("room  4B", "Room 4B"), ("X-ray", "X-ray")])
def test_a_room_s_plain_name_can_be_translated_and_one_of_its_own_stays(name, words):
    assert room_words(name) == words


def test_a_call_again_is_another_call_and_a_taken_back_one_too():
    first, again = Call("A-017", "Room 4", NINE), Call("A-017", "Room 4", NINE + MINUTE)
    assert first.id != again.id
    assert first.id == Call("A-017", "Room 4", NINE).id
