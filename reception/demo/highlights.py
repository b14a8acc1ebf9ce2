"""What is done by hand in the last minutes, so that it can be seen whatever the hour and the chance."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from accounts.models import User
from common.errors import DomainError
from reception.demo.day import HOUR
from reception.demo.morning import Morning
from reception.demo.practice import MINUTE
from scheduling.models import Session, Slot
from tokens import allocation, queueing, supply
from tokens.facts import TokenFacts
from tokens.models import Token
from tokens.states import Source, Status


def visit_and_test(morning: Morning) -> None:
    """One patient is at the X-ray, one with the doctor, one called, one held; one was a no-show and one cancelled."""
    doctor, session = morning.session.doctor.user, morning.session.pk
    off = morning.give(Source.ONLINE, morning.slots[-1], 5.9, here=False)
    absent = morning.give(Source.ONLINE, morning.slots[-1], 5.9, here=False)
    for _ in range(4 - morning.waiting_here):  # whatever the hour, enough people are here
        morning.give(Source.WALK_IN, morning.following, 5.8)
    inside = next((t for t in morning.tokens.values() if t.status == Status.IN_PROGRESS), None)
    if inside is None:
        inside = _call_in(session, doctor, morning.ago(5.5))
    queueing.send_away(token_id=inside.id, where="X-ray", by=doctor, at=morning.ago(5))
    _call_in(session, doctor, morning.ago(4))
    held = queueing.call_next(session_id=session, by=doctor, at=morning.ago(3)).token
    assert held is not None
    queueing.hold(token_id=held.id, minutes=10, by=morning.desk, at=morning.ago(2))
    queueing.call_next(session_id=session, by=doctor, at=morning.ago(1))
    allocation.cancel_token(token_id=off, reason="Called off by phone", by=morning.desk, at=morning.ago(0.8))
    allocation.mark_no_show(token_id=absent, by=morning.desk, at=morning.ago(0.6))


def _call_in(session_id: int, doctor: User | None, at: datetime) -> TokenFacts:
    """Call the next patient, who goes in."""
    token = queueing.call_next(session_id=session_id, by=doctor, at=at).token
    assert token is not None
    queueing.start(token_id=token.id, by=doctor, at=at + MINUTE / 4)
    return token


def paid_takes_a_place(morning: Morning) -> None:
    """The current slot is full; one who paid for priority takes a place in it."""
    morning.fill(morning.current, 0.5)
    morning.give(Source.PAID, morning.current, 0.4, here=False)


def emergency_comes(morning: Morning) -> None:
    """The current slot is full; an emergency takes a place or is overbooked, as the policy says."""
    morning.fill(morning.current, 0.5)
    morning.give(Source.EMERGENCY, morning.current, 0.3)


def doctor_is_late(morning: Morning) -> None:
    """The doctor is twenty minutes behind."""
    supply.delay_session(session_id=morning.session.pk, minutes=20, by=morning.desk, at=morning.ago(0.2))


def doctor_pauses(morning: Morning) -> None:
    """The doctor is not in the room for some minutes."""
    supply.pause_session(session_id=morning.session.pk, by=morning.desk, at=morning.ago(0.2))


def slot_is_cut(morning: Morning) -> None:
    """A full slot loses a place, and who held it waits; in a later one somebody who waited gets a place."""
    cut, later = morning.slots[-2:]
    morning.fill(cut, 3)
    reason = "The doctor sees an inpatient"
    supply.change_capacity(slot_id=cut.pk, capacity=cut.capacity - 1, reason=reason, by=morning.desk, at=morning.ago(2))
    held = morning.fill(later, 1.8)
    morning.give(Source.ONLINE, later, 1.5, here=False)
    if held:
        reason = "Called off by phone"
        allocation.cancel_token(token_id=held[0], reason=reason, by=morning.desk, at=morning.ago(1))


def nothing_is_left(morning: Morning) -> None:
    """Every place of the day is taken, and three wait for one."""
    for slot in morning.slots:
        if slot.ends_at > morning.now + 2 * MINUTE:
            morning.fill(slot, 3)
    for _ in range(3):
        morning.give(Source.WALK_IN, morning.slots[-1], 1)


def sent_on(morning: Morning) -> None:
    """One who waits here is sent on to another department, to ENT where that sees patients today."""
    own = morning.session
    free = Slot.objects.filter(session__facility_id=own.facility_id, session__date=own.date, session__status="open")
    free = free.filter(status="open", ends_at__gt=morning.now + HOUR / 2, used__lt=F("capacity") + F("overbooked"))
    elsewhere = free.exclude(session__department=own.department_id).order_by("session__department__name")
    slot = elsewhere.select_related("session__department").first()
    if slot is None:
        return
    department = slot.session.department
    there = Token.objects.filter(session__department=department, session__date=own.date)
    morning.here |= set(there.values_list("patient_id", flat=True))
    token_id = morning.give(Source.WALK_IN, morning.slots[-1], 0.9)
    reason = f"Better seen in {department.name}"
    queueing.send_on(
        token_id=token_id, department_id=department.pk, reason=reason, by=morning.desk, at=morning.ago(0.5)
    )


HIGHLIGHTS: dict[str, Sequence[Callable[[Morning], None]]] = {
    "Dr Rao": (visit_and_test, paid_takes_a_place, emergency_comes),
    "Dr Meera Iyer": (slot_is_cut,),
    "Dr Teresa D’Souza": (sent_on, emergency_comes),
    "Dr Suresh Gupta": (nothing_is_left, emergency_comes),
    "Dr Anjali Nair": (paid_takes_a_place, doctor_pauses),
    "Dr Imran Khan": (doctor_is_late,),
}
"""What is done in whose session."""


def highlight(morning: Morning) -> None:
    """Do in a session what is to be seen there, where it goes on long enough."""
    if morning.roomy:
        for show in HIGHLIGHTS.get(morning.session.doctor.name, ()):
            try:
                show(morning)
            except DomainError:
                # On a day that people have changed not everything can be shown. A refusal has written nothing.
                transaction.set_rollback(False)


LEAVE = {"Dr Arun Bhat": False, "Dr Kavitha Shenoy": True}
"""Who is away on one of the days to come, and whether the patients were given another day."""


def on_leave(sessions: Sequence[Session], now: datetime, *, desk: User | None) -> None:
    """Two doctors cancel a session of theirs, in the middle of the week to come."""
    soonest = now + timedelta(days=4)
    for name, move in LEAVE.items():
        found = next((one for one in sessions if one.doctor.name == name and one.starts_at > soonest), None)
        if found is not None:
            supply.cancel_session(session_id=found.pk, reason="On leave", move=move, by=desk, at=now - 2 * HOUR)
