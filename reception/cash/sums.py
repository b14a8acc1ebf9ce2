"""A bill as it is added up for people: lines, what is taken off, what was paid before, and what is due."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Facility
from billing.models import Bill, CreditNote, Line, Payment, Refund
from billing.states import BillStatus, Method
from common.amounts import figures
from common.templatetags.money import quantity
from reception.cash.rows import METHOD_WORDS

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class SumLine:
    """A line of the sum.

    Attributes:
        kind: `total`, `muted`, `due`, or nothing for a usual one.
    """

    words: str
    amount: Decimal
    kind: str = ""


@dataclass(frozen=True)
class Read:
    """Everything that is said of a bill, read once."""

    bill: Bill
    lines: list[Line]
    payments: list[Payment]
    refunds: list[Refund]
    notes: list[CreditNote]

    @property
    def refundable(self) -> list[Payment]:
        """Payments of which something can still be given back."""
        return [each for each in self.payments if each.refundable > 0]


def read(bill: Bill) -> Read:
    """Lines, payments, refunds and credit notes of a bill. Four queries, two where nothing was ever paid."""
    lines = list(bill.lines.all())
    payments = list(bill.payments.select_related("receipt", "by").order_by("id"))
    refunds = list(bill.refunds.select_related("receipt").order_by("id")) if payments else []
    notes = list(bill.credit_notes.order_by("id")) if bill.credited else []
    return Read(bill, lines, payments, refunds, notes)


def summed(found: Read, *, dated: bool = False) -> list[SumLine]:
    """The sum of a bill, from its lines to what is due; of a draft, which nobody owes, to its total.

    Args:
        dated: each moment with its day, for paper, which is read on another one.
    """
    bill = found.bill
    told = partial(when, facility=bill.facility) if dated else partial(moment, facility=bill.facility)
    rows = [SumLine(_line_words(each, bill.currency), each.gross) for each in found.lines]
    rows += [SumLine(words, -amount, "muted") for words, amount in _discounts(found.lines).items()]
    added = bill.total - (bill.gross - bill.discount)
    if added:
        rows.append(SumLine(_("Tax"), added, "muted"))
    rows.append(SumLine(_("Total"), bill.total, "total"))
    rows += [SumLine(_("Credited: %(why)s") % {"why": each.reason}, -each.amount, "muted") for each in found.notes]
    rows += [SumLine(_paid_words(each, told(each.at)), -each.amount, "muted") for each in found.payments]
    rows += [SumLine(_given_words(each, told(each.at)), each.amount, "muted") for each in found.refunds]
    if bill.status == BillStatus.DRAFT:
        return rows
    if bill.status == BillStatus.VOID:
        return [*rows, SumLine(_("Void"), -bill.total, "muted"), SumLine(_("Due"), ZERO, "due")]
    if bill.due < 0:
        rows.append(SumLine(_("To give back"), bill.to_give_back, "due"))
    else:
        rows.append(SumLine(_("Due"), bill.due, "due"))
    return rows


def _line_words(line: Line, currency: str) -> str:
    if line.quantity == 1:
        return line.description
    return f"{line.description}, {quantity(line.quantity)}\u00a0×\u00a0{figures(line.unit_price, currency)}"


def _discounts(lines: Iterable[Line]) -> dict[str, Decimal]:
    """What is taken off, by its reason."""
    found: dict[str, Decimal] = {}
    for line in lines:
        if line.discount:
            words = line.discount_reason or _("Discount")
            found[words] = found.get(words, ZERO) + line.discount
    return found


def _paid_words(payment: Payment, at: str) -> str:
    return _("Paid, %(how)s, %(at)s") % {"how": METHOD_WORDS[Method(payment.method)], "at": at}


def _given_words(refund: Refund, at: str) -> str:
    return _("Given back, %(how)s, %(at)s") % {"how": METHOD_WORDS[Method(refund.method)], "at": at}


def moment(at: datetime, facility: Facility) -> str:
    """A time of today, or the day and the time, by the facility's clock."""
    local = timezone.localtime(at, facility.tz)
    return f"{local:%H:%M}" if local.date() == facility.local_date() else when(at, facility)


def when(at: datetime, facility: Facility) -> str:
    """The day and the time, by the facility's clock; the year where it is another one."""
    local = timezone.localtime(at, facility.tz)
    year = f" {local:%Y}" if local.year != facility.local_date().year else ""
    return f"{local.day} {local:%b}{year}, {local:%H:%M}"
