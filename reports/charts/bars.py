"""Bars: one a name, one a day, one for several parts; and marks that are counted. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.html import format_html
from django.utils.safestring import SafeString

from reports.charts import svg
from reports.charts.lanes import lane, plot
from reports.charts.svg import Scale
from reports.words import count

_ROOM: Final = 0.7
"""The longest bar leaves room for the words behind it."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar with its words; `stands_out` where the heading is about it."""

    name: str
    about: str
    value: float
    words: str
    stands_out: bool = False


def bars(rows: Sequence[Bar]) -> SafeString:
    """Bars on one scale, the words behind each."""
    longest = max((abs(row.value) for row in rows), default=0) or 1
    return plot([_bar(row, longest) for row in rows], "two")


def _bar(row: Bar, longest: float) -> SafeString:
    size = _ROOM * abs(row.value) / longest
    kind = "t1" if row.stands_out else "t2"
    box = svg.rect(kind if row.value >= 0 else "below", 0, size, 7, 14)
    picture = svg.drawing(
        28, f"{row.name}: {row.words}", box, svg.text(row.words, size, 19, class_="v", dx=8 if size else 0)
    )
    return lane(row.name, row.about, picture)


@dataclass(frozen=True, slots=True)
class Day:
    """A column of a month: its day, its value; None where there was nothing to count."""

    label: str
    value: float | None
    words: str
    stands_out: bool = False
    marked: bool = False


_TOP: Final = 24
_FLOOR: Final = 120
_HIGH: Final = 140
_LEFT: Final = 0.1
"""Room for the words of the scale."""


def columns(days: Sequence[Day], scale: Scale, label: Callable[[float], str], words: str) -> SafeString:
    """Columns by day. The one that stands out says its value; `marked` days have their label under them.

    Args:
        label: how a value of the scale is written.
        words: what the picture is, for those who do not see it.
    """
    step = (1 - _LEFT) / max(1, len(days))
    marks: list[str] = []
    for mark in scale.marks[1:]:
        y = _FLOOR - (_FLOOR - _TOP) * scale.at(mark)
        marks += [svg.line("grid", 0, 1, y, y), svg.text(label(mark), 0, y - 4, class_="ax")]
    for number, day in enumerate(days):
        marks += _column(day, number, step, scale)
    return svg.drawing(_HIGH, words, *marks, svg.line("base", 0, 1, _FLOOR, _FLOOR))


def _column(day: Day, number: int, step: float, scale: Scale) -> list[SafeString]:
    left, marks = _LEFT + (number + 0.15) * step, []
    if day.value:
        high = (_FLOOR - _TOP) * scale.at(day.value)
        marks.append(svg.rect("t1" if day.stands_out else "t2", left, 0.7 * step, _FLOOR - high, high))
        if day.stands_out:
            middle = left + 0.35 * step
            marks.append(svg.text(day.words, middle, _FLOOR - high - 6, class_="v", anchor=svg.anchor_at(middle, 0.08)))
    if day.marked:
        middle = left + 0.35 * step
        marks.append(svg.text(day.label, middle, 135, class_="ax", anchor=svg.anchor_at(middle, 0.04)))
    return marks


def parts(values: Sequence[int], words: str) -> SafeString:
    """One bar in parts, each in a tone of its own."""
    whole, start, marks = sum(values) or 1, 0.0, []
    for number, value in enumerate(values):
        if value:
            size = value / whole
            marks.append(svg.rect(f"t{number + 1}", start, max(0.002, size - 0.004), 0, 14))
            start += size
    return svg.drawing(14, words, *marks)


# Marks that are counted


@dataclass(frozen=True, slots=True)
class People:
    """A mark for each person; the last ones hollow."""

    name: str
    about: str
    solid: int
    hollow: int
    words: str
    said: str = ""


MOST_MARKS: Final = 40
"""More than these are no longer counted at a look: a bar says more."""


def people(rows: Sequence[People]) -> SafeString:
    """A row of marks for each name, each mark a person."""
    return plot([_people(row) for row in rows], "two")


def _people(row: People) -> SafeString:
    marks = []
    for number in range(row.solid + row.hollow):
        hollow = number >= row.solid
        marks.append(
            svg.element(
                "rect",
                class_="free" if hollow else "t1",
                x=f"{8 * number + hollow * 0.5:g}",
                y="7.5" if hollow else "7",
                width="5" if hollow else "6",
                height="13" if hollow else "14",
            )
        )
    wide = 8 * (row.solid + row.hollow)
    said = svg.element("text", row.said, class_="v", x=wide + 4, y=19) if row.said else ""
    return lane(row.name, row.about, svg.drawing(28, f"{row.name}: {row.words}", *marks, said))


def unit(number: int, most: int = 35) -> SafeString:
    """A number as small squares beside it, seven a row; only the number where they are too many."""
    if not number or number > most:
        return format_html("<b>{}</b>", count(number))
    squares = [
        svg.element("rect", class_="t1", x=7 * (n % 7), y=7 * (n // 7), width="5.5", height="5.5")
        for n in range(number)
    ]
    picture = svg.drawing(7 * -(-number // 7), "", *squares, width=str(7 * min(7, number)))
    return format_html('<span class="unit">{}<b>{}</b></span>', picture, number)
