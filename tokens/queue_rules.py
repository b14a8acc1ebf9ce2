"""Who is called next, and why: the rules of the queue as pure functions over facts. No Django, no clock."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from tokens.facts import Draft, SessionFacts, TokenFacts
from tokens.order import aged_rank, aged_score
from tokens.states import Status

OrderKey = tuple[int, datetime, tuple[bool, int, datetime, int]]


def call_key(token: TokenFacts, session: SessionFacts, now: datetime) -> OrderKey:
    """Sort key of the call order: emergency; back from a test; slot by slot in time order; inside a slot the order.

    Emergencies stand before everybody whatever their slot, so among them the slot does not count; those back from a
    test come in the order in which they came back.
    """
    own = aged_rank(token, session.policy, now)
    if token.emergency:
        return (0, session.starts_at, own)
    if token.back_at is not None:
        return (1, token.back_at, own)
    return (2, session.slot(token.slot_id).starts_at, own)


def queue(session: SessionFacts, now: datetime) -> list[TokenFacts]:
    """Everybody who stands in the session's queue, here or expected, in call order."""
    return sorted((t for t in session.tokens.values() if t.queued), key=lambda t: call_key(t, session, now))


def skipped(token: TokenFacts, session: SessionFacts) -> bool:
    """Whether the token was skipped and nobody else has been called since."""
    return token.skipped_after is not None and session.calls <= token.skipped_after


def passed_over(token: TokenFacts, session: SessionFacts, now: datetime) -> str:
    """Why the token cannot be called now: "not_here", "called", "held" or "skipped"; empty when it can."""
    if token.arrived_at is None:
        return "not_here"
    if token.called_at is not None:
        return "called"
    if token.held_until is not None and token.held_until > now:
        return "held"
    return "skipped" if skipped(token, session) else ""


def next_to_call(session: SessionFacts, now: datetime) -> TokenFacts | None:
    """The one whom `call next` calls: the first who can be; a skipped one where nobody else can."""
    standing = queue(session, now)
    free = [t for t in standing if passed_over(t, session, now) == ""]
    again = [t for t in standing if passed_over(t, session, now) == "skipped"]
    return next(iter(free or again), None)


def people_ahead(token: TokenFacts, session: SessionFacts, now: datetime) -> int | None:
    """How many stand before the token, here or expected; None for a token that is not on its way to the doctor.

    Before one who waits for a place stand those who hold a place up to its slot, and those who wait before it.
    """
    if token.queued:
        own = call_key(token, session, now)
        return sum(call_key(t, session, now) < own for t in session.tokens.values() if t.queued and t is not token)
    if token.status != Status.WAITLISTED:
        return None
    own = call_key(token, session, now)
    until = session.slot(token.slot_id).starts_at
    placed = [t for t in session.tokens.values() if t.queued and session.slot(t.slot_id).starts_at <= until]
    waiting = [t for t in session.tokens.values() if t.status == Status.WAITLISTED]
    return len(placed) + sum(call_key(t, session, now) < own for t in waiting if t is not token)


def in_room(tokens: Iterable[TokenFacts]) -> TokenFacts | None:
    """The patient who is with the doctor, or None."""
    return next((t for t in tokens if t.in_room), None)


def explain(a: TokenFacts, b: TokenFacts, session: SessionFacts, now: datetime) -> tuple[str, dict[str, Any]]:
    """One sentence that says why one of two tokens stands before the other, and the facts it rests on.

    Both belong to the session. The sentence names the one in front first.
    """
    first, second = sorted((a, b), key=lambda t: _standing_key(t, session, now))
    rule = _deciding_rule(first, second, session, now)
    facts = {
        "first": first.number,
        "second": second.number,
        "rule": rule,
        first.number: _facts_of(first, session, now),
        second.number: _facts_of(second, session, now),
    }
    return f"{first.number} stands before {second.number}: {_because(first, second, rule)}", facts


def _standing_key(token: TokenFacts, session: SessionFacts, now: datetime) -> tuple[int, OrderKey]:
    groups = {Status.IN_PROGRESS: 0, Status.CONFIRMED: 1, Status.WAITLISTED: 2}
    group = 1 if token.queued else groups.get(Status(token.status), 3)
    return (group, call_key(token, session, now))


def _deciding_rule(first: TokenFacts, second: TokenFacts, session: SessionFacts, now: datetime) -> str:
    one, two = _standing_key(first, session, now), _standing_key(second, session, now)
    if one[0] != two[0]:
        return "standing"
    if one[1][0] != two[1][0]:
        return "emergency" if one[1][0] == 0 else "back"
    if one[1][0] == 1:
        return "back_first"
    if one[1][1] != two[1][1]:
        return "slot"
    if one[1][2][1] != two[1][2][1]:
        return "score"
    return "time" if first.order_at != second.order_at else "id"


def _because(first: TokenFacts, second: TokenFacts, rule: str) -> str:
    name = {t.number: t.source.replace("_", "-") + (", priority paid" if t.paid else "") for t in (first, second)}
    match rule:
        case "standing":
            return f"{first.number} {_standing_words(first)}, {second.number} {_standing_words(second)}."
        case "emergency":
            return f"{first.number} is an emergency, and an emergency stands above every other token."
        case "back":
            return f"{first.number} is back from a test in mid-visit."
        case "back_first":
            return f"both are back from a test, {first.number} came back earlier."
        case "slot":
            return "its slot is earlier."
        case "score":
            return f"{name[first.number]} counts more than {name[second.number]}."
        case "time":
            return f"both count the same, and {first.number} asked earlier."
        case _:
            return f"both asked at the same moment, and {first.number} was given first."


def _standing_words(token: TokenFacts) -> str:
    if token.queued:
        return "holds a place"
    words = {
        Status.IN_PROGRESS: "is with the doctor",
        Status.WAITLISTED: "waits for a place",
        Status.COMPLETED: "has been seen",
        Status.CANCELLED: "is cancelled",
        Status.NO_SHOW: "did not come",
    }
    return words[Status(token.status)]


def _facts_of(token: TokenFacts, session: SessionFacts, now: datetime) -> dict[str, Any]:
    return {
        "status": token.status,
        "source": token.source,
        "paid": token.paid,
        "score": token.score,
        "aged_score": aged_score(token, session.policy, now),
        "slot": session.slot(token.slot_id).starts_at.isoformat(),
        "order_time": token.order_at.isoformat(),
        "arrived": token.arrived_at is not None,
        "passed_over": passed_over(token, session, now) if token.queued else "",
    }


# What a person at the desk or console does with one token


def called(draft: Draft, token: TokenFacts) -> None:
    """Call a token: a call is not a change of place."""
    session = draft.session_of(token)
    session.calls += 1
    draft.change(
        token, "called", called_at=draft.now, call_count=token.call_count + 1, held_until=None, skipped_after=None
    )


def started(draft: Draft, token: TokenFacts) -> None:
    """Start the visit, or resume it after a test. Starting implies that the patient is here."""
    values: dict[str, Any] = {"held_until": None, "skipped_after": None}
    if token.status == Status.IN_PROGRESS:
        values |= {"away_at": None, "back_at": None, "away_to": ""}
    else:
        values |= {"status": Status.IN_PROGRESS.value, "started_at": draft.now}
    draft.change(token, "started", arrived_at=token.arrived_at or draft.now, **values)
