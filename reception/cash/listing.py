"""The list of the cash desk: what is to be paid, was paid today, is to be given back, is void; drafts and shifts."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from django.db import connection
from django.db.models import Sum
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import Facility
from billing.models import Bill, Receipt
from billing.states import OWED, BillStatus, ReceiptKind
from reception.cash import shifts
from reception.cash.rows import MOST, Row, bill_of_list, receipt_row, with_names

TABS: Final = {
    "pay": gettext_lazy("To pay"),
    "paid": gettext_lazy("Paid today"),
    "back": gettext_lazy("To give back"),
    "void": gettext_lazy("Void"),
    "drafts": gettext_lazy("Drafts"),
    "shifts": gettext_lazy("Shifts"),
}
UNPAID: Final = "unpaid"
"""`pay` the other way round: the oldest bill first, by pages, with the age of each and the sum of all."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One tab, or a page of it.

    Attributes:
        counts: how many there are in all, by tab.
        owed: what is due on all bills; of `unpaid` alone.
    """

    tab: str
    counts: dict[str, int]
    rows: list[Row]
    page: int = 1
    owed: Decimal = Decimal(0)

    @property
    def many(self) -> int:
        """How many there are in all."""
        return self.counts["pay" if self.tab == UNPAID else self.tab]

    @property
    def more(self) -> int:
        """How many rows are not shown, on this page and those before it."""
        return max(self.many - MOST * self.page, 0) if self.tab in ("pay", UNPAID) else max(self.many - MOST, 0)

    @property
    def first(self) -> int:
        """Which one of all stands on top, from 1."""
        return (self.page - 1) * MOST + 1

    @property
    def last(self) -> int:
        """Which one of all stands at the end."""
        return self.first + len(self.rows) - 1


_COUNTS: Final = """
SELECT
  (SELECT count(*) FROM billing_bill WHERE facility_id = %(facility)s AND status IN ('open', 'part_paid')),
  (SELECT count(DISTINCT receipt_id) FROM billing_payment WHERE facility_id = %(facility)s AND date = %(date)s),
  (SELECT count(*) FROM billing_bill WHERE facility_id = %(facility)s AND due < 0),
  (SELECT count(*) FROM billing_ledgertransaction
    WHERE facility_id = %(facility)s AND date = %(date)s AND kind = 'void'),
  (SELECT count(*) FROM billing_bill WHERE facility_id = %(facility)s AND date IS NULL AND status = 'draft'),
  (SELECT count(*) FROM billing_shift WHERE facility_id = %(facility)s AND closed_at IS NULL)
"""


def listed(facility: Facility, date: dt.date, tab: str, page: int = 1) -> Listed:
    """A tab of the list. Four queries at most.

    Args:
        date: the facility's date of now.
        page: of `unpaid`, from 1; a page beyond the last is the last.
    """
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, {"facility": facility.pk, "date": date})
        counts = dict(zip(TABS, cursor.fetchone(), strict=True))
    if tab == UNPAID:
        return _unpaid(facility, date, counts, page)
    return Listed(tab, counts, _ROWS[tab](facility, date))


def _unpaid(facility: Facility, date: dt.date, counts: dict[str, int], page: int) -> Listed:
    """A page of what is owed, the oldest first: from its issue, for a draft asks for nothing however long it lies."""
    page = max(1, min(page, -(-counts["pay"] // MOST)))
    owed = Bill.objects.filter(facility=facility, status__in=OWED)
    # Only the keys are walked over: what a row shows is read for the rows of the page alone.
    keys = owed.order_by("issued_at", "id").values("id")[(page - 1) * MOST : page * MOST]
    bills = with_names(Bill.objects.filter(pk__in=keys).order_by("issued_at", "id"))
    rows = [bill_of_list(each, each.due, status=_age(each, date), tone="muted") for each in bills]
    due = owed.order_by().aggregate(sum=Sum("due"))["sum"] or Decimal(0)
    return Listed(UNPAID, counts, rows, page, due)


def _age(bill: Bill, date: dt.date) -> str:
    """How long a bill has waited: `Today`, `312 days`; and whether a part of it was paid."""
    days = (date - bill.date).days if bill.date else 0
    age = ngettext("%(n)d day", "%(n)d days", days) % {"n": days} if days > 0 else _("Today")
    return _("%(age)s, part paid") % {"age": age} if bill.status == BillStatus.PART_PAID else age


# The tabs


def _owed(facility: Facility, date: dt.date) -> list[Row]:
    newest = Bill.objects.filter(facility=facility, status__in=OWED).order_by("-issued_at", "-id").values("id")[:MOST]
    bills = Bill.objects.filter(pk__in=newest).order_by("-issued_at", "-id")
    return [bill_of_list(each, each.due) for each in with_names(bills)]


def _back(facility: Facility, date: dt.date) -> list[Row]:
    bills = Bill.objects.filter(facility=facility, due__lt=0).order_by("-id")
    credited = {"status": _("Credited"), "tone": "chip"}
    waiting = [bill_of_list(each, each.to_give_back, **credited) for each in with_names(bills)]
    return [*waiting, *_given(facility, date)]


def _given(facility: Facility, date: dt.date) -> list[Row]:
    """What was given back today, under what is still to be given back. Two queries."""
    vouchers = Receipt.objects.filter(kind=ReceiptKind.REFUND, refunds__facility=facility, refunds__date=date)
    rows = vouchers.order_by("-id").distinct().select_related("patient", "bill").prefetch_related("refunds")
    return [receipt_row(each, facility.currency) for each in rows[:MOST]]


def _void(facility: Facility, date: dt.date) -> list[Row]:
    told = {"ledger__facility": facility, "ledger__date": date, "ledger__kind": "void"}
    bills = Bill.objects.filter(facility=facility, **told).order_by("-voided_at")
    return [bill_of_list(each, each.total, what=each.void_reason) for each in with_names(bills)]


def _paid(facility: Facility, date: dt.date) -> list[Row]:
    receipts = Receipt.objects.filter(kind=ReceiptKind.PAYMENT, payments__facility=facility, payments__date=date)
    rows = receipts.order_by("-id").distinct().select_related("patient", "bill").prefetch_related("payments")
    return [receipt_row(each, facility.currency) for each in rows[:MOST]]


def _drafts(facility: Facility, date: dt.date) -> list[Row]:
    # Only what was never issued has no date, so that the index by date finds it.
    bills = Bill.objects.filter(facility=facility, date=None, status=BillStatus.DRAFT).order_by("-id")
    return [bill_of_list(each, each.total) for each in with_names(bills)]


_ROWS: Final[dict[str, Callable[[Facility, dt.date], list[Row]]]] = {
    "pay": _owed,
    "paid": _paid,
    "back": _back,
    "void": _void,
    "drafts": _drafts,
    "shifts": shifts.rows_of,
}
