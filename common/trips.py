"""Several statements in one network round trip, inside the transaction that Django has open.

A decision under a lock costs what the lock is held for, and that is mostly round trips. A `Trip` gathers statements
and sends them together in psycopg's pipeline, as prepared statements; the reads see what the locks before them in the
same trip made them wait for, because in READ COMMITTED each statement has a snapshot of its own.

`Trip.sent` counts the round trips of the process, so that tests can hold an action to its number.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.transaction import TransactionManagementError

Row = tuple[Any, ...]

_TIMES = psycopg.adapters.get_loader(psycopg.adapters.types["timestamptz"].oid, psycopg.pq.Format.TEXT)


class Trip:
    """Statements to be sent together. Use inside `transaction.atomic` only.

    Raises:
        TransactionManagementError: no transaction is open.
    """

    sent: ClassVar[int] = 0

    def __init__(self, using: str = DEFAULT_DB_ALIAS) -> None:
        self.connection = connections[using]
        if not self.connection.in_atomic_block:
            raise TransactionManagementError("a trip is made inside a transaction: open atomic() first")
        self.statements: list[tuple[str, Sequence[Any]]] = []

    def add(self, sql: str, params: Sequence[Any] = ()) -> int:
        """Add a statement (with %s placeholders); returns its index in the answer of `send`."""
        self.statements.append((sql, params))
        return len(self.statements) - 1

    def send(self) -> list[list[Row]]:
        """Send all statements in one round trip; the rows of each, in order ([] where there are none).

        Raises:
            django.db.Error: what the first failing statement raised, as Django's own class.
        """
        connection = self.connection
        connection.ensure_connection()
        raw: psycopg.Connection[Any] = connection.connection
        Trip.sent += 1
        with connection.wrap_database_errors:
            with raw.pipeline():
                cursors = [_cursor(raw).execute(sql, params, prepare=True) for sql, params in self.statements]
            # Only the end of the pipeline brings the answers; before it no cursor knows whether it has rows.
            return [_rows(cursor) for cursor in cursors]


def _cursor(raw: "psycopg.Connection[Any]") -> "psycopg.Cursor[Row]":
    """A cursor that reads times with psycopg's own compiled loader: Django's is Python, and costs 6 us a value."""
    cursor = psycopg.Cursor(raw)
    if _TIMES is not None:
        cursor.adapters.register_loader("timestamptz", _TIMES)
    return cursor


def _rows(cursor: "psycopg.Cursor[Row]") -> list[Row]:
    """The rows of a statement, [] where it has none; `description` would build an object for every column."""
    return cursor.fetchall() if cursor.pgresult and cursor.pgresult.nfields else []
