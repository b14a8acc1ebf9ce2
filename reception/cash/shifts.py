"""The shifts of the day, for who sees those of others: who has which drawer, what was taken, what was missing."""

import datetime as dt
from decimal import Decimal
from typing import Any, Final

from django.db.models import Q, Sum
from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts.models import Facility
from accounts.permissions import allows
from billing.models import Payment, Shift
from billing.queries import get_shift, shift_report
from billing.states import Method
from common.amounts import said
from reception.cash.rows import MOST, Row
from reception.cash.sums import moment
from reception.pages.asking import whole_number
from reception.pages.frame import Place, person

OVERSEES: Final = "billing.shifts"


def rows_of(facility: Facility, date: dt.date) -> list[Row]:
    """Shifts that are open, and those of the day under them. Two queries.

    Args:
        date: the facility's date of now; a shift that was opened the day before and is still open stands there too.
    """
    shifts = Shift.objects.filter(Q(closed_at=None) | Q(date=date), facility=facility)
    found = list(shifts.select_related("cashier", "drawer").order_by("closed_at", "-id")[:MOST])
    found.sort(key=lambda shift: shift.closed_at is not None)
    taken = _taken(found)
    return [_row(each, taken.get(each.pk, Decimal(0)), facility) for each in found]


def _taken(shifts: list[Shift]) -> dict[int, Decimal]:
    """What came in by all ways, by shift; what only moved off an account is none of it."""
    rows = Payment.objects.filter(shift__in=[each.pk for each in shifts]).exclude(method=Method.ACCOUNT)
    return dict(rows.order_by().values_list("shift").annotate(sum=Sum("amount")))


def _row(shift: Shift, taken: Decimal, facility: Facility) -> Row:
    begun = moment(shift.opened_at, facility)
    over = shift.difference if shift.closed_at else Decimal(0)
    return Row(
        name=f"shift-{shift.pk}",
        query=f"shift={shift.pk}",
        patient=str(shift.cashier),
        about=shift.drawer.name,
        number=_("Shift %(n)d") % {"n": shift.number},
        what=f"{begun}–{moment(shift.closed_at, facility)}" if shift.closed_at else _("Since %(at)s") % {"at": begun},
        status=_status(shift, over, facility.currency),
        tone="chip" if over else "done" if shift.closed_at else "muted",
        amount=taken,
        currency=facility.currency,
    )


def _status(shift: Shift, over: Decimal, currency: str) -> str:
    if shift.closed_at is None:
        return _("Open")
    if not over:
        return _("Closed")
    amount = {"amount": said(abs(over), currency)}
    return _("%(amount)s over") % amount if over > 0 else _("%(amount)s short") % amount


def shift_by_address(request: HttpRequest, where: Place, text: str) -> dict[str, Any]:
    """The shift that the address names, with its figures of now. Four queries.

    Raises:
        NotFound, PermissionDenied: it is somebody else's, and they may not see it.
    """
    shift = get_shift(whole_number(text), person(request))
    oversees = shift.cashier_id == person(request).pk or allows(person(request), OVERSEES, shift.facility_id)
    return {
        "drawer": "shift",
        "where": where,
        "shift": shift,
        "report": shift_report(shift),
        "may_close": shift.closed_at is None and oversees,
    }
