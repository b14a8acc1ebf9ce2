"""Changes of a session and of its slots: asked for, previewed, made, taken back. One address for all of them.

What takes places from people is previewed by the engine itself and made exactly as previewed: where anything moved
meanwhile nothing is changed, and the new preview stands there.
"""

from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.permissions import require
from common.errors import BadInput, DomainError, Forbidden, NotFound
from reception import plan_queries
from reception.changes import CHANGES, Change
from reception.errors import ReasonMissing
from reception.forms import PlanForm
from reception.pages.frame import Place, done_once, person, show, staff
from reception.pages.plan_drawer import Context, action, asking, done, fingerprint, menu
from reception.telling import told_of_session
from scheduling.models import Session
from tokens import planning, supply
from tokens.errors import PlanStale

VIEW = "tokens.view"


@staff
@require_http_methods(["GET", "HEAD", "POST"])
def session_page(request: HttpRequest, session_id: int) -> HttpResponse:
    """What can be done with a session; with `do` one change of it; with `plan` what was done."""
    data = request.POST if request.method == "POST" else request.GET
    verb = data.get("do", "")
    session = plan_queries.session_of(session_id=session_id, by=person(request), code=VIEW)
    where = Place(session.facility, [], session.date)
    if verb == "undo" and request.method == "POST":
        return _undo(request, where, session, _number(data.get("plan", "")))
    if data.get("plan") and request.method != "POST":
        return _shown(request, session, done(request, where, session, _number(data["plan"])))
    if not verb:
        return _shown(request, session, menu(request, where, session))
    change = CHANGES.get(verb)
    if change is None:
        raise NotFound
    require(person(request), change.permission, session.facility_id)
    form = PlanForm(data, verb=verb)
    if not form.is_valid():
        raise BadInput(" ".join(f"{name}: {errors[0]}" for name, errors in form.errors.items()))
    if request.method == "POST":
        return _make(request, where, session, change, form)
    return _shown(request, session, asking(request, where, session, change, form))


def _number(text: str) -> int:
    if not text.isdecimal() or len(text) > 18:
        raise NotFound
    return int(text)


def _shown(request: HttpRequest, session: Session, context: Context, *, status: int = 200) -> HttpResponse:
    """In the drawer, or its inside alone, or as a page of its own."""
    target = request.headers.get("HX-Target", "")
    template = {"drawer": "_plan_drawer", "plan": "_plan", "preview": "_plan"}.get(target, "plan")
    if not request.headers.get("HX-Request"):
        template = "plan"
    context["page"] = template == "plan"
    context["back"] = _back(request, session, context["next"])
    return show(request, f"reception/{template}.html", session.facility, context, status=status)


def _back(request: HttpRequest, session: Session, wanted: str) -> str:
    """The page that one came from: the one named in the form, else the desk of that day."""
    if wanted and url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure()):
        return wanted
    return f"{reverse('desk')}?{urlencode({'show': 'all', 'date': session.date})}"


# Making it


def _make(request: HttpRequest, where: Place, session: Session, change: Change, form: PlanForm) -> HttpResponse:
    """Make a change. What is planned is made as previewed, or the new preview is shown."""
    if change.planned and form.cleaned_data["asked"] != form.choices:
        return _shown(request, session, asking(request, where, session, change, form))
    if change.reasoned and not form.cleaned_data["reason"].strip():
        missing = ReasonMissing(attr="reason")
        context = asking(request, where, session, change, form, error=missing)
        return _shown(request, session, context, status=missing.status)
    work = _planned if change.planned else _said
    try:
        answered = done_once(request, lambda: work(request, where, session, change, form))
    except (NotFound, Forbidden):
        raise
    except DomainError as error:
        moved = isinstance(error, PlanStale)
        context = asking(request, where, session, change, form, error=None if moved else error, moved=moved)
        return _shown(request, session, context, status=error.status)
    if "plan" in answered:
        return _planned_answer(request, where, session, answered["plan"])
    return _said_answer(request, where, session, answered)


def _planned(request: HttpRequest, where: Place, session: Session, change: Change, form: PlanForm) -> dict[str, Any]:
    """Apply a plan, exactly as it was previewed.

    The version says that the session is as it was; a plan may reach into the doctor's later sessions too, so what it
    does is compared as well.

    Raises:
        PlanStale: and everything is rolled back.
    """
    result = action(change, session, form)(version=form.cleaned_data["version"] or 0, by=person(request))
    if fingerprint(result.plan) != form.cleaned_data["seen"]:
        raise PlanStale(plan=result.plan)
    return {"plan": result.plan["id"]}


def _said(request: HttpRequest, where: Place, session: Session, change: Change, form: PlanForm) -> dict[str, Any]:
    """Say that the doctor is late, pauses, goes on."""
    by = person(request)
    was = session.delay_minutes
    if change.verb == "delay":
        minutes = form.late
        if minutes is None:
            raise BadInput(_("Say how many minutes."), attr="minutes")
        outcome = supply.delay_session(session_id=session.pk, minutes=minutes, by=by)
    elif change.verb == "pause":
        outcome = supply.pause_session(session_id=session.pk, by=by)
    else:
        outcome = supply.resume_session(session_id=session.pk, by=by)
    back = {"delay": "delay", "pause": "resume", "resume": "pause"}[change.verb]
    return {
        "said": " ".join(told_of_session(change.verb, session.doctor.name, outcome, where.local)),
        "undo": {"do": back, **({"minutes": was} if back == "delay" else {})},
    }


def _planned_answer(request: HttpRequest, where: Place, session: Session, plan_id: int) -> HttpResponse:
    if not request.headers.get("HX-Request"):
        query = {"plan": plan_id, "next": request.POST.get("next", "")}
        address = reverse("session", args=[session.pk])
        return redirect(f"{address}?{urlencode({name: value for name, value in query.items() if value})}")
    response = _shown(request, session, done(request, where, session, plan_id))
    response["HX-Trigger"] = "changed"
    return response


def _said_answer(request: HttpRequest, where: Place, session: Session, answered: dict[str, Any]) -> HttpResponse:
    back = _back(request, session, request.POST.get("next", ""))
    if not request.headers.get("HX-Request"):
        messages.success(request, answered["said"])
        return redirect(back)
    context = {**answered, "session": session, "where": where, "drawer": "", "key": uuid4()}
    response = show(request, "reception/_plan_said.html", session.facility, context)
    response["HX-Trigger"] = "changed"
    return response


def _undo(request: HttpRequest, where: Place, session: Session, plan_id: int) -> HttpResponse:
    """Take a plan back."""
    plan_queries.plan_of(session, plan_id)

    def work() -> dict[str, Any]:
        planning.undo_plan(plan_id=plan_id, by=person(request))
        return {"plan": plan_id}

    try:
        done_once(request, work)
    except (NotFound, Forbidden):
        raise
    except DomainError as error:
        return _shown(request, session, done(request, where, session, plan_id, error=error), status=error.status)
    return _planned_answer(request, where, session, plan_id)
