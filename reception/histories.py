"""What happened to a token, in sentences with who and when. Pure: events and names in, words out."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from django.utils.translation import gettext as _

from reception.hall import SOURCE_WORDS
from tokens.events import SENTENCES
from tokens.kinds import EventKind, SupplyKind
from tokens.rules import NO_PLACE, NOT_SERVED, SENT_ON
from tokens.states import Source

RULED = frozenset({EventKind.CONFIRMED, EventKind.WAITLISTED, EventKind.PROMOTED, EventKind.NORMALISED})
"""What the rule decides, whoever asked for it."""

PLANNED = frozenset({"capacity", "blocked"})
"""Reasons of a displacement that somebody planned."""


class Happening(Protocol):
    """An event of a token, as it is stored."""

    seq: int
    kind: str
    status: str
    changes: dict[str, Any]
    reason: str
    at: datetime
    cause_token_id: int | None
    cause_seq: int | None
    actor_id: int | None

    @property
    def actor(self) -> Any:
        """Who did it."""


@dataclass(frozen=True, slots=True)
class Told:
    """One line of a history."""

    at: datetime
    sentence: str
    detail: str
    by: str


@dataclass(frozen=True)
class Names:
    """What the ids in events stand for.

    Attributes:
        slots: when each slot begins, in words.
        numbers: of other tokens, which are the cause of something.
        patients: the numbers of patients; empty for who may not see them.
        by_patient: kind and moment of what patients did themselves, with where.
    """

    doctor: str
    clock: Callable[[datetime], str]
    slots: Mapping[int, str] = field(default_factory=dict)
    numbers: Mapping[int, str] = field(default_factory=dict)
    patients: Mapping[int, str] = field(default_factory=dict)
    by_patient: Mapping[tuple[str, datetime], str] = field(default_factory=dict)


def history(events: Iterable[Happening], names: Names) -> list[Told]:
    """The events of a token, oldest first, as sentences."""
    told: list[Told] = []
    known: dict[str, Any] = {}
    kinds: dict[int, str] = {}
    for event in sorted(events, key=lambda each: each.seq):
        details = [detail for detail in _details(event, known, kinds, names) if detail]
        told.append(Told(event.at, SENTENCES[event.kind], _joined(details), _by(event, names)))
        known.update(event.changes)
        kinds[event.seq] = event.kind
    return told


def _joined(details: list[str]) -> str:
    text = ", ".join(details)
    return f"{text[:1].upper()}{text[1:]}" if text else ""


def _by(event: Happening, names: Names) -> str:
    patient = names.by_patient.get((event.kind, event.at))
    if patient:
        return patient
    ruled = event.kind in RULED or (event.kind == EventKind.DISPLACED and event.reason not in PLANNED)
    if ruled or event.reason == NO_PLACE:
        return _("By the rule")
    return str(event.actor) if event.actor_id else _("By the clinic")


def _details(event: Happening, known: Mapping[str, Any], kinds: Mapping[int, str], names: Names) -> list[str]:
    """The values that matter to people, before those of the event are known."""
    changes = event.changes
    match event.kind:
        case EventKind.REQUESTED:
            return [_asked(changes, names), event.reason]
        case EventKind.CONFIRMED | EventKind.WAITLISTED | EventKind.PROMOTED:
            return [*_place(changes, known, names), _cause(event, names)]
        case EventKind.DISPLACED | EventKind.MOVED | EventKind.RETURNED:
            return [_cause(event, names), _went(event, known, names), _reason(event), _number(changes)]
        case EventKind.HELD:
            return [_("until %(time)s") % {"time": names.clock(datetime.fromisoformat(changes["held_until"]))}]
        case EventKind.RESCORED:
            raised = changes.get("source") == Source.EMERGENCY
            paid = _("priority was paid for") if "paid" in changes else ""
            return [_("became an emergency") if raised else paid, event.reason]
        case EventKind.SENT_AWAY:
            return [changes.get("away_to", "")]
        case EventKind.PATIENT_CHANGED:
            return [_whose(changes, known, names), event.reason]
        case EventKind.UNDONE:
            return [_undone(event, kinds)]
    return [_cause(event, names), _reason(event)]


def _asked(changes: Mapping[str, Any], names: Names) -> str:
    words = {"doctor": names.doctor, "source": SOURCE_WORDS[Source(changes["source"])].lower()}
    return _("for %(doctor)s, %(source)s") % words


def _place(changes: Mapping[str, Any], known: Mapping[str, Any], names: Names) -> list[str]:
    slot = names.slots.get(changes.get("slot_id") or known.get("slot_id") or 0, "")
    return [_("in %(slot)s") % {"slot": slot} if slot else "", _number(changes) if known.get("number") else ""]


def _number(changes: Mapping[str, Any]) -> str:
    return _("now %(number)s") % {"number": changes["number"]} if changes.get("number") else ""


def _went(event: Happening, known: Mapping[str, Any], names: Names) -> str:
    """From which slot to which; or that it waits again."""
    old, new = known.get("slot_id"), event.changes.get("slot_id")
    words = {"old": names.slots.get(old or 0, ""), "new": names.slots.get(new or old or 0, "")}
    if event.status == "waitlisted":
        return _("waits in %(new)s") % words if words["new"] else ""
    return _("from %(old)s to %(new)s") % words if new and all(words.values()) else ""


def _cause(event: Happening, names: Names) -> str:
    """Which other token brought it about."""
    number = names.numbers.get(event.cause_token_id or 0, "")
    words = {
        EventKind.DISPLACED: _("%(number)s took it"),
        EventKind.PROMOTED: _("%(number)s left it"),
        EventKind.CANCELLED: _("%(number)s took the place"),
    }
    kind = EventKind(event.kind)
    return words[kind] % {"number": number} if number and kind in words else ""


def _reason(event: Happening) -> str:
    """Why, in words: those of a person, or of the engine."""
    own = {
        NO_PLACE: _("no later slot had a place"),
        NOT_SERVED: _("the session ended before"),
        SENT_ON: _("sent on to another doctor"),
        "capacity": _("the slot has fewer places"),
        "blocked": _("the slot was blocked"),
        "closed": _("the session was closed"),
        "cancelled": _("the session was cancelled"),
    }
    return own.get(event.reason, event.reason)


def _whose(changes: Mapping[str, Any], known: Mapping[str, Any], names: Names) -> str:
    old, new = names.patients.get(known.get("patient_id", 0)), names.patients.get(changes.get("patient_id", 0))
    return _("%(old)s before, %(new)s now") % {"old": old, "new": new} if old and new else ""


def _undone(event: Happening, kinds: Mapping[int, str]) -> str:
    """What was taken back: a plan, or the step of that number."""
    if event.reason:
        return _("the change of the session was taken back")
    kind = kinds.get(event.cause_seq or 0)
    return SENTENCES[kind].rstrip(".") if kind else ""


# What happened to the session, where it concerns the token


def of_session(event: Any) -> Told | None:
    """An event of the session or of the token's slot as a sentence; nothing for those that say nothing to people."""
    by = str(event.actor) if event.actor_id else _("By the clinic")
    match event.kind:
        case SupplyKind.DELAYED:
            minutes = event.changes.get("delay_minutes", 0)
            late = _("The doctor is %(minutes)d min late.") % {"minutes": minutes}
            return Told(event.at, late if minutes else _("The doctor is on time again."), event.reason, by)
        case SupplyKind.CAPACITY:
            places = {"places": event.changes.get("capacity")}
            return Told(event.at, _("The slot has %(places)s places now.") % places, event.reason, by)
        case SupplyKind.UNDONE:
            return Told(event.at, _("A change of the session was taken back."), "", by)
    sentences = {
        SupplyKind.PAUSED: _("The doctor paused."),
        SupplyKind.RESUMED: _("The doctor went on."),
        SupplyKind.CLOSED: _("The session was closed."),
        SupplyKind.CANCELLED: _("The session was cancelled."),
        SupplyKind.BLOCKED: _("The slot was blocked."),
        SupplyKind.UNBLOCKED: _("The slot was opened again."),
    }
    sentence = sentences.get(event.kind)
    return Told(event.at, sentence, event.reason, by) if sentence else None
