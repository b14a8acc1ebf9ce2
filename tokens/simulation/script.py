"""Who comes to a played day, and what each of them will do. Pure: the clock and the chance are given."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from tokens.states import Source

GRACE = timedelta(minutes=20)
"""How long after the start of their slot the desk waits for those who have not come."""


@dataclass(slots=True)
class Visitor:
    """One who asks for a place, and what they will do; the player adds what became of the wish.

    Args:
        asks_at: the moment of the request; `slot_id`, or `doctor_id` with `on`, says for what.
        here: whether they stand at the desk when they ask.
        comes: False for those who stay away.
        early: how long before their slot they come; negative where they come after its start.
        late: how long after they were taken for a no-show they come; None for those who come in time.
        comes_at: the very moment at which they come, where it is known.
        gone_at: the very moment at which the desk gives them up, where it is known.
        cancels_at: when they call the visit off.
        visit: how long they are with the doctor.
    """

    name: str
    patient_id: int
    source: Source
    asks_at: datetime
    visit: timedelta
    slot_id: int | None = None
    doctor_id: int | None = None
    on: date | None = None
    paid: bool = False
    here: bool = False
    comes: bool = True
    early: timedelta = timedelta(minutes=15)
    late: timedelta | None = None
    comes_at: datetime | None = None
    gone_at: datetime | None = None
    cancels_at: datetime | None = None
    token_id: int | None = None
    refusal: str = ""
    given: str = ""


def comes_about(visitor: Visitor, slot_start: datetime) -> datetime:
    """When a visitor comes who holds or awaits a place in a slot with that start; never before asking."""
    if visitor.comes_at is not None:
        return max(visitor.asks_at, visitor.comes_at)
    if visitor.late is not None:
        return given_up(visitor, slot_start) + visitor.late
    return max(visitor.asks_at, slot_start - visitor.early)


def given_up(visitor: Visitor, slot_start: datetime) -> datetime:
    """When the desk gives up one who has not come to a slot with that start."""
    return max(visitor.asks_at + GRACE, visitor.gone_at or slot_start + GRACE)
