"""Lanes: a name, marks on one scale, and the two figures that matter. For waits and for shares. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from reports.charts import svg
from reports.charts.svg import Scale
from reports.records import Wait
from reports.words import NOTHING

MOST_DOTS: Final = 60
"""More cases than these are drawn as a range."""
ENOUGH: Final = 10
"""Nine of ten is said from so many cases on."""
_HEIGHT: Final = 34
_HEADED: Final = 64
_STACK: Final = 6


@dataclass(frozen=True, slots=True)
class Lane:
    """One row of waits."""

    name: str
    about: str
    wait: Wait
    words: str
    all: bool = False

    @property
    def dots(self) -> bool:
        """Whether its cases are drawn one by one."""
        return 0 < len(self.wait.each) <= MOST_DOTS

    @property
    def enough(self) -> bool:
        """Whether there are enough for nine of ten."""
        return self.wait.called >= ENOUGH

    @property
    def reach(self) -> int:
        """How far its marks go."""
        return self.wait.longest if self.dots or not self.enough else self.wait.high


def waits(lanes: Sequence[Lane]) -> SafeString:
    """Waits on one scale of minutes: dots where there are few, ranges where there are many."""
    scale = svg.minutes_scale(max((lane.reach for lane in lanes), default=1))
    return plot([*(_row(lane, scale) for lane in lanes), _axis(scale)])


def plot(rows: Sequence[str], kind: str = "") -> SafeString:
    """Lanes one under the other."""
    return format_html('<div class="plot{}">{}</div>', f" {kind}" if kind else "", svg.together(rows))


def lane(name: str, about: str, picture: str, values: str = "", kind: str = "") -> SafeString:
    """A lane: what it is, its picture, its figures."""
    return format_html(
        '<div class="lane{}"><span class="lab">{}{}</span>{}{}</div>',
        f" {kind}" if kind else "",
        name,
        format_html(" <small>{}</small>", about) if about else "",
        picture,
        format_html('<span class="val">{}</span>', values) if values else "",
    )


def _row(row: Lane, scale: Scale) -> SafeString:
    wait, height = row.wait, _HEADED if row.all else _HEIGHT
    middle = height - _HEIGHT / 2
    marks = [_grid(scale, height), *(_dots(row, scale, middle) if row.dots else _range(wait, scale, middle))]
    half = scale.at(wait.half)
    marks.append(svg.line("med", half, half, middle - 10, middle + 10))
    if row.enough:
        high = scale.at(wait.high)
        marks.append(svg.line("p90", high, high, middle - 7, middle + 7))
    if row.all:
        marks += _said(row, scale)
    values = format_html(
        '<b>{}</b> <span class="{}">{}</span>',
        wait.half,
        "muted" if row.enough else "faint",
        wait.high if row.enough else NOTHING,
    )
    picture = svg.drawing(height, f"{row.name}: {row.words}", *marks)
    return lane(row.name, row.about, picture, values, "all" if row.all else "")


def _said(row: Lane, scale: Scale) -> list[SafeString]:
    """What the two lines mean, above each other so that they never meet."""
    half, high = scale.at(row.wait.half), scale.at(row.wait.high)
    told = [
        svg.text(_("half within %(n)d min") % {"n": row.wait.half}, half, 11, class_="v", anchor=svg.anchor_at(half))
    ]
    if row.enough:
        words = _("nine of ten within %(n)d") % {"n": row.wait.high}
        told.append(svg.text(words, high, 27, anchor=svg.anchor_at(high)))
    return told


def _dots(row: Lane, scale: Scale, middle: float) -> list[SafeString]:
    """Each case a dot; equal ones stand on each other."""
    marks = []
    if row.enough:
        marks.append(svg.line("r1", scale.at(row.wait.low), scale.at(row.wait.high), middle, middle))
    for minutes, number in sorted(Counter(row.wait.each).items()):
        place = svg.percent(scale.at(minutes))
        # A high pile stands closer, so that it stays in its lane.
        apart = min(_STACK, (middle - 4) / max(1, number - 1))
        marks += [
            svg.element("circle", class_="pt", cx=place, cy=f"{round(middle - n * apart, 1):g}", r=3)
            for n in range(number)
        ]
    return marks


def _range(wait: Wait, scale: Scale, middle: float) -> list[SafeString]:
    """Eight of ten as a thin line, the middle half as a bar."""
    quarter, last = scale.at(wait.quarter), scale.at(wait.three_quarters)
    return [
        svg.line("r1", scale.at(wait.low), scale.at(wait.high), middle, middle),
        svg.rect("t3", quarter, last - quarter, middle - 6, 12),
    ]


def _grid(scale: Scale, height: float) -> SafeString:
    return svg.together(svg.line("grid", scale.at(mark), scale.at(mark), 0, height) for mark in scale.marks)


def _axis(scale: Scale) -> SafeString:
    ends = {0.0: "start", scale.top: "end"}
    words = [
        svg.text(
            _("%(n)s min") % {"n": 0} if mark == 0 else f"{mark:g}",
            scale.at(mark),
            12,
            class_="ax",
            anchor=ends.get(mark, "middle"),
        )
        for mark in scale.marks
    ]
    return format_html(
        '<div class="lane axis" aria-hidden="true"><span class="lab"></span>{}</div>', svg.drawing(18, "", *words)
    )


# Two shares against what was promised


@dataclass(frozen=True, slots=True)
class Promise:
    """A row of two shares, in per cent, against 50 and 90."""

    name: str
    about: str
    first: float
    second: float
    words: str
    stands_out: bool = False


def promises(rows: Sequence[Promise]) -> SafeString:
    """How much was kept: a dotted line where it was promised, a dot where it turned out."""
    return plot([_promised(), *(_kept(row) for row in rows)])


def _promised() -> SafeString:
    marks = [svg.line("ref", share, share, 18, 32) for share in (0.5, 0.9)]
    words = [
        svg.text(_("promised 50 %"), 0.5, 12, class_="ax", anchor="middle"),
        svg.text(_("90 %"), 0.9, 12, class_="ax", anchor="middle"),
    ]
    return format_html(
        '<div class="lane axis" aria-hidden="true"><span class="lab"></span>{}</div>',
        svg.drawing(32, "", *words, *marks),
    )


def _kept(row: Promise) -> SafeString:
    first, second = row.first / 100, row.second / 100
    marks = [svg.line("ref", share, share, 0, _HEIGHT) for share in (0.5, 0.9)]
    marks.append(svg.line("r1", first, second, 20, 20))
    marks += [
        svg.element("circle", class_=kind, cx=svg.percent(share), cy=20, r=5)
        for kind, share in (("dot", first), ("dot hol", second))
    ]
    values = format_html('<b>{}</b> <span class="muted">{}</span>', f"{row.first:.0f}", f"{row.second:.0f}")
    picture = svg.drawing(_HEIGHT, f"{row.name}: {row.words}", *marks)
    return lane(row.name, row.about, picture, values, "bad" if row.stands_out else "")
