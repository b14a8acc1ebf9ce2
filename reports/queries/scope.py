"""What a report is asked about, the snapshot in which all of it is read, and the one way to ask."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from reports.periods import Period


@dataclass(frozen=True, slots=True)
class Scope:
    """A facility's period, and what it is narrowed to.

    Attributes:
        time_zone: of the facility, as PostgreSQL knows it.
        department_id, doctor_id, source: nothing where it is about all of them.
    """

    facility_id: int
    time_zone: str
    currency: str
    period: Period
    department_id: int | None = None
    doctor_id: int | None = None
    source: str | None = None

    @property
    def parameters(self) -> dict[str, Any]:
        """The values that the statements name."""
        return {
            "facility": self.facility_id,
            "zone": self.time_zone,
            "first": self.period.first,
            "last": self.period.through,
            "until": self.period.until,
            "today": self.period.today,
            "now": self.period.now,
            "department": self.department_id,
            "doctor": self.doctor_id,
            "source": self.source,
        }

    @property
    def narrowed(self) -> bool:
        """Whether it is about a part of the house: a department or a doctor."""
        return bool(self.department_id or self.doctor_id)

    @property
    def sessions(self) -> str:
        """The condition on the sessions `s` of the period."""
        return f"s.facility_id = %(facility)s AND s.date BETWEEN %(first)s AND %(last)s{self.narrower('s')}"

    @property
    def tokens(self) -> str:
        """The same and, where a source is asked for, the condition on the tokens `t`."""
        return self.sessions + self.of_source("t")

    def narrower(self, alias: str) -> str:
        """The condition of department and doctor on a table that has both, beginning with AND; or nothing."""
        department = f" AND {alias}.department_id = %(department)s" if self.department_id else ""
        return department + (f" AND {alias}.doctor_id = %(doctor)s" if self.doctor_id else "")

    def of_source(self, alias: str) -> str:
        """The condition of the source on a table of tokens, beginning with AND; or nothing."""
        return f" AND {alias}.source = %(source)s" if self.source else ""


def ask(scope: Scope, sql: str, **more: Any) -> list[tuple[Any, ...]]:
    """The rows of a statement that names values of the scope, and `more` of its own."""
    with connection.cursor() as cursor:
        cursor.execute(sql, scope.parameters | more)
        return cursor.fetchall()


@contextmanager
def snapshot() -> Iterator[None]:
    """One moment of the hospital for everything that is read within, so that figures agree with each other.

    Nothing can be written in it. Within a transaction that is open already, that one's rules hold: PostgreSQL lets
    nobody change them once it has read.
    """
    begins = not connection.in_atomic_block
    with transaction.atomic(durable=begins):
        if begins:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield
