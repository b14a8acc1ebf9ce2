"""Departments, rooms and doctors: made, changed, switched off, never deleted."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Sum
from django.utils import timezone
from django.utils.module_loading import import_string

from accounts.history import signed
from accounts.models import Facility, User
from scheduling.actions._shared import change, create, lock_facility, of_facility
from scheduling.actions.sessions import cancel_sessions, withdraw_sessions
from scheduling.errors import HasTokens, InUse
from scheduling.locking import lock_sessions
from scheduling.models import Department, DepartmentMember, Doctor, Room, Session, Slot
from scheduling.states import SessionStatus

TokensAhead = Callable[..., int]
"""`(*, doctor_id, at) -> int`: how many tokens of the doctor still stand ahead. Named in `OPD_BEFORE_DEACTIVATE`."""


@transaction.atomic(savepoint=False)
def create_department(*, facility_id: int, name: str, code: str, by: User | None) -> Department:
    """A new department.

    Raises:
        NotFound: no such facility.
        NotValid: the name or the code is already there, or is none.
    """
    facility = lock_facility(Facility, facility_id, by=by)
    return create(Department(facility=facility, name=name, code=code), by=by)


@transaction.atomic(savepoint=False)
def update_department(*, department_id: int, read: int | None = None, by: User | None, **changes: Any) -> Department:
    """Change a department's `name`, `code` or `is_active`.

    Raises:
        NotFound, PreconditionFailed, NotValid.
        InUse: switched off while active doctors belong to it.
    """
    facility = lock_facility(Department, department_id, by=by)
    department = facility.departments.get(pk=department_id)
    if department.is_active and changes.get("is_active") is False:
        doctors = department.doctors.filter(is_active=True).count()
        if doctors:
            raise InUse(name=department.name, why=f"{doctors} active doctors belong to it", count=doctors)
    return change(department, changes, read=read, by=by)


@transaction.atomic(savepoint=False)
def join_department(*, department_id: int, user_id: int, by: User | None) -> DepartmentMember:
    """Say that a person works in a department; again, it changes nothing.

    Raises:
        NotFound: no such department.
        NotValid: no such person.
    """
    facility = lock_facility(Department, department_id, by=by)
    known = DepartmentMember.objects.filter(department=department_id, user=user_id).first()
    return known or create(
        DepartmentMember(department=facility.departments.get(pk=department_id), user_id=user_id), by=by
    )


@transaction.atomic(savepoint=False)
def leave_department(*, department_id: int, user_id: int, by: User | None) -> None:
    """Say that a person no longer works in a department.

    Raises:
        NotFound: no such department.
    """
    lock_facility(Department, department_id, by=by)
    with signed(by):
        DepartmentMember.objects.filter(department=department_id, user=user_id).delete()


@transaction.atomic(savepoint=False)
def create_room(*, facility_id: int, name: str, by: User | None) -> Room:
    """A new room.

    Raises:
        NotFound: no such facility.
        NotValid: the name is already there, or is none.
    """
    facility = lock_facility(Facility, facility_id, by=by)
    return create(Room(facility=facility, name=name), by=by)


@transaction.atomic(savepoint=False)
def update_room(*, room_id: int, read: int | None = None, by: User | None, **changes: Any) -> Room:
    """Change a room's `name` or `is_active`.

    Raises:
        NotFound, PreconditionFailed, NotValid.
        InUse: switched off while sessions are to be held in it.
    """
    facility = lock_facility(Room, room_id, by=by)
    room = facility.rooms.get(pk=room_id)
    if room.is_active and changes.get("is_active") is False:
        ahead = room.sessions.filter(ends_at__gt=timezone.now(), status=SessionStatus.OPEN).count()
        if ahead:
            raise InUse(name=room.name, why=f"{ahead} sessions are to be held in it", count=ahead)
    return change(room, changes, read=read, by=by)


@transaction.atomic(savepoint=False)
def create_doctor(
    *,
    department_id: int,
    name: str,
    consultation_fee: Decimal = Decimal(0),
    hospital_fee: Decimal = Decimal(0),
    user_id: int | None = None,
    by: User | None,
) -> Doctor:
    """A new doctor of a department's facility. Fees are in the facility's currency.

    Raises:
        NotFound: no such department.
        NotValid: a fee below zero, a user who is another doctor, an empty name.
    """
    facility = lock_facility(Department, department_id, by=by)
    return create(
        Doctor(
            facility=facility,
            department_id=department_id,
            name=name,
            consultation_fee=consultation_fee,
            hospital_fee=hospital_fee,
            user_id=user_id,
        ),
        by=by,
    )


@transaction.atomic(savepoint=False)
def update_doctor(
    *, doctor_id: int, read: int | None = None, by: User | None, at: datetime | None = None, **changes: Any
) -> Doctor:
    """Change a doctor: `name`, `department_id`, `user_id`, `consultation_fee`, `hospital_fee`, `is_active`.

    Another department takes along the sessions ahead in which nobody has a number yet. Switching off is
    `deactivate_doctor`.

    Raises:
        NotFound, PreconditionFailed, NotValid.
        HasTokens, InUse: as `deactivate_doctor`.
    """
    at = at or timezone.now()
    facility = lock_facility(Doctor, doctor_id, by=by)
    doctor = facility.doctors.get(pk=doctor_id)
    leaves, moves = doctor.is_active and changes.get("is_active") is False, doctor.department_id
    if "department_id" in changes:
        of_facility(facility, Department, changes["department_id"], attr="department")
    doctor = change(doctor, changes, read=read, by=by)
    if leaves:
        _leave(doctor, facility, at)
    elif doctor.department_id != moves:
        doctor.sessions.filter(starts_at__gt=at, last_number=0).update(department=doctor.department_id)
    return doctor


def deactivate_doctor(
    *, doctor_id: int, read: int | None = None, by: User | None, at: datetime | None = None
) -> Doctor:
    """Switch a doctor off. Sessions ahead are cancelled, for nobody stands in them.

    Raises:
        NotFound, PreconditionFailed.
        HasTokens: patients still hold tokens ahead; the count is said. A plan for them comes first.
        InUse: a session that began with patients is not closed yet.
    """
    return update_doctor(doctor_id=doctor_id, read=read, by=by, at=at, is_active=False)


def _leave(doctor: Doctor, facility: Facility, at: datetime) -> None:
    """Cancel what is ahead of a doctor whom nobody waits for. The sessions are locked before the tokens are counted."""
    ids = doctor.sessions.filter(ends_at__gt=at, status=SessionStatus.OPEN).values_list("id", flat=True)
    sessions = [session for session in lock_sessions(ids) if session.status == SessionStatus.OPEN]
    count = max(_holders(sessions, at), tokens_ahead(doctor_id=doctor.pk, at=at))
    if count:
        raise HasTokens(name=doctor.name, count=count)
    begun = next((session for session in sessions if session.starts_at <= at and session.last_number), None)
    if begun:
        raise InUse(
            name=doctor.name, why=f"session {begun.prefix} of {begun.date:%d %b} is not closed", session=begun.pk
        )
    withdraw_sessions(doctor.sessions.all(), at=at)
    cancel_sessions(sessions)


def _holders(sessions: list[Session], at: datetime) -> int:
    """How many places are used in slots that have not begun: the database counts them itself."""
    slots = Slot.objects.filter(session__in=sessions, starts_at__gt=at)
    return slots.aggregate(used=Sum("used", default=0))["used"]


def tokens_ahead(*, doctor_id: int, at: datetime) -> int:
    """What the apps above know of tokens ahead of a doctor, those who only wait among them.

    Each function named in the setting `OPD_BEFORE_DEACTIVATE` is a `TokensAhead`.
    """
    paths: list[str] = getattr(settings, "OPD_BEFORE_DEACTIVATE", [])
    return sum(import_string(path)(doctor_id=doctor_id, at=at) for path in paths)
