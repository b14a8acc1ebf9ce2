"""What an action did, in sentences: who, what and where they went. Pure; the facility's clock is passed in."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from tokens.facts import TokenFacts
from tokens.outcome import Outcome
from tokens.states import Status

Clock = Callable[[datetime], str]

_DONE = {
    "arrive": gettext_noop("{number} has arrived."),
    "back": gettext_noop("{number} is back from the test."),
    "late-return": gettext_noop("{number} came after all."),
    "call": gettext_noop("{number} is called."),
    "recall": gettext_noop("{number} is called again."),
    "call-next": gettext_noop("{number} is called."),
    "start": gettext_noop("{number} is with the doctor."),
    "complete": gettext_noop("{number} has been seen."),
    "hold": gettext_noop("{number} is held for {minutes} min and keeps its rank."),
    "skip": gettext_noop("{number} is skipped until another is called."),
    "emergency": gettext_noop("{number} is an emergency now."),
    "no-show": gettext_noop("{number} did not come."),
    "cancel": gettext_noop("{number} is cancelled."),
    "mark-paid": gettext_noop("Priority of {number} is paid."),
    "overbook": gettext_noop("{number} has a place beyond the capacity."),
    "undo": gettext_noop("The last step of {number} is undone."),
    "move": gettext_noop("{number} moved to {slot}."),
    "send-on": gettext_noop("{old} is sent on to {doctor}, as {number}."),
    "send-away": gettext_noop("{number} goes to {where}. The room is free."),
    "correct": gettext_noop("{number} belongs to {patient} now."),
}


def told(verb: str, outcome: Outcome, clock: Clock, **names: Any) -> list[str]:
    """The sentences after a step: what it did itself, then what it did to others.

    Args:
        names: what the sentence of the step needs beyond the token, such as minutes or the other doctor.
    """
    token = outcome.token
    if token is None:
        return [_("Nobody can be called: nobody who is here waits for a call.")]
    facts = {"number": token.number, "slot": _slot_time(token, outcome, clock), "where": token.away_to, **names}
    own = [_(_DONE[verb]).format(**facts)]
    if verb in ("late-return", "undo", "mark-paid", "emergency", "send-on"):
        own.append(standing(token, outcome, clock))
    return [*(sentence for sentence in own if sentence), *others(outcome, clock)]


def told_of_session(verb: str, doctor: str, outcome: Outcome, clock: Clock) -> list[str]:
    """The sentences after a doctor was late, paused or went on: no place moves, but a longer slot may give one."""
    minutes = outcome.session.delay_minutes
    if verb == "delay":
        late = _("%(doctor)s is %(minutes)d min late. Every estimate changes.")
        said = (late if minutes else _("%(doctor)s is on time again.")) % {"doctor": doctor, "minutes": minutes}
    else:
        words = {"pause": _("%(doctor)s pauses."), "resume": _("%(doctor)s goes on.")}
        said = words[verb] % {"doctor": doctor}
    return [said, *others(outcome, clock)]


def standing(token: TokenFacts, outcome: Outcome, clock: Clock) -> str:
    """Where the token stands now; nothing where its number says enough."""
    if token.status == Status.CONFIRMED:
        return _("It holds a place in {slot}.").format(slot=_slot_time(token, outcome, clock))
    if token.status != Status.WAITLISTED:
        return ""
    return _("It waits for a place in {slot}.").format(slot=_slot_time(token, outcome, clock))


def others(outcome: Outcome, clock: Clock) -> list[str]:
    """What happened to other tokens: places lost, places got, emergencies without one."""
    after = {touched.after.id: touched.after for touched in outcome.touched}
    sentences = [went(after[i], outcome, clock) for i in outcome.displaced if i in after]
    got = [after[i].number for i in outcome.promoted if i in after]
    if got:
        words = ngettext("{numbers} takes the place.", "{numbers} take the places.", len(got))
        sentences.append(words.format(numbers=joined(got)))
    waiting = [after[i].number for i in outcome.alerts if i in after]
    if waiting:
        words = _("{numbers}: an emergency without a place. Overbook, or send on.")
        sentences.append(words.format(numbers=joined(waiting)))
    return sentences


def went(token: TokenFacts, outcome: Outcome, clock: Clock) -> str:
    """Where a displaced token went."""
    facts = {"number": token.number, "slot": _slot_time(token, outcome, clock)}
    if token.status == Status.WAITLISTED:
        return _("{number} waits again in {slot}.").format(**facts)
    if token.status == Status.CANCELLED:
        return _("{number} is cancelled: no later slot has a place.").format(**facts)
    return _("{number} goes to {slot}.").format(**facts)


def joined(words: Iterable[str]) -> str:
    """A, B and C."""
    *first, last = words
    return _("{first} and {last}").format(first=", ".join(first), last=last) if first else last


def _slot_time(token: TokenFacts, outcome: Outcome, clock: Clock) -> str:
    """When the token's slot begins; in words where it lies in a session that was not touched."""
    if token.session_id != outcome.session.id:
        return _("a later session")
    return clock(outcome.session.slot(token.slot_id).starts_at)
