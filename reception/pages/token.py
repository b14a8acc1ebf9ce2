"""One token: its place, its history in sentences, why it stands where it stands. It follows by stream."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import uuid4

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from reception import phone, queries, token_queries
from reception.changes import links
from reception.hall import Row, in_order, row
from reception.money.queries import SEE, TAKE, bills_of, charged_twice
from reception.pages.frame import Place, may, person, show, staff
from reception.steps import STEPS, steps
from reception.streaming import live_page
from tokens import queue_rules, rules
from tokens.facts import SessionFacts
from tokens.live import Frame, Watch
from tokens.models import Token
from tokens.states import Status
from tokens.waits import waits

PARTS = ("token-head", "token-place", "token-history", "token-facts")
"""What follows by stream, in the order of the page."""

SEEN = frozenset({step.permission for step in STEPS} | {"patients.view", "tokens.delay", "tokens.supply", SEE, TAKE})
"""Permissions on which the page depends."""


@dataclass(frozen=True)
class Rung:
    """A token in the order of its slot."""

    place: int | None
    row: Row
    own: bool
    waits: bool


@dataclass(frozen=True)
class Sight:
    """What the page shows besides the token: what its reader may do. Equal sights see the same."""

    token_id: int
    allowed: frozenset[str]


@staff
@require_GET
def token_page(request: HttpRequest, token_id: int) -> HttpResponse:
    """The page of one token."""
    token = queries.get_token(token_id=token_id, by=person(request))
    where = Place(token.session.facility, [], token.session.date)
    sight = _sight(request, token)
    context = look(token, sight)
    with timezone.override(token.session.facility.tz):
        frame = framed(context)
    context |= {
        "frame": frame,
        "where": where,
        "explained": _explained(request, context["session"], token, context["now"]),
        "key": uuid4(),
        "live_page": True,
    }
    return show(request, "reception/token.html", where.facility, context)


@live_page
@staff
def stream(request: HttpRequest, token_id: int) -> Watch:
    """What changes on an open page of a token."""
    token = queries.get_token(token_id=token_id, by=person(request))
    sight = _sight(request, token)
    key = (sight, token.session_id)
    return Watch(key=key, read=partial(read, sight), session_ids=frozenset({token.session_id}))


def _sight(request: HttpRequest, token: Token) -> Sight:
    allowed = may(request, token.session.facility)
    return Sight(token.pk, frozenset(code for code in SEEN if allowed(code)))


def read(sight: Sight) -> Frame | None:
    """What the stream sends; nothing where the token is gone."""
    token = token_queries.token_of(sight.token_id)
    if token is None:
        return None
    with timezone.override(token.session.facility.tz):
        return framed(look(token, sight))


def framed(context: dict[str, Any]) -> Frame:
    """The parts of the page. The facility's clock is set by the caller."""
    return Frame.of({name: render_to_string(f"reception/_{_file(name)}.html", context).strip() for name in PARTS})


def _file(name: str) -> str:
    return name.replace("-", "_")


def look(token: Token, sight: Sight) -> dict[str, Any]:
    """Everything that the page says of a token.

    Eleven queries; more where it came from another session, and where it is not the patient's only one of the day.
    """
    session, patients, now = queries.line_of(token)
    facts = session.tokens[token.pk]
    where = Place(token.session.facility, [], token.session.date)
    wait = waits(session, now).get(token.pk)
    events, slips = token_queries.events_of(token), token_queries.slips(token)
    undoable = queries.undoable(events[-1:])
    offered = list(steps(facts, session, may=sight.allowed.__contains__, undoable=undoable))
    numbers, sees = "patients.view" in sight.allowed, SEE in sight.allowed
    others = list(queries.visits(token.patient).exclude(pk=token.pk)[:6])
    of_day = any(each.session.date == token.session.date for each in others)
    paused, open_ = session.paused_at is not None, session.status == "open"
    return {
        "token": token,
        "session": session,
        "now": now,
        "where": where,
        "line": row(facts, session, token.patient.name, now),
        "often": [step for step in offered if step.often],
        "rare": [step for step in offered if not step.often],
        "changes": links(slot_id=token.slot_id, paused=paused, may=sight.allowed.__contains__) if open_ else [],
        "may_correct": any(step.verb == "correct" for step in offered),
        "rungs": _rungs(session, token, patients, now),
        "ahead": queue_rules.people_ahead(facts, session, now),
        "likely": phone.standing(facts, session, now, token.session.facility.local_date(now), wait).likely,
        "slot_over": rules.over(session.slot(token.slot_id), session, now),
        "told": token_queries.told_of(token, events, slips, session, where.local, numbers=numbers),
        "slips": slips,
        "copies": len(slips) - 1,
        "sent_to": token_queries.sent_to(token),
        "visits": others,
        "bills": bills_of(token) if sees else [],
        "notes": charged_twice(token.patient_id, token.session.date) if sees and of_day else [],
        "takes": TAKE in sight.allowed,
        "next": reverse("token", args=[token.pk]),
    }


def _rungs(session: SessionFacts, token: Token, patients: dict[int, str], now: datetime) -> list[Rung]:
    """Who stands in the token's slot: with the doctor, in call order, then those who wait for a place."""
    found: list[Rung] = []
    counts = {Status.CONFIRMED: 0, Status.WAITLISTED: 0}
    for facts in in_order(session, now):
        if facts.slot_id != token.slot_id or (facts.status in ("cancelled", "no_show") and facts.id != token.pk):
            continue
        status = Status(facts.status)
        if status in counts:
            counts[status] += 1
        line = row(facts, session, patients[facts.id], now)
        found.append(Rung(counts.get(status), line, facts.id == token.pk, status == Status.WAITLISTED))
    return found


def _explained(request: HttpRequest, session: SessionFacts, token: Token, now: datetime) -> dict[str, Any] | None:
    """Why this token stands before or after the one asked about, by its number."""
    than = request.GET.get("than", "").strip().upper()
    if not than:
        return None
    other = next(
        (t for t in session.tokens.values() if t.number == than or t.number.endswith(f"-{than.zfill(3)}")), None
    )
    if other is None or other.id == token.pk:
        return {"than": than, "sentence": _("There is no other token %(than)s in this session.") % {"than": than}}
    sentence, facts = queue_rules.explain(session.tokens[token.pk], other, session, now)
    return {
        "than": other.number,
        "sentence": sentence,
        "both": [(n, facts[n]) for n in (facts["first"], facts["second"])],
    }
