"""Schedules as clients see and send them."""

from typing import Any

from rest_framework import serializers

from common.api.ids import is_written
from scheduling.actions.generation import DAYS
from scheduling.models import Department, Doctor, Room, ScheduleLine


class IdField(serializers.IntegerField):
    """The id of another row. Whether it exists, and whether the caller may know, is the action's to say."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=1, max_value=2**63 - 1, **options)

    def to_internal_value(self, data: Any) -> int:
        """Refuse what only Python takes for a number."""
        if not is_written(data):
            self.fail("invalid")
        return super().to_internal_value(data)


class DepartmentSerializer(serializers.ModelSerializer[Department]):
    """A department."""

    facility = IdField(source="facility_id", read_only=True)

    class Meta:
        model = Department
        fields = ("id", "facility", "name", "code", "is_active")


class NewDepartmentSerializer(serializers.ModelSerializer[Department]):
    """What a new department needs."""

    facility = IdField(source="facility_id", required=False, help_text="Needed by who serves several.")

    class Meta:
        model = Department
        fields = ("facility", "name", "code")


class RoomSerializer(serializers.ModelSerializer[Room]):
    """A room."""

    facility = IdField(source="facility_id", read_only=True)

    class Meta:
        model = Room
        fields = ("id", "facility", "name", "is_active")


class NewRoomSerializer(serializers.ModelSerializer[Room]):
    """What a new room needs."""

    facility = IdField(source="facility_id", required=False, help_text="Needed by who serves several.")

    class Meta:
        model = Room
        fields = ("facility", "name")


class DoctorSerializer(serializers.ModelSerializer[Doctor]):
    """A doctor, with fees in the currency of the facility."""

    facility = IdField(source="facility_id", read_only=True)
    department = IdField(source="department_id")
    department_name = serializers.CharField(source="department.name", read_only=True)
    user = IdField(source="user_id", allow_null=True, required=False)
    currency = serializers.CharField(source="facility.currency", read_only=True)

    class Meta:
        model = Doctor
        fields = (
            "id",
            "facility",
            "department",
            "department_name",
            "user",
            "name",
            "consultation_fee",
            "hospital_fee",
            "currency",
            "is_active",
        )


class NewDoctorSerializer(DoctorSerializer):
    """What a new doctor needs; the facility is the department's."""

    class Meta:
        model = Doctor
        fields = ("department", "user", "name", "consultation_fee", "hospital_fee")


LINE = [
    "doctor",
    "room",
    "weekday",
    "from_time",
    "to_time",
    "slot_minutes",
    "capacity",
    "valid_from",
    "valid_to",
]


class LineSerializer(serializers.ModelSerializer[ScheduleLine]):
    """A weekly line. Times are the wall clock of the facility; weekday 0 is Monday."""

    doctor = IdField(source="doctor_id", read_only=True)
    room = IdField(source="room_id")

    class Meta:
        model = ScheduleLine
        fields = ["id", *LINE]


class NewLineSerializer(LineSerializer):
    """What a new weekly line needs."""

    doctor = IdField(source="doctor_id")

    class Meta(LineSerializer.Meta):
        fields = LINE


class GenerateSerializer(serializers.Serializer[Any]):
    """For which facility, and how many days ahead, today included."""

    facility = IdField(required=False, help_text="Needed by who serves several.")
    doctor = IdField(required=False, help_text="Only this doctor's lines.")
    days = serializers.IntegerField(min_value=1, max_value=366, default=DAYS)


class SkippedSerializer(serializers.Serializer[Any]):
    """A day of a line that was not made, and why."""

    line = serializers.IntegerField()
    date = serializers.DateField()
    reason = serializers.ChoiceField(["inactive", "nonexistent_time", "too_short", "overlap", "taken"])
    sentence = serializers.CharField()


class GeneratedSerializer(serializers.Serializer[Any]):
    """What was made, what was there already, and what was left out."""

    sessions = serializers.IntegerField()
    slots = serializers.IntegerField()
    existing = serializers.IntegerField()
    skipped = SkippedSerializer(many=True)
