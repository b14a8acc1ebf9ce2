"""Who lost a place, to whom, and what became of them. Pure."""

from collections.abc import Mapping

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from reports import words
from reports.charts import bars, svg
from reports.figures.figure import Figure, Ground
from reports.periods import Period
from reports.records import FATES, NO_PLACE, OTHER_DAY, SAME_DAY, WAITS, Displaced
from reports.tables import Column, Kind, Table


def displaced(found: Displaced, ground: Ground) -> Figure:
    """Displacements by who came and who lost the place."""
    picture = [_matrix(found)] if found.lost else []
    if found.lost:
        picture += [format_html("<h4>{}</h4>", _("What became of them")), _fates(found.fates)]
    return Figure(
        key="displacements",
        heading=heading(found, ground.period),
        about=_("Places that were confirmed and lost, by who came and who lost the place, %(days)s.")
        % {"days": ground.period.days},
        picture=svg.together(picture),
        table=_table(found) if found.lost or found.planned else None,
        note=_planned(found),
    )


def heading(found: Displaced, period: Period) -> str:
    """How many places went to others, and between whom most."""
    if not found.lost:
        return _("Nobody lost a place to somebody else")
    said = ngettext(
        "One place went to somebody with more points", "%(n)s places went to people with more points", found.lost
    )
    said %= {"n": words.count(found.lost)}
    (came, lost), most = max(found.pairs.items(), key=lambda pair: pair[1])
    if len(found.pairs) < 2 or list(found.pairs.values()).count(most) > 1:
        return said
    told = {"said": said, "n": words.count(most), "lost": words.people_of(lost).lower()}
    told["came"] = words.people_of(came).lower()
    return _("%(said)s, %(n)s of them from %(lost)s to %(came)s") % told


def _sources(found: Displaced) -> tuple[list[str], list[str]]:
    """Who came and who lost, in the order of the sources."""
    came = [source for source in words.SOURCES if any(one == source for one, _lost in found.pairs)]
    lost = [source for source in reversed(words.SOURCES) if any(other == source for _came, other in found.pairs)]
    return list(came), list(lost)


def _matrix(found: Displaced) -> SafeString:
    came, lost = _sources(found)
    head = svg.together(format_html('<th scope="col">{}</th>', words.source(source)) for source in lost)
    body = svg.together(
        format_html(
            '<tr><th scope="row">{}</th>{}</tr>',
            words.source(one),
            svg.together(format_html("<td>{}</td>", bars.unit(found.pairs.get((one, other), 0))) for other in lost),
        )
        for one in came
    )
    return format_html(
        '<div class="scroll" role="region" tabindex="0" aria-label="{0}"><table class="table flush matrix">'
        '<caption class="vh">{0}</caption><thead><tr><th scope="col">{1}</th>{2}</tr></thead><tbody>{3}</tbody>'
        "</table></div>",
        _("Who took a place, and from whom"),
        _("Took the place"),
        head,
        body,
    )


def sentence(fates: Mapping[str, int]) -> str:
    """What became of them, in words."""
    kinds = {
        SAME_DAY: _("%(n)s had a place again the same day"),
        OTHER_DAY: _("%(n)s had a place on another day"),
        WAITS: ngettext("%(n)s waits for one", "%(n)s wait for one", fates[WAITS]),
        NO_PLACE: _("%(n)s got none"),
    }
    told = [kinds[fate] % {"n": words.count(fates[fate])} for fate in FATES if fates[fate]]
    return f"{words.joined(told)}." if told else ""


def _fates(fates: Mapping[str, int]) -> SafeString:
    said = sentence(fates)
    return svg.together(
        [bars.parts([fates[fate] for fate in FATES], said), format_html('<p class="small">{}</p>', said)]
    )


def _planned(found: Displaced) -> str:
    if not found.planned:
        return ""
    said = ngettext(
        "The hospital took back one more place by cutting or blocking a slot: %(fates)s",
        "The hospital took back %(n)s more places by cutting or blocking a slot: %(fates)s",
        found.planned,
    )
    return said % {"n": words.count(found.planned), "fates": sentence(found.planned_fates)}


def _table(found: Displaced) -> Table:
    came, lost = _sources(found)
    columns = [
        Column(_("Took the place")),
        *(Column(_("From %(source)s") % {"source": words.source(source).lower()}, Kind.COUNT) for source in lost),
        Column(_("All"), Kind.COUNT),
    ]
    rows = [
        (words.source(one), *(found.pairs.get((one, other), 0) for other in lost), _sum(found, came=one))
        for one in came
    ]
    if found.planned:
        rows.append((_("The hospital"), *(None for _source in lost), found.planned))
    foot = (_("All"), *(_sum(found, lost=other) for other in lost), found.lost + found.planned)
    return Table(columns, rows, foot)


def _sum(found: Displaced, came: str = "", lost: str = "") -> int:
    return sum(n for (one, other), n in found.pairs.items() if came in ("", one) and lost in ("", other))
