"""A facility of its own for a played day: doctors, sessions, slots and patients, written in bulk."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db import connection

from accounts.models import Facility
from patients.models import SERIAL_SEQUENCE, Patient
from patients.rules import patient_number
from scheduling.models import Department, Doctor, Room, Session, Slot
from scheduling.rules import prefix_at
from scheduling.states import SlotStatus
from tokens.models import AllocationPolicy, PolicyAssignment


@dataclass(frozen=True, slots=True)
class SlotPlan:
    """A slot to be opened."""

    starts_at: datetime
    ends_at: datetime
    capacity: int
    status: str = SlotStatus.OPEN


@dataclass(frozen=True, slots=True)
class SessionPlan:
    """A session to be opened: whose, on which date, with which slots in order."""

    doctor: str
    date: date
    slots: Sequence[SlotPlan]
    delay_minutes: int = 0


@dataclass(frozen=True, slots=True)
class PersonPlan:
    """A patient to be entered. `birth_year` may be unknown."""

    name: str
    sex: str = "unknown"
    birth_year: int | None = None


def open_facility(*, slug: str, name: str, time_zone: str, policy: AllocationPolicy) -> Facility:
    """A facility in which that policy decides."""
    facility = Facility.objects.create(slug=slug, name=name, time_zone=time_zone)
    PolicyAssignment.objects.create(facility=facility, policy=policy)
    return facility


def open_sessions(facility: Facility, plans: Sequence[SessionPlan]) -> list[Session]:
    """A doctor and a room for each name among the plans, and their sessions with slots, in the order of the plans."""
    department = Department.objects.create(facility=facility, name="Outpatients", code="opd")
    names = list(dict.fromkeys(plan.doctor for plan in plans))
    rooms = Room.objects.bulk_create([Room(facility=facility, name=f"Room {n + 1}") for n in range(len(names))])
    made = Doctor.objects.bulk_create([Doctor(facility=facility, department=department, name=name) for name in names])
    doctors = {doctor.name: (doctor, room) for doctor, room in zip(made, rooms, strict=True)}
    sessions = []
    for index, plan in enumerate(plans):
        doctor, room = doctors[plan.doctor]
        sessions.append(
            Session(
                facility=facility,
                department=department,
                doctor=doctor,
                room=room,
                date=plan.date,
                starts_at=plan.slots[0].starts_at,
                ends_at=plan.slots[-1].ends_at,
                prefix=prefix_at(index),
                delay_minutes=plan.delay_minutes,
            )
        )
    Session.objects.bulk_create(sessions)
    Slot.objects.bulk_create(
        Slot(
            session=session,
            starts_at=slot.starts_at,
            ends_at=slot.ends_at,
            capacity=slot.capacity,
            status=slot.status,
        )
        for session, plan in zip(sessions, plans, strict=True)
        for slot in plan.slots
    )
    return sessions


def enter_patients(facility: Facility, people: Sequence[PersonPlan], *, at: datetime) -> list[int]:
    """Enter patients, each with the next number of the registry; their ids in the same order."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(%s) FROM generate_series(1, %s)", [SERIAL_SEQUENCE, len(people)])
        serials = [row[0] for row in cursor.fetchall()]
    year = at.astimezone(ZoneInfo(facility.time_zone)).year
    patients = Patient.objects.bulk_create(
        [
            Patient(
                facility=facility,
                serial=serial,
                number=patient_number(year, serial),
                name=person.name,
                sex=person.sex,
                birth_year=person.birth_year,
                created_at=at,
            )
            for person, serial in zip(people, serials, strict=True)
        ],
        batch_size=1000,
    )
    return [patient.pk for patient in patients]


def preset(name: str) -> AllocationPolicy:
    """The preset of that name.

    Raises:
        AllocationPolicy.DoesNotExist
    """
    return AllocationPolicy.objects.get(facility=None, name=name)
