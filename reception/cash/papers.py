"""What is printed: receipts and vouchers, bills, reports of a shift. As HTML on 80 mm or A4, and as PDF."""

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.utils.translation import gettext as _

from billing.models import BillingSettings, Payment, Receipt, ReceiptPrint, Refund
from billing.states import Method, ReceiptKind
from reception.cash.sums import Read, SumLine, read, summed

ZERO = Decimal(0)


@dataclass(frozen=True)
class ReceiptPaper:
    """A receipt as it stands on paper.

    Attributes:
        found: its bill as it is now; None for an advance.
        prints: how often it left the printer, the first first.
    """

    receipt: Receipt
    payments: list[Payment]
    refunds: list[Refund]
    found: Read | None
    prints: list[ReceiptPrint]
    rules: BillingSettings | None

    @property
    def is_refund(self) -> bool:
        """Whether it is a voucher."""
        return self.receipt.kind == ReceiptKind.REFUND

    @cached_property
    def deeds(self) -> list[dict[str, Any]]:
        """Ways and amounts; cash as it was handed over, an excess that was kept beside its payment."""
        rows: list[Any] = self.refunds if self.is_refund else self.payments
        cash = [each for each in rows if each.method == Method.CASH]
        handed = self.receipt.tendered if self.receipt.change and len(cash) == 1 else None
        return [
            {
                "deed": each,
                "kept": not self.is_refund and each.bill_id is None,
                "amount": handed if handed is not None and each in cash else each.amount,
            }
            for each in rows
        ]

    @cached_property
    def amount(self) -> Decimal:
        """What was taken or given back in all."""
        return sum((each["deed"].amount for each in self.deeds), ZERO)

    @cached_property
    def cash(self) -> Decimal:
        """The part of it in cash."""
        return sum((each["deed"].amount for each in self.deeds if each["deed"].method == Method.CASH), ZERO)

    @cached_property
    def kept(self) -> Decimal:
        """What was more than due and lies on the account now."""
        if self.receipt.bill_id is None:
            return ZERO
        return sum((each.amount for each in self.payments if each.bill_id is None), ZERO)

    @property
    def refundable(self) -> bool:
        """Whether something of it can still be given back."""
        return any(each.refundable > 0 for each in self.payments)

    @property
    def lines(self) -> list[SumLine]:
        """The bill's lines down to its total."""
        if self.found is None:
            return []
        return down_to_total(summed(self.found))

    @property
    def before(self) -> list[SumLine]:
        """What became of the bill before this receipt: from its total by way of this receipt to what is still due."""
        if self.found is None or self.is_refund:
            return []
        return before(self.found, self.receipt)


def before(found: Read, receipt: Receipt | None = None) -> list[SumLine]:
    """What was credited, paid and given back on a bill: until a receipt, or until now.

    A credit note has no place among receipts, so its time says whether it came before.
    """
    notes, payments, refunds = found.notes, found.payments, found.refunds
    if receipt is not None:
        notes = [each for each in notes if each.at <= receipt.at]
        payments = [each for each in payments if each.receipt_id < receipt.pk]
        refunds = [each for each in refunds if each.receipt_id < receipt.pk]
    rows = [SumLine(_("Credited: %(why)s") % {"why": each.reason}, -each.amount) for each in notes]
    rows += [SumLine(_("Paid before, %(how)s") % {"how": _way(each)}, each.amount) for each in payments]
    return rows + [SumLine(_("Given back, %(how)s") % {"how": _way(each)}, -each.amount) for each in refunds]


def _way(deed: Payment | Refund) -> str:
    return str(deed.get_method_display())


def down_to_total(rows: list[SumLine]) -> list[SumLine]:
    """The first rows of a sum: what was asked for, before what was paid."""
    end = next(at for at, row in enumerate(rows) if row.kind == "total")
    return rows[: end + 1]


def receipt_paper(receipt: Receipt) -> ReceiptPaper:
    """Everything that a receipt says. Eight queries at most."""
    is_refund = receipt.kind == ReceiptKind.REFUND
    return ReceiptPaper(
        receipt=receipt,
        payments=[] if is_refund else list(receipt.payments.order_by("id")),
        refunds=list(receipt.refunds.select_related("payment").order_by("id")) if is_refund else [],
        found=read(receipt.bill) if receipt.bill else None,
        prints=list(receipt.prints.order_by("copy")),
        rules=BillingSettings.objects.filter(pk=receipt.facility_id).first(),
    )
