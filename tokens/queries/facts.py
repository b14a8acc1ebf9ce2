"""Sessions, slots and tokens as the records that the rules know, read without a lock."""

import time
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final, cast
from zoneinfo import ZoneInfo

from django.db import connection
from django.utils import timezone

from accounts.models import Facility
from scheduling.locking import COLUMNS as SESSION_COLUMNS
from scheduling.models import Session, Slot
from tokens import errors
from tokens.facts import DEFAULT_POLICY, PRESETS, Policy, SessionFacts, SlotFacts, TokenFacts
from tokens.reading import ASSIGNED, NEAREST, TOKEN_COLUMNS, policy_of

_NEAREST_POLICY: Final = f"""
    SELECT p.* FROM tokens_policyassignment a JOIN tokens_allocationpolicy p ON p.id = a.policy_id
     WHERE {ASSIGNED} ORDER BY {NEAREST} LIMIT 1"""  # noqa: S608


def read_sessions(ids: Iterable[int]) -> tuple[dict[int, SessionFacts], datetime]:
    """Sessions with slots and everybody on the way to the doctor, as the rules see them, and the time. Three queries.

    The version is read first, so a state is never older than the version that it carries; the slots last, so each
    token's slot is among them.
    """
    wanted = list(ids)
    found, now = _session_rows(wanted)
    # Statuses by name, not as a parameter: so the partial index of active tokens serves.
    for token in read_tokens("session_id = ANY(%s) AND status IN ('confirmed', 'in_progress', 'waitlisted')", [wanted]):
        found[token.session_id].tokens[token.id] = token
    for row in ask(
        "SELECT id, session_id, starts_at, ends_at, capacity, status, used, overbooked"
        " FROM scheduling_slot WHERE session_id = ANY(%s) ORDER BY starts_at, id",
        (wanted,),
    ):
        slot = SlotFacts(*row)
        found[slot.session_id].slots.append(slot)
    return found, now


def read_session(session_id: int) -> tuple[SessionFacts, datetime]:
    """One of them.

    Raises:
        UnknownSession
    """
    found, now = read_sessions([session_id])
    if session_id not in found:
        raise errors.UnknownSession
    return found[session_id], now


def _session_rows(ids: Sequence[int]) -> tuple[dict[int, SessionFacts], datetime]:
    """Sessions with their policies, without slots and tokens, and the time. One query."""
    columns = ", ".join(f"s.{name}" for name in SESSION_COLUMNS)
    rows = ask(
        f"""SELECT clock_timestamp(), row_to_json(nearest)::text, {columns} FROM scheduling_session s
              LEFT JOIN LATERAL ({_NEAREST_POLICY}) nearest ON true WHERE s.id = ANY(%s)""",  # noqa: S608
        (list(ids),),
    )
    found = [SessionFacts(*(*row[2:], policy_of(row[1]))) for row in rows]
    return {session.id: session for session in found}, rows[0][0] if rows else timezone.now()


def policies_of(ids: Iterable[int]) -> tuple[dict[int, Policy], datetime]:
    """The policy of each session, and the time. One query."""
    sessions, now = _session_rows(list(ids))
    return {session.id: session.policy for session in sessions.values()}, now


def read_tokens(where: str, params: Sequence[Iterable[Any]]) -> list[TokenFacts]:
    """Tokens by a condition of the caller's own, which never comes from outside. One query."""
    columns = ", ".join(TOKEN_COLUMNS)
    sql = f"SELECT {columns} FROM tokens_token WHERE {where} ORDER BY id"  # noqa: S608 (constants of this module)
    return [TokenFacts(*row) for row in ask(sql, [list(param) for param in params])]


def ask(sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
    """The rows of a statement."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cast("list[tuple[Any, ...]]", cursor.fetchall())


def session_facts(session: Session) -> SessionFacts:
    """A session's row as the rules see it, without its policy, slots and tokens."""
    return SessionFacts(*[getattr(session, name) for name in SESSION_COLUMNS] + [PRESETS[DEFAULT_POLICY]])


def slot_facts(slot: Slot) -> SlotFacts:
    """A slot's row as the rules see it."""
    values = ("id", "session_id", "starts_at", "ends_at", "capacity", "status", "used", "overbooked")
    return SlotFacts(*(getattr(slot, name) for name in values))


_ZONE_KEPT: Final = 60.0
_zones: dict[int, tuple[float, ZoneInfo]] = {}


def zone_of(facility_id: int) -> ZoneInfo:
    """The facility's time zone. Asked for in every answer and changed once in a lifetime: kept for a minute."""
    known = _zones.get(facility_id)
    if known is None or known[0] < time.monotonic():
        name = Facility.objects.values_list("time_zone", flat=True).get(pk=facility_id)
        known = _zones[facility_id] = (time.monotonic() + _ZONE_KEPT, ZoneInfo(name))
    return known[1]


def forget_zones() -> None:
    """Forget what `zone_of` keeps."""
    _zones.clear()
