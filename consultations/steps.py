"""What the doctor can do now: the buttons under the patient, each with its key and its permission. Pure.

A step that is offered may still be refused: the action decides under the lock, and says why in a sentence.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from consultations.sheet import Sheet

HOLDS = (5, 10, 15, 20, 30, 60)
"""Minutes for which a patient is held; the first is what one key does."""

Words = str | Promise


@dataclass(frozen=True, slots=True)
class Step:
    """A button.

    Attributes:
        verb: the last part of its address, or of the panel's where it asks first.
        asks: it needs to know where to, so it opens the panel.
        first: the one that stands out.
        minutes: a choice of minutes stands beside it.
        enter: Enter does it too.
    """

    verb: str
    label: Words
    key: str
    permissions: tuple[str, ...]
    rule: Callable[[Sheet], bool]
    asks: bool = False
    first: bool = False
    minutes: bool = False
    enter: bool = False


def _inside(sheet: Sheet) -> bool:
    return sheet.state == "now"


def _called(sheet: Sheet) -> bool:
    return sheet.state == "called"


def _calls_on(sheet: Sheet) -> bool:
    """Whether completing goes on to a call: somebody can be called, nobody is on the way, and there is no pause."""
    free = sheet.next is not None and not sheet.called and sheet.session.paused_at is None
    return _inside(sheet) and sheet.session.status == "open" and free


def _only_completes(sheet: Sheet) -> bool:
    return _inside(sheet) and not _calls_on(sheet)


STEPS: tuple[Step, ...] = (
    Step("complete-next", _("Complete, call next"), "Enter", ("tokens.consult", "tokens.call"), _calls_on, first=True),
    Step("complete", _("Complete"), "c", ("tokens.consult",), _calls_on),
    Step("complete", _("Complete"), "c", ("tokens.consult",), _only_completes, first=True, enter=True),
    Step("test", _("Send for a test"), "t", ("tokens.consult",), _inside, asks=True),
    Step("send", _("Send to a doctor"), "d", ("tokens.send",), _inside, asks=True),
    Step("start", _("Start"), "s", ("tokens.consult",), _called, first=True),
    Step("recall", _("Call again"), "r", ("tokens.call",), _called),
    Step("hold", _("Hold"), "h", ("tokens.call",), _called, minutes=True),
    Step("skip", _("Skip"), "k", ("tokens.call",), _called),
    Step(
        "call-next",
        _("Call next"),
        "n",
        ("tokens.call",),
        lambda sheet: sheet.state == "free" and sheet.next is not None,
        first=True,
    ),
)
"""Every step, in the order of the bar."""


CODES = frozenset(
    {"tokens.call", "tokens.consult", "tokens.send", "tokens.back", "tokens.delay", "tokens.undo", "tokens.overbook"}
)
"""Every permission that decides what the console offers."""


def steps(sheet: Sheet, *, may: Callable[[str], bool]) -> Iterator[Step]:
    """The steps that make sense now and that the person may take.

    Args:
        may: whether the person holds a permission in the session's facility.
    """
    for step in STEPS:
        if step.rule(sheet) and all(may(code) for code in step.permissions):
            yield step
