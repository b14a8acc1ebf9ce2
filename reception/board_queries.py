"""Reads for the board. A board is five queries, or six where names are shown; the choices of its settings are two."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.utils import timezone

from accounts.models import Facility
from common.kept import Kept
from reception.board import Line, Place, called_in, lines, natural
from reception.errors import NoSuchBoard
from scheduling.models import Department, Room, Session
from tokens import queue_rules
from tokens.facts import SessionFacts
from tokens.models import Token
from tokens.queries import read_sessions

LINGERS = dt.timedelta(hours=2)
"""How long after midnight a session of the day before may still go on past its end."""


@dataclass(frozen=True, slots=True)
class Wish:
    """Which board a screen shows: of a facility, of one department or all, of some rooms or all."""

    facility_id: int
    department_id: int | None = None
    room_ids: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Choices:
    """A facility in use, and what its screens may choose among."""

    facility: Facility
    departments: list[Department]
    rooms: list[Room]


@dataclass(frozen=True, slots=True)
class Board:
    """What a screen shows at a moment."""

    facility: Facility
    date: dt.date
    now: datetime
    lines: list[Line]


_choices: Kept[Choices] = Kept(seconds=10)


def forget_choices() -> None:
    """Forget what `choices` keeps."""
    _choices.clear()


def choices(slug: str) -> Choices:
    """The facility of that name and its departments and rooms, kept for some seconds. Three queries, or none.

    Raises:
        NoSuchBoard: there is none in use.
    """
    return _choices.get(slug, lambda: _read_choices(slug))


def _read_choices(slug: str) -> Choices:
    facility = Facility.objects.filter(slug=slug, is_active=True).first()
    if facility is None:
        raise NoSuchBoard
    departments = Department.objects.filter(facility=facility, is_active=True)
    rooms = Room.objects.filter(facility=facility, is_active=True)
    return Choices(facility, list(departments), sorted(rooms, key=lambda room: natural(room.name)))


def board(wish: Wish, *, at: datetime | None = None) -> Board | None:
    """The board as it is now; nothing where the facility is not in use any more. Five queries, six with names.

    Args:
        at: another moment, for whose date and clock it is.
    """
    facility = Facility.objects.filter(pk=wish.facility_id, is_active=True).first()
    if facility is None:
        return None
    now = timezone.localtime(at or timezone.now(), facility.tz)
    places = _places(wish, now)
    sessions = list(read_sessions(places)[0].values()) if places else []
    names = _names(sessions) if facility.show_names_on_board else None
    return Board(facility, now.date(), now, lines(sessions, places, now, names))


def _places(wish: Wish, now: datetime) -> dict[int, Place]:
    """The day's open sessions, those of last night that still go on among them. One query."""
    last_night = Q(date=now.date() - dt.timedelta(days=1), ends_at__gt=now - LINGERS)
    going_on = Q(date=now.date()) | last_night
    chosen = Q() if wish.department_id is None else Q(department_id=wish.department_id)
    if wish.room_ids:
        chosen &= Q(room_id__in=wish.room_ids)
    rows = Session.objects.filter(going_on, chosen, facility_id=wish.facility_id, status="open")
    found = rows.values_list("pk", "room__name", "doctor__name", "department__name")
    return {pk: Place(room, doctor, department) for pk, room, doctor, department in found}


def _names(sessions: Iterable[SessionFacts]) -> dict[int, str]:
    """The patients of the numbers that are called or inside, by token. One query, or none."""
    shown = [token.id for session in sessions for token in called_in(session)]
    inside = (queue_rules.in_room(session.tokens.values()) for session in sessions)
    shown += [token.id for token in inside if token is not None]
    return dict(Token.objects.filter(pk__in=shown).values_list("pk", "patient__name")) if shown else {}
