"""Steps of a token and of a session: one address a verb, one action behind it, each done once for each button press."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import User
from common.errors import DomainError, Forbidden, NotFound
from reception import queries
from reception.errors import (
    ChangedSince,
    PatientMissing,
    ReasonMissing,
    SlotMissing,
    StepUnknown,
    TargetMissing,
    TestMissing,
)
from reception.forms import StepForm
from reception.pages.asking import asking
from reception.pages.frame import Place, done_once, person, show, staff
from reception.pages.selection import selected
from reception.steps import step_named
from reception.telling import told
from tokens import allocation, queueing, rules, undoing
from tokens.models import Token
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
}
"""Steps that need nothing but the token."""

REASONED = frozenset({"cancel", "overbook", "send-on", "correct"})
"""Steps that the history keeps with a reason."""


@staff
@require_http_methods(["GET", "HEAD", "POST"])
def step(request: HttpRequest, token_id: int, verb: str) -> HttpResponse:
    """Take a step of a token; asked for by GET, the form of a step that needs something first."""
    found = step_named(verb)
    if found is None:
        raise StepUnknown
    if request.method != "POST" and not found.asks:
        return HttpResponseNotAllowed(["POST"])
    token = queries.get_token(token_id=token_id, by=person(request))  # 404 before anything else
    where = Place(token.session.facility, [], token.session.date)
    if request.method != "POST":
        return _asked(request, where, asking(request, where, verb, token))
    form = StepForm(request.POST)
    try:
        deed = _deed(verb, token, form)
        answered = done_once(request, lambda: _told(request, where, verb, token, deed, form))
    except (NotFound, Forbidden):
        raise
    except DomainError as error:
        return _refused(request, where, token, verb, error)
    return _after(request, where, answered, close=found.asks)


def _asked(request: HttpRequest, where: Place, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """The form of a step: in the drawer, what was found for it alone, or as a page of its own."""
    if request.GET.get("part") == "people":
        return show(request, "reception/_people.html", where.facility, context)
    if request.headers.get("HX-Request"):
        response = show(request, "reception/_drawer.html", where.facility, context, status=status)
        if status != 200:
            response["HX-Retarget"], response["HX-Reswap"] = "#drawer", "outerHTML"
        return response
    context |= {"page": True, "back": _back(request, where, context["about"].pk)}
    return show(request, "reception/step.html", where.facility, context, status=status)


@staff
@require_POST
def call_next(request: HttpRequest, session_id: int) -> HttpResponse:
    """Call the first of a session who can be called."""
    session = get_session(session_id=session_id, by=person(request))
    where = Place(session.facility, [], session.date)

    def deed(by: User) -> Outcome:
        return queueing.call_next(session_id=session_id, by=by)

    try:
        answered = done_once(request, lambda: _told(request, where, "call-next", None, deed, StepForm({})))
    except (NotFound, Forbidden):
        raise
    except DomainError as error:
        return _refused(request, where, None, "call-next", error)
    return _after(request, where, answered, close=False)


def _deed(verb: str, token: Token, form: StepForm) -> Deed:
    """The action behind a verb, with what the form says.

    Raises:
        ReasonMissing, SlotMissing, TargetMissing, PatientMissing, TestMissing
    """
    if not form.is_valid():
        raise SlotMissing(attr=next(iter(form.errors)))
    said = form.cleaned_data
    reason, slot_id, token_id = said["reason"].strip(), said["slot"], token.pk
    if verb in PLAIN:
        return lambda by: PLAIN[verb](token_id=token_id, by=by)
    missing = _missing(verb, said)
    if missing is not None:
        raise missing
    deeds: dict[str, Deed] = {
        "cancel": lambda by: allocation.cancel_token(token_id=token_id, reason=reason, by=by),
        "overbook": lambda by: allocation.overbook_token(token_id=token_id, reason=reason, by=by),
        "move": lambda by: allocation.move_token(token_id=token_id, slot_id=slot_id, reason=reason, by=by),
        "send-on": lambda by: queueing.send_on(token_id=token_id, **form.sent_to, reason=reason, by=by),
        "send-away": lambda by: queueing.send_away(token_id=token_id, where=said["where"].strip(), by=by),
        "correct": lambda by: allocation.change_patient(
            token_id=token_id, patient_id=said["patient"], reason=reason, by=by
        ),
        "hold": lambda by: queueing.hold(token_id=token_id, minutes=_minutes(form), by=by),
        "emergency": lambda by: _raise(token, by),
        "undo": lambda by: _undo(token_id, said["seq"], by),
    }
    return deeds[verb]


def _missing(verb: str, said: dict[str, Any]) -> DomainError | None:
    """What the step needs and was not given."""
    if verb == "move" and not said["slot"]:
        return SlotMissing(attr="slot")
    if verb == "send-on" and not said["to"]:
        return TargetMissing(attr="to")
    if verb == "correct" and not said["patient"]:
        return PatientMissing(attr="patient")
    if verb == "send-away" and not said["where"].strip():
        return TestMissing(attr="where")
    return ReasonMissing(attr="reason") if verb in REASONED and not said["reason"].strip() else None


def _undo(token_id: int, seq: int | None, by: User) -> Outcome:
    """Take back the last step; where it is named by its number, that one and no other.

    Raises:
        ChangedSince: another step came after it. Everything is rolled back.
    """
    outcome = undoing.undo_last(token_id=token_id, by=by)
    if seq is not None and outcome.token is not None:
        undone = queries.last_event(token_id)
        if undone[0].cause_seq != seq:
            raise ChangedSince(number=outcome.token.number)
    return outcome


def _minutes(form: StepForm) -> int:
    return int(form.cleaned_data["minutes"] or HOLD_MINUTES)


def _raise(token: Token, by: User) -> Outcome:
    """Ask for an emergency place for the patient of a token: the engine raises the token that is held."""
    session, now = read_session(token.session_id)
    can = [slot for slot in session.slots if rules.takes(slot, session, now)]
    own = token.status == Status.CONFIRMED or any(slot.id == token.slot_id for slot in can)
    slot_id = token.slot_id if own or not can else can[0].id
    return allocation.request_token(patient_id=token.patient_id, source=Source.EMERGENCY, slot_id=slot_id, by=by)


def _told(
    request: HttpRequest, where: Place, verb: str, token: Token | None, deed: Deed, form: StepForm
) -> dict[str, Any]:
    """Take the step; what is told of it is kept with its key."""
    outcome = deed(by=person(request))
    names: dict[str, Any] = {"minutes": _minutes(form) if verb == "hold" else None}
    if verb in ("send-on", "correct") and outcome.token:
        now = queries.get_token(token_id=outcome.token.id, by=person(request))
        names |= {"doctor": now.session.doctor.name, "patient": now.patient.name}
        names["old"] = token.number if token else ""
    said = told(verb, outcome, where.local, **names)
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
        context["undo"] = next((step for step in context["often"] if step.verb == "undo"), None)
    response = show(request, "reception/_after.html", where.facility, context)
    response["HX-Trigger"] = "changed"
    return response


def _refused(request: HttpRequest, where: Place, token: Token | None, verb: str, error: DomainError) -> HttpResponse:
    """Say what a rule refused. What was typed into the drawer stays there."""
    found = step_named(verb)
    if found and found.asks and token:
        context = asking(request, where, verb, token, sent=request.POST, error=error)
        return _asked(request, where, context, status=error.status)
    if request.headers.get("HX-Request"):
        raise error
    messages.error(request, str(error))
    return redirect(_back(request, where, token.pk if token else None))


def _back(request: HttpRequest, where: Place, token_id: int | None) -> str:
    """The page that the form stood on, with the token selected."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    if wanted and url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure()):
        return wanted
    query = {
        "show": request.POST.get("show", ""),
        "token": token_id or "",
        "date": "" if where.is_today else where.date,
    }
    return f"{reverse('desk')}?{urlencode({name: value for name, value in query.items() if value})}"
