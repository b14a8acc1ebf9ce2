"""The API as clients meet it: the product's own server, a device's token, and keep-alive connections that never pause.

The load comes from one event loop with prepared bytes and next to no parsing, for it shares the machine with what it
measures.
"""

import asyncio
import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import cast

import uvloop

from benchmarks.hospital import PASSWORD, Ground, Hospital
from opd_engine.environment import BASE_DIR

HOST = "127.0.0.1"
START_SECONDS = 60
WARM_UP_SECONDS = 1.0
_END_OF_HEAD = b"\r\n\r\n"
_LENGTH = b"content-length:"


@contextmanager
def server() -> Iterator[int]:
    """Run the product's server, as `make run` does, on a free port; gives the port."""
    with running() as (port, _):
        yield port


@contextmanager
def running(**settings: str) -> Iterator[tuple[int, int]]:
    """The same, with these settings in its environment; gives the port and the process id.

    Raises:
        RuntimeError: it does not answer; what it said is in the message.
    """
    port = _free_port()
    with tempfile.TemporaryFile("w+") as words:
        command = [sys.executable, str(BASE_DIR / "manage.py"), "serve", f"--host={HOST}", f"--port={port}"]
        env = os.environ | settings
        child = subprocess.Popen(command, stdout=words, stderr=words, env=env, start_new_session=True)
        try:
            if not _answers(port, child):
                words.seek(0)
                raise RuntimeError(f"The server does not answer: {words.read()[-2000:]}")
            yield port, child.pid
        finally:
            child.send_signal(signal.SIGINT)
            child.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _answers(port: int, child: "subprocess.Popen[bytes]") -> bool:
    """Whether the server is there within `START_SECONDS`."""
    ends = time.monotonic() + START_SECONDS
    while child.poll() is None and time.monotonic() < ends:
        try:
            socket.create_connection((HOST, port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return True
    return False


def sign_in(port: int, username: str) -> str:
    """A device's token, over the API."""
    connection = http.client.HTTPConnection(HOST, port, timeout=30)
    body = json.dumps({"username": username, "password": PASSWORD})
    connection.request("POST", "/api/v1/auth/login/", body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    said = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"Sign-in answered {answer.status}: {said[:500]!r}")
    return str(json.loads(said)["token"])


@dataclass
class Tally:
    """What the connections saw; `open` while the clock runs."""

    open: bool = False
    seconds: list[float] = field(default_factory=list)
    not_2xx: int = 0
    first_refusal: bytes = b""

    def as_json(self, elapsed: float) -> dict[str, float]:
        """As it stands in bench.json."""
        ordered = sorted(self.seconds)
        if not ordered:
            raise RuntimeError(f"Nothing was answered: {self.not_2xx} connections broke.")
        figures = {"rps": round(len(ordered) / elapsed, 1)}
        for percent in (50, 95, 99):
            figures[f"p{percent}_ms"] = round(ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] * 1000, 1)
        return figures | {"not_2xx": self.not_2xx}


class Requests:
    """The bytes of one request after the other, each for another patient in a random slot."""

    def __init__(self, ground: Ground, token: str) -> None:
        self.ground = ground
        self.numbers = count()
        self.random = random.Random(1)
        self.head = (
            f"POST /api/v1/tokens/ HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Bearer {token}\r\n"
            "Content-Type: application/json\r\nContent-Length: "
        ).encode()

    def next(self) -> bytes:
        """Head and body."""
        slot = self.ground.first_slot + self.random.randrange(self.ground.load.slots)
        patient = self.ground.patient(next(self.numbers))
        body = b'{"slot": %d, "patient": %d, "source": "online"}' % (slot, patient)
        return b"%s%d\r\n\r\n%s" % (self.head, len(body), body)


class Client(asyncio.Protocol):
    """One keep-alive connection: the next request goes out when the answer is in."""

    transport: asyncio.Transport

    def __init__(self, requests: Requests, tally: Tally) -> None:
        self.requests, self.tally = requests, tally
        self.received = b""
        self.sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self.transport = cast(asyncio.Transport, transport)  # uvloop's own kind
        self.send()

    def send(self) -> None:
        """One request."""
        self.received = b""
        self.sent_at = time.perf_counter()
        self.transport.write(self.requests.next())

    def data_received(self, data: bytes) -> None:
        """A piece of an answer, mostly all of it."""
        self.received += data
        head = self.received.find(_END_OF_HEAD)
        if head < 0:
            return
        at = self.received.lower().find(_LENGTH, 0, head)
        length = int(self.received[at + len(_LENGTH) : self.received.find(b"\r\n", at)])
        if len(self.received) >= head + len(_END_OF_HEAD) + length:
            self.answered()

    def answered(self) -> None:
        """A whole answer."""
        if self.tally.open:
            self.tally.seconds.append(time.perf_counter() - self.sent_at)
            if self.received[9:10] != b"2":
                self.tally.not_2xx += 1
                self.tally.first_refusal = self.tally.first_refusal or self.received
        self.send()

    def connection_lost(self, exc: Exception | None) -> None:
        """A broken connection counts as a refusal; at the end of the measurement it is ours."""
        if self.tally.open:
            self.tally.not_2xx += 1


async def _load(port: int, requests: Requests, connections: int, seconds: float, warm_up: float) -> dict[str, float]:
    loop = asyncio.get_running_loop()
    tally = Tally()
    clients = [await loop.create_connection(lambda: Client(requests, tally), HOST, port) for _ in range(connections)]
    await asyncio.sleep(warm_up)
    began = time.perf_counter()
    tally.open = True
    await asyncio.sleep(seconds)
    tally.open = False
    elapsed = time.perf_counter() - began
    for transport, _ in clients:
        transport.abort()
    if tally.first_refusal:
        print(f"    {tally.first_refusal[:300]!r}")
    return tally.as_json(elapsed)


def measure(
    port: int, token: str, ground: Ground, *, connections: int, seconds: float, warm_up: float = WARM_UP_SECONDS
) -> dict[str, float]:
    """Ask for tokens over that many connections: requests a second, percentiles of the answer's time, refusals.

    Args:
        warm_up: seconds before the clock starts, in which the server opens its database connections.
    """
    return uvloop.run(_load(port, Requests(ground, token), connections, seconds, warm_up))


def device(port: int, hospital: Hospital) -> str:
    """The token of the receptionist's device."""
    return sign_in(port, hospital.receptionist.username)
