"""What lists of schedules can be narrowed by."""

from django import forms
from django_filters import rest_framework as filters

from scheduling.models import Department, Doctor, Room, ScheduleLine


class IdFilter(filters.NumberFilter):
    """Rows that belong to another one. An id that leads nowhere finds nothing, whoever owns it."""

    field_class = forms.IntegerField


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
