"""Hearing it: what all streams of a process share, one listening connection and one read a change."""

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import AsyncGenerator, Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar
from weakref import WeakKeyDictionary

import psycopg
from django.db import DatabaseError, connections
from django.db import connection as pooled
from django.utils import timezone

from tokens.live.frames import Frame, Known, Versions, Watch, versions_query
from tokens.live.saying import CHANNEL, GATHERED, parameters

logger = logging.getLogger("opd.live")
T = TypeVar("T")

LISTENER: Final = "opd-live"
"""The name under which the database knows the listening connection."""
COMPARED: Final = 1.0
"""Seconds after which versions are compared whether or not a hint came."""
DEAF: Final = 5
"""So many connections in a row that could not be made or broke, and streams end: a screen must say that it is old."""
MINUTE: Final = 60.0
"""After each minute everything is read again: what is shown says how long somebody waits, or until when."""
SPREAD: Final = 5.0
"""Seconds over which the reads of a new minute are spread."""


class Watched:
    """Something that streams of this process watch: its last frame, and who waits for the next one."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self.frame: Frame | None = None
        self.versions: Versions | None = None  # those known before the read; None: it must be read again
        self.over = self.reading = False
        self.begun = self.done = 0  # reads
        self.trouble = ""
        self.readers = 0
        self.stale = asyncio.Event()
        self.stale.set()
        self.changed = asyncio.Condition()
        self.task: asyncio.Task[None] | None = None

    async def newer_than(self, had: Frame | None, read: int, idle: float) -> Frame | None:
        """The frame as soon as it is another than this one, and of at least that read; None after `idle` seconds."""

        def there() -> bool:
            return self.over or (self.done >= read and self.frame is not had)

        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(idle), self.changed:
                await self.changed.wait_for(there)
                return self.frame
        return None

    async def show(self, frame: Frame | None, read: int) -> None:
        """Tell everybody who waits; None says that it is gone. A frame that shows the same is the old one."""
        async with self.changed:
            self.done = read
            self.over = frame is None
            if frame != self.frame:
                self.frame = frame
            self.changed.notify_all()

    async def end(self) -> None:
        """Send everybody away."""
        async with self.changed:
            self.over = True
            self.changed.notify_all()


class Hub:
    """What all streams of an event loop share."""

    def __init__(self) -> None:
        self._watched: dict[Hashable, Watched] = {}
        self._listener: asyncio.Task[None] | None = None
        # One thread reads for all streams, so the pool lends them one connection at most, and for the read only.
        self._reader: ThreadPoolExecutor | None = None

    async def follow(self, watch: Watch, *, seen: str = "", idle: float) -> AsyncGenerator[Frame | None, None]:
        """The frame as it is now, unless the reader has seen that version; then each later one.

        It ends where the thing is gone, or where nothing can be heard of it any more.

        Args:
            idle: seconds of silence after which None is given.
        """
        watched = self._join(watch)
        try:
            had, read = self._begin(watched, seen)
            while True:
                frame = await watched.newer_than(had, read, idle)
                if watched.over:
                    return
                had = frame or had
                yield frame
        finally:
            self._leave(watched)

    def _begin(self, watched: Watched, seen: str) -> tuple[Frame | None, int]:
        """What a new reader has, and which read it waits for.

        A reader with another version than the last one read may be ahead of it: only what is read from now on is
        surely not older than what it shows.
        """
        if watched.frame is not None and watched.frame.version == seen:
            return watched.frame, watched.done
        watched.stale.set()
        return None, watched.begun + 1

    def _join(self, watch: Watch) -> Watched:
        if self._listener is None:
            self._reader = ThreadPoolExecutor(1, thread_name_prefix="live-reader")
            self._listener = asyncio.create_task(self._listen())
        watched = self._watched.get(watch.key)
        if watched is None:
            watched = self._watched[watch.key] = Watched(watch)
            watched.task = asyncio.create_task(self._renew(watched))
        watched.readers += 1
        return watched

    def _leave(self, watched: Watched) -> None:
        """Forget a stream; with the last one of a watch its task ends, with the last of all listening and reading."""
        watched.readers -= 1
        if watched.readers:
            return
        if self._watched.get(watched.watch.key) is watched:
            del self._watched[watched.watch.key]
        if watched.task is not None:
            watched.task.cancel()
        if not self._watched and self._listener is not None and self._reader is not None:
            self._listener.cancel()
            self._reader.shutdown(wait=False)
            self._listener = self._reader = None

    # Reading

    async def _renew(self, watched: Watched) -> None:
        """Read each time that something is said to have changed, at most ten times a second, and each minute."""
        while not watched.over:
            await _until(watched.stale, _to_next_minute())
            watched.stale.clear()
            watched.begun += 1
            watched.reading = True
            try:
                watched.versions, frame = await self.in_thread(lambda: _read(watched.watch))
            except Exception as error:
                # The database restarts, or is busy: what was shown stays, the next comparison tries again.
                watched.versions = None
                _say_once(watched, error)
            else:
                watched.trouble = ""
                await watched.show(frame, watched.begun)
            finally:
                watched.reading = False
            await asyncio.sleep(GATHERED)

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Do something short in the thread of this hub, while a stream is open; it closes its connection itself."""
        return await asyncio.get_running_loop().run_in_executor(self._reader, work)

    # Listening

    async def _listen(self) -> None:
        """Hear hints and compare versions, on one connection; where it breaks, on another."""
        broken = 0
        while True:
            try:
                async for _ in self._compared():
                    broken = 0
            except Exception as error:
                # Whatever it was: without this task no stream of the process hears anything any more.
                broken += 1
                logger.info("not listening: %s", error)
                if broken >= DEAF:
                    await self._end_all()
                await asyncio.sleep(COMPARED)

    async def _end_all(self) -> None:
        """Send all streams away, so that screens say since when they are old and come back when they are let in."""
        for watched in list(self._watched.values()):
            await watched.end()

    async def _compared(self) -> AsyncGenerator[None, None]:
        """Pass hints on; once a second compare versions, and say that it was done."""
        given = await self.in_thread(parameters) | {"application_name": LISTENER}
        async with await psycopg.AsyncConnection.connect(**given, autocommit=True) as connection:
            await connection.execute(f"LISTEN {CHANNEL}")
            while True:
                await self._compare(connection)
                yield
                async for hint in connection.notifies(timeout=COMPARED):
                    self._hint(*map(int, hint.payload.split(".")))

    def _hint(self, facility_id: int, session_id: int) -> None:
        for watched in self._watched.values():
            if watched.watch.concerns(facility_id, session_id):
                watched.stale.set()

    async def _compare(self, connection: psycopg.AsyncConnection[Any]) -> None:
        """Find what changed without a hint, and what nobody could read."""
        today = timezone.now().date()
        statement, given = versions_query([watched.watch for watched in self._watched.values()], today)
        rows = await connection.execute(statement, given)
        known = Known(await rows.fetchall(), today)
        for watched in self._watched.values():
            if not watched.reading and watched.versions != known.of(watched.watch):
                watched.stale.set()


async def _until(event: asyncio.Event, seconds: float) -> None:
    """Wait for an event, so long at most."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()


def _to_next_minute() -> float:
    return MINUTE - time.time() % MINUTE + random.uniform(0, SPREAD)


def _say_once(watched: Watched, error: Exception) -> None:
    """Log why something was not read, and not again each second until it is read."""
    if repr(error) != watched.trouble:
        watched.trouble = repr(error)
        fault = not isinstance(error, psycopg.Error | DatabaseError)
        logger.log(logging.ERROR if fault else logging.INFO, "not read: %s", error, exc_info=fault)


def _read(watch: Watch) -> tuple[Versions, Frame | None]:
    """The frame, and the versions from before it was read; the connection goes back to the pool at once."""
    try:
        today = timezone.now().date()
        with pooled.cursor() as cursor:
            cursor.execute(*versions_query([watch], today))
            versions = Known(cursor.fetchall(), today).of(watch)
        return versions, watch.read()
    finally:
        connections.close_all()


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def hub() -> Hub:
    """The hub of the running event loop."""
    return _hubs.setdefault(asyncio.get_running_loop(), Hub())
