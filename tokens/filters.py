"""What lists of tokens, slots and sessions can be narrowed by."""

from django.db.models import QuerySet
from django.utils import timezone
from django_filters import rest_framework as filters

from common.api.filters import DatedFilter, YesNoFilter
from scheduling.api.filters import IdFilter
from scheduling.models import Slot
from scheduling.states import SessionStatus
from tokens.queries import free_now
from tokens.states import Source, Status


class TokenFilter(filters.FilterSet):
    """By place, patient, status and source; several statuses or sources as ``?status=confirmed&status=waitlisted``."""

    slot = IdFilter(field_name="slot_id")
    session = IdFilter(field_name="session_id")
    doctor = IdFilter(field_name="session__doctor_id")
    department = IdFilter(field_name="session__department_id")
    patient = IdFilter(field_name="patient_id")
    status = filters.MultipleChoiceFilter(choices=Status.choices())
    source = filters.MultipleChoiceFilter(choices=Source.choices())
    date = filters.DateFilter(field_name="session__date")


class SlotFilter(filters.FilterSet):
    """By who, where and when; ``free=true`` keeps those in which a place can be given now."""

    doctor = IdFilter(field_name="session__doctor_id")
    department = IdFilter(field_name="session__department_id")
    room = IdFilter(field_name="session__room_id")
    session = IdFilter(field_name="session_id")
    date = filters.DateFilter(field_name="session__date")
    date_from = filters.DateFilter(field_name="session__date", lookup_expr="gte")
    date_to = filters.DateFilter(field_name="session__date", lookup_expr="lte")
    free = YesNoFilter(method="only_free")

    def only_free(self, slots: QuerySet[Slot], name: str, value: bool) -> QuerySet[Slot]:
        """Slots with a free place that can be given, or those without one."""
        can = free_now(timezone.now())
        return slots.filter(can) if value else slots.exclude(can)


class SessionFilter(DatedFilter):
    """By who, where and when."""

    doctor = IdFilter(field_name="doctor_id")
    department = IdFilter(field_name="department_id")
    room = IdFilter(field_name="room_id")
    status = filters.MultipleChoiceFilter(choices=SessionStatus.choices)
