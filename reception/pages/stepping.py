"""Steps of a token and of a session: one address a verb, one action behind it, each done once for each button press."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from common.errors import DomainError, Forbidden, NotFound
from reception import queries
from reception.errors import ReasonMissing, SlotMissing, StepUnknown
from reception.forms import StepForm
from reception.pages.desk import whole
from reception.pages.drawers import asking
from reception.pages.frame import Place, done_once, person, place, show, staff
from reception.pages.selection import selected
from reception.telling import told
from tokens import allocation, queueing, rules, undoing
from tokens.outcome import Outcome
from tokens.queries import get_session, read_session
from tokens.states import Source, Status

HOLD_MINUTES = 10
Deed = Callable[..., Outcome]

PLAIN: dict[str, Deed] = {
    "arrive": queueing.arrive,
    "back": queueing.back,
    "late-return": allocation.return_late,
    "call": queueing.call,
    "recall": queueing.recall,
    "start": queueing.start,
    "complete": queueing.complete,
    "skip": queueing.skip,
    "no-show": allocation.mark_no_show,
    "mark-paid": allocation.mark_paid,
    "undo": undoing.undo_last,
}
"""Steps that need nothing but the token."""

ASKING = frozenset({"cancel", "move", "overbook"})
"""Steps whose form stands in the drawer, which is done with once they are taken."""


@staff
@require_POST
def step(request: HttpRequest, token_id: int, verb: str) -> HttpResponse:
    """Take a step of a token."""
    where = place(request)
    queries.get_token(token_id=token_id, by=person(request))  # 404 before anything else
    form = StepForm(request.POST)
    try:
        deed = _deed(verb, token_id, form)
        answered = done_once(request, lambda: _told(request, where, verb, deed, form))
    except (NotFound, Forbidden):
        raise
    except DomainError as error:
        return _refused(request, where, token_id, verb, error)
    return _after(request, where, answered, close=verb in ASKING)


@staff
@require_POST
def call_next(request: HttpRequest, session_id: int) -> HttpResponse:
    """Call the first of a session who can be called."""
    where = place(request)
    get_session(session_id=session_id, by=person(request))
    try:
        answered = done_once(
            request,
            lambda: _told(
                request, where, "call-next", lambda by: queueing.call_next(session_id=session_id, by=by), StepForm({})
            ),
        )
    except (NotFound, Forbidden):
        raise
    except DomainError as error:
        return _refused(request, where, None, "call-next", error)
    return _after(request, where, answered, close=False)


def _deed(verb: str, token_id: int, form: StepForm) -> Deed:
    """The action behind a verb, with what the form says.

    Raises:
        StepUnknown, ReasonMissing, SlotMissing
    """
    if not form.is_valid():
        raise SlotMissing(attr=next(iter(form.errors)))
    reason, slot_id = form.cleaned_data["reason"].strip(), form.cleaned_data["slot"]
    if verb in PLAIN:
        return lambda by: PLAIN[verb](token_id=token_id, by=by)
    if verb in ("cancel", "overbook") and not reason:
        raise ReasonMissing(attr="reason")
    if verb == "move" and not slot_id:
        raise SlotMissing(attr="slot")
    deeds: dict[str, Deed] = {
        "cancel": lambda by: allocation.cancel_token(token_id=token_id, reason=reason, by=by),
        "overbook": lambda by: allocation.overbook_token(token_id=token_id, reason=reason, by=by),
        "move": lambda by: allocation.move_token(token_id=token_id, slot_id=slot_id, reason=reason, by=by),
        "hold": lambda by: queueing.hold(token_id=token_id, minutes=_minutes(form), by=by),
        "emergency": lambda by: _raise(token_id, by),
    }
    if verb not in deeds:
        raise StepUnknown
    return deeds[verb]


def _minutes(form: StepForm) -> int:
    return int(form.cleaned_data["minutes"] or HOLD_MINUTES)


def _raise(token_id: int, by: Any) -> Outcome:
    """Ask for an emergency place for the patient of a token: the engine raises the token that is held."""
    token = queries.get_token(token_id=token_id, by=by)
    session, now = read_session(token.session_id)
    can = [slot for slot in session.slots if rules.takes(slot, session, now)]
    own = token.status == Status.CONFIRMED or any(slot.id == token.slot_id for slot in can)
    slot_id = token.slot_id if own or not can else can[0].id
    return allocation.request_token(patient_id=token.patient_id, source=Source.EMERGENCY, slot_id=slot_id, by=by)


def _told(request: HttpRequest, where: Place, verb: str, deed: Deed, form: StepForm) -> dict[str, Any]:
    """Take the step; what is told of it is kept with its key."""
    outcome = deed(by=person(request))
    minutes = _minutes(form) if verb == "hold" else None
    said = told(verb, outcome, where.local, minutes=minutes)
    return {"token": outcome.token.id if outcome.token else None, "said": " ".join(said)}


def _after(request: HttpRequest, where: Place, answered: dict[str, Any], *, close: bool) -> HttpResponse:
    """Say what was done: by htmx in place, else on the page one came from."""
    if not request.headers.get("HX-Request"):
        messages.success(request, answered["said"])
        return redirect(_back(request, where, answered["token"]))
    context: dict[str, Any] = {"said": answered["said"], "close": close, "drawer": "", "where": where, "token": None}
    if answered["token"]:
        token = queries.get_token(token_id=answered["token"], by=person(request))
        context |= selected(request, where, token)
    response = show(request, "reception/_after.html", where.facility, context)
    response["HX-Trigger"] = "changed"
    return response


def _refused(request: HttpRequest, where: Place, token_id: int | None, verb: str, error: DomainError) -> HttpResponse:
    """Say what a rule refused. What was typed into the drawer stays there."""
    if verb in ASKING and token_id:
        context = asking(request, where, verb, token_id, sent=request.POST, error=error)
        if request.headers.get("HX-Request"):
            response = show(request, "reception/_drawer.html", where.facility, context, status=error.status)
            response["HX-Retarget"], response["HX-Reswap"] = "#drawer", "outerHTML"
            return response
        return whole(request, where, context, status=error.status)
    if request.headers.get("HX-Request"):
        raise error
    messages.error(request, str(error))
    return redirect(_back(request, where, token_id))


def _back(request: HttpRequest, where: Place, token_id: int | None) -> str:
    """The page that the form stood on, with the token selected."""
    wanted = request.POST.get("next", "")
    if wanted and url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure()):
        return wanted
    query = {
        "show": request.POST.get("show", ""),
        "token": token_id or "",
        "date": "" if where.is_today else where.date,
    }
    return f"{reverse('desk')}?{urlencode({name: value for name, value in query.items() if value})}"
