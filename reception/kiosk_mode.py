"""A screen that is a kiosk: its session belongs to the facility's kiosk user, and leads nowhere but to the kiosk."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.contrib.auth import login, logout
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render

from accounts.models import Facility, User

KIOSK: Final = "kiosk_facility"
"""Where the session keeps whose kiosk the screen is."""
LASTS: Final = timedelta(days=30)
HOME: Final = "/kiosk/"


def begin(request: HttpRequest, facility: Facility, user: User) -> None:
    """End the session of whoever sits here; from now on the screen is a kiosk."""
    logout(request)
    login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
    request.session.set_expiry(LASTS)
    request.session[KIOSK] = facility.pk


class KioskMiddleware:
    """What is not the kiosk does not exist for a screen that is one, whatever its user may do elsewhere."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.open = (HOME, f"/{settings.STATIC_URL.strip('/')}/")

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Pass the request on, unless it comes from a kiosk and leads away from it."""
        signed_in = settings.SESSION_COOKIE_NAME in request.COOKIES
        if signed_in and not request.path.startswith(self.open) and KIOSK in request.session:
            if request.path == "/":
                return redirect(HOME)
            return render(request, "reception/kiosk_lost.html", {"home": HOME}, status=404)
        return self.get_response(request)
