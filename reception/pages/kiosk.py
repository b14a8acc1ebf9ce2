"""The kiosk: arrive by the slip's code or by phone number and year of birth, or take a token of a department.

What a person does here is kept in the session of the screen until it returns to its start: nothing of it stands in an
address, in the page's history or in what the browser offers to fill in.
"""

import functools
import math
import time
from collections.abc import Callable
from typing import Any, Concatenate, Final, ParamSpec
from uuid import uuid4

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import Facility
from accounts.permissions import require
from common.api.exceptions import as_domain_error
from common.api.throttling import Window
from common.errors import DomainError, NotFound, TooManyRequests
from reception import self_service
from reception.board import room_words
from reception.kiosk_mode import KIOSK
from reception.kiosk_queries import offers, people, scanned, tokens_today
from reception.models import SelfService
from reception.pages.frame import done_once, person
from reception.pages.languages import NAMES
from reception.pages.patient import context_of
from reception.pages.slip import qr_code
from reception.phone import State
from reception.phone_queries import own, token_by_id, token_of
from reception.self_service import Where
from tokens.models import Token
from tokens.waits import given

P = ParamSpec("P")
Page = Callable[Concatenate[HttpRequest, Facility, P], HttpResponse]

VISIT: Final = "kiosk_visit"
FORGOTTEN: Final = 120
"""Seconds after which what somebody did is forgotten, should the screen not have returned to its start by itself."""
REST: Final = 20
"""Seconds of rest after which the screen returns to its start."""
OF_A_NUMBER: Final = Window(limit=5, seconds=600)
"""Wrong tries with one phone number: a year of birth is not to be guessed."""
OF_A_SCREEN: Final = Window(limit=30, seconds=600)
"""Wrong tries at one kiosk."""


def kiosk(page: Page[P]) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """A page of a screen that is a kiosk, in the language that was chosen on it."""

    @never_cache
    @functools.wraps(page)
    def shown(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        if KIOSK not in request.session:
            return redirect("kiosk")
        facility = Facility.objects.get(pk=request.session[KIOSK])
        require(person(request), "reception.kiosk", facility.pk)
        with translation.override(_language(request, facility)), timezone.override(facility.tz):
            try:
                return page(request, facility, *args, **kwargs)
            except Exception as error:
                # Whatever it is, the busy database too: nobody stands by to bring the screen back to its start.
                known = as_domain_error(error)
                if known is None:
                    raise
                return _sorry(request, facility, known)

    return shown


# What is remembered of the one who stands here


def _visit(request: HttpRequest) -> dict[str, Any]:
    """What was done since the start; empty where that is too long ago."""
    kept: dict[str, Any] = request.session.get(VISIT) or {}
    return kept if kept.get("at", 0) > time.time() - FORGOTTEN else {}


def _remember(request: HttpRequest, **values: Any) -> None:
    request.session[VISIT] = {**_visit(request), **values, "at": time.time()}


def forget(request: HttpRequest) -> None:
    """The next one begins anew."""
    request.session.pop(VISIT, None)


def _language(request: HttpRequest, facility: Facility) -> str:
    kept = _visit(request).get("language", "")
    return kept if kept in facility.languages else facility.languages[0]


def _show(
    request: HttpRequest, template: str, facility: Facility, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    common = {
        "facility": facility,
        "languages": {code: NAMES[code] for code in facility.languages if code in NAMES},
        "language": translation.get_language(),
        "now": timezone.now(),
        "rest": REST,
        "key": uuid4(),
    }
    return render(request, f"reception/kiosk_{template}.html", {**common, **context}, status=status)


# The start


@kiosk
@require_safe
def start(request: HttpRequest, facility: Facility) -> HttpResponse:
    """Welcome: three ways, each in the language that is chosen here. Whoever was here before is forgotten."""
    forget(request)
    asked = request.GET.get("lang", "")
    if asked in facility.languages:
        _remember(request, language=asked)
    with translation.override(_language(request, facility)):
        return _show(request, "start", facility, {"start": True, "rest": REST if asked else 0})


# Arriving


@kiosk
@require_POST
def scan(request: HttpRequest, facility: Facility) -> HttpResponse:
    """A scanner has typed what is on the slip."""
    _refuse_guessing(request)
    try:
        token = token_of(scanned(request.POST.get("code", "")))
        if token.session.facility_id != facility.pk:
            raise NotFound
    except NotFound:
        return _not_found(request, facility, "")
    return _come_in(request, token.pk)


@kiosk
@require_http_methods(["GET", "HEAD", "POST"])
def find(request: HttpRequest, facility: Facility) -> HttpResponse:
    """Phone number and year of birth: for who has a booking, and for who wants a token of a department."""
    asked = request.GET.get("department", "")
    chosen = next((offer for offer in offers(facility) if str(offer.id) == asked), None)
    if asked and chosen is None:
        return redirect("kiosk_departments")  # it has closed since it was shown
    if request.method != "POST":
        return _show(request, "find", facility, {"department": chosen})
    phone, year = request.POST.get("phone", "")[:40], request.POST.get("year", "").strip()[:10]
    digits = "".join(sign for sign in phone if sign.isdecimal())[-9:]
    _refuse_guessing(request, digits)
    found = people(facility, phone, year)
    if chosen is None:
        return _one_of(request, facility, tokens_today(facility, found), digits)
    if len(found) != 1:
        return _not_found(request, facility, digits, department=True)
    return _walk_in(request, facility, found[0], chosen.id)


def _one_of(request: HttpRequest, facility: Facility, tokens: list[Token], digits: str) -> HttpResponse:
    """One token is taken as meant; of several one is chosen, by number, time and room: no name stands here."""
    if not tokens:
        return _not_found(request, facility, digits)
    if len(tokens) == 1:
        return _come_in(request, tokens[0].pk)
    _remember(request, tokens=[token.pk for token in tokens])
    return redirect("kiosk_choose")


@kiosk
@require_http_methods(["GET", "HEAD", "POST"])
def choose(request: HttpRequest, facility: Facility) -> HttpResponse:
    """Which of the family's tokens?"""
    allowed = _visit(request).get("tokens", [])
    asked = request.POST.get("token", "")
    if request.method == "POST" and asked.isdecimal() and int(asked) in allowed:
        return _come_in(request, int(asked))
    tokens = [token_by_id(pk) for pk in allowed]
    if not tokens:
        return redirect("kiosk")
    rows = [(token, room_words(token.session.room.name)) for token in tokens]
    return _show(request, "choose", facility, {"tokens": rows})


def _come_in(request: HttpRequest, token_id: int) -> HttpResponse:
    """Say that the patient is here where that makes sense on this day, and show how it stands."""
    if own(token_by_id(token_id)).standing.state in (State.LATER, State.OVER):
        _remember(request, answer=token_id, came=False, print=False, tokens=[])
        return redirect("kiosk_answer")
    where = _where(request)
    return _answered(request, lambda: (token_id, self_service.come_in(token_id=token_id, where=where) is not None))


def _answered(request: HttpRequest, step: Callable[[], tuple[int, bool]]) -> HttpResponse:
    """Take a step once and remember the answer, which is asked for on its own; who has no slip yet gets one.

    Args:
        step: gives the token, and whether anything was done.
    """

    def work() -> dict[str, Any]:
        token_id, came = step()
        printed = came and self_service.print_first_slip(token_id=token_id, by=person(request)) is not None
        return {"answer": token_id, "came": came, "print": printed, "tokens": []}

    _remember(request, **done_once(request, work))
    return redirect("kiosk_answer")


def _where(request: HttpRequest) -> Where:
    return Where(SelfService.Via.KIOSK, request.META.get("REMOTE_ADDR") or None)


# A token of a department


@kiosk
@require_safe
def departments(request: HttpRequest, facility: Facility) -> HttpResponse:
    """Which department? The wait stands beside each."""
    return _show(request, "departments", facility, {"offers": offers(facility)})


def _walk_in(request: HttpRequest, facility: Facility, patient_id: int, department_id: int) -> HttpResponse:
    """A token for today; who holds one there already arrives with that one."""
    held = [t for t in tokens_today(facility, [patient_id], department_id=department_id) if t.status != "no_show"]
    if held:
        return _come_in(request, held[0].pk)

    def take() -> tuple[int, bool]:
        today, where = facility.local_date(), _where(request)
        token_id = self_service.take_token(patient_id=patient_id, department_id=department_id, on=today, where=where)
        return token_id, True

    return _answered(request, take)


# The answer


@kiosk
@require_safe
def answer(request: HttpRequest, facility: Facility) -> HttpResponse:
    """The number, large; where to wait, how many are ahead, and likely when. The slip prints once."""
    visit = _visit(request)
    if "answer" not in visit:
        return redirect("kiosk")
    found = own(token_by_id(visit["answer"]))
    if found.standing.likely is not None:
        given(found.token.pk, found.wait, where="kiosk", ahead=found.standing.ahead, at=found.now)
    printing = bool(visit.get("print"))
    _remember(request, print=False)
    context = {**context_of(found), "came": visit["came"], "printing": printing}
    if printing:
        address = request.build_absolute_uri(reverse("patient", args=[found.token.key]))
        context |= {"qr": qr_code(address), "address": address}
    return _show(request, "answer", facility, context)


# What cannot be done here


def _refuse_guessing(request: HttpRequest, digits: str = "") -> None:
    """Refuse who has tried too often with this number, or at this kiosk.

    Raises:
        TooManyRequests
    """
    waits = [OF_A_SCREEN.full(request.session.session_key), OF_A_NUMBER.full(digits) if digits else None]
    longest = max((wait for wait in waits if wait is not None), default=None)
    if longest is not None:
        raise TooManyRequests(wait=max(1, math.ceil(longest)))


def _not_found(request: HttpRequest, facility: Facility, digits: str, *, department: bool = False) -> HttpResponse:
    """The same answer whatever it is that nobody knows: the number, the year, or a booking of today."""
    OF_A_SCREEN.hit(request.session.session_key)
    if digits:
        OF_A_NUMBER.hit(digits)
    return _show(request, "sorry", facility, {"why": "unknown" if department else "nothing"}, status=404)


def _sorry(request: HttpRequest, facility: Facility, error: DomainError) -> HttpResponse:
    """A rule refuses: the desk helps."""
    why = "often" if isinstance(error, TooManyRequests) else "refused"
    response = _show(request, "sorry", facility, {"why": why}, status=error.status)
    for name, value in error.headers.items():
        response.headers[name] = value
    return response
