"""Plans as they are told, kept and undone: who moves where, who waits, who is already here, who is to be told."""

import json
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction

from tokens import errors, rules, storage
from tokens.acting import check, finish
from tokens.events import decode
from tokens.facts import EventDraft, SlotFacts, SupplyEventDraft, TokenFacts
from tokens.kinds import SupplyKind
from tokens.models import Plan
from tokens.outcome import Outcome
from tokens.reading import Target
from tokens.states import ACTIVE
from tokens.storage import Work

if TYPE_CHECKING:
    from datetime import datetime

    from accounts.models import User

_SHOWN = ("status", "slot_id", "session_id", "number")

_MESSAGES = {"no_show": "", "normalised": "", "rescored": ""}
"""Kinds of which nobody is told; all others are told by their own name."""


def effects_of(work: Work, event: SupplyEventDraft) -> dict[str, Any]:
    """What a change of supply does: each token before and after, in the order in which it happens."""
    last = {e.token_id: e for e in work.draft.events}
    return {
        "kind": event.kind,
        "session": event.session_id,
        "slot": event.slot_id,
        "changes": {name: storage.plain(value) for name, value in event.changes.items()},
        "effects": [_effect(work, work.draft.token(token_id), e) for token_id, e in last.items()],
    }


def _effect(work: Work, token: TokenFacts, event: EventDraft) -> dict[str, Any]:
    before = work.draft.before.get(token.id, {})
    now = {name: getattr(token, name) for name in _SHOWN}
    return {
        "token": token.id,
        "number": before.get("number", token.number),
        "patient": token.patient_id,
        "arrived": before.get("arrived_at", token.arrived_at) is not None,
        "event": event.kind,
        "message": _MESSAGES.get(event.kind, event.kind),
        "before": {name.removesuffix("_id"): before.get(name, value) for name, value in now.items()},
        "after": {name.removesuffix("_id"): value for name, value in now.items()},
    }


def record(work: Work, event: SupplyEventDraft, plan: dict[str, Any], by: "User | None") -> int:
    """Keep an applied plan with what is needed to undo it; returns its id."""
    kept = [
        {"token": token_id, "seq": work.draft.token(token_id).events, "before": storage.encode(before)}
        for token_id, before in work.draft.before.items()
    ]
    return Plan.objects.create(
        session_id=event.session_id,
        slot_id=event.slot_id,
        kind=event.kind,
        values_before={name: storage.plain(value) for name, value in event.before.items()},
        effects={"told": plan["effects"], "undo": kept, "changes": plan["changes"]},
        actor=by,
        applied_at=work.draft.now,
    ).pk


def undo_plan(*, plan_id: int, by: "User | None", at: "datetime | None" = None) -> Outcome:
    """Take a plan back: supply and tokens are as before, while nothing later depends on it.

    Raises:
        NotFound: no such plan.
        CannotUndo: it was undone already, or something later depends on it.
        PlaceTaken: a place that would be restored has been given away.
        OutOfReach, PermissionDenied
    """
    with transaction.atomic(savepoint=False):
        plan = Plan.objects.filter(pk=plan_id).first()
        if plan is None:
            raise errors.UnknownPlan
        work, _ = storage.decide(_sessions_of(plan), lambda work: _take_back(work, plan, by), at=at)
        updated = Plan.objects.filter(pk=plan_id, undone_at=None).update(undone_at=work.draft.now)
        if not updated:
            raise errors.CannotUndo(what="A plan that was undone already")
        return finish(work, None, by)


def try_undo(*, plan_id: int, by: "User | None", at: "datetime | None" = None) -> None:
    """Raise what taking a plan back would raise now; nothing is changed.

    Raises:
        NotFound, CannotUndo, PlaceTaken, DuplicateToken, OutOfReach, PermissionDenied
    """
    with transaction.atomic(savepoint=False):
        plan = Plan.objects.filter(pk=plan_id).first()
        if plan is None:
            raise errors.UnknownPlan
        if plan.undone_at is not None:
            raise errors.CannotUndo(what="A plan that was undone already")
        storage.decide(_sessions_of(plan), lambda work: _take_back(work, plan, by), at=at)


def _sessions_of(plan: Plan) -> list[Target]:
    """The sessions of a plan and of the tokens that it touched, in the order in which they are locked."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT s.id FROM scheduling_session s
             WHERE s.id = %s OR s.id IN (SELECT session_id FROM tokens_token WHERE id = ANY(%s))
             ORDER BY s.starts_at, s.id""",
            (plan.session_id, [row["token"] for row in plan.effects["undo"]]),
        )
        return [Target("pk", row[0], everything=True) for row in cursor.fetchall()]


def _take_back(work: Work, plan: Plan, by: "User | None") -> None:
    check(work, ["tokens.supply"], by)
    session = work.draft.sessions[plan.session_id]
    slot = session.slot(plan.slot_id) if plan.slot_id else None
    tokens = storage.tokens_by_id(work, [row["token"] for row in plan.effects["undo"]])
    for row in plan.effects["undo"]:
        if tokens[row["token"]].events != row["seq"]:
            raise errors.CannotUndo(what=f"A plan after which {tokens[row['token']].number} changed")
    if any(storage.plain(getattr(slot or session, name)) != value for name, value in plan.effects["changes"].items()):
        raise errors.CannotUndo(what="A plan after which the same was changed again")
    work.draft.supply(session, slot, SupplyKind.UNDONE, reason=plan.kind, **_values(plan))
    for row in plan.effects["undo"]:
        token = tokens[row["token"]]
        values = decode(json.loads(row["before"]))
        seen = EventDraft(token.id, token.events, token.session_id, plan.kind, token.status, {}, "", None)
        work.draft.change(token, "undone", undo=True, cause=seen, reason=plan.kind, **values)
    _refuse_broken(work, list(tokens.values()))
    rules.settle(work.draft)


def _values(plan: Plan) -> dict[str, Any]:
    return decode(plan.values_before) if plan.values_before else {}


def _refuse_broken(work: Work, tokens: list[TokenFacts]) -> None:
    """After everything was restored, every place and every patient must still be within the rules."""
    for session in work.draft.sessions.values():
        for slot in session.slots:
            if _oversold(slot):
                raise errors.PlaceTaken(number="a patient of this plan")
    for token in tokens:
        session = work.draft.session_of(token)
        if token.status in ACTIVE:
            held = rules.held_by(work.draft, session, token.patient_id, but=token.id)
            if held:
                raise errors.DuplicateToken(number=held.number, token=held.id)


def _oversold(slot: SlotFacts) -> bool:
    return slot.used > slot.capacity + slot.overbooked
