"""The parts of the desk that everybody shares: HTML by the id of its element, for the page and for its stream.

A part depends on the hall and on its `Sight`, never on who looks: no form's token, no key of a press. What belongs to
one person (which row is selected, what was unfolded) is put in by the page or by the browser.

A column is made of what was read of its session and of nothing else, so its HTML is kept under exactly that for as
long as its minutes are right: when one of eight doctors calls a patient, one column is written anew.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.safestring import SafeString, mark_safe

from accounts.models import Facility
from common.kept import Kept
from reception import filters, overview, queries
from reception.filters import Hall
from reception.hall import Column
from reception.overview import Scale
from reception.pages.untold import telling
from reception.queries import Day
from tokens.live import shared
from tokens.live.frames import Frame, arranged

_kept: Final[Kept[str]] = Kept(seconds=60, most=400)
"""HTML by what it was made of. A busy house has some forty sessions, each as a column and as a row."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What the shared HTML depends on besides the hall: equal sights see the same.

    Attributes:
        show: the chosen filter; empty where it chooses by itself.
        own: the user whose columns are "mine"; 0 for who has none.
        may_call: whether columns have the button that calls the next patient.
        may_tell: whether those who are to be told of a change are listed.
        overview: a row a doctor instead of a column.
        money: whether rows say what is due.
    """

    facility_id: int
    date: dt.date
    show: str = ""
    own: int = 0
    may_call: bool = False
    may_tell: bool = False
    language: str = "en"
    overview: bool = False
    money: bool = False


@dataclass(frozen=True, slots=True)
class Parts:
    """What stands on the page, and of which doctors.

    Attributes:
        lists: of each element whose children are parts themselves, which they are.
    """

    frame: Frame
    hall: Hall
    lists: Mapping[str, tuple[str, ...]]

    @property
    def html(self) -> Mapping[str, str]:
        """The whole HTML of an element by its id."""
        return self.frame.parts

    def inside(self, container: str) -> SafeString:
        """The HTML of the children of such an element, for the whole page."""
        return mark_safe("".join(self.html[name] for name in self.lists[container]))  # noqa: S308 - our templates' own


def frame(sight: Sight) -> Frame | None:
    """What the stream of a desk sends; nothing where the facility is gone. Six queries, shared by all sights of it."""
    day = shared(("day", sight.facility_id, sight.date), lambda: _day(sight))
    return parts(day, sight).frame if day else None


def _day(sight: Sight) -> Day | None:
    facility = Facility.objects.filter(pk=sight.facility_id, is_active=True).first()
    return queries.day(facility, sight.date) if facility else None


def hall_of(day: Day, sight: Sight) -> Hall:
    """The columns that a sight shows, with the filters."""
    if sight.overview:
        return filters.by_need(day.columns, sight.show)
    return filters.by_phase(day.columns, sight.show, user_id=sight.own, today=day.is_today)


def parts(day: Day, sight: Sight) -> Parts:
    """The parts of a day that has been read."""
    with timezone.override(day.facility.tz), translation.override(sight.language):
        hall = hall_of(day, sight)
        top = {"hall": hall, "day": day, "figures": day.figures(), "numbers": overview.numbers(day.columns)}
        container = "ov-rows" if sight.overview else "columns"
        children = _lines(day, hall, sight) if sight.overview else _columns(day, hall, sight)
        html = {
            "figures": _write("reception/_ov_figures.html" if sight.overview else "reception/_figures.html", top),
            "tabs": _write("reception/_ov_tabs.html" if sight.overview else "reception/_tabs.html", top),
            **(telling(day.facility) if sight.may_tell else {}),
            container: arranged(container, children),
            **children,
        }
        if sight.overview:
            html["ov-scale"] = _write("reception/_ov_scale.html", {"scale": _scale(day)})
    return Parts(Frame.of(html), hall, {container: tuple(children)})


def _columns(day: Day, hall: Hall, sight: Sight) -> dict[str, str]:
    may_call = sight.may_call and day.is_today
    return {
        f"col-{column.session.id}": column_html(
            day, column, may_call=may_call, language=sight.language, money=sight.money
        )
        for column in hall.columns
    } or {"nobody": _write("reception/_nobody.html", {})}


def _scale(day: Day) -> Scale:
    """One scale for all, also for those whom a filter hides: rows do not move when it is chosen."""
    return overview.scale(day.columns, day.now, day.facility.tz)


def _lines(day: Day, hall: Hall, sight: Sight) -> dict[str, str]:
    """The rows of the overview."""
    on = _scale(day)
    return {f"ov-{column.session.id}": _line(day, column, on, sight.language) for column in hall.columns} or {
        "nobody": _write("reception/_nobody.html", {})
    }


def _line(day: Day, column: Column, on: Scale, language: str) -> str:
    drawn = (on.starts_at, on.hours, on.shortest)
    key = ("line", *day.read_of(column.session.id), drawn, language)
    return _kept.get(key, lambda: _write("reception/_ov_row.html", {"line": overview.line(column, on), "scale": on}))


def column_html(day: Day, column: Column, *, may_call: bool, language: str, money: bool = False) -> str:
    """One session as a column. The facility's clock and the language are set by the caller."""
    key = ("column", *day.read_of(column.session.id), may_call, language, money)
    context = {"column": column, "may_call": may_call, "money": money}
    return _kept.get(key, lambda: _write("reception/_column.html", context))


def _write(template: str, context: dict[str, Any]) -> str:
    return render_to_string(template, context).strip()
