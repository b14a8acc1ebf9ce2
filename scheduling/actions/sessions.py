"""Sessions and slots by hand: opened, lengthened by a slot, taken back while nobody stands in them."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from accounts.models import Facility, User
from scheduling.actions._shared import lock_facility, of_facility
from scheduling.errors import InThePast, NotValid, Overlap
from scheduling.locking import lock_sessions
from scheduling.models import Doctor, Room, Session, Slot
from scheduling.rules import Letters, Window
from scheduling.states import SessionStatus, SlotStatus

HABIT: Final = timedelta(days=14)
"""How far around a doctor's letters are looked up: somebody who comes once a week keeps them too."""


@transaction.atomic(savepoint=False)
def open_session(
    *,
    doctor_id: int,
    room_id: int,
    slots: Sequence[tuple[Window, int]],
    by: User | None,
    ends_at: datetime | None = None,
) -> Session:
    """Open a session of its own, without a template line.

    Args:
        slots: windows in order, each with its capacity; the first one's start is the session's.
        ends_at: the end of the session where the doctor stays longer than the last slot.

    Raises:
        NotFound: no such doctor.
        NotValid: the room is not of the doctor's facility, or one of the two is switched off, or there are no slots.
        Overlap: the doctor or the room is taken; says who and when.
    """
    facility, doctor, room = _who_and_where(doctor_id, room_id, by)
    if not slots:
        raise NotValid("A session has at least one slot.", attr="slots")
    window = Window(slots[0][0].starts_at, ends_at or slots[-1][0].ends_at)
    _refuse_overlap(doctor, room, window, facility.tz)
    return _open(facility, doctor, room, window, slots)


@transaction.atomic(savepoint=False)
def add_slot(
    *,
    doctor_id: int,
    room_id: int,
    starts_at: datetime,
    ends_at: datetime,
    capacity: int,
    by: User | None,
    at: datetime | None = None,
) -> Slot:
    """Add a single slot by hand.

    It joins an open session of the doctor in that room on that date which it lies in, or lengthens without a gap; a
    session in which numbers were given never changes its start. Else a session of its own is opened. The caller,
    who knows tokens, settles the session afterwards: somebody may have waited for such a place.

    Args:
        at: the moment at which it happens, now where none is given.

    Raises:
        NotFound: no such doctor.
        NotValid: no length, no capacity, or a room that is not of the doctor's facility or switched off.
        InThePast: it is over already.
        Overlap: the doctor, the room or another slot is in its way; says who and when.
    """
    facility, doctor, room = _who_and_where(doctor_id, room_id, by)
    window = Window(starts_at, ends_at)
    _refuse_nonsense(window, capacity, at or timezone.now(), facility.tz)
    session = _session_to_join(doctor, room, window, facility.tz)
    _refuse_overlap(doctor, room, window, facility.tz, apart_from=session)
    if session is None:
        session = _open(facility, doctor, room, window, [(window, capacity)])
        return session.slots.get()
    longer = _window(session).with_(window)
    session.starts_at, session.ends_at, session.version = longer.starts_at, longer.ends_at, session.version + 1
    session.save(update_fields=["starts_at", "ends_at", "version"])
    return session.slots.create(starts_at=starts_at, ends_at=ends_at, capacity=capacity)


def withdraw_sessions(sessions: QuerySet[Session], *, at: datetime) -> int:
    """Delete those of the sessions that have not begun and in which nothing ever happened, with their slots.

    Only plans are lost by it, so generating can make these days anew. The caller holds the facility's lock.

    Returns:
        How many were taken back.
    """
    untouched = sessions.filter(starts_at__gt=at, status=SessionStatus.OPEN, last_number=0, events=0)
    locked = lock_sessions(untouched.values_list("id", flat=True))
    ids = [session.pk for session in locked if not (session.last_number or session.events)]  # as they are now
    Slot.objects.filter(session__in=ids).delete()
    Session.objects.filter(pk__in=ids).delete()
    return len(ids)


def cancel_sessions(sessions: Iterable[Session]) -> None:
    """Cancel sessions with their slots. The caller holds their locks, and nobody stands in them."""
    ids = [session.pk for session in sessions]
    Slot.objects.filter(session__in=ids).update(status=SlotStatus.CANCELLED)
    Session.objects.filter(pk__in=ids).update(status=SessionStatus.CANCELLED, version=F("version") + 1)


def letters_of(facility: Facility, first: date, last: date) -> Letters:
    """The letters in use from `first` to `last`, with each doctor's habits of the weeks around. One query."""
    known = (
        Session.objects.filter(facility=facility, date__range=(first - HABIT, last + HABIT))
        .order_by("starts_at", "id")
        .values_list("date", "doctor_id", "prefix")
    )
    return Letters.after(known)


def _who_and_where(doctor_id: int, room_id: int, by: User | None) -> tuple[Facility, Doctor, Room]:
    """Doctor and room, under their facility's lock; both still serve."""
    facility = lock_facility(Doctor, doctor_id, by=by)
    doctor = facility.doctors.select_related("department").get(pk=doctor_id)
    room = of_facility(facility, Room, room_id, attr="room")
    for row, attr in ((doctor, "doctor"), (room, "room")):
        if not row.is_active:
            raise NotValid(f"{row} is switched off.", attr=attr)
    return facility, doctor, room


def _refuse_nonsense(window: Window, capacity: int, at: datetime, zone: ZoneInfo) -> None:
    if window.ends_at <= window.starts_at:
        raise NotValid("A slot ends after it starts.", attr="ends_at")
    if capacity < 1:
        raise NotValid("A slot has at least one place.", attr="capacity")
    if window.ends_at <= at:
        raise InThePast.at(window.ends_at, zone)


def _session_to_join(doctor: Doctor, room: Room, window: Window, zone: ZoneInfo) -> Session | None:
    """The session that the window lies in, else the first that it lengthens; locked. Its slots leave it room."""
    near = doctor.sessions.filter(
        room=room, status=SessionStatus.OPEN, starts_at__lte=window.ends_at, ends_at__gte=window.starts_at
    )
    sessions = [session for session in lock_sessions(near.values_list("id", flat=True)) if _fits(session, window, zone)]
    session = next((one for one in sessions if _window(one).contains(window)), next(iter(sessions), None))
    if session is None:
        return None
    slot = session.slots.filter(starts_at__lt=window.ends_at, ends_at__gt=window.starts_at).first()
    if slot is not None:
        raise Overlap.at(doctor, Window(slot.starts_at, slot.ends_at), zone, slot=slot.pk)
    return session


def _fits(session: Session, window: Window, zone: ZoneInfo) -> bool:
    """Whether a session may take the window in: it stays on its date, and a start with numbers behind it stays."""
    if session.status != SessionStatus.OPEN:
        return False
    if _window(session).contains(window):
        return True
    if window.starts_at < session.starts_at and session.last_number:
        return False
    return window.starts_at.astimezone(zone).date() == session.date


def _window(session: Session) -> Window:
    return Window(session.starts_at, session.ends_at)


def _refuse_overlap(
    doctor: Doctor, room: Room, window: Window, zone: ZoneInfo, *, apart_from: Session | None = None
) -> None:
    """Refuse where the doctor or the room is in another session in that time. Constraints say the same."""
    sessions = (
        Session.objects.exclude(status=SessionStatus.CANCELLED)
        .exclude(pk=apart_from.pk if apart_from else 0)
        .filter(starts_at__lt=window.ends_at, ends_at__gt=window.starts_at)
    )
    for who, taken in ((doctor, sessions.filter(doctor=doctor)), (room, sessions.filter(room=room))):
        session = taken.first()
        if session is not None:
            raise Overlap.at(who, _window(session), zone, session=session.pk)


def _open(
    facility: Facility, doctor: Doctor, room: Room, window: Window, slots: Sequence[tuple[Window, int]]
) -> Session:
    """Write a session and its slots, with the doctor's letters where they are free on that date."""
    day = window.starts_at.astimezone(facility.tz).date()
    session = Session.objects.create(
        facility=facility,
        department=doctor.department,
        doctor=doctor,
        room=room,
        date=day,
        starts_at=window.starts_at,
        ends_at=window.ends_at,
        prefix=letters_of(facility, day, day).give(day, doctor.pk),
    )
    Slot.objects.bulk_create(
        Slot(session=session, starts_at=slot.starts_at, ends_at=slot.ends_at, capacity=capacity)
        for slot, capacity in slots
    )
    return session
