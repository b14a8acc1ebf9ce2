"""Who was seen. Pure."""

import datetime as dt

from django.utils import dateformat
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from reports import words
from reports.charts import bars, svg
from reports.figures.figure import Figure, Ground
from reports.periods import Period
from reports.records import Counts, Tokens
from reports.tables import Column, Kind, Table


def seen(tokens: Tokens, ground: Ground) -> Figure:
    """Patients seen, by doctor; of a month by day too."""
    found = sorted(tokens.by_doctor.items(), key=lambda each: (-each[1].seen, ground.doctor(each[0])))
    rows = [(ground.doctor(doctor_id), ground.department_of(doctor_id), counts) for doctor_id, counts in found]
    most = rows[0][2].seen if rows else 0
    lanes = [
        bars.Bar(name, "", counts.seen, words.count(counts.seen), counts.seen == most > 0) for name, _d, counts in rows
    ]
    return Figure(
        key="seen",
        heading=heading_seen([(name, counts.seen) for name, _department, counts in rows], ground.period),
        about=_("Visits that are over, by doctor, %(days)s.") % {"days": ground.period.days},
        picture=svg.together([_days_seen(tokens, ground.period), bars.bars(lanes)]) if most else SafeString(""),
        table=_table_seen(rows, tokens.all),
    )


def heading_seen(rows: list[tuple[str, int]], period: Period) -> str:
    """How many were seen, and who saw most."""
    total = sum(number for _name, number in rows)
    if not total:
        return _("Nobody has been seen yet") if period.under_way or period.ahead else _("Nobody was seen")
    said = ngettext("%(n)s patient was seen", "%(n)s patients were seen", total) % {"n": words.count(total)}
    top = [name for name, number in rows if number == rows[0][1]]
    if len(rows) < 2 or len(top) > 1:
        return said
    told = {"said": said, "doctor": top[0], "most": words.count(rows[0][1])}
    return (
        _("%(said)s, most of them by %(doctor)s: %(most)s") % told
        if rows[0][1] * 2 > total
        else (_("%(said)s; %(doctor)s saw the most, %(most)s") % told)
    )


def _days_seen(tokens: Tokens, period: Period) -> SafeString:
    if period.is_day:
        return SafeString("")
    days = {date: tokens.of_date(date).seen for date in tokens.dates}
    most = max(days.values(), default=0)
    said = {date: words.count(number) for date, number in days.items()}
    drawn = [
        day_of(date, days.get(date), said.get(date, ""), stands_out=days.get(date) == most > 0)
        for date in dates_of(period)
    ]
    once = only_first(drawn)
    return bars.columns(
        once, svg.count_scale(most), words.whole, _("Patients seen by day, at most %(n)d") % {"n": most}
    )


def only_first(days: list[bars.Day]) -> list[bars.Day]:
    """The words of one column are enough, where several are equally high."""
    told = False
    found = []
    for day in days:
        keeps = day.stands_out and not told
        told = told or keeps
        found.append(bars.Day(day.label, day.value, day.words, keeps, day.marked))
    return found


def dates_of(period: Period) -> list[dt.date]:
    """Every date of the period."""
    return [period.first + dt.timedelta(days=n) for n in range((period.last - period.first).days + 1)]


def day_of(date: dt.date, value: float | None, said: str, *, stands_out: bool) -> bars.Day:
    """A column; every Monday, the first and the last of a month say which day they are."""
    first, monday = date.day == 1, date.weekday() == 0 and date.day > 3
    label = dateformat.format(date, "j")
    return bars.Day(label, value, said, stands_out, first or monday)


def _table_seen(rows: list[tuple[str, str, Counts]], total: Counts) -> Table | None:
    if not rows:
        return None
    columns = [
        Column(_("Doctor")),
        Column(_("Department")),
        Column(_("Tokens"), Kind.COUNT),
        Column(_("Seen"), Kind.COUNT),
        Column(_("No-shows"), Kind.COUNT),
        Column(_("Left without being seen"), Kind.COUNT),
    ]
    body = [(name, department, c.tokens, c.seen, c.no_show, c.unseen) for name, department, c in rows]
    return Table(columns, body, (_("All"), "", total.tokens, total.seen, total.no_show, total.unseen))
