"""The calendar grid: everything of some days, in a fixed number of queries."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Prefetch, Q
from django.utils import timezone

from accounts.models import Facility, User
from accounts.permissions import require_anywhere, within
from scheduling.models import Doctor, Room, Session, Slot
from tokens.models import Token
from tokens.queries.tokens import VIEW, positions


@dataclass(frozen=True, slots=True)
class Board:
    """The whole grid: who serves, where and when, and who holds what."""

    date_from: date
    date_to: date
    doctors: list[Doctor]
    rooms: list[Room]
    sessions: list[Session]
    tokens: list[Token]
    counts: dict[tuple[int, str], int]
    positions: dict[int, int]

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
    """The grid of some days, today where none are named. Eight queries, however many rows.

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
    return Board(
        date_from=first,
        date_to=last,
        doctors=_resources(Doctor, ids, sessions, pk=doctor_id, department_id=department_id),
        rooms=_resources(Room, ids, sessions, pk=room_id),
        sessions=sessions,
        tokens=rows,
        counts=_count(rows),
        positions=positions(rows),
    )


def _tokens_of(sessions: list[Session]) -> list[Token]:
    """All tokens of the sessions, each knowing its session. One query."""
    known = {session.pk: session for session in sessions}
    rows = list(Token.objects.filter(session__in=known).order_by("id"))
    for row in rows:
        row.session = known[row.session_id]
    return rows


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
