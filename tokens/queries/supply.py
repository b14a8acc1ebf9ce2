"""Slots and sessions: one, how full they are, which can be given, which are to be settled; and where is meant."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final, cast

from django.db.models import DateTimeField, DurationField, ExpressionWrapper, F, Model, Q, Value

from accounts.models import Facility, User
from accounts.permissions import reach
from common.errors import NotFound
from scheduling.models import Department, Doctor, Session, Slot
from scheduling.states import SessionStatus, SlotStatus
from tokens import errors
from tokens.queries.facts import ask
from tokens.queries.tokens import STANDING, VIEW

NEAR: Final = timedelta(minutes=15)
"""How long before its start and after its end a session is looked after every minute."""


def get_slot(*, slot_id: int, by: User, code: str = "scheduling.view") -> Slot:
    """One slot with session and facility. One query.

    Raises:
        UnknownSlot, OutOfReach, PermissionDenied
    """
    slot = Slot.objects.select_related("session__facility").filter(pk=slot_id).first()
    if slot is None:
        raise errors.UnknownSlot
    reach(by, code, slot, facility_id=slot.session.facility_id)
    return slot


def get_session(*, session_id: int, by: User, code: str = VIEW) -> Session:
    """One session with its facility. One query.

    Raises:
        UnknownSession, OutOfReach, PermissionDenied
    """
    session = Session.objects.select_related("facility").filter(pk=session_id).first()
    if session is None:
        raise errors.UnknownSession
    reach(by, code, session)
    return session


def sessions_to_settle() -> list[int]:
    """Open sessions that run or are about to, in which somebody waits for a place or is overbooked. One query."""
    rows = ask(
        """
        SELECT s.id FROM scheduling_session s
         WHERE s.status = 'open' AND s.starts_at < clock_timestamp() + %s AND s.date >= current_date - 2
           AND s.ends_at + make_interval(mins => s.delay_minutes) > clock_timestamp() - %s
           AND EXISTS (SELECT 1 FROM scheduling_slot p JOIN tokens_token t ON t.slot_id = p.id
                        WHERE p.session_id = s.id AND (t.status = 'waitlisted' OR t.overbooked))
         ORDER BY s.starts_at, s.id""",
        (NEAR, NEAR),
    )
    return [row[0] for row in rows]


def free_now(now: datetime) -> Q:
    """Slots with a free place that can still be given."""
    late = ExpressionWrapper(Value(timedelta(minutes=1)) * F("session__delay_minutes"), DurationField())
    return Q(
        status=SlotStatus.OPEN,
        session__status=SessionStatus.OPEN,
        capacity__gt=F("used") - F("overbooked"),
        ends_at__gt=Value(now, DateTimeField()) - late,
    )


def counts(slots: Iterable[Slot]) -> dict[tuple[int, str], int]:
    """How many of each slot are confirmed and waitlisted, by slot and status. One query."""
    return {
        (slot_id, status): count
        for slot_id, status, count in ask(
            "SELECT slot_id, status, count(*) FROM tokens_token WHERE slot_id = ANY(%s) AND status = ANY(%s)"
            " GROUP BY slot_id, status",
            ([slot.pk for slot in slots], list(STANDING)),
        )
    }


def asked_place(*, doctor_id: int | None, department_id: int | None, by: User, code: str) -> Facility:
    """The facility of the doctor or department that a request without a slot names. One query.

    Raises:
        NotFound: there is none, or it is of a facility the person has no part in (recorded).
        PermissionDenied: the person may not ask for this there.
    """
    model: type[Doctor] | type[Department] = Doctor if doctor_id is not None else Department
    pk = doctor_id if doctor_id is not None else department_id
    thing: Any = model.objects.select_related("facility").filter(pk=pk or 0).first()
    if thing is None:
        raise NotFound(f"No such {model._meta.verbose_name} here.", attr=model._meta.model_name)
    reach(by, code, cast("Model", thing))
    return cast("Facility", thing.facility)
