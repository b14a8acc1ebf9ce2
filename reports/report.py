"""A whole report: everything read in one snapshot, then composed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

from reports import words
from reports.figures import displaced, estimates, no_shows, owed, places, seen, takings, waits
from reports.figures.figure import Figure, Ground
from reports.queries import hall
from reports.queries import money as moved
from reports.queries import owed as due
from reports.queries.places import blocks
from reports.queries.scope import Scope, snapshot
from reports.records import (
    ZERO,
    Block,
    Choice,
    Displaced,
    Kept,
    Owed,
    Reason,
    Share,
    ShiftLine,
    Takings,
    Tokens,
    Waits,
)


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
        numbers: the few that stand above the hall's figures.
        sums: the same above the money's.
        hall, money: the figures, in order; no money where it is not for the reader.
    """

    scope: Scope
    departments: Sequence[Choice]
    doctors: Sequence[Choice]
    numbers: Sequence[Number]
    hall: Sequence[Figure]
    sums: Sequence[Number]
    money: Sequence[Figure]

    @property
    def figures(self) -> list[Figure]:
        """All figures."""
        return [*self.hall, *self.money]


@dataclass(frozen=True, slots=True)
class Hall:
    """What was read of the hall."""

    tokens: Tokens
    waits: Waits
    blocks: Sequence[Block]
    displaced: Displaced
    estimates: Mapping[int, Kept]


@dataclass(frozen=True, slots=True)
class Money:
    """What was read of money. `takings` and `shifts` are None where the report is about a part of the house."""

    takings: Takings | None
    shifts: Sequence[ShiftLine] | None
    shares: Sequence[Share]
    owed: Owed
    billed: tuple[int, Decimal]
    reasons: Mapping[str, Sequence[Reason]]


def report(scope: Scope, *, money: bool, bills: int | None = 0) -> Report:
    """Read and compose a report, in one snapshot of the hospital. Six queries, and six more for money.

    Args:
        money: whether the reader may see it.
        bills: so many of the oldest unpaid bills are named, None: all; 0 where the reader may see no bills.
    """
    with snapshot():
        departments, doctors = hall.choices(scope)
        found = _read_hall(scope)
        found_money = _read_money(scope, bills) if money else None
    ground = Ground(
        scope.period, {each.id: each for each in departments}, {each.id: each for each in doctors}, scope.currency
    )
    return Report(
        scope,
        departments,
        doctors,
        _numbers(found),
        _hall(found, ground, scope.source),
        _sums(found_money, ground) if found_money else [],
        _money(found_money, ground, unpaid=bills != 0) if found_money else [],
    )


def _read_hall(scope: Scope) -> Hall:
    return Hall(hall.tokens(scope), hall.waits(scope), blocks(scope), hall.displaced(scope), hall.estimates(scope))


def _read_money(scope: Scope, bills: int | None) -> Money:
    whole = not scope.narrowed
    return Money(
        moved.takings(scope) if whole else None,
        moved.shifts(scope) if whole else None,
        moved.shares(scope),
        due.owed(scope, bills),
        due.billed(scope),
        moved.reasons(scope),
    )


def _hall(found: Hall, ground: Ground, source: str | None) -> list[Figure]:
    return [
        waits.by_source(found.waits, ground),
        places.use(found.blocks, ground, source),
        no_shows.no_shows(found.tokens, ground),
        displaced.displaced(found.displaced, ground),
        seen.seen(found.tokens, ground),
        estimates.estimates(found.estimates, ground),
        waits.by_doctor(found.waits, ground),
    ]


def _money(found: Money, ground: Ground, *, unpaid: bool) -> list[Figure]:
    """A payment is of a whole bill: of a part of the house there are no takings by cashier and method."""
    taken, onto = found.takings, found.takings.to_accounts if found.takings else None
    whole = [takings.by_cashier(taken, ground), takings.shifts(found.shifts or (), ground)] if taken else []
    return [
        *whole,
        *([takings.by_method(taken, ground)] if taken else []),
        takings.by_department(found.shares, onto, ground),
        takings.by_doctor(found.shares, onto, ground),
        owed.outstanding(found.owed, ground),
        *([owed.unpaid(found.owed, ground)] if unpaid else []),
        owed.discounts(found.reasons["discount"], ground),
        *([owed.refunds(found.reasons["refund"], found.reasons["to_account"], ground)] if taken else []),
        owed.credit_notes(found.reasons["credit"], ground),
        owed.voids(found.reasons["void"], ground),
    ]


def _numbers(found: Hall) -> list[Number]:
    all_, wait = found.tokens.all, found.waits.all
    return [
        Number(words.count(all_.tokens), _("tokens")),
        Number(words.count(all_.seen), _("seen")),
        Number(words.minutes(wait.half if wait else None), _("median wait")),
        Number(words.count(all_.no_show), _("no-shows")),
        Number(words.count(found.displaced.lost), _("displaced")),
        Number(words.count(all_.unseen), _("left without being seen")),
    ]


def _sums(found: Money, ground: Ground) -> list[Number]:
    on_bills = sum((share.amount for share in found.shares), ZERO)
    taken = found.takings.all.net if found.takings else on_bills
    off = {kind: sum((reason.amount for reason in found.reasons[kind]), ZERO) for kind in ("void", "credit")}
    sums = [
        (found.billed[1], _("billed")),
        (off["void"], _("voided")),
        (off["credit"], _("credited")),
        (taken, _("taken")),
        *([(found.takings.all.given, _("given back"))] if found.takings else []),
        (found.owed.all[1], _("outstanding")),
        *([(found.owed.to_give_back[1], _("to give back"))] if found.takings else []),
    ]
    return [Number(words.money(amount, ground.currency), label) for amount, label in sums]
