"""What this process knows of doctors: kept for minutes, read again in a thread of its own, never by who asks."""

from tokens.facts import SessionFacts
from tokens.waits.estimate import NOTHING, Known


def known_of(session: SessionFacts) -> Known:
    """What is known of a session's doctor now. No query."""
    return NOTHING
