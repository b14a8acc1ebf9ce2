"""What a live screen is made of: a watch says what to read and when, a frame is one state of it."""

import datetime as dt
import html
import json
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from typing import Any, Final

DAY: Final = dt.timedelta(days=1)
Rows = Iterable[tuple[int, int, dt.date, int]]
Versions = frozenset[tuple[int, int]]
"""Sessions with their versions."""


def mark_of(part: str) -> str:
    """A few letters that change with the text; one change in a million million goes unseen."""
    return blake2b(part.encode(), digest_size=5).hexdigest()


@dataclass(frozen=True)
class Frame:
    """One state of a screen.

    Attributes:
        version: goes out as the event's id, and comes back from a browser that connects again. `Frame.of` makes it of
            the parts, so it says which of them a browser has; any other text stands for the state as a whole.
        parts: by the id of an element, its whole HTML.
    """

    version: str
    parts: Mapping[str, str]
    _events: dict[tuple[str, ...], bytes] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, parts: Mapping[str, str]) -> "Frame":
        """A frame whose version is made of its parts."""
        return cls("-".join(mark_of(part) for part in parts.values()), parts)

    @cached_property
    def marks(self) -> dict[str, str]:
        """Each part's mark."""
        return {name: mark_of(part) for name, part in self.parts.items()}

    def unseen(self, version: str) -> tuple[str, ...]:
        """The ids of the parts that somebody with this version does not have."""
        if version == self.version:
            return ()
        seen = set(version.split("-"))
        return tuple(name for name, mark in self.marks.items() if mark not in seen)

    def event(self, names: tuple[str, ...]) -> bytes:
        """These parts as an event of a page: made once, however many streams send it."""
        known = self._events.get(names)
        if known is None:
            # Each part apart: a row of a table means nothing to a browser that reads it after a paragraph.
            data = json.dumps([self.parts[name] for name in names], ensure_ascii=False, separators=(",", ":"))
            known = self._events[names] = event("parts", data, self.version)
        return known


def event(kind: str, data: str, version: str) -> bytes:
    """A server-sent event; the data is one line, such as JSON."""
    return f"id: {version}\nevent: {kind}\ndata: {data}\n\n".encode()


def arranged(container: str, names: Iterable[str]) -> str:
    """The part for a container whose children are parts themselves: which of them stand in it, and in which order.

    The page's own container carries `data-parts` too; the browser keeps the children that are still named.
    """
    return f'<div id="{html.escape(container)}" data-parts="{html.escape(" ".join(names))}"></div>'


@dataclass(frozen=True)
class Watch:
    """What a stream watches. Equal keys are read and rendered once per process for all their streams.

    Attributes:
        key: everything that the parts depend on: facility, date, permissions shown, filter, language.
        read: the state now. Runs in the hub's thread and may query; None says that it is gone for good, and ends the
            streams. It must not keep the request, nor depend on who asks beyond the key.
        session_ids: changes of these sessions wake it.
        facility_id: changes of any session of this facility wake it, new sessions too.
        date: of which date, where it is not the facility's own day of now.
        only: the parts that this stream sends; None sends all. So patients of one session share one read.
    """

    key: Hashable
    read: Callable[[], Frame | None]
    session_ids: frozenset[int] = frozenset()
    facility_id: int | None = None
    date: dt.date | None = None
    only: frozenset[str] | None = None

    def concerns(self, facility_id: int, session_id: int) -> bool:
        """Whether a hint about this session wakes it."""
        return session_id in self.session_ids or (facility_id == self.facility_id)

    def days(self, today: dt.date) -> tuple[dt.date, ...]:
        """The dates of the facility's sessions that count: also the night before, which lasts into the day.

        Args:
            today: by UTC; the facility's own may be the one before or after.
        """
        return (self.date - DAY, self.date) if self.date else (today - DAY, today, today + DAY)


def versions_query(watches: Iterable[Watch], today: dt.date) -> tuple[str, tuple[Any, ...]]:
    """The statement whose rows `Known` sorts: sessions with facility, date and version."""
    ids: set[int] = set()
    facilities: set[int] = set()
    days: set[dt.date] = set()
    for watch in watches:
        ids |= watch.session_ids
        if watch.facility_id is not None:
            facilities.add(watch.facility_id)
            days.update(watch.days(today))
    statement = (
        "SELECT id, facility_id, date, version FROM scheduling_session"
        " WHERE id = ANY(%s) OR (facility_id = ANY(%s) AND date = ANY(%s))"
    )
    return statement, (list(ids), list(facilities), list(days))


class Known:
    """Versions of sessions as they were read at one moment."""

    def __init__(self, rows: Rows, today: dt.date) -> None:
        self.today = today
        self.by_id: dict[int, int] = {}
        self.by_day: dict[tuple[int, dt.date], list[tuple[int, int]]] = {}
        for session_id, facility_id, date, version in rows:
            self.by_id[session_id] = version
            self.by_day.setdefault((facility_id, date), []).append((session_id, version))

    def of(self, watch: Watch) -> Versions:
        """The versions that a watch stands on."""
        found = {(session_id, self.by_id.get(session_id, 0)) for session_id in watch.session_ids}
        if watch.facility_id is not None:
            for day in watch.days(self.today):
                found.update(self.by_day.get((watch.facility_id, day), ()))
        return frozenset(found)
