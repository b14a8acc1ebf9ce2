"""The report of a played day as a page of text. Pure."""

from collections.abc import Iterator

from tokens.simulation.checks import RULES
from tokens.simulation.figures import totals
from tokens.simulation.real_day import Report
from tokens.states import Source

FATES = {
    "confirmed": "confirmed",
    "waitlisted": "waitlisted",
    "cancelled": "no place, cancelled",
    "raised": "raised a token held",
    "duplicate_token": "duplicate refused",
}
LATER = {
    "waitlisted": "were on a waitlist",
    "displacements": "displaced",
    "promotions": "promoted",
    "overbooked": "overbooked",
    "returned": "came late, after all",
}
ENDS = {
    "seen": "seen",
    "no_shows": "no-shows",
    "waiting": "never got a place",
    "holding": "not seen",
    "cancelled": "cancelled without a place",
}
NAME, CELL = 28, 11


def page(report: Report, lines: int, faults: int, seconds: float) -> str:
    """What happened, for people.

    Args:
        lines: how many bookings were read.
        faults: how many lines could not be.
        seconds: how long the play took.
    """
    sources = [source.value for source in Source if report.by_source[source.value] or _any(report, source.value)]
    return "\n".join(_lines(report, sources, lines, faults, seconds))


def _any(report: Report, source: str) -> bool:
    return bool(report.figures[source]["tokens"])


def _lines(report: Report, sources: list[str], lines: int, faults: int, seconds: float) -> Iterator[str]:
    total = totals(report.figures)
    yield ""
    yield f"{report.facility.name}: facility {report.facility.slug}, policy {report.policy}"
    yield f"{lines} bookings for {report.places} places, {report.actions} actions in {seconds:.1f} s"
    yield ""
    yield _row("asked", [source.replace("_", "-") for source in sources], "total")
    fates = {**FATES, **{fate: f"refused: {fate}" for fate in sorted(set(report.lines) - set(FATES))}}
    for fate, name in fates.items():
        yield _row(f"  {name}", [report.by_source[source][fate] for source in sources], report.lines[fate])
    yield _row("  all", [sum(report.by_source[source].values()) for source in sources], sum(report.lines.values()))
    for title, names in (("then", LATER), ("in the end", ENDS)):
        yield title
        for figure, name in names.items():
            yield _row(f"  {name}", [report.figures[source][figure] for source in sources], total[figure])
    yield _row("  all tokens", [report.figures[source]["tokens"] for source in sources], total["tokens"])
    yield ""
    yield f"Lines of the file: {lines} played, {faults} not readable, {lines + faults} in all."
    for what, count in sorted(report.refusals.items()):
        yield f"Refused later: {what}, {count} times."
    yield f"Rules: {len(RULES)}, checked at {report.checked} moments by SQL: {_verdict(report)}"
    yield from (f"  BROKEN: {breach.rule}: {breach.where}" for breach in report.breaches)


def _row(name: str, cells: list[int] | list[str], total: int | str) -> str:
    return f"{name:<{NAME}}" + "".join(f"{cell:>{CELL}}" for cell in (*cells, total))


def _verdict(report: Report) -> str:
    return f"{len(report.breaches)} times broken." if report.breaches else "none broken."
