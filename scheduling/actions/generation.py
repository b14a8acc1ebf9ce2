"""Sessions and slots from the weekly lines: the supply of the next weeks, the same however often it is made."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Q

from accounts.models import Facility, User
from scheduling.actions._shared import lock_facility
from scheduling.actions.sessions import letters_of
from scheduling.models import ScheduleLine, Session, Slot
from scheduling.rules import DAY, Diary, NonexistentTimeError, Window, cut, session_window, wall
from scheduling.states import SessionStatus

DAYS: Final = 30
"""How many days ahead are made, today included."""


@dataclass(frozen=True)
class Skipped:
    """A day of a line that was not made, and why: `inactive`, `nonexistent_time`, `too_short`, `overlap`, `taken`."""

    line: int
    date: date
    reason: str
    sentence: str


@dataclass
class Generated:
    """What a run made (`sessions`, `slots`), what it found made already (`existing`), what it left out and why."""

    sessions: int = 0
    slots: int = 0
    existing: int = 0
    skipped: list[Skipped] = field(default_factory=list)


@dataclass(frozen=True)
class _Planned:
    """A day of a line that can be made."""

    line: ScheduleLine
    date: date
    window: Window
    slots: list[Window]


@transaction.atomic(savepoint=False)
def generate_sessions(
    *,
    facility_id: int,
    days: int = DAYS,
    today: date | None = None,
    doctor_id: int | None = None,
    by: User | None,
) -> Generated:
    """Make the sessions and slots of a facility's template lines for the next days.

    A day of a line is made once: run again, or by two at once, it makes the same and nothing twice. The facility's
    lock makes the second wait; constraints stand behind it. A day that was cancelled stays cancelled. Six queries
    and the lock, however many slots.

    Args:
        days: how many, `today` included.
        today: the facility's own date, where it is not the clock's.
        doctor_id: only this doctor's lines.

    Raises:
        NotFound: no such facility.
    """
    facility = lock_facility(Facility, facility_id, by=by, code="scheduling.generate")
    first = today or facility.local_date()
    last = first + (days - 1) * DAY
    lines = _lines(facility, doctor_id, first, last)
    report = Generated()
    planned = list(_plan(facility, lines, first, last, report))
    _write(facility, planned, first, last, report)
    return report


def _lines(facility: Facility, doctor_id: int | None, first: date, last: date) -> list[ScheduleLine]:
    """The lines that are valid at some time from `first` to `last`."""
    lines = ScheduleLine.objects.filter(
        Q(valid_to__isnull=True) | Q(valid_to__gte=first), doctor__facility=facility, valid_from__lte=last
    ).select_related("doctor__department", "room")
    return list(lines.filter(doctor=doctor_id) if doctor_id else lines)


def _plan(
    facility: Facility, lines: list[ScheduleLine], first: date, last: date, report: Generated
) -> Iterator[_Planned]:
    """Every day of the lines that can be made, in time order, so that letters and refusals are always the same."""
    made, diary = _known(facility, first, last)
    days = [(day, line) for line in lines for day in line.weekly.dates(first, last)]
    for day, line in sorted(days, key=lambda one: (one[0], one[1].from_time, one[1].pk)):
        if (line.pk, day) in made:
            report.existing += 1
            continue
        try:
            window = session_window(day, line.from_time, line.to_time, facility.tz)
        except NonexistentTimeError as error:
            report.skipped.append(Skipped(line.pk, day, "nonexistent_time", str(error)))
            continue
        slots = cut(window, line.slot_minutes)
        refusal = _inactive(line) or _too_short(line, slots) or _overlap(line, window, diary, facility)
        if refusal:
            report.skipped.append(Skipped(line.pk, day, *refusal))
            continue
        for who in (line.doctor, line.room):
            diary.add(who, window, str(who))
        yield _Planned(line, day, window, slots)


def _known(facility: Facility, first: date, last: date) -> tuple[set[tuple[int | None, date]], Diary[str]]:
    """What is there already: the days of lines that were made, and when doctors and rooms are taken."""
    made: set[tuple[int | None, date]] = set()
    diary: Diary[str] = Diary()
    near = (first - timedelta(days=2), last + timedelta(days=2))  # sessions across midnight reach into other days
    for session in Session.objects.filter(facility=facility, date__range=near).select_related("doctor", "room"):
        made.add((session.line_id, session.date))
        if session.status != SessionStatus.CANCELLED:
            for who in (session.doctor, session.room):
                diary.add(who, Window(session.starts_at, session.ends_at), str(who))
    return made, diary


Refusal = tuple[str, str]


def _inactive(line: ScheduleLine) -> Refusal | None:
    for row in (line.doctor, line.doctor.department, line.room):
        if not row.is_active:
            return "inactive", f"{row} is switched off."
    return None


def _too_short(line: ScheduleLine, slots: list[Window]) -> Refusal | None:
    return None if slots else ("too_short", f"Not one slot of {line.slot_minutes} minutes fits in.")


def _overlap(line: ScheduleLine, window: Window, diary: Diary[str], facility: Facility) -> Refusal | None:
    for who in (line.doctor, line.room):
        taken = diary.clash(who, window)
        if taken:
            starts, ends = (wall(moment, facility.tz) for moment in (taken[0].starts_at, taken[0].ends_at))
            return "overlap", f"{who} is already taken from {starts} to {ends}."
    return None


def _write(facility: Facility, planned: list[_Planned], first: date, last: date, report: Generated) -> None:
    """Write the planned sessions, then the slots of those that the constraints let in."""
    letters = letters_of(facility, first, last)
    Session.objects.bulk_create(
        [
            Session(
                facility=facility,
                department=one.line.doctor.department,
                doctor=one.line.doctor,
                room=one.line.room,
                line=one.line,
                date=one.date,
                starts_at=one.window.starts_at,
                ends_at=one.window.ends_at,
                prefix=letters.give(one.date, one.line.doctor_id),
            )
            for one in planned
        ],
        ignore_conflicts=True,
    )
    days = Session.objects.filter(line__in={one.line.pk for one in planned}, date__range=(first, last))
    ids = {(line, day): pk for pk, line, day in days.values_list("id", "line_id", "date")}
    slots = []
    for one in planned:
        session_id = ids.get((one.line.pk, one.date))
        if session_id is None:
            report.skipped.append(Skipped(one.line.pk, one.date, "taken", "Somebody took this time or these letters."))
            continue
        report.sessions += 1
        slots += [
            Slot(session_id=session_id, starts_at=slot.starts_at, ends_at=slot.ends_at, capacity=one.line.capacity)
            for slot in one.slots
        ]
    report.slots += len(Slot.objects.bulk_create(slots, ignore_conflicts=True))
