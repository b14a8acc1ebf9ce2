"""One token: its place, its history in sentences, why it stands where it stands; and its slip."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

import segno
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_GET, require_POST

from reception import queries
from reception.actions import print_slip
from reception.hall import Row, in_order, row
from reception.models import SlipPrint
from reception.pages.frame import Place, done_once, person, show, staff
from reception.pages.selection import selected
from tokens import queue_rules, rules
from tokens.events import SENTENCES
from tokens.facts import SessionFacts
from tokens.models import Event, Token
from tokens.states import Status


@dataclass(frozen=True)
class Rung:
    """A token in the order of its slot."""

    place: int | None
    row: Row
    own: bool
    waits: bool


@dataclass(frozen=True)
class Told:
    """One line of a history."""

    at: datetime
    sentence: str
    detail: str
    by: str


@staff
@require_GET
def token_page(request: HttpRequest, token_id: int) -> HttpResponse:
    """The page of one token."""
    token = queries.get_token(token_id=token_id, by=person(request))
    where = Place(token.session.facility, [], token.session.date)
    session, patients, now = queries.line_of(token)
    events = queries.history(token)
    context: dict[str, Any] = {
        **selected(request, where, token),
        "rungs": _rungs(session, token, patients, now),
        "told": [*_printed(token), *(_told(event, where, session) for event in events)],
        "ahead": queue_rules.people_ahead(session.tokens[token.pk], session, now),
        "visits": queries.visits(token.patient).exclude(pk=token.pk)[:6],
        "explained": _explained(request, session, token, now),
        "names": patients,
        "next": request.path,
        "slot_over": rules.over(session.slot(token.slot_id), session, now),
    }
    context["told"].sort(key=lambda line: line.at, reverse=True)
    return show(request, "reception/token.html", where.facility, context)


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


_CAUSES = {"displaced": "{number} took it", "promoted": "{number} left it", "cancelled": "{number} took the place"}


def _told(event: Event, where: Place, session: SessionFacts) -> Told:
    """An event as a sentence, with the values that matter to people."""
    details = [event.reason.replace("_", " ")] if event.reason else []
    cause = session.tokens.get(event.cause_token_id or 0)
    if cause and event.kind in _CAUSES:
        details.append(_CAUSES[event.kind].format(number=cause.number))
    changes = event.changes
    if event.kind in ("moved", "displaced", "promoted", "returned") and "number" in changes:
        details.append(f"now {changes['number']}")
    if event.kind == "held" and changes.get("held_until"):
        details.append(f"until {where.local(datetime.fromisoformat(changes['held_until']))}")
    if event.kind == "rescored":
        details.append("became an emergency" if changes.get("source") == "emergency" else "paid for")
    if event.kind == "sent_away" and changes.get("away_to"):
        details.append(changes["away_to"])
    by = str(event.actor) if event.actor_id else "By the rule"
    return Told(event.at, SENTENCES[event.kind], ", ".join(details), by)


def _printed(token: Token) -> list[Told]:
    prints = SlipPrint.objects.filter(token=token).select_related("by")
    return [Told(p.at, "Slip printed again." if p.copy else "Slip printed.", "", str(p.by)) for p in prints]


def _explained(request: HttpRequest, session: SessionFacts, token: Token, now: datetime) -> dict[str, Any] | None:
    """Why this token stands before or after the one asked about, by its number."""
    than = request.GET.get("than", "").strip().upper()
    if not than:
        return None
    other = next(
        (t for t in session.tokens.values() if t.number == than or t.number.endswith(f"-{than.zfill(3)}")), None
    )
    if other is None or other.id == token.pk:
        return {"than": than, "sentence": f"There is no other token {than} in this session."}
    sentence, facts = queue_rules.explain(session.tokens[token.pk], other, session, now)
    return {
        "than": other.number,
        "sentence": sentence,
        "both": [(n, facts[n]) for n in (facts["first"], facts["second"])],
    }


# The slip


@staff
@require_GET
def slip(request: HttpRequest, token_id: int) -> HttpResponse:
    """The slip as paper. `?print=` names which printing this is: the slip itself, or a copy."""
    token = queries.get_token(token_id=token_id, by=person(request))
    prints = list(SlipPrint.objects.filter(token=token))
    asked = request.GET.get("print", "")
    shown = next((each for each in prints if str(each.copy) == asked), prints[-1] if prints else None)
    context = {
        "token": token,
        "shown": shown,
        "printed": bool(prints),
        "print_now": shown is not None and str(shown.copy) == asked,
        "ahead": queries.people_ahead(token),
        "qr": qr_code(request.build_absolute_uri(f"/t/{token.key}")),
        "address": request.build_absolute_uri(f"/t/{token.key}"),
        "now": timezone.now(),
        "key": uuid4(),
    }
    return show(request, "reception/slip.html", token.session.facility, context)


@staff
@require_POST
def print_(request: HttpRequest, token_id: int) -> HttpResponse:
    """A slip goes to the printer: the printing is recorded, and the paper is opened."""
    answered = done_once(request, lambda: {"copy": print_slip(token_id=token_id, by=person(request)).copy})
    return redirect(f"{reverse('token_slip', args=[token_id])}?print={answered['copy']}")


def qr_code(address: str) -> SafeString:
    """An address as a QR code in SVG, black on white, sized by its surroundings."""
    code = segno.make(address, error="m", micro=False)
    return mark_safe(code.svg_inline(omitsize=True, border=2, light="#fff"))  # noqa: S308 - segno's own markup
