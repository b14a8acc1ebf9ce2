"""Two generators at once, on real connections; and what goes wrong without the lock, and without the constraints."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, time
from functools import partial
from threading import Barrier

import pytest
from django.db import connection

from accounts.models import Facility
from common.testing.races import PATIENCE, race
from common.transactions import outermost
from scheduling import actions
from scheduling.actions import generation
from scheduling.errors import Overlap
from scheduling.models import ScheduleLine, Session, Slot
from scheduling.tests.factories import DoctorFactory, RoomFactory, ScheduleLineFactory, wall

pytestmark = pytest.mark.django_db(transaction=True)

MONDAY = date(2026, 11, 23)
CONSTRAINTS = {
    "scheduling_session": [
        "session_prefix_once_a_date",
        "session_of_a_line_once_a_date",
        "doctor_in_one_place",
        "room_for_one_session",
    ]
}


@pytest.fixture
def lines() -> list[ScheduleLine]:
    """Three doctors, mornings and evenings."""
    return [
        ScheduleLineFactory(doctor=doctor, room=room, weekday=weekday, from_time=start, to_time=time(start.hour + 4))
        for doctor, room in [(DoctorFactory(), RoomFactory()) for _ in range(3)]
        for weekday in range(5)
        for start in (time(9), time(16))
    ]


def generator(facility: Facility, **options: int) -> Callable[[], actions.Generated]:
    work = partial(actions.generate_sessions, facility_id=facility.pk, today=MONDAY, by=None, **options)
    return lambda: outermost(work)


def without_lock(monkeypatch: pytest.MonkeyPatch, runners: int) -> None:
    """Take the facility's lock away, and let nobody write before everybody has read."""
    barrier, known = Barrier(runners, timeout=PATIENCE), generation._known

    def read_together(*args):
        found = known(*args)
        barrier.wait()
        return found

    monkeypatch.setattr(generation, "lock_facility", lambda model, pk, **options: model.objects.get(pk=pk))
    monkeypatch.setattr(generation, "_known", read_together)


@contextmanager
def without_constraints() -> Iterator[None]:
    """Drop what stands behind the lock. The database is thrown away after each test that commits."""
    with connection.cursor() as cursor:
        for table, names in CONSTRAINTS.items():
            cursor.execute("".join(f"ALTER TABLE {table} DROP CONSTRAINT {name};" for name in names))
    yield


def days_made_twice() -> int:
    days = list(Session.objects.values_list("line", "date"))
    return len(days) - len(set(days))


def test_two_generators_at_once_make_the_same_slots_none_twice(lines):
    facility = lines[0].doctor.facility
    outcomes = race([generator(facility) for _ in range(4)])
    assert outcomes.raised == []
    made = sorted(report.sessions for report in outcomes.returned)
    assert made == [0, 0, 0, Session.objects.count()]
    assert sum(report.slots for report in outcomes.returned) == Slot.objects.count() == 4 * made[-1]
    assert all(report.sessions + report.existing == made[-1] for report in outcomes.returned)
    assert (days_made_twice(), [report.skipped for report in outcomes.returned]) == (0, [[]] * 4)


def test_generators_for_two_doctors_at_once_give_each_letters_of_their_own(lines):
    facility = lines[0].doctor.facility
    doctors = {line.doctor_id for line in lines}
    outcomes = race([generator(facility, doctor_id=doctor) for doctor in doctors])
    assert outcomes.raised == []
    assert all(not report.skipped for report in outcomes.returned)
    assert Session.objects.count() == 3 * 22 * 2


def test_without_the_lock_the_constraints_refuse_what_two_generators_both_take(lines, monkeypatch):
    facility = lines[0].doctor.facility
    doctors = sorted({line.doctor_id for line in lines})[:2]
    without_lock(monkeypatch, 2)
    outcomes = race([generator(facility, doctor_id=doctor) for doctor in doctors])
    refused = [one for report in outcomes.returned for one in report.skipped]
    assert refused or outcomes.raised, "both took the letters A and B: the constraint had to refuse one of them"
    assert {one.reason for one in refused} <= {"taken"}
    letters = list(Session.objects.values_list("date", "prefix"))
    assert len(letters) == len(set(letters))


def test_without_the_lock_and_the_constraints_days_are_made_twice(lines, monkeypatch):
    facility = lines[0].doctor.facility
    without_lock(monkeypatch, 2)
    with without_constraints():
        outcomes = race([generator(facility) for _ in range(2)])
    assert outcomes.raised == []
    assert days_made_twice() == Session.objects.count() // 2 > 0


def test_two_desks_that_add_the_same_slot_at_once_make_one(lines):
    doctor, room = lines[0].doctor, lines[0].room
    sunday = {
        "starts_at": wall("09:00", date(2026, 11, 29), doctor.facility),
        "ends_at": wall("10:00", date(2026, 11, 29), doctor.facility),
        "at": wall("08:00", MONDAY, doctor.facility),
    }
    work = partial(actions.add_slot, doctor_id=doctor.pk, room_id=room.pk, capacity=4, by=None, **sunday)
    outcomes = race([lambda: outermost(work)] * 4)
    assert (len(outcomes.returned), len(outcomes.of(Overlap))) == (1, 3)
    assert Slot.objects.count() == 1
