"""The doctor's console: how long the page and each step take inside the server, sign-in, commit and answer included."""

import statistics
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.models import User
from benchmarks.hospital import Hospital
from common.transactions import outermost
from patients.models import Patient
from scheduling.models import Session, Slot
from tokens import allocation
from tokens.models import Token

HOUR = timedelta(hours=1)
SLOTS = 3
PLACES = 20
FETCHED = {"HX-Request": "true"}


def measure(hospital: Hospital, *, rounds: int = 40) -> dict[str, dict[str, float]]:
    """A doctor with a full queue calls, starts and completes, one patient after the other."""
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # else whitenoise complains
    session = _queue(hospital, hospital.receptionist)
    client = Client()
    client.force_login(hospital.receptionist)
    taken: dict[str, list[float]] = {}

    def timed(name: str, ask: Callable[[], Any]) -> None:
        began = time.perf_counter()
        answer = ask()
        taken.setdefault(name, []).append((time.perf_counter() - began) * 1000)
        if answer.status_code != 200:
            raise RuntimeError(f"{name} answered {answer.status_code}: {answer.content[:500]!r}")

    def step(verb: str, token: int | None = None) -> None:
        sent = {"token": token} if token else {}
        timed(verb, lambda: client.post(f"/console/{session.pk}/{verb}/", sent, headers=FETCHED))

    step("call-next")
    for _ in range(rounds):
        called = Token.objects.get(session=session, status="confirmed", called_at__isnull=False)
        step("start", called.pk)
        timed("page", lambda: client.get("/console/"))
        step("complete-next", called.pk)
    return {name: _summed(found) for name, found in taken.items() if len(found) > 1}


def _summed(found: list[float]) -> dict[str, float]:
    return {"p50_ms": round(statistics.median(found), 1), "p95_ms": round(statistics.quantiles(found, n=20)[-1], 1)}


def _queue(hospital: Hospital, user: User) -> Session:
    """A session that runs, of a doctor who is that user, with everybody here."""
    doctor = hospital.doctors[0]
    doctor.user = user
    doctor.save(update_fields=["user"])
    now = timezone.now()
    session = Session.objects.create(
        facility=hospital.facility,
        department=hospital.department,
        doctor=doctor,
        room=hospital.rooms[0],
        date=hospital.facility.local_date(now),
        starts_at=now - HOUR / 2,
        ends_at=now + SLOTS * HOUR - HOUR / 2,
        prefix="ZZ",
    )
    slots = [
        Slot(
            session=session,
            starts_at=session.starts_at + n * HOUR,
            ends_at=session.starts_at + (n + 1) * HOUR,
            capacity=PLACES,
        )
        for n in range(SLOTS)
    ]
    Slot.objects.bulk_create(slots)
    for number, patient in enumerate(Patient.objects.order_by("pk").values_list("pk", flat=True)[: SLOTS * PLACES]):
        wish = {"patient_id": patient, "source": "walk_in", "slot_id": slots[number % SLOTS].pk}
        outermost(lambda wish=wish: allocation.request_token(**wish, by=None))  # type: ignore[misc]
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return session
