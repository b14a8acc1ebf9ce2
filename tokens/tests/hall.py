"""A session that runs now, and clients of every role: what the tests of the API stand on.

The facility lies where it is noon, so that the day never ends in the middle of a test.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from rest_framework.test import APIClient

from accounts.models import User
from accounts.tests.factories import FacilityFactory, UserFactory, device_client
from patients.models import Patient
from patients.tests.factories import PatientFactory
from scheduling.models import Slot
from scheduling.tests.factories import DepartmentFactory, DoctorFactory, RoomFactory, SessionFactory, SlotFactory
from tokens import queries

API = "/api/v1/"
HOUR = timedelta(hours=1)


def where_it_is_noon() -> str:
    """A time zone in which it is between 11:30 and 12:30 now (the sign of these names is turned round)."""
    now = datetime.now(UTC)
    east = 12 - (now + timedelta(minutes=30)).hour
    return f"Etc/GMT{-east:+d}"


class Hall:
    """Sunrise Hospital, Medicine, Dr Rao in Room 4: four slots of an hour, the first began half an hour ago.

    Args:
        capacity: places of each slot.
    """

    def __init__(self, *, capacity: int = 2, name: str = "Sunrise Hospital") -> None:
        queries.forget_zones()
        self.facility = FacilityFactory(name=name, time_zone=where_it_is_noon())
        self.department = DepartmentFactory(facility=self.facility, name="Medicine")
        self.rao = DoctorFactory(department=self.department, name="Dr Rao")
        self.room = RoomFactory(facility=self.facility, name="Room 4")
        start = datetime.now(UTC).replace(microsecond=0) - HOUR / 2
        self.date = start.astimezone(self.facility.tz).date()
        self.session = SessionFactory(
            doctor=self.rao, room=self.room, date=self.date, starts_at=start, ends_at=start + 4 * HOUR, prefix="A"
        )
        self.slots: list[Slot] = [
            SlotFactory(
                session=self.session, starts_at=start + n * HOUR, ends_at=start + (n + 1) * HOUR, capacity=capacity
            )
            for n in range(4)
        ]
        self.clients: dict[str, APIClient] = {}

    def user(self, role: str) -> User:
        """Somebody with that role here."""
        return UserFactory(username=f"{role}-{self.facility.pk}", roles=[role], facility=self.facility)

    def client(self, role: str = "admin") -> APIClient:
        """The device of somebody with that role here."""
        if role not in self.clients:
            self.clients[role] = device_client(self.user(role))
        return self.clients[role]

    def patient(self) -> Patient:
        """A patient who holds nothing yet."""
        return PatientFactory(facility=self.facility)

    def ask(self, source: str = "online", slot: int = 0, *, role: str = "admin", **more: Any) -> Any:
        """The answer to a request for a place in the slot of that number."""
        body = {"slot": self.slots[slot].pk, "patient": more.pop("patient", None) or self.patient().pk} | more
        return self.client(role).post(f"{API}tokens/", {"source": source, **body}, format="json")

    def give(self, source: str = "online", slot: int = 0, **more: Any) -> dict[str, Any]:
        """A token in the slot of that number."""
        answer = self.ask(source, slot, **more)
        assert answer.status_code == 201, answer.content
        return answer.json()

    def post(self, path: str, body: dict[str, Any] | None = None, *, role: str = "admin", **headers: Any) -> Any:
        """The answer to a POST."""
        return self.client(role).post(f"{API}{path}", body or {}, format="json", **headers)

    def get(self, path: str, *, role: str = "admin") -> Any:
        """The answer to a GET."""
        return self.client(role).get(f"{API}{path}")

    def do(self, token: dict[str, Any], step: str, body: dict[str, Any] | None = None, *, role: str = "admin") -> Any:
        """The answer to a step of a token."""
        return self.post(f"tokens/{token['id']}/{step}/", body, role=role)

    def done(self, token: dict[str, Any], step: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """The token after a step."""
        answer = self.do(token, step, body)
        assert answer.status_code in (200, 201), answer.content
        return answer.json()


def code(answer: Any) -> str:
    """The code of a refusal, which has a sentence too."""
    body = answer.json()
    assert body["errors"][0]["detail"], body
    return body["errors"][0]["code"]
