"""A demo that is older than today: its days are finished, and today's hall is busy again, all through the actions."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import Facility, User
from billing.models import BillingSettings
from common.transactions import outermost
from reception.demo import cash_desk, hospital
from reception.demo.day import HOUR, PastDay, finish_left_over
from reception.demo.loading import NotInProduction, Practices, alone, play_today, practices_of, sessions_of
from reception.demo.morning import DayAhead
from reception.demo.people import DOCTORS, FACILITY, DoctorPlan
from scheduling import actions as scheduling
from scheduling.errors import Overlap
from scheduling.models import Doctor, Session
from scheduling.rules import Window, cut
from tokens.models import Token

OVERTIME = 1.5 * HOUR
"""By so much a session is over after its end, whatever was left to do."""

LEAST = 1.75 * HOUR
"""A session that has less left than this is no morning in progress."""


def freshen(*, now: datetime | None = None) -> bool:
    """Let people come to the demo hospital today, where the demo is older than today and nobody has come yet.

    What was left over on earlier days is finished first. Where the weekly hours are not around the present one,
    doctors open a session beside them. Run again on the same day it changes nothing.

    Args:
        now: the clock's, where none is given.

    Returns:
        whether anything was done.

    Raises:
        NotInProduction
    """
    if settings.PRODUCTION:
        raise NotInProduction
    return outermost(lambda: _freshen(now or timezone.now()))


@transaction.atomic(savepoint=False)
def _freshen(now: datetime) -> bool:
    alone()
    facility = Facility.objects.filter(slug=FACILITY, is_active=True).first()
    if facility is None or _somebody_came(facility, now):
        return False
    desk = User.objects.filter(username="asha", is_active=True).first()
    if not BillingSettings.objects.filter(facility=facility).exists():  # loaded before the hospital billed anybody
        cash_desk.furnish(facility, facility.local_date(now) - hospital.PAST)
        cash_desk.begin_billing(facility)
    practices = practices_of(facility, DOCTORS, list(facility.patients.filter(is_active=True)))
    _finish(facility, practices, now, desk)
    scheduling.generate_sessions(
        facility_id=facility.pk, today=facility.local_date(now), days=hospital.AHEAD.days + 1, by=None
    )
    _open_around(facility, now)
    _play(facility, practices, now, desk)
    cash_desk.play_cash(facility, now, desk=desk)
    return _somebody_came(facility, now)


def _somebody_came(facility: Facility, now: datetime) -> bool:
    """Whether anybody was here today."""
    today = Token.objects.filter(session__facility=facility, session__date=facility.local_date(now))
    return today.filter(arrived_at__isnull=False).exists()


def _finish(facility: Facility, practices: Practices, now: datetime, desk: User | None) -> None:
    """Play the sessions of earlier days that somebody stood in to their end."""
    left = Session.objects.filter(facility=facility, date__lt=facility.local_date(now), status="open")
    begun = left.filter(last_number__gt=0, ends_at__lt=now - OVERTIME).exclude(last_event_at__gt=now - 2 * OVERTIME)
    for session in _known(begun.select_related("doctor__user"), practices):
        finish_left_over(session, practices[session.doctor.name], desk=desk)


def _known(sessions: Iterable[Session], practices: Practices) -> list[Session]:
    """Those of the demo's own doctors: whoever was added to it is left alone."""
    return [session for session in sessions if session.doctor.name in practices]


def _open_around(facility: Facility, now: datetime) -> None:
    """Give a session around the present hour to each doctor who has one today, but at another time."""
    today = facility.local_date(now)
    doctors = {doctor.name: doctor for doctor in facility.doctors.filter(is_active=True)}
    for plan in DOCTORS:
        doctor = doctors.get(plan.name)
        sessions = _around(doctor, today) if doctor else []
        mine = [session for session in sessions if session.date == today]
        if doctor and mine and not any(_fits(session, plan, now) for session in mine):
            _open(doctor, plan, sessions, now.astimezone(facility.tz))


def _around(doctor: Doctor, today: date) -> list[Session]:
    days = (today - timedelta(days=1), today + timedelta(days=1))
    return list(doctor.sessions.filter(date__range=days).exclude(status="cancelled").order_by("starts_at"))


def _fits(session: Session, plan: DoctorPlan, now: datetime) -> bool:
    starts_later = plan.starts_after > 90
    return session.ends_at >= now + LEAST and (session.starts_at <= now or starts_later)


def _open(doctor: Doctor, plan: DoctorPlan, sessions: list[Session], now: datetime) -> None:
    """The plan's hours today, as far as the doctor's other sessions leave them free."""
    from_time, _ = hospital.hours(plan, now)
    start = datetime.combine(now.date(), from_time, now.tzinfo)
    end = start + hospital.LONGEST
    for other in sessions:
        if other.starts_at <= start:
            start = max(start, other.ends_at.astimezone(now.tzinfo))
        else:
            end = min(end, other.starts_at)
    slots = cut(Window(start, end), plan.slot_minutes) if start < end else []
    if len(slots) < 2 or start.date() != now.date():
        return
    places = [(slot, plan.capacity) for slot in slots]
    try:
        scheduling.open_session(doctor_id=doctor.pk, room_id=sessions[0].room_id, slots=places, by=None)
    except Overlap:
        return  # somebody else is in the room by now: refused before anything was written


def _play(facility: Facility, practices: Practices, now: datetime, desk: User | None) -> None:
    """Today's sessions that are over to their end, the others up to now; and the first bookings of days ahead."""
    today = facility.local_date(now)
    sessions = _known(sessions_of(facility, today), practices)
    over = [session for session in sessions if session.ends_at + OVERTIME < now]
    there: set[int] = set()
    for session in over:
        PastDay(session, practices[session.doctor.name], there, desk=desk).play()
    ahead = Session.objects.filter(facility=facility, date__gt=today, status="open", last_number=0)
    for session in _known(ahead.select_related("doctor__user"), practices):
        if session.date <= today + hospital.AHEAD:
            DayAhead(session, practices[session.doctor.name], set(), desk=desk).book(now)
    play_today([session for session in sessions if session not in over], practices, now, desk=desk)
