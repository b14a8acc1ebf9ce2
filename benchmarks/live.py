"""Live screens: how long after a change other people's pages are told, with hundreds of them open.

One change at a time, through the API: a patient arrives. The clock starts when the request is sent, so its own few
milliseconds before the commit count too, and stops at each stream when an event has come whole. Pages and changes
share the machine with the servers that are measured.
"""

import asyncio
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Final, cast

import psutil
import uvloop

from benchmarks import http_load, live_page
from benchmarks.http_load import HOST
from benchmarks.live_ground import Hall
from benchmarks.live_wire import Arrivals, percentiles
from common.testing.chromium import chromium

PATIENCE: Final = 5.0
"""Seconds after which an event that has not come is counted as lost."""
_EVENT, _END = b"\nevent: ", b"\n\n\r\n"


class Stream(asyncio.Protocol):
    """An open page's stream. `heard` is set when an event has come whole."""

    transport: asyncio.Transport

    def __init__(self, request: bytes) -> None:
        self.request = request
        self.inside = False
        self.last = b""
        self.bytes = 0
        self.opened = asyncio.Event()
        self.heard: asyncio.Future[float] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the stream."""
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        """A piece of the head, of an event, or a sign of life."""
        self.bytes += len(data)
        if not self.opened.is_set():
            if not data.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(f"A stream was refused: {data[:200]!r}")
            self.opened.set()
        self.inside = self.inside or _EVENT in self.last + data[:8] or _EVENT in data
        self.last = (self.last + data)[-8:]
        if self.inside and self.last.endswith(_END):
            self.inside = False
            if self.heard is not None and not self.heard.done():
                self.heard.set_result(time.perf_counter())


class Usage:
    """What a server's processes use: threads, memory, processor time."""

    def __init__(self, parent: int) -> None:
        self.processes = [child for child in psutil.Process(parent).children() if child.num_threads() > 0]
        self.before = self._seconds()
        self.began = time.perf_counter()

    def _seconds(self) -> float:
        return sum(sum(process.cpu_times()[:2]) for process in self.processes)

    def figures(self) -> dict[str, float]:
        """Threads and MB of the largest process; the share of one processor that all of them used."""
        used = (self._seconds() - self.before) / max(time.perf_counter() - self.began, 1)
        largest = max(self.processes, key=lambda process: process.memory_full_info().uss)
        return {
            "threads": largest.num_threads(),
            "mb": round(largest.memory_full_info().uss / 1e6, 1),
            "processor": round(used, 3),
        }


def addresses(hall: Hall, count: int) -> list[str]:
    """What the pages watch: desks with four different filters, so that the server reads and writes four halls."""
    shows = ("all", "now", *(f"department-{pk}" for pk in _departments(hall)))
    return [f"/desk/stream/?show={shows[n % len(shows)]}" for n in range(count)]


def _departments(hall: Hall) -> list[int]:
    return list(hall.facility.departments.order_by("id").values_list("id", flat=True)[:2])


def request_of(path: str, cookie: str) -> bytes:
    """The bytes that open a stream."""
    return f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\nCookie: {cookie}\r\n\r\n".encode()


async def open_streams(port: int, requests: list[bytes]) -> list[Stream]:
    """Open them all and wait for the first state of each."""
    loop = asyncio.get_running_loop()
    streams = []
    for request in requests:
        _, stream = await loop.create_connection(partial(Stream, request), HOST, port)
        stream.heard = loop.create_future()
        streams.append(stream)
    async with asyncio.timeout(60):
        await asyncio.gather(*(cast("asyncio.Future[float]", stream.heard) for stream in streams))
    return streams


async def change_and_wait(streams: list[Stream], arrivals: Arrivals) -> tuple[list[float], int]:
    """One change: the seconds until each stream told of it, and how many did not."""
    loop = asyncio.get_running_loop()
    for stream in streams:
        stream.heard = loop.create_future()
    waiting = [cast("asyncio.Future[float]", stream.heard) for stream in streams]
    began = time.perf_counter()
    await asyncio.to_thread(arrivals.next)
    done, late = await asyncio.wait(waiting, timeout=PATIENCE)
    return [future.result() - began for future in done], len(late)


async def _measure(port: int, parent: int, requests: list[bytes], arrivals: Arrivals, changes: int) -> dict[str, Any]:
    streams = await open_streams(port, requests)
    seconds: list[float] = []
    lost = 0
    usage, begun = Usage(parent), sum(stream.bytes for stream in streams)
    for _ in range(changes):
        found, late = await change_and_wait(streams, arrivals)
        seconds += found
        lost += late
        await asyncio.sleep(random.uniform(0.2, 0.6))  # as people do, in no step with the server's own clocks
    sent = sum(stream.bytes for stream in streams) - begun
    figures = {"streams": len(streams), "changes": changes, **percentiles(seconds, lost), **usage.figures()}
    for stream in streams:
        stream.transport.abort()
    return figures | {"kb_a_change": round(sent / len(streams) / changes / 1000, 1)}


def measure(port: int, parent: int, requests: list[bytes], arrivals: Arrivals, *, changes: int) -> dict[str, Any]:
    """Open the streams of these requests on a server, make changes, and say how long they took to arrive.

    Args:
        parent: the process id of the server, of which threads, memory and processor time are taken.
    """
    return uvloop.run(_measure(port, parent, requests, arrivals, changes))


@contextmanager
def held(port: int, requests: list[bytes]) -> Iterator[None]:
    """Keep streams open, from a thread, while something else is measured."""
    ready, over = threading.Event(), threading.Event()

    async def hold() -> None:
        streams = await open_streams(port, requests)
        ready.set()
        await asyncio.to_thread(over.wait)
        for stream in streams:
            stream.transport.abort()

    thread = threading.Thread(target=lambda: uvloop.run(hold()))
    thread.start()
    try:
        if not ready.wait(60):
            raise RuntimeError("The streams did not open.")
        yield
    finally:
        over.set()
        thread.join()


def everything(hall: Hall, *, streams: int, changes: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every measurement: all streams on one process, spread over two, and a real page among them."""
    cookie = hall.cookie()
    requests = [request_of(path, cookie) for path in addresses(hall, streams)]
    tokens = iter(random.Random(1).sample(hall.tokens, len(hall.tokens)))
    with http_load.running(OPD_SERVERS="1") as (there, parent), http_load.running(OPD_SERVERS="1") as (here, _):
        bearer = http_load.sign_in(here, hall.receptionist.username)
        with held(there, requests[:1]):
            pass  # what the first page costs is loaded now
        yield "no_stream", Usage(parent).figures()
        yield "one_process", measure(there, parent, requests, Arrivals(here, bearer, tokens), changes=changes)
        if chromium():
            with held(there, requests):
                yield "page", live_page.measure(there, cookie, Arrivals(here, bearer, tokens), changes=changes)
    with http_load.running(OPD_SERVERS="2") as (port, parent):
        yield "two_processes", measure(port, parent, requests, Arrivals(port, bearer, tokens), changes=changes)
