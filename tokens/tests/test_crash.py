"""Whoever dies at whatever point: wholly done or wholly undone, and the events rebuild the state.

Real processes with real connections: a worker is killed with SIGKILL while it holds the lock, before and after it has
written, and in the middle of a busy hour; and the server ends a backend under a worker.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

import pytest
from django.conf import settings
from django.db import OperationalError, connection, transaction

from scheduling import locking
from tokens import allocation
from tokens.models import Event, Token
from tokens.tests.factories import Morning, rows
from tokens.tests.promises import broken_rules

pytestmark = pytest.mark.django_db(transaction=True)

DEADLINE = 30.0

WORKER = """
import sys
from datetime import datetime
import django
django.setup()
from django.db import connections, transaction
connections["default"].settings_dict["NAME"] = sys.argv[1]
connections["default"].settings_dict["OPTIONS"]["application_name"] = "worker"
from tokens import allocation, storage
where, slot, at = sys.argv[2], int(sys.argv[3]), datetime.fromisoformat(sys.argv[4])
patients = [int(text) for text in sys.argv[5:]]

def wait_for_the_end():
    print("holding", flush=True)
    sys.stdin.read()

write = storage.write
def stop_before(*arguments, **named):
    wait_for_the_end()
    return write(*arguments, **named)

if where == "before the write":
    storage.write = stop_before
for patient in patients:
    with transaction.atomic(durable=True):
        outcome = allocation.request_token(patient_id=patient, source="paid", slot_id=slot, by=None, at=at)
        if where == "before the commit":
            wait_for_the_end()
    print(outcome.token.id, flush=True)
"""


@contextmanager
def worker(where: str, morning: Morning, *names: str) -> Iterator["subprocess.Popen[str]"]:
    """A process of its own that asks for places and stops where it is told to."""
    patients = [str(morning.patient(name).id) for name in names]
    name = connection.settings_dict["NAME"]
    process = subprocess.Popen(
        [sys.executable, "-c", WORKER, name, where, str(morning.slots[0].id), morning.now.isoformat(), *patients],
        cwd=settings.BASE_DIR,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "opd_engine.settings_test", "OPD_TEST_VAR": str(settings.OPD_VAR)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait(timeout=DEADLINE)
        for stream in (process.stdin, process.stdout):
            assert stream is not None
            stream.close()


def said(stream: IO[str] | None) -> str:
    """The next line of a worker; it is empty where the worker is gone."""
    assert stream is not None
    return stream.readline().strip()


def kill(process: "subprocess.Popen[str]") -> None:
    """SIGKILL: no clean-up, no goodbye."""
    process.kill()
    process.wait(timeout=DEADLINE)


@pytest.fixture
def morning() -> Morning:
    """A full slot: whoever pays will displace somebody."""
    morning = Morning(capacity=2, slots=2)
    morning.fill(0, "Asha", "Bala", "Chitra")
    return morning


def state(morning: Morning) -> list[tuple[object, ...]]:
    return [
        *rows("SELECT id, status, slot_id, events FROM tokens_token ORDER BY id"),
        *rows("SELECT version, last_number, events FROM scheduling_session WHERE id = %s", morning.session.id),
    ]


class TestAWorkerIsKilledWhileItHoldsTheLock:
    @pytest.mark.parametrize("where", ["before the write", "before the commit"])
    def test_nothing_is_half_done_and_the_next_one_goes_on(self, morning: Morning, where: str) -> None:
        before = state(morning)
        with worker(where, morning, "Deepa") as process:
            assert said(process.stdout) == "holding"
            kill(process)
        assert state(morning) == before
        assert Event.objects.filter(kind="displaced").count() == 0
        deepa = morning.give("paid", "Deepa")
        assert morning.status(deepa) == "confirmed"
        assert broken_rules([morning.session.id], morning.now) == []

    def test_until_it_is_dead_nobody_passes_the_lock(self, morning: Morning) -> None:
        with worker("before the commit", morning, "Deepa") as process:
            assert said(process.stdout) == "holding"
            with transaction.atomic():
                sql = locking.lock_statement("pk") + " NOWAIT"
            with pytest.raises(OperationalError, match="could not obtain lock"):
                rows(sql, morning.session.id)
            kill(process)
        morning.give("online", "Elango")
        assert broken_rules([morning.session.id], morning.now) == []


class TestTheServerEndsABackend:
    def test_the_worker_hears_of_it_and_nothing_is_half_done(self, morning: Morning) -> None:
        before = state(morning)
        with worker("before the write", morning, "Deepa") as process:
            assert said(process.stdout) == "holding"
            ended = rows(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND application_name = 'worker'"
            )
            assert ended == [(True,)]
            process.communicate(timeout=DEADLINE)
            assert process.returncode != 0
        assert state(morning) == before
        assert broken_rules([morning.session.id], morning.now) == []

    def test_a_connection_that_was_ended_does_not_spoil_the_next_request(self, morning: Morning) -> None:
        deepa, slot = morning.patient("Deepa").id, morning.slots[0].id

        def ask_and_lose_the_connection() -> None:
            with transaction.atomic():
                allocation.request_token(patient_id=deepa, source="paid", slot_id=slot, by=None, at=morning.now)
                rows("SELECT pg_terminate_backend(pg_backend_pid())")

        with pytest.raises(OperationalError):
            ask_and_lose_the_connection()
        connection.close()
        assert Token.objects.count() == 3
        assert morning.status(morning.give("paid", "Deepa")) == "confirmed"
        assert broken_rules([morning.session.id], morning.now) == []


class TestAWorkerIsKilledInTheMiddleOfABusyHour:
    def test_what_was_answered_is_there_and_the_events_rebuild_the_state(self, morning: Morning) -> None:
        with worker("nowhere", morning, *(f"patient {n}" for n in range(200))) as process:
            answered = [int(said(process.stdout)) for _ in range(20)]
            process.kill()
            answered += [int(line) for line in process.communicate(timeout=DEADLINE)[0].split()]
        kept = set(Token.objects.values_list("id", flat=True))
        assert set(answered) <= kept
        assert len(kept) <= 3 + len(answered) + 1  # the one whose answer was on its way
        assert broken_rules([morning.session.id], morning.now) == []
