"""The voucher of cash that was moved in a shift: what stands beside the list, and the paper with its signatures."""

from datetime import timedelta
from typing import Any, Final
from uuid import uuid4

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_GET, require_POST

from billing.models import BillingSettings, CashMovement
from billing.queries import get_shift
from billing.queries.shifts import expected_cash
from common.api.idempotency import once
from common.errors import NotFound
from reception.pages.asking import whole_number
from reception.pages.frame import KEY, Place, person, show, staff

FRESH: Final = timedelta(hours=12)
"""How long after the cash was moved the voucher itself can leave the printer."""


def _moved(request: HttpRequest, movement_id: int) -> CashMovement:
    """What was moved, for who may see its shift. Three queries at most.

    Raises:
        NotFound, PermissionDenied: it is in the shift of somebody else, and they may not see it.
    """
    rows = CashMovement.objects.select_related("facility", "shift__drawer", "by")
    row = rows.filter(pk=movement_id).first()
    if row is None:
        raise NotFound
    get_shift(row.shift_id, person(request))
    return row


def _context(row: CashMovement) -> dict[str, Any]:
    rules = BillingSettings.objects.filter(pk=row.facility_id).first()
    return {"moved": row, "rules": rules, "size": "roll", "key": uuid4(), "now": timezone.now()}


def voucher_by_address(request: HttpRequest, where: Place, text: str) -> dict[str, Any]:
    """What was moved, and what the drawer holds now; `taken` says that it was moved just now, so it prints itself."""
    row = _moved(request, whole_number(text))
    left = expected_cash(row.shift) if row.shift.closed_at is None else None
    return {"drawer": "voucher", "where": where, "left": left, "print_now": "taken" in request.GET, **_context(row)}


@staff
@xframe_options_sameorigin
@require_GET
def voucher(request: HttpRequest, movement_id: int) -> HttpResponse:
    """The paper on 80 mm. `?print=` says which left the printer just now: the voucher itself (`first`), or a copy."""
    row = _moved(request, movement_id)
    printed = request.GET.get("print", "")
    context = {**_context(row), "print_now": printed != "", "copy": printed != "first"}
    return show(request, "cash/voucher.html", row.facility, context)


@staff
@xframe_options_sameorigin
@require_POST
def voucher_print(request: HttpRequest, movement_id: int) -> HttpResponse:
    """The paper goes to the printer."""
    row = _moved(request, movement_id)
    printed = "first" if _is_first(request, row) else "copy"
    return redirect(f"{reverse('cash_voucher', args=[row.pk])}?print={printed}")


def _is_first(request: HttpRequest, row: CashMovement) -> bool:
    """Whether this press prints the voucher itself: the first one of who moved the cash, soon after it was moved.

    Whatever is printed later, again or by somebody else is a copy. Which press was the first is kept for a day.
    """
    by, press = person(request), request.POST.get(KEY, "")[:200]
    if row.by_id != by.pk or timezone.now() - row.at > FRESH:
        return False
    name = f"voucher-{row.pk}"
    first: str = once(lambda: press, user_id=by.pk, key=name, fingerprint=name)
    return first == press
