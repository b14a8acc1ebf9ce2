"""What is outstanding, and why money was given away or went back. Pure."""

from collections.abc import Sequence
from decimal import Decimal

from django.utils import dateformat
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from reports import words
from reports.charts import bars
from reports.figures.figure import Figure, Ground
from reports.periods import Period
from reports.records import AGES, ZERO, Owed, Reason, age_of
from reports.tables import Column, Kind, Table

MOST_BARS = 8
"""More reasons than these are in the table alone."""
LONGEST = 60
"""So much of a reason stands beside its bar."""


def outstanding(found: Owed, ground: Ground) -> Figure:
    """Open and part-paid bills by age, at the end of the period or now."""
    bills, total = found.all
    rows = [(_age(n), *found.ages[n]) for n in sorted(found.ages)]
    oldest = len(AGES)
    lanes = [
        bars.Bar(name, _bills(number), float(due), words.money(due, ground.currency), n == oldest and due > 0)
        for n, (name, number, due) in enumerate(rows)
        if number
    ]
    columns = [Column(_("Age")), Column(_("Bills"), Kind.COUNT), Column(_("Due"), Kind.MONEY)]
    table = Table(columns, rows, (_("All"), bills, total), ground.currency)
    return Figure(
        key="outstanding",
        heading=heading_of_owed(found, ground),
        about=_("Open and part-paid bills by age, as of %(day)s.") % {"day": _as_of(ground.period)},
        picture=bars.bars(lanes) if lanes else SafeString(""),
        table=table if bills or found.to_give_back[0] else None,
        note=_to_give_back(found, ground),
    )


def heading_of_owed(found: Owed, ground: Ground) -> str:
    """How much is outstanding, and how much of it for long."""
    bills, total = found.all
    past = ground.period.over
    if not bills:
        return _("Nothing was outstanding") if past else _("Nothing is outstanding")
    told = {"sum": words.money(total, ground.currency)}
    old = found.ages[len(AGES)][1]
    if not old:
        return (_("%(sum)s was outstanding") if past else _("%(sum)s is outstanding")) % told
    told |= {"share": words.roughly(old, total), "days": str(AGES[-1])}
    if past:
        return _("%(sum)s was outstanding, %(share)s of it for over %(days)s days") % told
    return _("%(sum)s is outstanding, %(share)s of it for over %(days)s days") % told


def unpaid(found: Owed, ground: Ground) -> Figure:
    """The bills on which something is due, one by one, the oldest first: as many as were read."""
    bills, due = found.all
    columns = [
        Column(_("Bill")),
        Column(_("Patient")),
        Column(_("Name")),
        Column(_("Issued"), Kind.DATE),
        Column(_("Days"), Kind.COUNT),
        Column(_("Age")),
        Column(_("Total"), Kind.MONEY),
        Column(_("Due"), Kind.MONEY),
    ]
    rows = [
        (each.bill, each.patient, each.name, each.date, each.days, _age(age_of(each.days)), each.total, each.due)
        for each in found.oldest
    ]
    every = ngettext("%(n)s bill in all", "%(n)s bills in all", bills) % {"n": words.count(bills)}
    foot = (every, "", "", None, None, "", None, due)
    told = {"n": words.count(len(rows)), "all": words.count(bills)}
    return Figure(
        key="unpaid",
        heading=heading_of_unpaid(found, ground.period),
        about=_("Bills on which something is due, the oldest first, as of %(day)s.") % {"day": _as_of(ground.period)},
        table=Table(columns, rows, foot, ground.currency) if rows else None,
        note=_("The %(n)s oldest of %(all)s. The file has all of them.") % told if len(rows) < bills else "",
        wide=True,
        opened=True,
    )


def heading_of_unpaid(found: Owed, period: Period) -> str:
    """How old the oldest unpaid bill is."""
    if not found.oldest:
        return _("No bill was unpaid") if period.over else _("No bill is unpaid")
    days = found.oldest[0].days
    if not days:
        return _("All unpaid bills were of that day") if period.over else _("All unpaid bills are of today")
    told = {"n": words.count(days)}
    if period.over:
        return (
            ngettext("The oldest unpaid bill was %(n)s day old", "The oldest unpaid bill was %(n)s days old", days)
            % told
        )
    return ngettext("The oldest unpaid bill is %(n)s day old", "The oldest unpaid bill is %(n)s days old", days) % told


def _age(number: int) -> str:
    """The name of an age: same day, 1 to 7 days, over 90 days."""
    if number == 0:
        return _("Same day")
    if number == len(AGES):
        return _("Over %(days)d days") % {"days": AGES[-1]}
    return _("%(first)d to %(last)d days") % {"first": AGES[number - 1] + 1, "last": AGES[number]}


def _bills(number: int) -> str:
    return ngettext("%(n)s bill", "%(n)s bills", number) % {"n": words.count(number)}


def _as_of(period: Period) -> str:
    day = dateformat.format(period.until, "j F Y")
    return day if period.over else f"{day}, {period.now:%H:%M}"


def _to_give_back(found: Owed, ground: Ground) -> str:
    bills, amount = found.to_give_back
    if not bills:
        return ""
    told = {"sum": words.money(amount, ground.currency), "n": words.count(bills)}
    return (
        ngettext("%(sum)s is to be given back on %(n)s bill.", "%(sum)s is to be given back on %(n)s bills.", bills)
        % told
    )


# Reasons


def discounts(found: Sequence[Reason], ground: Ground) -> Figure:
    """Discounts of the bills issued, by reason, with who gave them: a person, or a rule, whose words are the reason."""
    about = _("Discounts of the bills issued, by reason, %(days)s.") % {"days": ground.period.days}
    total, number = _total(found)
    heading = _("No discount was given")
    if found:
        said = ngettext("%(sum)s was given away in %(n)s discount", "%(sum)s was given away in %(n)s discounts", number)
        heading = said % {"sum": words.money(total, ground.currency), "n": words.count(number)}
    by_rule, _times = _total([reason for reason in found if not reason.by])
    note = _("%(sum)s of it by rule, %(rest)s by people.") % {
        "sum": words.money(by_rule, ground.currency),
        "rest": words.money(total - by_rule, ground.currency),
    }
    told = note if found else ""
    return _reasons(
        "discounts", heading, about, found, _("Bills"), _("Given by"), ground, told, why=_("Reason or rule")
    )


def refunds(found: Sequence[Reason], onto: Sequence[Reason], ground: Ground) -> Figure:
    """Money given back, by reason, with who paid it out.

    Args:
        onto: what went onto patients' accounts, and so has not left the house.
    """
    about = _("Money paid out by reason, %(days)s.") % {"days": ground.period.days}
    total, number = _total(found)
    stayed, times = _total(onto)
    said = _("%(sum)s more went onto patients’ accounts, where it lies.") % {
        "sum": words.money(stayed, ground.currency)
    }
    note = said if times else ""
    said = ngettext("%(sum)s went back in %(n)s refund", "%(sum)s went back in %(n)s refunds", number)
    heading = said % {"sum": words.money(total, ground.currency), "n": words.count(number)}
    return _reasons(
        "refunds",
        heading if found else _("No money went back"),
        about,
        found,
        _("Refunds"),
        _("Paid by"),
        ground,
        note,
        onto,
    )


def credit_notes(found: Sequence[Reason], ground: Ground) -> Figure:
    """What credit notes took off, by reason, with who wrote them."""
    about = _("Credit notes by reason, %(days)s.") % {"days": ground.period.days}
    total, number = _total(found)
    said = ngettext("%(sum)s was taken off by %(n)s credit note", "%(sum)s was taken off by %(n)s credit notes", number)
    heading = said % {"sum": words.money(total, ground.currency), "n": words.count(number)}
    heading = heading if found else _("No credit note was written")
    return _reasons("credit-notes", heading, about, found, _("Credit notes"), _("Written by"), ground)


def voids(found: Sequence[Reason], ground: Ground) -> Figure:
    """Bills taken back, by reason, with who did."""
    about = _("Bills voided and what they still asked for, by reason, %(days)s.") % {"days": ground.period.days}
    total, number = _total(found)
    said = ngettext("%(n)s bill was voided, over %(sum)s", "%(n)s bills were voided, over %(sum)s", number)
    heading = said % {"sum": words.money(total, ground.currency), "n": words.count(number)}
    heading = heading if found else _("No bill was voided")
    return _reasons("voids", heading, about, found, _("Bills"), _("Voided by"), ground)


def _total(found: Sequence[Reason]) -> tuple[Decimal, int]:
    return sum((reason.amount for reason in found), ZERO), sum(reason.number for reason in found)


def _reasons(
    key: str,
    heading: str,
    about: str,
    found: Sequence[Reason],
    things: str,
    who: str,
    ground: Ground,
    note: str = "",
    onto: Sequence[Reason] = (),
    why: str = "",
) -> Figure:
    columns = [Column(why or _("Reason")), Column(who), Column(things, Kind.COUNT), Column(_("Amount"), Kind.MONEY)]
    rows = [(reason.words, by(reason), reason.number, reason.amount) for reason in found]
    rows += [(_("%(reason)s (onto the account)") % {"reason": r.words}, by(r), r.number, r.amount) for r in onto]
    total, number = _total([*found, *onto])
    return Figure(
        key=key,
        heading=heading,
        about=about,
        picture=_bars(found, ground),
        table=Table(columns, rows, (_("All"), "", number, total), ground.currency) if rows else None,
        note=note,
    )


def by(reason: Reason) -> str:
    """Who did it."""
    return reason.by or _("By rule")


def _bars(found: Sequence[Reason], ground: Ground) -> SafeString:
    sums: dict[str, tuple[int, Decimal]] = {}
    for reason in found:
        number, amount = sums.get(reason.words, (0, ZERO))
        sums[reason.words] = (number + reason.number, amount + reason.amount)
    rows = sorted(sums.items(), key=lambda row: (-row[1][1], row[0]))
    lanes = [
        bars.Bar(_short(reason), words.count(number), float(amount), words.money(amount, ground.currency), n == 0)
        for n, (reason, (number, amount)) in enumerate(rows[:MOST_BARS])
    ]
    return bars.bars(lanes) if lanes else SafeString("")


def _short(reason: str) -> str:
    return reason if len(reason) <= LONGEST else f"{reason[: LONGEST - 1].rstrip()}…"
