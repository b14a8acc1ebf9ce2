"""Today's sessions up to now, and what is booked for the days to come."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from accounts.models import User
from reception.demo.day import EXPECTED, HOUR, Day
from reception.demo.practice import MINUTE, Practice
from scheduling.models import Session, Slot
from tokens import allocation
from tokens.facts import TokenFacts
from tokens.simulation.script import Visitor
from tokens.states import Source

LAST_STEPS = 6 * MINUTE
"""The last minutes, in which what must be seen is done by hand."""


class Morning(Day):
    """A session of today, which is in progress or still to begin."""

    def __init__(
        self, session: Session, practice: Practice, today: set[int], now: datetime, *, desk: User | None
    ) -> None:
        super().__init__(session, practice, today, desk=desk)
        self.now = now
        self.tokens: dict[int, TokenFacts] = {}

    @property
    def running(self) -> bool:
        """Whether the session has begun."""
        return self.session.starts_at <= self.now

    @property
    def roomy(self) -> bool:
        """Whether it goes on long enough for something to happen by hand: in a slot, and in one after it."""
        return self.running and sum(slot.ends_at > self.now + HOUR / 2 for slot in self.slots) > 1

    def play(self) -> None:
        """Everything up to a few minutes ago."""
        visitors = [*self.bookings(), *self.walk_ins()] if self.running else list(self.bookings())
        late = self.chance.randrange(12) * MINUTE
        # Soon after midnight, where sessions have only begun, doctors were early: somebody was seen all the same.
        begins = min(self.session.starts_at + late, self.now - HOUR)
        player = self.player(visitors, min(begins, self.session.starts_at - HOUR), calls_from=begins)
        player.play(until=self.now - LAST_STEPS)
        self.tokens = player.tokens

    def bookings(self) -> Iterator[Visitor]:
        """Those who asked in the days before: the first slots are full, the later ones have places left."""
        for index, slot in enumerate(self.slots):
            full = slot.capacity if self.running and slot.starts_at < self.now + 45 * MINUTE else slot.capacity // 2
            for place in range(full - slot.used):
                asks = self.now - timedelta(days=1 + self.chance.randrange(6), minutes=37 * place)
                habits = {"early": self.chance.randrange(5, 40) * MINUTE, "comes": (index, place) != (0, 1)}
                visitor = self.visitor(EXPECTED[(index + place) % len(EXPECTED)], asks, slot, **habits)
                if (index, place) in ((1, 0), (2, 0)):
                    visitor.cancels_at = self.now - 20 * HOUR
                yield visitor

    def walk_ins(self) -> Iterator[Visitor]:
        """Those who come without an appointment: one every quarter of an hour or so, wherever a place is free."""
        for minutes in (80, 58, 35, 12):
            yield self.visitor(Source.WALK_IN, self.now - minutes * MINUTE)

    # By hand, in the last minutes

    def ago(self, minutes: float) -> datetime:
        """So many minutes before now."""
        return self.now - minutes * MINUTE

    def give(self, source: Source, slot: Slot, minutes: float, *, here: bool = True) -> int:
        """A token for somebody at the desk; returns its id."""
        patient = self.practice.patient(self.chance, self.here, self.today)
        outcome = allocation.request_token(
            patient_id=patient.pk,
            source=source.value,
            slot_id=slot.pk,
            arrived=here,
            by=self.desk,
            at=self.ago(minutes),
        )
        assert outcome.token is not None
        return outcome.token.id

    def fill(self, slot: Slot, minutes: float) -> list[int]:
        """Fill a slot with people who asked online and are not here yet; returns their tokens."""
        slot.refresh_from_db()
        return [self.give(Source.ONLINE, slot, minutes, here=False) for _ in range(slot.free)]

    @property
    def waiting_here(self) -> int:
        """How many can be called."""
        return sum(t.queued and t.arrived_at is not None and t.called_at is None for t in self.tokens.values())

    @property
    def current(self) -> Slot:
        """The first slot that has at least half an hour left."""
        return next(slot for slot in self.slots if slot.ends_at > self.now + HOUR / 2)

    @property
    def following(self) -> Slot:
        """The slot after the current one."""
        return self.slots[self.slots.index(self.current) + 1]


class DayAhead(Day):
    """A session of the days to come: the further away, the fewer have booked."""

    def book(self, now: datetime) -> None:
        """Everybody who has asked by now."""
        days = (self.session.starts_at - now).total_seconds() / 86400
        places = [slot for slot in self.slots for _ in range(slot.capacity)]
        count = round(len(places) * max(0.08, 0.45 - 0.06 * days))
        asks = sorted(now - self.chance.uniform(3, 24 * 5) * HOUR for _ in range(count))
        for at, slot in zip(asks, self.chance.sample(places, count), strict=True):
            patient = self.practice.patient(self.chance, self.here, self.today)
            source = self.chance.choice(EXPECTED).value
            allocation.request_token(patient_id=patient.pk, source=source, slot_id=slot.pk, by=self.desk, at=at)
