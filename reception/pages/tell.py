"""A patient was told, or was not after all: one press, one row, whoever presses."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from common.errors import NotFound
from reception import actions
from reception.errors import NothingToTell
from reception.models import PatientTold
from reception.pages.asking import whole_number
from reception.pages.frame import Place, done_once, person, place, show, staff
from reception.pages.untold import to_be_told


@staff
@require_POST
def tell(request: HttpRequest) -> HttpResponse:
    """Somebody was told of the change that the chosen line names."""
    where = place(request)
    wish = _wish(request.POST.get("who", ""))
    try:
        answered = done_once(request, lambda: {"told": actions.tell(**wish, by=person(request)).pk})
    except NothingToTell as error:
        return _after(request, where, str(error))
    told = PatientTold.objects.select_related("token__patient", "by").get(pk=answered["told"])
    return _after(request, where, _said(told, person(request).pk, where), told)


@staff
@require_POST
def undo(request: HttpRequest) -> HttpResponse:
    """The last one was not told."""
    where = place(request)
    told_id = whole_number(request.POST.get("told", ""))
    answered = done_once(request, lambda: {"told": actions.untell(told_id=told_id, by=person(request)).pk})
    told = PatientTold.objects.select_related("token").get(pk=answered["told"])
    return _after(request, where, _("%(number)s is still to be told.") % {"number": told.token.number})


def _wish(who: str) -> dict[str, Any]:
    """What a line of the list names: `Untold.value`.

    Raises:
        NotFound: it names nothing.
    """
    token_id, _dot, rest = who.partition(".")
    seq, _dot, about = rest.partition(".")
    if about not in PatientTold.About.values:
        raise NotFound
    return {"token_id": whole_number(token_id), "seq": whole_number(seq), "about": PatientTold.About(about)}


def _said(told: PatientTold, user_id: int, where: Place) -> str:
    facts = {"number": told.token.number, "by": told.by, "at": where.local(told.at)}
    if told.by_id == user_id:
        return _("%(number)s was told.") % facts
    return _("%(number)s was told already, by %(by)s at %(at)s.") % facts


def _after(request: HttpRequest, where: Place, said: str, told: PatientTold | None = None) -> HttpResponse:
    """The list without who was told; by htmx in place."""
    if not request.headers.get("HX-Request"):
        messages.success(request, said)
        done = f"&done={told.pk}" if told else ""
        return redirect(f"{reverse('desk')}?tell=1{done}")
    context: dict[str, Any] = {**to_be_told(request, where, done=told), "said": said}
    return show(request, "reception/_told.html", where.facility, context)
