"""`/cash/`: the shift, the list, and beside it the bill that is being paid. It follows by stream."""

from functools import partial
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from accounts.permissions import require
from billing.queries import get_bill
from reception.cash import finding
from reception.cash.listing import TABS, UNPAID
from reception.cash.panel import TAKE, VIEW, panel, sum_context
from reception.cash.parts import Sight, frame, parts
from reception.cash.questions import QUESTIONS
from reception.cash.shifts import OVERSEES
from reception.cash.sums import read
from reception.errors import OldDay
from reception.pages.asking import whole_number
from reception.pages.frame import Place, may, person, place, show, staff
from reception.streaming import live_page
from tokens.live import Watch

_AMOUNTS = {
    "paid": gettext_lazy("Paid"),
    "back": gettext_lazy("To give back"),
    "void": gettext_lazy("Total"),
    "drafts": gettext_lazy("Total"),
    "shifts": gettext_lazy("Taken"),
}
"""What the last column of a tab is about; what is due, where nothing else is said."""


_ORDERS = {
    "pay": {
        "address": f"?tab={UNPAID}",
        "sort": "descending",
        "words": gettext_lazy("Bill, newest first"),
        "other": gettext_lazy("Oldest first"),
    },
    UNPAID: {
        "address": "?tab=pay",
        "sort": "ascending",
        "words": gettext_lazy("Bill, oldest first"),
        "other": gettext_lazy("Newest first"),
    },
}
"""Tabs that can be turned round: in which order they stand, and the other way."""


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
        "pages": found.safe("cash-pages"),
        "order": _ORDERS.get(sight.tab),
        "tab": sight.tab,
        "tab_words": TABS.get(sight.tab, _("Unpaid, the oldest first")),
        "amount_words": _AMOUNTS.get(sight.tab, gettext_lazy("Due")),
        "takes": sight.takes,
        "may_bill": allowed("billing.bill"),
        "stream": urlencode({"tab": sight.tab, "page": sight.page, "today": sight.date.isoformat()}),
        "live_page": True,
    }
    return show(request, "cash/cash.html", where.facility, {**context, **beside}, status=status)


def sight_of(request: HttpRequest, where: Place) -> Sight:
    """What the person sees; who takes no money and oversees who does, sees the shifts first."""
    tab, allowed = request.GET.get("tab", ""), may(request, where.facility)
    takes, oversees = allowed(TAKE), allowed(OVERSEES)
    known = (tab in TABS and (oversees or tab != "shifts")) or tab == UNPAID
    page = request.GET.get("page", "")
    return Sight(
        facility_id=where.facility.pk,
        date=where.facility.local_date(),
        tab=tab if known else "shifts" if oversees and not takes else "pay",
        user_id=person(request).pk,
        takes=takes,
        oversees=oversees,
        page=int(page) if tab == UNPAID and page.isdecimal() and 0 < len(page) < 7 else 1,
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
