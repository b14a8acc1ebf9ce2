"""Waits for screens and answers: of a session, of one token after an action, of tokens that were listed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.utils import timezone

from scheduling.models import Session
from tokens.facts import SessionFacts, TokenFacts
from tokens.models import Token
from tokens.queries.facts import read_sessions
from tokens.queries.tokens import STANDING, positions, positions_in
from tokens.waits.estimate import Wait, estimate_of, estimates, near
from tokens.waits.knowledge import known_of


def waits(session: SessionFacts, now: datetime) -> dict[int, Wait]:
    """The wait of everybody who queues or is expected in the session, by token id; others are not in it. No query."""
    return estimates(session, now, known_of(session))


def waits_in(*sessions: Session) -> dict[int, Wait]:
    """The waits of sessions that were read as rows. Three queries, none where none of them is near."""
    now = timezone.now()
    wanted = {session.pk for session in sessions if near(session, now)}
    if not wanted:
        return {}
    found, now = read_sessions(wanted)
    return {token_id: wait for session in found.values() for token_id, wait in waits(session, now).items()}


def wait_after(session: SessionFacts, token: TokenFacts) -> Wait | None:
    """The wait of a token when an action on it is done. No query."""
    return estimate_of(token, session, timezone.now(), known_of(session)) if token.queued else None


@dataclass(frozen=True, slots=True)
class Places:
    """Where tokens stand in their slots, and how long they wait, by id."""

    positions: Mapping[int, int]
    waits: Mapping[int, Wait] = field(default_factory=dict)


def places(listed: Iterable[Token]) -> Places:
    """Where listed tokens stand, and how long they wait. Three queries for those of sessions that are near, two for
    others, none for those that stand nowhere; the tokens were read with their sessions."""
    standing = [token for token in listed if token.status in STANDING or token.back_at is not None]
    now = timezone.now()
    wanted = {token.session_id for token in standing if near(token.session, now)}
    found = positions([token for token in standing if token.session_id not in wanted])
    expected: dict[int, Wait] = {}
    if wanted:
        sessions, now = read_sessions(wanted)
        for session in sessions.values():
            found |= positions_in(session.tokens.values(), {session.id: session.policy}, now)
            expected |= waits(session, now)
    return Places(found, expected)
