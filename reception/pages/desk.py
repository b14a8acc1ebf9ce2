"""The desk: the hall by doctor, kept fresh; the drawer beside it, the bar under it."""

from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from accounts.permissions import require_anywhere
from common.errors import NotFound
from reception import queries
from reception.hall import Column
from reception.pages.drawers import drawer
from reception.pages.frame import Place, may, person, place, show, staff
from reception.pages.selection import selection
from reception.queries import Day


@dataclass(frozen=True)
class Tab:
    """A filter of the columns."""

    value: str
    label: str
    count: int
    current: bool


@dataclass
class Hall:
    """The columns chosen by a filter, and the filters there are."""

    day: Day
    chosen: str
    columns: list[Column] = field(default_factory=list)
    tabs: list[Tab] = field(default_factory=list)

    @property
    def seen(self) -> str:
        """The version of every session of the day, such as 12.45-13.9: sent back when the desk asks what changed."""
        return "-".join(f"{session.id}.{session.version}" for session in self.day.sessions)

    @property
    def shown(self) -> str:
        """The sessions whose columns stand here."""
        return "-".join(str(column.session.id) for column in self.columns)


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
    context = {**hall_context(request, where), **selection(request, where), **beside, "desk": True}
    return show(request, "reception/desk.html", where.facility, context, status=status)


@staff
@require_GET
def live(request: HttpRequest) -> HttpResponse:
    """What changed since the desk last looked: nothing (204), or the columns that did.

    A desk asks every few seconds with the versions that it shows; only the answer to a change reads the day.
    """
    where = place(request)
    known = dict(part.split(".", 1) for part in request.GET.get("seen", "").split("-") if "." in part)
    now = {str(pk): str(version) for pk, version in queries.versions(where.facility, where.date).items()}
    minute = request.GET.get("minute", "")
    tick = minute != _minute(where)
    if not tick and now == known:
        return HttpResponse(status=204)
    context = hall_context(request, where)
    columns: list[Column] = context["hall"].columns
    same = context["hall"].shown == request.GET.get("shown")
    changed = [c for c in columns if tick or known.get(str(c.session.id)) != str(c.session.version)]
    return show(request, "reception/_live.html", where.facility, {**context, "changed": changed if same else None})


def hall_context(request: HttpRequest, where: Place) -> dict[str, Any]:
    """The columns and the day's numbers. Four queries."""
    day = where.day
    allowed = may(request, where.facility)
    return {
        "where": where,
        "hall": _hall(day, request.GET.get("show", ""), person(request).pk, today=where.is_today),
        "figures": day.figures(),
        "may_call": where.is_today and allowed("tokens.call"),
        "may_give": any(allowed(f"tokens.request_{source}") for source in ("walk_in", "online", "follow_up", "paid")),
        "minute": _minute(where),
        "new_key": uuid4,
    }


def _minute(where: Place) -> str:
    return where.local(timezone.now())


def _hall(day: Day, chosen: str, user_id: int, *, today: bool) -> Hall:
    """The columns behind the chosen filter; without a choice one's own, else who is in now, else what there is."""
    columns = day.columns()
    groups = {
        "mine": ("Mine", [c for c in columns if c.names.doctor_user_id == user_id]),
        "now": ("In now", [c for c in columns if today and c.phase == "now"]),
        "later": ("Later today", [c for c in columns if today and c.phase == "later"]),
        "over": ("Over", [c for c in columns if today and c.phase == "over"]),
        "all": ("All", columns),
    }
    for column in columns:
        name = f"department-{column.session.department_id}"
        groups.setdefault(name, (column.names.department, []))[1].append(column)
    if chosen not in groups:
        chosen = next((name for name, (_, members) in groups.items() if members), "all")
    hidden = {"all"} if today else {"mine", "now", "later", "over"}
    tabs = [
        Tab(name, label, len(members), name == chosen)
        for name, (label, members) in groups.items()
        if name == chosen or (members and name not in hidden)
    ]
    return Hall(day, chosen, groups[chosen][1], tabs)


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
