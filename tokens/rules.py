"""Who holds a place, who waits, who moves: the rules of allocation as pure functions over facts.

No Django, no clock, no settings, no randomness: the same facts and the same wish always give the same decision.
`docs/allocation.md` tells these rules in prose; `tokens.allocation` locks, reads, calls them and writes.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from tokens.facts import Draft, EventDraft, NeedAll, NeedLater, Policy, SessionFacts, SlotFacts, TokenFacts
from tokens.order import aged_rank, begun, rank, score, takes
from tokens.order import aged_score as aged_score  # the rest of the app finds all rules here
from tokens.order import over as over
from tokens.states import ACTIVE, Source, Status

NO_PLACE = "no_place"
SENT_ON = "sent_on"
NOT_SERVED = "not_served"
RESERVED_REASONS = frozenset({NO_PLACE, SENT_ON, NOT_SERVED})
"""Reasons that the engine itself gives; nobody may type them, for undo tells by them who cancelled."""


# Who may have a place


def qualifies(token: TokenFacts, slot: SlotFacts, draft: Draft) -> bool:
    """Whether the token may get a place there: under `present_only` a begun slot is for those who are here."""
    session = draft.sessions[slot.session_id]
    return not session.policy.present_only or token.arrived_at is not None or not begun(slot, session, draft.now)


def later_slots(draft: Draft, slot: SlotFacts) -> list[SlotFacts]:
    """Slots of the same session after this one whose places can be given, in time order."""
    session = draft.sessions[slot.session_id]
    return [s for s in session.slots if s.starts_at > slot.starts_at and takes(s, session, draft.now)]


# Who waits, who can lose a place


def waits_for(token: TokenFacts, slot: SlotFacts, draft: Draft) -> bool:
    """Whether a waiting token waits for this slot: its own, or a later one where its own is over or blocked.

    A waiting emergency waits for every later slot of the session anyway.
    """
    if token.status != Status.WAITLISTED or token.session_id != slot.session_id:
        return False
    if token.slot_id == slot.id:
        return True
    session = draft.sessions[slot.session_id]
    own = session.slot(token.slot_id)
    return own.starts_at < slot.starts_at and (token.emergency or not takes(own, session, draft.now))


def waiters(draft: Draft, slot: SlotFacts) -> list[TokenFacts]:
    """Those who wait for the slot and qualify, in the order in which they get places.

    Raises:
        NeedAll: a waitlist of which only the head was read has no such head left.
    """
    session = draft.sessions[slot.session_id]
    waiting = [t for t in session.tokens.values() if waits_for(t, slot, draft)]
    if any(other.waiters_cut and _head_is_used_up(draft, other, slot) for other in session.slots):
        raise NeedAll
    return sorted(
        (t for t in waiting if qualifies(t, slot, draft)), key=lambda t: aged_rank(t, session.policy, draft.now)
    )


def _head_is_used_up(draft: Draft, other: SlotFacts, slot: SlotFacts) -> bool:
    """Whether somebody who waits in `other`, behind those that were read, may be the next for `slot`."""
    session = draft.sessions[slot.session_id]
    if other.starts_at > slot.starts_at:
        return False
    head = [t for t in session.tokens.values() if t.slot_id == other.id and t.status == Status.WAITLISTED]
    if other is slot or not takes(other, session, draft.now):
        return not head
    return all(t.emergency for t in head)


def removable(draft: Draft, slot: SlotFacts) -> list[TokenFacts]:
    """Confirmed tokens of the slot that a change of supply may move: never called, not overbooked."""
    return [
        t
        for t in draft.sessions[slot.session_id].tokens.values()
        if t.slot_id == slot.id and t.status == Status.CONFIRMED and t.call_count == 0 and not t.overbooked
    ]


def displaceable(token: TokenFacts, by: TokenFacts, policy: Policy) -> bool:
    """Whether `by` may take the place of `token`, which is confirmed, never called and not overbooked.

    An emergency takes from anyone who is none; others only from a strictly lower score, where the policy lets them,
    and never from somebody protected by being here.
    """
    if token.emergency:
        return False
    if by.emergency:
        return True
    if policy.displacement != "any_higher" or (policy.protect_arrived and token.arrived_at is not None):
        return False
    return token.score < by.score


def last_first(tokens: Iterable[TokenFacts], *, absent_first: bool) -> list[TokenFacts]:
    """Who loses first: those not here before those here (where that counts), then the last in the order."""
    ranked = sorted(tokens, key=rank, reverse=True)
    return sorted(ranked, key=lambda t: t.arrived_at is not None) if absent_first else ranked


def loser(draft: Draft, slot: SlotFacts, by: TokenFacts) -> TokenFacts | None:
    """The token of the slot that gives up its place to `by`, or None."""
    policy = draft.sessions[slot.session_id].policy
    candidates = [t for t in removable(draft, slot) if t is not by and displaceable(t, by, policy)]
    return next(iter(last_first(candidates, absent_first=policy.protect_arrived)), None)


# Places given and taken


def relocation(draft: Draft, token: TokenFacts, slot: SlotFacts) -> dict[str, Any]:
    """The values of a token that goes to another slot.

    Another session gives a number and clears calls, hold and skip; another date clears the arrival too.
    """
    values: dict[str, Any] = {"slot_id": slot.id}
    if slot.session_id == token.session_id:
        return values
    old, new = draft.sessions[token.session_id], draft.sessions[slot.session_id]
    values |= {
        "session_id": new.id,
        "number": draft.next_number(new),
        "called_at": None,
        "call_count": 0,
        "held_until": None,
        "skipped_after": None,
    }
    if new.date != old.date:
        values["arrived_at"] = None
    return values


def give(
    draft: Draft, token: TokenFacts, slot: SlotFacts, *, cause: EventDraft | None, overbooked: bool = False
) -> EventDraft:
    """Confirm a token in a slot: a newcomer is `confirmed` (or `overbooked`), one who waited `promoted`."""
    kind = "overbooked" if overbooked else "confirmed" if token.status == Status.REQUESTED else "promoted"
    values = {"status": Status.CONFIRMED.value, "overbooked": overbooked, **relocation(draft, token, slot)}
    if not token.number and "number" not in values:
        values["number"] = draft.next_number(draft.sessions[slot.session_id])
    return draft.change(token, kind, cause=cause, **values)


def try_slot(draft: Draft, token: TokenFacts, slot: SlotFacts, cause: EventDraft | None) -> bool:
    """Steps 3 to 5 of a request for one token in one slot; True when it holds a place now."""
    policy = draft.sessions[slot.session_id].policy
    if not qualifies(token, slot, draft):
        return False
    if slot.free:
        give(draft, token, slot, cause=cause)
        return True
    if token.emergency and policy.emergency == "overbook":
        give(draft, token, slot, cause=cause, overbooked=True)
        return True
    if (victim := loser(draft, slot, token)) is None:
        return False
    displace(draft, victim, cause)
    give(draft, token, slot, cause=cause)
    return True


def seek(draft: Draft, token: TokenFacts, slot: SlotFacts, cause: EventDraft | None) -> bool:
    """Steps 2 to 5: those who wait for the slot and stand before the token are decided first; nobody is passed.

    Whoever of them finds no place stays where it waits. Without ageing they come in descending score, so the first
    that neither a free place nor a displaceable token helps ends the walk: nobody behind it can do better.
    """
    session = draft.sessions[slot.session_id]
    own = aged_rank(token, session.policy, draft.now)
    for waiter in waiters(draft, slot):
        if waiter is token or aged_rank(waiter, session.policy, draft.now) > own:
            break
        if not try_slot(draft, waiter, slot, cause) and not session.policy.ages:
            break
    return try_slot(draft, token, slot, cause)


def next_slot(
    draft: Draft, token: TokenFacts, slot: SlotFacts, *, days: int, same_session: bool = False
) -> SlotFacts | None:
    """The first later slot of the same doctor with a free place that the token may have, at most `days` ahead.

    A session in which the patient already holds an active token is passed over.

    Raises:
        NeedLater: the answer may lie in a session that was not read.
    """
    home = draft.sessions[slot.session_id]
    for session in sorted(draft.sessions.values(), key=lambda s: (s.starts_at, s.id)):
        if session.doctor_id != home.doctor_id or (session.id != home.id and same_session):
            continue
        if session.id != token.session_id and held_by(draft, session, token.patient_id):
            continue
        for candidate in session.slots:
            if (
                candidate.starts_at > slot.starts_at
                and (session.date - home.date).days <= days
                and takes(candidate, session, draft.now)
                and candidate.free
                and qualifies(token, candidate, draft)
            ):
                return candidate
    if draft.may_extend and not same_session:
        raise NeedLater(home.id)
    return None


def held_by(draft: Draft, session: SessionFacts, patient_id: int, but: int = 0) -> TokenFacts | None:
    """The active token that a patient holds in the session, other than the token `but`."""
    for token in session.tokens.values():
        if token.patient_id == patient_id and token.id != but and token.status in ACTIVE:
            return token
    return None


def displace(draft: Draft, token: TokenFacts, cause: EventDraft | None, reason: str = "") -> None:
    """A confirmed token gives up its place and goes where the policy says.

    The one who is here and protected goes neither to another day nor to a cancellation.
    """
    slot = draft.slot_of(token)
    policy = draft.session_of(token).policy
    kept_today = policy.protect_arrived and token.arrived_at is not None
    if policy.without_place == "next_slot":
        days = 0 if kept_today else policy.next_slot_days
        target = next_slot(draft, token, slot, days=days)
        if target is not None:
            draft.change(token, "displaced", cause=cause, reason=reason, **relocation(draft, token, target))
            return
    draft.change(token, "displaced", cause=cause, reason=reason, status=Status.WAITLISTED.value, overbooked=False)
    gives_up = policy.without_place == "next_slot" and policy.no_next_slot == "cancel"
    if gives_up and not kept_today and not token.emergency:
        cancel(draft, token, NO_PLACE, cause)


def without_place(draft: Draft, token: TokenFacts, slot: SlotFacts, cause: EventDraft) -> None:
    """A newcomer who found no place goes where the policy says; an emergency waits, with an alert."""
    policy = draft.sessions[slot.session_id].policy
    if policy.without_place == "next_slot" and not token.emergency:
        target = next_slot(draft, token, slot, days=policy.next_slot_days)
        if target is not None:
            give(draft, token, target, cause=cause)
            return
        if policy.no_next_slot == "cancel":
            cancel(draft, token, NO_PLACE, cause)
            return
    number = token.number or draft.next_number(draft.sessions[slot.session_id])
    draft.change(token, "waitlisted", cause=cause, status=Status.WAITLISTED.value, number=number)


def cancel(draft: Draft, token: TokenFacts, reason: str, cause: EventDraft | None = None) -> EventDraft:
    """Cancel a token; an overbooked one frees no place. One that has no number yet gets one: it is recorded."""
    number = token.number or draft.next_number(draft.session_of(token))
    return draft.change(
        token,
        "cancelled",
        reason=reason,
        cause=cause,
        status=Status.CANCELLED.value,
        ended_at=draft.now,
        overbooked=False,
        number=number,
    )


# What every action does first and last


def settle(draft: Draft, cause: EventDraft | None = None) -> None:
    """Settle all slots of the locked sessions in time order.

    An overbooked token of a slot with a free place becomes a normal one; then the best who wait for the slot and
    qualify are confirmed while it has free places. Nothing is promoted into a slot that is over or blocked.
    """
    for session in sorted(draft.sessions.values(), key=lambda s: (s.starts_at, s.id)):
        for slot in session.slots:
            if slot.free:
                settle_slot(draft, session, slot, cause)


def settle_slot(draft: Draft, session: SessionFacts, slot: SlotFacts, cause: EventDraft | None) -> None:
    """Give a slot's free places: first to its own overbooked tokens, then to those who wait for it."""
    if slot.overbooked:
        over_capacity = [t for t in session.tokens.values() if t.slot_id == slot.id and t.overbooked and t.uses_place]
        for token in sorted(over_capacity, key=rank):
            if slot.free:
                draft.change(token, "normalised", cause=cause, overbooked=False)
    while slot.free and takes(slot, session, draft.now):
        waiting = waiters(draft, slot)
        if not waiting:
            return
        # Where only heads of waitlists were read, the next of one may stand before the last of another.
        known = 1 if any(other.waiters_cut for other in session.slots) else slot.free
        for token in waiting[: min(known, slot.free)]:
            give(draft, token, slot, cause=cause)


# Requests


def request(draft: Draft, token: TokenFacts, slot: SlotFacts, values: dict[str, Any], reason: str = "") -> None:
    """Decide a newcomer's wish for a place in `slot`, which can be given and has been settled."""
    draft.add(token)
    asked = draft.record(token, "requested", values, reason)
    wanted = [slot, *later_slots(draft, slot)] if token.emergency else [slot]
    if not any(seek(draft, token, candidate, asked) for candidate in wanted):
        without_place(draft, token, slot, asked)


def decide_again(draft: Draft, token: TokenFacts, slot: SlotFacts, cause: EventDraft) -> None:
    """A waiting token whose score rose is decided in the slot asked for, then in the slots it waits for.

    The second matters where an emergency was asked for a later slot: lower tokens of the slot it waits in must not
    keep places beside it. Without a place it stays.
    """
    session = draft.sessions[slot.session_id]
    wanted = [slot, *later_slots(draft, slot)] if token.emergency else [slot]
    wanted += [s for s in session.slots if waits_for(token, s, draft) and s not in wanted]
    for candidate in wanted:
        if takes(candidate, session, draft.now) and seek(draft, token, candidate, cause):
            return


def raise_to_emergency(
    draft: Draft, token: TokenFacts, slot: SlotFacts, *, arrived_at: datetime | None, paid: bool
) -> EventDraft:
    """An emergency for a patient who already holds a token raises that token.

    Confirmed, it keeps its slot; waiting, it is decided again in the slot asked for.
    """
    policy = draft.session_of(token).policy
    event = draft.change(
        token,
        "rescored",
        source=Source.EMERGENCY.value,
        paid=token.paid or paid,
        score=score(Source.EMERGENCY, token.paid or paid, policy),
        arrived_at=token.arrived_at or arrived_at,
    )
    if token.status == Status.WAITLISTED:
        decide_again(draft, token, slot, event)
    return event


def pay(draft: Draft, token: TokenFacts) -> EventDraft:
    """Priority paid later: rescore the token and decide it again at once, if it waits."""
    policy = draft.session_of(token).policy
    event = draft.change(token, "rescored", paid=True, score=score(token.source, True, policy))
    if token.status == Status.WAITLISTED:
        decide_again(draft, token, draft.slot_of(token), event)
    return event


def late_return(draft: Draft, token: TokenFacts, slot: SlotFacts) -> EventDraft:
    """A no-show is back: it asks for `slot` anew, displaces nobody and keeps its number.

    Where the policy sends on those who find no place, the later slots of the same session are tried, for the
    number stays; else it waits in `slot`.
    """
    policy = draft.sessions[slot.session_id].policy
    values: dict[str, Any] = {
        "order_at": draft.now,
        "arrived_at": draft.now,
        "called_at": None,
        "call_count": 0,
        "held_until": None,
        "skipped_after": None,
        "ended_at": None,
    }
    target: SlotFacts | None = slot if slot.free else None
    if target is None and policy.without_place == "next_slot":
        target = next_slot(draft, token, slot, days=0, same_session=True)
    status = Status.WAITLISTED if target is None else Status.CONFIRMED
    return draft.change(token, "returned", status=status.value, slot_id=(target or slot).id, **values)


def position(draft: Draft, token: TokenFacts) -> int | None:
    """Where the token stands in its slot: among the confirmed, or in the waitlist; None otherwise or if unknown."""
    if token.status not in (Status.CONFIRMED, Status.WAITLISTED):
        return None
    slot = draft.slot_of(token)
    if token.status == Status.WAITLISTED and slot.waiters_cut:
        return None
    session = draft.session_of(token)
    own = aged_rank(token, session.policy, draft.now)
    peers = (t for t in session.tokens.values() if t.slot_id == token.slot_id and t.status == token.status)
    return 1 + sum(aged_rank(t, session.policy, draft.now) < own for t in peers)
