"""What every page of the desk has in common: who asks, in which facility, and how an action is run once."""

import datetime as dt
import functools
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render, resolve_url
from django.utils import timezone, translation
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _

from accounts.models import Facility, User
from accounts.permissions import allows
from common.api.idempotency import once
from common.errors import BadInput, NotFound
from reception import queries

P = ParamSpec("P")
R = TypeVar("R")

KEY = "idempotency_key"
_NOT_ASKED = (KEY, "csrfmiddlewaretoken", "version", "since")
"""Fields of a form that are no part of what is asked for."""


def staff(page: Callable[Concatenate[HttpRequest, P], R]) -> Callable[Concatenate[HttpRequest, P], R]:
    """A page, or its stream, for people who have signed in. htmx is told to go to the sign-in page as a whole.

    Staff read English whatever their browser asks for: the catalogues hold what patients read, and a page that is
    half of it in another language helps nobody.
    """

    @functools.wraps(page)
    def checked(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> R | HttpResponse:
        translation.activate(settings.LANGUAGE_CODE)
        answer = page(request, *args, **kwargs) if request.user.is_authenticated else _sign_in(request)
        if isinstance(answer, HttpResponse):
            add_never_cache_headers(answer)
        return answer

    checked.for_staff = True  # type: ignore[attr-defined]  # a stream of it has room when the public ones have none
    return cast("Callable[Concatenate[HttpRequest, P], R]", checked)


def _sign_in(request: HttpRequest) -> HttpResponse:
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Redirect": resolve_url("account_login")})
    return redirect_to_login(request.get_full_path())


def person(request: HttpRequest) -> User:
    """Who asks; `staff` let nobody else pass."""
    return cast("User", request.user)


@dataclass(frozen=True)
class Place:
    """Where and when the desk stands: the facility, and the others that the person may choose; the date shown."""

    facility: Facility
    facilities: list[Facility]
    date: dt.date

    @functools.cached_property
    def day(self) -> queries.Day:
        """The sessions of the date, read once for a request. Four queries."""
        return queries.day(self.facility, self.date)

    @functools.cached_property
    def is_today(self) -> bool:
        """Whether the date shown is the facility's own date of now."""
        return self.date == self.facility.local_date()

    def local(self, at: dt.datetime) -> str:
        """A moment as the facility's clock shows it, such as 10:26."""
        return f"{timezone.localtime(at, self.facility.tz):%H:%M}"


def place(request: HttpRequest) -> Place:
    """The desk's place. One query.

    A form may say `at` which facility it was opened: another window may have gone to another one meanwhile.

    Raises:
        PermissionDenied: the person may see tokens nowhere.
        NotFound: the facility of the form is none of the person's any more.
        BadInput: the date is none.
    """
    facilities = queries.facilities_of(person(request))
    if not facilities:
        raise BadInput(_("No facility is in use. An administrator adds one."))
    at, kept = request.POST.get("at"), request.session.get("facility")
    facility = next((each for each in facilities if (str(each.pk) == at if at else each.pk == kept)), None)
    if facility is None and at:
        raise NotFound
    facility = facility or facilities[0]
    text = request.POST.get("date") or request.GET.get("date")
    try:
        date = dt.date.fromisoformat(text) if text else facility.local_date()
    except ValueError as error:
        raise BadInput(_("Write the date as 2026-11-21."), attr="date") from error
    return Place(facility, facilities, date)


def may(request: HttpRequest, facility: Facility) -> Callable[[str], bool]:
    """Whether the person holds a permission in the facility."""
    return functools.partial(_may, person(request), facility.pk)


def _may(user: User, facility_id: int, code: str) -> bool:
    return allows(user, code, facility_id)


def show(
    request: HttpRequest, template: str, facility: Facility, context: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    """Render with the facility's clock."""
    with timezone.override(facility.tz):
        return render(request, template, {"facility": facility, **context}, status=status)


def done_once(request: HttpRequest, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Run an action of a form in the outermost transaction, once for each key that a form carried.

    A double click, or a form sent again after a lost answer, gets what was told the first time; also where the page
    has heard of a newer version meanwhile, which what was done the first time may have made.
    """
    fields = sorted((name, request.POST.getlist(name)) for name in request.POST if name not in _NOT_ASKED)
    fingerprint = hashlib.sha256(f"{request.path}\n{fields}".encode()).hexdigest()
    key = request.POST.get(KEY, "")[:200]
    answer: dict[str, Any] = once(work, user_id=person(request).pk, key=key, fingerprint=fingerprint)
    return answer
