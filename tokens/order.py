"""In which order tokens stand, and which slots can give places: what all other rules rest on.

Pure, like `tokens.rules`: no Django, no clock, no settings.
"""

from datetime import datetime

from tokens.facts import Policy, SessionFacts, SlotFacts, TokenFacts
from tokens.states import Source

# Order


def score(source: str, paid: bool, policy: Policy) -> int:
    """The priority of a token, a whole number, higher is earlier: a pure function of source, paid and policy.

    "sum" adds the paid weight to the source's where priority was paid for on a source that is not `paid` itself;
    "best" takes the better of the two.
    """
    weights = policy.weights
    own = weights[source]
    if not paid or source == Source.PAID:
        return own
    return own + weights["paid"] if policy.combine == "sum" else max(own, weights["paid"])


def aged_score(token: TokenFacts, policy: Policy, now: datetime) -> int:
    """The score with what waiting since the arrival has earned: `age_points` for each full `age_every` minutes."""
    if not policy.ages or token.arrived_at is None:
        return token.score
    waited = max(0.0, (now - token.arrived_at).total_seconds())
    return token.score + min(policy.age_limit, policy.age_points * int(waited // (policy.age_every * 60)))


def rank(token: TokenFacts) -> tuple[bool, int, datetime, int]:
    """Sort key of the stored order: emergency, higher score, earlier order time, lower id."""
    return (not token.emergency, -token.score, token.order_at, token.id)


def aged_rank(token: TokenFacts, policy: Policy, now: datetime) -> tuple[bool, int, datetime, int]:
    """Sort key of calls and promotions: as `rank`, with the aged score."""
    return (not token.emergency, -aged_score(token, policy, now), token.order_at, token.id)


# Slots in time


def begun(slot: SlotFacts, session: SessionFacts, now: datetime) -> bool:
    """A slot has begun at its start plus the doctor's delay."""
    return slot.starts_at + session.delay <= now


def over(slot: SlotFacts, session: SessionFacts, now: datetime) -> bool:
    """A slot is over at its end plus the delay, or when its session is no longer open."""
    return session.status != "open" or slot.ends_at + session.delay <= now


def takes(slot: SlotFacts, session: SessionFacts, now: datetime) -> bool:
    """Whether places of the slot can be given: open and not over."""
    return slot.status == "open" and not over(slot, session, now)
