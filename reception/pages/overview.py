"""The hall at a glance: a line a doctor, and beside it the column of the one who is selected."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from common.errors import NotFound
from reception import overview as lines
from reception.hall import Column
from reception.pages.asking import whole_number
from reception.pages.drawers import drawer
from reception.pages.frame import Place, may, person, place, show, staff
from reception.pages.parts import column_html
from reception.pages.seeing import hall_context, sight_of
from reception.pages.selection import selection
from reception.plan_queries import session_of

VIEW = "tokens.view"


@staff
@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    """The whole page; for htmx the panel or the drawer alone, or the bar of a token."""
    where = place(request)
    target = request.headers.get("HX-Target", "")
    if target == "actionbar":
        return show(request, "reception/_actionbar.html", where.facility, selection(request, where))
    beside = panel(request, where) if request.GET.get("doctor") else drawer(request, where)
    if target == "drawer":
        return show(request, "reception/_drawer.html", where.facility, beside)
    return whole(request, where, beside)


def whole(request: HttpRequest, where: Place, beside: dict[str, Any]) -> HttpResponse:
    """The page with this in its drawer."""
    current = f"ov-{beside['column'].session.id}" if "column" in beside else ""
    context = {**hall_context(request, where, overview=True, current=current), **beside, "desk": True}
    return show(request, "reception/overview.html", where.facility, context)


def panel(request: HttpRequest, where: Place) -> dict[str, Any]:
    """The column of a doctor, and where the department has a place when this doctor has none.

    Raises:
        NotFound: the session is not of this day; OutOfReach where it is another hospital's.
    """
    asked = request.GET["doctor"]
    columns = where.day.columns
    column = next((each for each in columns if str(each.session.id) == asked), None)
    if column is None:
        session_of(session_id=whole_number(asked), by=person(request), code=VIEW)  # another hospital's: kept in the log
        raise NotFound(_("This doctor has no session on this day."))
    return {
        "drawer": "doctor",
        "column": column,
        "column_html": _column(request, where, column),
        "full": not column.next_free and column.phase != "over",
        "elsewhere": lines.elsewhere(column, columns),
        "where": where,
    }


def _column(request: HttpRequest, where: Place, column: Column) -> str:
    sight = sight_of(request, where, own=False, overview=True)
    with timezone.override(where.facility.tz):
        may_call = may(request, where.facility)("tokens.call") and where.is_today
        return mark_safe(column_html(where.day, column, may_call=may_call, language=sight.language))  # noqa: S308
