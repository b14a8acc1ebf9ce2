"""Whether the waits that patients were told came true. Pure."""

from collections.abc import Mapping

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from reports import words
from reports.charts import lanes
from reports.figures.figure import Figure, Ground
from reports.periods import Period
from reports.records import Kept
from reports.tables import Column, Kind, Table

ENOUGH = 30
"""A doctor's estimates are judged from so many on."""
HOPEFUL, GLOOMY, CERTAIN = 40, 65, 80
"""Fewer per cent than these before the first figure, more than these, fewer than these before the second: not held."""


def estimates(found: Mapping[int, Kept], ground: Ground) -> Figure:
    """Estimates by doctor, against what they promised."""
    by_name = sorted((ground.doctor(doctor_id), kept) for doctor_id, kept in found.items())
    rows = [(name, kept) for name, kept in by_name if kept.told]
    return Figure(
        key="estimates",
        heading=heading(dict(rows), ground.period),
        about=_(
            "Share of patients who went in by the time they were told, in per cent: half before the first figure, nine"
            " of ten before the second. %(days)s."
        )
        % {"days": ground.period.days},
        picture=lanes.promises([_row(name, kept) for name, kept in rows]) if rows else SafeString(""),
        table=_table(rows) if rows else None,
        note=_note(rows),
    )


def verdict(kept: Kept) -> str:
    """Whether estimates hold: "held", "hopeful" (people wait longer), "gloomy" (they wait less), "few" to say so."""
    if kept.told < ENOUGH:
        return "few"
    first, second = 100 * kept.before_p50 / kept.told, 100 * kept.before_p90 / kept.told
    if first < HOPEFUL or second < CERTAIN:
        return "hopeful"
    return "gloomy" if first > GLOOMY else "held"


def heading(rows: Mapping[str, Kept], period: Period) -> str:
    """For how many doctors estimates hold, and whose do not."""
    if not rows:
        return _("No estimate was given") if period.over else _("No estimate can be judged yet")
    judged = {name: verdict(kept) for name, kept in rows.items() if verdict(kept) != "few"}
    if not judged:
        told = sum(kept.told for kept in rows.values())
        return ngettext("%(n)s estimate is too few to judge", "%(n)s estimates are too few to judge", told) % {
            "n": told
        }
    held = [name for name, found in judged.items() if found == "held"]
    if len(held) == len(judged) == 1:
        return _("Estimates hold for %(doctor)s") % {"doctor": held[0]}
    if len(held) == len(judged):
        return _("Estimates hold for all %(n)d doctors") % {"n": len(held)}
    hopeful = [name for name, found in judged.items() if found == "hopeful"]
    gloomy = [name for name, found in judged.items() if found == "gloomy"]
    said = [_("Estimates hold for %(n)d of %(all)d doctors") % {"n": len(held), "all": len(judged)}]
    if hopeful:
        said.append(_("Too hopeful: %(names)s") % {"names": words.joined(hopeful)})
    if gloomy:
        said.append(_("Too careful: %(names)s") % {"names": words.joined(gloomy)})
    return ". ".join(said)


def _note(rows: list[tuple[str, Kept]]) -> str:
    few = any(verdict(kept) == "few" for _name, kept in rows)
    return _("A doctor’s estimates are judged from %(n)d on.") % {"n": ENOUGH} if few else ""


def _row(name: str, kept: Kept) -> lanes.Promise:
    first, second = 100 * kept.before_p50 / kept.told, 100 * kept.before_p90 / kept.told
    spoken = _("%(first).0f per cent went in before the first figure, %(second).0f before the second")
    about = words.count(kept.told)
    odd = verdict(kept) in ("hopeful", "gloomy")
    return lanes.Promise(name, about, first, second, spoken % {"first": first, "second": second}, odd)


def _table(rows: list[tuple[str, Kept]]) -> Table:
    columns = [
        Column(_("Doctor")),
        Column(_("Estimates"), Kind.COUNT),
        Column(_("Went in before the first figure"), Kind.SHARE),
        Column(_("Before the second"), Kind.SHARE),
    ]
    told, first, second = (sum(getattr(kept, name) for _n, kept in rows) for name in Kept.__slots__)
    return Table(
        columns,
        [(name, *_shares(kept)) for name, kept in rows],
        (_("All"), *_shares(Kept(told, first, second))),
    )


def _shares(kept: Kept) -> tuple[object, ...]:
    return kept.told, words.percent(kept.before_p50, kept.told), words.percent(kept.before_p90, kept.told)
