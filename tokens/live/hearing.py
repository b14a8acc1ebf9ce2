"""Hearing it from the database: hints as they come, and once a second the versions, in case a hint was lost."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final

import psycopg
from django.db import DatabaseError, InterfaceError, connections
from django.db import connection as pooled
from django.utils import timezone

from tokens.live.frames import Frame, Known, Versions, Watch, versions_query
from tokens.live.rounds import reading, shared
from tokens.live.saying import CHANNEL, Hint, parameters

LISTENER: Final = "opd-live"
"""The name under which the database knows the listening connection."""
COMPARED: Final = 1.0
"""Seconds after which versions are compared whether or not a hint came."""


class Database:
    """The database as the source of a hub."""

    def read(self, watch: Watch, woken: float) -> tuple[Versions, Frame | None]:
        """The frame, and the versions from before it was read; the connection goes back to the pool at once."""
        try:
            with reading(woken):
                versions = shared((watch.session_ids, watch.facility_id, watch.date), partial(_versions_now, watch))
                return versions, watch.read()
        finally:
            connections.close_all()

    async def hear(self, watches: Callable[[], Iterable[Watch]]) -> AsyncGenerator[Hint | Known, None]:
        """Hints and versions, on a connection outside the pool."""
        with ThreadPoolExecutor(1) as thread:
            # Asked in a thread: the embedded server may have to be started first.
            given = await asyncio.get_running_loop().run_in_executor(thread, parameters)
        given["application_name"] = LISTENER
        async with await psycopg.AsyncConnection.connect(**given, autocommit=True) as connection:
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
