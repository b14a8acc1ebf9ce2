"""What would happen if a token were given: the engine's own rules, played on facts that nobody locked.

The desk shows the effect on others before it happens. Pure; the request itself decides anew, under the lock.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from tokens import rules
from tokens.facts import Draft, NeedAll, NeedLater, SessionFacts, SlotFacts, TokenFacts
from tokens.states import Source, Status

PRIORITY = frozenset({Source.EMERGENCY, Source.PAID, Source.FOLLOW_UP})
"""Sources for which a place may be taken from somebody without being asked for it."""

CHOICES = 6
"""How many slots are offered for a source."""


@dataclass(frozen=True, slots=True)
class Offer:
    """One slot, and what asking for it would lead to.

    Attributes:
        result: "confirmed", "waits", "later" (the policy sends on to a later day), "cancelled" or "held".
        place: the position it would have, among the confirmed or among those who wait.
        elsewhere: the slot it would really get, where that is another one.
        displaced: who would lose the place.
        held: the token that the patient holds in that session already.
        token: the token as it would be.
        minutes: how long the patient would likely wait, between which and which; of the chosen one, where it is known.
    """

    slot: SlotFacts
    session: SessionFacts
    result: str
    place: int | None = None
    elsewhere: SlotFacts | None = None
    displaced: tuple[TokenFacts, ...] = ()
    held: TokenFacts | None = None
    token: TokenFacts | None = None
    minutes: tuple[int, int] | None = None
    chosen: bool = False

    @property
    def possible(self) -> bool:
        """Whether it can be asked for."""
        return self.held is None or self.result == "raised"


def offers(
    sessions: list[Callable[[], SessionFacts]], *, patient_id: int, source: Source, now: datetime
) -> list[Offer]:
    """What each slot that can be asked for would lead to, in time order, with one chosen.

    Args:
        sessions: makers of fresh facts, for each play changes them.
    """
    found = []
    for build in sessions:
        facts = build()
        slots = [slot.id for slot in facts.slots if rules.takes(slot, facts, now)]
        found += [play(build(), slot_id, patient_id=patient_id, source=source, now=now) for slot_id in slots]
    return _choose(sorted(found, key=lambda offer: (offer.slot.starts_at, offer.slot.used, offer.slot.id)), source)


def play(session: SessionFacts, slot_id: int, *, patient_id: int, source: Source, now: datetime) -> Offer:
    """Play one request on facts of its own."""
    draft = Draft([session], max([now, *([session.last_event_at] if session.last_event_at else [])]), may_extend=True)
    slot = session.slot(slot_id)
    held = rules.held_by(draft, session, patient_id)
    if held:
        raises = source == Source.EMERGENCY and not held.emergency and held.status != Status.IN_PROGRESS
        return Offer(slot, session, "raised" if raises else "held", held=held)
    token = _newcomer(session, slot, patient_id, source, draft.now)
    before = replace(slot)
    try:
        rules.settle(draft)
        rules.request(draft, token, slot, {})
        rules.settle(draft)
    except NeedLater:
        return Offer(before, session, "later")
    except NeedAll:
        return Offer(before, session, "waits")
    return _offer(draft, before, token)


def gains_by_cancelling(session: SessionFacts, token_id: int, now: datetime) -> tuple[TokenFacts, ...]:
    """Who would get a place if a token were cancelled, played on facts of its own; nobody where that is not known."""
    draft = Draft([session], max([now, *([session.last_event_at] if session.last_event_at else [])]), may_extend=True)
    try:
        rules.settle(draft)
        cause = rules.cancel(draft, session.tokens[token_id], "")
        before = len(draft.events)
        rules.settle(draft, cause)
    except (NeedLater, NeedAll):
        return ()
    return tuple(draft.token(event.token_id) for event in draft.events[before:] if event.kind == "promoted")


def _newcomer(session: SessionFacts, slot: SlotFacts, patient_id: int, source: Source, now: datetime) -> TokenFacts:
    return TokenFacts(
        id=max([0, *session.tokens]) + 1,
        session_id=session.id,
        slot_id=slot.id,
        patient_id=patient_id,
        status=Status.REQUESTED.value,
        source=source.value,
        paid=source == Source.PAID,
        score=rules.score(source, False, session.policy),
        requested_at=now,
        order_at=now,
        arrived_at=None if source == Source.ONLINE else now,
    )


def _offer(draft: Draft, slot: SlotFacts, token: TokenFacts) -> Offer:
    results = {Status.CONFIRMED: "confirmed", Status.WAITLISTED: "waits"}
    session = draft.session_of(token)
    got = session.slot(token.slot_id)
    return Offer(
        slot,
        session,
        results.get(Status(token.status), "cancelled"),
        place=rules.position(draft, token),
        elsewhere=got if got.id != slot.id else None,
        displaced=tuple(draft.token(e.token_id) for e in draft.events if e.kind == "displaced"),
        token=token,
    )


def _choose(found: list[Offer], source: Source) -> list[Offer]:
    """Mark the offer to begin with: the earliest place; where nobody moves for it, unless the source has priority."""
    confirmed = [offer for offer in found if offer.result in ("confirmed", "raised")]
    unmoved = [offer for offer in confirmed if not offer.displaced and offer.elsewhere is None]
    possible = [offer for offer in found if offer.possible]
    wanted = confirmed if source in PRIORITY else unmoved or confirmed
    shortest = sorted(possible, key=lambda offer: (offer.place or 0, offer.slot.starts_at))
    chosen = next(iter(wanted or shortest), None)
    shown = found[:CHOICES] if chosen in found[:CHOICES] or chosen is None else [*found[: CHOICES - 1], chosen]
    return [replace(offer, chosen=offer is chosen) for offer in shown]
