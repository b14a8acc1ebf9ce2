"""The helper that race tests stand on really races."""

import threading

import pytest
from django.db import connection

from common.testing.races import race, race_of


@pytest.mark.django_db(transaction=True)
def test_each_runner_has_a_connection_of_its_own() -> None:
    def backend(index: int) -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            pid: int = cursor.fetchone()[0]
        return pid

    pids = race_of(8, backend).returned
    assert len(set(pids)) == 8
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE pid = ANY(%s) AND state = 'active'", [pids])
        assert cursor.fetchone() == (0,)


@pytest.mark.django_db(transaction=True)
def test_they_run_at_the_same_time() -> None:
    # Each waits for all the others inside its work: one after the other, nobody would come through.
    together = threading.Barrier(4, timeout=20)
    assert len(race_of(4, lambda index: together.wait()).returned) == 4


@pytest.mark.django_db(transaction=True)
def test_answers_and_errors_keep_their_order() -> None:
    def fail() -> None:
        raise ValueError("no")

    outcomes = race([lambda: 1, fail, lambda: 3])
    assert outcomes.values == [1, None, 3]
    assert outcomes.returned == [1, 3]
    assert [type(error) for error in outcomes.raised] == [ValueError]
    assert len(outcomes.of(ValueError)) == 1
