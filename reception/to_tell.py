"""Who is still to be told: patients whose place others changed, and nobody has said so to them yet.

It follows from the events of their tokens and from who was told (`PatientTold`); there is no list that could differ.
A token stands here while the last event that changed its place was not of the patient's or a desk's own making
(displaced, promoted, cancelled by the engine, moved or given back by a plan) and was not told. What a person arranges
afterwards ends it: whoever moved or cancelled the token spoke with the patient.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Facility
from tokens.kinds import SupplyKind
from tokens.rules import NO_PLACE, NOT_SERVED
from tokens.states import Status

Clock = Callable[[datetime], str]

SHOWN: Final = 60
"""How many are listed; the count says how many there are."""


@dataclass(frozen=True, slots=True)
class Untold:
    """A patient who is to be told, and of what: the token's event `seq`."""

    token_id: int
    seq: int
    kind: str
    reason: str
    since: datetime
    number: str
    status: str
    arrived_at: datetime | None
    session_id: int
    date: dt.date
    slot_at: datetime
    slot_before: datetime | None
    doctor: str
    room: str
    name: str
    phone: str

    @property
    def here(self) -> bool:
        """Whether the patient can be told face to face."""
        return self.arrived_at is not None

    @property
    def value(self) -> str:
        """What names the change in a form."""
        return f"{self.token_id}.{self.seq}"


_SQL: Final = """
    SELECT t.id, e.seq, e.kind, e.reason, e.at, t.number, t.status, t.arrived_at, t.session_id, s.date, slot.starts_at,
           before.starts_at, d.name, r.name, p.name, p.phone
      FROM scheduling_session s
      JOIN tokens_token t ON t.session_id = s.id
      JOIN LATERAL (SELECT seq, kind, reason, at, changes FROM tokens_event
                     WHERE token_id = t.id AND (changes ? 'status' OR changes ? 'slot_id')
                     ORDER BY seq DESC LIMIT 1) e ON true
      JOIN scheduling_slot slot ON slot.id = t.slot_id
      JOIN scheduling_doctor d ON d.id = s.doctor_id
      JOIN scheduling_room r ON r.id = s.room_id
      JOIN patients_patient p ON p.id = t.patient_id
      LEFT JOIN LATERAL (SELECT was.starts_at FROM tokens_event w
                           JOIN scheduling_slot was ON was.id = (w.changes ->> 'slot_id')::bigint
                          WHERE w.token_id = t.id AND w.seq < e.seq AND w.changes ? 'slot_id'
                          ORDER BY w.seq DESC LIMIT 1) before ON e.changes ? 'slot_id'
     WHERE s.facility_id = %(facility)s AND (s.date >= %(date)s OR s.ends_at > %(now)s)
       AND t.status IN ('confirmed', 'waitlisted', 'cancelled') AND t.events > 2
       AND (e.kind IN ('displaced', 'promoted')
            OR e.kind = 'cancelled' AND e.reason = ANY(%(engine)s)
            OR e.kind = 'moved' AND EXISTS (
                SELECT 1 FROM scheduling_session o JOIN tokens_supplyevent u ON u.session_id = o.id
                 WHERE o.doctor_id = s.doctor_id AND o.date >= (e.at - interval '2 days')::date AND o.date <= s.date
                   AND u.at = e.at AND u.kind IN ('closed', 'cancelled'))
            OR e.kind = 'undone' AND e.reason = ANY(%(plans)s) AND EXISTS (
                SELECT 1 FROM reception_patienttold x WHERE x.token_id = t.id AND x.undone_at IS NULL))
       AND NOT EXISTS (SELECT 1 FROM reception_patienttold x
                        WHERE x.token_id = t.id AND x.seq = e.seq AND x.undone_at IS NULL)
       AND (%(token)s::bigint IS NULL OR t.id = %(token)s::bigint)
     ORDER BY t.arrived_at IS NULL, slot.starts_at, t.id"""


def to_tell(facility: Facility, *, token_id: int | None = None) -> list[Untold]:
    """Everybody of today and of later days who is to be told: who is here first, then the soonest. One query.

    Args:
        token_id: this token alone.
    """
    now = timezone.now()
    values: dict[str, Any] = {
        "facility": facility.pk,
        "date": facility.local_date(now),
        "now": now,
        "engine": [NO_PLACE, NOT_SERVED],
        "plans": [kind.value for kind in SupplyKind],
        "token": token_id,
    }
    with connection.cursor() as cursor:
        cursor.execute(_SQL, values)
        return [Untold(*row) for row in cursor.fetchall()]


def sentence(untold: Untold, clock: Clock) -> str:
    """What to say to the patient: what is different, where and when it is now, with whom.

    Args:
        clock: a moment as the patient is told it, with the day where it is not today.
    """
    words = {
        "at": clock(untold.slot_at),
        "was": clock(untold.slot_before or untold.slot_at),
        "doctor": untold.doctor,
        "room": untold.room,
        "number": untold.number,
    }
    return _text(untold) % words


def _text(untold: Untold) -> str:
    if untold.status == Status.CANCELLED:
        if untold.reason == NOT_SERVED:
            return _("%(doctor)s sees nobody more. %(number)s is cancelled: offer another day or another doctor.")
        return _("No place is left with %(doctor)s. %(number)s is cancelled: offer another day or another doctor.")
    if untold.status == Status.WAITLISTED:
        if untold.kind == "undone":
            return _("Waits for a place in %(at)s with %(doctor)s, as before.")
        return _("The place in %(at)s with %(doctor)s is gone. %(number)s waits for the next one that comes free.")
    if untold.kind == "promoted":
        return _("Has a place now: %(at)s with %(doctor)s, %(room)s. The number is %(number)s.")
    if untold.kind == "undone":
        return _("It is %(at)s with %(doctor)s, %(room)s, after all. The number is %(number)s.")
    return _("Instead of %(was)s it is %(at)s with %(doctor)s, %(room)s. The number is %(number)s.")
