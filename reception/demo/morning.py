"""Plays the demo's morning through the real actions: by now the hall is busy, and every status can be seen."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

from accounts.models import User
from patients.models import Patient
from scheduling.models import Session, Slot
from tokens import allocation, queueing, supply
from tokens.facts import TokenFacts
from tokens.simulation.player import Player
from tokens.simulation.script import Visitor
from tokens.states import Source, Status

MINUTE = timedelta(minutes=1)
LAST_STEPS = 6 * MINUTE
"""The last minutes, in which what must be seen is done by hand."""

EXPECTED = (Source.ONLINE, Source.ONLINE, Source.FOLLOW_UP, Source.ONLINE, Source.PAID)


class Morning:
    """A session of today, and the patients who come to it.

    Args:
        people: patients without end; those who hold a token in the session already are passed over.
    """

    def __init__(self, session: Session, people: Iterator[Patient], now: datetime, *, desk: User) -> None:
        self.session, self.people, self.now, self.desk = session, people, now, desk
        self.slots: list[Slot] = list(session.slots.all())
        self.chance = Random(session.doctor.name)
        self.visit = (self.slots[0].ends_at - self.slots[0].starts_at) / self.slots[0].capacity * 0.8
        self.tokens: dict[int, TokenFacts] = {}
        # Somebody who found no place yesterday may have been sent on into this session.
        self.known = set(session.tokens.values_list("patient_id", flat=True))

    def next_patient(self) -> Patient:
        """Somebody who has not asked for a place in this session."""
        patient = next(person for person in self.people if person.pk not in self.known)
        self.known.add(patient.pk)
        return patient

    @property
    def running(self) -> bool:
        """Whether the session has begun."""
        return self.session.starts_at <= self.now

    def play(self) -> None:
        """Everything up to a few minutes ago."""
        visitors = [*self.bookings(), *self.walk_ins()] if self.running else list(self.bookings())
        player = Player(
            visitors,
            [self.session.pk],
            desk=self.desk,
            doctor=self.session.doctor.user,
            calls_from=max(self.now - 85 * MINUTE, min(self.session.starts_at, self.now - 60 * MINUTE)),
        )
        player.play(until=self.now - LAST_STEPS)
        self.tokens = player.tokens

    def bookings(self) -> Iterator[Visitor]:
        """Those who asked in the days before: the first slots are full, the later ones have places left."""
        for index, slot in enumerate(self.slots):
            full = slot.capacity if self.running and slot.starts_at < self.now + 45 * MINUTE else slot.capacity // 2
            for place in range(full):
                visitor = self.visitor(EXPECTED[(index + place) % len(EXPECTED)], slot=slot)
                visitor.asks_at = self.now - timedelta(days=1 + self.chance.randrange(6), minutes=37 * place)
                visitor.early = self.chance.randrange(5, 40) * MINUTE
                visitor.comes = (index, place) != (0, 1)
                if (index, place) in ((1, 0), (2, 0)):
                    visitor.cancels_at = self.now - timedelta(hours=20)
                yield visitor

    def walk_ins(self) -> Iterator[Visitor]:
        """Those who come without an appointment: one every quarter of an hour or so, wherever a place is free."""
        for minutes in (80, 58, 35, 12):
            yield self.visitor(Source.WALK_IN, at=self.now - minutes * MINUTE)

    def visitor(self, source: Source, *, at: datetime | None = None, slot: Slot | None = None) -> Visitor:
        """One who comes; without a slot for the first free one of the doctor."""
        patient = self.next_patient()
        return Visitor(
            name=patient.name,
            patient_id=patient.pk,
            source=source,
            asks_at=at or self.now,
            visit=self.visit * self.chance.uniform(0.7, 1.2),
            slot_id=slot.pk if slot else None,
            doctor_id=None if slot else self.session.doctor_id,
            on=self.session.date,
            here=slot is None,
        )

    # By hand, in the last minutes

    def ago(self, minutes: float) -> datetime:
        """So many minutes before now."""
        return self.now - minutes * MINUTE

    def give(self, source: Source, slot: Slot, minutes: float, *, here: bool = True) -> int:
        """A token for somebody at the desk; returns its id."""
        outcome = allocation.request_token(
            patient_id=self.next_patient().pk,
            source=source.value,
            slot_id=slot.pk,
            arrived=here,
            by=self.desk,
            at=self.ago(minutes),
        )
        assert outcome.token is not None
        return outcome.token.id

    def fill(self, slot: Slot, minutes: float) -> None:
        """Fill a slot with people who asked online and are not here yet."""
        slot.refresh_from_db()
        for _ in range(slot.free):
            self.give(Source.ONLINE, slot, minutes, here=False)

    @property
    def waiting_here(self) -> int:
        """How many can be called."""
        return sum(t.queued and t.arrived_at is not None and t.called_at is None for t in self.tokens.values())

    @property
    def current(self) -> Slot:
        """The first slot that has at least half an hour left."""
        return next(slot for slot in self.slots if slot.ends_at > self.now + 30 * MINUTE)

    @property
    def following(self) -> Slot:
        """The slot after the current one."""
        return self.slots[self.slots.index(self.current) + 1]


def play_past(session: Session, people: Iterator[Patient], *, desk: User) -> None:
    """Play a day that is over to its end, and close it."""
    day = Morning(session, people, session.ends_at, desk=desk)
    visitors = [*day.bookings(), *day.walk_ins()]
    Player(visitors, [session.pk], desk=desk, doctor=session.doctor.user, settles=True).play()
    supply.close_session(session_id=session.pk, by=desk, at=session.ends_at + timedelta(minutes=30))


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


HIGHLIGHTS = {
    "Dr Rao": (visit_and_test, paid_takes_a_place, emergency_comes),
    "Dr Teresa D’Souza": (emergency_comes,),
    "Dr Suresh Gupta": (emergency_comes,),
    "Dr Anjali Nair": (paid_takes_a_place,),
    "Dr Imran Khan": (doctor_is_late,),
}
"""What is done by hand in whose session, so that it can be seen whatever the hour and the chance."""


def play_morning(session: Session, people: Iterator[Patient], now: datetime, *, desk: User) -> None:
    """Play one session of today up to now. The caller opens the transaction."""
    morning = Morning(session, people, now, desk=desk)
    morning.play()
    for highlight in HIGHLIGHTS.get(session.doctor.name, ()):
        highlight(morning)
