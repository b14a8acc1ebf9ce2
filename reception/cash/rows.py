"""A row of the list and of what is found: a bill, or a receipt with its payments."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from billing.models import Bill, Line, Receipt
from billing.states import BillStatus, Method, ReceiptKind

MOST: Final = 60
"""Rows of a tab, or of a page of it."""

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


def with_names(bills: QuerySet[Bill], most: int = MOST) -> QuerySet[Bill]:
    """Bills with their patient and `told`, the first descriptions of their lines. One query."""
    lines = Line.objects.filter(bill=OuterRef("pk")).order_by("position").values("description")
    return bills.select_related("patient").annotate(told=ArraySubquery(lines))[:most]


def bill_row(bill: Any) -> Row:
    """A bill of `with_names`, wherever it stands."""
    return bill_of_list(bill, bill.to_give_back or bill.owed or bill.total)


def bill_of_list(bill: Any, amount: Decimal, *, what: str = "", status: str = "", tone: str = "") -> Row:
    """A bill of `with_names` in a tab.

    Args:
        amount: what the tab is about.
        what: instead of its first lines.
        status, tone: instead of its state.
    """
    usual = {BillStatus.PART_PAID: "chip", BillStatus.PAID: "done"}.get(bill.status, "muted")
    return Row(
        name=f"bill-{bill.pk}",
        query=f"bill={bill.pk}",
        patient=bill.patient.name,
        about=bill.about,
        number=bill.number or _("Draft"),
        what=what or said_lines(bill.told),
        status=status or bill.get_status_display(),
        tone=tone or usual,
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
