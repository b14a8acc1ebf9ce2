"""Live queues: who changed a session says so after the commit, and every server process tells its open streams.

`session.version` is the truth; what travels here are hints. After a commit a thread of the process sends a NOTIFY for
each session that changed, gathered to at most ten a second (inside the transaction a NOTIFY would hold a lock of the
whole cluster through the commit). Each server process has one listening connection, outside the pool. Once a second
it compares versions, in case a hint was lost. Streams hold no connection of their own: a queue is read once for all
that watch it.
"""

import asyncio
import contextlib
import logging
import threading
from collections.abc import AsyncGenerator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final
from weakref import WeakKeyDictionary

import psycopg
from django.db import connections, transaction
from django.db.utils import DEFAULT_DB_ALIAS

from tokens import queries
from tokens.errors import UnknownSession
from tokens.queries import Queue

logger = logging.getLogger("opd.live")

CHANNEL: Final = "tokens_session"
GATHERED: Final = 0.1
"""Seconds over which the changes of a session are one hint, and one read."""
COMPARED: Final = 1.0
"""Seconds after which versions are compared whether or not a hint came."""

# Saying that something changed


class Notifier:
    """Sends the hints of this process from a thread and a connection of its own."""

    def __init__(self, wait: Callable[[float], Any] | None = None) -> None:
        self._changed: set[int] = set()
        self._wake = threading.Event()
        self._guard = threading.Lock()
        self._thread: threading.Thread | None = None
        self._connection: psycopg.Connection[Any] | None = None
        self._pause = wait or threading.Event().wait

    def add(self, session_ids: Iterable[int]) -> None:
        """Remember sessions that changed; returns at once."""
        self._changed.update(session_ids)
        if self._thread is None or not self._thread.is_alive():  # a fork takes the thread away
            self._start()
        self._wake.set()

    def _start(self) -> None:
        with self._guard:
            if self._thread is None or not self._thread.is_alive():
                self._connection = None
                self._thread = threading.Thread(target=self._run, name="live-notifier", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            ids = self.take()
            if ids:
                self.send(ids)
            self._pause(GATHERED)

    def take(self) -> list[str]:
        """What has been gathered, which is forgotten here."""
        taken = []
        with contextlib.suppress(KeyError):
            while True:
                taken.append(str(self._changed.pop()))
        return taken

    def send(self, ids: list[str]) -> None:
        """Send hints; a connection that has died is made anew once. A hint that is lost anyway costs a second."""
        for _ in range(2):
            try:
                if self._connection is None:
                    self._connection = psycopg.connect(**_parameters(), autocommit=True)
                self._connection.execute("SELECT pg_notify(%s, id) FROM unnest(%s::text[]) AS id", (CHANNEL, ids))
                return
            except psycopg.Error as error:
                logger.info("a hint was not sent: %s", error)
                if self._connection is not None:
                    self._connection.close()
                self._connection = None


_notifier = Notifier()


def announce(session_ids: tuple[int, ...]) -> None:
    """Say, once the transaction has committed, that these sessions changed."""
    if session_ids:
        transaction.on_commit(lambda: _notifier.add(session_ids), robust=True)


def _parameters() -> dict[str, Any]:
    """What a connection outside the pool needs; asked for each time, for the embedded server may have moved."""
    given = connections[DEFAULT_DB_ALIAS].get_connection_params()
    wanted = ("host", "port", "dbname", "user", "password", "sslmode", "application_name")
    return {name: given[name] for name in wanted if name in given}


# Hearing it


class Watched:
    """A session that streams of this process watch: its last queue, and who waits for the next one."""

    def __init__(self, session_id: int) -> None:
        self.session_id = session_id
        self.queue: Queue | None = None
        self.gone = False
        self.readers = 0
        self.stale = asyncio.Event()
        self.stale.set()
        self.changed = asyncio.Condition()

    @property
    def version(self) -> int:
        """The version that was read last; 0 before the first."""
        return self.queue.session.version if self.queue else 0

    async def newer_than(self, seen: int, idle: float) -> Queue | None:
        """The first queue of a later version; None where there is none within `idle` seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(idle), self.changed:
                await self.changed.wait_for(lambda: self.gone or self.version > seen)
                return self.queue
        return None

    async def show(self, queue: Queue | None) -> None:
        """Tell everybody who waits; None says that the session is gone."""
        async with self.changed:
            self.gone = queue is None
            self.queue = queue
            self.changed.notify_all()


class Hub:
    """What all streams of an event loop share: the listening connection, and one read a change of a session."""

    def __init__(self) -> None:
        self._watched: dict[int, Watched] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._listener: asyncio.Task[None] | None = None
        # One thread reads for all streams, so the pool lends them one connection at most, and for the read only.
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="live-reader")

    async def watch(self, session_id: int, *, idle: float) -> AsyncGenerator[Queue | None, None]:
        """The session's queue as it is, then again each time that it has changed. Ends where the session is gone.

        Args:
            idle: seconds of silence after which None is given.
        """
        watched = self._join(session_id)
        seen = 0
        try:
            while True:
                queue = await watched.newer_than(seen, idle)
                if watched.gone:
                    return
                seen = queue.session.version if queue else seen
                yield queue
        finally:
            self._leave(watched)

    def _join(self, session_id: int) -> Watched:
        watched = self._watched.get(session_id)
        if watched is None:
            watched = self._watched[session_id] = Watched(session_id)
            self._tasks[session_id] = asyncio.create_task(self._follow(watched))
        if self._listener is None:
            self._listener = asyncio.create_task(self._listen())
        watched.readers += 1
        return watched

    def _leave(self, watched: Watched) -> None:
        """Forget a stream; with the last one of a session its task ends, with the last of all the listening."""
        watched.readers -= 1
        if watched.readers:
            return
        self._watched.pop(watched.session_id, None)
        task = self._tasks.pop(watched.session_id, None)
        if task is not None:
            task.cancel()
        if not self._watched and self._listener is not None:
            self._listener.cancel()
            self._listener = None

    async def _follow(self, watched: Watched) -> None:
        """Read the queue each time that it is said to have changed, at most ten times a second."""
        loop = asyncio.get_running_loop()
        while not watched.gone:
            await watched.stale.wait()
            watched.stale.clear()
            try:
                queue = await loop.run_in_executor(self._reader, _read, watched.session_id)
            except Exception as error:
                # The database restarts, or is busy: what was shown stays, the next comparison tries again.
                logger.info("a queue was not read: %s", error)
            else:
                await watched.show(queue)
            await asyncio.sleep(GATHERED)

    async def _listen(self) -> None:
        """Hear hints and compare versions, on one connection; where it breaks, on another."""
        while True:
            try:
                await self._listen_once()
            except Exception as error:
                # Whatever it was: without this task no stream of the process hears anything any more.
                logger.info("not listening: %s", error)
                await asyncio.sleep(COMPARED)

    async def _listen_once(self) -> None:
        parameters = await asyncio.get_running_loop().run_in_executor(self._reader, _parameters)
        async with await psycopg.AsyncConnection.connect(**parameters, autocommit=True) as connection:
            await connection.execute(f"LISTEN {CHANNEL}")
            while True:
                async for hint in connection.notifies(timeout=COMPARED):
                    self._hint(int(hint.payload))
                await self._compare(connection)

    def _hint(self, session_id: int) -> None:
        watched = self._watched.get(session_id)
        if watched is not None:
            watched.stale.set()

    async def _compare(self, connection: psycopg.AsyncConnection[Any]) -> None:
        """Find the sessions of which a hint was lost, or which nobody could read."""
        rows = await connection.execute(
            "SELECT id, version FROM scheduling_session WHERE id = ANY(%s)", (list(self._watched),)
        )
        for session_id, version in await rows.fetchall():
            watched = self._watched.get(session_id)
            if watched is not None and watched.version != version:
                watched.stale.set()


def _read(session_id: int) -> Queue | None:
    """The queue, read in the hub's thread; the connection goes back to the pool at once."""
    try:
        return queries.queue(session_id)
    except UnknownSession:
        return None
    finally:
        connections.close_all()


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def hub() -> Hub:
    """The hub of the running event loop."""
    return _hubs.setdefault(asyncio.get_running_loop(), Hub())
