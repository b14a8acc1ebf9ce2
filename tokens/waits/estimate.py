"""How long everybody in a session's queue will wait, from facts that were read already. Pure: no Django, no clock.

The queue is walked once, in call order. What is fixed (the session has not begun, the doctor is late or pauses) is
added; what is random (the rest of the current consultation, and a step for everybody ahead) is summed up and spread by
`tokens.waits.model`. Those ahead count with the chance that they are called before: not here yet, held, at a test.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo
from math import hypot, sqrt
from typing import Final, Protocol

from tokens import queue_rules
from tokens.facts import SessionFacts, TokenFacts
from tokens.states import Status
from tokens.waits.model import Clinic, Occasion, Prior, Sitting, Visit
from tokens.waits.spread import Range

LOOKED_AHEAD: Final = timedelta(hours=12)
"""Before a session this far away nobody thinks in minutes, and long after its end nobody waits in it."""
PAUSE: Final = 10.0
"""Minutes a pause goes on, as nobody says how long it lasts; in nine of ten cases twice that."""
LATE_HALF: Final = 30.0
"""Minutes after the slot's begin in which half of those who are not here yet are given up."""
RESUMED: Final = 0.5
"""What coming back from a test takes, in steps; and the chance that one who is away comes back before."""
EMERGENCIES_AT_MOST: Final = 0.3
LATE_DOUBT: Final = 5.0
"""In nine of ten cases a session begins at most so many minutes after it was expected to, or as many as it is late."""
Z90: Final = 1.2816
MIDDAY: Final = 12


@dataclass(frozen=True, slots=True)
class Wait:
    """Minutes from now: half of the patients start before `p50`, nine of ten before `p90`.

    `correction` is the factor that earlier estimates taught, and that is in both figures.
    """

    p50: int
    p90: int
    correction: float = 1.0


@dataclass(slots=True)
class Known:
    """What is known of a doctor beyond the session's own facts.

    Attributes:
        clinic: what the doctor's consultations taught; None where there were none, and nobody else's.
        sittings: sessions of the day that have begun, by id, as they were when this was read.
        visits: how often each patient was here before; None where that is not known.
        late: minutes after its announced begin at which a session usually begins.
        shows: the share of the booked who come.
        emergencies: the share of consultations that are emergencies.
        correction: what estimates that were given turned out to be short or long by, as a factor.
        zone: where the clinic is; None where that is not known.
    """

    clinic: Clinic | None = None
    sittings: Mapping[int, Sitting] = field(default_factory=dict)
    visits: Mapping[int, int] | None = None
    late: float = 0.0
    shows: float = 0.85
    emergencies: float = 0.0
    correction: float = 1.0
    zone: tzinfo | None = None

    def occasion(self, session: SessionFacts) -> Occasion:
        """What kind of session it is."""
        return occasion_of(session.date, session.starts_at, self.zone)

    def visit(self, token: TokenFacts) -> Visit:
        """What registration knows of a token's consultation."""
        return Visit() if self.visits is None else Visit(self.visits.get(token.patient_id, 0) + 1)


NOTHING: Final = Known()


def occasion_of(day: date, starts_at: datetime, zone: tzinfo | None) -> Occasion:
    """What kind of session one of that day is that starts at that moment."""
    return Occasion(day.weekday(), starts_at.astimezone(zone).hour >= MIDDAY if zone else False)


def planned_step(session: SessionFacts) -> float:
    """The minutes a patient by the plan: the time of the slots over their places. What a new hospital starts from."""
    places = sum(slot.capacity for slot in session.slots)
    minutes = sum((slot.ends_at - slot.starts_at).total_seconds() / 60 for slot in session.slots)
    return min(60.0, max(2.0, minutes / places)) if places and minutes else Prior().minutes


@dataclass(slots=True)
class Line:
    """What lies before the next one of a line: fixed minutes, random minutes, and how many steps those are.

    `doubt` is the variance that comes from those of whom nobody knows whether they will be before.
    """

    fixed: float
    random: float = 0.0
    steps: float = 0.0
    doubt: float = 0.0

    @property
    def total(self) -> float:
        """All of it."""
        return self.fixed + self.random

    def add(self, minutes: float, weight: float) -> None:
        """One more ahead, who counts with this weight."""
        self.random += minutes * weight
        self.steps += weight
        if weight < 1:
            self.doubt += minutes * minutes * weight * (1 - weight)

    def wait_for(self, minutes: float) -> None:
        """Nothing happens before that minute."""
        self.fixed += max(0.0, minutes - self.total)


class Walk:
    """One walk along a session's queue. Minutes are from now."""

    def __init__(self, session: SessionFacts, now: datetime, known: Known) -> None:
        self.session, self.now, self.known = session, now, known
        self.clinic = known.clinic or _fresh(planned_step(session))
        self.sitting = known.sittings.get(session.id) or Sitting(self.clinic, known.occasion(session))
        self.minutes = self.sitting.stepper()
        self.inside = queue_rules.in_room(session.tokens.values())
        self.at = now.timestamp() / 60
        self.order = self.sitting.order
        self._first: Range | None = None
        self.here = self._begin()
        self.expected = Line(self.here.fixed, self.here.random, self.here.steps)
        self._ease = 1 / (1 - min(EMERGENCIES_AT_MOST, known.emergencies))
        self._unsure = PAUSE if session.paused_at is not None else 0.0
        if self.here.fixed > 0 and session.paused_at is None:
            self._unsure += max(LATE_DOUBT, known.late)
        self._floors = {True: (0.0, 0.0), False: (0.0, 0.0)}

    def _begin(self) -> Line:
        """What lies before the first one of the queue."""
        line = Line(0.0)
        begun = self.inside is not None or self.sitting.started_at is not None or self.session.calls > 0
        if not begun:
            late = max(float(self.session.delay_minutes), self.known.late)
            line.wait_for(self.until(self.session.starts_at) + late)
        if self.session.paused_at is not None:
            line.fixed += PAUSE
        if self.inside is not None and self.inside.started_at is not None:
            step = self.step(self.inside, self.order)
            rest = self.clinic.remaining(step, -self.until(self.inside.back_at or self.inside.started_at))
            self._first = rest.range
            line.add(rest.minutes, 1.0)
        return line

    def until(self, moment: datetime) -> float:
        """Minutes until a moment; negative after it."""
        return (moment - self.now).total_seconds() / 60

    def step(self, token: TokenFacts, place: int) -> float:
        """What a token's consultation is expected to take, from its start to the next one's."""
        whole = self.minutes(self.known.visit(token), self.at, place)
        return whole * RESUMED if token.back_at is not None else whole

    def ready(self, token: TokenFacts) -> float:
        """The minute from which one who is not here yet is expected: when the slot begins."""
        return self.until(self.session.slot(token.slot_id).starts_at) + self.session.delay_minutes

    def chance(self, ready: float) -> float:
        """The chance that one who is not here yet still comes: less with every minute after the slot's begin."""
        return float(self.known.shows * 0.5 ** (max(0.0, -ready) / LATE_HALF))

    def along(self) -> Iterator[tuple[TokenFacts, Line]]:
        """Everybody in the queue, those called first, each with what lies before them at that moment of the walk."""
        standing = queue_rules.queue(self.session, self.now)
        called = [t for t in standing if t.called_at is not None and t.arrived_at is not None]
        for token in called:
            yield token, self.here
            self._pass(token, 1.0)
        for token in self.session.tokens.values():
            if token.status == Status.IN_PROGRESS and token.away_at is not None and token.back_at is None:
                self._pass(token, RESUMED * RESUMED)
        for token in standing:
            if token.arrived_at is None:
                yield from self._expected(token)
            elif token.called_at is None:
                yield token, self.here
                self._pass(token, 1.0 if self.held(token) <= self.here.total else 0.0)

    def _pass(self, token: TokenFacts, weight: float) -> None:
        step = self.step(token, self.order + int(self.here.steps))
        self.here.add(step, weight)
        self.expected.add(step, weight)

    def _expected(self, token: TokenFacts) -> Iterator[tuple[TokenFacts, Line]]:
        """One who is not here: not before the slot begins. Those here are held up only if it has begun by then."""
        ready = self.ready(token)
        self.expected.wait_for(ready)
        yield token, self.expected
        step, weight = self.step(token, self.order + int(self.expected.steps)), self.chance(ready)
        self.expected.add(step, weight)
        if ready <= self.here.total:
            self.here.add(step, weight)

    def held(self, token: TokenFacts) -> float:
        """Minutes for which a token is still held."""
        return 0.0 if token.held_until is None else max(0.0, self.until(token.held_until))

    def wait(self, token: TokenFacts, line: Line) -> Wait:
        """The two figures for the next one of a line; not below those of who is before in the same state."""
        random = line.random * self.known.correction * (1.0 if token.emergency else self._ease)
        by = self.clinic.quantiles(line.steps, self._first)
        here = token.arrived_at is not None
        least = self.held(token) if here else self.ready(token)
        floor = self._floors[here]
        half = max(line.fixed + random * by.p50, least, floor[0])
        most = max(line.fixed + self._unsure + random * by.p50 + self._more(line, random, by), half, floor[1])
        if not here and least > 0:
            # When the slot begins, somebody else may just have gone in.
            most = max(most, least + self.clinic.step)
        if not here or not least:
            self._floors[here] = (half, most)
        return Wait(round(half), round(most), self.known.correction)

    def _more(self, line: Line, random: float, by: Range) -> float:
        """How far the second figure is above the first: the spread of the steps, and of who is before, together."""
        emergencies = line.steps * (self._ease - 1) * self.clinic.step**2
        return hypot(random * (by.p90 - by.p50), Z90 * sqrt(line.doubt + emergencies))


class Timed(Protocol):
    """A session as a record or as a row: when it is, and whether it is open."""

    starts_at: datetime
    ends_at: datetime
    status: str
    delay_minutes: int


def near(session: Timed, now: datetime) -> bool:
    """Whether anybody thinks in minutes about a session: it is open, and of these hours."""
    until = session.ends_at + timedelta(minutes=session.delay_minutes) + LOOKED_AHEAD
    return session.status == "open" and session.starts_at - LOOKED_AHEAD <= now <= until


def estimates(session: SessionFacts, now: datetime, known: Known = NOTHING) -> dict[int, Wait]:
    """The waits of everybody who is in the queue or expected in it, by token. Empty where nobody thinks in minutes.

    Along the queue they never go down for people in the same state: here, or not yet here.
    """
    if not near(session, now):
        return {}
    walk = Walk(session, now, known)
    return {token.id: walk.wait(token, line) for token, line in walk.along()}


def estimate_of(token: TokenFacts, session: SessionFacts, now: datetime, known: Known = NOTHING) -> Wait | None:
    """The wait of one of them, the same as among all, for half of the price."""
    if not token.queued or not near(session, now):
        return None
    walk = Walk(session, now, known)
    here = token.arrived_at is not None
    for one, line in walk.along():
        if one is token or (one.arrived_at is not None) == here:
            found = walk.wait(one, line)
            if one is token:
                return found
    return None


_KEPT: Final = 64
_clinics: dict[float, Clinic] = {}


def _fresh(step: float) -> Clinic:
    """A clinic that knows the plan alone; kept, for it costs more to make than to ask."""
    found = _clinics.get(step)
    if found is None:
        if len(_clinics) >= _KEPT:
            _clinics.clear()
        found = _clinics[step] = Clinic(Prior(step))
    return found
