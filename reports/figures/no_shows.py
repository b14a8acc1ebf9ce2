"""Who did not come, by source and by day. Pure."""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal

from django.utils import dateformat
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from reports import words
from reports.charts import bars, svg
from reports.figures.figure import Figure, Ground
from reports.figures.seen import dates_of, day_of
from reports.periods import Period
from reports.records import Counts, Tokens
from reports.tables import Column, Kind, Table

FEW = 20
"""A share is said of so many people at least."""
WORSE = 1.5
"""A share that is so many times that of all is worth saying."""


def no_shows(tokens: Tokens, ground: Ground) -> Figure:
    """Who did not come, by source; of a month by day too."""
    found = {source: tokens.of_source(source) for source in words.SOURCES}
    found = {source: counts for source, counts in found.items() if counts.due}
    days = {date: counts for date in tokens.dates if (counts := tokens.of_date(date)).due}
    picture = _people(found) if ground.period.is_day else _shares(found, days, ground.period)
    return Figure(
        key="no-shows",
        heading=heading_no_shows(found, tokens.all, ground.period),
        about=_about(found, ground.period),
        picture=picture if found else SafeString(""),
        table=_table_no_shows(tokens, found, ground.period) if found else None,
    )


def heading_no_shows(by_source: Mapping[str, Counts], total: Counts, period: Period) -> str:
    """How many of those due did not come; of a month which source stays away most, where that is worth saying."""
    if not total.due:
        return _("Nobody was due") if period.over else _("Nobody is due yet")
    told = {"n": words.count(total.no_show), "due": words.count(total.due)}
    if not total.no_show:
        people = ngettext("%(due)s person due", "%(due)s people due", total.due) % told
        return _("No no-shows among %(people)s") % {"people": people}
    if period.is_day:
        now = period.under_way
        if total.no_show == 1:
            return (
                _("One of %(due)s due by now did not come") % told
                if now
                else _("One of %(due)s due did not come") % told
            )
        return (
            _("%(n)s of %(due)s due by now did not come") % told
            if now
            else _("%(n)s of %(due)s due did not come") % told
        )
    overall = _rate(total)
    rates = {s: _rate(c) for s, c in by_source.items() if c.due >= FEW}
    worst = max(rates, key=lambda source: rates[source], default=None)
    if worst and len(by_source) > 1 and float(rates[worst]) >= WORSE * float(overall):
        found = {"source": words.people_of(worst), "rate": words.share(rates[worst]), "all": words.share(overall)}
        return _("%(source)s stay away most: %(rate)s of those due, %(all)s of all") % found
    return _("%(rate)s of those due did not come") % {"rate": words.share(overall)}


def _about(found: Mapping[str, Counts], period: Period) -> str:
    if not period.is_day:
        return _("No-shows as a share of those due, by day and by source, %(days)s.") % {"days": period.days}
    if _many(found):
        return _("No-shows as a share of those due, by source.")
    return _("One mark for each person due; hollow is a no-show.")


def _many(found: Mapping[str, Counts]) -> bool:
    return max((counts.due for counts in found.values()), default=0) > bars.MOST_MARKS


def _people(found: Mapping[str, Counts]) -> SafeString:
    if _many(found):
        return _rates(found)
    return bars.people([_row(source, counts) for source, counts in found.items()])


def _row(source: str, counts: Counts) -> bars.People:
    told = {"n": counts.no_show, "due": counts.due}
    said = ngettext("%(n)d no-show", "%(n)d no-shows", counts.no_show) % told if counts.no_show else ""
    spoken = _("%(due)d due, %(n)d no-shows") % told
    return bars.People(words.source(source), "", counts.due - counts.no_show, counts.no_show, spoken, said)


def _rates(found: Mapping[str, Counts]) -> SafeString:
    shares = {source: _rate(counts) for source, counts in found.items()}
    worst = max(shares.values(), default=Decimal(0))
    ordered = sorted(found, key=lambda source: -shares[source])
    return bars.bars(
        [
            bars.Bar(
                words.source(source),
                _("%(n)s of %(due)s")
                % {"n": words.count(found[source].no_show), "due": words.count(found[source].due)},
                float(shares[source]),
                words.share(words.percent(found[source].no_show, found[source].due)),
                shares[source] == worst > 0,
            )
            for source in ordered
        ]
    )


def _shares(found: Mapping[str, Counts], days: Mapping[dt.date, Counts], period: Period) -> SafeString:
    rates = {date: float(_rate(counts)) for date, counts in days.items()}
    solid = {date: rate for date, rate in rates.items() if days[date].due >= FEW} or rates
    worst = max(solid, key=lambda date: solid[date], default=None)
    drawn = [
        day_of(
            date,
            rates.get(date),
            words.share(words.percent(days[date].no_show, days[date].due)),
            stands_out=date == worst,
        )
        if date in days
        else day_of(date, None, "", stands_out=False)
        for date in dates_of(period)
    ]
    highest = max(rates.values(), default=0)
    spoken = _("No-shows by day, at most %(rate)s %%") % {"rate": f"{highest:g}"}
    columns = bars.columns(drawn, svg.share_scale(highest), "{:g} %".format, spoken) if highest else ""
    return svg.together([columns, _rates(found)])


def _table_no_shows(tokens: Tokens, found: Mapping[str, Counts], period: Period) -> Table:
    columns = [
        Column(_("Source")),
        Column(_("Due"), Kind.COUNT),
        Column(_("No-shows"), Kind.COUNT),
        Column(_("Share"), Kind.SHARE),
    ]
    rows: list[tuple[object, ...]] = [(words.source(source), *_three(counts)) for source, counts in found.items()]
    if period.is_day:
        return Table(columns, rows, (_("All"), *_three(tokens.all)))
    columns[0] = Column(_("Source or date"))
    dates = [
        (dateformat.format(date, "D j M"), *_three(tokens.of_date(date)))
        for date in tokens.dates
        if tokens.of_date(date).due
    ]
    return Table(columns, [*rows, *dates], (_("All"), *_three(tokens.all)))


def _rate(counts: Counts) -> Decimal:
    return words.percent(counts.no_show, counts.due) or Decimal(0)


def _three(counts: Counts) -> tuple[object, ...]:
    return counts.due, counts.no_show, words.percent(counts.no_show, counts.due)
