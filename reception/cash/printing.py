"""Addresses of papers: receipts and vouchers on 80 mm and A4, bills, reports of a shift; each as HTML and as PDF.

Papers are written in English, whatever the facility's patients read: the names of goods and of ways to pay stand on
them as the hospital wrote them, and the tax office reads them too.
"""

from collections.abc import Callable
from dataclasses import dataclass
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
View = Callable[..., HttpResponse]


def _size(request: HttpRequest) -> str:
    asked = request.GET.get("size", "")
    return asked if asked in SIZES else "roll"


@dataclass(frozen=True, slots=True)
class Sheet:
    """What is on a paper.

    Attributes:
        file: what its PDF is called.
        size: of its PDF.
    """

    facility: Facility
    context: dict[str, Any]
    file: str
    size: str


def _addresses(name: str, sheet_of: Callable[[HttpRequest, int], Sheet]) -> tuple[View, View]:
    """The two addresses of a paper: as a page, and as a PDF that the browser shows.

    Args:
        name: of its templates.
        sheet_of: reads what is on it, for somebody who may see it.
    """

    @staff
    @require_GET
    def page(request: HttpRequest, **named: int) -> HttpResponse:
        sheet = sheet_of(request, *named.values())
        return show(request, f"cash/{name}.html", sheet.facility, sheet.context)

    @staff
    @require_GET
    def pdf(request: HttpRequest, **named: int) -> HttpResponse:
        sheet = sheet_of(request, *named.values())
        with timezone.override(sheet.facility.tz):
            html = render_to_string(f"cash/sheet_{name}.html", {**sheet.context, "facility": sheet.facility})
        answer = HttpResponse(pdf_of(html, sheet.size), content_type="application/pdf")
        answer["Content-Disposition"] = f'inline; filename="{sheet.file}.pdf"'
        return answer

    return page, pdf


# Receipts


def _receipt(request: HttpRequest, receipt_id: int) -> Sheet:
    """A receipt or voucher, 80 mm or A4. `?print=` names which printing this is: the receipt itself, or a copy."""
    receipt = get_receipt(receipt_id, person(request))
    paper = receipt_paper(receipt)
    asked = request.GET.get("print", "")
    shown = next((each for each in paper.prints if str(each.copy) == asked), None)
    context = {
        "receipt": receipt,
        "paper": paper,
        "shown": shown,
        "copy": _copy(shown, paper.prints),
        "print_now": shown is not None,
        "size": _size(request),
        "key": uuid4(),
    }
    return Sheet(receipt.facility, context, receipt.number, _size(request))


def _copy(shown: ReceiptPrint | None, prints: list[ReceiptPrint]) -> ReceiptPrint | None:
    """What is marked as a copy: whatever is not the first print; looked at again, what left the printer last."""
    found = shown or (prints[-1] if prints else None)
    return found if found and found.copy else None


receipt, receipt_pdf = _addresses("receipt", _receipt)
receipt = xframe_options_sameorigin(receipt)  # the cash desk prints it out of a frame


@staff
@xframe_options_sameorigin
@require_POST
def receipt_print(request: HttpRequest, receipt_id: int) -> HttpResponse:
    """A receipt goes to the printer: the printing is recorded, and the paper is opened."""
    answered = done_once(request, lambda: {"copy": print_receipt(receipt_id=receipt_id, by=person(request)).copy})
    size = f"&size={_size(request)}" if _size(request) != "roll" else ""
    return redirect(f"{reverse('cash_receipt', args=[receipt_id])}?print={answered['copy']}{size}")


# Bills


def _bill(request: HttpRequest, bill_id: int) -> Sheet:
    """A bill, on A4."""
    bill = get_bill(bill_id, person(request))
    found = read(bill)
    rows = summed(found, dated=True)
    rules = BillingSettings.objects.filter(pk=bill.facility_id).first()
    context = {"bill": bill, "found": found, "sum": rows, "rules": rules, "size": "a4"}
    return Sheet(bill.facility, context, bill.number or f"draft-{bill.pk}", "a4")


bill, bill_pdf = _addresses("bill", _bill)


# Reports of a shift


def _report(request: HttpRequest, shift_id: int) -> Sheet:
    """The X report of an open shift, the Z report of a closed one."""
    shift = get_shift(shift_id, person(request))
    rules = BillingSettings.objects.filter(pk=shift.facility_id).first()
    counts = [(note, many, Decimal(note) * many) for note, many in shift.counts.items()]
    found = shift_report(shift)
    context = {
        "shift": shift,
        "report": found,
        "rules": rules,
        "counts": counts,
        "now": timezone.now(),
        "size": _size(request),
    }
    return Sheet(shift.facility, context, f"{found.kind}-{shift.date}-{shift.number}", "roll")


report, report_pdf = _addresses("report", _report)
