"""The states of sessions and slots. "Over" is not among them: it follows from the time (see `tokens.rules`)."""

from django.db import models


class SessionStatus(models.TextChoices):
    """What became of a session."""

    OPEN = "open", "Open"
    CANCELLED = "cancelled", "Cancelled"
    CLOSED = "closed", "Closed"


class SlotStatus(models.TextChoices):
    """Whether places of a slot are given."""

    OPEN = "open", "Open"
    BLOCKED = "blocked", "Blocked"
    CANCELLED = "cancelled", "Cancelled"
