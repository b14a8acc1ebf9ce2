"""Addresses of papers: receipts and vouchers on 80 mm and A4, bills, reports of a shift; each as HTML and as PDF.

Papers are written in English, whatever the facility's patients read: the names of goods and of ways to pay stand on
them as the hospital wrote them, and the tax office reads them too.
"""

from decimal import Decimal
from typing import Any, Final
from uuid import uuid4

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_GET, require_POST

from accounts.models import Facility
from billing.actions import print_receipt
from billing.models import BillingSettings, ReceiptPrint
from billing.queries import get_bill, get_receipt, get_shift, shift_report
from reception.cash.papers import receipt_paper
from reception.cash.pdf import pdf_of
from reception.cash.sums import read, summed
from reception.pages.frame import done_once, person, show, staff

SIZES: Final = ("roll", "a4")


def _size(request: HttpRequest) -> str:
    asked = request.GET.get("size", "")
    return asked if asked in SIZES else "roll"


def _pdf(facility: Facility, sheet: str, context: dict[str, Any], name: str, size: str) -> HttpResponse:
    """A sheet as a file that the browser shows."""
    with timezone.override(facility.tz):
        html = render_to_string(sheet, {**context, "facility": facility})
    answer = HttpResponse(pdf_of(html, size), content_type="application/pdf")
    answer["Content-Disposition"] = f'inline; filename="{name}.pdf"'
    return answer


# Receipts


def _receipt(request: HttpRequest, receipt_id: int) -> dict[str, Any]:
    """What the paper says. `?print=` names which printing this is: the receipt itself, or a copy."""
    receipt = get_receipt(receipt_id, person(request))
    paper = receipt_paper(receipt)
    asked = request.GET.get("print", "")
    shown = next((each for each in paper.prints if str(each.copy) == asked), None)
    return {
        "receipt": receipt,
        "paper": paper,
        "shown": shown,
        "copy": _copy(shown, paper.prints),
        "print_now": shown is not None,
        "size": _size(request),
        "key": uuid4(),
    }


def _copy(shown: ReceiptPrint | None, prints: list[ReceiptPrint]) -> ReceiptPrint | None:
    """What is marked as a copy: whatever is not the first print; looked at again, what left the printer last."""
    found = shown or (prints[-1] if prints else None)
    return found if found and found.copy else None


@staff
@xframe_options_sameorigin
@require_GET
def receipt(request: HttpRequest, receipt_id: int) -> HttpResponse:
    """A receipt or voucher as paper, 80 mm or A4."""
    context = _receipt(request, receipt_id)
    return show(request, "cash/receipt.html", context["receipt"].facility, context)


@staff
@require_GET
def receipt_pdf(request: HttpRequest, receipt_id: int) -> HttpResponse:
    """The same as PDF."""
    context = _receipt(request, receipt_id)
    paper = context["receipt"]
    return _pdf(paper.facility, "cash/sheet_receipt.html", context, paper.number, context["size"])


@staff
@xframe_options_sameorigin
@require_POST
def receipt_print(request: HttpRequest, receipt_id: int) -> HttpResponse:
    """A receipt goes to the printer: the printing is recorded, and the paper is opened."""
    answered = done_once(request, lambda: {"copy": print_receipt(receipt_id=receipt_id, by=person(request)).copy})
    size = f"&size={_size(request)}" if _size(request) != "roll" else ""
    return redirect(f"{reverse('cash_receipt', args=[receipt_id])}?print={answered['copy']}{size}")


# Bills


def _bill(request: HttpRequest, bill_id: int) -> dict[str, Any]:
    bill = get_bill(bill_id, person(request))
    found = read(bill)
    rows = summed(found, dated=True)
    rules = BillingSettings.objects.filter(pk=bill.facility_id).first()
    return {"bill": bill, "found": found, "sum": rows, "rules": rules, "size": "a4"}


@staff
@require_GET
def bill(request: HttpRequest, bill_id: int) -> HttpResponse:
    """A bill on A4."""
    context = _bill(request, bill_id)
    return show(request, "cash/bill.html", context["bill"].facility, context)


@staff
@require_GET
def bill_pdf(request: HttpRequest, bill_id: int) -> HttpResponse:
    """The same as PDF."""
    context = _bill(request, bill_id)
    found = context["bill"]
    return _pdf(found.facility, "cash/sheet_bill.html", context, found.number or f"draft-{found.pk}", "a4")


# Reports of a shift


def _report(request: HttpRequest, shift_id: int) -> dict[str, Any]:
    shift = get_shift(shift_id, person(request))
    rules = BillingSettings.objects.filter(pk=shift.facility_id).first()
    counts = [(note, many, Decimal(note) * many) for note, many in shift.counts.items()]
    return {
        "shift": shift,
        "report": shift_report(shift),
        "rules": rules,
        "counts": counts,
        "now": timezone.now(),
        "size": _size(request),
    }


@staff
@require_GET
def report(request: HttpRequest, shift_id: int) -> HttpResponse:
    """The X report of an open shift, the Z report of a closed one."""
    context = _report(request, shift_id)
    return show(request, "cash/report.html", context["shift"].facility, context)


@staff
@require_GET
def report_pdf(request: HttpRequest, shift_id: int) -> HttpResponse:
    """The same as PDF."""
    context = _report(request, shift_id)
    shift, kind = context["shift"], context["report"].kind
    return _pdf(shift.facility, "cash/sheet_report.html", context, f"{kind}-{shift.date}-{shift.number}", "roll")
