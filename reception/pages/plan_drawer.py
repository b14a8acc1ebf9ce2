"""What stands in the drawer of a session: what can be done, a change with its preview, what was done."""

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from uuid import uuid4

from django.http import HttpRequest
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.errors import DomainError, NotFound
from common.transactions import outermost
from reception import changes, plan_queries, plans, queries
from reception.changes import Change
from reception.forms import PlanForm
from reception.hall import MOST_CELLS, Column, SlotView
from reception.money.queries import SEE, PlanMoney, before_plan
from reception.pages.frame import Place, may, person
from reception.plans import Line
from scheduling.models import Session
from tokens import planning, rules, supply
from tokens.facts import Draft, SessionFacts
from tokens.kinds import SupplyKind
from tokens.models import Plan
from tokens.supply import PlanResult

Context = dict[str, Any]

DELAYS = (0, 10, 15, 20, 30, 45, 60)
"""Minutes that one press says."""
USUALLY = 15
"""What is chosen to begin with for a doctor who was in time."""

REASONS = {
    "block": (
        gettext_lazy("Doctor is in a meeting"),
        gettext_lazy("Emergency in the ward"),
        gettext_lazy("Room is needed"),
    ),
    "cancel": (gettext_lazy("Doctor is ill"), gettext_lazy("Doctor is on leave")),
}


def when(where: Place, starts: Mapping[int, tuple[dt.datetime, dt.date]], slot_id: int) -> str:
    """When a slot begins: with its day where that is another one."""
    starts_at, date = starts[slot_id]
    time = where.local(starts_at)
    return time if date == where.date else f"{date_format(date, 'D j M')}, {time}"


def fingerprint(plan: Mapping[str, Any]) -> str:
    """What makes two previews the same: whom they touch, and how."""
    told = json.dumps([plan["kind"], plan["slot"], plan["effects"]], sort_keys=True, default=str)
    return hashlib.sha256(told.encode()).hexdigest()[:32]


def action(change: Change, session: Session, form: PlanForm) -> Callable[..., PlanResult]:
    """The engine's action behind a change that is previewed, with what the form says."""
    given = form.cleaned_data
    reason = given["reason"].strip()
    match change.verb:
        case "capacity":
            return partial(supply.change_capacity, slot_id=given["slot"], capacity=given["capacity"], reason=reason)
        case "block":
            return partial(supply.block_slot, slot_id=given["slot"], reason=reason)
        case "unblock":
            return partial(supply.unblock_slot, slot_id=given["slot"])
        case "close":
            return partial(supply.close_session, session_id=session.pk, move=form.moves, reason=reason)
    return partial(supply.cancel_session, session_id=session.pk, move=form.moves, reason=reason)


# What can be done


def menu(request: HttpRequest, where: Place, session: Session) -> Context:
    """The session with its slots, every change of it that the person may make, and those made. Six queries."""
    column = _column(session)
    allowed = may(request, where.facility)
    only = next((view for view in column.slots if str(view.facts.id) == request.GET.get("slot")), None)
    doctor = session.doctor.name
    return {
        **_about(request, where, session, column),
        "drawer": "menu",
        "heading": f"{doctor}, {where.local(only.facts.starts_at)}" if only else doctor,
        "only": only,
        "slots": [only] if only else column.slots,
        "made": [(plan, _done_heading(plan, session, where)) for plan in plan_queries.plans_of(session)],
        "may_delay": allowed("tokens.delay") and session.status == "open",
        "may_supply": allowed("tokens.supply") and session.status == "open",
    }


def _column(session: Session) -> Column:
    day = queries.day(session.facility, session.date, session_ids=[session.pk])
    return day.column(day.build(session.pk))


def _about(request: HttpRequest, where: Place, session: Session, column: Column) -> Context:
    return {
        "where": where,
        "session": session,
        "column": column,
        "key": uuid4(),
        "next": request.POST.get("next") or request.GET.get("next") or "",
    }


# A change and its preview


def asking(
    request: HttpRequest,
    where: Place,
    session: Session,
    change: Change,
    form: PlanForm,
    *,
    error: DomainError | None = None,
    moved: bool = False,
) -> Context:
    """A change with what it would do.

    Args:
        error: what refused it.
        moved: the preview that was seen holds no longer; this is the new one.
    """
    plan, column, refused = _looked(request, session, change, form)
    slot = _slot_of(column, form) if change.of_slot else None
    capacity = form.cleaned_data.get("capacity")
    time = where.local(slot.facts.starts_at) if slot else ""
    before = slot.facts.capacity if slot else 0
    context = {
        **_about(request, where, session, column),
        "drawer": "plan",
        "change": change,
        "verb": change.verb,
        "slot": slot,
        "form": form,
        "reasons": REASONS.get(change.verb, ()),
        "reason": form.data.get("reason", ""),
        "heading": changes.heading(
            change.verb, doctor=session.doctor.name, slot=time, before=before, after=capacity if plan else None
        ),
        "capacity": before if capacity is None else capacity,
        "error": error or refused,
    }
    if change.verb == "delay":
        return {**context, **_delay(session, column, form)}
    if plan is None:
        return context
    return {**context, **_preview(request, where, change, form, plan, column, slot, moved=moved)}


def _looked(
    request: HttpRequest, session: Session, change: Change, form: PlanForm
) -> tuple[dict[str, Any] | None, Column, DomainError | None]:
    """The plan as the engine decides it now, with the session as it stands in the same moment."""
    wanted = change.planned and (change.verb != "capacity" or form.cleaned_data.get("capacity") is not None)

    def look() -> tuple[dict[str, Any] | None, Column]:
        result = action(change, session, form)(dry_run=True, by=person(request)) if wanted else None
        return (result.plan if result else None), _column(session)

    try:
        plan, column = outermost(look)
    except NotFound:
        raise
    except DomainError as refused:
        return None, _column(session), refused
    return plan, column, None


def _slot_of(column: Column, form: PlanForm) -> SlotView:
    """The slot that is meant.

    Raises:
        NotFound: the session has no such slot.
    """
    wanted = form.cleaned_data.get("slot")
    for view in column.slots:
        if view.facts.id == wanted:
            return view
    raise NotFound(_("There is no such slot in this session."))


def _preview(
    request: HttpRequest,
    where: Place,
    change: Change,
    form: PlanForm,
    plan: dict[str, Any],
    column: Column,
    slot: SlotView | None,
    *,
    moved: bool,
) -> Context:
    effects = plan["effects"]
    starts = plan_queries.starts_of(effects)
    time = where.local(slot.facts.starts_at) if slot else ""
    before, after = (slot.facts.capacity if slot else 0), form.cleaned_data.get("capacity") or 0
    nothing = change.verb == "capacity" and before == after
    stays = _stays(slot, effects, time) if slot and change.verb in ("capacity", "block") and effects else []
    money = before_plan(effects, where.facility.pk, starts) if may(request, where.facility)(SEE) else PlanMoney()
    told = plans.tell(
        plan,
        plan_queries.people_of(effects),
        partial(when, where, starts),
        stays=stays,
        subject=changes.subject(change.verb, slot=time, before=before, after=after),
    )
    return {
        "plan": plan,
        "told": told,
        "nothing": nothing,
        "seen": fingerprint(plan),
        "asked": form.choices,
        "who": ",".join(e["number"] for e in effects if plans.fate(e) in plans.LOSING),
        "moved": moved,
        "difference": plans.stale(form.who, plan) if moved else "",
        "then": _then(slot, plan) if slot else None,
        "money": money,
    }


def _stays(slot: SlotView, effects: list[dict[str, Any]], time: str) -> list[Line]:
    """Those of the slot who keep their place, and why."""
    touched = {effect["token"] for effect in effects}
    losing = [e["number"] for e in effects if plans.fate(e) in plans.LOSING and not e["arrived"]]
    why = {
        "done": _("Seen"),
        "room": _("With the doctor"),
        "called": _("Called"),
        "absent": _("Stands before %(number)s") % {"number": losing[-1]} if losing else "",
    }
    return [
        Line(row.id, row.number, row.name, "", row.mark, row.state, time, why.get(row.mark, _("Already here")))
        for row in slot.rows
        if row.id not in touched
    ]


def _then(slot: SlotView, plan: dict[str, Any]) -> Context | None:
    """The places of the slot afterwards: taken, free, cut."""
    capacity = plan["changes"].get("capacity", slot.facts.capacity)
    gone = sum(e["before"]["slot"] == slot.facts.id and plans.fate(e) in plans.LOSING for e in plan["effects"])
    come = sum(e["after"]["slot"] == slot.facts.id and plans.fate(e) == plans.Fate.GETS for e in plan["effects"])
    used = slot.facts.used - gone + come
    waits = sum(e["after"]["slot"] == slot.facts.id and e["after"]["status"] == "waitlisted" for e in plan["effects"])
    cut = max(0, slot.facts.capacity - capacity)
    free = max(0, capacity - used)
    over = max(0, used - capacity)
    cells = ["held"] * (used - over) + ["free"] * free + ["over"] * over + ["cut"] * cut
    return {
        "cells": cells if len(cells) <= MOST_CELLS else [],
        "used": used,
        "capacity": capacity,
        "waits": waits,
        "blocked": plan["changes"].get("status") == "blocked",
    }


# A delay: no place moves, the estimates do


def _delay(session: Session, column: Column, form: PlanForm) -> Context:
    now = column.session.delay_minutes
    chosen = form.late if form.late is not None else now or USUALLY
    return {
        "delays": DELAYS,
        "minutes": chosen,
        "other": chosen if chosen not in DELAYS else "",
        "was": now,
        "queued": sum(t.queued or t.status == "waitlisted" for t in column.session.tokens.values()),
        "promoted": after_delay(queries_facts(session), chosen) if chosen != now else [],
    }


def queries_facts(session: Session) -> tuple[SessionFacts, dt.datetime]:
    """The session as the rules see it now, to be played with."""
    day = queries.day(session.facility, session.date, session_ids=[session.pk])
    return day.build(session.pk), day.now


def after_delay(known: tuple[SessionFacts, dt.datetime], minutes: int) -> list[str]:
    """Who gets a place because a slot lasts longer: the engine's rules, played on facts that nobody locked."""
    session, now = known
    draft = Draft([session], now)
    rules.settle(draft)
    seen = len(draft.events)
    draft.supply(session, None, SupplyKind.DELAYED, delay_minutes=minutes)
    rules.settle(draft)
    return [draft.token(event.token_id).number for event in draft.events[seen:] if event.kind == "promoted"]


# What was done


def done(
    request: HttpRequest, where: Place, session: Session, plan_id: int, *, error: DomainError | None = None
) -> Context:
    """A plan that was applied, with its undo as long as there is one."""
    plan = plan_queries.plan_of(session, plan_id)
    told = {"effects": plan.effects["told"], "kind": plan.kind, "changes": plan.effects["changes"]}
    column = _column(session)
    starts = plan_queries.starts_of(told["effects"])
    why_not = "" if plan.undone_at else _undo_refused(request, plan_id)
    return {
        **_about(request, where, session, column),
        "drawer": "done",
        "plan": plan,
        "heading": _done_heading(plan, session, where),
        "told": plans.tell(told, plan_queries.people_of(told["effects"]), partial(when, where, starts), done=True),
        "why_not": why_not,
        "today": session.facility.local_date(),
        "error": error,
    }


def _done_heading(plan: Plan, session: Session, where: Place) -> str:
    if plan.undone_at and plan.slot:
        of = {"doctor": session.doctor.name, "slot": where.local(plan.slot.starts_at)}
        return _("Taken back: %(doctor)s’s %(slot)s") % of
    if plan.undone_at:
        return _("Taken back: %(doctor)s’s session") % {"doctor": session.doctor.name}
    return changes.done_heading(
        plan.kind,
        doctor=session.doctor.name,
        slot=where.local(plan.slot.starts_at) if plan.slot else "",
        after=plan.effects["changes"].get("capacity", 0),
    )


def _undo_refused(request: HttpRequest, plan_id: int) -> str:
    """Why the plan cannot be taken back now; nothing where it can."""
    try:
        outermost(lambda: planning.try_undo(plan_id=plan_id, by=person(request)))
    except DomainError as refused:
        return str(refused)
    return ""
