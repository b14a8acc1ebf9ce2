"""The desk: the hall by doctor, as columns or as a row for each; the drawer beside it, the bar under it."""

from functools import partial
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import translation
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_GET, require_POST

from accounts.permissions import require_anywhere
from common.errors import NotFound
from reception import queries
from reception.pages.drawers import drawer
from reception.pages.frame import Place, may, person, place, show, staff
from reception.pages.parts import Parts, Sight, frame, parts
from reception.pages.selection import selection
from reception.streaming import live_page
from tokens.live import Watch


@staff
@require_GET
def desk(request: HttpRequest) -> HttpResponse:
    """The whole page; for htmx the drawer alone, or the bar of the selected token alone."""
    where = place(request)
    target = request.headers.get("HX-Target", "")
    if target == "drawer":
        return show(request, "reception/_drawer.html", where.facility, drawer(request, where))
    if target == "actionbar":
        return show(request, "reception/_actionbar.html", where.facility, selection(request, where))
    return whole(request, where, drawer(request, where))


def whole(request: HttpRequest, where: Place, beside: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """The page with this in its drawer."""
    chosen = selection(request, where)
    context = {**hall_context(request, where, selected=chosen["token"]), **chosen, **beside, "desk": True}
    return show(request, "reception/desk.html", where.facility, context, status=status)


def hall_context(request: HttpRequest, where: Place, *, selected: Any = None) -> dict[str, Any]:
    """The columns and the day's numbers. Four queries."""
    sight = sight_of(request, where, own=sits_today(request, where))
    found = parts(where.day, sight)
    allowed = may(request, where.facility)
    columns = found.inside("columns")
    if selected is not None:  # scripts mark it themselves, also in the columns that come later
        own = f'id="t-{selected.pk}"'
        columns = mark_safe(columns.replace(own, f'{own} aria-current="true"', 1))  # noqa: S308 - our templates' own
    return {
        "where": where,
        "parts": found,
        "hall": found.hall,
        "columns": columns,
        "figures": mark_safe(found.html["figures"]),  # noqa: S308
        "tabs": mark_safe(found.html["tabs"]),  # noqa: S308
        "stream": stream_query(where, sight, found),
        "may_give": any(allowed(f"tokens.request_{source}") for source in ("walk_in", "online", "follow_up", "paid")),
        "key": uuid4(),
    }


def sight_of(request: HttpRequest, where: Place, *, own: bool) -> Sight:
    """What the person sees of the hall.

    Args:
        own: the person is a doctor of this day; everybody else sees the same.
    """
    return Sight(
        facility_id=where.facility.pk,
        date=where.date,
        show=request.GET.get("show", ""),
        own=person(request).pk if own else 0,
        may_call=may(request, where.facility)("tokens.call"),
        language=translation.get_language() or "en",
    )


def sits_today(request: HttpRequest, where: Place) -> bool:
    """Whether the person is one of the doctors of the day."""
    return any(names.doctor_user_id == person(request).pk for names in where.day.names.values())


def stream_query(where: Place, sight: Sight, found: Parts) -> str:
    """How the page's stream asks for the same parts."""
    query = {"show": found.hall.chosen, "date": where.date.isoformat()}
    return urlencode(query | ({"own": 1} if sight.own else {}))


@live_page
@staff
def stream(request: HttpRequest) -> Watch:
    """What changes on an open desk. Desks that look alike share what is read and written for it."""
    where = place(request)
    sight = sight_of(request, where, own="own" in request.GET)
    return Watch(key=sight, read=partial(frame, sight), facility_id=where.facility.pk, date=where.date)


@staff
@require_GET
def find(request: HttpRequest) -> HttpResponse:
    """What the text in a find field may mean: patients and tokens of the day."""
    where = place(request)
    require_anywhere(person(request), "patients.view")
    found = queries.find(where.facility, request.GET.get("q", ""), where.date)
    allowed = may(request, where.facility)
    context = {"found": found, "where": where, "may_register": allowed("patients.edit")}
    return show(request, "reception/_found.html", where.facility, context)


@staff
@require_POST
def choose_facility(request: HttpRequest) -> HttpResponse:
    """Stand at the desk of another facility of one's own."""
    chosen = request.POST.get("facility", "")
    known = {str(each.pk): each.pk for each in queries.facilities_of(person(request))}
    if chosen not in known:
        raise NotFound
    request.session["facility"] = known[chosen]
    return redirect("desk")
