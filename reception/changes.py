"""What can be done to a session and to its slots: each change with its permission, its headings and its keys. Pure."""

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext


@dataclass(frozen=True, slots=True)
class Change:
    """Something that can be done to a session or to a slot.

    Attributes:
        of_slot: it is about one slot.
        reasoned: it is not done without a reason.
        planned: it takes or gives places, so it is previewed and carries the version that was seen.
    """

    verb: str
    permission: str
    of_slot: bool = False
    planned: bool = True
    reasoned: bool = False


CHANGES: dict[str, Change] = {
    change.verb: change
    for change in (
        Change("delay", "tokens.delay", planned=False),
        Change("pause", "tokens.delay", planned=False),
        Change("resume", "tokens.delay", planned=False),
        Change("capacity", "tokens.supply", of_slot=True),
        Change("block", "tokens.supply", of_slot=True),
        Change("unblock", "tokens.supply", of_slot=True),
        Change("close", "tokens.supply"),
        Change("cancel", "tokens.supply", reasoned=True),
    )
}
"""Every change, by the word in its address."""


def heading(verb: str, *, doctor: str, slot: str, before: int = 0, after: int | None = None) -> str:
    """What is about to be done, in one line."""
    names = {"doctor": doctor, "slot": slot, "before": before, "after": after}
    if verb == "capacity" and after is not None and after != before:
        if after < before:
            return _("Cut %(doctor)s’s %(slot)s from %(before)d places to %(after)d") % names
        return _("Give %(doctor)s’s %(slot)s %(after)d places instead of %(before)d") % names
    headings = {
        "delay": _("%(doctor)s is late"),
        "pause": _("%(doctor)s pauses"),
        "resume": _("%(doctor)s goes on"),
        "capacity": _("Places in %(doctor)s’s %(slot)s"),
        "block": _("Block %(doctor)s’s %(slot)s"),
        "unblock": _("Open %(doctor)s’s %(slot)s again"),
        "close": _("Close %(doctor)s’s session"),
        "cancel": _("Cancel %(doctor)s’s session"),
    }
    return headings[verb] % names


def done_heading(kind: str, *, doctor: str, slot: str, after: int = 0) -> str:
    """What was done, in one line, by the kind under which the engine keeps it."""
    names = {"doctor": doctor, "slot": slot, "after": after}
    headings = {
        "capacity": ngettext(
            "%(doctor)s’s %(slot)s now has %(after)d place", "%(doctor)s’s %(slot)s now has %(after)d places", after
        ),
        "blocked": _("%(doctor)s’s %(slot)s is blocked"),
        "unblocked": _("%(doctor)s’s %(slot)s is open again"),
        "closed": _("%(doctor)s’s session is closed"),
        "cancelled": _("%(doctor)s’s session is cancelled"),
        "rescored": _("%(doctor)s’s session counts by today’s policy"),
    }
    return headings[kind] % names


def subject(verb: str, *, slot: str = "", before: int = 0, after: int = 0) -> str:
    """The change by itself, as its button says it."""
    names = {"slot": slot, "after": after}
    if verb == "capacity":
        if after < before:
            return ngettext("Cut to %(after)d place", "Cut to %(after)d places", after) % names
        return ngettext("Give %(after)d place", "Give %(after)d places", after) % names
    words = {
        "block": _("Block %(slot)s"),
        "unblock": _("Open %(slot)s again"),
        "close": _("Close the session"),
        "cancel": _("Cancel the session"),
    }
    return words[verb] % names


@dataclass(frozen=True, slots=True)
class Link:
    """A way from a token to what can be done with its session."""

    query: str
    words: str
    key: str = ""


def links(*, slot_id: int, paused: bool, may: Callable[[str], bool]) -> list[Link]:
    """From a token to the changes of its session and of its slot, with their keys."""
    found = []
    if may("tokens.delay"):
        found.append(Link("?do=delay", _("The doctor is late"), "y"))
        found.append(
            Link("?do=resume", _("The doctor goes on")) if paused else Link("?do=pause", _("The doctor pauses"))
        )
    if may("tokens.supply"):
        found.append(Link(f"?do=capacity&slot={slot_id}", _("Places of this slot"), "l"))
        found.append(Link("", _("The whole session")))
    return found
