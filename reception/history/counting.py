"""Ids from the tables' sequences and numbers from their counters, taken by the block."""

from collections.abc import Iterator
from datetime import date

from django.db import connection

from billing.states import CounterKind
from common.errors import Refused

BLOCK = 2000


class SomebodyElse(Refused):
    """Numbers were given while the history was being written."""

    code = "somebody_else"
    sentence = "Somebody else makes bills in this facility: load the history while nobody works there."


class Ids:
    """Ids of a table that nobody else will get. Those of the last block that are not used are left out for good."""

    def __init__(self, table: str) -> None:
        self._table = table
        self._free: Iterator[int] = iter(())

    def __iter__(self) -> Iterator[int]:
        return self

    def __next__(self) -> int:
        for found in self._free:
            return found
        self._free = iter(self._block())
        return next(self._free)

    def _block(self) -> list[int]:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)", [self._table, BLOCK]
            )
            return [row[0] for row in cursor.fetchall()]


class Numbers:
    """The numbers of a facility, without gaps: those that a day used are drawn from the counters when it is written."""

    def __init__(self, facility_id: int) -> None:
        self._facility_id = facility_id
        self._last: dict[tuple[CounterKind, int], int] = {}
        self._used: dict[tuple[CounterKind, int], int] = {}

    def next(self, kind: CounterKind, on: date) -> str:
        """The next number, such as B-2026-000001."""
        key = (kind, on.year)
        if key not in self._last:
            self._last[key] = self._known(*key)
        self._last[key] += 1
        self._used[key] = self._used.get(key, 0) + 1
        return f"{kind.value}-{on.year}-{self._last[key]:06d}"

    def draw(self) -> None:
        """Draw what was used from the counters, inside the transaction that writes it.

        Raises:
            SomebodyElse: the counters stand elsewhere by now.
        """
        with connection.cursor() as cursor:
            for (kind, year), count in sorted(self._used.items()):
                cursor.execute(
                    "INSERT INTO billing_counter AS c (facility_id, kind, year, last) VALUES (%s, %s, %s, %s)"
                    " ON CONFLICT (facility_id, kind, year) DO UPDATE SET last = c.last + excluded.last RETURNING last",
                    [self._facility_id, kind.value, year, count],
                )
                if cursor.fetchone()[0] != self._last[kind, year]:
                    raise SomebodyElse
        self._used.clear()

    def _known(self, kind: CounterKind, year: int) -> int:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT last FROM billing_counter WHERE facility_id = %s AND kind = %s AND year = %s",
                [self._facility_id, kind.value, year],
            )
            row = cursor.fetchone()
        return row[0] if row else 0
