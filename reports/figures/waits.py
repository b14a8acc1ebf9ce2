"""How long people waited, by source and by doctor. Pure."""

from collections.abc import Iterable, Mapping

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from reports import words
from reports.charts import lanes
from reports.figures.figure import Figure, Ground
from reports.periods import Period
from reports.records import Wait, Waits
from reports.tables import Column, Kind, Table

LONGER = 1.25
"""A median that is so many times that of all is worth saying."""


def by_source(waits: Waits, ground: Ground) -> Figure:
    """Waits by source, all of them first."""
    rows = [(words.source(source), waits.by_source[source]) for source in words.SOURCES if source in waits.by_source]
    return Figure(
        key="waits",
        heading=heading(waits, ground.period),
        about=_about([*waits.by_source.values(), *([waits.all] if waits.all else [])], ground.period),
        picture=_picture(rows, waits.all),
        table=_table(_("Source"), rows, waits.all),
        note=_note(rows, waits.all),
        wide=True,
    )


def by_doctor(waits: Waits, ground: Ground) -> Figure:
    """Waits by doctor, the longest first."""
    found = sorted(waits.by_doctor.items(), key=lambda each: (-each[1].half, ground.doctor(each[0])))
    rows = [(ground.doctor(doctor_id), wait) for doctor_id, wait in found]
    return Figure(
        key="waits-by-doctor",
        heading=heading_by_doctor(dict(rows), ground.period),
        about=_about(list(waits.by_doctor.values()), ground.period),
        picture=_picture(rows, None),
        table=_table(_("Doctor"), rows, waits.all),
        note=_note(rows, None),
        wide=True,
    )


def heading(waits: Waits, period: Period) -> str:
    """What was found about waits: who waits longest, where that is worth saying; else the median."""
    if waits.all is None:
        return nobody(period)
    if waits.all.called == 1:
        return _("One patient was called, after %(n)d minutes") % {"n": waits.all.half}
    enough = {source: wait for source, wait in waits.by_source.items() if wait.called >= lanes.ENOUGH}
    longest = max(enough, key=lambda source: enough[source].half, default=None)
    if longest and len(enough) > 1 and enough[longest].half >= LONGER * waits.all.half > 0:
        told = {"source": words.people_of(longest), "n": enough[longest].half, "all": waits.all.half}
        return _("%(source)s wait longest: a median of %(n)d minutes, %(all)d for all") % told
    if period.is_day and period.under_way:
        return _("Half of those called today waited %(n)d minutes or less") % {"n": waits.all.half}
    return _("Half of those called waited %(n)d minutes or less") % {"n": waits.all.half}


def heading_by_doctor(waits: Mapping[str, Wait], period: Period) -> str:
    """The same by doctor: between whom it differs most."""
    if not waits:
        return nobody(period)
    enough = {name: wait for name, wait in waits.items() if wait.called >= lanes.ENOUGH} or waits
    longest = max(enough, key=lambda name: enough[name].half)
    shortest = min(enough, key=lambda name: enough[name].half)
    told = {"doctor": longest, "n": enough[longest].half, "other": shortest, "m": enough[shortest].half}
    if len(enough) == 1:
        return _("Half of those called for %(doctor)s waited %(n)d minutes or less") % told
    if told["n"] == told["m"]:
        return _("The median wait is %(n)d minutes with every doctor") % told
    return _("The median wait is %(n)d minutes for %(doctor)s and %(m)d for %(other)s") % told


def nobody(period: Period) -> str:
    """Where nobody was called."""
    if period.ahead:
        return _("Nobody has been called: it is still ahead")
    return _("Nobody has been called yet") if period.under_way else _("Nobody was called")


def _about(drawn: list[Wait], period: Period) -> str:
    unit = _("Minutes from arrival to call, %(days)s.") % {"days": period.days}
    ranges = _("The bar holds the middle half of patients, the thin line eight of ten, the tall line half.")
    dots = _("Each dot is a patient. The tall line is the median, the short line nine of ten.")
    both = _("Each dot is a patient; where they are many, the bar holds the middle half. The tall line is the median.")
    single = [0 < len(wait.each) <= lanes.MOST_DOTS for wait in drawn]
    if not period.is_day or (drawn and not any(single)):
        return f"{unit} {ranges}"
    return f"{unit} {dots if all(single) else both}"


def _note(rows: Iterable[tuple[str, Wait]], all_: Wait | None) -> str:
    few = any(wait.called < lanes.ENOUGH for wait in [*(wait for _name, wait in rows), *([all_] if all_ else [])])
    return _("Nine of ten is given from ten patients on.") if few else ""


def _picture(rows: list[tuple[str, Wait]], all_: Wait | None) -> SafeString:
    everybody = [_lane(_("All"), all_, whole=True)] if all_ else []
    return lanes.waits([*everybody, *(_lane(name, wait) for name, wait in rows)]) if rows else SafeString("")


def _lane(name: str, wait: Wait, *, whole: bool = False) -> lanes.Lane:
    called = ngettext("%(n)s called", "%(n)s called", wait.called) % {"n": words.count(wait.called)}
    told = {"n": words.count(wait.called), "half": wait.half, "high": wait.high}
    if wait.called >= lanes.ENOUGH:
        said = _("%(n)s patients, median %(half)d minutes, nine of ten within %(high)d") % told
    else:
        said = _("%(n)s patients, median %(half)d minutes, too few for a range") % told
    return lanes.Lane(name, called, wait, said, whole)


def _table(what: str, rows: list[tuple[str, Wait]], all_: Wait | None) -> Table | None:
    if all_ is None:
        return None
    columns = [
        Column(what),
        Column(_("Called"), Kind.COUNT),
        Column(_("A quarter within"), Kind.MINUTES),
        Column(_("Median"), Kind.MINUTES),
        Column(_("Three quarters within"), Kind.MINUTES),
        Column(_("Nine of ten"), Kind.MINUTES),
        Column(_("Longest"), Kind.MINUTES),
    ]
    return Table(columns, [_cells(name, wait) for name, wait in rows], _cells(_("All"), all_))


def _cells(name: str, wait: Wait) -> tuple[str | int | None, ...]:
    high = wait.high if wait.called >= lanes.ENOUGH else None
    return (name, wait.called, wait.quarter, wait.half, wait.three_quarters, high, wait.longest)
