"""The one lock on places, numbers and queues: the session's row.

Whoever changes a token, a slot's places or a queue holds the locks of the sessions concerned, taken here, once, in
the order of their start and id (both are frozen once tokens exist, so the order never changes under anybody's
feet). Rules look forward in time only, so a later session may be locked after an earlier one, never before.
`docs/locking.md` tells the rest.
"""

from collections.abc import Iterable
from functools import cache

from django.db import connection, transaction
from django.db.models import QuerySet

from common.trips import Trip
from scheduling.models import Session

LOCK_TIMEOUT = "4s"
"""How long a request waits for a session before it is answered 503 with Retry-After."""

SET_TIMEOUT = "SELECT set_config('lock_timeout', %s, true)"

COLUMNS = (
    "id", "facility_id", "department_id", "doctor_id", "room_id", "date", "starts_at", "ends_at", "status", "prefix",
    "last_number", "calls", "delay_minutes", "paused_at", "closed_at", "version", "events", "last_event_at",
)  # fmt: skip
"""What a locked session's row gives, in this order."""


def _locked(queryset: QuerySet[Session]) -> QuerySet[Session]:
    return queryset.select_for_update(of=("self",), no_key=True).order_by("starts_at", "id")


@cache
def lock_statement(lookup: str) -> str:
    """The SQL that locks the sessions found by a lookup with one value, such as "pk" or "slots".

    It comes from Django's own `select_for_update`, compiled once, so that it can be sent in one trip with the reads
    that follow it. Compile it inside a transaction, as Django demands.
    """
    queryset = _locked(Session.objects.filter(**{lookup: 0})).values_list(*COLUMNS)
    sql, params = queryset.query.sql_with_params()
    assert len(params) == 1, sql  # the lookup must have exactly one value
    return str(sql)


def add_lock(trip: Trip, lookup: str, value: int) -> int:
    """Add the lock of one session to a trip, with its timeout; returns the index of its row in the answer."""
    trip.add(SET_TIMEOUT, (LOCK_TIMEOUT,))
    return trip.add(lock_statement(lookup), (value,))


def lock_sessions(ids: Iterable[int]) -> list[Session]:
    """Lock sessions, sorted by start and id, and return them as they are now.

    For those who change what a session owns but decide no place (schedules). The engine sends the same lock in the
    same trip as its reads.

    Raises:
        TransactionManagementError: no transaction is open.
        OperationalError: a lock was not free within `LOCK_TIMEOUT` (answered as 503 `busy`).
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("lock_sessions works inside a transaction only")
    with connection.cursor() as cursor:
        cursor.execute(SET_TIMEOUT, (LOCK_TIMEOUT,))
    return list(_locked(Session.objects.filter(pk__in=set(ids))))
