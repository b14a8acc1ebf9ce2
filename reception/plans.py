"""A change of supply as people read it: who moves where, who waits, who stays, and what the button does. Pure.

What is told comes from the plan that the engine decided (`tokens.planning`), never from a rule of the desk's own.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from reception.telling import joined

Effect = Mapping[str, Any]
When = Callable[[int], str]
"""A slot's id in words: 12:00, or Tue 24 Nov, 10:00 where it lies on another day."""


class Fate(StrEnum):
    """What a plan means for one patient."""

    MOVES = "moves"
    WAITS = "waits"
    CANCELLED = "cancelled"
    NO_SHOW = "no_show"
    GETS = "gets"
    STAYS = "stays"


LOSING = frozenset({Fate.MOVES, Fate.WAITS, Fate.CANCELLED})
"""What costs a patient the place held until now."""


@dataclass(frozen=True, slots=True)
class Person:
    """Whom a token belongs to, and how they are reached."""

    name: str
    phone: str
    source: str


@dataclass(frozen=True, slots=True)
class Line:
    """One patient of a plan: what happens, and how it is told. `mark` is the shape of being here or not."""

    token: int
    number: str
    name: str
    source: str
    mark: str
    state: str
    then: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Patients to whom the same happens."""

    title: str
    lines: list[Line]
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """A plan in words.

    Attributes:
        sentences: what it does, in short.
        told: who is to be told of it; empty where nobody is.
        button: what the button does, as a verb with its object.
    """

    sentences: list[str]
    groups: list[Group]
    told: str
    button: str
    counts: dict[Fate, int] = field(default_factory=dict)


def fate(effect: Effect) -> Fate:
    """What happens to the patient of an effect."""
    before, after = effect["before"], effect["after"]
    match after["status"]:
        case "no_show":
            return Fate.NO_SHOW
        case "cancelled":
            return Fate.CANCELLED
        case "waitlisted":
            return Fate.WAITS if before["status"] != "waitlisted" else Fate.STAYS
    if before["status"] == "waitlisted":
        return Fate.GETS
    return Fate.MOVES if before["slot"] != after["slot"] else Fate.STAYS


def tell(
    plan: Mapping[str, Any],
    people: Mapping[int, Person],
    when: When,
    *,
    done: bool = False,
    stays: Iterable[Line] = (),
    subject: str = "",
) -> Told:
    """A plan of the engine in words.

    Args:
        people: whom each token of the plan belongs to.
        done: the plan was applied, so it is told as what happened.
        stays: those of the slot whom it leaves alone.
        subject: what the change is by itself, as a button says it: Cut to 3 places.
    """
    by_fate: dict[Fate, list[Effect]] = {each: [] for each in Fate}
    for effect in plan["effects"]:
        by_fate[fate(effect)].append(effect)
    counts = {each: len(effects) for each, effects in by_fate.items()}
    titles = _titles(done=done)
    leaving = [e for e in plan["effects"] if fate(e) in LOSING]
    title = titles["moves" if counts[Fate.MOVES] else "loses"]
    hint = _("those who are here come last") if len(leaving) > 1 else ""
    groups = [
        Group(title, _lines(leaving, people, when), hint),
        Group(titles["gets"], _lines(by_fate[Fate.GETS], people, when)),
        Group(titles["no_show"], _lines(by_fate[Fate.NO_SHOW], people, when)),
        Group(titles["stays"], list(stays)),
    ]
    return Told(
        sentences=_sentences(plan["effects"], by_fate, stays=list(stays)),
        groups=[group for group in groups if group.lines],
        told=_to_be_told(plan["effects"], people),
        button=_button(counts, subject, brief=plan["kind"] == "capacity"),
        counts=counts,
    )


def _titles(*, done: bool) -> dict[str, str]:
    if done:
        return {
            "moves": _("Who moved"),
            "loses": _("Who lost the place"),
            "gets": _("Who got a place"),
            "no_show": _("Who did not come"),
            "stays": _("Who stayed"),
        }
    return {
        "moves": _("Who moves"),
        "loses": _("Who loses the place"),
        "gets": _("Who gets a place"),
        "no_show": _("Who did not come"),
        "stays": _("Who stays"),
    }


def _lines(effects: Iterable[Effect], people: Mapping[int, Person], when: When) -> list[Line]:
    return [_line(effect, people[effect["token"]], when) for effect in effects]


def _line(effect: Effect, person: Person, when: When) -> Line:
    here = bool(effect["arrived"])
    return Line(
        token=effect["token"],
        number=effect["number"],
        name=person.name,
        source=person.source,
        mark="here" if here else "absent",
        state=_("here") if here else _("not here yet"),
        then=_then(effect, when),
        why=_reached(effect, person, here=here),
    )


def _then(effect: Effect, when: When) -> str:
    """Where the patient stands afterwards."""
    after = effect["after"]
    slot = when(after["slot"])
    match fate(effect):
        case Fate.WAITS:
            return _("Waits for a place in %(slot)s") % {"slot": slot}
        case Fate.CANCELLED:
            return _("Cancelled: no place is left")
        case Fate.NO_SHOW:
            return _("Did not come")
        case Fate.GETS:
            said = _("Gets a place in %(slot)s") % {"slot": slot}
        case Fate.MOVES:
            said = _("%(slot)s, confirmed") % {"slot": slot}
        case _:
            return _("Keeps the place")
    if after["number"] != effect["number"]:
        return _("%(where)s, as %(number)s") % {"where": said, "number": after["number"]}
    return said


def _reached(effect: Effect, person: Person, *, here: bool) -> str:
    """How the patient hears of it."""
    if not effect["message"]:
        return ""
    if here:
        return _("Here: tell them now")
    return person.phone or _("No phone number")


def _sentences(effects: list[Effect], by_fate: Mapping[Fate, list[Effect]], *, stays: list[Line]) -> list[str]:
    """What the plan does, in short."""
    moves, waits, gone = len(by_fate[Fate.MOVES]), len(by_fate[Fate.WAITS]), len(by_fate[Fate.CANCELLED])
    gets, absent = len(by_fate[Fate.GETS]), len(by_fate[Fate.NO_SHOW])
    said = []
    if moves:
        said.append(ngettext("%(n)d person moves.", "%(n)d people move.", moves) % {"n": moves})
    if waits:
        said.append(
            ngettext(
                "%(n)d loses the place and waits for another.", "%(n)d lose their place and wait for another.", waits
            )
            % {"n": waits}
        )
    if gone:
        said.append(
            ngettext("%(n)d is cancelled: no place is left.", "%(n)d are cancelled: no place is left.", gone)
            % {"n": gone}
        )
    if gets:
        said.append(ngettext("%(n)d who waits gets a place.", "%(n)d who wait get a place.", gets) % {"n": gets})
    if absent:
        said.append(ngettext("%(n)d did not come.", "%(n)d did not come.", absent) % {"n": absent})
    if not said:
        said.append(_("Nobody moves."))
    return [*said, *_about_those_here(effects, stays)]


def _about_those_here(effects: list[Effect], stays: list[Line]) -> list[str]:
    """Those who are here lose last: whether any does is said in any case."""
    losing = [e for e in effects if fate(e) in LOSING]
    if not losing:
        return []
    here = sum(bool(e["arrived"]) for e in losing)
    if here:
        return [ngettext("%(n)d of them is here already.", "%(n)d of them are here already.", here) % {"n": here}]
    kept = sum(line.mark != "absent" for line in stays)
    if not kept:
        return []
    return [
        ngettext(
            "The %(n)d who is already here keeps the place.", "The %(n)d who are already here keep their place.", kept
        )
        % {"n": kept}
    ]


def _to_be_told(effects: Iterable[Effect], people: Mapping[int, Person]) -> str:
    """How many are to be told, and how they are reached."""
    told = [e for e in effects if e["message"]]
    if not told:
        return _("Nobody is to be told.")
    here = sum(bool(e["arrived"]) for e in told)
    silent = sum(not e["arrived"] and not people[e["token"]].phone for e in told)
    said = ngettext("%(n)d patient is to be told", "%(n)d patients are to be told", len(told)) % {"n": len(told)}
    details = []
    if here:
        details.append(ngettext("%(n)d is here", "%(n)d are here", here) % {"n": here})
    if silent:
        details.append(ngettext("%(n)d has no phone", "%(n)d have no phone", silent) % {"n": silent})
    return f"{said}: {', '.join(details)}." if details else f"{said}."


def _button(counts: Mapping[Fate, int], subject: str, *, brief: bool) -> str:
    """What pressing the button does: the change, and to whom. `brief`: to whom says it all, where there is anybody."""
    moves, waits, gone = counts[Fate.MOVES], counts[Fate.WAITS], counts[Fate.CANCELLED]
    if not moves + waits + gone:
        return subject
    if waits and not moves + gone:
        said = ngettext("move %(n)d person to the waitlist", "move %(n)d people to the waitlist", waits) % {"n": waits}
    elif gone and not moves + waits:
        said = ngettext("cancel %(n)d token", "cancel %(n)d tokens", gone) % {"n": gone}
    else:
        said = ngettext("move %(n)d person", "move %(n)d people", moves + waits) % {"n": moves + waits}
        if gone:
            said += ngettext(", cancel %(n)d", ", cancel %(n)d", gone) % {"n": gone}
    return said[:1].upper() + said[1:] if brief else f"{subject}, {said}"


def stale(before: Iterable[str], plan: Mapping[str, Any]) -> str:
    """What is different in the new preview: who loses a place now who kept it, and the other way round."""
    losing = [e["number"] for e in plan["effects"] if fate(e) in LOSING]
    old = list(before)
    kept, instead = [n for n in old if n not in losing], [n for n in losing if n not in old]
    if not losing:
        return _("Nobody would lose a place any more.") if old else ""
    if kept and instead:
        names = {"kept": joined(kept), "instead": joined(instead)}
        return _("%(instead)s would lose the place instead of %(kept)s.") % names
    if instead:
        return _("%(instead)s would lose the place too.") % {"instead": joined(instead)}
    return _("%(kept)s would keep the place.") % {"kept": joined(kept)} if kept else ""
