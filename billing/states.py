"""The words of money: states of a bill, ways to pay, kinds of accounts. "Shift closed" is a time, not a state."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class BillStatus(models.TextChoices):
    """Where a bill is in its life. It follows from the amounts (`rules.status_of`), but for draft and void."""

    DRAFT = "draft", _("Draft")
    OPEN = "open", _("Open")
    PART_PAID = "part_paid", _("Part paid")
    PAID = "paid", _("Paid")
    VOID = "void", _("Void")


OWED = (BillStatus.OPEN, BillStatus.PART_PAID)
"""Bills on which something is due."""

ISSUED = (*OWED, BillStatus.PAID)
"""Bills that count: they have a number and were not taken back."""


class Method(models.TextChoices):
    """How money comes and goes."""

    CASH = "cash", _("Cash")
    CARD = "card", _("Card")
    BANK = "bank", _("Bank transfer")
    UPI = "upi", _("UPI")
    WALLET = "wallet", _("Wallet")
    ACCOUNT = "account", _("Patient's account")


BY_REFERENCE = (Method.CARD, Method.BANK, Method.UPI, Method.WALLET)
"""Ways that leave a trace elsewhere, whose reference is kept and is used once."""


class ReceiptKind(models.TextChoices):
    """What a receipt is about; its number says it too (R, V)."""

    PAYMENT = "payment", _("Receipt")
    REFUND = "refund", _("Refund voucher")


class MovementKind(models.TextChoices):
    """Why cash goes into or out of a drawer though no patient pays. Each has one that takes it back."""

    TO_SAFE = "to_safe", _("To the safe")
    FROM_SAFE = "from_safe", _("From the safe")
    PAID_OUT = "paid_out", _("Petty cash paid out")
    CAME_BACK = "came_back", _("Petty cash brought back")


INTO_THE_DRAWER = (MovementKind.FROM_SAFE, MovementKind.CAME_BACK)
"""Movements by which a drawer holds more; by the others it holds less."""

PETTY = (MovementKind.PAID_OUT, MovementKind.CAME_BACK)
"""Movements that are spending, and so need a reason and a permission of their own."""


class AccountKind(models.TextChoices):
    """Kinds of accounts of the ledger."""

    CASH = "cash", _("Cash in a drawer")
    SAFE = "safe", _("Cash in the safe")
    PETTY = "petty", _("Petty cash spent")
    BANK = "bank", _("Bank")
    RECEIVABLE = "receivable", _("Receivable")
    REVENUE = "revenue", _("Revenue")
    DISCOUNT = "discount", _("Discounts")
    TAX = "tax", _("Tax")
    REFUND = "refund", _("Credited and refunded")
    ADVANCE = "advance", _("Advances of patients")
    DIFFERENCE = "difference", _("Cash over and short")


class LedgerKind(models.TextChoices):
    """What a transaction of the ledger stands for."""

    ISSUE = "issue", _("Bill issued")
    VOID = "void", _("Bill void")
    CREDIT = "credit", _("Credit note")
    PAYMENT = "payment", _("Payment")
    REFUND = "refund", _("Refund")
    FLOAT = "float", _("Float of a shift")
    MOVEMENT = "movement", _("Cash moved in a shift")
    CLOSE = "close", _("Shift closed")


class CounterKind(models.TextChoices):
    """What has numbers without gaps, by the letter they begin with."""

    BILL = "B", _("Bills")
    RECEIPT = "R", _("Receipts")
    VOUCHER = "V", _("Refund vouchers")
    CREDIT_NOTE = "C", _("Credit notes")
    MOVEMENT = "M", _("Cash moved in shifts")


class WhenDisplaced(models.TextChoices):
    """What happens to what was paid when a patient loses the place to somebody else."""

    KEEP = "keep", _("Keep it for the place that may come; all of it back if none comes")
    CREDIT = "credit", _("Credit it at once")
