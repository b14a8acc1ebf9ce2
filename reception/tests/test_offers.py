"""What would happen, played on facts: the same rules, nothing written. And which slot is chosen to begin with."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from reception.offers import Offer, gains_by_cancelling, offers
from tokens import rules
from tokens.facts import PRESETS, SessionFacts, SlotFacts, TokenFacts
from tokens.states import Source

NINE = datetime(2031, 3, 3, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)


def session(
    *holders: list[str], capacity: int = 1, policy: str = "weighted-waitlist", here: bool = False
) -> SessionFacts:
    """A session from nine; each list names the sources of those who hold the places of an hour."""
    facts = SessionFacts(
        id=1, facility_id=1, department_id=1, doctor_id=1, room_id=1, date=NINE.date(), starts_at=NINE,
        ends_at=NINE + len(holders) * HOUR, status="open", prefix="A", last_number=9, calls=0, delay_minutes=0,
        paused_at=None, closed_at=None, version=1, events=0, last_event_at=None, policy=PRESETS[policy],
    )  # fmt: skip
    for index, sources in enumerate(holders):
        start = NINE + index * HOUR
        facts.slots.append(SlotFacts(index + 1, 1, start, start + HOUR, capacity, "open", len(sources), 0))
        for source in sources:
            pk = len(facts.tokens) + 1
            facts.tokens[pk] = TokenFacts(
                pk, 1, index + 1, 100 + pk, "confirmed", source, NINE, NINE, f"A-{pk:03d}",
                score=rules.score(source, False, facts.policy), arrived_at=NINE if here else None,
            )  # fmt: skip
    return facts


def ask(source: Source, *holders: list[str], patient_id: int = 7, **more: object) -> list[Offer]:
    return offers([lambda: session(*holders, **more)], patient_id=patient_id, source=source, now=NINE)


def chosen(found: list[Offer]) -> Offer:
    (one,) = [offer for offer in found if offer.chosen]
    return one


@pytest.mark.parametrize("source", list(Source))
def test_a_free_place_is_confirmed_and_nobody_moves(source):
    first = ask(source, [], [])[0]
    assert (first.result, first.place, first.displaced) == ("confirmed", 1, ())


def test_who_would_lose_the_place_is_named():
    first = ask(Source.PAID, ["online"], [])[0]
    assert first.result == "confirmed"
    assert [(token.number, token.status) for token in first.displaced] == [("A-001", "waitlisted")]


def test_an_equal_score_never_displaces_and_would_wait():
    first = ask(Source.ONLINE, ["online"], [])[0]
    assert (first.result, first.place) == ("waits", 1)


def test_a_walk_in_begins_where_nobody_moves():
    assert chosen(ask(Source.WALK_IN, ["online"], [])).slot.id == 2


@pytest.mark.parametrize("source", [Source.PAID, Source.FOLLOW_UP, Source.EMERGENCY])
def test_who_has_priority_begins_with_the_earliest_place(source):
    assert chosen(ask(source, ["online"], [])).slot.id == 1


def test_where_no_place_is_left_the_shortest_wait_is_chosen():
    assert chosen(ask(Source.ONLINE, ["paid"], ["paid"])).slot.id == 1


def test_those_who_are_here_keep_their_places_where_the_policy_protects_them():
    found = ask(Source.PAID, ["online"], policy="considerate", here=True)
    assert found[0].result == "waits"


def test_an_overbooked_emergency_takes_nobody_s_place():
    first = ask(Source.EMERGENCY, ["online"], policy="ranked-overbook")[0]
    assert (first.result, first.displaced) == ("confirmed", ())


def test_where_the_policy_sends_on_the_slot_that_is_really_got_is_said():
    first = ask(Source.ONLINE, ["paid"], [], policy="ranked-next-slot")[0]
    assert first.elsewhere is not None
    assert first.elsewhere.id == 2


def test_and_where_only_a_later_day_can_have_one():
    assert ask(Source.ONLINE, ["paid"], policy="ranked-next-slot")[0].result == "later"


def test_who_holds_a_token_there_can_ask_for_an_emergency_only():
    assert not any(offer.possible for offer in ask(Source.WALK_IN, ["online"], [], patient_id=101))
    raised = ask(Source.EMERGENCY, ["online"], [], patient_id=101)
    assert {offer.result for offer in raised} == {"raised"}


def test_playing_changes_nothing():
    facts = session(["online"], [])
    offers([lambda: session(["online"], [])], patient_id=7, source=Source.PAID, now=NINE)
    assert facts == session(["online"], [])


def test_a_long_day_shows_six_slots_and_the_chosen_one_is_among_them():
    found = ask(Source.ONLINE, *[["online"]] * 9, [])
    assert len(found) == 6
    assert chosen(found).slot.id == 10


def test_who_would_get_the_place_of_one_who_is_cancelled_is_named():
    facts = session(["online"], ["online"])
    waits = replace(facts.tokens[1], id=9, patient_id=9, number="A-009", status="waitlisted")
    facts.tokens[9] = waits
    assert [token.number for token in gains_by_cancelling(facts, 1, NINE)] == ["A-009"]


def test_nobody_gets_a_place_that_nobody_waits_for():
    assert gains_by_cancelling(session(["online"], []), 1, NINE) == ()
