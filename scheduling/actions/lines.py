"""The weekly lines of a doctor's template."""

from datetime import date, datetime, time
from typing import Any

from django.db import transaction
from django.db.models import Max, Q
from django.utils import timezone

from accounts.models import Facility, User
from scheduling.actions._shared import change, check, create, lock_facility, of_facility
from scheduling.actions.generation import generate_sessions
from scheduling.actions.sessions import withdraw_sessions
from scheduling.errors import NotValid, Overlap
from scheduling.models import Doctor, Room, ScheduleLine
from scheduling.rules import MINUTE, first_clash


@transaction.atomic(savepoint=False)
def create_line(
    *,
    doctor_id: int,
    room_id: int,
    weekday: int,
    from_time: time,
    to_time: time,
    slot_minutes: int = 60,
    capacity: int = 6,
    valid_from: date,
    valid_to: date | None = None,
    by: User | None,
) -> ScheduleLine:
    """A new line. Its sessions come with the next `generate_sessions`.

    Args:
        weekday: 0 is Monday.
        from_time, to_time: the facility's wall clock; an end before the start is the next morning's.
        slot_minutes: length of a slot; only whole ones are made.
        capacity: places of each slot.

    Raises:
        NotFound: no such doctor.
        NotValid: a value out of range, a room of another facility, no whole slot between the times.
        Overlap: another line of the doctor, or another doctor's in the room, meets it; says which and when.
    """
    facility = lock_facility(Doctor, doctor_id, by=by)
    line = ScheduleLine(
        doctor=facility.doctors.get(pk=doctor_id),
        room=of_facility(facility, Room, room_id, attr="room"),
        weekday=weekday,
        from_time=from_time,
        to_time=to_time,
        slot_minutes=slot_minutes,
        capacity=capacity,
        valid_from=valid_from,
        valid_to=valid_to,
    )
    check(line)
    _refuse_senseless(line)
    return create(line, by=by)


@transaction.atomic(savepoint=False)
def update_line(
    *, line_id: int, read: int | None = None, by: User | None, at: datetime | None = None, **changes: Any
) -> ScheduleLine:
    """Change a line; an end of its validity (`valid_to`) takes the place of deleting it.

    Its days ahead in which nothing happened yet are made anew from the changed line; a day in which somebody holds or
    held a token stays as it is, for a plan to change.

    Raises:
        NotFound, PreconditionFailed.
        NotValid, Overlap: as `create_line`.
    """
    at = at or timezone.now()
    facility = lock_facility(ScheduleLine, line_id, by=by)
    line = ScheduleLine.objects.select_related("doctor").get(pk=line_id)
    if "room_id" in changes:
        of_facility(facility, Room, changes["room_id"], attr="room")
    line = change(line, changes, read=read, by=by)
    _refuse_senseless(line)
    _make_anew(line, facility, at)
    return line


def _make_anew(line: ScheduleLine, facility: Facility, at: datetime) -> None:
    """Take the line's untouched days back, and make the days up to the last of them again."""
    last = line.sessions.aggregate(last=Max("date"))["last"]
    if withdraw_sessions(line.sessions.all(), at=at):
        today = facility.local_date(at)
        days = (last - today).days + 1
        generate_sessions(facility_id=facility.pk, doctor_id=line.doctor_id, today=today, days=days, by=None)


def _refuse_senseless(line: ScheduleLine) -> None:
    """Refuse a line without a whole slot, and one that meets another of the same doctor or room."""
    start, end = line.weekly.hours
    if end - start < line.slot_minutes * MINUTE:
        raise NotValid(f"Not one slot of {line.slot_minutes} minutes fits in.", attr="slot_minutes")
    others = ScheduleLine.objects.filter(Q(doctor=line.doctor_id) | Q(room=line.room_id), doctor__is_active=True)
    for other in others.exclude(pk=line.pk).select_related("doctor", "room"):
        day = first_clash(line.weekly, other.weekly)
        if day is not None:
            who = other.doctor if other.doctor_id == line.doctor_id else other.room
            raise Overlap(
                "{who} already has a line from {starts} to {ends}: the two meet on {day}.",
                who=str(who),
                starts=f"{other.from_time:%H:%M}",
                ends=f"{other.to_time:%H:%M}",
                day=f"{day:%a %d %b %Y}",
                line=other.pk,
            )
