"""What a step did, in sentences; the facility's clock is passed in."""

from collections.abc import Callable
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _later

from common.api.idempotency import IdempotencyConflict
from common.errors import DomainError
from consultations.actions import Completed
from consultations.queries import Done
from consultations.sheet import minutes_words
from reception.telling import others
from scheduling.models import Slot
from tokens.kinds import EventKind
from tokens.outcome import Outcome
from tokens.states import Status

Clock = Callable[[datetime], str]

_DONE: dict[str, Promise] = {
    "call": _later("{number} is called."),
    "call-next": _later("{number} is called."),
    "recall": _later("{number} is called again."),
    "start": _later("The visit of {number} has begun."),
    "complete": _later("{number} has been seen."),
    "hold": _later("{number} is held until {until} and keeps its rank."),
    "skip": _later("{number} is skipped until another is called."),
    "test": _later("{number} goes to: {place}. Your room is free."),
    "back": _later("{number} is back and stands at the front."),
    "overbook": _later("{number} has a place beyond the capacity."),
    "pause": _later("Paused. The hall sees it."),
    "resume": _later("The session goes on."),
}

_WAS: dict[str, Promise] = {
    EventKind.CALLED: _later("{number} was called"),
    EventKind.HELD: _later("{number} was held"),
    EventKind.SKIPPED: _later("{number} was skipped"),
    EventKind.SENT_AWAY: _later("{number} was sent for a test"),
    EventKind.BACK: _later("{number} came back"),
    EventKind.STARTED: _later("{number} was started"),
    EventKind.COMPLETED: _later("{number} was completed"),
}


def was(step: Done) -> str:
    """What a step was, for the button that takes it back."""
    return str(_WAS[step.kind]).format(number=step.number)


def told(verb: str, outcome: Outcome, clock: Clock) -> str:
    """The sentences after a step: what it did itself, then what it did to others."""
    token = outcome.token
    facts = {"number": "", "until": "", "place": ""}
    if token is not None:
        until = clock(token.held_until) if token.held_until else ""
        facts = {"number": token.number, "until": until, "place": token.away_to}
    return " ".join([str(_DONE[verb]).format(**facts), *others(outcome, clock)])


def completed(done: Completed, clock: Clock) -> str:
    """The same after one press that completed a visit and called the next patient."""
    token = done.visit.token
    said = [told("complete", done.visit, clock)]
    if token is not None and token.started_at and token.ended_at:
        took = minutes_words(token.ended_at - token.started_at)
        said = [_("{number} has been seen, {minutes}.").format(number=token.number, minutes=took)]
        said += others(done.visit, clock)
    if done.called is not None:
        said.append(told("call-next", done.called, clock))
    if done.refused is not None:
        said.append(refusal(done.refused))
    return " ".join(said)


def undone(step: str) -> str:
    """After an undo; `step` is what the button said."""
    return _("Undone: {step}.").format(step=step)


def sent(outcome: Outcome, number: str, slot: Slot, clock: Clock) -> str:
    """Where a patient was sent on to, under which number, and when."""
    token = outcome.token
    assert token is not None  # sending on makes a token, or is refused
    if token.status == Status.WAITLISTED:
        words = _("{old} goes to {doctor}, {room}, as {new}, and waits there for a place in {time}.")
    else:
        words = _("{old} goes to {doctor}, {room}, as {new}, {time}.")
    to = slot.session
    return words.format(
        old=number, doctor=to.doctor.name, room=to.room.name, new=token.number, time=clock(slot.starts_at)
    )


def delayed(minutes: int) -> str:
    """After a change of the delay."""
    if not minutes:
        return _("On time again.")
    return _("{minutes} min late. Desk, board and patients see it.").format(minutes=minutes)


def refusal(error: DomainError) -> str:
    """Why a step was refused."""
    if isinstance(error, IdempotencyConflict):
        return _("Nothing was changed: this was done in another window meanwhile.")
    return _(error.sentence).format(**error.data) if error.data else _(error.sentence)
