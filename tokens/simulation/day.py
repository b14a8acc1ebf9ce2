"""Makes up a day at an outpatient department: who asks for what, who comes, who does not. Pure; a seed decides."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from tokens.facts import DEFAULT_POLICY
from tokens.simulation.script import Visitor
from tokens.states import Source

DAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
"""When the simulated day begins: always the same, so that the answer is."""

SLOT = timedelta(hours=1)
MINUTE = timedelta(minutes=1)

BOUNDS = {"doctors": (1, 20), "slots_per_doctor": (1, 12), "capacity": (1, 50), "requests": (1, 2000)}
"""The least and the most of each."""

SHARES = {
    Source.WALK_IN: 0.30,
    Source.FOLLOW_UP: 0.14,
    Source.PAID: 0.10,
    Source.EMERGENCY: 0.06,
}
"""Of the requests; the others ask online."""

CANCEL, STAY_AWAY, LATE, NAME_A_SLOT, AGAIN = 0.08, 0.12, 0.05, 0.7, 0.03


@dataclass(frozen=True, slots=True)
class Plan:
    """The size of a simulated day, within `BOUNDS`."""

    doctors: int = 3
    slots_per_doctor: int = 3
    capacity: int = 5
    requests: int = 60
    seed: int = 7
    policy: str = DEFAULT_POLICY


def part(count: int, share: float) -> int:
    """A share of a count, but one at least where there are enough for one of each."""
    return max(1 if count >= 10 else 0, round(count * share))


def deal(plan: Plan, chance: Random) -> list[Source]:
    """The sources of the requests, in shares that hold whatever the chance."""
    dealt = [source for source, share in SHARES.items() for _ in range(part(plan.requests, share))]
    dealt += [Source.ONLINE] * (plan.requests - len(dealt))
    chance.shuffle(dealt)
    return dealt[: plan.requests]


def visitors(
    plan: Plan, patients: Sequence[int], slots: Sequence[Sequence[int]], doctors: Sequence[int]
) -> list[Visitor]:
    """Everybody who asks on or before the day.

    Args:
        patients: one for each request.
        slots: ids for each doctor, in time order.
    """
    chance = Random(plan.seed)
    sources = deal(plan, chance)
    before = [n for n, source in enumerate(sources) if source not in (Source.WALK_IN, Source.EMERGENCY)]
    fates = chance.sample(before, len(before))
    ends = [part(len(before), share) for share in (CANCEL, STAY_AWAY, LATE)]
    cancel, away, late = (
        set(fates[: ends[0]]),
        set(fates[ends[0] : ends[0] + ends[1]]),
        set(fates[ends[0] + ends[1] : sum(ends)]),
    )
    made: list[Visitor] = []
    for number, asked in enumerate(_asks(plan, sources, chance)):
        again = made and chance.random() < AGAIN
        patient = chance.choice(made).patient_id if again else patients[number]
        visitor = _visitor(plan, number, sources[number], asked, patient, chance)
        doctor = chance.randrange(plan.doctors)
        if visitor.source != Source.EMERGENCY and chance.random() < NAME_A_SLOT:
            visitor.slot_id = slots[doctor][_slot_to_name(plan, visitor, chance)]
        else:
            visitor.doctor_id, visitor.on = doctors[doctor], DAY.date()
        visitor.cancels_at = asked + (DAY - asked) * chance.random() if number in cancel else None
        visitor.comes = number not in away
        visitor.late = 25 * MINUTE if number in late else None
        made.append(visitor)
    return made


def _asks(plan: Plan, sources: Sequence[Source], chance: Random) -> Iterator[datetime]:
    """When each asks: in the week before, or while the doctors are there."""
    for source in sources:
        if source in (Source.WALK_IN, Source.EMERGENCY):
            yield DAY + (SLOT * plan.slots_per_doctor - 10 * MINUTE) * chance.triangular(0, 1, 0.2)
        else:
            yield DAY - timedelta(days=1 + chance.randrange(6), minutes=chance.randrange(600))


def _visitor(plan: Plan, number: int, source: Source, asked: datetime, patient_id: int, chance: Random) -> Visitor:
    here = source in (Source.WALK_IN, Source.EMERGENCY)
    return Visitor(
        name=str(number + 1),
        patient_id=patient_id,
        source=source,
        asks_at=asked,
        visit=SLOT / plan.capacity * chance.uniform(0.5, 1),
        paid=source in (Source.FOLLOW_UP, Source.WALK_IN) and chance.random() < 0.1,
        here=here,
        early=chance.randrange(-5, 40) * MINUTE,
    )


def _slot_to_name(plan: Plan, visitor: Visitor, chance: Random) -> int:
    """Which slot of the day: none that is over, and rather an early one."""
    first = max(0, int((visitor.asks_at + 5 * MINUTE - DAY) / SLOT))
    return min(plan.slots_per_doctor - 1, first + int(chance.triangular(0, plan.slots_per_doctor - first, 0)))
