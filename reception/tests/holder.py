"""What the holder of a slip does with it, for tests of the patient's page."""

from datetime import datetime
from typing import Any

import pytest
from django.test import Client

from common.api.throttling import AddressThrottle, Window
from common.transactions import outermost
from reception.pages import patient
from reception.tests.factories import Hall, text
from scheduling.models import Session
from tokens import allocation
from tokens.models import Token


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other tests ask from the same address; windows are each test's own."""
    monkeypatch.setattr(AddressThrottle, "window", Window(limit=600, seconds=60))
    monkeypatch.setattr(patient, "LOOKS", Window(limit=120, seconds=60))
    monkeypatch.setattr(patient, "STEPS", Window(limit=10, seconds=60))


def do(verb: Any, token: Token, **more: Any) -> None:
    outermost(lambda: verb(token_id=token.pk, by=None, **more))


def look(token: Token, path: str = "", **headers: str) -> Any:
    return Client(headers=headers).get(f"/t/{token.key}{path}")


def page(token: Token, **headers: str) -> str:
    return text(look(token, **headers))


def press(token: Token, what: str, **more: Any) -> Any:
    return Client(**more).post(f"/t/{token.key}/{what}/", follow=True)


def asked(hall: Hall, session: Session, *, at: datetime | None = None) -> Token:
    """A token of Ravi's in the first slot of a session, asked for online."""
    slots: list[Any] = list(session.slots.all())
    wish: dict[str, Any] = {"patient_id": hall.patient("Ravi").pk, "source": "online", "slot_id": slots[0].pk}
    outcome: Any = outermost(lambda: allocation.request_token(**wish, by=None, at=at))
    return Token.objects.get(pk=outcome.token.id)


def first_slot(session: Session) -> int:
    slots: list[Any] = list(session.slots.all())
    return int(slots[0].pk)


# At the kiosk


def screen(hall: Hall) -> Client:
    """A screen on which Asha has started the kiosk."""
    client = hall.asha
    client.post("/kiosk/begin/")
    return client


def scan(client: Client, code: str) -> Any:
    """A scanner types what it reads."""
    return client.post("/kiosk/scan/", {"code": code}, follow=True)
