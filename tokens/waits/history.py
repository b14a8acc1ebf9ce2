"""What the database says of a doctor's past, as numbers: read here, learned from in `knowledge`. Five queries."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple, cast

from tokens.models import Token, WaitEstimate
from tokens.queries.facts import ask
from tokens.states import Status

RECENT: Final = timedelta(days=28)
"""What a department and a facility are judged by."""
LEARNED: Final = timedelta(days=120)
MOST: Final = 1200
"""Of these days, at most so many of a doctor's consultations are learned from, the last ones."""
KNOWN_FOR: Final = timedelta(days=730)
"""Who was here within this time comes again; anybody else is as good as new."""


class Past(NamedTuple):
    """One consultation that started."""

    session_id: int
    date: date
    session_starts_at: datetime
    patient_id: int
    source: str
    arrived_at: datetime | None
    started_at: datetime
    ended_at: datetime | None


def consultations(doctor_id: int, today: date) -> list[Past]:
    """The doctor's last consultations, oldest first. One query."""
    rows = (
        Token.objects.filter(
            session__doctor=doctor_id,
            session__date__gt=today - LEARNED,
            started_at__isnull=False,
            status__in=(Status.COMPLETED, Status.IN_PROGRESS),
        )
        .order_by("-session__starts_at", "-session_id", "-started_at")
        .values_list(
            "session_id",
            "session__date",
            "session__starts_at",
            "patient_id",
            "source",
            "arrived_at",
            "started_at",
            "ended_at",
        )[:MOST]
    )
    return [Past(*cast("tuple[Any, ...]", row)) for row in rows][::-1]


def visits(doctor_id: int, today: date) -> Counter[int]:
    """How often each patient was seen by the doctor until now. One query."""
    rows = ask(
        "SELECT t.patient_id, count(*) FROM scheduling_session s JOIN tokens_token t ON t.session_id = s.id"
        " WHERE s.doctor_id = %s AND s.date > %s AND t.status = 'completed' GROUP BY t.patient_id",
        (doctor_id, today - KNOWN_FOR),
    )
    return Counter(dict(rows))


@dataclass(frozen=True, slots=True)
class House:
    """What is usual in a department and its facility.

    Attributes:
        facility, department: how many consultations ended, and their minutes on average.
        planned: the minutes a patient of the doctor by the plan; None where nothing is planned.
        shows: how many of the booked came, and how many did not.
    """

    facility: tuple[int, float]
    department: tuple[int, float]
    planned: float | None
    shows: tuple[int, int]


def house(facility_id: int, department_id: int, doctor_id: int, today: date) -> House:
    """What is usual around a doctor. Two queries."""
    (done, minutes, own, own_minutes, missed) = ask(
        """
        SELECT count(*) FILTER (WHERE t.status = 'completed'),
               avg(extract(epoch FROM t.ended_at - t.started_at)) FILTER (WHERE t.status = 'completed') / 60,
               count(*) FILTER (WHERE t.status = 'completed' AND s.department_id = %s),
               avg(extract(epoch FROM t.ended_at - t.started_at))
                   FILTER (WHERE t.status = 'completed' AND s.department_id = %s) / 60,
               count(*) FILTER (WHERE t.status = 'no_show')
          FROM scheduling_session s JOIN tokens_token t ON t.session_id = s.id
         WHERE s.facility_id = %s AND s.date > %s AND s.date <= %s""",
        (department_id, department_id, facility_id, today - RECENT, today),
    )[0]
    planned = ask(
        """
        SELECT sum(extract(epoch FROM p.ends_at - p.starts_at)) / 60 / nullif(sum(p.capacity), 0)
          FROM scheduling_session s JOIN scheduling_slot p ON p.session_id = s.id
         WHERE s.doctor_id = %s AND s.date > %s AND s.date <= %s""",
        (doctor_id, today - RECENT, today + RECENT),
    )[0][0]
    return House(
        facility=(done, float(minutes or 0)),
        department=(own, float(own_minutes or 0)),
        planned=float(planned) if planned else None,
        shows=(done, missed),
    )


class Outcome(NamedTuple):
    """An estimate that was given, and the minutes it took until the visit started."""

    p50: int
    correction: float
    minutes: float


def outcomes(doctor_id: int, today: date) -> list[Outcome]:
    """The doctor's last estimates whose patients have been seen since. One query."""
    rows = (
        WaitEstimate.objects.filter(
            token__session__doctor=doctor_id,
            token__session__date__gt=today - RECENT,
            token__started_at__isnull=False,
        )
        .order_by("-id")
        .values_list("p50_minutes", "correction", "given_at", "token__started_at")[:MOST]
    )
    return [
        Outcome(p50, correction, (started - given).total_seconds() / 60)
        for p50, correction, given, started in rows
        if started is not None and started >= given
    ]
