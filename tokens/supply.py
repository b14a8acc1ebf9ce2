"""Changes of supply: capacity, blocks, delays, closing. With `allocation` and `queueing`, the only rooms that write.

A change that moves people is a plan first: the same decision, made under the lock and not written. It is applied
exactly as previewed or, where the session's version has changed since, refused with the new preview. Who loses, under
every policy: those not here before those here, then the last in the order; never one who was called, is with the
doctor, has been seen or was overbooked. A plan can be undone while nothing later depends on it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction

from tokens import errors, rules, storage
from tokens.acting import check, finish
from tokens.facts import SlotFacts, SupplyEventDraft, TokenFacts
from tokens.kinds import SupplyKind
from tokens.outcome import Outcome
from tokens.planning import effects_of, record
from tokens.reading import Target
from tokens.states import ACTIVE, Status
from tokens.storage import Work

if TYPE_CHECKING:
    from accounts.models import User

MOVE_DAYS = 7
"""How far ahead a closed or cancelled session's patients are given another place."""


@dataclass(frozen=True, slots=True)
class PlanResult:
    """A plan as it is told (see `tokens.planning`), and what it did; `outcome` is None for a preview."""

    plan: dict[str, Any]
    outcome: Outcome | None


Change = Callable[[Work], SupplyEventDraft]


def _plan(
    target: Target,
    change: Change,
    *,
    dry_run: bool,
    version: int | None,
    by: "User | None",
    at: datetime | None,
    days: int | None = None,
) -> PlanResult:
    """Decide a change of supply; write it unless this is the preview.

    Raises:
        PlanStale: the session's version is not the one that was previewed; carries the new preview.
    """

    def decide(work: Work) -> SupplyEventDraft:
        check(work, ["tokens.supply"], by)
        rules.settle(work.draft)
        event = change(work)
        rules.settle(work.draft)
        return event

    with transaction.atomic(savepoint=False):
        work, event = storage.decide([target], decide, at=at, days=days)
        seen = work.version_read
        plan = {"id": None, "version": seen, "applied": False, **effects_of(work, event)}
        if dry_run:
            return PlanResult(plan, None)
        if version is not None and version != seen:
            raise errors.PlanStale(plan=plan)
        outcome = finish(work, None, by)
        plan_id = record(work, event, plan, by)
        return PlanResult({**plan, "id": plan_id, "applied": True, "version": work.session.version}, outcome)


# Slots


def _with_slot(
    slot_id: int,
    change: Callable[[Work, SlotFacts], SupplyEventDraft],
    *,
    dry_run: bool,
    version: int | None,
    by: "User | None",
    at: datetime | None,
) -> PlanResult:
    def of_slot(work: Work) -> SupplyEventDraft:
        slot = work.session.slot(slot_id)
        if rules.over(slot, work.session, work.draft.now):
            raise errors.SlotOver
        return change(work, slot)

    return _plan(Target("slots", slot_id), of_slot, dry_run=dry_run, version=version, by=by, at=at)


def _take_places(work: Work, slot: SlotFacts, count: int) -> None:
    """Take so many places from the slot's confirmed patients: not here before here, then the last in the order."""
    losers = rules.last_first(rules.removable(work.draft, slot), absent_first=True)[:count]
    for token in losers:
        rules.displace(work.draft, token, None, reason="capacity" if slot.status == "open" else "blocked")


def change_capacity(
    *,
    slot_id: int,
    capacity: int,
    reason: str = "",
    dry_run: bool = False,
    version: int | None = None,
    by: "User | None",
    at: datetime | None = None,
) -> PlanResult:
    """Give a slot more or fewer places.

    Args:
        version: the session's version that was previewed; None applies whatever it is.

    Raises:
        CapacityTooLow: below those who cannot lose their place; `lowest` is the lowest possible value.
        SlotOver, PlanStale
    """

    def change(work: Work, slot: SlotFacts) -> SupplyEventDraft:
        placed = slot.used - slot.overbooked
        lowest = placed - len(rules.removable(work.draft, slot))
        if capacity < lowest:
            raise errors.CapacityTooLow(lowest=lowest, attr="capacity")
        event = work.draft.supply(work.session, slot, SupplyKind.CAPACITY, reason=reason, capacity=capacity)
        _take_places(work, slot, max(0, placed - capacity))
        return event

    return _with_slot(slot_id, change, dry_run=dry_run, version=version, by=by, at=at)


def block_slot(
    *,
    slot_id: int,
    reason: str = "",
    dry_run: bool = False,
    version: int | None = None,
    by: "User | None",
    at: datetime | None = None,
) -> PlanResult:
    """Block a slot: its patients who can be moved lose their places; nobody gets one until it is unblocked.

    Raises:
        SlotClosed: it is not open.
        SlotOver, PlanStale
    """

    def change(work: Work, slot: SlotFacts) -> SupplyEventDraft:
        if slot.status != "open":
            raise errors.SlotClosed(status=slot.status)
        event = work.draft.supply(work.session, slot, SupplyKind.BLOCKED, reason=reason, status="blocked")
        _take_places(work, slot, slot.used)
        return event

    return _with_slot(slot_id, change, dry_run=dry_run, version=version, by=by, at=at)


def unblock_slot(
    *,
    slot_id: int,
    dry_run: bool = False,
    version: int | None = None,
    by: "User | None",
    at: datetime | None = None,
) -> PlanResult:
    """Open a blocked slot again; who waits for it gets its free places.

    Raises:
        SlotClosed: it is not blocked.
        SlotOver, PlanStale
    """

    def change(work: Work, slot: SlotFacts) -> SupplyEventDraft:
        if slot.status != "blocked":
            raise errors.SlotClosed("This slot is {status}, not blocked.", status=slot.status)
        return work.draft.supply(work.session, slot, SupplyKind.UNBLOCKED, status="open")

    return _with_slot(slot_id, change, dry_run=dry_run, version=version, by=by, at=at)


# Sessions


def _not_served(work: Work, tokens: list[TokenFacts], *, move: bool, days: int) -> None:
    """Give each another place of the same doctor, first in order first, or cancel it: the clinic failed them."""
    session = work.session
    for token in sorted(tokens, key=lambda t: (session.slot(t.slot_id).starts_at, rules.rank(t))):
        slot = work.draft.slot_of(token)
        target = rules.next_slot(work.draft, token, slot, days=days) if move else None
        if target is None:
            rules.cancel(work.draft, token, rules.NOT_SERVED)
        else:
            values = rules.relocation(work.draft, token, target)
            work.draft.change(token, "moved", status=Status.CONFIRMED.value, overbooked=False, **values)


def _refuse_in_progress(work: Work) -> None:
    for token in work.session.tokens.values():
        if token.status == Status.IN_PROGRESS:
            raise errors.DoctorBusy(number=token.number, token=token.id)


def _still_open(work: Work) -> None:
    if work.session.status != "open":
        raise errors.SessionOver


def close_session(
    *,
    session_id: int,
    move: bool = False,
    reason: str = "",
    dry_run: bool = False,
    version: int | None = None,
    by: "User | None",
    at: datetime | None = None,
) -> PlanResult:
    """Close a session for the day.

    Confirmed patients of begun slots who never arrived become no-shows; everybody else not seen is moved to the
    doctor's next free places (`move`, up to a week ahead) or cancelled with the reason `not_served`.

    Raises:
        DoctorBusy: somebody is in progress.
        SessionOver: it is closed already.
        PlanStale
    """

    def change(work: Work) -> SupplyEventDraft:
        _still_open(work)
        _refuse_in_progress(work)
        draft, session = work.draft, work.session
        absent = [
            t
            for t in session.tokens.values()
            if t.status == Status.CONFIRMED
            and t.arrived_at is None
            and rules.begun(session.slot(t.slot_id), session, draft.now)
        ]
        event = draft.supply(session, None, SupplyKind.CLOSED, reason=reason, status="closed", closed_at=draft.now)
        for token in absent:
            draft.change(token, "no_show", status=Status.NO_SHOW.value, ended_at=draft.now, overbooked=False)
        _not_served(work, [t for t in session.tokens.values() if t.status in ACTIVE], move=move, days=MOVE_DAYS)
        return event

    target = Target("pk", session_id, everything=True)
    return _plan(target, change, dry_run=dry_run, version=version, by=by, at=at, days=MOVE_DAYS)


def cancel_session(
    *,
    session_id: int,
    reason: str,
    move: bool = True,
    dry_run: bool = False,
    version: int | None = None,
    by: "User | None",
    at: datetime | None = None,
) -> PlanResult:
    """The doctor does not come: nobody is a no-show, everybody not seen is moved or cancelled (`not_served`).

    Raises:
        DoctorBusy, SessionOver, PlanStale
    """

    def change(work: Work) -> SupplyEventDraft:
        _still_open(work)
        _refuse_in_progress(work)
        event = work.draft.supply(work.session, None, SupplyKind.CANCELLED, reason=reason, status="cancelled")
        left = [t for t in work.session.tokens.values() if t.status in ACTIVE]
        _not_served(work, left, move=move, days=MOVE_DAYS)
        return event

    target = Target("pk", session_id, everything=True)
    return _plan(target, change, dry_run=dry_run, version=version, by=by, at=at, days=MOVE_DAYS)


def rescore_session(
    *,
    session_id: int,
    dry_run: bool = False,
    version: int | None = None,
    by: "User | None",
    at: datetime | None = None,
) -> PlanResult:
    """Give every active token the score that today's policy gives it; who holds a place keeps it.

    Raises:
        SessionOver, PlanStale
    """

    def change(work: Work) -> SupplyEventDraft:
        _still_open(work)
        event = work.draft.supply(work.session, None, SupplyKind.RESCORED)
        for token in [t for t in work.session.tokens.values() if t.status in ACTIVE]:
            score = rules.score(token.source, token.paid, work.session.policy)
            if score != token.score:
                work.draft.change(token, "rescored", score=score)
        return event

    target = Target("pk", session_id, everything=True)
    return _plan(target, change, dry_run=dry_run, version=version, by=by, at=at)


def _on_session(
    session_id: int, kind: SupplyKind, values: dict[str, Any], by: "User | None", at: datetime | None
) -> Outcome:
    """Change what a session tells without moving a place; what time does to its slots is settled."""

    def decide(work: Work) -> None:
        check(work, ["tokens.delay"], by)
        rules.settle(work.draft)
        _still_open(work)
        if kind == SupplyKind.PAUSED and work.session.paused_at is not None:
            return  # two windows, one pause: it goes on since it began
        stamped: dict[str, Any] = {name: work.draft.now if value == "now" else value for name, value in values.items()}
        work.draft.supply(work.session, None, kind, **stamped)
        rules.settle(work.draft)

    with transaction.atomic(savepoint=False):
        work, _ = storage.decide([Target("pk", session_id)], decide, at=at)
        return finish(work, None, by)


def delay_session(*, session_id: int, minutes: int, by: "User | None", at: datetime | None = None) -> Outcome:
    """The doctor is so many minutes late: moves no place, moves the estimates, and no slot begins before.

    Raises:
        SessionOver
    """
    return _on_session(session_id, SupplyKind.DELAYED, {"delay_minutes": minutes}, by, at)


def pause_session(*, session_id: int, by: "User | None", at: datetime | None = None) -> Outcome:
    """The doctor pauses; said again, also from another window, it is the same pause.

    Raises:
        SessionOver
    """
    return _on_session(session_id, SupplyKind.PAUSED, {"paused_at": "now"}, by, at)


def resume_session(*, session_id: int, by: "User | None", at: datetime | None = None) -> Outcome:
    """The doctor goes on.

    Raises:
        SessionOver
    """
    return _on_session(session_id, SupplyKind.RESUMED, {"paused_at": None}, by, at)
