"""Several statements in one network round trip, inside the transaction that Django has open.

A decision under a lock costs what the lock is held for, and that is mostly round trips. A `Trip` gathers statements
and sends them together, prepared, through libpq's pipeline; the reads see what the locks before them in the same trip
made them wait for, because in READ COMMITTED each statement has a snapshot of its own.

psycopg's own pipeline would do the same with a system call a statement, a regular expression over each text of more
than 50 parameters, and a new plan for each width of integers; `docs/performance.md` has what this saves. So a trip
speaks to psycopg's libpq wrapper directly: one write, one wait, values read by psycopg's compiled loaders.
"""

import itertools
import re
import threading
from collections.abc import Generator, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any, ClassVar
from weakref import WeakKeyDictionary

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.transaction import TransactionManagementError
from psycopg import pq
from psycopg.adapt import Transformer
from psycopg.errors import DataError, InvalidSqlStatementName, OperationalError, error_from_result
from psycopg.waiting import Ready, Wait

Row = tuple[Any, ...]
Raw = psycopg.Connection[Any]


class Trip:
    """Statements to be sent together. Use inside `transaction.atomic` only.

    `Trip.sent` counts the round trips of the process, so that tests can hold an action to its number.

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
        Trip.sent += 1
        return exchange(self.connection, self.statements)


Statements = Sequence[tuple[str, Sequence[Any]]]

_names: "WeakKeyDictionary[Raw, dict[str, bytes]]" = WeakKeyDictionary()
"""Which statements each connection has prepared, under which name.

psycopg forgets its own prepared statements after every rollback, and with them all of the connection's. So nothing
else may prepare on the product's connections: `common.statements.ask` is for single statements.
"""

_serial = itertools.count()


def exchange(connection: BaseDatabaseWrapper, statements: Statements) -> list[list[Row]]:
    """Send statements over Django's connection, wait once, and give the rows of each."""
    connection.ensure_connection()
    raw: Raw = connection.connection
    with connection.wrap_database_errors, raw.lock:
        return _exchange(raw, statements)


def _exchange(raw: Raw, statements: Statements) -> list[list[Row]]:
    pgconn = raw.pgconn
    known = _names.setdefault(raw, {})
    texts = [[_dump(value) for value in params] for _, params in statements]
    sent: list[tuple[str, str]] = []
    pgconn.enter_pipeline_mode()
    try:
        if not raw.autocommit and pgconn.transaction_status == pq.TransactionStatus.IDLE:
            pgconn.send_query_params(b"BEGIN", None)
            sent.append(("begin", ""))
        fresh: dict[str, bytes] = {}
        for (sql, _), values in zip(statements, texts, strict=True):
            name = known.get(sql) or fresh.get(sql)
            if name is None:
                name = fresh[sql] = b"trip_%d" % next(_serial)
                pgconn.send_prepare(name, _native(sql))
                sent.append(("prepare", sql))
            pgconn.send_query_prepared(name, values)
            sent.append(("execute", sql))
        pgconn.pipeline_sync()
        results = raw.wait(_answers(pgconn))
    finally:
        _leave_pipeline(pgconn)
    return _read(raw, sent, results, fresh)


def _leave_pipeline(pgconn: pq.abc.PGconn) -> None:
    """Back to one statement at a time; a connection that broke on the way has no pipeline to leave."""
    if pgconn.status == pq.ConnStatus.OK:
        pgconn.exit_pipeline_mode()


def _answers(pgconn: pq.abc.PGconn) -> Generator[Wait, Ready | int, list[pq.abc.PGresult]]:
    """All results up to the end of the pipeline, waiting as psycopg waits."""
    while pgconn.flush():
        if (yield Wait.RW) & Ready.R:
            pgconn.consume_input()
    results: list[pq.abc.PGresult] = []
    while True:
        while pgconn.is_busy():
            yield Wait.R
            pgconn.consume_input()
        result = pgconn.get_result()
        if result is None:
            if pgconn.status != pq.ConnStatus.OK:
                raise OperationalError("the connection was lost in the middle of a trip")
            continue  # in a pipeline this only separates statements
        if result.status == pq.ExecStatus.PIPELINE_SYNC:
            return results
        results.append(result)
        if result.status == pq.ExecStatus.FATAL_ERROR and pgconn.status != pq.ConnStatus.OK:
            return results


def _read(
    raw: Raw, sent: list[tuple[str, str]], results: list[pq.abc.PGresult], fresh: dict[str, bytes]
) -> list[list[Row]]:
    """The rows of each statement; what was prepared stays prepared, also where a later statement failed."""
    answers: list[list[Row]] = []
    failed: pq.abc.PGresult | None = None
    for (kind, sql), result in zip(sent, results, strict=False):
        if result.status not in (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK):
            failed = failed or result
        elif kind == "prepare":
            _names[raw][sql] = fresh[sql]
        elif kind == "execute" and failed is None:
            answers.append(_rows(result))
    if failed is not None:
        error = error_from_result(failed, encoding="utf-8")
        if isinstance(error, InvalidSqlStatementName):
            _names.pop(raw, None)  # somebody deallocated behind our back: prepare anew from the next statement on
        raise error
    return answers


class _Loading(threading.local):
    """What turns answers into values, one a thread: psycopg's own, with none of Django's loaders.

    Times are read by compiled code; Django's loader is Python, and costs 6 us a value. It belongs to no connection, so
    it keeps none alive.
    """

    def __init__(self) -> None:
        self.transformer: Any = Transformer()


_loading = _Loading()


def _rows(result: pq.abc.PGresult) -> list[Row]:
    if not result.nfields:
        return []
    transformer = _loading.transformer
    transformer.set_pgresult(result)
    rows: list[Row] = transformer.load_rows(0, result.ntuples, tuple)
    return rows


@lru_cache(maxsize=1024)
def _native(sql: str) -> bytes:
    """The text with the server's own placeholders: $1, $2 ..."""
    parts = re.split(r"(%%|%s)", sql)
    count = 0
    for index, part in enumerate(parts):
        if part == "%s":
            count += 1
            parts[index] = f"${count}"
        elif part == "%%":
            parts[index] = "%"
    return "".join(parts).encode()


def _dump(value: Any) -> bytes | None:
    """A value as PostgreSQL reads it; its type is the column's that it is for.

    Raises:
        DataError: a text with a NUL, which C would take for its end.
    """
    kind = type(value)
    if value is None:
        return None
    if kind is int:
        return b"%d" % value
    if kind is bool:
        return b"t" if value else b"f"
    if isinstance(value, date | datetime):
        return value.isoformat().encode()
    if kind is list:
        return ("{" + ",".join(str(int(item)) for item in value) + "}").encode()
    text = str(value)
    if "\0" in text:
        raise DataError("PostgreSQL text cannot contain NUL (0x00) bytes")
    return text.encode()
