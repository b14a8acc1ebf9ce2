"""Loads the demo hospital: once, wholly or not at all."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from itertools import cycle

from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import Facility, User
from common.errors import Refused
from common.transactions import outermost
from patients.models import Patient
from reception.demo import hospital
from reception.demo.morning import play_morning, play_past
from reception.demo.people import DOCTORS, FACILITY, PATIENTS, SMALL_FACILITY, DoctorPlan
from scheduling import actions as scheduling
from scheduling.models import Session

STEPS = 3 + 2 * len(DOCTORS) + 1
"""How often `load` reports that a step is done."""

_ONE_AT_A_TIME = 20261
_SMALL_PATIENTS = 24
_SMALL_DOCTOR = DoctorPlan("Dr Vasudha Pai", "Family Medicine", "Consulting room", 0, 60, 3, 300)


class NotInProduction(Refused):
    """Made-up patients never stand beside real ones."""

    code = "not_in_production"
    sentence = "The demo hospital is never loaded in production."


def load(done: Callable[[], object] = lambda: None, *, now: datetime | None = None, patients: int = PATIENTS) -> bool:
    """Load the demo hospital where it is not there yet.

    Args:
        done: called after each of `STEPS` steps.
        now: the moment around which the demo lies, the clock's where none is given.
        patients: how many there are in the registry of the hospital.

    Returns:
        whether anything was loaded.

    Raises:
        NotInProduction
    """
    if settings.PRODUCTION:
        raise NotInProduction
    return outermost(lambda: _load(done, now or timezone.now(), patients))


@transaction.atomic(savepoint=False)
def _load(done: Callable[[], object], now: datetime, patients: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", (_ONE_AT_A_TIME,))
    if Facility.objects.filter(slug=FACILITY).exists():
        return False
    main, small = hospital.facilities()
    users = hospital.staff({FACILITY: main, SMALL_FACILITY: small})
    done()
    _open(main, users, now, done)
    _fill(main, users["asha"], hospital.registry(main, now, patients), now, done)
    _open_small(small, users["lakshmi"], now)
    done()
    return True


def _open(facility: Facility, users: dict[str, User], now: datetime, done: Callable[[], object]) -> None:
    """Departments, doctors with their rooms and lines, and the sessions of two weeks."""
    first = hospital.first_start(now.astimezone(facility.tz))
    departments = hospital.departments(facility)
    for plan in DOCTORS:
        hospital.doctor(plan, departments[plan.department], first, users.get(plan.username))
        done()
    hospital.two_weeks(facility, first)


def _fill(facility: Facility, desk: User, registry: list[Patient], now: datetime, done: Callable[[], object]) -> None:
    """Yesterday, and the morning of each doctor."""
    done()
    people = cycle(registry)
    for session in _sessions_of(facility, facility.local_date(now) - timedelta(days=1)):
        play_past(session, people, desk=desk)
    done()
    for session in _sessions_of(facility, facility.local_date(now)):
        play_morning(session, people, now, desk=desk)
        done()


def _sessions_of(facility: Facility, day: date) -> QuerySet[Session]:
    of_day = Session.objects.filter(facility=facility, date=day)
    return of_day.select_related("doctor__user").order_by("starts_at", "prefix")


def _open_small(facility: Facility, desk: User, now: datetime) -> None:
    """The clinic beside it: one doctor, two dozen patients, a few of them expected today."""
    first = hospital.first_start(now.astimezone(facility.tz))
    department = scheduling.create_department(
        facility_id=facility.pk, name=_SMALL_DOCTOR.department, code="fm", by=None
    )
    doctor = hospital.doctor(_SMALL_DOCTOR, department, first, None)
    hospital.two_weeks(facility, first)
    people = cycle(hospital.registry(facility, now, _SMALL_PATIENTS))
    session = Session.objects.get(doctor=doctor, date=facility.local_date(now))
    play_morning(session, people, now, desk=desk)
