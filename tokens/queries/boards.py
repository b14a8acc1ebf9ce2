"""The calendar grid: everything of some days, in a fixed number of queries."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Prefetch, Q
from django.utils import timezone

from accounts.models import Facility, User
from accounts.permissions import require_anywhere, within
from scheduling.models import Doctor, Room, Session, Slot
from tokens.facts import SessionFacts
from tokens.models import Token
from tokens.queries.facts import policies_of, session_facts, slot_facts
from tokens.queries.tokens import VIEW, as_facts, positions_in
from tokens.states import ACTIVE


@dataclass(frozen=True, slots=True)
class Board:
    """The whole grid: who serves, where and when, and who holds what.

    Attributes:
        facts: each session as the rules see it, with its slots and who is on the way to the doctor.
    """

    date_from: date
    date_to: date
    doctors: list[Doctor]
    rooms: list[Room]
    sessions: list[Session]
    tokens: list[Token]
    counts: dict[tuple[int, str], int]
    positions: dict[int, int]
    facts: dict[int, SessionFacts]

    @property
    def slots(self) -> list[Slot]:
        """All slots, session by session in order of time."""
        return [slot for session in self.sessions for slot in session.slots.all()]


def board(
    user: User,
    *,
    doctor_id: int | None = None,
    department_id: int | None = None,
    room_id: int | None = None,
    date_from: date | None = None,
    date_to: date | None = None,
) -> Board:
    """The grid of some days, today where none are named. Seven queries, however many rows.

    Raises:
        PermissionDenied: the user may see tokens nowhere.
    """
    ids = require_anywhere(user, VIEW)
    today = {facility.local_date() for facility in Facility.objects.filter(within(ids, "pk"))}
    first = date_from or date_to or min(today, default=timezone.localdate())
    last = date_to or date_from or max(today, default=first)
    chosen = {"doctor_id": doctor_id, "department_id": department_id, "room_id": room_id}
    where = Q(within(ids), date__range=(first, last), **{k: v for k, v in chosen.items() if v is not None})
    slots = Prefetch("slots", Slot.objects.order_by("starts_at", "id"))
    sessions = list(Session.objects.filter(where).select_related("facility").prefetch_related(slots))
    rows = _tokens_of(sessions)
    facts, now = _facts(sessions, rows)
    standing = [token for session in facts.values() for token in session.tokens.values()]
    return Board(
        date_from=first,
        date_to=last,
        doctors=_resources(Doctor, ids, sessions, pk=doctor_id, department_id=department_id),
        rooms=_resources(Room, ids, sessions, pk=room_id),
        sessions=sessions,
        tokens=rows,
        counts=_count(rows),
        positions=positions_in(standing, {session.id: session.policy for session in facts.values()}, now),
        facts=facts,
    )


def _tokens_of(sessions: list[Session]) -> list[Token]:
    """All tokens of the sessions, each knowing its session. One query."""
    known = {session.pk: session for session in sessions}
    rows = list(Token.objects.filter(session__in=known).order_by("id"))
    for row in rows:
        row.session = known[row.session_id]
    return rows


def _facts(sessions: list[Session], rows: list[Token]) -> tuple[dict[int, SessionFacts], datetime]:
    """The sessions as the rules see them, from rows that were read, and the time. One query, for the policies."""
    policies, now = policies_of([session.pk for session in sessions])
    found = {session.pk: session_facts(session) for session in sessions}
    for session in sessions:
        found[session.pk].policy = policies[session.pk]
        found[session.pk].slots = [slot_facts(slot) for slot in session.slots.all()]
    for row in rows:
        if row.status in ACTIVE:
            found[row.session_id].tokens[row.pk] = as_facts(row)
    return found, now


def _count(rows: list[Token]) -> dict[tuple[int, str], int]:
    found: dict[tuple[int, str], int] = defaultdict(int)
    for row in rows:
        found[row.slot_id, row.status] += 1
    return found


def _resources(model: type[Any], ids: frozenset[int], sessions: list[Session], **only: int | None) -> list[Any]:
    """Those in use, and those that have sessions on these days though they are not any more."""
    name = model._meta.model_name
    busy = {getattr(session, f"{name}_id") for session in sessions}
    chosen = Q(within(ids), **{k: v for k, v in only.items() if v is not None})
    return list(model.objects.filter(chosen & (Q(is_active=True) | Q(pk__in=busy))))
