"""A screen becomes a kiosk, and is one no longer: staff's two pages of it."""

from allauth.account.adapter import get_adapter
from django import forms
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.actions import kiosk_user
from accounts.models import Facility, User
from accounts.permissions import allows, require
from reception.kiosk_mode import KIOSK, begin
from reception.pages.frame import person, place, show, staff
from reception.pages.kiosk import start


@never_cache
@require_safe
def gate(request: HttpRequest) -> HttpResponse:
    """The kiosk's start; on a screen that is none, the page that makes it one."""
    return start(request) if KIOSK in request.session else offer(request)


@staff
def offer(request: HttpRequest) -> HttpResponse:
    """Start the kiosk on this screen?"""
    where = place(request)
    require(person(request), "reception.kiosk", where.facility.pk)
    return show(request, "reception/kiosk_offer.html", where.facility, {"where": where})


@staff
@require_POST
def begin_here(request: HttpRequest) -> HttpResponse:
    """This screen is a kiosk from now on; whoever sat here is signed out.

    Raises:
        NoKioskUser: the facility's kiosk account cannot be used.
    """
    where = place(request)
    require(person(request), "reception.kiosk", where.facility.pk)
    begin(request, where.facility, kiosk_user(facility=where.facility))
    return redirect("kiosk")


class EndForm(forms.Form):
    """Who ends the kiosk says who they are: everybody in the hall can reach this page."""

    username = forms.CharField(max_length=150)
    password = forms.CharField(max_length=200)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def end(request: HttpRequest) -> HttpResponse:
    """End the kiosk. Wrong passwords are counted with those of the sign-in page."""
    if KIOSK not in request.session:
        return redirect("kiosk")
    facility = Facility.objects.get(pk=request.session[KIOSK])
    with translation.override("en"):
        error = _wrong(request, facility) if request.method == "POST" else ""
        if request.method == "POST" and not error:
            logout(request)
            return redirect("kiosk")
        return show(request, "reception/kiosk_end.html", facility, {"error": error, "language": "en"})


def _wrong(request: HttpRequest, facility: Facility) -> str:
    """Why the person may not end the kiosk; empty where they may."""
    form = EndForm(request.POST)
    if not form.is_valid():
        return _("Enter your user name and password.")
    try:
        user = get_adapter(request).authenticate(request, **form.cleaned_data)
    except forms.ValidationError as error:
        return " ".join(error.messages)
    if not isinstance(user, User) or not allows(user, "reception.kiosk", facility.pk):
        return _("These are not the user name and password of somebody who may end the kiosk.")
    return ""
