"""The arithmetic of schedules: wall clocks, windows, weekly lines that meet, and the letters on the slips.

Pure functions and values: no database, no clock, no settings.
"""

from bisect import bisect_left, insort
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Generic, TypeVar
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)

What = TypeVar("What")


class NonexistentTimeError(ValueError):
    """The clocks jump over this wall-clock time on this day."""

    def __init__(self, day: date, at: time, zone: ZoneInfo) -> None:
        self.day, self.at, self.zone = day, at, zone
        super().__init__(f"{at:%H:%M} does not exist on {day:%d %b %Y} in {zone.key}: the clocks jump over it.")


@dataclass(frozen=True, order=True)
class Window:
    """A half-open stretch of time, `[starts_at, ends_at)`, both in UTC: windows that only touch do not overlap."""

    starts_at: datetime
    ends_at: datetime

    def overlaps(self, other: "Window") -> bool:
        """Say whether the two share a moment."""
        return self.starts_at < other.ends_at and other.starts_at < self.ends_at

    def contains(self, other: "Window") -> bool:
        """Say whether the other lies wholly inside this one."""
        return self.starts_at <= other.starts_at and other.ends_at <= self.ends_at

    def touches(self, other: "Window") -> bool:
        """Say whether the two overlap or one begins where the other ends."""
        return self.starts_at <= other.ends_at and other.starts_at <= self.ends_at

    def with_(self, other: "Window") -> "Window":
        """The shortest window that holds both."""
        return Window(min(self.starts_at, other.starts_at), max(self.ends_at, other.ends_at))


def to_utc(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The moment at which the wall clock of `zone` shows `at` on `day`.

    An ambiguous time (the clocks go back) is the first of the two.

    Raises:
        NonexistentTimeError: the clocks jump over it.
    """
    wall = datetime.combine(day, at).replace(tzinfo=zone, fold=0)
    moment = wall.astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) != wall.replace(tzinfo=None):
        raise NonexistentTimeError(day, at, zone)
    return moment


def session_window(day: date, from_time: time, to_time: time, zone: ZoneInfo) -> Window:
    """From-to on the wall of `zone`, beginning on `day`; an end that is not after the start is the next morning's.

    Raises:
        NonexistentTimeError: the clocks jump over the start or the end.
    """
    last_day = day if to_time > from_time else day + DAY
    return Window(to_utc(day, from_time, zone), to_utc(last_day, to_time, zone))


def cut(window: Window, minutes: int) -> list[Window]:
    """Cut a session into slots of `minutes` true minutes, from its start on.

    Only whole slots are made: what remains at the end is the doctor's time to catch up, and takes no patients
    (a slot of 5 minutes with the capacity of a full one would promise what nobody can keep).
    """
    step = minutes * MINUTE
    count = (window.ends_at - window.starts_at) // step
    return [Window(window.starts_at + n * step, window.starts_at + (n + 1) * step) for n in range(count)]


@dataclass(frozen=True)
class Weekly:
    """A template line as two lines are compared: a weekday (Monday is 0), wall times, and when it is valid."""

    weekday: int
    from_time: time
    to_time: time
    valid_from: date
    valid_to: date | None = None

    @property
    def hours(self) -> tuple[timedelta, timedelta]:
        """Start and end on the wall clock since the midnight before the start."""
        start, end = (
            timedelta(hours=at.hour, minutes=at.minute, seconds=at.second) for at in (self.from_time, self.to_time)
        )
        return start, end if end > start else end + DAY

    def first_date(self, since: date) -> date:
        """The first date from `since` on that falls on its weekday, whether or not the line is valid then."""
        return since + (self.weekday - since.weekday()) % 7 * DAY

    def dates(self, first: date, last: date) -> Iterator[date]:
        """Every date of the line from `first` to `last`, both included."""
        day = self.first_date(max(first, self.valid_from))
        last = min(last, self.valid_to or last)
        while day <= last:
            yield day
            day += 7 * DAY


def first_clash(one: Weekly, other: Weekly) -> date | None:
    """The first date on which a day of `one` meets a day of `other`, or None where they never meet.

    A line across midnight meets the next morning's.
    """
    start, end = one.hours
    other_start, other_end = other.hours
    found = []
    for shift in (-1, 0, 1):  # the other begins the day before, the same day, the day after
        if (other.weekday - one.weekday - shift) % 7:
            continue
        if start < other_end + shift * DAY and other_start + shift * DAY < end:
            day = one.first_date(max(one.valid_from, other.valid_from - shift * DAY))
            ends = [last for last in (one.valid_to, other.valid_to and other.valid_to - shift * DAY) if last]
            if all(day <= last for last in ends):
                found.append(day)
    return min(found, default=None)


@dataclass
class Diary(Generic[What]):
    """Who and what is taken when: the windows of each doctor and room, in order, none overlapping another."""

    entries: dict[Hashable, list[tuple[Window, What]]] = field(default_factory=dict)

    def clash(self, key: Hashable, window: Window) -> tuple[Window, What] | None:
        """The first entry of `key` that shares a moment with `window`, or None."""
        entries = self.entries.get(key, [])
        at = bisect_left(entries, window.starts_at, key=lambda entry: entry[0].starts_at)
        for entry in entries[max(0, at - 1) : at + 1]:
            if entry[0].overlaps(window):
                return entry
        return None

    def add(self, key: Hashable, window: Window, what: What) -> None:
        """Enter a window that does not clash."""
        insort(self.entries.setdefault(key, []), (window, what), key=lambda entry: entry[0].starts_at)


def prefix_at(index: int) -> str:
    """The letters of a running number from 0: A, B ... Z, AA, AB ... ZZ, AAA."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


@dataclass
class Letters:
    """Gives each session its letters: unique among the sessions of a date, and the same day after day.

    A doctor keeps the letters of the first, second ... session of the day; a letter that belongs to somebody is not
    given to another while free ones are left.
    """

    taken: dict[date, set[str]] = field(default_factory=dict)
    habits: dict[tuple[int, int], str] = field(default_factory=dict)
    counts: dict[tuple[int, date], int] = field(default_factory=dict)

    @classmethod
    def after(cls, known: Iterable[tuple[date, int, str]]) -> "Letters":
        """From the sessions that are there, in order of their start, as (date, doctor, prefix)."""
        letters = cls()
        for day, doctor, prefix in known:
            letters.habits[doctor, letters._take(day, doctor, prefix)] = prefix
        return letters

    def give(self, day: date, doctor: int) -> str:
        """The letters for the doctor's next session of the day."""
        nth = self.counts.get((doctor, day), 0)
        prefix = self.habits.get((doctor, nth))
        taken = self.taken.get(day, set())
        if prefix is None or prefix in taken:
            prefix = self._free(taken | set(self.habits.values()))
        self.habits.setdefault((doctor, nth), prefix)
        self._take(day, doctor, prefix)
        return prefix

    def _take(self, day: date, doctor: int, prefix: str) -> int:
        nth = self.counts.get((doctor, day), 0)
        self.counts[doctor, day] = nth + 1
        self.taken.setdefault(day, set()).add(prefix)
        return nth

    @staticmethod
    def _free(taken: set[str]) -> str:
        index = 0
        while (prefix := prefix_at(index)) in taken:
            index += 1
        return prefix


def wall(moment: datetime, zone: ZoneInfo) -> str:
    """A moment as the clock on the facility's wall shows it: `21 Nov 09:00`."""
    return f"{moment.astimezone(zone):%d %b %H:%M}"
