"""Reads for the kiosk: what its departments offer, and whose tokens of the day a phone number and a year find."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Q
from django.utils import timezone

from accounts.models import Facility
from patients.errors import PhoneNotValid
from patients.models import Patient
from patients.phones import normalise
from reception import queries
from tokens import queue_rules, rules
from tokens.facts import SessionFacts, SlotFacts
from tokens.models import Token
from tokens.states import ACTIVE, Status
from tokens.waits import Wait, waits

SCANNED: Final = re.compile(r"(?:.*/t/)?([A-Za-z0-9_-]{16,32})/?(?:[?#].*)?", re.DOTALL)
"""What a scanner types: the address on the slip, or the key alone."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What a department offers to somebody who walks in now.

    Attributes:
        free: whether a place is; else one would wait for one.
        at: when its slot begins; None where it has begun.
        ahead: how many are on their way to that doctor up to that slot.
        wait: how many minutes the last of them will likely wait, in steps of five; None where nobody knows.
    """

    id: int
    name: str
    free: bool
    at: datetime | None = None
    ahead: int = 0
    wait: tuple[int, int] | None = None


def scanned(text: str) -> str:
    """The key in what a scanner typed; empty where there is none."""
    found = SCANNED.fullmatch(text.strip()[:300])
    return found[1] if found else ""


def people(facility: Facility, phone: str, year: str) -> list[int]:
    """Those registered with this phone number and year of birth. One query, whatever is wrong with the two."""
    try:
        number = normalise(phone, region=facility.phone_region)
    except PhoneNotValid:
        number = ""
    born = int(year) if re.fullmatch(r"[0-9]{4}", year) else 0
    rows = Patient.objects.filter(facility=facility, phone=number or "-", birth_year=born, is_active=True)
    return list(rows.values_list("pk", flat=True)[:10])


def tokens_today(facility: Facility, patient_ids: list[int], *, department_id: int | None = None) -> list[Token]:
    """Their tokens of the day that are not over; those who did not come may still come. One query."""
    now = timezone.now()
    today = Q(session__date=facility.local_date(now)) | Q(session__starts_at__lte=now, session__ends_at__gt=now)
    wanted = Q(patient_id__in=patient_ids) | Q(patient__merged_into_id__in=patient_ids)
    here = Q() if department_id is None else Q(session__department_id=department_id)
    rows = Token.objects.filter(today, wanted, here, session__facility=facility, status__in=[*ACTIVE, Status.NO_SHOW])
    related = ("slot", "session__room", "session__doctor", "session__facility")
    return list(rows.select_related(*related).order_by("slot__starts_at", "id")[:12])


def offers(facility: Facility) -> list[Offer]:
    """What each department with open slots offers today, by name. Four queries."""
    day = queries.day(facility, facility.local_date())
    open_slots: dict[int, list[tuple[SlotFacts, SessionFacts]]] = {}
    for session in day.sessions:
        for slot in session.slots:
            if rules.takes(slot, session, day.now):
                open_slots.setdefault(session.department_id, []).append((slot, session))
    found = [
        _offer(department_id, day.names[slots[0][1].id].department, slots, day.now)
        for department_id, slots in open_slots.items()
    ]
    return sorted(found, key=lambda offer: offer.name)


def _offer(department_id: int, name: str, slots: list[tuple[SlotFacts, SessionFacts]], now: datetime) -> Offer:
    """The place that the engine would choose: the earliest free one, ties by fewer used, then the lower id."""
    free = [(slot, session) for slot, session in slots if slot.free]
    if not free:
        return Offer(department_id, name, free=False)
    slot, session = min(free, key=lambda pair: (pair[0].starts_at, pair[0].used, pair[0].id))
    before = [t for t in queue_rules.queue(session, now) if session.slot(t.slot_id).starts_at <= slot.starts_at]
    known = waits(session, now)
    last = next((known[t.id] for t in reversed(before) if t.id in known), None)
    at = slot.starts_at if slot.starts_at > now else None
    return Offer(department_id, name, True, at, len(before), _rounded(last) if last else None)


def _rounded(wait: Wait) -> tuple[int, int]:
    return wait.p50 // 5 * 5, max(5, -(-wait.p90 // 5) * 5)
