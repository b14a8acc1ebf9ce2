"""Steps of a token that need something first: a reason, a slot, another doctor, the right patient. In the drawer, or
as a page of their own."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.permissions import allows, require
from common.errors import DomainError, NotFound
from patients.models import Patient
from patients.queries import get_patient, search_patients
from reception import queries
from reception.money.queries import SEE, before_cancelling
from reception.offers import Offer, gains_by_cancelling, offers
from reception.pages.frame import Place, person
from reception.steps import step_named
from reception.telling import joined
from tokens.models import Token
from tokens.states import ACTIVE, Source, Status

Context = dict[str, Any]

REASONS = {
    "cancel": (_("Patient asked"), _("Patient went home"), _("Given by mistake"), _("Doctor is away")),
    "overbook": (_("Doctor agreed"), _("Cannot wait")),
    "send-on": (_("Another specialty"), _("Second opinion"), _("Doctor is away")),
    "send-away": (_("X-ray"), _("Blood test"), _("ECG"), _("Ultrasound")),
    "correct": (_("Wrong record chosen"), _("Same name")),
}


def asking(
    request: HttpRequest,
    where: Place,
    verb: str,
    token: Token,
    *,
    sent: Any = None,
    error: DomainError | None = None,
) -> Context:
    """The form of a step that asks first.

    Args:
        sent: what was filled in before a refusal; nothing of it is lost.
    """
    step = step_named(verb)
    if step is None or not step.asks:
        raise NotFound
    require(person(request), step.permission, token.session.facility_id)
    context: Context = {
        "drawer": "step",
        "verb": verb,
        "title": step.title(token.number),
        "about": token,
        "reasons": REASONS.get(verb, ()),
        "sent": sent or {},
        "error": error,
        "key": uuid4(),
        "where": where,
        "next": request.POST.get("next") or request.GET.get("next") or "",
    }
    more = _MORE.get(verb)
    return {"possible": True, **context, **(more(request, where, token, sent or {}) if more else {})}


def whole_number(text: str) -> int:
    """A number of an address.

    Raises:
        NotFound: it is none.
    """
    if not text.isascii() or not text.isdecimal() or len(text) > 18:
        raise NotFound
    return int(text)


# Cancelling


def _cancel(request: HttpRequest, where: Place, token: Token, sent: Any) -> Context:
    """What it does to others and to money stands beside the button. Six queries at most."""
    session, _patients, now = queries.line_of(token)
    if token.pk not in session.tokens or token.status not in ACTIVE:
        return {}
    sees = allows(person(request), SEE, token.session.facility_id)
    gains = [each.number for each in gains_by_cancelling(session, token.pk, now)]
    return {
        "gains": joined(gains) if gains else "",
        "several": len(gains) > 1,
        "had_place": token.status == Status.CONFIRMED,
        "money": before_cancelling(token) if sees else [],
    }


# Moving, sending on


def _move(request: HttpRequest, where: Place, token: Token, sent: Any) -> Context:
    places = queries.free_places(token)
    return {"places": places, "possible": bool(places), "wanted": whole_number(request.GET.get("slot") or "0")}


@dataclass(frozen=True, slots=True)
class Target:
    """Another doctor, or whoever is first free in a department, with the place that the patient would get."""

    value: str
    words: str
    offer: Offer


def _send_on(request: HttpRequest, where: Place, token: Token, sent: Any) -> Context:
    """Where a place is free on that day; for an emergency also where somebody would give up one. Four queries."""
    found = sorted(_doctors(where, token), key=lambda target: target.offer.slot.starts_at)
    departments: dict[int, Target] = {}
    for target in found:
        session = target.offer.session
        words = gettext("First free in %(department)s") % {"department": where.day.names[session.id].department}
        value = f"department-{session.department_id}"
        departments.setdefault(session.department_id, Target(value, words, target.offer))
    several = [each for each in departments.values() if _members(found, each) > 1]
    return {"targets": [*found, *several], "possible": bool(found), "chosen": sent.get("to", "")}


def _members(found: list[Target], department: Target) -> int:
    wanted = department.offer.session.department_id
    return sum(target.offer.session.department_id == wanted for target in found)


def _doctors(where: Place, token: Token) -> list[Target]:
    day = where.day
    doctors = {s.doctor_id: day.names[s.id] for s in day.sessions if s.doctor_id != token.session.doctor_id}
    found = []
    for doctor_id, names in doctors.items():
        best = _best(day.builders(doctor_id=doctor_id), token, day.now)
        if best is not None:
            found.append(Target(f"doctor-{doctor_id}", f"{names.doctor}, {names.room}", best))
    return found


def _best(sessions: list[Callable[[], Any]], token: Token, now: Any) -> Offer | None:
    """The place that the patient would get there: a free one; an emergency takes one."""
    source = Source(token.source)
    shown = offers(sessions, patient_id=token.patient_id, source=source, now=now)
    if source == Source.EMERGENCY:
        return next((offer for offer in shown if offer.chosen and offer.result == "confirmed"), None)
    return next((o for o in shown if o.result == "confirmed" and not o.displaced and not o.elsewhere), None)


# The right patient


def _correct(request: HttpRequest, where: Place, token: Token, sent: Any) -> Context:
    """Find the right patient, then see both names before anything is changed. Four queries at most."""
    wanted = sent.get("patient") or request.GET.get("patient", "")
    if wanted:
        patient = get_patient(patient_id=whole_number(wanted), by=person(request))
        held = _held(token, patient)
        return {"patient": patient, "holds": held, "possible": held is None}
    text = request.GET.get("q", "").strip()[:200]
    facility = frozenset({token.session.facility_id})
    found = search_patients(facility_ids=facility, text=text, limit=8) if text else []
    return {"q": text, "found": [patient for patient in found if patient.pk != token.patient_id]}


def _held(token: Token, patient: Patient) -> Token | None:
    """What the right patient holds in that session already, which the correction would make double."""
    if token.status not in ACTIVE:
        return None
    held = Token.objects.filter(session_id=token.session_id, patient=patient, status__in=ACTIVE)
    return held.exclude(pk=token.pk).first()


_MORE: dict[str, Callable[[HttpRequest, Place, Token, Any], Context]] = {
    "cancel": _cancel,
    "move": _move,
    "send-on": _send_on,
    "correct": _correct,
}
"""What a form needs beyond the token."""
