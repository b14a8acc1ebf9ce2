"""Loads the demo hospital: once, wholly or not at all."""

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import Facility, User
from common.errors import Refused
from common.transactions import outermost
from patients.models import Patient
from reception.demo import cash_desk, hospital
from reception.demo.day import PastDay
from reception.demo.highlights import highlight, on_leave
from reception.demo.morning import DayAhead, Morning
from reception.demo.people import DOCTORS, FACILITY, PATIENTS, SMALL_FACILITY, DoctorPlan
from reception.demo.practice import Practice, seen_in
from scheduling import actions as scheduling
from scheduling.models import Session

if TYPE_CHECKING:
    from reception.demo.earlier_money import EarlierMoney

STEPS = 2 + len(DOCTORS) + hospital.PAST.days + hospital.AHEAD.days + 1 + 1
"""How often `load` reports that a step is done, where it loads the whole past."""

_ONE_AT_A_TIME = 20261
_SMALL_PATIENTS = 24
_SMALL_DOCTOR = DoctorPlan("Dr Vasudha Pai", "Family Medicine", "Consulting room", 0, 60, 3, 300, 12.0)

Done = Callable[[], object]
Practices = dict[str, Practice]


class NotInProduction(Refused):
    """Made-up patients never stand beside real ones."""

    code = "not_in_production"
    sentence = "The demo hospital is never loaded in production."


def load(
    done: Done = lambda: None,
    *,
    now: datetime | None = None,
    patients: int = PATIENTS,
    past: timedelta = hospital.PAST,
) -> bool:
    """Load the demo hospital where it is not there yet.

    Args:
        done: called after each of `STEPS` steps.
        now: the moment around which the demo lies, the clock's where none is given.
        patients: how many there are in the registry of the hospital.
        past: how far the hospital's days go back.

    Returns:
        whether anything was loaded.

    Raises:
        NotInProduction
    """
    if settings.PRODUCTION:
        raise NotInProduction
    return outermost(lambda: _load(done, now or timezone.now(), patients, past))


def alone() -> None:
    """Wait until nobody else loads the demo or plays in it; until the transaction ends nobody else does."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", (_ONE_AT_A_TIME,))


def know_sizes() -> None:
    """Tell the database how large its tables are by now: so soon it has not looked itself, and it would plan badly."""
    with connection.cursor() as cursor:
        cursor.execute(
            "ANALYZE tokens_token, tokens_event, scheduling_session, scheduling_slot, patients_patient, billing_bill,"
            " billing_line, billing_payment, billing_receipt, billing_ledgertransaction, billing_ledgerentry,"
            " reception_visit, reception_visittoken"
        )


def _earlier_money(facility: Facility, users: dict[str, User]) -> "EarlierMoney":
    # Imported here: the history of a large hospital, whose money this is, takes its people from the demo.
    from reception.demo.earlier_money import EarlierMoney

    return EarlierMoney(facility, cash_desk.rules(facility), clerk=users["asha"], cashier=users["meena"])


@transaction.atomic(savepoint=False)
def _load(done: Done, now: datetime, patients: int, past: timedelta) -> bool:
    alone()
    if Facility.objects.filter(slug=FACILITY).exists():
        return False
    main, small = hospital.facilities()
    users = hospital.staff({FACILITY: main, SMALL_FACILITY: small})
    done()
    _open(main, users, now, past, done)
    practices = practices_of(main, DOCTORS, hospital.registry(main, now, patients))
    done()
    desk = users["asha"]
    today = main.local_date(now)
    cash_desk.furnish(main, today - past)
    money = _earlier_money(main, users)
    for day in _days(today - past, today):
        play_past(sessions_of(main, day), practices, desk=desk)
        money.write(day)
        done()
    cash_desk.begin_billing(main)
    book_ahead(main, practices, now, desk=desk, done=done)
    play_today(sessions_of(main, today), practices, now, desk=desk)
    cash_desk.play_cash(main, now, desk=desk)
    done()
    _open_small(small, users["lakshmi"], now)
    know_sizes()
    done()
    return True


def _days(first: date, end: date) -> Iterable[date]:
    return (first + timedelta(days=n) for n in range((end - first).days))


def _open(facility: Facility, users: dict[str, User], now: datetime, past: timedelta, done: Done) -> None:
    """Departments, doctors with their rooms and lines, and the sessions."""
    here = now.astimezone(facility.tz)
    departments = hospital.departments(facility)
    for plan in DOCTORS:
        hospital.doctor(plan, departments[plan.department], here, users.get(plan.username))
        done()
    hospital.weeks(facility, here, past)


def practices_of(facility: Facility, plans: Iterable[DoctorPlan], patients: list[Patient]) -> Practices:
    """The practice of each doctor of the demo, by name."""
    seen = {doctor.name: seen_in(session__doctor=doctor) for doctor in facility.doctors.all()}
    return {plan.name: Practice(plan, patients, seen[plan.name]) for plan in plans if plan.name in seen}


def sessions_of(facility: Facility, day: date) -> QuerySet[Session]:
    """The sessions of a day that take place."""
    of_day = Session.objects.filter(facility=facility, date=day, status="open")
    return of_day.select_related("doctor__user", "doctor__facility").order_by("starts_at", "prefix")


def play_past(sessions: Iterable[Session], practices: Practices, *, desk: User | None) -> None:
    """Play the sessions of a day that is over."""
    today: set[int] = set()
    for session in sessions:
        PastDay(session, practices[session.doctor.name], today, desk=desk).play()


def book_ahead(
    facility: Facility, practices: Practices, now: datetime, *, desk: User | None, done: Done = lambda: None
) -> None:
    """Bookings for each of the next days; two sessions of them are cancelled."""
    today = facility.local_date(now)
    for day in _days(today + timedelta(days=1), today + hospital.AHEAD + timedelta(days=1)):
        there: set[int] = set()
        for session in sessions_of(facility, day):
            DayAhead(session, practices[session.doctor.name], there, desk=desk).book(now)
        done()
    ahead = Session.objects.filter(facility=facility, date__gt=today).select_related("doctor").order_by("starts_at")
    on_leave(list(ahead), now, desk=desk)


def play_today(sessions: Iterable[Session], practices: Practices, now: datetime, *, desk: User | None) -> None:
    """Play today's sessions up to now; what crosses from one to another, or is to be seen, comes last."""
    there: set[int] = set()
    mornings = []
    for session in sessions:
        morning = Morning(session, practices[session.doctor.name], there, now, desk=desk)
        morning.play()
        mornings.append(morning)
    for morning in mornings:
        highlight(morning)


def _open_small(facility: Facility, desk: User, now: datetime) -> None:
    """The clinic beside it: one doctor, two dozen patients, a few of them expected today."""
    here = now.astimezone(facility.tz)
    department = scheduling.create_department(
        facility_id=facility.pk, name=_SMALL_DOCTOR.department, code="fm", by=None
    )
    hospital.doctor(_SMALL_DOCTOR, department, here, None)
    hospital.weeks(facility, here, timedelta())
    practices = practices_of(facility, [_SMALL_DOCTOR], hospital.registry(facility, now, _SMALL_PATIENTS))
    play_today(sessions_of(facility, facility.local_date(now)), practices, now, desk=desk)
