"""The registry of patients: one table, and what the database promises about it."""

import datetime as dt

import pgtrigger
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from accounts.models import Facility, recorded
from patients.states import BloodGroup, Sex

SERIAL_SEQUENCE = "patients_patient_serial"

# Whatever writes the name, what is searched agrees with it. patients_sound is made by the first migration.
_SEARCHABLE = """
NEW.search_name := lower(unaccent(NEW.name));
NEW.search_sound := patients_sound(NEW.name);
RETURN NEW;
"""


@recorded(exclude=["search_name", "search_sound"])
class Patient(models.Model):
    """Somebody who comes. Deactivated or merged, never deleted.

    ``number`` is ``P-<year of registration>-<serial>``; the serial comes from a sequence of the database, goes on
    counting across years and is never given twice. The phone number is E.164 and not unique, for families share one.
    """

    facility = models.ForeignKey(Facility, models.PROTECT, related_name="patients")
    serial = models.PositiveBigIntegerField(unique=True, editable=False)
    number = models.CharField(max_length=20, unique=True, editable=False)
    name = models.CharField(max_length=150)
    search_name = models.CharField(max_length=300, editable=False, default="", help_text="Lower case, no accents.")
    search_sound = models.CharField(
        max_length=300, editable=False, default="", help_text="Spelt so that Meena and Mina, Lakshmi and Laxmi agree."
    )
    sex = models.CharField(max_length=10, choices=Sex, default=Sex.UNKNOWN)
    birth_date = models.DateField(null=True, blank=True)
    birth_year = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Where the date is not known.")
    # Text and not the field of django-phonenumber-field, which parses every row it reads (0.1 ms each);
    # the library does the parsing where a number comes in, in patients.rules.
    phone = models.CharField(max_length=16, blank=True, default="")
    blood_group = models.CharField(max_length=3, choices=BloodGroup, blank=True, default="")
    address = models.CharField(max_length=500, blank=True, default="")
    is_active = models.BooleanField(default=True)
    merged_into = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="merged")
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["-id"]
        indexes = [
            GinIndex(OpClass(F("search_name"), "gin_trgm_ops"), name="patient_name_trigrams"),
            GinIndex(OpClass(F("search_sound"), "gin_trgm_ops"), name="patient_sound_trigrams"),
            GinIndex(OpClass(F("phone"), "gin_trgm_ops"), name="patient_phone_trigrams"),
            models.Index("facility", "phone", name="patient_phone"),
            models.Index("facility", "birth_year", name="patient_birth_year"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(number__regex=r"^P-\d{4}-\d{6,}$"), name="patient_number_form"),
            models.CheckConstraint(condition=~Q(name=""), name="patient_has_a_name"),
            models.CheckConstraint(condition=Q(sex__in=Sex.values), name="patient_sex_known"),
            models.CheckConstraint(condition=Q(phone="") | Q(phone__regex=r"^\+\d{5,15}$"), name="patient_phone_e164"),
            models.CheckConstraint(
                condition=Q(birth_date__isnull=True) | Q(birth_date__year=F("birth_year")), name="patient_birth_agrees"
            ),
            models.CheckConstraint(
                condition=Q(merged_into__isnull=True) | (Q(is_active=False) & ~Q(merged_into=F("id"))),
                name="patient_merged_is_inactive",
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete),
            pgtrigger.Trigger(
                name="searchable",
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("name"),
                when=pgtrigger.Before,
                func=_SEARCHABLE,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.number})"

    def age(self, on: dt.date) -> int | None:
        """Whole years on a date; by the calendar year where only the year of birth is known."""
        if self.birth_date:
            return on.year - self.birth_date.year - ((on.month, on.day) < (self.birth_date.month, self.birth_date.day))
        return on.year - self.birth_year if self.birth_year else None
