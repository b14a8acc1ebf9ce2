"""Reads of tokens, slots and queues for screens and answers, each with a known number of queries, none under a lock.

Order and position come from `tokens.rules` and `tokens.queue_rules`, over the same records that decisions are made of.
"""

from tokens.queries.boards import Board, board
from tokens.queries.facts import forget_zones, read_session, read_sessions, session_facts, slot_facts, zone_of
from tokens.queries.queues import Queue, Standing, queue, queue_of, standing
from tokens.queries.supply import asked_place, counts, free_now, get_session, get_slot, sessions_to_settle
from tokens.queries.tokens import (
    STANDING,
    VIEW,
    as_facts,
    events_of,
    explain,
    get_token,
    in_slot,
    positions,
    tokens,
    tokens_ahead,
)

__all__ = [
    "STANDING",
    "VIEW",
    "Board",
    "Queue",
    "Standing",
    "as_facts",
    "asked_place",
    "board",
    "counts",
    "events_of",
    "explain",
    "forget_zones",
    "free_now",
    "get_session",
    "get_slot",
    "get_token",
    "in_slot",
    "positions",
    "queue",
    "queue_of",
    "read_session",
    "read_sessions",
    "session_facts",
    "sessions_to_settle",
    "slot_facts",
    "standing",
    "tokens",
    "tokens_ahead",
    "zone_of",
]
