"""What an action did, in sentences: who, what and where they went. Pure; the facility's clock is passed in."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from tokens.facts import TokenFacts
from tokens.outcome import Outcome
from tokens.states import Status

Clock = Callable[[datetime], str]

_DONE = {
    "arrive": "{number} has arrived.",
    "back": "{number} is back from the test.",
    "late-return": "{number} came after all.",
    "call": "{number} is called.",
    "recall": "{number} is called again.",
    "call-next": "{number} is called.",
    "start": "{number} is with the doctor.",
    "complete": "{number} has been seen.",
    "hold": "{number} is held for {minutes} min and keeps its rank.",
    "skip": "{number} is skipped until another is called.",
    "emergency": "{number} is an emergency now.",
    "no-show": "{number} did not come.",
    "cancel": "{number} is cancelled.",
    "mark-paid": "Priority of {number} is paid.",
    "overbook": "{number} has a place beyond the capacity.",
    "undo": "The last step of {number} is undone.",
    "move": "{number} moved to {slot}.",
    "send-on": "{old} is sent on to {doctor}, as {number}.",
    "send-away": "{number} goes to {where}. The room is free.",
    "correct": "{number} belongs to {patient} now.",
}


def told(verb: str, outcome: Outcome, clock: Clock, **names: Any) -> list[str]:
    """The sentences after a step: what it did itself, then what it did to others.

    Args:
        names: what the sentence of the step needs beyond the token, such as minutes or the other doctor.
    """
    token = outcome.token
    if token is None:
        return ["Nobody can be called: nobody who is here waits for a call."]
    facts = {"number": token.number, "slot": _slot_time(token, outcome, clock), "where": token.away_to, **names}
    own = [_DONE[verb].format(**facts)]
    if verb in ("late-return", "undo", "mark-paid", "emergency", "send-on"):
        own.append(standing(token, outcome, clock))
    return [*(sentence for sentence in own if sentence), *others(outcome, clock)]


def told_of_session(verb: str, doctor: str, outcome: Outcome, clock: Clock) -> list[str]:
    """The sentences after a doctor was late, paused or went on: no place moves, but a longer slot may give one."""
    minutes = outcome.session.delay_minutes
    if verb == "delay":
        late = _("%(doctor)s is %(minutes)d min late. Every estimate changes.")
        said = (late if minutes else _("%(doctor)s is in time again.")) % {"doctor": doctor, "minutes": minutes}
    else:
        words = {"pause": _("%(doctor)s pauses."), "resume": _("%(doctor)s goes on.")}
        said = words[verb] % {"doctor": doctor}
    return [said, *others(outcome, clock)]


def standing(token: TokenFacts, outcome: Outcome, clock: Clock) -> str:
    """Where the token stands now; nothing where its number says enough."""
    if token.status == Status.CONFIRMED:
        return f"It holds a place in {_slot_time(token, outcome, clock)}."
    return f"It waits for a place in {_slot_time(token, outcome, clock)}." if token.status == Status.WAITLISTED else ""


def others(outcome: Outcome, clock: Clock) -> list[str]:
    """What happened to other tokens: places lost, places got, emergencies without one."""
    after = {touched.after.id: touched.after for touched in outcome.touched}
    sentences = [went(after[i], outcome, clock) for i in outcome.displaced if i in after]
    got = [after[i].number for i in outcome.promoted if i in after]
    if got:
        sentences.append(f"{joined(got)} {'takes the place' if len(got) == 1 else 'take the places'}.")
    waiting = [after[i].number for i in outcome.alerts if i in after]
    if waiting:
        sentences.append(f"{joined(waiting)}: an emergency without a place. Overbook, or send on.")
    return sentences


def went(token: TokenFacts, outcome: Outcome, clock: Clock) -> str:
    """Where a displaced token went."""
    if token.status == Status.WAITLISTED:
        return f"{token.number} waits again in {_slot_time(token, outcome, clock)}."
    if token.status == Status.CANCELLED:
        return f"{token.number} is cancelled: no later slot has a place."
    return f"{token.number} goes to {_slot_time(token, outcome, clock)}."


def joined(words: Iterable[str]) -> str:
    """A, B and C."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def _slot_time(token: TokenFacts, outcome: Outcome, clock: Clock) -> str:
    """When the token's slot begins; in words where it lies in a session that was not touched."""
    if token.session_id != outcome.session.id:
        return "a later session"
    return clock(outcome.session.slot(token.slot_id).starts_at)
