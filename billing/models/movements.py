"""Cash that goes into or out of a drawer in the middle of a shift, though no patient pays."""

from decimal import Decimal

from django.conf import settings
from django.db import models
from django.db.models import Case, F, Q, When

from billing.models.fields import append_only, money, of_one_facility
from billing.models.payments import into_an_open_shift
from billing.models.shifts import Shift
from billing.states import INTO_THE_DRAWER, PETTY, MovementKind


class CashMovement(models.Model):
    """Cash to the safe, change from the safe, or petty cash. Append-only: a wrong one is taken back by its opposite."""

    facility = models.ForeignKey("accounts.Facility", models.PROTECT, related_name="+", db_index=False)
    shift = models.ForeignKey(Shift, models.PROTECT, related_name="movements")
    kind = models.CharField(max_length=10, choices=MovementKind)
    amount = money()
    added = models.GeneratedField(
        expression=Case(When(kind__in=INTO_THE_DRAWER, then=F("amount")), default=-F("amount")),
        output_field=money(),
        db_persist=True,
        help_text="To what the drawer holds: below zero where cash went out.",
    )
    reason = models.CharField(max_length=300, blank=True, help_text="What petty cash was for; else a note.")
    number = models.CharField(max_length=20, help_text="M-2026-000001.")
    date = models.DateField(help_text="The facility's date.")
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["facility", "number"], name="movement_number_once"),
            models.CheckConstraint(condition=Q(number__startswith="M-"), name="movement_number_form"),
            models.CheckConstraint(condition=Q(amount__gt=Decimal(0)), name="movement_positive"),
            models.CheckConstraint(condition=Q(kind__in=MovementKind.values), name="movement_kind_known"),
            models.CheckConstraint(condition=~Q(kind__in=PETTY) | ~Q(reason=""), name="petty_cash_has_a_reason"),
        ]
        triggers = [append_only(), into_an_open_shift(), of_one_facility("shift")]

    def __str__(self) -> str:
        return self.number
