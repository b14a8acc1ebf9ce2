"""Reads behind the page of a token: its events with the names in them, its slips, its session's events."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Final

from django.db.models import Q
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from patients.models import Patient
from reception import histories
from reception.histories import Names, Told
from reception.models import PatientTold, SelfService, SlipPrint
from scheduling.models import Slot
from tokens.facts import SessionFacts
from tokens.kinds import EventKind
from tokens.models import Event, SupplyEvent, Token

Clock = Callable[[datetime], str]

_NAMED: Final = (
    "session__facility",
    "session__doctor",
    "session__room",
    "session__department",
    "slot",
    "patient",
    "sent_from__session__doctor",
    "of_visit__bill",
)

_KINDS: Final = {
    SelfService.Verb.REQUEST: EventKind.REQUESTED,
    SelfService.Verb.ARRIVE: EventKind.ARRIVED,
    SelfService.Verb.BACK: EventKind.BACK,
    SelfService.Verb.RETURN: EventKind.RETURNED,
    SelfService.Verb.CANCEL: EventKind.CANCELLED,
}


def token_of(token_id: int) -> Token | None:
    """A token with everything that its page names. One query."""
    return Token.objects.select_related(*_NAMED).filter(pk=token_id).first()


def events_of(token: Token) -> list[Event]:
    """The events of a token with who did them, oldest first. One query."""
    return list(Event.objects.filter(token=token).select_related("actor").order_by("seq"))


def told_of(
    token: Token, events: list[Event], slips: list[SlipPrint], session: SessionFacts, clock: Clock, *, numbers: bool
) -> list[Told]:
    """The whole history of a token, the newest first. Three queries; up to three more for names of elsewhere.

    Args:
        session: the session the token is in now.
        numbers: whether the reader may see patients, so that a corrected one is named.
    """
    names = Names(
        doctor=token.session.doctor.name,
        clock=clock,
        slots=_slots(events, session, token.session.date, clock),
        numbers=_numbers(events, session),
        patients=_patients(events) if numbers else {},
        by_patient=_by_patient(token),
    )
    lines = [*histories.history(events, names), *_printed(slips), *_of_session(token, events), *_said(token)]
    # Of one moment the events keep their order: the last is told first.
    return sorted(lines, key=lambda line: line.at)[::-1]


def _slots(events: Iterable[Event], session: SessionFacts, date: dt.date, clock: Clock) -> dict[int, str]:
    """When the slots of the events begin. No query while the token stayed in its session."""
    words = {slot.id: clock(slot.starts_at) for slot in session.slots}
    missing = {event.changes["slot_id"] for event in events if "slot_id" in event.changes} - words.keys()
    if missing:
        rows = Slot.objects.filter(pk__in=missing).values_list("id", "starts_at", "session__date")
        for pk, starts_at, day in rows:
            words[pk] = clock(starts_at) if day == date else f"{date_format(day, 'j M')}, {clock(starts_at)}"
    return words


def _numbers(events: Iterable[Event], session: SessionFacts) -> Mapping[int, str]:
    """The numbers of other tokens that brought something about."""
    wanted = {event.cause_token_id for event in events if event.cause_token_id not in (None, event.token_id)}
    known = {pk: session.tokens[pk].number for pk in wanted if pk and pk in session.tokens}
    missing = wanted - known.keys()
    return known | dict(Token.objects.filter(pk__in=missing).values_list("id", "number")) if missing else known


def _patients(events: Iterable[Event]) -> dict[int, str]:
    """The numbers of the patients whose it was. No query where it was always the same one."""
    ids = {event.changes["patient_id"] for event in events if "patient_id" in event.changes}
    return dict(Patient.objects.filter(pk__in=ids).values_list("id", "number")) if len(ids) > 1 else {}


def _by_patient(token: Token) -> dict[tuple[str, datetime], str]:
    """What the patient did, with where. One query."""
    where = {SelfService.Via.LINK: _("By the patient, from the slip’s link"), SelfService.Via.KIOSK: _("At the kiosk")}
    rows = SelfService.objects.filter(token=token).values_list("verb", "at", "via")
    return {(_KINDS[SelfService.Verb(verb)], at): where[SelfService.Via(via)] for verb, at, via in rows}


def _printed(slips: Iterable[SlipPrint]) -> list[Told]:
    """Slips that left the printer."""
    return [Told(p.at, _("Slip printed again.") if p.copy else _("Slip printed."), "", str(p.by)) for p in slips]


def _said(token: Token) -> list[Told]:
    """Who told the patient of a change, and who took that back. One query."""
    words = {
        PatientTold.About.CHANGE: _("The patient was told."),
        PatientTold.About.ABSENT: _("The patient, who was not here, was told that it is time."),
    }
    lines = []
    for row in PatientTold.objects.filter(token=token).select_related("by", "undone_by"):
        lines.append(Told(row.at, words[PatientTold.About(row.about)], "", str(row.by)))
        if row.undone_at:
            lines.append(Told(row.undone_at, _("The patient was not told after all."), "", str(row.undone_by)))
    return lines


def _of_session(token: Token, events: list[Event]) -> list[Told]:
    """What happened to the session or the slot while the token was on its way. One query."""
    concerns = Q(slot=None) | Q(slot_id=token.slot_id)
    until = {} if token.ended_at is None else {"at__lte": token.ended_at}
    rows = SupplyEvent.objects.filter(concerns, session_id=token.session_id, at__gte=_came(token, events), **until)
    told = [histories.of_session(event) for event in rows.select_related("actor").order_by("seq")]
    return [line for line in told if line]


def _came(token: Token, events: list[Event]) -> datetime:
    """Since when the token is in its session."""
    came = [event.at for event in events if event.changes.get("session_id") == token.session_id]
    return came[-1] if came else token.requested_at


def slips(token: Token) -> list[SlipPrint]:
    """The printings of a token's slip, the slip itself first. One query."""
    return list(SlipPrint.objects.filter(token=token).select_related("by").order_by("copy"))


def sent_to(token: Token) -> Token | None:
    """The token by which the patient went on to another doctor. One query, where the token is over at all."""
    if token.ended_at is None:
        return None
    return Token.objects.select_related("session__doctor").filter(sent_from=token).first()
