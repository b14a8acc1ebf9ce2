"""Which slot to ask, and which sessions to lock: looked up before the lock, looked at again under it."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from django.db import connection

from tokens import errors
from tokens.reading import Target

_OPEN = """
  FROM scheduling_slot p
  JOIN scheduling_session s ON s.id = p.session_id
  JOIN accounts_facility f ON f.id = s.facility_id
 WHERE (s.doctor_id = %(doctor)s OR s.department_id = %(department)s)
   AND (s.date = %(on)s OR (s.date = %(on)s - 1 AND (p.starts_at AT TIME ZONE f.time_zone)::date = %(on)s))
   AND s.status = 'open' AND p.status = 'open'
   AND p.ends_at + make_interval(mins => s.delay_minutes) > coalesce(%(at)s, clock_timestamp())"""

_FREE = f"""
SELECT p.id {_OPEN} AND p.used - p.overbooked < p.capacity
 ORDER BY p.starts_at, p.used, p.id LIMIT 50"""

_SHORTEST = f"""
SELECT p.id {_OPEN}
 ORDER BY (SELECT count(*) FROM tokens_token t WHERE t.slot_id = p.id AND t.status = 'waitlisted'),
          p.starts_at, p.used, p.id LIMIT 1"""  # noqa: S608

_RUNNING = f"""
SELECT p.id {_OPEN}
 ORDER BY p.starts_at + make_interval(mins => s.delay_minutes) > coalesce(%(at)s, clock_timestamp()),
          CASE WHEN p.starts_at + make_interval(mins => s.delay_minutes) > coalesce(%(at)s, clock_timestamp())
               THEN p.starts_at + make_interval(mins => s.delay_minutes) END,
          p.used - p.overbooked >= p.capacity, p.used, p.id LIMIT 1"""


class Gone(Exception):
    """The place that a slot was chosen for has gone meanwhile."""


def slots_to_try(
    *, doctor_id: int | None, department_id: int | None, on: date | None, emergency: bool, at: datetime | None
) -> Iterator[tuple[int, bool]]:
    """Slots for a request that names none, in the order in which to ask; the last answers whatever it holds.

    Slots of that date are those of the sessions that begin on it, and those after midnight of a session that began
    the evening before. The earliest open slot with a free place, ties by fewer used, then lower id; where the place
    has gone, the next; none free: the earliest open one among those with the shortest waitlist. An emergency asks for
    the running slot, else the next.

    Yields:
        the slot's id, and whether it is the last resort.

    Raises:
        NoOpenSlot: nothing is open there on that date.
    """
    where = {"doctor": doctor_id, "department": department_id, "on": on, "at": at}
    if not emergency:
        for slot_id in _ids(_FREE, where):
            yield slot_id, False
    last = _ids(_RUNNING if emergency else _SHORTEST, where)
    if not last:
        raise errors.NoOpenSlot
    yield last[0], True


def _ids(sql: str, where: dict[str, Any]) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(sql, where)
        return [row[0] for row in cursor.fetchall()]


def sent_from(token_id: int) -> tuple[date, str]:
    """The date and source of a token that is to be sent on, read before the lock.

    Raises:
        UnknownToken
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT s.date, t.source FROM tokens_token t JOIN scheduling_session s ON s.id = t.session_id"
            " WHERE t.id = %s",
            (token_id,),
        )
        row = cursor.fetchone()
    if row is None:
        raise errors.UnknownToken
    return row[0], row[1]


def targets_of(token_id: int, slot_id: int | None = None, *, session_id: int | None = None) -> list[Target]:
    """The sessions of a token and of a slot (or another session), in the order in which they are locked.

    Raises:
        UnknownToken, UnknownSlot
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT s.id, t.id IS NOT NULL, p.id IS NOT NULL OR s.id = %(session)s, t.patient_id
              FROM scheduling_session s
              LEFT JOIN tokens_token t ON t.id = %(token)s AND t.session_id = s.id
              LEFT JOIN scheduling_slot p ON p.id = %(slot)s AND p.session_id = s.id
             WHERE s.id IN ((SELECT session_id FROM tokens_token WHERE id = %(token)s),
                            (SELECT session_id FROM scheduling_slot WHERE id = %(slot)s), %(session)s)
             ORDER BY s.starts_at, s.id""",
            {"token": token_id, "slot": slot_id, "session": session_id},
        )
        rows = cursor.fetchall()
    patient = next((row[3] for row in rows if row[1]), None)
    if patient is None:
        raise errors.UnknownToken
    if not any(row[2] for row in rows):
        raise errors.UnknownSlot
    return [Target("slots__tokens", token_id, patient) if row[1] else Target("pk", row[0], patient) for row in rows]
