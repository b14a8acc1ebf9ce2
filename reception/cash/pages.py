"""`/cash/`: the shift, the list, and beside it the bill that is being paid. It follows by stream."""

from functools import partial
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from accounts.permissions import require
from billing.queries import get_bill
from reception.cash import finding
from reception.cash.listing import TABS
from reception.cash.panel import TAKE, VIEW, panel, sum_context
from reception.cash.parts import Sight, frame, parts
from reception.cash.questions import QUESTIONS
from reception.cash.sums import read
from reception.errors import OldDay
from reception.pages.asking import whole_number
from reception.pages.frame import Place, may, person, place, show, staff
from reception.streaming import live_page
from tokens.live import Watch


def here(request: HttpRequest) -> Place:
    """Where the cash desk stands.

    Raises:
        PermissionDenied: the person may not see bills there.
    """
    where = place(request)
    require(person(request), VIEW, where.facility.pk)
    return where


@staff
@require_GET
def cash(request: HttpRequest) -> HttpResponse:
    """The whole page; for htmx what stands beside the list alone, or the sum of the bill that is open."""
    where = here(request)
    target = request.headers.get("HX-Target", "")
    if target == "bill-sum":
        return _sum(request, where)
    beside = panel(request, where)
    if target == "drawer":
        return show(request, "cash/_drawer.html", where.facility, beside)
    return whole(request, where, beside)


def _sum(request: HttpRequest, where: Place) -> HttpResponse:
    """How an open bill adds up now; nothing where it is as the page knows it."""
    bill = get_bill(whole_number(request.GET.get("bill", "")), person(request))
    if request.GET.get("version") == str(bill.version):
        return HttpResponse(status=204)
    return show(request, "cash/_sum.html", where.facility, sum_context(request, read(bill)))


def whole(request: HttpRequest, where: Place, beside: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """The page with this beside its list. Six queries for the list and the shift."""
    sight = sight_of(request, where)
    found = parts(where.facility, sight)
    allowed = may(request, where.facility)
    context = {
        "where": where,
        "parts": found,
        "shift_head": found.safe("cash-shift"),
        "tabs": found.safe("cash-tabs"),
        "rows": found.rows,
        "tab": sight.tab,
        "tab_words": TABS[sight.tab],
        "amount_words": {"paid": _("Paid"), "back": _("To give back"), "void": _("Total")}.get(sight.tab, _("Due")),
        "takes": sight.takes,
        "may_bill": allowed("billing.bill"),
        "stream": urlencode({"tab": sight.tab, "today": sight.date.isoformat()}),
        "live_page": True,
    }
    return show(request, "cash/cash.html", where.facility, {**context, **beside}, status=status)


def sight_of(request: HttpRequest, where: Place) -> Sight:
    """What the person sees."""
    tab, allowed = request.GET.get("tab", ""), may(request, where.facility)
    return Sight(
        facility_id=where.facility.pk,
        date=where.facility.local_date(),
        tab=tab if tab in TABS else "pay",
        user_id=person(request).pk,
        takes=allowed(TAKE),
        oversees=allowed("billing.shifts"),
        language=translation.get_language() or "en",
    )


@live_page
@staff
def stream(request: HttpRequest) -> Watch:
    """What changes on an open cash desk. The list is read once for all cashiers.

    Raises:
        OldDay: the page shows a today that is over; its script opens it anew.
    """
    where = here(request)
    sight = sight_of(request, where)
    if request.GET.get("today", str(sight.date)) != str(sight.date):
        raise OldDay
    return Watch(key=("cash", sight), read=partial(frame, sight), facility_id=where.facility.pk)


@staff
@require_GET
def find(request: HttpRequest) -> HttpResponse:
    """What the text in the find field may mean: bills, receipts, tokens and patients."""
    where = here(request)
    found = finding.find(where.facility, request.GET.get("q", ""), where.facility.local_date())
    verb = request.GET.get("for", "")
    template = "cash/_found_for.html" if verb in QUESTIONS else "cash/_found.html"
    return show(request, template, where.facility, {"found": found, "where": where, "verb": verb})
