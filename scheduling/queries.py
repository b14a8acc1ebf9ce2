"""Reads of schedules for screens and answers, each one query (and the pager's count)."""

from datetime import date
from typing import Final, TypeVar

from django.db.models import Q, QuerySet

from accounts.models import Facility, User
from accounts.permissions import reach, require_anywhere, within
from common.errors import NotFound
from scheduling.models import Department, Doctor, Room, ScheduleLine, Session, Slot

Row = TypeVar("Row", Department, Room, Doctor, ScheduleLine, Session, Slot)

VIEW: Final = "scheduling.view"
SESSION_WITH: Final = ("doctor", "room", "department", "facility")
SLOT_WITH: Final = ("session__doctor", "session__room", "session__facility")


def active_facilities() -> list[Facility]:
    """Every facility that is in use, for jobs and commands."""
    return list(Facility.objects.filter(is_active=True))


def departments(user: User) -> QuerySet[Department]:
    """The departments that a user may see.

    Raises (as every list here):
        PermissionDenied: the user may see schedules nowhere.
    """
    return Department.objects.filter(_seen(user))


def rooms(user: User) -> QuerySet[Room]:
    """The rooms that a user may see."""
    return Room.objects.filter(_seen(user))


def doctors(user: User) -> QuerySet[Doctor]:
    """The doctors that a user may see, with department and facility (for its currency)."""
    return Doctor.objects.filter(_seen(user)).select_related("department", "facility")


def lines(user: User) -> QuerySet[ScheduleLine]:
    """The weekly lines that a user may see, with doctor and room."""
    return ScheduleLine.objects.filter(_seen(user, "doctor__")).select_related("doctor", "room")


def department(*, pk: int, by: User) -> Department:
    """One department.

    Raises (as every single one here):
        NotFound: there is none, or it is of a facility that the user has no part in, which is recorded.
        PermissionDenied: the user belongs there and may not see schedules.
    """
    return _reached(Department.objects.filter(pk=pk).first(), by)


def room(*, pk: int, by: User) -> Room:
    """One room."""
    return _reached(Room.objects.filter(pk=pk).first(), by)


def doctor(*, pk: int, by: User) -> Doctor:
    """One doctor, with department and facility."""
    return _reached(Doctor.objects.select_related("department", "facility").filter(pk=pk).first(), by)


def line(*, pk: int, by: User) -> ScheduleLine:
    """One weekly line, with doctor and room."""
    return _reached(ScheduleLine.objects.select_related("doctor", "room").filter(pk=pk).first(), by)


def session(*, pk: int, by: User) -> Session:
    """One session, with doctor, room, department and facility."""
    return _reached(Session.objects.select_related(*SESSION_WITH).filter(pk=pk).first(), by)


def slot(*, pk: int, by: User) -> Slot:
    """One slot, with its session, its doctor, room and facility."""
    return _reached(Slot.objects.select_related(*SLOT_WITH).filter(pk=pk).first(), by)


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
    return Session.objects.filter(_seen(user), chosen).select_related(*SESSION_WITH)


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
    return Slot.objects.filter(_seen(user, "session__"), chosen).select_related(*SLOT_WITH)


def _seen(user: User, road: str = "") -> Q:
    """The filter that keeps rows of the facilities whose schedules a user may see."""
    return within(require_anywhere(user, VIEW), f"{road}facility_id")


def _reached(row: Row | None, by: User) -> Row:
    """The row, where the user may know of it."""
    if row is None:
        raise NotFound
    match row:
        case ScheduleLine():
            facility_id = row.doctor.facility_id
        case Slot():
            facility_id = row.session.facility_id
        case _:
            facility_id = row.facility_id
    reach(by, VIEW, row, facility_id=facility_id)
    return row


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
