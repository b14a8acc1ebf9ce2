"""Places by doctor and hour: what was offered is an outline, what was taken fills it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.html import format_html
from django.utils.safestring import SafeString

from reports.charts import svg
from reports.charts.lanes import lane, plot
from reports.words import hour

_WORKDAY: Final = 9
_TOP: Final = 6
_FULL: Final = 24
_HEIGHT: Final = 50
_FEW_HOURS: Final = 14
"""Above so many hours every second one is named."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A box: from when for how long in hours, how full, what stands under it."""

    start: float
    size: float
    share: float
    words: str
    over: bool = False
    past: bool = False
    blocked: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """The boxes of a doctor."""

    name: str
    about: str
    cells: Sequence[Cell]
    value: str
    words: str


def blocks(rows: Sequence[Row]) -> SafeString:
    """A lane for each doctor on one scale of the day, in full hours."""
    cells = [cell for row in rows for cell in row.cells]
    first = int(min((cell.start for cell in cells), default=9))
    last = max((cell.start + cell.size for cell in cells), default=first)
    hours = max(_WORKDAY, int(-(-(last - first) // 1)))
    return plot([_axis(first, hours), *(_row(row, first, hours) for row in rows)], "blocks")


def _axis(first: int, hours: int) -> SafeString:
    every = 1 if hours <= _FEW_HOURS else 2
    words = [svg.text(hour(first + n), n / hours, 12, class_="ax") for n in range(0, hours, every)]
    return format_html(
        '<div class="lane axis" aria-hidden="true"><span class="lab"></span>{}</div>', svg.drawing(18, "", *words)
    )


def _row(row: Row, first: int, hours: int) -> SafeString:
    marks = [mark for cell in row.cells for mark in _cell(cell, first, hours)]
    values = format_html("<b>{}</b>", row.value)
    return lane(row.name, row.about, svg.drawing(_HEIGHT, f"{row.name}: {row.words}", *marks), values)


def _room(size: float) -> str:
    """How short a slot is: its words are left out where the screen has no room for them; the table has them."""
    return next((name for name, least in (("tiny", 0.2), ("short", 0.4), ("half", 0.75)) if size < least), "")


def _cell(cell: Cell, first: int, hours: int) -> list[SafeString]:
    left, width = (cell.start - first) / hours, 0.94 * cell.size / hours
    high = _FULL * min(1.0, cell.share)
    marks = [svg.rect("free blk" if cell.blocked else "free", left, width, _TOP, _FULL)]
    if high:
        marks.append(svg.rect("pst" if cell.past else "t1", left, width, _TOP + _FULL - high, high))
    if cell.over:
        marks.append(svg.rect("ov", left, width, _TOP - 5, 4))
    marks.append(svg.text(cell.words, left + width / 2, 45, class_=f"ax {_room(cell.size)}".strip(), anchor="middle"))
    return marks
