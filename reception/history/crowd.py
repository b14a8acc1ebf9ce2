"""Who comes to a day of the past, and what each of them does. Made up; the same chance makes the same people."""

from collections import deque
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from math import log
from random import Random
from typing import Any

from tokens.facts import SessionFacts, SlotFacts
from tokens.simulation.script import Visitor
from tokens.states import Source

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

SOURCES = {Source.ONLINE: 42, Source.WALK_IN: 27, Source.FOLLOW_UP: 17, Source.PAID: 11, Source.EMERGENCY: 3}
"""Of a hundred who ask."""

AT_ONCE = frozenset({Source.WALK_IN, Source.EMERGENCY})
AGAIN = 0.04
"""The share of those who see a second doctor on the same day."""

REMEMBERED = 7
"""So many days a doctor's patients may come back as follow-ups."""

SPREAD = 0.38
"""Of the logarithm of a visit's length: most are short, a few are long."""


class Crowd:
    """Those who may come: the registry, who is at the hospital on the day, and whom each doctor saw lately."""

    def __init__(self, patients: Sequence[int]) -> None:
        self._patients = patients
        self._today: list[int] = []
        self._known: set[int] = set()
        self._seen: dict[int, deque[list[int]]] = {}

    def begin(self) -> None:
        """Another day."""
        self._today, self._known = [], set()

    def saw(self, doctor_id: int, patients: list[int]) -> None:
        """The patients whom a doctor has seen in a session."""
        self._seen.setdefault(doctor_id, deque(maxlen=REMEMBERED)).append(patients)

    def somebody(self, chance: Random, source: Source, doctor_id: int) -> int:
        """A patient who comes: a follow-up to a doctor who saw them lately, now and then one who is here already."""
        if self._today and chance.random() < AGAIN:
            return chance.choice(self._today)
        lately = self._seen.get(doctor_id)
        found = 0
        if source == Source.FOLLOW_UP and lately:
            seen = chance.choice(lately)
            found = chance.choice(seen) if seen else 0
        for _ in range(20):
            if found and found not in self._known:
                break
            found = chance.choice(self._patients)
        self._known.add(found)
        self._today.append(found)
        return found


def visitors(
    session: SessionFacts, wanted: int, pace: float, crowd: Crowd, chance: Random, day_begins: datetime
) -> Iterator[Visitor]:
    """Those who ask for a session.

    Args:
        wanted: how many.
        pace: minutes a visit takes, for most.
        day_begins: nobody asks for a place of the same day before.
    """
    sources = chance.choices(list(SOURCES), list(SOURCES.values()), k=wanted)
    for source in sources:
        patient = crowd.somebody(chance, source, session.doctor_id)
        slot = chance.choice(session.slots)
        yield Visitor(
            name="",
            patient_id=patient,
            source=source,
            visit=max(1.5, min(40.0, chance.lognormvariate(log(pace), SPREAD))) * MINUTE,
            **(_at_once(session, chance) if source in AT_ONCE else _booked(slot, chance, day_begins)),
        )


def _at_once(session: SessionFacts, chance: Random) -> dict[str, Any]:
    """One who stands at the desk while the doctor sees patients, and takes the first place there is."""
    begins, last = session.starts_at - 20 * MINUTE, session.slots[-1].starts_at
    asks = begins + (last - begins) * chance.random()
    leaves = asks + chance.randrange(20, 50) * MINUTE if chance.random() < 0.03 else None
    return {"asks_at": asks, "here": True, "cancels_at": leaves}


def _booked(slot: SlotFacts, chance: Random, day_begins: datetime) -> dict[str, Any]:
    """One who asked before: most come in time, some late, some stay away, call it off, or leave before their turn."""
    asks = day_begins - chance.randrange(1, 8) * DAY + chance.uniform(2, 12) * HOUR
    if chance.random() < 0.35:
        asks = day_begins + (slot.starts_at - day_begins) * chance.random() * 0.8
    fate = chance.random()
    habits: dict[str, Any] = {"slot_id": slot.id, "asks_at": asks, "comes": fate > 0.07}
    early = habits["early"] = chance.randrange(3, 45) * MINUTE
    if 0.07 < fate < 0.10:
        habits["late"] = chance.randrange(5, 30) * MINUTE
    elif fate > 0.98:
        habits["cancels_at"] = slot.starts_at - early + chance.randrange(5, 25) * MINUTE
    elif fate > 0.94:
        habits["cancels_at"] = slot.starts_at - chance.uniform(0.5, 20) * HOUR
    return habits


WEEKDAYS = (1.15, 1.08, 1.0, 1.0, 1.05, 0.8, 0.0)
"""How busy the days of a week are, from Monday; on Sundays the hospital is closed."""


def shares(days: Sequence[date], chance: Random) -> dict[date, float]:
    """Which part of all visits falls on each day: by the weekday and the season, and a little by chance. Sum 1.

    Where all days are Sundays, they are all the same.
    """
    drawn = {day: WEEKDAYS[day.weekday()] * _season(day) * chance.uniform(0.85, 1.15) for day in days}
    total = sum(drawn.values())
    if not total:
        return dict.fromkeys(days, 1 / len(days))
    return {day: share / total for day, share in drawn.items() if share}


def _season(day: date) -> float:
    """The rains bring fevers."""
    return 1.2 if day.month in (7, 8, 9) else 1.0
