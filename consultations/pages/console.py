"""The console: whose it is, what stands on it, and the stream that keeps it true."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_GET

from accounts.models import Facility, User
from accounts.permissions import allows
from consultations import queries
from consultations.pages.panels import panel
from consultations.sheet import Sheet
from consultations.steps import CODES, HOLDS, steps
from consultations.telling import was
from reception.pages.frame import person, show, staff
from reception.streaming import live_page
from scheduling.models import Session
from tokens.live import Frame, Watch
from tokens.waits import waits
from tokens.waits.estimate import planned_step

FETCHED: Final = "HX-Request"
"""The header of a request that wants the parts of the page and not the page."""

PARTS: Final = ("now", "patient", "foot", "queue")
"""What changes while one looks; each is a template, and an element `console-<name>`."""


@dataclass(frozen=True, slots=True)
class Sight:
    """Everything that the parts depend on beside the session itself.

    Attributes:
        own: whether it is the person's own session.
        named: the page's address names the session, so the links of its parts do too.
        codes: what the person may do there.
    """

    session_id: int
    viewer_id: int
    own: bool
    named: bool
    codes: frozenset[str]

    @property
    def address(self) -> str:
        """Where this console is."""
        return f"{reverse('console')}?session={self.session_id}" if self.named else reverse("console")


def sight_of(session: Session, user: User, *, named: bool) -> Sight:
    """What a person sees of a session."""
    own = session.doctor.user_id == user.pk
    codes = frozenset(code for code in CODES if allows(user, code, session.facility_id))
    return Sight(session.pk, user.pk, own, named or not own, codes)


@staff
@require_GET
def console(request: HttpRequest) -> HttpResponse:
    """The doctor's console, or whose it is to be."""
    asked = _asked(request)
    seat = queries.seat(person(request), asked)
    if seat.session is None:
        return _nothing(request)
    sight = sight_of(seat.session, person(request), named=asked is not None)
    shown = state(seat.session, sight)
    shown |= {"seat": seat, "panel": panel(request.GET, seat.session, shown["sheet"], sight.codes)}
    if request.headers.get(FETCHED):
        return HttpResponse(written("panel", seat.session.facility, shown, request))
    return page(request, seat.session, sight, shown)


@live_page
@staff
def stream(request: HttpRequest) -> Watch:
    """What changes on an open console."""
    session = queries.opened(person(request), _asked(request) or 0)
    sight = sight_of(session, person(request), named="named" in request.GET)
    return Watch(key=("console", sight), read=partial(frame_of, sight), session_ids=frozenset({session.pk}))


def _asked(request: HttpRequest) -> int | None:
    text = request.GET.get("session", "")
    return int(text) if text.isdecimal() and len(text) < 19 else None


def _nothing(request: HttpRequest) -> HttpResponse:
    """No session of one's own today: when the next is, and the consoles that may be opened instead."""
    user = person(request)
    others, ahead = queries.choosable(user), queries.next_session(user)
    known = [*others, *([ahead] if ahead else [])]
    facility = known[0].facility if known else Facility.objects.filter(is_active=True).first()
    if facility is None:
        return redirect(reverse("desk"))
    return show(request, "consultations/none.html", facility, {"others": others, "ahead": ahead, "console": True})


def page(
    request: HttpRequest, session: Session, sight: Sight, shown: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    """The whole page. Its parts are those of the stream, with what forms need where there are no scripts."""
    frame = frame_in(session, shown)
    token = format_html('<input type="hidden" name="csrfmiddlewaretoken" value="{}">', get_token(request))
    html = {name: frame.parts[f"console-{name}"] for name in PARTS} | {
        "panel": written("panel", session.facility, shown)
    }
    parts = {name: _signed(part, token) for name, part in html.items()}
    query = f"session={session.pk}{'&named' if sight.named else ''}"
    context = {**shown, "parts": parts, "version": frame.version, "stream": f"{reverse('console_stream')}?{query}"}
    return show(request, "consultations/console.html", session.facility, context, status=status)


def _signed(html: str, token: SafeString) -> SafeString:
    marker = '<input type="hidden" name="idempotency_key"'
    return mark_safe(html.replace(marker, token + marker))  # noqa: S308 - our own templates, and Django's token


def frame_of(sight: Sight) -> Frame | None:
    """The parts as they are now, for whoever sees the same. Seven queries at most."""
    session = queries.session_of(sight.session_id)
    return frame_in(session, state(session, sight)) if session else None


def frame_in(session: Session, shown: dict[str, Any]) -> Frame:
    """The parts of a state that was read."""
    return Frame.of({f"console-{name}": written(name, session.facility, shown) for name in PARTS})


def written(name: str, facility: Facility, shown: dict[str, Any], request: HttpRequest | None = None) -> str:
    """One part of the page, with the facility's clock."""
    with timezone.override(facility.tz):
        return render_to_string(f"consultations/_{name}.html", shown, request)


def state(session: Session, sight: Sight) -> dict[str, Any]:
    """What stands on a console. Six queries at most, two more for a patient who was sent on."""
    sheet = queries.read(session)
    may = sight.codes.__contains__
    done = queries.last_step(sheet.session.tokens.values(), by_id=sight.viewer_id) if may("tokens.undo") else None
    before = queries.before(sheet.who, session) if sheet.who else None
    usual = queries.usual(session.doctor_id)
    return {
        "console": True,
        "session": session,
        "sheet": sheet,
        "own": sight.own,
        "steps": list(steps(sheet, may=may)),
        "holds": HOLDS,
        "calls_first": sheet.session.paused_at is None,  # in a pause "Go on" stands out
        "delays": may("tokens.delay"),
        "before": before,
        "days": (session.date - before.last.date).days if before and before.last else None,
        "slot": sheet.session.slot(sheet.who.token.slot_id) if sheet.who else None,
        "usual": usual,
        "likely": _likely(sheet, usual),
        "undo": (done, was(done)) if done else None,
        "address": sight.address,
    }


def _likely(sheet: Sheet, usual: int | None) -> datetime | None:
    """When the session is likely done: half of such days, the last one begins before that, and takes the usual."""
    ahead = waits(sheet.session, sheet.now)
    if not ahead:
        return None
    last = max(wait.p50 for wait in ahead.values())
    return sheet.now + timedelta(minutes=last + (usual or planned_step(sheet.session)))
