"""Money that was taken: by method, cashier, department and doctor, and how the shifts ended. Pure."""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from functools import partial

from django.utils import dateformat
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing.states import Method
from reports import words
from reports.charts import amounts, bars, svg
from reports.figures.figure import Figure, Ground
from reports.figures.seen import dates_of, day_of, only_first
from reports.records import ZERO, Share, ShiftLine, Taken, Takings
from reports.tables import Column, Kind, Table

MOST_DIFFERENCES = 8
"""More shifts than these are in the table alone."""

METHODS = tuple(method.value for method in Method if method != Method.ACCOUNT)


def by_cashier(found: Takings, ground: Ground) -> Figure:
    """Takings by cashier and method."""
    methods = [method for method in METHODS if found.of_method(method) != Taken(0, ZERO, 0, ZERO)]
    cashiers = sorted({who for who, _method in found.moved}, key=lambda who: (-found.of_cashier(who).net, who))
    return Figure(
        key="takings",
        heading=heading(found, ground),
        about=_("Payments less refunds, by cashier and method, %(days)s. All bars have one scale.")
        % {"days": ground.period.days},
        picture=_multiples(found, cashiers, methods, ground) if cashiers else SafeString(""),
        table=_table_of_cashiers(found, cashiers, methods, ground) if cashiers else None,
        wide=True,
    )


def heading(found: Takings, ground: Ground) -> str:
    """How much was taken, and how much of it in cash."""
    total = found.all
    if not total.payments and not total.refunds:
        return _("Nothing was taken") if ground.period.over else _("Nothing has been taken yet")
    told = {"sum": words.money(total.net, ground.currency)}
    cash = found.of_method(Method.CASH.value).net
    if total.net <= 0 or not 0 <= cash <= total.net:
        return _("%(sum)s taken") % told
    told["share"] = words.roughly(cash, total.net)
    return _("%(sum)s taken, %(share)s of it in cash") % told


def _multiples(found: Takings, cashiers: Sequence[str], methods: Sequence[str], ground: Ground) -> SafeString:
    rows = []
    for who in cashiers:
        own = [found.moved.get((who, method)) for method in methods]
        shown = [_amount(taken.net, ground) if taken else None for taken in own]
        rows.append(amounts.Row(cashier(who), words.money(found.of_cashier(who).net, ground.currency), shown))
    everything = words.money(found.all.net, ground.currency)
    total = amounts.Row(_("All"), everything, [_amount(found.of_method(method).net, ground) for method in methods])
    return amounts.multiples([str(Method(method).label) for method in methods], rows, total)


def cashier(who: str) -> str:
    """A cashier's name; what nobody took in person came by a rule or from the patient."""
    return who or _("Nobody in person")


def _amount(value: Decimal, ground: Ground) -> amounts.Amount:
    return amounts.Amount(float(value), words.money(value, ground.currency))


def _table_of_cashiers(found: Takings, cashiers: Sequence[str], methods: Sequence[str], ground: Ground) -> Table:
    columns = [
        Column(_("Cashier")),
        *(Column(str(Method(method).label), Kind.MONEY) for method in methods),
        Column(_("All"), Kind.MONEY),
    ]
    rows = []
    for who in cashiers:
        own = [found.moved.get((who, method)) for method in methods]
        rows.append((cashier(who), *(taken.net if taken else None for taken in own), found.of_cashier(who).net))
    foot = (_("All"), *(found.of_method(method).net for method in methods), found.all.net)
    return Table(columns, rows, foot, ground.currency)


def by_method(found: Takings, ground: Ground) -> Figure:
    """Takings by method; of a month by day too."""
    rows = [(method, found.of_method(method)) for method in METHODS]
    rows = [(method, taken) for method, taken in rows if taken.payments or taken.refunds]
    most = max((taken.net for _method, taken in rows), default=ZERO)
    lanes = [
        bars.Bar(
            str(Method(method).label),
            ngettext("%(n)s payment", "%(n)s payments", taken.payments) % {"n": words.count(taken.payments)},
            float(taken.net),
            words.money(taken.net, ground.currency),
            taken.net == most > 0,
        )
        for method, taken in rows
    ]
    return Figure(
        key="methods",
        heading=_heading_of_methods(found, rows, ground),
        about=_("Payments less refunds, by method, %(days)s. Money on an account was counted when it came.")
        % {"days": ground.period.days},
        picture=svg.together([_days(found, ground), bars.bars(lanes)]) if rows else SafeString(""),
        table=_table_of_methods(found, rows, ground) if rows else None,
    )


def _heading_of_methods(found: Takings, rows: Sequence[tuple[str, Taken]], ground: Ground) -> str:
    if not rows:
        return heading(found, ground)
    total = found.all
    paid = ngettext("%(n)s payment", "%(n)s payments", total.payments) % {"n": words.count(total.payments)}
    back = ngettext("%(n)s refund", "%(n)s refunds", total.refunds) % {"n": words.count(total.refunds)}
    method = Method(max(rows, key=lambda row: row[1].net)[0]).label
    return _("%(paid)s, %(back)s; most came by %(method)s") % {
        "paid": paid,
        "back": back,
        "method": _in_sentence(method),
    }


def _in_sentence(label: object) -> str:
    """A way to pay within a sentence: cash, but UPI."""
    said = str(label)
    return said if said.isupper() else said[:1].lower() + said[1:]


def _days(found: Takings, ground: Ground) -> SafeString:
    if ground.period.is_day:
        return SafeString("")
    most = max((taken.net for taken in found.by_date.values()), default=ZERO)
    if most <= 0:
        return SafeString("")

    def column(date: dt.date) -> bars.Day:
        taken = found.by_date.get(date)
        said = words.money(taken.net, ground.currency) if taken else ""
        return day_of(
            date, max(0.0, float(taken.net)) if taken else None, said, stands_out=bool(taken and taken.net == most)
        )

    drawn = only_first([column(date) for date in dates_of(ground.period)])
    spoken = _("Taken by day, at most %(sum)s") % {"sum": words.money(most, ground.currency)}
    return bars.columns(drawn, svg.count_scale(float(most)), partial(words.whole, currency=ground.currency), spoken)


def _table_of_methods(found: Takings, rows: Sequence[tuple[str, Taken]], ground: Ground) -> Table:
    columns = [
        Column(_("Method")),
        Column(_("Payments"), Kind.COUNT),
        Column(_("Taken"), Kind.MONEY),
        Column(_("Refunds"), Kind.COUNT),
        Column(_("Given back"), Kind.MONEY),
        Column(_("Left"), Kind.MONEY),
    ]
    body = [(str(Method(method).label), *_five(taken)) for method, taken in rows]
    if not ground.period.is_day:
        columns[0] = Column(_("Method or date"))
        body += [(dateformat.format(date, "D j M"), *_five(found.by_date[date])) for date in sorted(found.by_date)]
    return Table(columns, body, (_("All"), *_five(found.all)), ground.currency)


def _five(taken: Taken) -> tuple[object, ...]:
    return taken.payments, taken.paid, taken.refunds, taken.given, taken.net


# By what it was for


def by_department(shares: Sequence[Share], to_accounts: Decimal | None, ground: Ground) -> Figure:
    """What was taken on bills, by department.

    Args:
        to_accounts: what came onto patients' accounts less what left them; None where it is about a part of the house.
    """
    found: dict[str, Decimal] = {}
    for share in shares:
        name = ground.department(share.department_id)
        found[name] = found.get(name, ZERO) + share.amount
    return _by("departments", _("Department"), found, to_accounts, ground)


def by_doctor(shares: Sequence[Share], to_accounts: Decimal | None, ground: Ground) -> Figure:
    """What was taken on bills, by doctor."""
    found: dict[str, Decimal] = {}
    for share in shares:
        name = ground.doctor(share.doctor_id)
        found[name] = found.get(name, ZERO) + share.amount
    return _by("doctors", _("Doctor"), found, to_accounts, ground)


def _by(key: str, what: str, found: dict[str, Decimal], to_accounts: Decimal | None, ground: Ground) -> Figure:
    rows = sorted(found.items(), key=lambda row: (-row[1], row[0]))
    total = sum(found.values(), ZERO)
    lanes = [
        bars.Bar(name, "", float(value), words.money(value, ground.currency), n == 0)
        for n, (name, value) in enumerate(rows)
    ]
    about = _("Payments less refunds on bills, spread over their lines, %(days)s.") % {"days": ground.period.days}
    return Figure(
        key=key,
        heading=heading_by(rows, total, ground),
        about=about,
        picture=bars.bars(lanes) if rows else SafeString(""),
        table=_table_by(what, rows, total, to_accounts, ground) if rows or to_accounts else None,
        note=_to_accounts(to_accounts, ground),
    )


def heading_by(rows: Sequence[tuple[str, Decimal]], total: Decimal, ground: Ground) -> str:
    """For whom most was taken on bills."""
    if not rows:
        return _("Nothing was taken on bills") if ground.period.over else _("Nothing has been taken on bills yet")
    told = {"sum": words.money(total, ground.currency), "name": rows[0][0]}
    if len(rows) == 1 or total <= 0 or not 0 < rows[0][1] <= total:
        return _("%(sum)s taken on bills") % told
    told["share"] = words.roughly(rows[0][1], total)
    return _("%(name)s: %(share)s of the %(sum)s taken on bills") % told


def _to_accounts(amount: Decimal | None, ground: Ground) -> str:
    if not amount:
        return ""
    told = {"sum": words.money(abs(amount), ground.currency)}
    if amount > 0:
        return _("%(sum)s more came onto patients’ accounts, for no bill yet.") % told
    return _("%(sum)s of it came from patients’ accounts, where it lay before.") % told


def _table_by(
    what: str, rows: Sequence[tuple[str, Decimal]], total: Decimal, to_accounts: Decimal | None, ground: Ground
) -> Table:
    columns = [Column(what), Column(_("Taken"), Kind.MONEY), Column(_("Share"), Kind.SHARE)]
    body: list[tuple[object, ...]] = [(name, value, words.percent(value, total)) for name, value in rows]
    if not to_accounts:
        return Table(columns, body, (_("All"), total, None), ground.currency)
    body.append((_("On patients’ accounts"), to_accounts, None))
    return Table(columns, body, (_("All"), total + to_accounts, None), ground.currency)


# Shifts


def shifts(found: Sequence[ShiftLine], ground: Ground) -> Figure:
    """The shifts that were opened, with what was expected and what was counted."""
    return Figure(
        key="shifts",
        heading=heading_of_shifts(found, ground),
        about=_("Shifts opened, with the cash expected in the drawer and what was counted, %(days)s.")
        % {"days": ground.period.days},
        picture=_differences(found, ground),
        table=_table_of_shifts(found, ground) if found else None,
        wide=True,
        opened=len(found) <= 6,
    )


def _differences(found: Sequence[ShiftLine], ground: Ground) -> SafeString:
    """The shifts that ended with a difference, the largest first."""
    off = sorted((s for s in found if s.difference), key=lambda s: -abs(s.difference or ZERO))[:MOST_DIFFERENCES]
    lanes = [
        bars.Bar(
            shift.cashier,
            f"{dateformat.format(shift.date, 'j M')}, {shift.drawer}",
            float(shift.difference or ZERO),
            words.money(shift.difference or ZERO, ground.currency),
            n == 0,
        )
        for n, shift in enumerate(off)
    ]
    return bars.bars(lanes) if lanes else SafeString("")


def heading_of_shifts(found: Sequence[ShiftLine], ground: Ground) -> str:
    """Whether the drawers held what they should."""
    if not found:
        return _("No shift was opened") if ground.period.over else _("No shift has been opened")
    closed = [shift for shift in found if shift.closed_at]
    is_open = len(found) - len(closed)
    still = ngettext("%(n)d is open", "%(n)d are open", is_open) % {"n": is_open}
    if not closed:
        return ngettext("%(n)d shift, not closed yet", "%(n)d shifts, none closed yet", len(found)) % {"n": len(found)}
    off = [shift for shift in closed if shift.difference]
    if not off:
        one, many = _("The closed shift held what was expected"), _("All %(n)d closed shifts held what was expected")
        said = one if len(closed) == 1 else many % {"n": len(closed)}
    else:
        missed = words.money(sum((shift.difference or ZERO for shift in off), ZERO), ground.currency)
        told = {"n": len(off), "all": len(closed), "sum": missed}
        said = ngettext(
            "%(n)d of %(all)d closed shifts has a difference, %(sum)s",
            "%(n)d of %(all)d closed shifts have a difference, %(sum)s in all",
            len(off),
        )
        said %= told
    return f"{said}; {still}" if is_open else said


def _table_of_shifts(found: Sequence[ShiftLine], ground: Ground) -> Table:
    columns = [
        Column(_("Date"), Kind.DATE),
        Column(_("Shift")),
        Column(_("Cashier")),
        Column(_("Drawer")),
        Column(_("Opened"), Kind.MOMENT),
        Column(_("Closed"), Kind.MOMENT),
        Column(_("Float"), Kind.MONEY),
        Column(_("Cash taken"), Kind.MONEY),
        Column(_("Put in or out"), Kind.MONEY),
        Column(_("Expected"), Kind.MONEY),
        Column(_("Counted"), Kind.MONEY),
        Column(_("Difference"), Kind.MONEY),
        Column(_("Reason")),
    ]
    rows = [tuple(getattr(shift, name) for name in ShiftLine.__slots__) for shift in found]
    cash = sum((shift.cash for shift in found), ZERO)
    off = sum((shift.difference or ZERO for shift in found), ZERO)
    carried = sum((shift.carried for shift in found), ZERO)
    foot = (_("All"), "", "", "", None, None, None, cash, carried, None, None, off, "")
    return Table(columns, rows, foot, ground.currency)
