"""A busy hall for the live screens: a facility with 8 doctors in session now, 64 slots, 400 patients expected."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.db.models import QuerySet
from django.test import Client
from django.utils import timezone

from accounts.actions import give_role
from accounts.models import Facility, User
from common.transactions import outermost
from patients.models import Patient
from scheduling.models import Department, Doctor, Room, Session, Slot
from tokens import allocation

DOCTORS, SLOTS, PLACES, PATIENTS = 8, 8, 8, 400
SLOT: Final = timedelta(minutes=30)


Patients = QuerySet[Patient]


@dataclass(frozen=True)
class Hall:
    """The hall: its facility, and the ids of the tokens of everybody, who are all still to arrive."""

    facility: Facility
    tokens: list[int]
    receptionist: User

    def cookie(self) -> str:
        """What a browser in which the receptionist has signed in carries."""
        client = Client()
        client.force_login(self.receptionist)
        return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"


def open_hall(patients: Patients, password: str, *, name: str = "Live") -> Hall:
    """Make it, for the date and the hour of now, wherever that is: the sessions began two slots ago.

    Args:
        patients: of whom the first `PATIENTS` are moved into the new facility.
        password: of its receptionist.
        name: of the facility; each measurement has one of its own.
    """
    # In this time zone it is noon: no measurement comes near midnight.
    zone = f"Etc/GMT{timezone.now().hour - 12:+d}"
    facility = Facility.objects.create(name=f"{name} Hospital", slug=name.lower(), time_zone=zone)
    leela = User.objects.create_user(f"leela-{name.lower()}", password, name="Leela")
    give_role(user=leela, role="reception", facility=facility)
    sessions = [_session(facility, n) for n in range(DOCTORS)]
    slots = list(Slot.objects.filter(session__in=sessions).order_by("starts_at", "id").values_list("id", flat=True))
    ids = list(patients.order_by("id").values_list("id", flat=True)[:PATIENTS])
    Patient.objects.filter(pk__in=ids).update(facility=facility)
    return Hall(facility, [_expected(each, slots[n % len(slots)]) for n, each in enumerate(ids)], leela)


def _session(facility: Facility, n: int) -> Session:
    department, _ = Department.objects.get_or_create(
        facility=facility, name=f"Department {n % 4}", code=f"live-{n % 4}"
    )
    first = timezone.now()
    session = Session.objects.create(
        facility=facility,
        department=department,
        doctor=Doctor.objects.create(facility=facility, department=department, name=f"Dr Live {n}"),
        room=Room.objects.create(facility=facility, name=f"Room {n}"),
        date=facility.local_date(first),
        starts_at=first - 2 * SLOT,
        ends_at=first + SLOTS * SLOT,
        prefix=f"L{n}",
    )
    Slot.objects.bulk_create(
        Slot(session=session, starts_at=first + i * SLOT, ends_at=first + (i + 1) * SLOT, capacity=PLACES)
        for i in range(SLOTS)
    )
    return session


def _expected(patient_id: int, slot_id: int) -> int:
    """A token of somebody who booked and has not come yet."""
    outcome = outermost(
        lambda: allocation.request_token(patient_id=patient_id, source="online", slot_id=slot_id, by=None)
    )
    assert outcome.token is not None
    return outcome.token.id
