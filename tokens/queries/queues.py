"""Queues: who is with the doctor, who is called, who is next; and what the holder of a slip may know."""

from dataclasses import dataclass
from datetime import datetime
from typing import cast
from zoneinfo import ZoneInfo

from tokens import errors, queue_rules, rules
from tokens.facts import SessionFacts, TokenFacts
from tokens.models import Token
from tokens.queries.facts import read_session, zone_of
from tokens.queries.tokens import TOKEN_WITH, positions_in
from tokens.states import Status


@dataclass(frozen=True, slots=True)
class Queue:
    """A session's queue at a moment, in the terms of the screens that show it.

    Attributes:
        inside: who is with the doctor.
        called: who was called and has not come in yet, in call order.
        next: whom `call next` calls.
        waiting: everybody else who stands in the queue, here or expected, in call order; `next` is among them.
        passed_over: why somebody in it cannot be called now, by token: "not_here", "held" or "skipped".
        away: in mid-visit at a test.
        waitlisted: who waits for a place, slot by slot, in order.
        positions: where each stands in its slot.
    """

    session: SessionFacts
    now: datetime
    zone: ZoneInfo
    inside: TokenFacts | None
    called: list[TokenFacts]
    next: TokenFacts | None
    waiting: list[TokenFacts]
    passed_over: dict[int, str]
    away: list[TokenFacts]
    waitlisted: list[TokenFacts]
    positions: dict[int, int]

    @property
    def now_serving(self) -> TokenFacts | None:
        """Whose number the hall sees: who is with the doctor, else who was called last."""
        return self.inside or max(self.called, key=lambda t: cast("datetime", t.called_at), default=None)


def queue(session_id: int) -> Queue:
    """The queue of a session. Three queries, and the facility's zone once a minute.

    Raises:
        UnknownSession
    """
    session, now = read_session(session_id)
    return queue_of(session, now)


def queue_of(session: SessionFacts, now: datetime) -> Queue:
    """The queue, from facts that were read."""
    standing = queue_rules.queue(session, now)
    why = {t.id: queue_rules.passed_over(t, session, now) for t in standing}
    tokens = session.tokens.values()
    waiting = [t for t in standing if why[t.id] != "called"]
    return Queue(
        session=session,
        now=now,
        zone=zone_of(session.facility_id),
        inside=queue_rules.in_room(tokens),
        called=[t for t in standing if why[t.id] == "called"],
        next=queue_rules.next_to_call(session, now),
        waiting=waiting,
        passed_over={t.id: why[t.id] for t in waiting if why[t.id]},
        away=[t for t in tokens if t.status == Status.IN_PROGRESS and t.away_at and t.back_at is None],
        waitlisted=sorted(
            (t for t in tokens if t.status == Status.WAITLISTED),
            key=lambda t: (session.slot(t.slot_id).starts_at, rules.aged_rank(t, session.policy, now)),
        ),
        positions=positions_in(tokens, {session.id: session.policy}, now),
    )


@dataclass(frozen=True, slots=True)
class Standing:
    """What the holder of a slip may know without signing in."""

    token: Token
    session: SessionFacts
    zone: ZoneInfo
    room: str
    position: int | None
    people_ahead: int | None
    now_serving: str | None


def standing(key: str) -> Standing:
    """Where the token stands whose slip carries this key. Four queries.

    Raises:
        UnknownToken
    """
    token = Token.objects.select_related(*TOKEN_WITH, "slot", "session__room").filter(key=key).first()
    if token is None:
        raise errors.UnknownToken
    session, now = read_session(token.session_id)
    line = queue_of(session, now)
    facts = session.tokens.get(token.pk)
    return Standing(
        token=token,
        session=session,
        zone=token.session.facility.tz,
        room=token.session.room.name,
        position=line.positions.get(token.pk),
        people_ahead=queue_rules.people_ahead(facts, session, now) if facts else None,
        now_serving=line.now_serving.number if line.now_serving else None,
    )
