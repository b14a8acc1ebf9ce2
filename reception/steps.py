"""What can be done with a token in its state: the buttons of the desk, each with its key and its permission. Pure.

A step that is offered may still be refused: the action decides under the lock, and says why in a sentence.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from tokens.facts import SessionFacts, TokenFacts
from tokens.states import ACTIVE, Status

Rule = Callable[[TokenFacts, SessionFacts], bool]


@dataclass(frozen=True, slots=True)
class Step:
    """A button.

    Attributes:
        verb: the last part of its address.
        asks: it needs a reason or a slot first, so it opens the drawer.
        often: it stands in the bar; the others stand under "More".
        about: what its drawer and the button in it say, with the token's number.
    """

    verb: str
    label: str | Promise
    key: str
    permission: str
    rule: Rule
    asks: bool = False
    often: bool = True
    about: str | Promise = "{label} {number}"

    def title(self, number: str) -> str:
        """What its drawer and the button in it say."""
        return str(self.about).format(label=self.label, number=number)


def _any(token: TokenFacts, session: SessionFacts) -> bool:
    return True


def _active(token: TokenFacts, session: SessionFacts) -> bool:
    return token.status in ACTIVE


def _expected(token: TokenFacts, session: SessionFacts) -> bool:
    return token.status in ACTIVE and token.arrived_at is None


def _callable(token: TokenFacts, session: SessionFacts) -> bool:
    return _in_queue(token, session) and token.called_at is None


def _called(token: TokenFacts, session: SessionFacts) -> bool:
    return _in_queue(token, session) and token.called_at is not None


def _in_queue(token: TokenFacts, session: SessionFacts) -> bool:
    return token.queued and token.arrived_at is not None and session.status == "open"


def _in_room(token: TokenFacts, session: SessionFacts) -> bool:
    return token.in_room


def _away(token: TokenFacts, session: SessionFacts) -> bool:
    return token.status == Status.IN_PROGRESS and token.away_at is not None and token.back_at is None


def _movable(token: TokenFacts, session: SessionFacts) -> bool:
    return token.status in (Status.CONFIRMED, Status.WAITLISTED)


def _waits(token: TokenFacts, session: SessionFacts) -> bool:
    return token.status == Status.WAITLISTED


def _unpaid(token: TokenFacts, session: SessionFacts) -> bool:
    return _active(token, session) and not token.paid


def _can_be_raised(token: TokenFacts, session: SessionFacts) -> bool:
    return _movable(token, session) and not token.emergency


STEPS: tuple[Step, ...] = (
    Step("arrive", _("Arrived"), "a", "tokens.arrive", _expected),
    Step("back", _("Back"), "b", "tokens.back", _away),
    Step("late-return", _("Came after all"), "a", "tokens.arrive", lambda t, s: t.status == Status.NO_SHOW),
    Step("call", _("Call"), "c", "tokens.call", _callable),
    Step("recall", _("Call again"), "r", "tokens.call", _called),
    Step("start", _("Start"), "s", "tokens.consult", _in_queue),
    Step("complete", _("Complete"), "c", "tokens.consult", _in_room),
    Step("send-away", _("Test"), "t", "tokens.consult", _in_room, asks=True, about=_("Send {number} to a test")),
    Step("move", _("Move"), "m", "tokens.move", _movable, asks=True),
    Step("hold", _("Hold"), "h", "tokens.call", _in_queue),
    Step("emergency", _("Emergency"), "e", "tokens.request_emergency", _can_be_raised),
    Step("no-show", _("No show"), "o", "tokens.no_show", lambda t, s: t.status == Status.CONFIRMED),
    Step("cancel", _("Cancel"), "x", "tokens.cancel", _active, asks=True),
    Step("skip", _("Skip"), "k", "tokens.call", _in_queue, often=False),
    Step(
        "mark-paid", _("Priority paid"), "", "tokens.mark_paid", lambda t, s: _active(t, s) and not t.paid, often=False
    ),
    Step("overbook", _("Overbook"), "", "tokens.overbook", _waits, asks=True, often=False),
    Step("send-on", _("Send on"), "d", "tokens.send", _active, asks=True, often=False, about=_("Send {number} on")),
    Step(
        "correct",
        _("Correct the patient"),
        "",
        "tokens.change_patient",
        _any,
        asks=True,
        often=False,
        about=_("Correct the patient of {number}"),
    ),
    Step("undo", _("Undo"), "u", "tokens.undo", _any),
)
"""Every step, in the order of the bar."""


def step_named(verb: str) -> Step | None:
    """The step of that verb."""
    return next((step for step in STEPS if step.verb == verb), None)


def steps(token: TokenFacts, session: SessionFacts, *, may: Callable[[str], bool], undoable: bool) -> Iterator[Step]:
    """The steps that make sense now and that the person may take.

    Args:
        may: whether the person holds a permission in the token's facility.
        undoable: whether the token's last event is one that undo takes back.
    """
    for step in STEPS:
        if step.rule(token, session) and may(step.permission) and (step.verb != "undo" or undoable):
            yield step
