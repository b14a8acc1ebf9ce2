"""Receipts, the payments and refunds on them, and the patients' own accounts."""

from decimal import Decimal

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from billing.models.bills import Bill, CreditNote
from billing.models.fields import NormalReference, append_only, money, never_deleted, of_one_facility
from billing.models.shifts import Shift
from billing.states import BY_REFERENCE, Method, ReceiptKind

# FOR SHARE: a shift that is being closed is waited for, and is then found closed.
_INTO_AN_OPEN_SHIFT = """
IF NEW.shift_id IS NOT NULL AND
   (SELECT closed_at IS NOT NULL FROM billing_shift WHERE id = NEW.shift_id FOR SHARE) THEN
    RAISE EXCEPTION 'shift % is closed', NEW.shift_id USING ERRCODE = 'check_violation';
END IF;
RETURN NEW;
"""

_ONLY_REFUNDED_GROWS = """
IF to_jsonb(NEW) - 'refunded' <> to_jsonb(OLD) - 'refunded' OR NEW.refunded < OLD.refunded THEN
    RAISE EXCEPTION 'payment % stays as it was taken', OLD.id USING ERRCODE = 'check_violation';
END IF;
RETURN NEW;
"""


def into_an_open_shift() -> pgtrigger.Trigger:
    """No money moves in a shift that is closed."""
    return pgtrigger.Trigger(
        name="into_an_open_shift", operation=pgtrigger.Insert, when=pgtrigger.Before, func=_INTO_AN_OPEN_SHIFT
    )


class PatientAccount(models.Model):
    """A patient's advances in a facility. The balance is in the ledger; the row is what two cashiers lock."""

    facility = models.ForeignKey("accounts.Facility", models.PROTECT, related_name="+")
    patient = models.OneToOneField("patients.Patient", models.PROTECT, related_name="account")

    class Meta:
        triggers = [append_only(), of_one_facility("patient")]

    def __str__(self) -> str:
        return f"Account of {self.patient_id}"


class Receipt(models.Model):
    """What a patient takes home after paying or being paid back: one or several payments at once. Append-only."""

    facility = models.ForeignKey("accounts.Facility", models.PROTECT, related_name="receipts")
    kind = models.CharField(max_length=10, choices=ReceiptKind)
    number = models.CharField(max_length=20, help_text="R-2026-000001, or V-2026-000001 of a refund.")
    patient = models.ForeignKey("patients.Patient", models.PROTECT, related_name="receipts")
    bill = models.ForeignKey(Bill, models.PROTECT, null=True, related_name="receipts")
    shift = models.ForeignKey(Shift, models.PROTECT, null=True, related_name="receipts")
    tendered = money(default=Decimal(0), help_text="Cash that was handed over.")
    change = money(default=Decimal(0), help_text="Cash that was given back at once.")
    due_after = money(default=Decimal(0), help_text="What the bill still asked for then.")
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["facility", "number"], name="receipt_number_once"),
            models.CheckConstraint(
                condition=Q(kind="payment", number__startswith="R-") | Q(kind="refund", number__startswith="V-"),
                name="receipt_number_form",
            ),
            models.CheckConstraint(condition=Q(change__gte=0, tendered__gte=F("change")), name="receipt_change"),
        ]
        triggers = [append_only(), of_one_facility("patient", "bill", "shift")]

    def __str__(self) -> str:
        return self.number


class ReceiptPrint(models.Model):
    """A receipt left the printer: the first is the receipt, every other one is marked as a copy. Append-only."""

    receipt = models.ForeignKey(Receipt, models.PROTECT, related_name="prints")
    copy = models.PositiveIntegerField(help_text="0 for the receipt itself, then 1, 2 ...")
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["receipt", "copy"], name="receipt_copy_once")]
        triggers = [append_only()]

    def __str__(self) -> str:
        return f"{self.receipt_id}: {self.copy}"


class Payment(models.Model):
    """Money that came in: for a bill, or without one onto the patient's account. Only `refunded` ever grows."""

    facility = models.ForeignKey("accounts.Facility", models.PROTECT, related_name="payments", db_index=False)
    receipt = models.ForeignKey(Receipt, models.PROTECT, related_name="payments")
    patient = models.ForeignKey("patients.Patient", models.PROTECT, related_name="payments")
    bill = models.ForeignKey(Bill, models.PROTECT, null=True, related_name="payments")
    method = models.CharField(max_length=10, choices=Method)
    amount = money()
    refunded = money(default=Decimal(0))
    reference = models.CharField(max_length=100, blank=True, help_text="Of the card terminal, the bank, the wallet.")
    reference_doubled = models.BooleanField(
        default=False,
        db_default=False,
        editable=False,
        help_text="An earlier payment has the same reference, written otherwise; from before that was refused.",
    )
    rest_of = models.OneToOneField(
        "self",
        models.PROTECT,
        null=True,
        related_name="rest",
        help_text="The payment whose excess was kept as an advance.",
    )
    shift = models.ForeignKey(Shift, models.PROTECT, null=True, related_name="payments")
    date = models.DateField(help_text="The facility's date.")
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["facility", "date"], name="payment_of_day")]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="payment_positive"),
            models.CheckConstraint(
                condition=Q(refunded__gte=0, refunded__lte=F("amount")), name="payment_refunded_within_amount"
            ),
            models.CheckConstraint(condition=Q(method__in=Method.values), name="payment_method_known"),
            models.CheckConstraint(
                condition=~Q(method="cash") | Q(shift__isnull=False), name="cash_payment_in_a_shift"
            ),
            models.CheckConstraint(condition=~Q(method="account") | Q(bill__isnull=False), name="account_pays_a_bill"),
            models.CheckConstraint(
                condition=~Q(method__in=BY_REFERENCE) | ~Q(reference=""), name="payment_has_its_reference"
            ),
            models.UniqueConstraint(
                fields=["facility", "method", "reference"],
                condition=~Q(reference="") & Q(rest_of=None),
                name="payment_reference_once",
            ),
            models.UniqueConstraint(
                "facility",
                "method",
                NormalReference("reference"),
                condition=~Q(reference="") & Q(rest_of=None, reference_doubled=False),
                name="payment_reference_once_however_written",
            ),
        ]
        triggers = [
            never_deleted(),
            pgtrigger.Trigger(
                name="only_refunded_grows", operation=pgtrigger.Update, when=pgtrigger.Before, func=_ONLY_REFUNDED_GROWS
            ),
            into_an_open_shift(),
            of_one_facility("receipt", "patient", "bill", "shift"),
        ]

    def __str__(self) -> str:
        return f"{self.get_method_display()} {self.amount}"

    @property
    def refundable(self) -> Decimal:
        """What has not been given back of it."""
        return self.amount - self.refunded


class Refund(models.Model):
    """Money that went back, by the way it came, or onto the patient's account. Append-only."""

    facility = models.ForeignKey("accounts.Facility", models.PROTECT, related_name="refunds", db_index=False)
    receipt = models.ForeignKey(Receipt, models.PROTECT, related_name="refunds")
    payment = models.ForeignKey(Payment, models.PROTECT, related_name="refunds")
    bill = models.ForeignKey(Bill, models.PROTECT, null=True, related_name="refunds")
    credit_note = models.ForeignKey(CreditNote, models.PROTECT, null=True, related_name="refunds")
    method = models.CharField(max_length=10, choices=Method, help_text="That of the payment, or the account.")
    amount = money()
    reason = models.CharField(max_length=300)
    reference = models.CharField(max_length=100, blank=True)
    shift = models.ForeignKey(Shift, models.PROTECT, null=True, related_name="refunds")
    date = models.DateField(help_text="The facility's date.")
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["facility", "date"], name="refund_of_day")]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="refund_positive"),
            models.CheckConstraint(condition=~Q(reason=""), name="refund_has_a_reason"),
            models.CheckConstraint(condition=Q(method__in=Method.values), name="refund_method_known"),
            models.CheckConstraint(condition=~Q(method="cash") | Q(shift__isnull=False), name="cash_refund_in_a_shift"),
            # NOT VALID in the database: what was given back by card or bank before this rule has no shift, and stays.
            models.CheckConstraint(
                condition=Q(shift__isnull=False) | Q(by__isnull=True, method="account"), name="refund_in_a_shift"
            ),
        ]
        triggers = [
            append_only(),
            into_an_open_shift(),
            of_one_facility("receipt", "payment", "bill", "credit_note:creditnote", "shift"),
        ]

    def __str__(self) -> str:
        return f"{self.get_method_display()} -{self.amount}"
