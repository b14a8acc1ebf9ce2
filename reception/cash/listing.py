"""The list of the cash desk: what is to be paid, was paid today, is to be given back, is void."""

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from django.contrib.postgres.expressions import ArraySubquery
from django.db import connection
from django.db.models import OuterRef, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import Facility
from billing.models import Bill, Line, Receipt
from billing.states import OWED, BillStatus, Method, ReceiptKind

TABS: Final = {
    "pay": gettext_lazy("To pay"),
    "paid": gettext_lazy("Paid today"),
    "back": gettext_lazy("To give back"),
    "void": gettext_lazy("Void"),
}
MOST: Final = 60
"""Rows of a tab; older ones are found by name or number."""

METHOD_WORDS: Final = {
    Method.CASH: gettext_lazy("Cash"),
    Method.CARD: gettext_lazy("Card"),
    Method.UPI: gettext_lazy("UPI"),
    Method.ACCOUNT: gettext_lazy("Account"),
    Method.BANK: gettext_lazy("Bank transfer"),
    Method.WALLET: gettext_lazy("Wallet"),
}
"""How money comes, in the order of the keys 1 to 6."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the list.

    Attributes:
        name: the id of its element.
        query: what selects it, in the page's address.
        what: what it is for, in a few words.
        tone: of the status: `chip`, `done`, `muted`.
        amount: what the tab is about: due, taken, to give back, taken off.
    """

    name: str
    query: str
    patient: str
    about: str
    number: str
    what: str
    status: str
    tone: str
    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Listed:
    """One tab: its rows, and how many there are in all."""

    tab: str
    counts: dict[str, int]
    rows: list[Row]

    @property
    def more(self) -> int:
        """How many rows are not shown."""
        return max(self.counts[self.tab] - MOST, 0)


_COUNTS: Final = """
SELECT
  (SELECT count(*) FROM billing_bill WHERE facility_id = %(facility)s AND status IN ('open', 'part_paid')),
  (SELECT count(DISTINCT receipt_id) FROM billing_payment WHERE facility_id = %(facility)s AND date = %(date)s),
  (SELECT count(*) FROM billing_bill WHERE facility_id = %(facility)s AND due < 0),
  (SELECT count(*) FROM billing_ledgertransaction
    WHERE facility_id = %(facility)s AND date = %(date)s AND kind = 'void')
"""


def listed(facility: Facility, date: dt.date, tab: str) -> Listed:
    """A tab of the list. Four queries at most.

    Args:
        date: the facility's date of now.
    """
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, {"facility": facility.pk, "date": date})
        counts = dict(zip(TABS, cursor.fetchone(), strict=True))
    return Listed(tab, counts, _ROWS[tab](facility, date))


# The tabs


def _owed(facility: Facility, date: dt.date) -> list[Row]:
    bills = Bill.objects.filter(facility=facility, status__in=OWED).order_by("-id")
    return [_bill_row(each, each.due) for each in with_names(bills)]


def _back(facility: Facility, date: dt.date) -> list[Row]:
    bills = Bill.objects.filter(facility=facility, due__lt=0).order_by("-id")
    waiting = [_bill_row(each, each.to_give_back, status=_("Credited")) for each in with_names(bills)]
    return [*waiting, *_given(facility, date)]


def _given(facility: Facility, date: dt.date) -> list[Row]:
    """What was given back today, under what is still to be given back. Two queries."""
    vouchers = Receipt.objects.filter(kind=ReceiptKind.REFUND, refunds__facility=facility, refunds__date=date)
    rows = vouchers.order_by("-id").distinct().select_related("patient", "bill").prefetch_related("refunds")
    return [receipt_row(each, facility.currency) for each in rows[:MOST]]


def _void(facility: Facility, date: dt.date) -> list[Row]:
    told = {"ledger__facility": facility, "ledger__date": date, "ledger__kind": "void"}
    bills = Bill.objects.filter(facility=facility, **told).order_by("-voided_at")
    return [_bill_row(each, each.total, what=each.void_reason) for each in with_names(bills)]


def _paid(facility: Facility, date: dt.date) -> list[Row]:
    receipts = Receipt.objects.filter(kind=ReceiptKind.PAYMENT, payments__facility=facility, payments__date=date)
    rows = receipts.order_by("-id").distinct().select_related("patient", "bill").prefetch_related("payments")
    return [receipt_row(each, facility.currency) for each in rows[:MOST]]


_ROWS: Final[dict[str, Callable[[Facility, dt.date], list[Row]]]] = {
    "pay": _owed,
    "paid": _paid,
    "back": _back,
    "void": _void,
}


# Rows


def with_names(bills: QuerySet[Bill], most: int = MOST) -> QuerySet[Bill]:
    """Bills with their patient and `told`, the first descriptions of their lines. One query."""
    lines = Line.objects.filter(bill=OuterRef("pk")).order_by("position").values("description")
    return bills.select_related("patient").annotate(told=ArraySubquery(lines))[:most]


def bill_row(bill: Any) -> Row:
    """A bill of `with_names`, wherever it stands."""
    return _bill_row(bill, bill.to_give_back or bill.owed or bill.total)


def _bill_row(bill: Any, amount: Decimal, *, what: str = "", status: str = "") -> Row:
    tone = {BillStatus.PART_PAID: "chip", BillStatus.PAID: "done"}.get(bill.status, "muted")
    return Row(
        name=f"bill-{bill.pk}",
        query=f"bill={bill.pk}",
        patient=bill.patient.name,
        about=bill.about,
        number=bill.number or _("Draft"),
        what=what or said_lines(bill.told),
        status=status or bill.get_status_display(),
        tone="chip" if status else tone,
        amount=amount,
        currency=bill.currency,
    )


def said_lines(told: Iterable[str]) -> str:
    """What a bill is for: two descriptions, or how many lines there are."""
    words = list(told)
    if len(words) <= 2:
        return ", ".join(words)
    rest = len(words) - 1
    return ngettext("%(first)s and %(n)d more", "%(first)s and %(n)d more", rest) % {"first": words[0], "n": rest}


def receipt_row(receipt: Receipt, currency: str) -> Row:
    """A receipt or a voucher, its payments or refunds read: how, and whether some of it was given back."""
    is_refund = receipt.kind == ReceiptKind.REFUND
    deeds: list[Any] = list(receipt.refunds.all() if is_refund else receipt.payments.all())
    amount = sum((each.amount for each in deeds), Decimal(0))
    refunded = sum((getattr(each, "refunded", Decimal(0)) for each in deeds), Decimal(0))
    return Row(
        name=f"receipt-{receipt.pk}",
        query=f"receipt={receipt.pk}",
        patient=receipt.patient.name,
        about=receipt.bill.about if receipt.bill else _("Patient's account"),
        number=receipt.number,
        what=" + ".join(dict.fromkeys(str(METHOD_WORDS[Method(each.method)]) for each in deeds)),
        status=_receipt_status(receipt, amount, refunded),
        tone="chip" if refunded else "done",
        amount=amount,
        currency=currency,
    )


def _receipt_status(receipt: Receipt, amount: Decimal, refunded: Decimal) -> str:
    if receipt.kind == ReceiptKind.REFUND or refunded == amount:
        return _("Given back")
    return _("Part given back") if refunded else _("Paid")
