"""Saying that something changed: hints, gathered, sent after the commit from a thread of their own."""

import contextlib
import logging
import threading
from collections.abc import Callable, Iterable
from typing import Any, Final

import psycopg
from django.db import connections, transaction
from django.db.utils import DEFAULT_DB_ALIAS

logger = logging.getLogger("opd.live")

CHANNEL: Final = "tokens_session"
GATHERED: Final = 0.1
"""Seconds over which the changes of a session are one hint, and one read."""

Hint = tuple[int, int]
"""Facility and session; on the wire `facility.session`."""


def announce(facility_id: int, session_ids: Iterable[int]) -> None:
    """Say, once the transaction has committed, that these sessions of a facility changed.

    What a session shows may change without its version (somebody was told by phone): that is said here too, and if
    the hint is lost, screens follow within a minute.
    """
    hints = [(facility_id, session_id) for session_id in session_ids]
    if hints:
        transaction.on_commit(lambda: _notifier.add(hints), robust=True)


class Notifier:
    """Sends the hints of this process from a thread and a connection of its own."""

    def __init__(self, wait: Callable[[float], Any] | None = None) -> None:
        self._changed: set[Hint] = set()
        self._wake = threading.Event()
        self._guard = threading.Lock()
        self._thread: threading.Thread | None = None
        self._connection: psycopg.Connection[Any] | None = None
        self._pause = wait or threading.Event().wait

    def add(self, hints: Iterable[Hint]) -> None:
        """Remember what changed; returns at once."""
        self._changed.update(hints)
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
            hints = self.take()
            if hints:
                self.send(hints)
            self._pause(GATHERED)

    def take(self) -> list[str]:
        """What has been gathered, as it travels; it is forgotten here."""
        taken = []
        with contextlib.suppress(KeyError):
            while True:
                facility_id, session_id = self._changed.pop()
                taken.append(f"{facility_id}.{session_id}")
        return taken

    def send(self, hints: list[str]) -> None:
        """Send hints; a connection that has died is made anew once. A hint that is lost anyway costs a second."""
        for _ in range(2):
            try:
                if self._connection is None:
                    self._connection = psycopg.connect(**parameters(), autocommit=True)
                self._connection.execute("SELECT pg_notify(%s, hint) FROM unnest(%s::text[]) hint", (CHANNEL, hints))
                return
            except psycopg.Error as error:
                logger.info("a hint was not sent: %s", error)
                if self._connection is not None:
                    self._connection.close()
                self._connection = None


_notifier = Notifier()


def parameters() -> dict[str, Any]:
    """What a connection outside the pool needs; asked for each time, for the embedded server may have moved."""
    given = connections[DEFAULT_DB_ALIAS].get_connection_params()
    wanted = ("host", "port", "dbname", "user", "password", "sslmode", "application_name")
    return {name: given[name] for name in wanted if name in given}
