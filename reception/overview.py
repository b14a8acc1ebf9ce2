"""The hall at a glance: a line for each session, its slots from left to right on one scale of the day. Pure."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from reception.hall import Column, SlotView
from tokens.facts import SlotFacts

HOUR = timedelta(hours=1)
WORKDAY = 9
"""Hours that a scale has at least: a single short session is not drawn as wide as a day."""


@dataclass(frozen=True, slots=True)
class Scale:
    """The hours of the day that are drawn, with the places of moments on them in per cent."""

    starts_at: datetime
    hours: int
    now: datetime
    shortest: timedelta = HOUR

    @property
    def hour_width(self) -> float:
        """How wide an hour is at least, in rem: the words of the shortest slot fit."""
        return 3.75 if self.shortest >= HOUR else 6 if self.shortest >= HOUR / 2 else 10

    def at(self, moment: datetime) -> float:
        """Where a moment lies."""
        return round(100 * ((moment - self.starts_at) / HOUR) / self.hours, 2)

    @property
    def marks(self) -> list[tuple[float, datetime]]:
        """Every full hour."""
        moments = [self.starts_at + n * HOUR for n in range(self.hours)]
        return [(self.at(moment), moment) for moment in moments]

    @property
    def begun_at(self) -> float:
        """Where the hour of now begins: what is before it may be left out where there is no room for the whole day."""
        hour = (self.now - self.starts_at) // HOUR
        return self.at(self.starts_at + hour * HOUR) if 0 <= hour < self.hours else 0

    @property
    def now_at(self) -> float | None:
        """Where now is; nothing on another day."""
        at = self.at(self.now)
        return at if 0 <= at <= 100 else None


@dataclass(frozen=True, slots=True)
class Block:
    """A slot on the scale: where it begins, how long it is, and what it says in a word or two."""

    slot: SlotView
    start: float
    size: float
    tone: str
    words: str
    places: str


@dataclass(frozen=True, slots=True)
class Line:
    """A session as a line."""

    column: Column
    blocks: list[Block]
    delay: str
    longest: int | None
    next_free: str | datetime

    @property
    def late(self) -> bool:
        """Whether the delay is one."""
        return self.column.late or self.column.overdue


def scale(columns: Iterable[Column], now: datetime, zone: dt.tzinfo) -> Scale:
    """The hours from the first session's begin to the last one's end, in full hours of the facility's clock."""
    sessions = [column.session for column in columns]
    first = (
        min((s.starts_at for s in sessions), default=now).astimezone(zone).replace(minute=0, second=0, microsecond=0)
    )
    last = max((s.ends_at for s in sessions), default=now)
    shortest = min((slot.ends_at - slot.starts_at for s in sessions for slot in s.slots), default=HOUR)
    return Scale(first, max(WORKDAY, -(-(last - first) // HOUR)), now, shortest)


def line(column: Column, on: Scale) -> Line:
    """A session with its slots on the scale."""
    since = column.since_longest
    return Line(
        column=column,
        blocks=[_block(view, on) for view in column.slots],
        delay=column.punctual or (_("On time") if column.phase == "now" else ""),
        longest=max(0, int((on.now - since).total_seconds() // 60)) if since else None,
        next_free=_next_free(column),
    )


def _next_free(column: Column) -> str | datetime:
    if column.next_free:
        return column.next_free.starts_at
    return "" if column.phase == "over" else _("full today")


def _block(view: SlotView, on: Scale) -> Block:
    slot = view.facts
    start = on.at(slot.starts_at)
    tone = "past" if view.past else "wait" if view.waiting else ""
    places = ngettext("%(used)d of 1 place", "%(used)d of %(n)d places", slot.capacity)
    said = places % {"used": slot.used, "n": slot.capacity}
    return Block(view, start, round(on.at(slot.ends_at) - start, 2), tone, _words(view), said)


def _words(view: SlotView) -> str:
    """What matters of a slot: who waits, who is still here, who was seen, what is free."""
    slot, waiting = view.facts, len(view.waiting)
    if waiting:
        return ngettext("%(n)d waits", "%(n)d wait", waiting) % {"n": waiting}
    if slot.status != "open":
        return _("blocked") if slot.status == "blocked" else slot.status
    if view.past:
        return _past(view)
    if slot.overbooked:
        return _("%(n)d over") % {"n": slot.overbooked}
    return _("%(n)d free") % {"n": slot.free} if slot.free else _("full")


def _past(view: SlotView) -> str:
    left = sum(row.tone != "over" for row in view.rows)
    if left:
        return ngettext("%(n)d left", "%(n)d left", left) % {"n": left}
    return _("%(n)d seen") % {"n": len(view.rows)} if view.rows else ""


@dataclass(frozen=True, slots=True)
class Numbers:
    """The overview's numbers."""

    inside: int
    doctors: int
    here: int
    waiting: int
    free: int


def numbers(columns: Sequence[Column]) -> Numbers:
    """How many doctors are in, how many people are here and wait for a place, how many places are left."""
    doctors = {c.session.doctor_id for c in columns if c.session.status != "cancelled"}
    inside = {c.session.doctor_id for c in columns if c.phase == "now" and not c.overdue}
    return Numbers(
        inside=len(inside),
        doctors=len(doctors),
        here=sum(c.here for c in columns),
        waiting=sum(c.waiting for c in columns),
        free=sum(c.free for c in columns),
    )


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A doctor of the same department who has a place, where this one has none."""

    column: Column
    slot: SlotFacts


def elsewhere(column: Column, columns: Iterable[Column]) -> Elsewhere | None:
    """Where the department has its first free place, when this session has none; nothing while it has one."""
    if column.next_free or column.phase == "over":
        return None
    found = [
        Elsewhere(other, other.next_free)
        for other in columns
        if other.next_free and other.session.department_id == column.session.department_id
    ]
    return min(found, key=lambda each: (each.slot.starts_at, -each.slot.free), default=None)
