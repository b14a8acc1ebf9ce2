"""Drawers, and the shifts in which money goes through them."""

from decimal import Decimal

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from accounts.models import recorded
from billing.models.fields import money, never_deleted, of_one_facility

_CLOSED_STAYS = """
IF OLD.closed_at IS NOT NULL THEN
    RAISE EXCEPTION 'shift % is closed for ever', OLD.id USING ERRCODE = 'check_violation';
END IF;
RETURN NEW;
"""


@recorded()
class Drawer(models.Model):
    """Where cash lies at a desk."""

    facility = models.ForeignKey("accounts.Facility", models.PROTECT, related_name="drawers")
    name = models.CharField(max_length=40, help_text="Such as Drawer 1.")
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ["facility", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["facility", "name"],
                name="drawer_name_once",
                violation_error_message="There is a drawer of this name already.",
            )
        ]
        triggers = [never_deleted()]

    def __str__(self) -> str:
        return self.name


class Shift(models.Model):
    """A cashier at a drawer, from the float to the count. Closed for ever."""

    facility = models.ForeignKey("accounts.Facility", models.PROTECT, related_name="shifts")
    drawer = models.ForeignKey(Drawer, models.PROTECT, related_name="shifts")
    cashier = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="shifts")
    date = models.DateField(help_text="The facility's date on which it was opened.")
    number = models.PositiveIntegerField(help_text="Running within the facility and date.")
    opened_at = models.DateTimeField()
    float_amount = money(help_text="What lay in the drawer at the start.")
    after = models.OneToOneField(
        "self", models.PROTECT, null=True, related_name="handed_to", help_text="The shift that handed its drawer over."
    )
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    expected = money(
        null=True,
        help_text="Float, cash taken and brought in, less cash given back and carried out.",
    )
    counted = money(null=True)
    counts = models.JSONField(default=dict, help_text="How many of each note and coin, as counted.")
    difference = models.GeneratedField(
        expression=F("counted") - F("expected"), output_field=money(null=True), db_persist=True
    )
    reason = models.CharField(max_length=300, blank=True, help_text="Of a difference.")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["cashier"], condition=Q(closed_at=None), name="one_open_shift_a_cashier"),
            models.UniqueConstraint(fields=["drawer"], condition=Q(closed_at=None), name="one_open_shift_a_drawer"),
            models.UniqueConstraint(fields=["facility", "date", "number"], name="shift_number_once_a_day"),
            models.CheckConstraint(
                condition=Q(closed_at=None, counted=None, expected=None)
                | Q(closed_at__isnull=False, counted__isnull=False, expected__isnull=False, closed_by__isnull=False),
                name="shift_closed_with_a_count",
            ),
            models.CheckConstraint(
                condition=Q(closed_at=None) | Q(counted=F("expected")) | ~Q(reason=""),
                name="shift_difference_has_a_reason",
            ),
            models.CheckConstraint(condition=Q(float_amount__gte=Decimal(0)), name="shift_float_not_negative"),
        ]
        triggers = [
            never_deleted(),
            of_one_facility("drawer", "after:shift", changes=True),
            pgtrigger.Trigger(
                name="closed_stays", operation=pgtrigger.Update, when=pgtrigger.Before, func=_CLOSED_STAYS
            ),
        ]

    def __str__(self) -> str:
        return f"Shift {self.number} of {self.date}, {self.drawer_id}"
