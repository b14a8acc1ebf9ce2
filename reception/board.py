"""The board of a waiting hall: a line for each room, and the calls to be spoken. Pure: facts in, words out.

The words come in the language that is active. What a public screen may say is decided here and nowhere else: a number,
a room, a doctor, how late it is. Not why somebody is before somebody else, not who pays, not what a person has. Names
only where the facility wants them, and then the given name and an initial, beside a number that is called or inside;
they are never spoken.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.utils.translation import gettext as _

from tokens import queue_rules
from tokens.facts import SessionFacts, TokenFacts
from tokens.states import Status

MOST_NEXT: Final = 3
"""How many of those who are called next stand on the board."""
SOON: Final = timedelta(hours=3)
"""How long before its start a session is announced."""
TITLES: Final = frozenset({"mr", "mrs", "ms", "miss", "dr", "smt", "shri", "sri", "kumari", "master", "baby"})


@dataclass(frozen=True, slots=True)
class Place:
    """What a session's ids stand for on a public screen."""

    room: str
    doctor: str
    department: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A number on the board. `name` is empty unless the facility shows names."""

    number: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """A call as screens announce it. A call again is another call; the moment tells them apart."""

    number: str
    room: str
    at: datetime

    @property
    def id(self) -> str:
        """Names the call on every screen, before and after a reload."""
        return f"{self.number}@{int(self.at.timestamp() * 1000)}"


@dataclass(frozen=True, slots=True)
class Line:
    """A room. `state`: "called", "inside" (with the doctor), "break", "later" (not begun) or "free".

    Attributes:
        now: who was called last and has not come in; else who is inside.
        next: whom the next calls will call, in order.
        words: what stands in place of a number.
        notes: what stands at the end: what to do, how late it is.
        late: whether the doctor is late.
    """

    session_id: int
    place: Place
    state: str
    now: Shown | None
    next: tuple[str, ...]
    words: str
    notes: tuple[str, ...]
    late: bool
    calls: tuple[Call, ...]

    @property
    def room(self) -> str:
        """The room's name in the active language."""
        return room_words(self.place.room)


def lines(
    sessions: Iterable[SessionFacts], places: dict[int, Place], now: datetime, names: dict[int, str] | None = None
) -> list[Line]:
    """The board: rooms in their natural order. A room shows who serves there now, else who comes next.

    Args:
        places: by session.
        now: the time, in the zone of the clock on the wall.
        names: of patients by token, where the facility shows them.
    """
    by_room: dict[str, list[SessionFacts]] = {}
    for session in sorted(sessions, key=lambda s: (s.starts_at, s.id)):
        phase = phase_of(session, now)
        rooms = by_room.setdefault(places[session.id].room, [])
        if phase == "now" or (phase == "later" and not rooms):
            rooms.append(session)
    shown = [line(s, places[s.id], now, names or {}) for rooms in by_room.values() for s in rooms]
    return sorted(shown, key=lambda each: natural(each.place.room))


def phase_of(session: SessionFacts, now: datetime) -> str:
    """ "now" while patients are seen, "later" shortly before it, "over" otherwise.

    Nobody waits in the hall for a session in which nobody is here any more: those who never came keep none open.
    """
    if session.status != "open":
        return "over"
    tokens = session.tokens.values()
    here = any(t.status == Status.IN_PROGRESS or (t.queued and t.arrived_at is not None) for t in tokens)
    if not here and now >= session.ends_at + session.delay:
        return "over"
    if session.calls or now >= session.starts_at:
        return "now"
    return "later" if now >= session.starts_at - SOON else "over"


def line(session: SessionFacts, place: Place, now: datetime, names: dict[int, str]) -> Line:
    """One room."""
    called = called_in(session)
    inside = queue_rules.in_room(session.tokens.values())
    standing = called or ([inside] if inside else [])
    state = "called" if called else "inside" if inside else _resting(session, now)
    return Line(
        session_id=session.id,
        place=place,
        state=state,
        now=Shown(standing[0].number, short_name(names.get(standing[0].id, ""))) if standing else None,
        next=tuple(t.number for t in next_few(session, now)),
        words="" if standing else _words(session, state, now),
        notes=tuple(_notes(session, state, called)),
        late=session.delay_minutes > 0,
        calls=tuple(Call(t.number, place.room, t.called_at) for t in called if t.called_at),
    )


def called_in(session: SessionFacts) -> list[TokenFacts]:
    """Who is called and has not come in yet, the newest call first. Nobody else is shown as called."""
    called = [t for t in session.tokens.values() if t.queued and t.called_at is not None]
    return sorted(called, key=lambda t: (t.called_at or session.starts_at, t.id), reverse=True)


def next_few(session: SessionFacts, now: datetime) -> list[TokenFacts]:
    """Whom the next calls will call: who is here and may be called, in call order.

    Who was skipped stands behind the first, for one call later the skip no longer counts.
    """
    first = queue_rules.next_to_call(session, now)
    if first is None:
        return []
    standing = queue_rules.queue(session, now)
    others = [t for t in standing if t is not first and queue_rules.passed_over(t, session, now) in ("", "skipped")]
    return [first, *others][:MOST_NEXT]


def _resting(session: SessionFacts, now: datetime) -> str:
    if session.paused_at:
        return "break"
    return "free" if session.calls else "later"


def _words(session: SessionFacts, state: str, now: datetime) -> str:
    """What stands where nobody is called or inside."""
    if state == "break" and session.paused_at:
        return _("Break since %(time)s") % {"time": _clock(session.paused_at, now)}
    if state == "later":
        begins = session.starts_at + session.delay
        if now >= begins:
            return _("Starts soon")
        sentence = _("Starts about %(time)s") if session.delay_minutes else _("Starts at %(time)s")
        return sentence % {"time": _clock(begins, now)}
    return "–"


def _notes(session: SessionFacts, state: str, called: list[TokenFacts]) -> list[str]:
    notes = []
    if state == "called":
        notes.append(_("Please go in"))
    if len(called) > 1:
        notes.append(_("Also called: %(numbers)s") % {"numbers": ", ".join(t.number for t in called[1:4])})
    if session.paused_at and state != "break":
        notes.append(_("Break"))
    if session.delay_minutes:
        notes.append(_("About %(minutes)s min late") % {"minutes": session.delay_minutes})
    return notes


def _clock(at: datetime, now: datetime) -> str:
    return f"{at.astimezone(now.tzinfo):%H:%M}"


# Words for people and for voices


def natural(name: str) -> tuple[tuple[int, int, str], ...]:
    """Sort key in which Room 2 stands before Room 10."""
    parts = re.findall(r"\d+|\D+", name.casefold())
    return tuple((0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts)


def short_name(name: str) -> str:
    """The given name and an initial, such as Lakshmi N.; nothing of nothing."""
    words = [word.strip(".,") for word in name.split()]
    words = [word for word in words if word and word.casefold() not in TITLES]
    if not words:
        return ""
    # Where people write the initial first (K. Ramesh), the given name is the first whole word.
    given = next((word for word in words if len(word) > 2), words[0])
    rest = [word for word in words if word is not given]
    return f"{given} {_initial(rest[-1])}." if rest else given


def _initial(word: str) -> str:
    """The first letter with the marks that belong to it."""
    marks = 1
    while marks < len(word) and unicodedata.category(word[marks]).startswith("M"):
        marks += 1
    return word[:marks].upper()


def spelled(number: str) -> str:
    """A token's number as a voice reads it, letter by letter and digit by digit: A-017 is "A, 0, 1, 7"."""
    return ", ".join(sign for sign in number if sign.isalnum())


def room_words(name: str) -> str:
    """A room's name in the active language. "Room 4" is translated, a name of its own is not."""
    plain = re.fullmatch(r"room\s+(\S+)", name.strip(), re.IGNORECASE)
    return _("Room %(name)s") % {"name": plain[1]} if plain else name


def sentence(call: Call) -> str:
    """What is spoken for a call, in the active language."""
    words = _("Token %(number)s. Please go to %(room)s.")
    return words % {"number": spelled(call.number), "room": room_words(call.room)}
