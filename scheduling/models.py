"""Who serves, where and when: departments, rooms, doctors, weekly lines, sessions and their slots.

`Session.version`, its numbers and its delay, and every field of a slot that counts places are written by the
engine (`tokens`) under the session's lock; what this file adds are the promises the database keeps whatever wrote
the row: nobody in two places at once, no slot over its capacity. The triggers on the two hot tables, sessions and
slots (what is frozen once tokens exist, counters that nobody sets by hand), are plain SQL in migration
`0002_promises`: a pgtrigger trigger asks at every row whether it is to be ignored, and these never are.
"""

import pgtrigger
from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeBoundary, RangeOperators
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Func, Q

from accounts.models import recorded
from scheduling.rules import Weekly
from scheduling.states import SessionStatus, SlotStatus


class TsTzRange(Func):
    """`tstzrange(starts_at, ends_at, '[)')`: windows that only touch do not overlap."""

    function = "TSTZRANGE"
    output_field = DateTimeRangeField()


def window() -> TsTzRange:
    """The half-open time range of a row with `starts_at` and `ends_at`."""
    return TsTzRange("starts_at", "ends_at", RangeBoundary())


_OF_ONE_FACILITY = """
IF (SELECT count(DISTINCT facility) FROM (VALUES FACILITIES) AS referred (facility)) > 1 THEN
    RAISE EXCEPTION '% ties things of two facilities together', TG_TABLE_NAME USING ERRCODE = 'check_violation';
END IF;
RETURN NEW;
"""


def of_one_facility(*references: str, own: bool = True) -> pgtrigger.Trigger:
    """Refuse a row that ties things of two facilities together.

    Args:
        *references: fields that lead to a department, room or doctor, and are named so.
        own: the row has a `facility` itself, which must be theirs.
    """
    columns = [f"{name}_id" for name in references]
    facilities = [f"((SELECT facility_id FROM scheduling_{name} WHERE id = NEW.{name}_id))" for name in references]  # noqa: S608
    if own:
        columns.append("facility_id")
        facilities.append("(NEW.facility_id)")
    return pgtrigger.Trigger(
        name="of_one_facility",
        operation=pgtrigger.Insert | pgtrigger.UpdateOf(*columns),
        when=pgtrigger.Before,
        func=_OF_ONE_FACILITY.replace("FACILITIES", ", ".join(facilities)),
    )


@recorded()
class Department(models.Model):
    """A specialty of a facility. Deactivated, never deleted."""

    facility = models.ForeignKey("accounts.Facility", models.PROTECT, related_name="departments")
    name = models.CharField(max_length=120)
    code = models.SlugField(max_length=20)
    is_active = models.BooleanField(default=True)
    version = models.PositiveIntegerField(default=1, editable=False)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                "facility",
                "code",
                name="department_code_once",
                violation_error_message="There is a department with this code already.",
            ),
            models.UniqueConstraint(
                "facility",
                "name",
                name="department_name_once",
                violation_error_message="There is a department of this name already.",
            ),
        ]
        triggers = [pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete)]

    def __str__(self) -> str:
        return self.name


@recorded()
class DepartmentMember(models.Model):
    """A person works in a department: data, so that nobody's department is written into code."""

    department = models.ForeignKey(Department, models.CASCADE, related_name="members")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="department_memberships")

    class Meta:
        constraints = [models.UniqueConstraint("department", "user", name="department_member_once")]

    def __str__(self) -> str:
        return f"{self.user} in {self.department}"


@recorded()
class Room(models.Model):
    """A place where a session is held."""

    facility = models.ForeignKey("accounts.Facility", models.PROTECT, related_name="rooms")
    name = models.CharField(max_length=60)
    is_active = models.BooleanField(default=True)
    version = models.PositiveIntegerField(default=1, editable=False)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                "facility",
                "name",
                name="room_name_once",
                violation_error_message="There is a room of this name already.",
            )
        ]
        triggers = [pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete)]

    def __str__(self) -> str:
        return self.name


@recorded()
class Doctor(models.Model):
    """Who sees patients; with an account where the doctor signs in."""

    facility = models.ForeignKey("accounts.Facility", models.PROTECT, related_name="doctors")
    department = models.ForeignKey(Department, models.PROTECT, related_name="doctors")
    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="doctor")
    name = models.CharField(max_length=120)
    consultation_fee = models.DecimalField(
        max_digits=10, decimal_places=2, default=0, validators=[MinValueValidator(0)]
    )
    hospital_fee = models.DecimalField(max_digits=10, decimal_places=2, default=0, validators=[MinValueValidator(0)])
    is_active = models.BooleanField(default=True)
    version = models.PositiveIntegerField(default=1, editable=False)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(consultation_fee__gte=0, hospital_fee__gte=0), name="doctor_fees_not_negative"
            )
        ]
        triggers = [
            pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete),
            of_one_facility("department"),
        ]

    def __str__(self) -> str:
        return self.name


@recorded()
class ScheduleLine(models.Model):
    """One weekly line of a doctor's template: Mondays, 09:00-13:00, Room 4, slots of 60 minutes with 6 places.

    The times are the wall clock of the facility: a 09:00 line stays 09:00 when the clocks change.
    """

    class Weekday(models.IntegerChoices):
        MONDAY = 0, "Monday"
        TUESDAY = 1, "Tuesday"
        WEDNESDAY = 2, "Wednesday"
        THURSDAY = 3, "Thursday"
        FRIDAY = 4, "Friday"
        SATURDAY = 5, "Saturday"
        SUNDAY = 6, "Sunday"

    doctor = models.ForeignKey(Doctor, models.PROTECT, related_name="schedule_lines")
    room = models.ForeignKey(Room, models.PROTECT, related_name="schedule_lines")
    weekday = models.PositiveSmallIntegerField(choices=Weekday)
    from_time = models.TimeField()
    to_time = models.TimeField(help_text="A time before the start means the next morning.")
    slot_minutes = models.PositiveSmallIntegerField(default=60, validators=[MinValueValidator(5)])
    capacity = models.PositiveSmallIntegerField(default=6, validators=[MinValueValidator(1)])
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)

    class Meta:
        ordering = ["doctor", "weekday", "from_time"]
        constraints = [
            models.CheckConstraint(condition=Q(weekday__lte=6), name="line_weekday_known"),
            models.CheckConstraint(condition=Q(slot_minutes__gte=5), name="line_slot_minutes_enough"),
            models.CheckConstraint(condition=Q(capacity__gte=1), name="line_capacity_positive"),
            models.CheckConstraint(
                condition=~Q(from_time=F("to_time")),
                name="line_has_length",
                violation_error_message="A line ends at another time than it begins.",
            ),
            models.CheckConstraint(
                condition=Q(valid_to__isnull=True) | Q(valid_to__gte=F("valid_from")),
                name="line_valid_forward",
                violation_error_message="The last valid day is not before the first.",
            ),
        ]
        triggers = [of_one_facility("doctor", "room", own=False)]

    def __str__(self) -> str:
        return f"{self.doctor}, {self.get_weekday_display()} {self.from_time:%H:%M}-{self.to_time:%H:%M}"

    @property
    def weekly(self) -> Weekly:
        """What the rules need to know of the line."""
        return Weekly(self.weekday, self.from_time, self.to_time, self.valid_from, self.valid_to)


class Session(models.Model):
    """One doctor, one room, one date, from-to. Owns its slots, the queue, the token numbers and the lock on them.

    Made from a line, it can be made anew while nothing ever happened in it; then it stays for good.
    """

    facility = models.ForeignKey("accounts.Facility", models.PROTECT, related_name="+")
    department = models.ForeignKey(Department, models.PROTECT, related_name="sessions")
    doctor = models.ForeignKey(Doctor, models.PROTECT, related_name="sessions")
    room = models.ForeignKey(Room, models.PROTECT, related_name="sessions")
    line = models.ForeignKey(ScheduleLine, models.SET_NULL, null=True, blank=True, related_name="sessions")
    date = models.DateField(help_text="The facility's local date on which it starts.")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    status = models.CharField(max_length=10, choices=SessionStatus, default=SessionStatus.OPEN)
    prefix = models.CharField(max_length=4, help_text="Of the token numbers: A in A-017.")
    last_number = models.PositiveIntegerField(default=0)
    calls = models.PositiveIntegerField(default=0, help_text="How many calls were made; orders skipped patients.")
    delay_minutes = models.PositiveSmallIntegerField(default=0)
    paused_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveBigIntegerField(default=1)
    events = models.PositiveIntegerField(default=0, help_text="Events of the session and its slots so far.")
    last_event_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["starts_at", "id"]
        indexes = [
            models.Index(fields=["facility", "date"]),
            models.Index(fields=["doctor", "starts_at"]),
            models.Index(fields=["department", "date"]),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="session_has_length"),
            # No condition here: an index that mentions last_number would cost every token a write to every index.
            models.UniqueConstraint(fields=["facility", "date", "prefix"], name="session_prefix_once_a_date"),
            models.UniqueConstraint(fields=["line", "date"], name="session_of_a_line_once_a_date"),
            ExclusionConstraint(
                name="doctor_in_one_place",
                expressions=[("doctor", RangeOperators.EQUAL), (window(), RangeOperators.OVERLAPS)],
                condition=~Q(status=SessionStatus.CANCELLED),
            ),
            ExclusionConstraint(
                name="room_for_one_session",
                expressions=[("room", RangeOperators.EQUAL), (window(), RangeOperators.OVERLAPS)],
                condition=~Q(status=SessionStatus.CANCELLED),
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="kept_once_used",
                operation=pgtrigger.Delete,
                condition=pgtrigger.Q(old__last_number__gt=0) | pgtrigger.Q(old__events__gt=0),
            ),
            of_one_facility("department", "doctor", "room"),
        ]

    def __str__(self) -> str:
        return f"{self.doctor}, {self.date:%d %b} {self.prefix}"


_KEPT_ONCE_USED = """
IF EXISTS (SELECT FROM scheduling_session WHERE id = OLD.session_id AND (last_number > 0 OR events > 0)) THEN
    RAISE EXCEPTION 'slot %: its session has a history, so it stays', OLD.id USING ERRCODE = 'check_violation';
END IF;
RETURN OLD;
"""


class Slot(models.Model):
    """A fixed window of a session with a hard capacity.

    `used` (confirmed + in progress + completed) and `overbooked` are kept by a row trigger on tokens; a direct change
    is refused, and a CHECK stands on the sum, so no slot is ever oversold whatever wrote the row.
    """

    session = models.ForeignKey(Session, models.PROTECT, related_name="slots")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    capacity = models.PositiveSmallIntegerField()
    status = models.CharField(max_length=10, choices=SlotStatus, default=SlotStatus.OPEN)
    used = models.PositiveIntegerField(default=0, editable=False)
    overbooked = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        ordering = ["starts_at", "id"]
        indexes = [models.Index(fields=["starts_at"])]
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="slot_has_length"),
            models.CheckConstraint(condition=Q(used__lte=F("capacity") + F("overbooked")), name="slot_never_oversold"),
            models.CheckConstraint(condition=Q(overbooked__lte=F("used")), name="slot_overbooked_are_used"),
            models.UniqueConstraint("id", "session", name="slot_of_session"),
            models.UniqueConstraint("session", "starts_at", name="slot_start_once"),
            ExclusionConstraint(
                name="slots_do_not_overlap",
                expressions=[("session", RangeOperators.EQUAL), (window(), RangeOperators.OVERLAPS)],
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="kept_once_used", operation=pgtrigger.Delete, when=pgtrigger.Before, func=_KEPT_ONCE_USED
            )
        ]

    def __str__(self) -> str:
        return f"{self.session} {self.starts_at:%H:%M}"

    @property
    def free(self) -> int:
        """Free places: capacity - (used - overbooked), never below 0."""
        return max(0, self.capacity - (self.used - self.overbooked))
