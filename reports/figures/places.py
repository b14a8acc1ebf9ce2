"""How the places that were offered were used. Pure."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from reports import words
from reports.charts import blocks as drawn
from reports.figures.figure import Figure, Ground
from reports.periods import Period
from reports.records import Block
from reports.tables import Column, Kind, Table

WORTH_SAYING = 6
"""An hour with fewer places is not called the emptiest."""

Sum = tuple[int, int, int]
"""Places offered, taken, and taken beyond the capacity."""


def use(blocks: Sequence[Block], ground: Ground, source: str | None = None) -> Figure:
    """Places by doctor and slot, or by doctor and hour.

    Args:
        source: they are counted for one source alone.
    """
    return Figure(
        key="capacity",
        heading=heading(blocks, ground.period, source),
        about=_about(ground.period),
        picture=_picture(blocks, ground) if blocks else SafeString(""),
        table=_table(blocks, ground) if blocks else None,
        wide=True,
    )


def total(blocks: Sequence[Block]) -> Sum:
    """The places of all."""
    return sum(b.offered for b in blocks), sum(b.taken for b in blocks), sum(b.over for b in blocks)


def heading(blocks: Sequence[Block], period: Period, source: str | None = None) -> str:
    """How many places are taken, and in which hour most stay empty."""
    offered, taken, over = total(blocks)
    if not offered and not taken:
        return _("No places were offered") if period.over else _("No places are offered")
    told: dict[str, Any] = {"taken": words.count(taken), "offered": words.count(offered)}
    told["rate"] = words.roughly(taken, offered)
    if source:
        told["source"] = words.people_of(source)
        return _("%(source)s hold %(taken)s of %(offered)s places, %(rate)s") % told
    beyond = ngettext("%(n)s beyond the capacity", "%(n)s beyond the capacity", over) % {"n": words.count(over)}
    if taken - over == offered:
        said = (_("All %(offered)s places were taken") if period.over else _("All %(offered)s places are taken")) % told
        return f"{said}, {beyond}" if over else said
    if not period.is_day:
        said = _("%(rate)s of the places were used") % told
    elif period.over:
        said = _("%(taken)s of %(offered)s places were taken") % told
    else:
        said = _("%(taken)s of %(offered)s places are taken") % told
    return f"{said}{_emptiest(blocks, period)}"


def _emptiest(blocks: Sequence[Block], period: Period) -> str:
    """The hour with the largest share of empty places, where it differs from the fullest by a quarter at least."""
    hours: dict[int, list[Block]] = defaultdict(list)
    for block in blocks:
        hours[block.hour].append(block)
    sums = {hour: total(found) for hour, found in hours.items()}
    rates = {hour: taken / offered for hour, (offered, taken, _over) in sums.items() if offered >= WORTH_SAYING}
    if len(rates) < 2 or max(rates.values()) - min(rates.values()) < 0.25:
        return ""
    hour = min(rates, key=lambda hour: (rates[hour], hour))
    told = {
        "hour": f"{words.hour(hour)}:00",
        "rate": words.roughly(sums[hour][1], sums[hour][0]),
    }
    return _("; least from %(hour)s on, %(rate)s") % told


def _about(period: Period) -> str:
    if period.is_day:
        return _(
            "Places by slot. The outline is what was offered, the fill what is taken, lighter where the slot is over;"
            " the stripe above is overbooked."
        )
    return _(
        "Share of places used, in per cent, by the hour in which the slot begins, %(days)s. The stripe is overbooked."
    ) % {"days": period.days}


def _of_doctors(blocks: Sequence[Block], ground: Ground) -> list[tuple[str, list[Block]]]:
    """The doctors in order of their first hour, then of their name."""
    found: dict[int, list[Block]] = defaultdict(list)
    for block in blocks:
        found[block.doctor_id].append(block)
    named = [(ground.doctor(doctor_id), own) for doctor_id, own in found.items()]
    return sorted(named, key=lambda each: (min(int(b.start) for b in each[1]), each[0]))


def _picture(blocks: Sequence[Block], ground: Ground) -> SafeString:
    return drawn.blocks([_row(name, own, ground) for name, own in _of_doctors(blocks, ground)])


def _row(name: str, own: list[Block], ground: Ground) -> drawn.Row:
    offered, taken, _over = total(own)
    rate = words.roughly(taken, offered)
    spoken = ", ".join(_spoken(block, ground.period) for block in own)
    about = ground.department_of(own[0].doctor_id)
    return drawn.Row(name, about, [_cell(block, ground.period) for block in own], rate, spoken)


def _cell(block: Block, period: Period) -> drawn.Cell:
    share = block.taken / block.offered if block.offered else float(bool(block.taken))
    if not period.is_day:
        said = f"{100 * share:.0f}"
    elif block.blocked and not block.taken:
        said = _("blocked")
    else:
        said = f"{block.taken}/{block.offered}"
    over = block.at is not None and _ends(block, period)
    return drawn.Cell(block.start, block.size, share, said, bool(block.over), over, block.blocked)


def _ends(block: Block, period: Period) -> bool:
    """Whether the slot of a day under way is over; on a past day all are, and none needs to say so."""
    if not period.under_way:
        return False
    midnight = period.now.replace(hour=0, minute=0, second=0, microsecond=0)
    return block.start + block.size <= (period.now - midnight).total_seconds() / 3600


def _spoken(block: Block, period: Period) -> str:
    at = f"{words.hour(block.hour)}:00" if not period.is_day else _clock(block)
    told = {"at": at, "taken": block.taken, "offered": block.offered}
    if period.is_day:
        return _("%(at)s blocked") % told if block.blocked else _("%(at)s %(taken)d of %(offered)d") % told
    told["rate"] = words.roughly(block.taken, block.offered)
    return f"{told['at']} {told['rate']}"


def _clock(block: Block) -> str:
    minutes = round(60 * block.start)
    return f"{minutes // 60 % 24:02d}:{minutes % 60:02d}"


def _table(blocks: Sequence[Block], ground: Ground) -> Table:
    columns = [
        Column(_("Doctor")),
        Column(_("Slot") if ground.period.is_day else _("Hour")),
        Column(_("Places"), Kind.COUNT),
        Column(_("Taken"), Kind.COUNT),
        Column(_("Overbooked"), Kind.COUNT),
        Column(_("Share"), Kind.SHARE),
    ]
    rows: list[tuple[Any, ...]] = []
    for name, own in _of_doctors(blocks, ground):
        for block in own:
            slot = _clock(block) if ground.period.is_day else f"{words.hour(block.hour)}:00"
            rows.append((name, slot, *_numbers((block.offered, block.taken, block.over))))
        rows.append((name, _("All"), *_numbers(total(own))))
    return Table(columns, rows, (_("All"), "", *_numbers(total(blocks))))


def _numbers(found: Sum) -> tuple[Any, ...]:
    offered, taken, over = found
    return offered, taken, over, words.percent(taken, offered)
