"""The desk: the hall by doctor, the drawer beside it, the bar under it; and the way to the overview."""

from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from accounts.models import Facility
from accounts.permissions import reach, require_anywhere
from common.errors import NotFound
from reception import filters, queries
from reception.errors import OldDay
from reception.pages import overview
from reception.pages.asking import whole_number
from reception.pages.drawers import drawer
from reception.pages.frame import Place, may, person, place, show, staff
from reception.pages.parts import frame
from reception.pages.seeing import hall_context, sight_of, sits
from reception.pages.selection import selection
from reception.streaming import live_page
from tokens.live import Watch

VIEWS = ("columns", "overview")


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
    view = request.GET.get("view")
    if view in VIEWS and view != request.session.get("view"):
        request.session["view"] = view
    if view == "overview":
        return redirect(reverse("overview") + ("" if where.is_today else f"?date={where.date}"))
    if set(request.GET) <= {"date"} and _at_a_glance(request, where):
        return overview.whole(request, where, drawer(request, where))
    return whole(request, where, drawer(request, where))


def _at_a_glance(request: HttpRequest, where: Place) -> bool:
    """Whether the hall begins as lines: as it was chosen last; without a choice where many doctors are in session."""
    chosen = request.session.get("view")
    return chosen == "overview" if chosen else filters.many(where.day.columns) and not sits(request, where)


def whole(request: HttpRequest, where: Place, beside: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """The page with this in its drawer."""
    chosen = selection(request, where)
    current = f"t-{chosen['token'].pk}" if chosen["token"] else ""
    context = {**hall_context(request, where, current=current), **chosen, **beside, "desk": True}
    return show(request, "reception/desk.html", where.facility, context, status=status)


@live_page
@staff
def stream(request: HttpRequest) -> Watch:
    """What changes on an open desk or overview. Those that look alike share what is read and written for them.

    Raises:
        OldDay: the page shows a today that is over; its script opens it anew.
    """
    where = place(request)
    if request.GET.get("today", str(where.date)) != str(where.date):
        raise OldDay
    sight = sight_of(request, where, own="own" in request.GET, overview="overview" in request.GET)
    return Watch(key=sight, read=partial(frame, sight), facility_id=where.facility.pk, date=where.date)


@staff
@require_GET
def find(request: HttpRequest) -> HttpResponse:
    """What the text in a find field may mean: patients and tokens of the day."""
    where = place(request)
    require_anywhere(person(request), "patients.view")
    found = queries.find(where.facility, request.GET.get("q", ""), where.date)
    allowed = may(request, where.facility)
    context = {
        "found": found,
        "where": where,
        "today": where.facility.local_date(),
        "may_register": allowed("patients.edit"),
    }
    return show(request, "reception/_found.html", where.facility, context)


@staff
@require_POST
def choose_facility(request: HttpRequest) -> HttpResponse:
    """Stand at the desk of another facility of one's own."""
    chosen = request.POST.get("facility", "")
    known = {str(each.pk): each.pk for each in queries.facilities_of(person(request))}
    if chosen not in known:
        facility = Facility.objects.filter(pk=whole_number(chosen), is_active=True).first()
        if facility:
            reach(person(request), "tokens.view", facility, facility_id=facility.pk)  # tried to get in: kept in the log
        raise NotFound
    request.session["facility"] = known[chosen]
    return redirect("desk")
