"""A hall in the middle of its day, on the real clock, for the pages act now.

::

    hall = Hall(capacity=2)
    ravi = hall.give("Ravi", "online", slot=1)
    page = hall.asha.get("/desk/")
"""

from datetime import datetime, timedelta
from itertools import count
from typing import Any

from django.test import Client
from django.utils import timezone

from accounts.models import User
from accounts.tests.factories import FacilityFactory, UserFactory
from common.transactions import outermost
from patients.models import Patient
from patients.tests.factories import PatientFactory
from scheduling.models import Doctor, Session
from scheduling.tests.factories import DepartmentFactory, DoctorFactory, RoomFactory, SessionFactory, SlotFactory
from tokens import allocation, queueing
from tokens.models import AllocationPolicy, PolicyAssignment, Token

HOUR = timedelta(hours=1)
_serial = count(1)


def noon_zone() -> str:
    """A time zone in which it is noon: no test comes near midnight."""
    return f"Etc/GMT{timezone.now().hour - 12:+d}"


def another_day() -> str:
    """A time zone in which it is tomorrow or yesterday, where it is noon for a hall."""
    return "Etc/GMT-14" if timezone.now().hour >= 10 else "Etc/GMT+12"


class Hall:
    """A hospital with Dr Rao, whose session began half an hour ago and goes on for three slots of an hour.

    Args:
        capacity: places of each slot.
        policy: the name of a preset.
    """

    def __init__(self, *, capacity: int = 2, policy: str = "weighted-waitlist") -> None:
        self.serial = next(_serial)
        name = f"Hospital {self.serial}"
        self.facility: Any = FacilityFactory(name=name, time_zone=noon_zone())
        self.department: Any = DepartmentFactory(facility=self.facility, name="General Medicine")
        preset = AllocationPolicy.objects.get(name=policy, facility=None)
        PolicyAssignment.objects.create(policy=preset, facility=self.facility)
        self.capacity = capacity
        self.rao = self.doctor("Dr Rao")
        self.session = self.sitting(self.rao, timezone.now() - HOUR / 2)
        self.slots = list(self.session.slots.all())

    def doctor(self, name: str, **fields: Any) -> Doctor:
        """A doctor of the department, or of another one."""
        return DoctorFactory(name=name, **{"department": self.department, **fields})

    def sitting(self, doctor: Doctor, starts_at: datetime, *, slots: int = 3) -> Session:
        """A session of slots of an hour."""
        session = SessionFactory(
            doctor=doctor,
            room=RoomFactory(facility=self.facility),
            date=self.facility.local_date(starts_at),
            starts_at=starts_at,
            ends_at=starts_at + slots * HOUR,
        )
        for i in range(slots):
            start = starts_at + i * HOUR
            SlotFactory(session=session, starts_at=start, ends_at=start + HOUR, capacity=self.capacity)
        return session

    # People

    def user(self, role: str, **fields: Any) -> User:
        """Somebody who works here."""
        return UserFactory(username=f"{role}{self.serial}", roles=[role], facility=self.facility, **fields)

    def client(self, role: str) -> Client:
        """A browser in which somebody of that role has signed in."""
        client = Client()
        known = User.objects.filter(username=f"{role}{self.serial}").first()
        client.force_login(known or self.user(role))
        return client

    @property
    def asha(self) -> Client:
        """The receptionist's browser."""
        return self.client("reception")

    def patient(self, name: str, **known: Any) -> Patient:
        """A registered patient."""
        return PatientFactory(name=name, facility=self.facility, **known)

    def give(
        self, patient: str | Patient, source: str = "walk_in", *, slot: int = 1, arrived: bool | None = None
    ) -> Token:
        """A token in one of Dr Rao's slots."""
        if isinstance(patient, str):
            patient = self.patient(patient)
        wish = {"patient_id": patient.pk, "source": source, "slot_id": self.slots[slot].pk, "arrived": arrived}
        outcome = outermost(lambda: allocation.request_token(**wish, by=None))
        return Token.objects.get(pk=outcome.token.id)

    def arrive(self, token: Token) -> None:
        """The patient is here."""
        outermost(lambda: queueing.arrive(token_id=token.pk, by=None))


def text(response: Any) -> str:
    """What a page says, without its tags and its white space."""
    import html
    import re

    plain = re.sub(r"<(script|style|svg)\b.*?</\1>", " ", response.content.decode(), flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", plain)).split())
