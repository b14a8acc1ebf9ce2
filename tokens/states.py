"""The states of a token, where it may come from, and the table of allowed transitions. Pure: no Django here."""

from enum import StrEnum


class Labelled(StrEnum):
    """A string enumeration whose members have a label for people."""

    @property
    def label(self) -> str:
        """The value as people read it."""
        return self.value.replace("_", " ").capitalize()

    @classmethod
    def choices(cls) -> list[tuple[str, str]]:
        """Pairs of value and label, as Django's fields want them."""
        return [(member.value, member.label) for member in cls]


class Status(Labelled):
    """Where a token is in its life."""

    REQUESTED = "requested"
    CONFIRMED = "confirmed"
    WAITLISTED = "waitlisted"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    NO_SHOW = "no_show"


class Source(Labelled):
    """Where a token came from."""

    EMERGENCY = "emergency"
    PAID = "paid"
    FOLLOW_UP = "follow_up"
    ONLINE = "online"
    WALK_IN = "walk_in"


ACTIVE = frozenset({Status.CONFIRMED, Status.WAITLISTED, Status.IN_PROGRESS})
"""Statuses of which a patient holds at most one in a session."""

USED = frozenset({Status.CONFIRMED, Status.IN_PROGRESS, Status.COMPLETED})
"""Statuses that use a place of the slot: a completed visit used its place."""

TRANSITIONS: dict[Status, frozenset[Status]] = {
    Status.REQUESTED: frozenset({Status.CONFIRMED, Status.WAITLISTED, Status.CANCELLED}),
    Status.CONFIRMED: frozenset({Status.WAITLISTED, Status.IN_PROGRESS, Status.CANCELLED, Status.NO_SHOW}),
    Status.WAITLISTED: frozenset({Status.CONFIRMED, Status.CANCELLED}),
    Status.IN_PROGRESS: frozenset({Status.COMPLETED, Status.CANCELLED}),
    Status.COMPLETED: frozenset(),
    Status.CANCELLED: frozenset(),
    Status.NO_SHOW: frozenset({Status.CONFIRMED, Status.WAITLISTED}),
}
"""From which status to which others; undo is the one exception and restores what was."""


def may_become(now: str, then: str) -> bool:
    """Whether a token of status `now` may become `then` (staying the same is always allowed)."""
    return now == then or then in TRANSITIONS[Status(now)]
