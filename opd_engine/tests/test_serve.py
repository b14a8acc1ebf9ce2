"""``manage.py serve`` as people run it: a family of processes on one port."""

import contextlib
import hashlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from django.conf import settings
from django.db import connection

from opd_engine import embedded

ROOT = Path(__file__).resolve().parents[2]


PATIENCE = 60.0  # seconds until something is taken for stuck; a slow machine is no fault


def wait_until(happened: Callable[[], object], seconds: float = PATIENCE) -> bool:
    """Whether it happened in time."""
    return embedded._wait_until(lambda: bool(happened()), seconds)


class Running:
    """A server of its own on the test's database."""

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.output = open(folder / "output", "w+")  # noqa: SIM115
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "serve", "--port", str(self.port)],
            cwd=ROOT,
            env=os.environ | {"DJANGO_SETTINGS_MODULE": "opd_engine.tests.serve_settings", "DATABASE_URL": url()},
            stdin=subprocess.DEVNULL,
            stdout=self.output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def said(self) -> str:
        self.output.seek(0)
        return self.output.read()

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children()

    def ask(self, path: str, body: bytes | Iterator[bytes] | None = None, method: str | None = None):
        caller = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        method = method or ("GET" if body is None else "POST")
        caller.request(method, path, body, {"Content-Type": "application/json"})
        answer = caller.getresponse()
        return answer.status, answer.read()

    def answers(self) -> bool:
        with contextlib.suppress(OSError):
            return self.ask("/healthz")[0] == 200
        return False

    def stream(self) -> socket.socket:
        """An open stream, after its first words."""
        reader = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        reader.sendall(b"GET /test/stream/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
        received = b""
        while b"data: first" not in received:
            received += reader.recv(4096)
        return reader

    def end(self, number: int) -> None:
        """Send a signal to the parent alone, and wait until nobody is left."""
        family = [psutil.Process(self.process.pid), *self.children()]
        os.kill(self.process.pid, number)
        self.process.wait(PATIENCE)
        assert wait_until(lambda: not any(member.is_running() and member.status() != "zombie" for member in family))


def url() -> str:
    """The test's database as ``DATABASE_URL``."""
    if settings.DATABASE_URL:
        return settings.DATABASE_URL.rpartition("/")[0] + "/" + connection.settings_dict["NAME"]
    host = connection.get_connection_params()["host"]
    return f"postgresql://postgres@/{connection.settings_dict['NAME']}?host={host}"


@contextlib.contextmanager
def started(folder: Path) -> Iterator[Running]:
    """A server that answers; at the end nobody of it is left."""
    running = Running(folder)
    try:
        wait_until(lambda: running.answers() or running.process.poll() is not None)
        assert running.answers(), running.said()
        yield running
    finally:
        if running.process.poll() is None:
            running.end(signal.SIGTERM)
        running.output.close()


@pytest.fixture
def server(transactional_db, tmp_path) -> Iterator[Running]:
    with started(tmp_path) as running:
        yield running


@pytest.fixture
def slow_to_lose(server: Running) -> Iterator[list[socket.socket]]:
    """Four people who look at a stream."""
    streams = [server.stream() for _ in range(4)]
    yield streams
    for stream in streams:
        stream.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_by_itself_with_streams_open_and_ends_them_in_order(server, slow_to_lose, number):
    server.end(number)
    for stream in slow_to_lose:
        assert stream.recv(4096).endswith(b"0\r\n\r\n"), "the last chunk of a finished answer"
    assert server.process.returncode == 0
    assert "Traceback" not in server.said()


def test_a_server_process_that_is_killed_is_replaced(server):
    before = {child.pid for child in server.children()}
    victim = min(before)
    os.kill(victim, signal.SIGKILL)
    assert wait_until(lambda: len({child.pid for child in server.children()} - {victim}) == len(before))
    assert server.ask("/healthz")[0] == 200


def test_nobody_stays_behind_when_the_parent_is_killed(server):
    server.end(signal.SIGKILL)


class TestWhatItAnswers:
    """One server for them all: they ask, and change nothing."""

    @pytest.fixture(scope="class")
    @classmethod
    def server(cls, own_database, django_db_blocker, tmp_path_factory) -> Iterator[Running]:
        with started(tmp_path_factory.mktemp("server")) as running:
            yield running
        # What it wrote by itself, such as that it is there.
        with django_db_blocker.unblock():
            own_database.renew()

    def test_it_is_ready_when_database_migrations_and_jobs_are(self, server):
        assert wait_until(lambda: server.ask("/readyz")[0] == 200), server.ask("/readyz")
        assert json.loads(server.ask("/readyz")[1])["checks"] == {"database": True, "migrations": True, "jobs": True}

    def test_a_second_server_on_the_same_port_is_told_so(self, server):
        second = subprocess.run(
            [sys.executable, "manage.py", "serve", "--port", str(server.port)],
            cwd=ROOT,
            env=os.environ | {"DATABASE_URL": url()},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert second.returncode == 1
        assert f"Port {server.port}" in second.stderr
        assert "Traceback" not in second.stderr

    @pytest.mark.parametrize("size", [0, 1, 100_000, 3_000_000])
    def test_a_body_arrives_whole_in_one_piece_and_in_chunks(self, server, size):
        body = os.urandom(size)
        digest = hashlib.sha256(body).hexdigest()
        whole = json.loads(server.ask("/test/echo/?q=%E0%A4%85", body)[1])
        assert whole == {"digest": digest, "query": {"q": "अ"}, "length": str(size)}
        chunks = json.loads(server.ask("/test/echo/", (body[i : i + 70_000] for i in range(0, size, 70_000)))[1])
        assert chunks == {"digest": digest, "query": {}, "length": str(size)}

    def test_a_long_answer_arrives_whole(self, server):
        assert server.ask("/test/long/") == (200, b"0123456789" * 300_000)

    @pytest.mark.parametrize("size", [10_000_000, 40_000_000])
    def test_a_body_that_is_too_large_is_refused_with_a_code_and_a_sentence(self, server, size):
        status, answer = server.ask("/api/v1/auth/login/", b" " * size)
        assert status == 413
        [error] = json.loads(answer)["errors"]
        assert error["code"] == "too_large"
        assert error["detail"].endswith(".")

    @pytest.mark.parametrize("path", ["/nothing/here", "/api/v1/%ff%fe", "/?%ff=%00", "/%00"])
    def test_no_address_however_odd_is_an_error_of_the_server(self, server, path):
        assert server.ask(path)[0] < 500
