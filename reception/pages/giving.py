"""A patient is registered, a token is given. After a refusal the form comes back with everything that was typed."""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from common.errors import BadInput, DomainError, NotFound
from patients.actions import register_patient
from patients.models import Patient
from patients.phones import normalise
from patients.queries import possible_duplicates
from reception.errors import SlotMissing
from reception.forms import GiveForm, RegisterForm
from reception.pages.desk import whole
from reception.pages.drawers import Context, answer, giving, registering
from reception.pages.frame import Place, done_once, person, place, show, staff
from reception.pages.selection import selected
from tokens import allocation


@staff
@require_POST
def register(request: HttpRequest) -> HttpResponse:
    """Enter a new patient; where somebody like that is known already, ask first."""
    where = place(request)
    form = RegisterForm(request.POST)
    if not form.is_valid():
        return _again(request, where, registering(request, where, form), status=400)
    try:
        if not form.cleaned_data["anyway"]:
            known = _known_already(where, form)
            if known:
                return _again(request, where, registering(request, where, form, duplicates=known), status=409)
        answered = done_once(request, lambda: {"patient": _register(request, where, form).pk})
    except BadInput as error:
        form.add_error({"birth_year": "born", "age": "born"}.get(error.attr or "", error.attr), str(error))
        return _again(request, where, registering(request, where, form), status=error.status)
    return _go(request, where, {"patient": answered["patient"]})


def _register(request: HttpRequest, where: Place, form: RegisterForm) -> Patient:
    return register_patient(facility=where.facility, by=person(request), **form.known)


def _known_already(where: Place, form: RegisterForm) -> list[Patient]:
    known = form.known
    year = known.get("birth_year") or (where.facility.local_date().year - known["age"] if "age" in known else None)
    phone = normalise(known["phone"], region=where.facility.phone_region)
    asked = Patient(facility=where.facility, name=known["name"], phone=phone, sex=known["sex"], birth_year=year)
    return possible_duplicates(asked)


@staff
@require_POST
def give(request: HttpRequest) -> HttpResponse:
    """Give a token. The answer says where it stands and who moved for it."""
    where = place(request)
    form = GiveForm(request.POST)
    if not form.is_valid():
        raise BadInput(" ".join(str(text) for texts in form.errors.values() for text in texts))
    try:
        if not form.slot:
            raise SlotMissing(attr="slot")
        wish = form.wish(where.date)
        answered = done_once(request, lambda: _give(request, wish))
    except NotFound:
        raise
    except DomainError as error:
        return _again(
            request,
            where,
            giving(request, where, form.cleaned_data["patient"], request.POST, error=error),
            status=error.status,
        )
    return _go(request, where, {"given": answered["token"]})


@staff
@require_POST
def look(request: HttpRequest) -> HttpResponse:
    """The slots of another doctor, for who has no scripts: sent as a form, so that no secret gets into the address."""
    wanted = ("patient", "who", "source", "note", "date")
    query = {name: request.POST[name] for name in wanted if request.POST.get(name)}
    return redirect(f"{reverse('desk')}?{urlencode(query)}")


def _give(request: HttpRequest, wish: dict[str, Any]) -> dict[str, Any]:
    outcome = allocation.request_token(**wish, by=person(request))
    assert outcome.token is not None  # a request always ends in a token
    return {"token": outcome.token.id}


def _again(request: HttpRequest, where: Place, context: Context, *, status: int) -> HttpResponse:
    """The form once more, with what was wrong."""
    if request.headers.get("HX-Request"):
        return show(request, "reception/_drawer.html", where.facility, context, status=status)
    return whole(request, where, context, status=status)


def _go(request: HttpRequest, where: Place, query: dict[str, Any]) -> HttpResponse:
    """On to what the drawer shows next: by htmx in place, else by a redirect, so that a reload sends nothing again."""
    if not where.is_today:
        query["date"] = where.date.isoformat()
    if not request.headers.get("HX-Request"):
        return redirect(f"{reverse('desk')}?{urlencode(query)}")
    if "given" in query:
        context = answer(request, where, query["given"])
        bar = selected(request, where, context["given"])
        response = show(request, "reception/_given.html", where.facility, {**bar, **context})
        response["HX-Trigger"] = "changed"
        return response
    return show(request, "reception/_drawer.html", where.facility, giving(request, where, query["patient"], {}))
