"""Each figure of the hall equals the same worked out by hand over all rows of a month with every case."""

from collections import defaultdict
from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from reports.queries import hall
from reports.queries.places import blocks
from reports.queries.scope import Scope
from reports.records import Counts
from reports.tests.hospital import Month, Naive, quantile, scope
from tokens.models import WaitEstimate
from tokens.states import Source, Status

pytestmark = pytest.mark.django_db

ASKED = [
    ("2031-03", {}),
    ("2031-02", {}),
    ("2031-03-17", {}),
    ("2031-03-20", {}),
    ("2031-03-22", {}),
    ("2031-03-11", {}),
    ("2031-03", {"source": "online"}),
    ("2031-03-20", {"source": "emergency"}),
    ("2031-03", {"doctor": 1}),
    ("2031-03-20", {"department": 0}),
    ("2031-03", {"department": 1, "source": "walk_in", "doctor": 1}),
    ("2031-03", {"department": 0, "doctor": 1}),
]
"""A month under way, one that is over, a past day, today, a day ahead, a day without sessions; narrower ones."""


@pytest.fixture(scope="module")
def written(django_db_setup: None, django_db_blocker: Any) -> Any:
    """The month, written once for the file, beside another hospital's; taken back at the end."""
    from django.db import transaction

    with django_db_blocker.unblock():
        outer = transaction.atomic()
        outer.__enter__()
        month = Month()
        Month(seed=8, days=22)
        yield month
        transaction.set_rollback(True)
        outer.__exit__(None, None, None)


@pytest.fixture(params=ASKED, ids=lambda asked: f"{asked[0]} {asked[1]}")
def both(request: Any, written: Month) -> tuple[Scope, Naive]:
    """What is asked, and the month by hand."""
    text, narrower = request.param
    chosen: dict[str, Any] = {}
    if "doctor" in narrower:
        chosen["doctor_id"] = written.doctors[narrower["doctor"]].pk
    if "department" in narrower:
        chosen["department_id"] = written.departments[narrower["department"]].pk
    asked = scope(written.facility, text, source=narrower.get("source"), **chosen)
    return asked, Naive(asked)


def test_tokens_by_date_and_source_and_by_doctor(both: tuple[Scope, Naive]) -> None:
    asked, naive = both
    by_source, by_doctor = defaultdict(list), defaultdict(list)
    for token in naive.tokens:
        session = naive.sessions[token.session_id]
        by_source[session.date, token.source].append(token)
        by_doctor[session.doctor_id].append(token)
    found = hall.tokens(asked)
    assert found.by_source == {key: Counts(*naive.counts(tokens)) for key, tokens in by_source.items()}
    assert found.by_doctor == {key: Counts(*naive.counts(tokens)) for key, tokens in by_doctor.items()}
    assert found.all == Counts(*naive.counts(naive.tokens))


def test_waits_by_source_and_by_doctor(both: tuple[Scope, Naive]) -> None:
    asked, naive = both
    waited: dict[Any, list[int]] = defaultdict(list)
    for token in naive.tokens:
        minutes = naive.waited(token)
        if minutes is not None:
            for key in ("all", token.source, naive.sessions[token.session_id].doctor_id):
                waited[key].append(minutes)
    found = hall.waits(asked)
    shown = {**found.by_source, **found.by_doctor, **({"all": found.all} if found.all else {})}
    assert shown.keys() == waited.keys()
    for key, values in waited.items():
        wait = shown[key]
        said = (wait.called, wait.low, wait.quarter, wait.half, wait.three_quarters, wait.high, wait.longest)
        assert said == (len(values), *(quantile(values, q) for q in (0.1, 0.25, 0.5, 0.75, 0.9)), max(values)), key
        assert wait.each == (tuple(sorted(values)) if asked.period.is_day else ())


def test_places_by_doctor_and_slot_or_hour(both: tuple[Scope, Naive]) -> None:
    asked, naive = both
    found = {(b.doctor_id, float(b.start)): (b.offered, b.taken, b.over) for b in blocks(asked)}
    expected = naive.blocks()
    if not asked.period.is_day:  # an hour in which nothing was offered is not drawn
        expected = {key: numbers for key, numbers in expected.items() if numbers[:2] != (0, 0)}
    assert found == expected


def test_estimates_by_doctor(both: tuple[Scope, Naive]) -> None:
    asked, naive = both
    expected: dict[int, list[int]] = defaultdict(lambda: [0, 0, 0])
    tokens = {token.pk: token for token in naive.tokens}
    for told in WaitEstimate.objects.all():
        token = tokens.get(told.token_id)
        if token and token.started_at and token.started_at >= told.given_at:
            minutes = (token.started_at - told.given_at).total_seconds() / 60
            sums = expected[naive.sessions[token.session_id].doctor_id]
            sums[0] += 1
            sums[1] += minutes <= told.p50_minutes
            sums[2] += minutes <= told.p90_minutes
    found = hall.estimates(asked)
    assert {key: [kept.told, kept.before_p50, kept.before_p90] for key, kept in found.items()} == dict(expected)


def test_the_month_has_every_case(written: Month) -> None:
    """Otherwise the tests above would prove little."""
    asked = scope(written.facility)
    naive = Naive(asked)
    assert {token.source for token in naive.tokens} == {source.value for source in Source}
    assert {token.status for token in naive.tokens} == set(Status) - {Status.REQUESTED}
    assert {token.call_count for token in naive.tokens} == {0, 1, 2}
    assert all(naive.counts(naive.tokens))
    assert hall.tokens(asked).of_date(date(2031, 3, 20)).due > 0
    assert any(block.over for block in blocks(asked))
    assert sum(kept.told for kept in hall.estimates(asked).values()) > 20


def test_every_figure_is_one_query(written: Month) -> None:
    asked = scope(written.facility)
    for read in (hall.tokens, hall.waits, blocks, hall.displaced, hall.estimates, hall.choices):
        with CaptureQueriesContext(connection) as asked_for:
            read(asked)
        assert len(asked_for) == 1, read
