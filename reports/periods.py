"""The time a report is about: a day or a month of a facility, and how much of it has passed. Pure."""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from django.utils import dateformat
from django.utils.translation import gettext as _


class Span(StrEnum):
    """How long a report is."""

    DAY = "day"
    MONTH = "month"


EARLIEST: Final = dt.date(1990, 1, 1)
LATEST: Final = dt.date(2199, 12, 31)


@dataclass(frozen=True, slots=True)
class Period:
    """A day or a calendar month on the facility's calendar.

    Attributes:
        first, last: its first and last date.
        now: the moment of the report on the facility's clock.
    """

    span: Span
    first: dt.date
    last: dt.date
    now: dt.datetime

    @property
    def today(self) -> dt.date:
        """The facility's date of now."""
        return self.now.date()

    @property
    def is_day(self) -> bool:
        """Whether it is one day."""
        return self.span == Span.DAY

    @property
    def ahead(self) -> bool:
        """Whether it has not begun."""
        return self.first > self.today

    @property
    def over(self) -> bool:
        """Whether nothing more comes."""
        return self.last < self.today

    @property
    def under_way(self) -> bool:
        """Whether it is not over."""
        return self.first <= self.today <= self.last

    @property
    def until(self) -> dt.date:
        """The last date of it that has come."""
        return min(self.last, self.today)

    @property
    def through(self) -> dt.date:
        """The last date that the figures are about: of a month that is not over, today; what is ahead, as it stands."""
        return self.last if self.ahead else self.until

    @property
    def code(self) -> str:
        """As it stands in addresses and names of files: 2026-11-21, or 2026-11."""
        return f"{self.first:%Y-%m-%d}" if self.is_day else f"{self.first:%Y-%m}"

    @property
    def title(self) -> str:
        """What it is called: "Saturday 21 November, to 10:24", "November 2026, to the 21st"."""
        if self.is_day:
            year = "" if self.first.year == self.today.year else " Y"
            name = dateformat.format(self.first, f"l j F{year}")
            return _("%(day)s, to %(time)s") % {"day": name, "time": f"{self.now:%H:%M}"} if self.under_way else name
        name = dateformat.format(self.first, "F Y")
        if not self.under_way or self.today == self.last:
            return name
        return _("%(month)s, to the %(day)s") % {"month": name, "day": dateformat.format(self.today, "jS")}

    @property
    def days(self) -> str:
        """The days as a line says them: "21 November 2026", "1 to 21 November 2026"."""
        last = dateformat.format(max(self.first, self.until), "j F Y")
        if self.is_day or self.until <= self.first:
            return last if not self.ahead else dateformat.format(self.first, "j F Y" if self.is_day else "F Y")
        return _("%(first)d to %(last)s") % {"first": self.first.day, "last": last}

    @property
    def earlier(self) -> str:
        """The code of the one before."""
        return of(self.span, self.first - dt.timedelta(days=1), self.now).code

    @property
    def later(self) -> str:
        """The code of the one after; nothing where this one is not over."""
        return "" if self.last >= self.today else of(self.span, self.last + dt.timedelta(days=1), self.now).code

    def other(self, span: Span) -> str:
        """The code of the day in the month, or of the month around the day. Of a month its last day that has come."""
        day = self.first if self.is_day or self.ahead else self.until
        return of(span, day, self.now).code


def of(span: Span, date: dt.date, now: dt.datetime) -> Period:
    """The day, or the month in which it lies.

    Args:
        now: on the facility's clock.
    """
    if span == Span.DAY:
        return Period(span, date, date, now)
    first = date.replace(day=1)
    after = (first + dt.timedelta(days=31)).replace(day=1)
    return Period(span, first, after - dt.timedelta(days=1), now)


def parse(text: str, now: dt.datetime, span: Span | None = None) -> Period:
    """A period as an address has it: 2026-11-21 is a day, 2026-11 a month; nothing is today.

    Args:
        span: the day's month, or the month's day that `Period.other` names, where it is not what the text says.

    Raises:
        ValueError: it is neither, or not within living memory.
    """
    text = text.strip()
    if not text:
        return of(span or Span.DAY, now.date(), now)
    found = Span.MONTH if len(text) == len("2026-11") else Span.DAY
    date = dt.date.fromisoformat(f"{text}-01" if found == Span.MONTH else text)
    if not EARLIEST <= date <= LATEST:
        raise ValueError(text)
    period = of(found, date, now)
    return period if span in (None, found) else parse(period.other(span), now)
