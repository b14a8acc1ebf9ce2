"""A made-up month of a hospital's hall: tokens in every state, by dice, and the same month once more by hand.

`Month` writes rows; `Naive` reads all rows of all tables, without a condition, and works every figure out in plain
Python from the prose of `docs/reports.md`.
"""

import random
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from accounts.models import Facility
from accounts.tests.factories import FacilityFactory
from patients.tests.factories import PatientFactory
from reports import periods
from reports.periods import Span
from reports.queries.scope import Scope
from scheduling.models import Doctor, Session, Slot
from scheduling.tests.factories import DepartmentFactory, DoctorFactory, RoomFactory, SessionFactory, SlotFactory
from tokens.models import Event, Token, WaitEstimate
from tokens.states import Source, Status

ZONE = "Asia/Kolkata"
TODAY = date(2031, 3, 20)
NOW = datetime(2031, 3, 20, 11, 10, tzinfo=ZoneInfo(ZONE))
"""Thursday, ten past eleven on the wall of the test's hospital."""
HOUR = timedelta(hours=1)
ENDED = (Status.COMPLETED, Status.COMPLETED, Status.COMPLETED, Status.NO_SHOW, Status.CANCELLED, Status.WAITLISTED)
GOING_ON = (Status.COMPLETED, Status.CONFIRMED, Status.CONFIRMED, Status.WAITLISTED, Status.NO_SHOW, Status.CANCELLED)
AHEAD = (Status.CONFIRMED, Status.WAITLISTED, Status.CANCELLED)

_serial = count(1)


def scope(facility: Facility, text: str = "2031-03", *, now: datetime = NOW, **narrower: Any) -> Scope:
    """A day or a month of the facility, as of Thursday morning."""
    period = periods.parse(text, now.astimezone(facility.tz))
    return Scope(facility.pk, facility.time_zone, facility.currency, period, **narrower)


class Month:
    """Two departments with three doctors, each a session a day; tokens by dice. Every state and every oddity occurs.

    Args:
        seed: of the dice.
        first, days: from when, how many days, each fifth without sessions.
    """

    def __init__(self, seed: int = 7, *, first: date = date(2031, 2, 27), days: int = 25) -> None:
        self.dice = random.Random(seed)
        number = next(_serial)
        self.facility: Any = FacilityFactory(name=f"Month {number}", time_zone=ZONE)
        self.departments = [
            DepartmentFactory(facility=self.facility, name=f"Department {number}-{n}") for n in range(2)
        ]
        self.doctors: list[Doctor] = [
            DoctorFactory(department=self.departments[n % 2], name=f"Dr {name}")
            for n, name in enumerate(("Rao", "Iyer", "Khan"))
        ]
        for n in range(days):
            if n % 5 != 4:
                for place, doctor in enumerate(self.doctors):
                    self.session(doctor, first + timedelta(days=n), 9 + 5 * place)

    def session(self, doctor: Doctor, day: date, hour: int) -> Session:
        """Four slots of an hour; one of them is blocked now and then, one is late at night."""
        start = datetime(day.year, day.month, day.day, hour, tzinfo=ZoneInfo(ZONE)).astimezone(UTC)
        session = SessionFactory(
            doctor=doctor, room=RoomFactory(facility=self.facility), date=day, starts_at=start,
            ends_at=start + 4 * HOUR, prefix=f"{next(_serial):x}"[-4:],
        )  # fmt: skip
        slots = [SlotFactory(session=session, starts_at=start + n * HOUR, capacity=2) for n in range(4)]
        for number in range(self.dice.randint(4, 9)):
            self.token(session, self.dice.choice(slots), number)
        if self.dice.random() < 0.3:
            Slot.objects.filter(pk=self.dice.choice(slots).pk).update(status=self.dice.choice(["blocked", "cancelled"]))
        return session

    def token(self, session: Session, slot: Slot, number: int) -> None:
        """A token of a state that fits its time, called once, twice or without a call."""
        dice, at = self.dice, slot.starts_at
        kinds = ENDED if session.date < TODAY else GOING_ON if session.date == TODAY else AHEAD
        status, source = dice.choice(kinds), dice.choice(list(Source))
        if session.date == TODAY and number == 0:
            status = Status.IN_PROGRESS
        taken = Slot.objects.get(pk=slot.pk)
        uses = status in (Status.CONFIRMED, Status.IN_PROGRESS, Status.COMPLETED)
        over = uses and taken.used - taken.overbooked >= taken.capacity
        if over:
            source = Source.EMERGENCY
        inside = status in (Status.IN_PROGRESS, Status.COMPLETED)
        came = session.date <= TODAY and (inside or dice.random() < 0.4)
        arrived = at - timedelta(minutes=dice.randint(-20, 40)) if came else None
        called = arrived + timedelta(seconds=dice.randint(0, 4000)) if arrived else None
        calls = dice.choice([0, 1, 1, 1, 2]) if inside else 0
        token = Token.objects.create(
            session=session, slot=slot, patient=PatientFactory(facility=self.facility),
            number=f"{session.prefix}-{number:03d}", status=status, source=source, paid=source == Source.PAID, score=0,
            overbooked=over, requested_at=at, order_at=at, arrived_at=arrived,
            called_at=called if calls == 1 else None, call_count=calls, key=f"{next(_serial):032d}", events=1,
            started_at=called + timedelta(minutes=dice.randint(0, 9)) if inside and called else None,
        )  # fmt: skip
        if calls == 2 and called and arrived:
            self.called_twice(token, arrived, called)
        if token.started_at and dice.random() < 0.5:
            self.told(token)

    def called_twice(self, token: Token, arrived: datetime, called: datetime) -> None:
        """A call before the arrival, one that was taken back, and two that count."""
        moments = [arrived - HOUR, arrived + timedelta(seconds=1), called, called + timedelta(minutes=5)]
        for seq, at in enumerate(moments, 1):
            _event(token, seq, "called", at)
        _event(token, len(moments) + 1, "undone", called, cause=(token.pk, 2))

    def told(self, token: Token) -> None:
        """An estimate or two that were shown, one of them after the start, which counts for nothing."""
        for minutes in (30, -5):
            given = token.started_at - timedelta(minutes=minutes)
            low = self.dice.randint(5, 60)
            WaitEstimate.objects.create(
                token=token, given_at=given, where="page", p50_minutes=low, p90_minutes=low + self.dice.randint(0, 30)
            )


def _event(token: Token, seq: int, kind: str, at: datetime, cause: tuple[int, int] | None = None) -> None:
    Event.objects.create(
        token=token, seq=seq, session_id=token.session_id, kind=kind, status=token.status, changes={}, at=at,
        cause_token_id=cause[0] if cause else None, cause_seq=cause[1] if cause else None,
    )  # fmt: skip


class Naive:
    """Every figure of the hall from all rows of all tables.

    Args:
        asked: what the report is about.
        now: the moment of the report.
    """

    def __init__(self, asked: Scope, now: datetime = NOW) -> None:
        self.asked, self.now = asked, now
        self.zone = ZoneInfo(asked.time_zone)
        self.slots = {slot.pk: slot for slot in Slot.objects.all()}
        self.sessions = {s.pk: s for s in Session.objects.all() if self.wanted(s)}
        self.tokens = [
            t for t in Token.objects.all() if t.session_id in self.sessions and asked.source in (None, t.source)
        ]
        self.events: dict[int, list[Event]] = defaultdict(list)
        for event in Event.objects.order_by("token_id", "seq"):
            self.events[event.token_id].append(event)

    def wanted(self, session: Session) -> bool:
        asked, period = self.asked, self.asked.period
        last = period.last if period.first > self.now.astimezone(self.zone).date() else min(period.last, TODAY)
        return (
            session.facility_id == asked.facility_id
            and period.first <= session.date <= last
            and asked.department_id in (None, session.department_id)
            and asked.doctor_id in (None, session.doctor_id)
        )

    def counts(self, tokens: list[Token]) -> tuple[int, int, int, int, int]:
        """Tokens, seen, due, no-shows, left without being seen."""
        return (
            len(tokens),
            sum(t.status == "completed" for t in tokens),
            sum(self.due(t) for t in tokens),
            sum(t.status == "no_show" for t in tokens),
            sum(self.unseen(t) for t in tokens),
        )

    def due(self, token: Token) -> bool:
        if token.status == "confirmed":
            return token.arrived_at is not None or self.slots[token.slot_id].starts_at <= self.now
        return token.status in ("in_progress", "completed", "no_show")

    def unseen(self, token: Token) -> bool:
        over = self.sessions[token.session_id].date < TODAY
        ended = token.status in ("cancelled", "no_show") or (over and token.status in ("confirmed", "waitlisted"))
        sent_on = any(other.sent_from_id == token.pk for other in self.tokens)
        return token.arrived_at is not None and token.started_at is None and ended and not sent_on

    def waited(self, token: Token) -> int | None:
        """Whole minutes from the arrival to the first call that counts, or to the start where nobody called."""
        if token.arrived_at is None or not (token.call_count or token.started_at):
            return None
        events = self.events[token.pk]
        undone = {e.cause_seq for e in events if e.kind == "undone" and e.cause_token_id == token.pk}
        calls = [e.at for e in events if e.kind == "called" and e.at >= token.arrived_at and e.seq not in undone]
        if token.call_count == 1 and token.called_at and token.called_at >= token.arrived_at:
            calls = [token.called_at]
        at = min(calls, default=token.started_at)
        if at is None or at < token.arrived_at:
            return None
        seconds = (at - token.arrived_at).total_seconds()
        return int(seconds / 60 + 0.5)

    def blocks(self) -> dict[tuple[int, float], tuple[int, int, int]]:
        """Places offered, taken and overbooked: by doctor and beginning of a day's slot, or by doctor and hour."""
        found: dict[tuple[int, float], list[int]] = defaultdict(lambda: [0, 0, 0])
        for slot in self.slots.values():
            session = self.sessions.get(slot.session_id)
            if session is None or "cancelled" in (slot.status, session.status):
                continue
            local = slot.starts_at.astimezone(self.zone).replace(tzinfo=None)
            since = (local - datetime(session.date.year, session.date.month, session.date.day)) / HOUR
            own = [t for t in Token.objects.filter(slot=slot) if t.status in ("confirmed", "in_progress", "completed")]
            normal = sum(not t.overbooked for t in own)
            counted = [t for t in own if self.asked.source in (None, t.source)]
            numbers = (
                slot.capacity if slot.status == "open" else min(slot.capacity, normal),
                len(counted),
                sum(t.overbooked for t in counted),
            )
            key = (session.doctor_id, since if self.asked.period.span == Span.DAY else float(int(since)))
            found[key] = [a + b for a, b in zip(found[key], numbers, strict=True)]
        return {key: (a, b, c) for key, (a, b, c) in found.items()}


def quantile(values: list[int], share: float) -> int:
    """The smallest of the values within which such a share of them lies."""
    ordered = sorted(values)
    return next(value for n, value in enumerate(ordered, 1) if n / len(ordered) >= share - 1e-12)
