"""How long patients wait: estimated from what consultations really take, and compared with what happened."""

from datetime import datetime

from tokens.facts import SessionFacts
from tokens.waits.estimate import Wait, estimates
from tokens.waits.knowledge import known_of
from tokens.waits.log import given

__all__ = ["Wait", "given", "waits"]


def waits(session: SessionFacts, now: datetime) -> dict[int, Wait]:
    """The wait of everybody who queues or is expected in the session, by token id; others are not in it. No query."""
    return estimates(session, now, known_of(session))
