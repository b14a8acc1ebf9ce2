"""Reads of schedules for screens and answers, each one query (and the pager's count)."""

from datetime import date
from typing import Final

from django.db.models import Q, QuerySet

from accounts.models import User
from accounts.permissions import facility_ids, within
from scheduling.models import Department, Doctor, Room, ScheduleLine, Session, Slot

VIEW: Final = "scheduling.view"


def departments(user: User) -> QuerySet[Department]:
    """The departments that a user may see."""
    return Department.objects.filter(within(facility_ids(user, VIEW)))


def rooms(user: User) -> QuerySet[Room]:
    """The rooms that a user may see."""
    return Room.objects.filter(within(facility_ids(user, VIEW)))


def doctors(user: User) -> QuerySet[Doctor]:
    """The doctors that a user may see, with department and facility (for its currency)."""
    return Doctor.objects.filter(within(facility_ids(user, VIEW))).select_related("department", "facility")


def lines(user: User) -> QuerySet[ScheduleLine]:
    """The weekly lines that a user may see, with doctor and room."""
    return ScheduleLine.objects.filter(within(facility_ids(user, VIEW), "doctor__facility_id")).select_related(
        "doctor", "room"
    )


def sessions(
    user: User,
    *,
    doctor_id: int | None = None,
    department_id: int | None = None,
    room_id: int | None = None,
    date_from: date | None = None,
    date_to: date | None = None,
) -> QuerySet[Session]:
    """The sessions that a user may see, in order of time, with doctor, room, department and facility.

    Args:
        date_from, date_to: the facility's dates on which they begin, both included.
    """
    chosen = _chosen("", doctor_id, department_id, room_id, date_from, date_to)
    return Session.objects.filter(within(facility_ids(user, VIEW)), chosen).select_related(
        "doctor", "room", "department", "facility"
    )


def slots(
    user: User,
    *,
    doctor_id: int | None = None,
    department_id: int | None = None,
    room_id: int | None = None,
    date_from: date | None = None,
    date_to: date | None = None,
) -> QuerySet[Slot]:
    """The slots that a user may see, in order of time, with their session, its doctor, room and facility.

    Args:
        date_from, date_to: the facility's dates on which their sessions begin, both included.
    """
    chosen = _chosen("session__", doctor_id, department_id, room_id, date_from, date_to)
    seen = within(facility_ids(user, VIEW), "session__facility_id")
    return Slot.objects.filter(seen, chosen).select_related("session__doctor", "session__room", "session__facility")


def _chosen(
    road: str,
    doctor_id: int | None,
    department_id: int | None,
    room_id: int | None,
    date_from: date | None,
    date_to: date | None,
) -> Q:
    """The filter of a session, or of what leads to one."""
    wanted = {
        "doctor_id": doctor_id,
        "department_id": department_id,
        "room_id": room_id,
        "date__gte": date_from,
        "date__lte": date_to,
    }
    return Q(**{f"{road}{name}": value for name, value in wanted.items() if value is not None})
