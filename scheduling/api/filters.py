"""What lists of schedules can be narrowed by."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django_filters import rest_framework as filters

from common.api.ids import is_written
from scheduling.models import Department, Doctor, Room, ScheduleLine


class IdFormField(forms.IntegerField):
    """The id of another row, in digits from 0 to 9."""

    def to_python(self, value: Any) -> int | None:
        """Refuse what only Python takes for a number."""
        if value not in self.empty_values and not is_written(value):
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        found: int | None = super().to_python(value)
        return found


class IdFilter(filters.NumberFilter):
    """Rows that belong to another one. An id that leads nowhere finds nothing, whoever owns it."""

    field_class = IdFormField


class DepartmentFilter(filters.FilterSet):
    """By facility; in use or not."""

    facility = IdFilter(field_name="facility_id")

    class Meta:
        model = Department
        fields = ("is_active",)


class RoomFilter(filters.FilterSet):
    """By facility; in use or not."""

    facility = IdFilter(field_name="facility_id")

    class Meta:
        model = Room
        fields = ("is_active",)


class DoctorFilter(filters.FilterSet):
    """By facility and department; active or not."""

    facility = IdFilter(field_name="facility_id")
    department = IdFilter(field_name="department_id")

    class Meta:
        model = Doctor
        fields = ("is_active",)


class LineFilter(filters.FilterSet):
    """By doctor, room and weekday."""

    doctor = IdFilter(field_name="doctor_id")
    room = IdFilter(field_name="room_id")

    class Meta:
        model = ScheduleLine
        fields = ("weekday",)
