"""Simulated days: the same seed the same answer, nothing left behind, every rule kept."""

import json
from collections import Counter
from random import Random

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.models import Facility
from common.errors import BadInput, Busy
from patients.models import Patient
from scheduling.models import Session
from tokens.facts import PRESETS
from tokens.models import Event, Token
from tokens.simulation.again import replay_day
from tokens.simulation.bookings import make_up
from tokens.simulation.day import Plan, deal
from tokens.simulation.made_up import simulate
from tokens.simulation.real_day import RealDay
from tokens.states import Source

CONTRACT = {
    "doctors", "slots_created", "tokens_booked", "emergencies", "cancellations", "no_shows", "displacements",
    "promotions", "waitlisted_remaining", "capacity_violations", "wait_by_source", "timeline",
}  # fmt: skip


@pytest.mark.django_db
def test_the_same_seed_gives_the_same_answer_and_another_seed_another():
    first = simulate(Plan(requests=40))
    assert first == simulate(Plan(requests=40))
    assert first["timeline"] != simulate(Plan(requests=40, seed=8))["timeline"]
    assert first.keys() >= CONTRACT
    assert json.loads(json.dumps(first)) == first


@pytest.mark.django_db
def test_a_simulated_day_leaves_nothing_behind():
    tables = (Facility, Patient, Session, Token, Event)
    before = [table.objects.count() for table in tables]
    assert simulate(Plan(requests=20))["tokens_booked"]
    assert [table.objects.count() for table in tables] == before


@pytest.mark.django_db
@pytest.mark.parametrize("policy", sorted(PRESETS))
def test_a_day_under_each_preset_has_everything_in_it_and_breaks_no_rule(policy):
    answer = simulate(Plan(policy=policy))
    assert answer["rules_broken"] == []
    assert answer["capacity_violations"] == 0
    assert (answer["doctors"], answer["slots_created"]) == (3, 9)
    for figure in ("emergencies", "cancellations", "no_shows", "seen"):
        assert answer[figure] > 0, figure
    assert set(answer["wait_by_source"]) == set(Source)
    assert answer["tokens_booked"] + sum(answer["refused"].values()) == 60
    assert {entry["action"] for entry in answer["timeline"]} >= {"request", "arrive", "call", "start", "complete"}


@pytest.mark.django_db
def test_the_overbooking_preset_overbooks_emergencies_and_the_default_displaces():
    assert simulate(Plan(policy="ranked-overbook"))["overbooked"] > 0
    default = simulate(Plan(policy="weighted-waitlist"))
    assert default["overbooked"] == 0
    assert default["displacements"] > 0
    assert default["promotions"] > 0


@pytest.mark.parametrize(
    ("name", "value"), [("doctors", 0), ("doctors", 21), ("requests", 2001), ("capacity", -1), ("policy", "mine")]
)
def test_a_size_that_makes_no_sense_is_refused_by_name(name, value):
    with pytest.raises(BadInput) as refused:
        simulate(Plan(**{name: value}))
    assert refused.value.attr == name


@pytest.mark.django_db
def test_the_smallest_day_can_be_played():
    answer = simulate(Plan(doctors=1, slots_per_doctor=1, capacity=1, requests=1))
    assert answer["tokens_booked"] == 1


@pytest.mark.django_db
def test_one_simulation_at_a_time_so_that_the_server_keeps_answering():
    with connection.copy().cursor() as other:
        other.execute("SELECT pg_advisory_lock(20262)")
        with pytest.raises(Busy):
            simulate(Plan(requests=5))
        other.execute("SELECT pg_advisory_unlock_all()")
        other.connection.close()


def test_the_shares_of_the_sources_do_not_depend_on_chance():
    decks = [Counter(deal(Plan(requests=100), Random(seed))) for seed in range(5)]
    assert all(deck == decks[0] for deck in decks)
    assert set(decks[0]) == set(Source)


@pytest.mark.django_db
def test_the_command_prints_the_answer_as_json(capsys):
    call_command("simulate_day", "--requests", "12", "--seed", "3", verbosity=0)
    answer = json.loads(capsys.readouterr().out)
    assert answer["requests"] == 12
    assert answer["capacity_violations"] == 0
    with pytest.raises(CommandError, match="doctors lies between"):
        call_command("simulate_day", "--doctors", "99", verbosity=0)


@pytest.fixture
def past_day():
    bookings = make_up(60, seed=1)
    return RealDay(bookings, policy="weighted-waitlist", supply=0.7, seed=1).play().facility, bookings[0].day


@pytest.mark.django_db
def test_a_past_day_is_set_beside_itself_under_another_policy(past_day):
    facility, day = past_day
    tokens, events = Token.objects.count(), Event.objects.count()
    both = replay_day(facility, day, "ranked-next-slot")
    assert both["recorded"]["tokens_booked"] == Token.objects.filter(session__facility=facility).count()
    assert both["replayed"]["tokens_booked"] == both["recorded"]["tokens_booked"]
    assert both["recorded"]["no_place"] == 0
    assert both["replayed"]["no_place"] > 0
    assert both["replayed"]["capacity_violations"] == 0
    assert (Token.objects.count(), Event.objects.count()) == (tokens, events)


@pytest.mark.django_db
def test_a_past_day_under_its_own_policy_comes_out_as_it_was(past_day):
    facility, day = past_day
    both = replay_day(facility, day, "weighted-waitlist")
    for figure in ("tokens_booked", "emergencies", "cancellations", "no_place", "no_shows", "seen", "overbooked"):
        assert both["replayed"][figure] == both["recorded"][figure], figure


@pytest.mark.django_db
def test_a_day_that_is_not_over_cannot_be_played_again(past_day):
    facility, _ = past_day
    with pytest.raises(BadInput) as refused:
        replay_day(facility, facility.local_date(), "considerate")
    assert refused.value.attr == "date"
