"""Who is still to be told: patients whose place others changed, and those who should be here and are not.

It follows from the events of their tokens and from who was told (`PatientTold`); there is no list that could differ.
A token stands here while the last event that changed its place was not of the patient's or a desk's own making
(displaced, promoted, cancelled by the engine, moved or given back by a plan) and was not told. What a person arranges
afterwards ends it: whoever moved or cancelled the token spoke with the patient.

Who holds a place in a slot that has begun and has not arrived is not here, while patients are still seen. Both are told
of the event that gave the token its place, so whoever was told comes back only when the place is another one.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Facility
from reception.models import PatientTold
from tokens.kinds import SupplyKind
from tokens.rules import NO_PLACE, NOT_SERVED
from tokens.states import Status

Clock = Callable[[datetime], str]

SHOWN: Final = 60
"""How many of each kind are listed; the count says how many there are."""

GRACE: Final = timedelta(minutes=10)
"""So long after the slot's begin nobody is missed: people come a little late, and the doctor has others to see."""

ABSENT: Final = "absent"
"""The kind of those who are not here; other kinds are those of the event."""


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
    delay_minutes: int
    until: datetime

    @property
    def absent(self) -> bool:
        """Whether the patient is expected and not here; `since` is when the patient should have come."""
        return self.kind == ABSENT

    @property
    def about(self) -> PatientTold.About:
        """What the patient is told."""
        return PatientTold.About.ABSENT if self.absent else PatientTold.About.CHANGE

    @property
    def here(self) -> bool:
        """Whether the patient can be told face to face."""
        return self.arrived_at is not None

    @property
    def value(self) -> str:
        """What names the change in a form."""
        return f"{self.token_id}.{self.seq}.{self.about}"


_CHANGED: Final = """
    SELECT t.id, e.seq, e.kind, e.reason, e.at, t.number, t.status, t.arrived_at, t.session_id, s.date, slot.starts_at,
           before.starts_at, d.name, r.name, p.name, p.phone, s.delay_minutes, s.ends_at
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
                SELECT 1 FROM reception_patienttold x
                 WHERE x.token_id = t.id AND x.about = 'change' AND x.undone_at IS NULL))
       AND NOT EXISTS (SELECT 1 FROM reception_patienttold x
                        WHERE x.token_id = t.id AND x.seq = e.seq AND x.about = 'change' AND x.undone_at IS NULL)
       AND (%(token)s::bigint IS NULL OR t.id = %(token)s::bigint)"""

# A patient who was told of a changed place when its time had come already knows that it is time.
_ABSENT: Final = """
    SELECT t.id, e.seq, 'absent', '', due.at, t.number, t.status, t.arrived_at, t.session_id, s.date, slot.starts_at,
           NULL::timestamptz, d.name, r.name, p.name, p.phone, s.delay_minutes, s.ends_at + due.delay
      FROM scheduling_session s
      JOIN tokens_token t ON t.session_id = s.id
      JOIN scheduling_slot slot ON slot.id = t.slot_id
      JOIN LATERAL (SELECT seq, at FROM tokens_event
                     WHERE token_id = t.id AND (changes ? 'status' OR changes ? 'slot_id')
                     ORDER BY seq DESC LIMIT 1) e ON true
      CROSS JOIN LATERAL (SELECT delay, greatest(slot.starts_at + delay, e.at) AS at
                            FROM make_interval(mins => s.delay_minutes) delay) due
      JOIN scheduling_doctor d ON d.id = s.doctor_id
      JOIN scheduling_room r ON r.id = s.room_id
      JOIN patients_patient p ON p.id = t.patient_id
     WHERE s.facility_id = %(facility)s AND s.date BETWEEN %(date)s - 1 AND %(date)s AND s.status = 'open'
       AND s.ends_at + make_interval(mins => s.delay_minutes) > %(now)s
       AND slot.starts_at + make_interval(mins => s.delay_minutes) <= %(now)s - %(grace)s
       AND due.at <= %(now)s - %(grace)s
       AND t.status = 'confirmed' AND t.arrived_at IS NULL
       AND NOT EXISTS (SELECT 1 FROM reception_patienttold x
                        WHERE x.token_id = t.id AND x.seq = e.seq AND x.undone_at IS NULL
                          AND (x.about = 'absent' OR x.at >= due.at))
       AND (%(token)s::bigint IS NULL OR t.id = %(token)s::bigint)"""

# Changes first, and of those who is here, then the soonest; of those who are not here who is expected longest.
_SQL: Final = f"""
    SELECT * FROM (({_CHANGED}) UNION ALL ({_ABSENT})) u (
           id, seq, kind, reason, since, number, status, arrived_at, session_id, date, slot_at, before, doctor, room,
           name, phone, delay_minutes, until)
     ORDER BY kind = 'absent', arrived_at IS NULL, CASE kind WHEN 'absent' THEN since ELSE slot_at END, id"""  # noqa: S608 - of constants


def to_tell(facility: Facility, *, token_id: int | None = None) -> list[Untold]:
    """Everybody of today and of later days who is to be told, once: changes first, then who is not here. One query.

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
        "grace": GRACE,
    }
    with connection.cursor() as cursor:
        cursor.execute(_SQL, values)
        found = [Untold(*row) for row in cursor.fetchall()]
    changed = {each.token_id for each in found if not each.absent}
    return [each for each in found if not (each.absent and each.token_id in changed)]


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
        "since": clock(untold.since),
        "until": clock(untold.until),
        "minutes": untold.delay_minutes,
    }
    return _text(untold) % words


def _text(untold: Untold) -> str:
    if untold.absent:
        if untold.delay_minutes and untold.since > untold.slot_at:
            return _(
                "Expected at %(since)s with %(doctor)s, %(room)s, who is %(minutes)d min late. Seen until %(until)s."
            )
        return _("Expected at %(since)s with %(doctor)s, %(room)s. Patients are seen until %(until)s.")
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
