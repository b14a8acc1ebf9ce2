"""What a facility decides about money: its rules, taxes, prices, limits; and its counters."""

from decimal import Decimal

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateRangeField, RangeBoundary, RangeOperators
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Func, Q

from accounts.models import Facility, Role, recorded
from billing.models.fields import money, never_deleted, of_one_facility
from billing.states import CounterKind, WhenDisplaced


class DateRange(Func):
    """`daterange(valid_from, valid_until, '[]')`: both days belong to it; without an end it goes on."""

    function = "DATERANGE"
    output_field = DateRangeField()


def validity() -> DateRange:
    """The days on which a row with `valid_from` and `valid_until` is in force."""
    return DateRange("valid_from", "valid_until", RangeBoundary(inclusive_upper=True))


def indian_notes() -> list[Decimal]:
    """Notes and coins of a facility that has named none."""
    return [Decimal(each) for each in (500, 200, 100, 50, 20, 10, 5, 2, 1)]


@recorded()
class BillingSettings(models.Model):
    """A facility's rules of money. A facility without this row makes no bills by itself."""

    facility = models.OneToOneField(Facility, models.PROTECT, primary_key=True, related_name="billing_settings")
    address = models.CharField(max_length=300, blank=True, help_text="As it stands on receipts.")
    tax_number = models.CharField(max_length=60, blank=True, help_text="As it stands on receipts, such as GSTIN ...")
    receipt_note = models.CharField(max_length=200, blank=True, default="Thank you. Keep this for a refund.")
    priority_fee = money(default=0, help_text="What priority costs; 0: it is not sold.")
    follow_up_free_days = models.PositiveSmallIntegerField(
        default=7, help_text="A follow-up with the same doctor is free so many days after a consultation that was not."
    )
    hospital_fee_once = models.BooleanField(
        default=False, help_text="The hospital fee once a visit, however many doctors see the patient."
    )
    refund_full_hours = models.PositiveSmallIntegerField(
        default=2, help_text="Cancelled at least so many hours before the slot: all of it back."
    )
    refund_later_percent = models.DecimalField(
        max_digits=5,
        decimal_places=2,
        default=50,
        validators=[MinValueValidator(0), MaxValueValidator(100)],
        help_text="Cancelled later: this share back.",
    )
    when_displaced = models.CharField(max_length=10, choices=WhenDisplaced, default=WhenDisplaced.KEEP)
    denominations = ArrayField(
        models.DecimalField(max_digits=10, decimal_places=2),
        default=indian_notes,
        help_text="Notes and coins, the largest first: how a drawer is counted.",
    )

    class Meta:
        verbose_name_plural = "billing settings"
        constraints = [
            models.CheckConstraint(condition=Q(priority_fee__gte=0), name="priority_fee_not_negative"),
            models.CheckConstraint(
                condition=Q(refund_later_percent__gte=0, refund_later_percent__lte=100), name="refund_share_a_percent"
            ),
            models.CheckConstraint(condition=Q(when_displaced__in=WhenDisplaced.values), name="when_displaced_known"),
        ]
        triggers = [never_deleted()]

    def __str__(self) -> str:
        return f"Billing of {self.facility}"


@recorded()
class TaxRate(models.Model):
    """A tax while it is in force; a new percentage is a new row."""

    facility = models.ForeignKey(Facility, models.PROTECT, related_name="tax_rates")
    name = models.CharField(max_length=60, help_text="Such as GST 12 %.")
    percent = models.DecimalField(max_digits=5, decimal_places=2, validators=[MinValueValidator(0)])
    included = models.BooleanField(default=False, help_text="Prices have it in them already.")
    valid_from = models.DateField()
    valid_until = models.DateField(null=True, blank=True, help_text="The last day; empty: until further notice.")

    class Meta:
        ordering = ["facility", "name", "valid_from"]
        constraints = [
            models.CheckConstraint(condition=Q(percent__gte=0, percent__lte=100), name="tax_a_percent"),
            models.CheckConstraint(
                condition=Q(valid_until__isnull=True) | Q(valid_until__gte=F("valid_from")), name="tax_ends_after_start"
            ),
            ExclusionConstraint(
                name="one_tax_of_a_name_at_a_time",
                expressions=[
                    ("facility", RangeOperators.EQUAL),
                    ("name", RangeOperators.EQUAL),
                    (validity(), RangeOperators.OVERLAPS),
                ],
                violation_error_message="This tax has another percentage in these days already.",
            ),
        ]
        triggers = [never_deleted()]

    def __str__(self) -> str:
        return self.name


@recorded()
class Price(models.Model):
    """What something costs while the price is in force; a new amount is a new row."""

    facility = models.ForeignKey(Facility, models.PROTECT, related_name="prices")
    code = models.SlugField(max_length=40, help_text="The same through all its prices.")
    name = models.CharField(max_length=200, help_text="As it stands on a bill.")
    item_type = models.SlugField(max_length=40, help_text="What it is: service, test, medicine, package ...")
    item_id = models.BigIntegerField(null=True, blank=True, help_text="Which one, where it is a row elsewhere.")
    department = models.ForeignKey(
        "scheduling.Department",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="prices",
        help_text="Whose revenue.",
    )
    amount = money(validators=[MinValueValidator(0)])
    tax = models.ForeignKey(TaxRate, models.PROTECT, null=True, blank=True, related_name="prices")
    valid_from = models.DateField()
    valid_until = models.DateField(null=True, blank=True, help_text="The last day; empty: until further notice.")

    class Meta:
        ordering = ["facility", "name", "valid_from"]
        indexes = [models.Index(fields=["item_type", "item_id"], name="price_of_item")]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gte=0), name="price_not_negative"),
            models.CheckConstraint(
                condition=Q(valid_until__isnull=True) | Q(valid_until__gte=F("valid_from")),
                name="price_ends_after_start",
            ),
            ExclusionConstraint(
                name="one_price_of_a_code_at_a_time",
                expressions=[
                    ("facility", RangeOperators.EQUAL),
                    ("code", RangeOperators.EQUAL),
                    (validity(), RangeOperators.OVERLAPS),
                ],
                violation_error_message="It has another price in these days already.",
            ),
        ]
        triggers = [never_deleted(), of_one_facility("department", "tax:taxrate", changes=True)]

    def __str__(self) -> str:
        return self.name


@recorded()
class DiscountLimit(models.Model):
    """How much of a bill a role may give away, in percent. Who holds several roles may do what the widest allows."""

    role = models.OneToOneField(Role, models.CASCADE, primary_key=True, related_name="discount_limit")
    percent = models.DecimalField(
        max_digits=5, decimal_places=2, validators=[MinValueValidator(0), MaxValueValidator(100)]
    )

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(percent__gte=0, percent__lte=100), name="discount_limit_a_percent")
        ]

    def __str__(self) -> str:
        return f"{self.role}: {self.percent} %"


@recorded()
class CreditLimit(models.Model):
    """How much of a bill a role may take off by credit notes, in percent. A role without a limit takes off any amount.

    Who holds several roles may do what the widest allows.
    """

    role = models.OneToOneField(Role, models.CASCADE, primary_key=True, related_name="credit_limit")
    percent = models.DecimalField(
        max_digits=5, decimal_places=2, validators=[MinValueValidator(0), MaxValueValidator(100)]
    )

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(percent__gte=0, percent__lte=100), name="credit_limit_a_percent")
        ]

    def __str__(self) -> str:
        return f"{self.role}: {self.percent} %"


class Counter(models.Model):
    """The last number given in a facility and year. Locked last in a transaction, so that no number is ever lost."""

    facility = models.ForeignKey(Facility, models.PROTECT, related_name="+")
    kind = models.CharField(max_length=1, choices=CounterKind)
    year = models.PositiveSmallIntegerField()
    last = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["facility", "kind", "year"], name="counter_once")]
        triggers = [never_deleted()]

    def __str__(self) -> str:
        return f"{self.kind}-{self.year}: {self.last}"
