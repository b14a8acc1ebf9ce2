"""A whole report: everything read in one snapshot, then composed."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from reports import words
from reports.figures import displaced, estimates, no_shows, places, seen, waits
from reports.figures.figure import Figure, Ground
from reports.queries import hall
from reports.queries.places import blocks
from reports.queries.scope import Scope, snapshot
from reports.records import Choice, Displaced, Tokens, Waits


@dataclass(frozen=True, slots=True)
class Number:
    """One of the numbers above all figures."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Report:
    """What a page shows and its files hold.

    Attributes:
        departments, doctors: what it can be narrowed to.
        numbers: the few that stand above all.
        hall, money: the figures, in order; no money where it is not for the reader.
    """

    scope: Scope
    departments: Sequence[Choice]
    doctors: Sequence[Choice]
    numbers: Sequence[Number]
    hall: Sequence[Figure]
    money: Sequence[Figure]

    @property
    def figures(self) -> list[Figure]:
        """All figures."""
        return [*self.hall, *self.money]


def report(scope: Scope, *, money: bool) -> Report:
    """Read and compose a report, in one snapshot of the hospital. Six queries for the hall.

    Args:
        money: whether the reader may see it.
    """
    with snapshot():
        departments, doctors = hall.choices(scope)
        found_tokens, found_waits = hall.tokens(scope), hall.waits(scope)
        found_blocks, found_displaced, found_estimates = blocks(scope), hall.displaced(scope), hall.estimates(scope)
    ground = Ground(
        scope.period, {each.id: each for each in departments}, {each.id: each for each in doctors}, scope.currency
    )
    figures = [
        waits.by_source(found_waits, ground),
        places.use(found_blocks, ground, scope.source),
        no_shows.no_shows(found_tokens, ground),
        displaced.displaced(found_displaced, ground),
        seen.seen(found_tokens, ground),
        estimates.estimates(found_estimates, ground),
        waits.by_doctor(found_waits, ground),
    ]
    numbers = _numbers(found_tokens, found_waits, found_displaced)
    return Report(scope, departments, doctors, numbers, figures, [])


def _numbers(tokens: Tokens, waits: Waits, displaced: Displaced) -> list[Number]:
    all_ = tokens.all
    return [
        Number(words.count(all_.tokens), _("tokens")),
        Number(words.count(all_.seen), _("seen")),
        Number(words.minutes(waits.all.half if waits.all else None), _("median wait")),
        Number(words.count(all_.no_show), _("no-shows")),
        Number(words.count(displaced.lost), _("displaced")),
        Number(words.count(all_.unseen), _("left without being seen")),
    ]
