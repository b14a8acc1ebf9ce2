"""Tokens, their events, and the policies that decide.

Everything here that changes is written by `tokens.storage` alone, on behalf of `allocation` and `queueing`. The
promises that the database keeps whatever wrote the row are constraints here and plain triggers in the migration
`0002_promises`: places counted by row triggers, events append-only, numbers never given twice.
"""

from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Case, F, Q, When

from accounts.models import recorded
from tokens.kinds import TO_OTHERS, EventKind, SupplyKind
from tokens.states import ACTIVE, Source, Status


@recorded()
class AllocationPolicy(models.Model):
    """How places are decided; presets belong to no facility, a facility's own ones are copies that it changed."""

    COMBINE = [("sum", "Weighted: weights add up"), ("best", "Ranked: one weight a source")]

    facility = models.ForeignKey("accounts.Facility", models.PROTECT, null=True, blank=True, related_name="policies")
    name = models.SlugField(max_length=60)
    is_preset = models.BooleanField(default=False, editable=False)
    combine = models.CharField(max_length=4, choices=COMBINE, default="sum")
    weights = models.JSONField(help_text="A whole number for each of emergency, paid, follow_up, walk_in, online.")
    emergency = models.CharField(
        max_length=8,
        choices=[("displace", "Capacity stays hard: takes a place"), ("overbook", "May exceed the capacity")],
        default="displace",
    )
    displacement = models.CharField(
        max_length=14,
        choices=[("any_higher", "Any higher score"), ("emergency_only", "Emergencies only")],
        default="any_higher",
    )
    without_place = models.CharField(
        max_length=9, choices=[("waitlist", "Waits in the slot"), ("next_slot", "Next slot")], default="waitlist"
    )
    no_next_slot = models.CharField(
        max_length=8, choices=[("waitlist", "Waits"), ("cancel", "Is cancelled")], default="waitlist"
    )
    next_slot_days = models.PositiveSmallIntegerField(default=0, validators=[MaxValueValidator(30)])
    protect_arrived = models.BooleanField(default=False)
    present_only = models.BooleanField(default=False)
    no_show = models.CharField(
        max_length=11, choices=[("any_time", "At any time"), ("after_start", "After the start")], default="any_time"
    )
    age_points = models.PositiveSmallIntegerField(default=0, help_text="Points for each step of waiting; 0 is off.")
    age_every = models.PositiveSmallIntegerField(default=0, help_text="Minutes of waiting a step.")
    age_limit = models.PositiveSmallIntegerField(default=0, help_text="Most points that waiting can earn.")

    class Meta:
        verbose_name_plural = "allocation policies"
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint("facility", "name", name="policy_name_once", nulls_distinct=False),
            models.CheckConstraint(condition=Q(next_slot_days__lte=30), name="policy_days_at_most_30"),
        ]

    def __str__(self) -> str:
        return self.name


@recorded()
class PolicyAssignment(models.Model):
    """Which policy decides for a doctor, a department or a facility; the nearest one set counts."""

    policy = models.ForeignKey(AllocationPolicy, models.PROTECT, related_name="assignments")
    facility = models.OneToOneField(
        "accounts.Facility", models.CASCADE, null=True, blank=True, related_name="policy_assignment"
    )
    department = models.OneToOneField(
        "scheduling.Department", models.CASCADE, null=True, blank=True, related_name="policy_assignment"
    )
    doctor = models.OneToOneField(
        "scheduling.Doctor", models.CASCADE, null=True, blank=True, related_name="policy_assignment"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(facility__isnull=False, department__isnull=True, doctor__isnull=True)
                | Q(facility__isnull=True, department__isnull=False, doctor__isnull=True)
                | Q(facility__isnull=True, department__isnull=True, doctor__isnull=False),
                name="policy_set_on_one_thing",
                violation_error_message="Set it on a facility, or a department, or a doctor: one of them.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.policy} for {self.doctor or self.department or self.facility}"


class Token(models.Model):
    """One patient's place, or wish for a place, in one slot."""

    # One foreign key of (slot, session) stands behind both, see 0002_promises: a token's slot is of its session.
    session = models.ForeignKey(
        "scheduling.Session", models.PROTECT, related_name="tokens", db_index=False, db_constraint=False
    )
    slot = models.ForeignKey(
        "scheduling.Slot", models.PROTECT, related_name="tokens", db_index=False, db_constraint=False
    )
    patient = models.ForeignKey("patients.Patient", models.PROTECT, related_name="tokens", db_index=False)
    number = models.CharField(max_length=12)
    status = models.CharField(max_length=11, choices=Status.choices())
    source = models.CharField(max_length=9, choices=Source.choices())
    paid = models.BooleanField(default=False)
    score = models.IntegerField()
    overbooked = models.BooleanField(default=False)
    overbooked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    requested_at = models.DateTimeField()
    order_at = models.DateTimeField()
    arrived_at = models.DateTimeField(null=True, blank=True)
    called_at = models.DateTimeField(null=True, blank=True)
    call_count = models.PositiveIntegerField(default=0)
    held_until = models.DateTimeField(null=True, blank=True)
    skipped_after = models.PositiveIntegerField(null=True, blank=True)
    away_at = models.DateTimeField(null=True, blank=True)
    away_to = models.CharField(max_length=80, blank=True)
    back_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    note = models.CharField(max_length=500, blank=True)
    key = models.CharField(max_length=32, help_text="Unguessable; on the slip, for the patient's own page.")
    sent_from = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="sent_to", db_index=False)
    events = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(
                "slot",
                Case(When(source=Source.EMERGENCY, then=0), default=1),
                F("score").desc(),
                "order_at",
                "id",
                name="token_waitlist_order",
                condition=Q(status=Status.WAITLISTED),
            ),
            models.Index(fields=["slot", "status"], name="token_of_slot"),
            models.Index(fields=["patient", "-id"], name="token_of_patient"),
            models.Index(fields=["sent_from"], name="token_sent_from", condition=Q(sent_from__isnull=False)),
        ]
        constraints = [
            models.UniqueConstraint(fields=["session", "number"], name="number_once_a_session"),
            models.UniqueConstraint(fields=["key"], name="token_key_once"),
            models.UniqueConstraint(
                fields=["session", "patient"],
                condition=Q(status__in=sorted(ACTIVE)),
                name="one_active_token_a_session",
            ),
            models.UniqueConstraint(
                fields=["session"],
                condition=Q(status=Status.IN_PROGRESS, away_at__isnull=True),
                name="one_patient_with_the_doctor",
            ),
            models.CheckConstraint(condition=Q(status__in=list(Status)), name="token_status_known"),
            models.CheckConstraint(condition=Q(source__in=list(Source)), name="token_source_known"),
            models.CheckConstraint(
                condition=Q(overbooked=False) | Q(source=Source.EMERGENCY) | Q(overbooked_by__isnull=False),
                name="overbooked_as_emergency_or_by_name",
            ),
            models.CheckConstraint(condition=~Q(source=Source.PAID) | Q(paid=True), name="source_paid_implies_paid"),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def emergency(self) -> bool:
        """Whether its source is an emergency."""
        return self.source == Source.EMERGENCY


class FormerNumber(models.Model):
    """A number that a token had in a session it left: it still finds the token, and is never given again."""

    session = models.ForeignKey("scheduling.Session", models.PROTECT, related_name="+")
    number = models.CharField(max_length=12)
    token = models.ForeignKey(Token, models.PROTECT, related_name="former_numbers")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["session", "number"], name="former_number_once")]

    def __str__(self) -> str:
        return self.number


class Event(models.Model):
    """What happened to a token. Append-only: replaying the events alone rebuilds the token exactly."""

    token = models.ForeignKey(Token, models.PROTECT, related_name="history", db_index=False)
    seq = models.PositiveIntegerField(help_text="Its running number within the token.")
    session_id = models.BigIntegerField()
    kind = models.CharField(max_length=15, choices=EventKind.choices())
    status = models.CharField(max_length=11, choices=Status.choices())
    changes = models.JSONField()
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", db_index=False)
    at = models.DateTimeField()
    reason = models.CharField(max_length=300, blank=True)
    cause_token_id = models.BigIntegerField(null=True)
    cause_seq = models.PositiveIntegerField(null=True)

    class Meta:
        ordering = ["token", "seq"]
        constraints = [models.UniqueConstraint(fields=["token", "seq"], name="event_number_once_a_token")]
        # What a token did to others is asked after each one that is given. Few events are of these kinds.
        indexes = [
            models.Index(fields=["cause_token_id"], name="event_done_to_others", condition=Q(kind__in=TO_OTHERS)),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.token_id}/{self.seq}"


class SupplyEvent(models.Model):
    """What happened to a session or to one of its slots. Append-only."""

    session = models.ForeignKey("scheduling.Session", models.PROTECT, related_name="history", db_index=False)
    slot = models.ForeignKey("scheduling.Slot", models.PROTECT, null=True, related_name="history")
    seq = models.PositiveIntegerField(help_text="Its running number within the session.")
    kind = models.CharField(max_length=15, choices=SupplyKind.choices())
    changes = models.JSONField()
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", db_index=False)
    at = models.DateTimeField()
    reason = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["session", "seq"]
        constraints = [models.UniqueConstraint(fields=["session", "seq"], name="supply_event_once_a_session")]

    def __str__(self) -> str:
        return f"{self.kind} {self.session_id}/{self.seq}"


class Plan(models.Model):
    """A change of supply that was applied: what it touched, so that it can be told and undone."""

    session = models.ForeignKey("scheduling.Session", models.PROTECT, related_name="plans")
    slot = models.ForeignKey("scheduling.Slot", models.PROTECT, null=True, related_name="plans")
    kind = models.CharField(max_length=15, choices=SupplyKind.choices())
    values_before = models.JSONField(help_text="What the session or the slot had.")
    effects = models.JSONField(help_text="Every token touched: the event after which nothing may have come.")
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", db_index=False)
    applied_at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.kind} {self.session_id}"


class WaitEstimate(models.Model):
    """How long a patient was told the wait would be, and where. Append-only: compared with what happened."""

    class Where(models.TextChoices):
        """Where a patient sees an estimate."""

        PAGE = "page", "Patient's page"
        SLIP = "slip", "Slip"
        KIOSK = "kiosk", "Kiosk"
        API = "api", "API"

    token = models.ForeignKey(Token, models.PROTECT, related_name="wait_estimates")
    given_at = models.DateTimeField()
    where = models.CharField(max_length=5, choices=Where)
    ahead = models.PositiveSmallIntegerField(null=True, help_text="People ahead, where that was known.")
    p50_minutes = models.PositiveIntegerField()
    p90_minutes = models.PositiveIntegerField()
    correction = models.FloatField(default=1, help_text="The factor, learned from earlier estimates, that is in it.")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(p90_minutes__gte=F("p50_minutes")), name="wait_p90_not_below_p50"),
        ]

    def __str__(self) -> str:
        return f"{self.p50_minutes}-{self.p90_minutes} min"
