"""The kinds of events. Pure."""

from tokens.states import Labelled


class EventKind(Labelled):
    """What can happen to a token."""

    REQUESTED = "requested"
    CONFIRMED = "confirmed"
    WAITLISTED = "waitlisted"
    DISPLACED = "displaced"
    PROMOTED = "promoted"
    MOVED = "moved"
    OVERBOOKED = "overbooked"
    NORMALISED = "normalised"
    RESCORED = "rescored"
    ARRIVED = "arrived"
    CALLED = "called"
    HELD = "held"
    SKIPPED = "skipped"
    SENT_AWAY = "sent_away"
    BACK = "back"
    STARTED = "started"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    NO_SHOW = "no_show"
    RETURNED = "returned"
    PATIENT_CHANGED = "patient_changed"
    UNDONE = "undone"


class SupplyKind(Labelled):
    """What can happen to a session or to a slot."""

    CAPACITY = "capacity"
    BLOCKED = "blocked"
    UNBLOCKED = "unblocked"
    DELAYED = "delayed"
    PAUSED = "paused"
    RESUMED = "resumed"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    RESCORED = "rescored"
    UNDONE = "undone"


TO_OTHERS = [EventKind.DISPLACED.value, EventKind.PROMOTED.value]
"""What one token does to others."""

UNDOABLE = frozenset(
    {
        EventKind.ARRIVED,
        EventKind.CALLED,
        EventKind.HELD,
        EventKind.SKIPPED,
        EventKind.SENT_AWAY,
        EventKind.BACK,
        EventKind.STARTED,
        EventKind.COMPLETED,
        EventKind.CANCELLED,
        EventKind.NO_SHOW,
        EventKind.MOVED,
        EventKind.PATIENT_CHANGED,
    }
)
"""Kinds that undo takes back (of the cancellations, those that a person made)."""
