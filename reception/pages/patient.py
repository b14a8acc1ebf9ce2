"""The patient's own page, reached with the key on the slip: no sign-in, no names, and nothing of it is kept anywhere.

What is refused is said in a patient's words. A key that leads nowhere is told apart from an old one by nothing.
"""

import functools
import math
from collections.abc import Callable
from typing import Any, Concatenate, Final, ParamSpec

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import Facility
from common.api.throttling import AddressThrottle, Window, counted
from common.errors import DomainError, Refused, TooManyRequests
from common.kept import Kept
from common.pages import refusal
from common.transactions import outermost
from reception import self_service
from reception.board import room_words
from reception.errors import FormNotTrusted
from reception.models import SelfService
from reception.money.queries import before_cancelling
from reception.pages.languages import NAMES, chosen, remember
from reception.phone_queries import Own, own, token_of
from reception.self_service import Where
from reception.streaming import live_page
from tokens.live import Frame, Watch
from tokens.models import Token
from tokens.waits import given

P = ParamSpec("P")
Page = Callable[Concatenate[HttpRequest, str, P], HttpResponse]

PREFIX: Final = "/t/"
LOOKS: Final = Window(limit=120, seconds=60)
"""How often a token is looked at: a phone that is opened again and again meets no limit, a loop does."""
STEPS: Final = Window(limit=10, seconds=60)
"""How often somebody acts with a token."""
_frames: Kept[Frame] = Kept(seconds=120, most=2_000)


def public(page: Page[P]) -> Page[P]:
    """A page for whoever holds a slip: limited by address and token, in the holder's language, kept by nobody."""

    @never_cache
    @functools.wraps(page)
    def shown(request: HttpRequest, key: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        language = chosen(request, list(NAMES))
        try:
            not_too_often(request, key)
            response = page(request, key, *args, **kwargs)
        except DomainError as error:
            response = refused(request, error, language)
        response.headers.setdefault("X-Robots-Tag", "noindex, nofollow, noarchive")
        # Not "no-referrer": with it a browser hides the origin of our own forms too, and they would be refused.
        response.headers["Referrer-Policy"] = "same-origin"
        return response

    return shown


def not_too_often(request: HttpRequest, key: str) -> None:
    """Count the request for its address and its token.

    Raises:
        TooManyRequests
    """
    if counted(request):
        return
    waits = [AddressThrottle.window.hit(request.META.get("REMOTE_ADDR", "")), LOOKS.hit(key)]
    if request.method == "POST":
        waits.append(STEPS.hit(key))
    longest = max((wait for wait in waits if wait is not None), default=None)
    if longest is not None:
        raise TooManyRequests(wait=max(1, math.ceil(longest)))


def refused(request: HttpRequest, error: DomainError, language: str) -> HttpResponse:
    """The answer where there is no token to show."""
    with translation.override(language):
        context = {"error": error, "wait": error.data.get("wait"), "languages": NAMES, "language": language}
        response = render(request, "reception/patient_refused.html", context, status=error.status)
    remember(request, response, language)
    for name, value in error.headers.items():
        response.headers[name] = value
    return response


def not_trusted(request: HttpRequest, reason: str = "") -> HttpResponse:
    """`CSRF_FAILURE_VIEW`, of patients' and staff's forms: nothing was done."""
    error = FormNotTrusted()
    if request.path.startswith(PREFIX):
        return refused(request, error, chosen(request, list(NAMES)))
    return refusal(request, error)


# The page


@public
@require_safe
def patient(request: HttpRequest, key: str) -> HttpResponse:
    """The page. Six queries at most; three where nothing changed in the session since somebody looked."""
    found = own(token_of(key))
    if found.standing.likely is not None:
        given(found.token.pk, found.wait, where="page", ahead=found.standing.ahead, at=found.now)
    return show(request, found)


def show(request: HttpRequest, found: Own, *, refusal: bool = False, status: int = 200) -> HttpResponse:
    """The page of a token, in the language of whoever asks."""
    return _spoken(request, found, "reception/patient.html", {"refusal": refusal}, status)


def _spoken(request: HttpRequest, found: Own, template: str, more: dict[str, Any], status: int = 200) -> HttpResponse:
    facility = found.facility
    language = chosen(request, facility.languages)
    with translation.override(language), timezone.override(facility.tz):
        frame = framed(found)
        context = {**context_of(found), **more, "frame": frame, "languages": NAMES, "language": language}
        response = render(request, template, context, status=status)
    remember(request, response, language)
    return response


def context_of(found: Own) -> dict[str, Any]:
    """What the words of a visit are made of, in the language that is active."""
    token = found.token
    days = (token.session.date - found.now.date()).days
    return {
        "own": found,
        "token": token,
        "standing": found.standing,
        "facility": found.facility,
        "room": room_words(token.session.room.name),
        "doctor": token.session.doctor.name,
        "days": days,
        "sent_room": room_words(found.sent_to.session.room.name) if found.sent_to else "",
        "old_room": room_words(found.moved_from.session.room.name) if found.moved_from else "",
        "elsewhere": found.moved_from is not None and found.moved_from.session.doctor_id != token.session.doctor_id,
        "other_day": found.moved_from is not None and found.moved_from.session.date != token.session.date,
    }


def framed(found: Own) -> Frame:
    """What of the page changes, in the language and on the clock that are active; written anew where it differs.

    Whoever arrives, is called or goes changes the session of a hall full of phones, and what few of them show.
    """
    return _frames.get((translation.get_language(), found.shown), lambda: _written(found))


def _written(found: Own) -> Frame:
    context = context_of(found)
    parts = {
        "state": render_to_string("reception/_patient_state.html", context),
        "acts": render_to_string("reception/_patient_acts.html", context),
    }
    return Frame.of({name: html.strip() for name, html in parts.items()})


@live_page
def stream(request: HttpRequest, key: str) -> Watch:
    """What the page's stream watches: read and rendered once for all phones that hold this slip in one language."""
    not_too_often(request, key)
    token = token_of(key)
    translation.activate(chosen(request, token.session.facility.languages))
    # A token that goes to another session is watched anew there: the stream asks again, and ends where this differs.
    return Watch(
        key=("patient", token.pk, token.session_id),
        read=lambda: _read(key, token.session.facility),
        session_ids=frozenset({token.session_id}),
    )


def _read(key: str, facility: Facility) -> Frame | None:
    try:
        with timezone.override(facility.tz):
            return framed(own(token_of(key)))
    except DomainError:
        return None


# What the patient does


@public
@require_POST
def here(request: HttpRequest, key: str) -> HttpResponse:
    """ "I am here". Pressed twice, it is said once."""
    token = token_of(key)
    if not own(token).standing.says_here:
        return _as_it_stands(request, key, lambda found: found.standing.here)
    return _step(request, token, self_service.say_here, lambda found: found.standing.here)


@public
@require_http_methods(["GET", "HEAD", "POST"])
def cancel(request: HttpRequest, key: str) -> HttpResponse:
    """The page that says what cancelling means, and the step itself."""
    token = token_of(key)
    found = own(token)
    if not found.standing.cancels:
        return _as_it_stands(request, key, lambda now: now.ended_by == "patient")
    if request.method != "POST":
        with translation.override(chosen(request, found.facility.languages)):
            money = before_cancelling(token)
        return _spoken(request, found, "reception/patient_cancel.html", {"money": money})
    return _step(request, token, self_service.cancel, lambda now: now.ended_by == "patient")


def _step(
    request: HttpRequest, token: Token, step: Callable[..., object], wished: Callable[[Own], bool]
) -> HttpResponse:
    """Take a step in the outermost transaction, and go back to the page."""
    where = Where(SelfService.Via.LINK, request.META.get("REMOTE_ADDR") or None)
    try:
        outermost(lambda: step(token_id=token.pk, where=where))
    except Refused:
        return _as_it_stands(request, token.key, wished)
    return redirect("patient", key=token.key)


def _as_it_stands(request: HttpRequest, key: str, wished: Callable[[Own], bool]) -> HttpResponse:
    """Nothing was done: it had been done before, or the page says that it cannot be done any more."""
    found = own(token_of(key))
    if wished(found) or request.method != "POST":
        return redirect("patient", key=key)
    return show(request, found, refusal=True, status=409)
