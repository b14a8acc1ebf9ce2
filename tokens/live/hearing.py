"""Hearing it from the database: hints as they come, and once a second the versions, in case a hint was lost."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any, Final

import psycopg
from django.db import DatabaseError, InterfaceError, connections, transaction
from django.db import connection as pooled
from django.utils import timezone

from tokens.live.frames import Frame, Known, Versions, Watch, versions_query
from tokens.live.rounds import reading, shared
from tokens.live.saying import CHANNEL, Hint, parameters

LISTENER: Final = "opd-live"
"""The name under which the database knows the listening connection."""
COMPARED: Final = 1.0
"""Seconds after which versions are compared whether or not a hint came."""

LONGEST: Final = 3.0
"""Seconds that a statement may take which all screens of a process wait for, the wait for a lock included."""
_GIVE_UP: Final = "SELECT set_config('statement_timeout', %s, %s)"


@contextmanager
def in_time() -> Iterator[None]:
    """In the hub's thread, which reads for all screens: a statement that hangs is given up, and the next one is read.

    The connection goes back to the pool at the end, and the limit ends with the transaction.

    Raises:
        django.db.OperationalError: a statement took longer.
    """
    try:
        with transaction.atomic():
            with pooled.cursor() as cursor:
                cursor.execute(_GIVE_UP, [_milliseconds(), True])
            yield
    finally:
        connections.close_all()


def _milliseconds() -> str:
    return str(round(LONGEST * 1000))


class Database:
    """The database as the source of a hub."""

    def read(self, watch: Watch, woken: float) -> tuple[Versions, Frame | None]:
        """The frame, and the versions from before it was read; the connection goes back to the pool at once."""
        with in_time(), reading(woken):
            versions = shared((watch.session_ids, watch.facility_id, watch.date), partial(_versions_now, watch))
            return versions, watch.read()

    async def hear(self, watches: Callable[[], Iterable[Watch]]) -> AsyncGenerator[Hint | Known, None]:
        """Hints and versions, on a connection outside the pool."""
        with ThreadPoolExecutor(1) as thread:
            # Asked in a thread: the embedded server may have to be started first.
            given = await asyncio.get_running_loop().run_in_executor(thread, parameters)
        given["application_name"] = LISTENER
        async with await psycopg.AsyncConnection.connect(**given, autocommit=True) as connection:
            await connection.execute(_GIVE_UP, [_milliseconds(), False])
            await connection.execute(f"LISTEN {CHANNEL}")
            while True:
                yield await _versions(connection, watches())
                # What is heard meanwhile psycopg keeps for the next turn.
                async for hint in connection.notifies(timeout=COMPARED):
                    facility_id, session_id = hint.payload.split(".")
                    yield int(facility_id), int(session_id)


def _versions_now(watch: Watch) -> Versions:
    today = timezone.now().date()
    with pooled.cursor() as cursor:
        cursor.execute(*versions_query([watch], today))
        return Known(cursor.fetchall(), today).of(watch)


async def _versions(connection: psycopg.AsyncConnection[Any], watches: Iterable[Watch]) -> Known:
    today = timezone.now().date()
    rows = await connection.execute(*versions_query(watches, today))
    return Known(await rows.fetchall(), today)


def expected(error: Exception) -> bool:
    """Whether an error is the database's: it restarts, or is busy."""
    return isinstance(error, psycopg.Error | DatabaseError | InterfaceError)
