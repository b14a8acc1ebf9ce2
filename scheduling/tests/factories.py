"""Named rows for tests: `clinic()` is the one most tests begin with."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import factory
from factory.django import DjangoModelFactory

from accounts.models import Facility
from accounts.tests.factories import FacilityFactory
from scheduling.models import Department, Doctor, Room, ScheduleLine, Session, Slot
from scheduling.rules import prefix_at, to_utc

HOUR = timedelta(hours=1)


class DepartmentFactory(DjangoModelFactory):
    class Meta:
        model = Department
        django_get_or_create = ("facility", "code")

    facility = factory.SubFactory(FacilityFactory)
    name = "General Medicine"
    code = factory.LazyAttribute(lambda row: row.name.lower().replace(" ", "-"))


class RoomFactory(DjangoModelFactory):
    class Meta:
        model = Room
        django_get_or_create = ("facility", "name")

    facility = factory.SubFactory(FacilityFactory)
    name = factory.Sequence(lambda n: f"Room {n + 100}")


class DoctorFactory(DjangoModelFactory):
    class Meta:
        model = Doctor

    department = factory.SubFactory(DepartmentFactory)
    facility = factory.SelfAttribute("department.facility")
    name = factory.Sequence(lambda n: f"Dr Number {n}")
    consultation_fee = Decimal("500.00")
    hospital_fee = Decimal("100.00")


class ScheduleLineFactory(DjangoModelFactory):
    """Mondays, 09:00-13:00, four slots of an hour with 6 places."""

    class Meta:
        model = ScheduleLine

    doctor = factory.SubFactory(DoctorFactory)
    room = factory.SubFactory(RoomFactory, facility=factory.SelfAttribute("..doctor.facility"))
    weekday = 0
    from_time = time(9)
    to_time = time(13)
    slot_minutes = 60
    capacity = 6
    valid_from = date(2026, 1, 1)


class SessionFactory(DjangoModelFactory):
    """Today, 09:00-13:00 on the wall of the facility; without slots."""

    class Meta:
        model = Session

    doctor = factory.SubFactory(DoctorFactory)
    facility = factory.SelfAttribute("doctor.facility")
    department = factory.SelfAttribute("doctor.department")
    room = factory.SubFactory(RoomFactory, facility=factory.SelfAttribute("..doctor.facility"))
    date = factory.LazyAttribute(lambda row: row.facility.local_date())
    starts_at = factory.LazyAttribute(lambda row: to_utc(row.date, time(9), row.facility.tz))
    ends_at = factory.LazyAttribute(lambda row: row.starts_at + 4 * HOUR)
    prefix = factory.Sequence(prefix_at)


class SlotFactory(DjangoModelFactory):
    """The first hour of its session, 6 places."""

    class Meta:
        model = Slot

    session = factory.SubFactory(SessionFactory)
    starts_at = factory.SelfAttribute("session.starts_at")
    ends_at = factory.LazyAttribute(lambda row: row.starts_at + HOUR)
    capacity = 6


@dataclass
class Clinic:
    """Sunrise Hospital, General Medicine, Dr Rao in Room 4, and the session with its four slots."""

    facility: Facility
    department: Department
    doctor: Doctor
    room: Room
    session: Session
    slots: list[Slot]

    def at(self, clock: str) -> datetime:
        """A moment of the session's day on the facility's wall: `at("09:30")`."""
        return wall(clock, self.session.date, self.facility)


def clinic(*, on: date | None = None, capacity: int = 6, slots: int = 4, time_zone: str = "Asia/Kolkata") -> Clinic:
    """Dr Rao sees patients in Room 4 of Sunrise Hospital, 09:00-13:00 today, in four slots of an hour with 6 places.

    Args:
        on: another day.
        capacity: places of each slot.
        slots: how many hours.
    """
    facility = FacilityFactory(time_zone=time_zone)
    department = DepartmentFactory(facility=facility)
    doctor = DoctorFactory(department=department, name="Dr Rao")
    room = RoomFactory(facility=facility, name="Room 4")
    day = on or facility.local_date()
    start = to_utc(day, time(9), facility.tz)
    session = SessionFactory(
        doctor=doctor, room=room, date=day, starts_at=start, ends_at=start + slots * HOUR, prefix="A"
    )
    hours = [SlotFactory(session=session, starts_at=start + n * HOUR, capacity=capacity) for n in range(slots)]
    return Clinic(facility, department, doctor, room, session, hours)


def wall(clock: str, day: date, facility: Facility) -> datetime:
    """The moment at which the facility's wall clock shows `HH:MM` on a day, in UTC."""
    return to_utc(day, time.fromisoformat(clock), facility.tz).astimezone(UTC)
