"""Reads behind a change of supply: the session, whom its plan touches, and where they go."""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from accounts.models import User
from accounts.permissions import reach
from reception.hall import SOURCE_WORDS
from reception.plans import Person
from scheduling.models import Session, Slot
from tokens.errors import UnknownPlan, UnknownSession
from tokens.models import Plan, Token
from tokens.states import Source


def session_of(*, session_id: int, by: User, code: str) -> Session:
    """One session with facility, doctor, room and department. One query.

    Raises:
        UnknownSession, OutOfReach, PermissionDenied
    """
    related = ("facility", "doctor", "room", "department")
    session = Session.objects.select_related(*related).filter(pk=session_id).first()
    if session is None:
        raise UnknownSession
    reach(by, code, session)
    return session


def plan_of(session: Session, plan_id: int) -> Plan:
    """A plan that was applied to the session, with who did it. One query.

    Raises:
        UnknownPlan
    """
    plan = Plan.objects.select_related("actor", "slot").filter(pk=plan_id, session=session).first()
    if plan is None:
        raise UnknownPlan
    return plan


def plans_of(session: Session) -> list[Plan]:
    """The last plans of a session, the newest first, with who made them. One query."""
    return list(Plan.objects.select_related("actor", "slot").filter(session=session).order_by("-id")[:6])


def people_of(effects: Iterable[Mapping[str, Any]]) -> dict[int, Person]:
    """Whom the tokens of a plan belong to. One query, none where it touches nobody."""
    ids = [effect["token"] for effect in effects]
    if not ids:
        return {}
    rows = Token.objects.filter(pk__in=ids).values_list("id", "patient__name", "patient__phone", "source")
    return {pk: Person(name, str(phone or ""), SOURCE_WORDS[Source(source)]) for pk, name, phone, source in rows}


def starts_of(effects: Iterable[Mapping[str, Any]]) -> dict[int, tuple[dt.datetime, dt.date]]:
    """When the slots begin where a plan leaves its patients, and the date of their session. One query, or none."""
    ids = {effect["after"]["slot"] for effect in effects}
    if not ids:
        return {}
    rows = Slot.objects.filter(pk__in=ids).values_list("id", "starts_at", "session__date")
    return {pk: (starts_at, date) for pk, starts_at, date in rows}
