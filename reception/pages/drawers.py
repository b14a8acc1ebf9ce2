"""The drawer beside the columns: it finds, registers, asks, and answers. The address says which of these."""

from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts.permissions import require
from common.errors import DomainError, NotFound
from patients.models import Patient
from patients.queries import get_patient
from reception import phone, queries
from reception.forms import RegisterForm
from reception.hall import SOURCE_WORDS
from reception.money.queries import SEE, before_displacing
from reception.offers import Offer, offers
from reception.pages.asking import asking, whole_number
from reception.pages.frame import Place, may, person
from reception.pages.untold import last_told, to_be_told
from reception.queries import Day
from tokens import queue_rules
from tokens.allocation import REQUEST_PERMISSION
from tokens.facts import TokenFacts
from tokens.models import Token
from tokens.queries import read_session
from tokens.rules import takes
from tokens.states import Source, Status
from tokens.waits import wait_after, waits

Context = dict[str, Any]


def drawer(request: HttpRequest, where: Place) -> Context:
    """What stands in the drawer.

    Raises:
        NotFound, PermissionDenied
    """
    asked = request.GET
    if asked.get("tell"):
        return to_be_told(request, where, done=last_told(request))
    if asked.get("do"):
        token = queries.get_token(token_id=whole_number(asked.get("token", "")), by=person(request))
        return asking(request, where, asked["do"], token)
    if asked.get("given"):
        return answer(request, where, whole_number(asked["given"]))
    if asked.get("patient"):
        return giving(request, where, whole_number(asked["patient"]), asked)
    if asked.get("register"):
        return registering(request, where, RegisterForm(initial=_typed(asked.get("q", ""))))
    if asked.get("give") or asked.get("q"):
        found = queries.find(where.facility, asked.get("q", ""), where.date)
        allowed = may(request, where.facility)
        return {
            "drawer": "find",
            "found": found,
            "where": where,
            "today": where.facility.local_date(),
            "may_register": allowed("patients.edit"),
        }
    return {"drawer": "", "where": where}


def _typed(text: str) -> dict[str, str]:
    """What was typed to find somebody begins the form: a name or a phone number."""
    return {"phone" if any(letter.isdigit() for letter in text) else "name": text.strip()}


# Registering


def registering(
    request: HttpRequest, where: Place, form: RegisterForm, *, duplicates: list[Patient] | None = None, error: str = ""
) -> Context:
    """The form of a new patient, with those who may be the same person."""
    require(person(request), "patients.edit", where.facility.pk)
    return {
        "drawer": "register",
        "form": form,
        "duplicates": duplicates or [],
        "error": error,
        "key": uuid4(),
        "where": where,
    }


# Giving a token


@dataclass(frozen=True)
class SourceChoice:
    """A source with its key and what each slot would lead to."""

    value: str
    words: str
    key: int
    offers: list[Offer]
    chosen: bool
    asks_here: bool
    here: bool

    @property
    def held(self) -> TokenFacts | None:
        """The token that the patient holds already, where no slot can be asked for because of it."""
        if not self.offers or any(offer.possible for offer in self.offers):
            return None
        return self.offers[0].held


@dataclass(frozen=True)
class WhoChoice:
    """A doctor, or whoever is first free in a department."""

    value: str
    words: str
    chosen: bool


def giving(
    request: HttpRequest, where: Place, patient_id: int, asked: Any, *, error: DomainError | None = None
) -> Context:
    """The form of a new token, with the effect of each choice beside it.

    Args:
        asked: what was chosen so far; after a refusal what was sent, so that nothing is lost.
    """
    patient = get_patient(patient_id=patient_id, by=person(request))
    if patient.facility_id != where.facility.pk:
        raise NotFound(_("This patient is registered in another facility."))
    day = where.day
    who = _who(day, patient, asked)
    sources = _sources(request, where, day, patient, who, asked)
    return {
        "drawer": "give",
        "patient": patient,
        "age": patient.age(where.date),
        "who": who,
        "sources": sources,
        "money": _money_of_losers(sources, where) if may(request, where.facility)(SEE) else {},
        "by_department": any(choice.chosen and choice.value.startswith("department") for choice in who),
        "error": error,
        "asked": asked,
        "tomorrow": day.tomorrow,
        "names": day.names,
        "patients": day.patients,
        "key": uuid4(),
        "where": where,
    }


def _money_of_losers(sources: list[SourceChoice], where: Place) -> dict[int, list[str]]:
    """What would become of the bills of those who would lose their place to the newcomer."""
    losers = [loser for source in sources for offer in source.offers for loser in offer.displaced]
    return before_displacing({loser.id: Status(loser.status) for loser in losers}, where.facility.pk)


def _who(day: Day, patient: Patient, asked: Any) -> list[WhoChoice]:
    """Doctors who can still be asked for, then departments. The one asked for, else the last seen, else the first."""
    open_now = [s for s in day.sessions if any(takes(slot, s, day.now) for slot in s.slots)]
    last = queries.last_doctor(patient)
    doctors: dict[str, str] = {}
    departments: dict[str, str] = {}
    for session in open_now:
        names = day.names[session.id]
        words = _("%(doctor)s, %(room)s (seen last)") if session.doctor_id == last else "%(doctor)s, %(room)s"
        doctors.setdefault(f"doctor-{session.doctor_id}", words % {"doctor": names.doctor, "room": names.room})
        first = _("First free in %(department)s") % {"department": names.department}
        departments[f"department-{session.department_id}"] = first
    choices = {**doctors, **departments}
    wanted = [
        asked.get("who", ""),
        f"doctor-{last}",
        asked.get("beside", ""),
        asked.get("show", ""),
        next(iter(choices), ""),
    ]
    chosen = next((value for value in wanted if value in choices), "")
    return [WhoChoice(value, words, value == chosen) for value, words in choices.items()]


def _sources(
    request: HttpRequest, where: Place, day: Day, patient: Patient, who: list[WhoChoice], asked: Any
) -> list[SourceChoice]:
    allowed = may(request, where.facility)
    sources = [source for source in SOURCE_WORDS if allowed(REQUEST_PERMISSION[source])]
    wanted = asked.get("source", "")
    chosen = wanted if wanted in sources else next(iter(sources), "")
    kind, _dash, number = next((choice.value for choice in who if choice.chosen), "-").partition("-")
    sessions = day.builders(**{f"{kind}_id": int(number)}) if number else []
    return [
        SourceChoice(
            value=source,
            words=SOURCE_WORDS[source],
            key=list(SOURCE_WORDS).index(source) + 1,
            offers=_timed(_kept(offers(sessions, patient_id=patient.pk, source=source, now=day.now), asked, source)),
            chosen=source == chosen,
            asks_here=where.is_today and source not in (Source.WALK_IN, Source.EMERGENCY),
            here=f"here_{source}" in asked if f"here_{source}_asked" in asked else source != Source.ONLINE,
        )
        for source in sources
    ]


def _timed(found: list[Offer]) -> list[Offer]:
    """The chosen offer says how long the patient would likely wait."""
    return [replace(offer, minutes=_minutes(offer)) if offer.chosen else offer for offer in found]


def _minutes(offer: Offer) -> tuple[int, int] | None:
    wait = wait_after(offer.session, offer.token) if offer.token and not offer.elsewhere else None
    return (wait.p50, wait.p90) if wait else None


def _kept(found: list[Offer], asked: Any, source: str) -> list[Offer]:
    """The slot that was chosen before a refusal stays chosen."""
    wanted = asked.get(f"slot_{source}", "")
    if not any(str(offer.slot.id) == wanted and offer.possible for offer in found):
        return found
    return [replace(offer, chosen=str(offer.slot.id) == wanted) for offer in found]


# What was given


def answer(request: HttpRequest, where: Place, token_id: int) -> Context:
    """The token just given: its number, its place, and whom it displaced."""
    token = queries.get_token(token_id=token_id, by=person(request))
    events = queries.history(token)
    asked = next((event for event in events if event.kind in ("requested", "rescored")), events[-1])
    return {
        "drawer": "answer",
        "given": token,
        "raised": asked.kind == "rescored",
        "effects": queries.effects(token, at=asked.at),
        **_standing(token),
        "undoable": queries.undoable(events),
        "key": uuid4(),
        "where": where,
    }


def _standing(token: Token) -> Context:
    """How many stand before the token, and when it will likely be called. Three queries."""
    session, now = read_session(token.session_id)
    facts = session.tokens.get(token.pk)
    if facts is None:
        return {"ahead": None, "likely": None}
    today = token.session.facility.local_date(now)
    stands = phone.standing(facts, session, now, today, waits(session, now).get(token.pk))
    return {"ahead": queue_rules.people_ahead(facts, session, now), "likely": stands.likely}
