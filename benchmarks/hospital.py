"""What the benchmark plays with: a facility, doctors, many patients, and for each measurement a day of its own."""

import itertools
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.utils import timezone

from accounts.actions import give_role
from accounts.models import Facility, User
from patients import rules
from patients.models import Patient
from scheduling.models import Department, Doctor, Room, Session, Slot

SESSIONS = 200
PASSWORD = secrets.token_urlsafe()
"""Of the receptionist of this run."""
SPREAD = 7919
"""A prime: multiples of it, modulo the number of patients, name every patient once, far from its neighbours."""


@dataclass(frozen=True)
class Load:
    """How requests fall on slots: evenly on `slots` slots, each of its own session, with `capacity` places each."""

    name: str
    slots: int
    capacity: int


MANY_SLOTS = Load("many_slots", SESSIONS, 1000)
"""Nobody waits for anybody's lock for long, and everybody gets a place."""
HOT_SLOT = Load("hot_slot", 1, 20)
"""Everybody waits for the same lock, and after the first twenty for a place."""


@dataclass(frozen=True)
class Ground:
    """Where one measurement takes place: consecutive ids of slots and of patients."""

    load: Load
    first_slot: int
    first_patient: int
    patients: int

    def patient(self, number: int) -> int:
        """The id of the patient who makes the request with that number (from 0); each makes one."""
        return self.first_patient + number * SPREAD % self.patients


class Hospital:
    """The facility with its doctors and patients.

    Args:
        patients: how many, and so how many requests one measurement may make.
    """

    def __init__(self, patients: int) -> None:
        self.patients = patients
        self.facility = Facility.objects.create(name="Benchmark Hospital", slug="benchmark")
        self.department = Department.objects.create(facility=self.facility, name="General", code="general")
        places = range(SESSIONS)
        self.rooms = Room.objects.bulk_create(Room(facility=self.facility, name=f"Room {n}") for n in places)
        self.doctors = Doctor.objects.bulk_create(
            Doctor(facility=self.facility, department=self.department, name=f"Dr {n}") for n in places
        )
        self.receptionist = User.objects.create_user("asha", PASSWORD, name="Asha")
        for role in ("reception", "doctor"):
            give_role(user=self.receptionist, role=role, facility=self.facility)
        self.first_patient = self._register(patients)
        self.days = itertools.count(1)

    def _register(self, count: int) -> int:
        """Patients with consecutive ids; returns the first."""
        year = timezone.now().year
        made = Patient.objects.bulk_create(
            (
                Patient(
                    facility=self.facility,
                    serial=n,
                    number=rules.patient_number(year, n),
                    name=f"Patient {n}",
                    birth_year=1980,
                    phone=f"+9198{n:08d}",
                )
                for n in range(1, count + 1)
            ),
            batch_size=2000,
        )
        return _first(made)

    def open_day(self, load: Load) -> Ground:
        """Empty sessions on a date where nothing happened yet."""
        date = timezone.now().date() + timedelta(days=next(self.days))
        start = datetime(date.year, date.month, date.day, 4, tzinfo=UTC)
        end = start + timedelta(hours=4)
        sessions = Session.objects.bulk_create(
            Session(
                facility=self.facility,
                department=self.department,
                doctor=self.doctors[n],
                room=self.rooms[n],
                date=date,
                starts_at=start,
                ends_at=end,
                prefix=f"B{n}",
            )
            for n in range(load.slots)
        )
        slots = Slot.objects.bulk_create(
            Slot(session=session, starts_at=start, ends_at=end, capacity=load.capacity) for session in sessions
        )
        return Ground(load, _first(slots), self.first_patient, self.patients)


def session_of(slot_id: int) -> int:
    """The id of a slot's session."""
    return Slot.objects.values_list("session_id", flat=True).get(pk=slot_id)


def _first(rows: list) -> int:
    """The first of consecutive ids.

    Raises:
        RuntimeError: somebody else wrote in between, so they are not consecutive.
    """
    ids = [row.pk for row in rows]
    if ids != list(range(ids[0], ids[0] + len(ids))):
        raise RuntimeError("The benchmark's database is used by somebody else.")
    return int(ids[0])
