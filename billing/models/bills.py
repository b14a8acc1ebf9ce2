"""Bills, their lines, and the credit notes that correct them."""

from decimal import Decimal

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from billing.models.fields import append_only, money, never_deleted, of_one_facility
from billing.states import BillStatus

_ISSUED_STAYS = """
IF OLD.status <> 'draft' AND
   (NEW.facility_id, NEW.patient_id, NEW.number, NEW.currency, NEW.date, NEW.issued_at, NEW.billable_type,
    NEW.billable_id, NEW.gross, NEW.discount, NEW.tax, NEW.total)
   IS DISTINCT FROM
   (OLD.facility_id, OLD.patient_id, OLD.number, OLD.currency, OLD.date, OLD.issued_at, OLD.billable_type,
    OLD.billable_id, OLD.gross, OLD.discount, OLD.tax, OLD.total) THEN
    RAISE EXCEPTION 'bill % is issued: it is voided or credited, never edited', OLD.number
        USING ERRCODE = 'check_violation';
END IF;
IF OLD.status = 'void' THEN
    RAISE EXCEPTION 'bill % is void for ever', OLD.number USING ERRCODE = 'check_violation';
END IF;
IF OLD.status = 'draft' AND NEW.status <> 'draft' AND NEW.total IS DISTINCT FROM
   (SELECT coalesce(sum(total), 0) FROM billing_line WHERE bill_id = NEW.id) THEN
    RAISE EXCEPTION 'the total of bill % is not the sum of its lines', NEW.id USING ERRCODE = 'check_violation';
END IF;
RETURN NEW;
"""

_LINES_STAY = """
IF (SELECT status FROM billing_bill WHERE id = coalesce(NEW.bill_id, OLD.bill_id)) <> 'draft' THEN
    RAISE EXCEPTION 'the lines of an issued bill stay as they are' USING ERRCODE = 'check_violation';
END IF;
IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
RETURN NEW;
"""


_OF_THE_SAME_BILL = """
IF (SELECT bill_id FROM billing_creditnote WHERE id = NEW.note_id) IS DISTINCT FROM
   (SELECT bill_id FROM billing_line WHERE id = NEW.line_id) THEN
    RAISE EXCEPTION 'a credit note takes off lines of its own bill' USING ERRCODE = 'check_violation';
END IF;
RETURN NEW;
"""


class Bill(models.Model):
    """What a patient owes, for anything. A draft has no number; an issued bill is never edited."""

    facility = models.ForeignKey("accounts.Facility", models.PROTECT, related_name="bills")
    patient = models.ForeignKey("patients.Patient", models.PROTECT, related_name="bills", db_index=False)
    number = models.CharField(max_length=20, null=True, editable=False, help_text="B-2026-000001, given at issue.")
    status = models.CharField(max_length=10, choices=BillStatus, default=BillStatus.DRAFT)
    currency = models.CharField(max_length=3)
    billable_type = models.CharField(max_length=40, blank=True, help_text="visit, test_order, package ...")
    billable_id = models.BigIntegerField(null=True)
    about = models.CharField(max_length=120, blank=True, help_text="What people call it by, such as A-014, Dr Rao.")
    gross = money(default=Decimal(0), help_text="Before discounts and taxes that are added.")
    discount = money(default=Decimal(0))
    tax = money(default=Decimal(0), help_text="All taxes, also those that prices have in them.")
    total = money(default=Decimal(0), help_text="The sum of the lines' totals.")
    credited = money(default=Decimal(0), help_text="Taken off by credit notes.")
    paid = money(default=Decimal(0), help_text="Payments less refunds.")
    due = models.GeneratedField(
        expression=F("total") - F("credited") - F("paid"),
        output_field=money(),
        db_persist=True,
        help_text="Below zero: to be given back.",
    )
    date = models.DateField(null=True, help_text="The facility's date of issue.")
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    issued_at = models.DateTimeField(null=True)
    voided_at = models.DateTimeField(null=True)
    voided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    void_reason = models.CharField(max_length=300, blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["patient", "status"], name="bill_of_patient"),
            models.Index(fields=["facility", "date"], name="bill_of_day"),
            models.Index(fields=["facility", "-id"], name="bill_owed", condition=Q(status__in=["open", "part_paid"])),
            models.Index(fields=["facility", "-id"], name="bill_to_give_back", condition=Q(due__lt=0)),
            models.Index(fields=["billable_type", "billable_id"], name="bill_of_billable"),
            models.Index(fields=["facility", "voided_at"], name="bill_voided", condition=Q(voided_at__isnull=False)),
        ]
        constraints = [
            models.UniqueConstraint(fields=["facility", "number"], name="bill_number_once"),
            models.CheckConstraint(
                condition=Q(number__isnull=True) | Q(number__regex=r"^B-\d{4}-\d{6,}$"), name="bill_number_form"
            ),
            models.CheckConstraint(
                condition=Q(
                    status__in=["draft", "void"], number__isnull=True, issued_at__isnull=True, date__isnull=True
                )
                | Q(~Q(status="draft"), number__isnull=False, issued_at__isnull=False, date__isnull=False),
                name="bill_numbered_when_issued",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["draft", "void"])
                | Q(status="open", paid=0, due__gt=0)
                | Q(status="part_paid", paid__gt=0, due__gt=0)
                | Q(status="paid", due__lte=0),
                name="bill_status_follows_amounts",
            ),
            models.CheckConstraint(
                condition=Q(status="void", voided_at__isnull=False, paid=0)
                | Q(~Q(status="void"), voided_at__isnull=True),
                name="bill_void_at_a_moment_and_unpaid",
            ),
            models.CheckConstraint(
                condition=Q(gross__gte=0, discount__gte=0, tax__gte=0, total__gte=0, paid__gte=0, credited__gte=0),
                name="bill_amounts_not_negative",
            ),
            models.CheckConstraint(condition=Q(credited__lte=F("total")), name="bill_credited_within_total"),
            models.CheckConstraint(condition=Q(paid__lte=F("total")), name="bill_paid_within_total"),
        ]
        triggers = [
            never_deleted(),
            of_one_facility("patient", changes=True),
            pgtrigger.Trigger(
                name="issued_stays", operation=pgtrigger.Update, when=pgtrigger.Before, func=_ISSUED_STAYS
            ),
        ]

    def __str__(self) -> str:
        return self.number or f"Draft {self.pk}"

    @property
    def owed(self) -> Decimal:
        """What is still to be paid; never below zero."""
        return max(self.due, Decimal(0))

    @property
    def to_give_back(self) -> Decimal:
        """What was paid and is no longer owed."""
        return max(-self.due, Decimal(0))


class Line(models.Model):
    """A line of a bill: what, how many, at what price, and for which object. Only a draft's lines can change."""

    bill = models.ForeignKey(Bill, models.PROTECT, related_name="lines", db_index=False)
    position = models.PositiveSmallIntegerField()
    description = models.CharField(max_length=200)
    quantity = models.DecimalField(max_digits=10, decimal_places=3, default=1)
    unit_price = money()
    gross = money(help_text="Quantity by unit price, rounded half up.")
    discount = money(default=Decimal(0), help_text="Its own and its share of the bill's.")
    discount_reason = models.CharField(max_length=200, blank=True)
    tax_percent = models.DecimalField(max_digits=5, decimal_places=2, default=0)
    tax_included = models.BooleanField(default=False)
    tax = money(default=Decimal(0))
    total = money(help_text="What it adds to the bill.")
    item_type = models.CharField(
        max_length=40, blank=True, help_text="consultation, priority, test_order, medicine ..."
    )
    item_id = models.BigIntegerField(null=True)
    department = models.ForeignKey(
        "scheduling.Department", models.PROTECT, null=True, related_name="+", db_index=False, help_text="Whose revenue."
    )
    doctor = models.ForeignKey("scheduling.Doctor", models.PROTECT, null=True, related_name="+", db_index=False)

    class Meta:
        ordering = ["bill", "position"]
        indexes = [models.Index(fields=["item_type", "item_id"], name="bill_line_of_item")]
        constraints = [
            models.UniqueConstraint(fields=["bill", "position"], name="bill_line_position_once"),
            models.CheckConstraint(
                condition=Q(quantity__gt=0, unit_price__gte=0, gross__gte=0, tax__gte=0, total__gte=0),
                name="bill_line_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(discount__gte=0, discount__lte=F("gross")), name="bill_line_discount_within_gross"
            ),
            models.CheckConstraint(
                condition=Q(discount=0) | ~Q(discount_reason=""), name="bill_line_discount_has_a_reason"
            ),
            models.CheckConstraint(
                condition=Q(tax_included=True, total=F("gross") - F("discount"))
                | Q(tax_included=False, total=F("gross") - F("discount") + F("tax")),
                name="bill_line_adds_up",
            ),
        ]
        triggers = [
            of_one_facility("bill", "department", "doctor", own=False, changes=True),
            pgtrigger.Trigger(
                name="lines_stay",
                operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
                when=pgtrigger.Before,
                func=_LINES_STAY,
            ),
        ]

    def __str__(self) -> str:
        return self.description


class CreditNote(models.Model):
    """Takes something off an issued bill. Append-only."""

    facility = models.ForeignKey("accounts.Facility", models.PROTECT, related_name="+")
    bill = models.ForeignKey(Bill, models.PROTECT, related_name="credit_notes")
    number = models.CharField(max_length=20)
    amount = money()
    tax = money(default=Decimal(0), help_text="The part of the amount that is tax.")
    reason = models.CharField(max_length=300)
    date = models.DateField()
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["facility", "date"], name="credit_note_of_day")]
        constraints = [
            models.UniqueConstraint(fields=["facility", "number"], name="credit_note_number_once"),
            models.CheckConstraint(condition=Q(amount__gt=0, tax__gte=0), name="credit_note_amounts"),
            models.CheckConstraint(condition=~Q(reason=""), name="credit_note_has_a_reason"),
        ]
        triggers = [append_only(), of_one_facility("bill")]

    def __str__(self) -> str:
        return self.number


class CreditLine(models.Model):
    """The part of a credit note that a line of the bill bears. Append-only."""

    note = models.ForeignKey(CreditNote, models.PROTECT, related_name="lines")
    line = models.ForeignKey(Line, models.PROTECT, related_name="credits")
    amount = money()
    tax = money(default=Decimal(0))

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(amount__gt=0, tax__gte=0), name="credit_line_amounts")]
        triggers = [
            append_only(),
            pgtrigger.Trigger(
                name="of_the_same_bill", operation=pgtrigger.Insert, when=pgtrigger.Before, func=_OF_THE_SAME_BILL
            ),
        ]

    def __str__(self) -> str:
        return f"{self.note}: {self.amount}"
