"""A session that is played through the real actions, and who comes to it; and the days that are over."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any

from accounts.models import User
from reception.demo.practice import MINUTE, Practice
from scheduling.models import Session, Slot
from tokens import queueing, supply
from tokens.facts import TokenFacts
from tokens.reading import TOKEN_COLUMNS
from tokens.simulation.player import Player
from tokens.simulation.script import Visitor
from tokens.states import Source

EXPECTED = (Source.ONLINE, Source.ONLINE, Source.FOLLOW_UP, Source.ONLINE, Source.PAID)
"""What those who ask beforehand ask as."""

HOUR = timedelta(hours=1)


class Day:
    """A session, and the patients who come to it.

    Args:
        today: who is at the hospital on that day; whoever comes to this session joins them.
        desk: whose name stands under what the desk does.
    """

    def __init__(self, session: Session, practice: Practice, today: set[int], *, desk: User | None) -> None:
        self.session, self.practice, self.today, self.desk = session, practice, today, desk
        self.doctor = session.doctor.user
        self.slots: list[Slot] = list(session.slots.all())
        self.chance = Random(f"{session.doctor.name} {session.date}")
        rows = session.tokens.order_by("id").values_list(*TOKEN_COLUMNS)
        # Somebody may hold a token already: booked ahead, or moved here from a day that was full.
        self.held = [TokenFacts(*row) for row in rows]
        self.here = {token.patient_id for token in self.held}

    def visitor(self, source: Source, at: datetime, slot: Slot | None = None, **does: Any) -> Visitor:
        """One who asks at that moment for that slot; without one for the first free one of the doctor."""
        patient = self.practice.patient(self.chance, self.here, self.today)
        return Visitor(
            name=patient.name,
            patient_id=patient.pk,
            source=source,
            asks_at=at,
            visit=self.practice.visit(self.chance, patient.pk),
            slot_id=slot.pk if slot else None,
            doctor_id=None if slot else self.session.doctor_id,
            on=self.session.date,
            here=slot is None,
            **does,
        )

    def habits(self, slot: Slot) -> dict[str, Any]:
        """What one does who has booked: most come in time, a few late, a few stay away or call it off."""
        fate = self.chance.random()
        habits: dict[str, Any] = {"early": self.chance.randrange(4, 40) * MINUTE, "comes": fate > 0.07}
        if 0.07 < fate < 0.10:
            habits["late"] = self.chance.randrange(5, 30) * MINUTE
        if fate > 0.95:
            habits["cancels_at"] = slot.starts_at - self.chance.uniform(1, 20) * HOUR
        return habits

    def player(self, visitors: list[Visitor], at: datetime, **options: Any) -> Player:
        """The clock of the session, with those who hold a token already; they do what others do from `at` on."""
        player = Player(visitors, [self.session.pk], desk=self.desk, doctor=self.doctor, **options)
        for token in self.held:
            visit = self.practice.visit(self.chance, token.patient_id)
            slot = next((slot for slot in self.slots if slot.pk == token.slot_id), self.slots[-1])
            habits = {} if token.arrived_at else self.habits(slot)
            holder = Visitor(token.number, token.patient_id, Source(token.source), at, visit, **habits)
            player.expect(holder, token, at)
        return player


class PastDay(Day):
    """A session that is over: played to its end and closed."""

    def play(self) -> None:
        """Everything from the first request to the doctor's last patient."""
        self.finish([*self.booked(), *self.unbooked()], self.session.starts_at - 6 * HOUR)

    def finish(self, visitors: list[Visitor], at: datetime) -> None:
        """Play what is left after `at`, and close the session."""
        begins = self.session.starts_at + self.chance.choice((0, 0, 2, 4, 6, 10)) * MINUTE
        self.player(visitors, at, settles=True, calls_from=max(begins, at)).play()
        supply.close_session(session_id=self.session.pk, by=self.desk, at=self.session.ends_at + HOUR / 2)
        self.practice.learn(self.session)

    def booked(self) -> Iterator[Visitor]:
        """Those who asked in the days before: a slot is full, the others more than half."""
        busiest = self.chance.randrange(len(self.slots))
        for index, slot in enumerate(self.slots):
            crowd = slot.capacity if index == busiest else sum(self.chance.random() < 0.5 for _ in range(slot.capacity))
            for _ in range(crowd - slot.used):
                asks = slot.starts_at - timedelta(days=self.chance.randrange(1, 7), hours=self.chance.uniform(0, 5))
                yield self.visitor(self.chance.choice(EXPECTED), asks, slot, **self.habits(slot))
        if self.chance.random() < 0.4:  # the day's emergency, and who paid for priority, take a place of somebody
            slot = self.slots[busiest]
            yield self.visitor(Source.EMERGENCY, slot.starts_at + 10 * MINUTE, slot, comes_at=slot.starts_at)
        elif self.chance.random() < 0.4:
            slot = self.slots[busiest]
            yield self.visitor(Source.PAID, slot.starts_at - 3 * HOUR, slot)

    def unbooked(self) -> Iterator[Visitor]:
        """Those who walk in while the doctor sees patients."""
        length = self.slots[-1].starts_at - self.session.starts_at
        for _ in range(self.chance.randrange(1, 4)):
            yield self.visitor(Source.WALK_IN, self.session.starts_at + length * self.chance.random())


def finish_left_over(session: Session, practice: Practice, *, desk: User | None) -> None:
    """A session that somebody left in mid-morning: whoever is inside is seen, then it goes on to its end."""
    last = session.last_event_at or session.starts_at
    left = Day(session, practice, set(), desk=desk)
    inside = [token for token in left.held if token.status == "in_progress"]
    called = [token for token in left.held if token.status == "confirmed" and token.called_at is not None]
    for token in [*inside, *called]:
        if token in called:
            queueing.start(token_id=token.id, by=left.doctor, at=last + MINUTE)
        last += practice.visit(left.chance, token.patient_id)
        queueing.complete(token_id=token.id, by=left.doctor, at=last)
    PastDay(session, practice, set(), desk=desk).finish([], last)
