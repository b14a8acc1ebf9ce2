"""Builds the demo hospital: people, departments, doctors, rooms, weekly lines, policies, sessions."""

from datetime import datetime, time, timedelta
from decimal import Decimal

from django.contrib.auth.hashers import make_password

from accounts.actions import give_role
from accounts.models import Facility, User
from patients.actions import register_patient
from patients.models import Patient
from reception.demo.people import FACILITY, PASSWORD, POLICIES, SMALL_FACILITY, STAFF, DoctorPlan, patients
from scheduling import actions as scheduling
from scheduling.models import Department, DepartmentMember, Doctor
from tokens.models import AllocationPolicy, PolicyAssignment

PAST = timedelta(days=14)
"""How far the hospital's days go back."""

AHEAD = timedelta(days=7)
LONGEST = timedelta(hours=4)
LATEST = time(23, 30)


def facilities() -> tuple[Facility, Facility]:
    """The hospital, and a small clinic beside it which the hospital's people may not see."""
    hospital = Facility.objects.create(
        name="Sunrise Hospital", slug=FACILITY, time_zone="Asia/Kolkata", languages=["en", "hi"]
    )
    clinic = Facility.objects.create(name="Lakeside Clinic", slug=SMALL_FACILITY, time_zone="Asia/Kolkata")
    return hospital, clinic


def staff(known: dict[str, Facility]) -> dict[str, User]:
    """Everybody who signs in. A user of that name who is there already keeps the password and gets the role."""
    hashed = make_password(PASSWORD)  # once: hashing is slow on purpose
    users = {}
    for member in STAFF:
        user, _ = User.objects.get_or_create(
            username=member.username, defaults={"name": member.name, "password": hashed}
        )
        give_role(user=user, role=member.role, facility=known.get(member.facility or ""))
        users[member.username] = user
    return users


def hours(plan: DoctorPlan, now: datetime) -> tuple[time, time]:
    """From-to of a doctor on the facility's wall clock.

    The first sessions began an hour and a half ago at the half hour; soon after midnight those of the evening begin
    at midnight, and who starts later still starts on the same day.

    Args:
        now: with the facility's time zone.
    """
    wall = now.replace(tzinfo=None, second=0, microsecond=0)
    begun = wall - timedelta(minutes=90)
    start = begun - timedelta(minutes=begun.minute % 30) + timedelta(minutes=plan.starts_after)
    start = min(max(start, datetime.combine(wall.date(), time())), datetime.combine(wall.date(), LATEST))
    return start.time(), (start + LONGEST).time()


def departments(facility: Facility) -> dict[str, Department]:
    """The departments, each with the policy that decides there."""
    presets = {policy.name: policy for policy in AllocationPolicy.objects.filter(facility=None)}
    made = {}
    for name, policy in POLICIES.items():
        code = "".join(word[0] for word in name.split()) if " " in name else name[:4]
        made[name] = scheduling.create_department(facility_id=facility.pk, name=name, code=code.lower(), by=None)
        PolicyAssignment.objects.create(department=made[name], policy=presets[policy])
    return made


def doctor(plan: DoctorPlan, department: Department, now: datetime, user: User | None) -> Doctor:
    """A doctor with a room and weekly lines; who signs in works every day, the others have one off, never today."""
    made = scheduling.create_doctor(
        department_id=department.pk,
        name=plan.name,
        consultation_fee=Decimal(plan.fee),
        hospital_fee=Decimal(100),
        user_id=user.pk if user else None,
        by=None,
    )
    if user:
        DepartmentMember.objects.create(department=department, user=user)
    room = scheduling.create_room(facility_id=department.facility_id, name=plan.room, by=None)
    start, end = hours(plan, now)
    off = set() if user else {(now.weekday() + 2 + made.pk % 4) % 7}
    for weekday in set(range(7)) - off:
        scheduling.create_line(
            doctor_id=made.pk,
            room_id=room.pk,
            weekday=weekday,
            from_time=start,
            to_time=end,
            slot_minutes=plan.slot_minutes,
            capacity=plan.capacity,
            valid_from=(now - PAST).date(),
            by=None,
        )
    return made


def weeks(facility: Facility, now: datetime, past: timedelta) -> None:
    """The sessions of the days past, of today and of next week."""
    days = (past + AHEAD).days + 1
    scheduling.generate_sessions(facility_id=facility.pk, today=(now - past).date(), days=days, by=None)


def registry(facility: Facility, now: datetime, count: int) -> list[Patient]:
    """The patients, registered in the past years, all of them before the first of the hospital's days."""
    made = []
    for index, person in enumerate(patients(now.year, count)):
        long_ago = now - PAST - timedelta(days=7 + 2 * (count - index))
        known = {"name": person.name, "sex": person.sex, "birth_year": min(person.birth_year, long_ago.year)}
        contact = {"phone": person.phone, "address": person.address}
        made.append(register_patient(facility=facility, by=None, at=long_ago, **known, **contact))  # type: ignore[arg-type]
    return made
