"""The benchmark compares like with like, and its figures have the shape that others read. No time is tested."""

from typing import Any
from urllib.parse import urlsplit

import pytest

from benchmarks import (
    bills,
    comparison,
    desk,
    engine,
    http_load,
    live_ground,
    machine,
    operations,
    reference,
    report,
    reports,
)
from benchmarks.comparison import Pair, Unfair, median
from benchmarks.engine import Result
from benchmarks.hospital import HOT_SLOT, MANY_SLOTS, PASSWORD, Ground, Hospital, Load
from billing.models import Bill, Line
from billing.proof import prove
from patients.models import Patient
from tokens.events import replay
from tokens.models import Event, Token

pytestmark = pytest.mark.django_db(transaction=True)

SMALL = Load("small", 2, 3)


@pytest.fixture
def hospital() -> Hospital:
    return Hospital(patients=600)


def tokens_of(ground: Ground) -> list[Token]:
    slots = range(ground.first_slot, ground.first_slot + ground.load.slots)
    return list(Token.objects.filter(slot__in=slots).order_by("id"))


def shape(tokens: list[Token]) -> set[Any]:
    """What kinds of rows were written, whatever their values: tokens and events, with the keys of the changes."""
    own = {(t.status, t.source, t.score, t.events, t.arrived_at is None, bool(t.number), len(t.key)) for t in tokens}
    events = Event.objects.filter(token__in=tokens)
    return own | {
        (e.seq, e.kind, e.status, frozenset(e.changes), e.actor_id, e.cause_token_id == e.token_id) for e in events
    }


def by_engine(hospital: Hospital, load: Load, requests: int) -> Ground:
    ground = hospital.open_day(load)
    worker = engine.Worker(ground, 0, 1, hospital.receptionist)
    for _ in range(requests):
        worker.request()
    comparison.check("engine", ground, worker.result)
    return ground


def by_hand(hospital: Hospital, load: Load, requests: int) -> Ground:
    ground = hospital.open_day(load)
    result = reference.measure(ground, clients=1, seconds=0, by=hospital.receptionist, requests=requests)
    comparison.check("pgbench", ground, result)
    return ground


def test_the_transaction_by_hand_writes_the_rows_that_the_engine_writes(hospital: Hospital) -> None:
    ours, theirs = by_engine(hospital, SMALL, 20), by_hand(hospital, SMALL, 20)
    assert shape(tokens_of(ours)) == shape(tokens_of(theirs))
    assert {t.status for t in tokens_of(theirs)} == {"confirmed", "waitlisted"}


def test_the_events_written_by_hand_rebuild_their_tokens_too(hospital: Hospital) -> None:
    tokens = tokens_of(by_hand(hospital, SMALL, 20))
    assert replay(sorted({t.session_id for t in tokens})) == (20, 40, [])


@pytest.mark.parametrize("load", [MANY_SLOTS, HOT_SLOT], ids=lambda load: load.name)
def test_several_processes_ask_without_an_error(hospital: Hospital, load: Load) -> None:
    ground = hospital.open_day(load)
    result = engine.measure(ground, clients=3, seconds=0.1, by=hospital.receptionist)
    comparison.check("engine", ground, result)
    assert result.rps > 0


def test_a_side_that_wrote_other_rows_is_refused(hospital: Hospital) -> None:
    ground = by_engine(hospital, SMALL, 4)
    with pytest.raises(Unfair, match="'tokens': 4"):
        comparison.check("engine", ground, Result(done=5))


def test_a_side_with_errors_is_refused(hospital: Hospital) -> None:
    ground = hospital.open_day(SMALL)
    failing = engine.Worker(ground, 0, 1, hospital.receptionist)
    failing.ground = Ground(SMALL, ground.first_slot + 1000, ground.first_patient, ground.patients)
    failing.request()
    with pytest.raises(Unfair, match="UnknownSlot"):
        comparison.check("engine", ground, failing.result)


def test_the_round_with_the_middle_ratio_is_told() -> None:
    assert median([Pair(90, 100), Pair(30, 100), Pair(100, 200)]).as_json() == {
        "rps": 100,
        "pgbench": 200,
        "ratio": 0.5,
    }


def test_a_request_is_three_round_trips_from_the_lock_to_the_commit(hospital: Hospital) -> None:
    costs = operations.measure(hospital)
    requests = [cost for name, cost in costs.items() if name.startswith("request")]
    assert len(requests) == 3
    assert {cost["round_trips"] for cost in requests} == {3}


def test_the_load_over_http_counts_answers_and_refusals(hospital: Hospital, live_server: Any) -> None:
    port = urlsplit(live_server.url).port
    token = http_load.device(port, hospital)
    ground = hospital.open_day(MANY_SLOTS)
    found = http_load.measure(port, token, ground, connections=2, seconds=0.3, warm_up=0)
    assert set(found) == {"rps", "p50_ms", "p95_ms", "p99_ms", "not_2xx"}
    assert found["not_2xx"] == 0
    refused = http_load.measure(port, "nobody", ground, connections=2, seconds=0.3, warm_up=0)
    assert refused["not_2xx"] > 0


def test_the_desk_is_asked_as_a_browser_asks(hospital: Hospital, live_server: Any) -> None:
    hall = live_ground.open_hall(Patient.objects.filter(facility=hospital.facility), PASSWORD, name="Desk")
    found = desk.measure(hall, urlsplit(live_server.url).port or 0, rounds=2)
    assert found.keys() == {"arrive", "desk, after a change", "desk, unchanged", "overview", "bar of a row"}
    assert Token.objects.filter(arrived_at__isnull=False).count() == 2
    assert all(line["bytes"] < 50_000 for line in found.values())


def test_a_bill_by_hand_is_the_bill_that_is_made(hospital: Hospital) -> None:
    found = bills.side_by_side(hospital, rounds=2)
    assert found.keys() == {"create a bill", "by hand", "take cash for it"}
    assert found["create a bill"]["statements"] <= 12
    assert prove(hospital.facility).balanced
    names = ("status", "currency", "total", "due", "billable_type", "version", "created_by")
    made = Bill.objects.filter(paid=0).values_list(*names)
    assert len(made) > 2
    assert len(set(made)) == 1
    names = ("position", "description", "total", "item_type", "item_id", "department", "doctor")
    assert len(set(Line.objects.values_list(*names))) == 2


def test_the_reports_of_a_loaded_history_are_asked_for() -> None:
    found = reports.measure(visits=60, days=20, rounds=2)
    whole = {"a day", "a month"}
    assert found.keys() == {"history", *whole, *(f"{name} by hand" for name in whole), "a month of a doctor"}
    assert abs(found["history"]["visits"] - 60) < 20
    assert all(found[name]["ratio"] > 0 for name in whole)


def test_a_report_that_differs_from_what_is_by_hand_is_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    found = reports.by_hand
    monkeypatch.setattr(reports, "by_hand", lambda scope: found(scope) | {"seen": [("Dr Nobody", 1, 1, 0, 0)]})
    with pytest.raises(Unfair, match="seen differ"):
        reports.measure(visits=20, days=2, rounds=1)


def test_the_figures_become_the_tables_of_the_documentation() -> None:
    figures = {
        "machine": machine.describe(),
        "engine": {"many_slots": {"1": Pair(60, 100).as_json()}},
        "http": {"8": {"rps": 410.2, "p50_ms": 13.2, "p95_ms": 47.8, "p99_ms": 61.4, "not_2xx": 0}},
        "operations": {"arrive": {"statements": 6, "round_trips": 3}},
    }
    text = report.markdown(figures)
    assert "| many_slots | 1 | 60 | 100 | 0.60 |" in text
    assert "| 8 | 410 | 13.2 | 47.8 | 61.4 | 0 |" in text
    assert "| arrive | 6 | 3 |" in text
