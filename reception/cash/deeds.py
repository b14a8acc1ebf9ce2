"""What cashiers do, each once for each press: forms in, an action of billing, and on to what stands beside the list.

After a refusal the form comes back with everything that was typed.
"""

from collections.abc import Callable
from typing import Any, cast
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.permissions import require
from billing import actions
from billing.errors import LimitPassed
from billing.models import Bill, Shift
from billing.queries import get_bill
from common.amounts import said
from common.api.idempotency import IdempotencyConflict
from common.errors import BadInput, DomainError, Forbidden, NotFound
from patients.queries import get_patient
from reception.cash import making
from reception.cash.forms import SentBefore, amount_in, taking
from reception.cash.pages import here, whole
from reception.cash.panel import bill_panel, panel, question
from reception.pages.asking import whole_number
from reception.pages.frame import Place, done_once, person, show, staff

Told = dict[str, Any]
Deed = Callable[[HttpRequest, Place], Told]


def _answered(request: HttpRequest, where: Place, deed: Deed, again: Callable[[DomainError], Told]) -> HttpResponse:
    """Do it once and go on to what it leads to; after a refusal show the form again."""
    try:
        told = done_once(request, lambda: deed(request, where))
    except NotFound:
        raise
    except DomainError as refused:
        error = SentBefore() if isinstance(refused, IdempotencyConflict) else refused
        if isinstance(error, Forbidden) and not isinstance(error, LimitPassed):
            raise
        try:
            context = again(error)
        except NotFound:  # what was asked about is not to be asked any more
            raise error from None
        return _again(request, where, context, error.status)
    return _go(request, where, told)


def _again(request: HttpRequest, where: Place, context: Told, status: int) -> HttpResponse:
    if request.headers.get("HX-Request"):
        return show(request, "cash/_drawer.html", where.facility, context, status=status)
    return whole(request, where, context, status=status)


def _go(request: HttpRequest, where: Place, told: Told) -> HttpResponse:
    """On by htmx in place, else by a redirect, so that a reload sends nothing again."""
    query = {name: value for name, value in told["on"].items() if value is not None}
    address = told.get("away") or f"{reverse('cash')}?{urlencode(query)}"
    if not request.headers.get("HX-Request"):
        if told.get("said"):
            messages.success(request, told["said"])
        return redirect(address)
    if told.get("away"):
        return HttpResponse(status=204, headers={"HX-Redirect": address})
    request.GET = cast("Any", QueryDict(urlencode(query)))  # the panel reads the address that comes next
    response = show(request, "cash/_answer.html", where.facility, {**panel(request, where), "said": told.get("said")})
    response["HX-Replace-Url"] = address
    response["HX-Trigger"] = "changed"
    return response


def _deed(verb: str) -> Callable[[Deed], Callable[[HttpRequest], HttpResponse]]:
    """The view of a deed whose question is asked again, with what was sent, after a refusal."""

    def made(deed: Deed) -> Callable[[HttpRequest], HttpResponse]:
        @staff
        @require_POST
        def view(request: HttpRequest) -> HttpResponse:
            where = here(request)
            return _answered(
                request, where, deed, lambda error: question(request, where, verb, sent=request.POST, error=error)
            )

        return view

    return made


def _named(request: HttpRequest, name: str) -> int:
    return whole_number(request.POST.get(name, ""))


def _version(request: HttpRequest) -> int | None:
    """What the page had read of a bill when it was sent."""
    text = request.POST.get("version", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


# Money in


@staff
@require_POST
def take(request: HttpRequest, bill_id: int) -> HttpResponse:
    """Take money for a bill."""
    where = here(request)
    bill = get_bill(bill_id, person(request))

    def deed(request: HttpRequest, where: Place) -> Told:
        sent = request.POST
        how = taking(sent, bill.due)
        read, by = _version(request), person(request)
        receipt = actions.pay(bill_id=bill.pk, tenders=how.tenders, keep_rest=how.keep, version=read, by=by)
        return {"on": {"receipt": receipt.pk, "taken": 1}}

    def again(error: DomainError) -> Told:
        return bill_panel(request, where, get_bill(bill_id, person(request)), sent=request.POST, error=error)

    return _answered(request, where, deed, again)


@_deed("advance")
def advance(request: HttpRequest, where: Place) -> Told:
    """Take money onto a patient's account."""
    patient = get_patient(patient_id=_named(request, "patient"), by=person(request))
    require(person(request), "billing.take", patient.facility_id)
    how = taking(request.POST, amount_in(request.POST, "amount"))
    receipt = actions.take_advance(
        facility_id=patient.facility_id, patient_id=patient.pk, tenders=how.tenders, by=person(request)
    )
    return {"on": {"receipt": receipt.pk, "taken": 1}}


@_deed("priority")
def priority(request: HttpRequest, where: Place) -> Told:
    """Take the priority fee of a token: bill, payment and rank in one."""
    return making.take_priority(request)


# Money out


@_deed("refund")
def refund(request: HttpRequest, where: Place) -> Told:
    """Give a payment back, or a part of it."""
    sent = request.POST
    found = actions.refund_payment(
        payment_id=_named(request, "payment"),
        amount=amount_in(sent, "amount"),
        reason=sent.get("reason", "").strip(),
        credit=sent.get("after") == "credit",
        to_account=sent.get("to") == "account",
        reference=sent.get("reference", "").strip(),
        by=person(request),
    )
    return {"on": {"receipt": found.receipt_id, "taken": 1}}


@_deed("back")
def give_back(request: HttpRequest, where: Place) -> Told:
    """Give back all that a bill does not ask for any more."""
    sent = request.POST
    receipt = actions.give_back(
        bill_id=_named(request, "bill"),
        reason=sent.get("reason", "").strip(),
        to_account=sent.get("to") == "account",
        by=person(request),
    )
    return {"on": {"receipt": receipt.pk, "taken": 1}}


@_deed("advance-back")
def advance_back(request: HttpRequest, where: Place) -> Told:
    """Give back what lies on a patient's account."""
    patient = get_patient(patient_id=_named(request, "patient"), by=person(request))
    require(person(request), "billing.refund", patient.facility_id)
    receipt = actions.refund_advance(
        facility_id=patient.facility_id,
        patient_id=patient.pk,
        amount=amount_in(request.POST, "amount"),
        reason=request.POST.get("reason", "").strip(),
        by=person(request),
    )
    return {"on": {"receipt": receipt.pk, "taken": 1}}


# Bills


@_deed("void")
def void(request: HttpRequest, where: Place) -> Told:
    """Take a bill back that nobody has paid."""
    reason = request.POST.get("reason", "").strip()
    bill = actions.void_bill(bill_id=_named(request, "bill"), reason=reason, by=person(request))
    words = _("%(number)s is void.") % {"number": bill.number} if bill.number else _("The draft is discarded.")
    return {"on": {"bill": bill.pk}, "said": words}


@staff
@require_POST
def issue(request: HttpRequest) -> HttpResponse:
    """Issue a draft; what is due on it comes next."""
    where = here(request)
    bill_id = _named(request, "bill")

    def deed(request: HttpRequest, where: Place) -> Told:
        bill = actions.issue_bill(bill_id=bill_id, version=_version(request), by=person(request))
        return {"on": {"bill": bill.pk}}

    def again(error: DomainError) -> Told:
        return bill_panel(request, where, get_bill(bill_id, person(request)), error=error)

    return _answered(request, where, deed, again)


@_deed("credit")
def credit(request: HttpRequest, where: Place) -> Told:
    """Take something off an issued bill."""
    sent = request.POST
    note = actions.credit_bill(
        bill_id=_named(request, "bill"),
        amount=amount_in(sent, "amount"),
        reason=sent.get("reason", "").strip(),
        by=person(request),
    )
    words = _("%(amount)s taken off by %(note)s.") % {
        "amount": said(note.amount, where.facility.currency),
        "note": note.number,
    }
    return {"on": {"bill": note.bill_id}, "said": words}


@_deed("bill")
def new_bill(request: HttpRequest, where: Place) -> Told:
    """Make a bill from the price list."""
    bill: Bill = making.make_bill(request, where)
    return {"on": {"bill": bill.pk}}


@staff
@require_POST
def look(request: HttpRequest) -> HttpResponse:
    """What the lines of a new bill come to, while they are chosen. Nothing is written."""
    where = here(request)
    context: Told
    try:
        sums = making.reckoned(request, where)
        added = sums.total - (sums.gross - sums.discount) if sums else making.ZERO
        context = {"sums": sums, "added": added, "currency": where.facility.currency}
    except BadInput as error:
        context = {"wrong": error}
    return show(request, "cash/_reckoned.html", where.facility, context)


# The shift


@_deed("open")
def open_shift(request: HttpRequest, where: Place) -> Told:
    """Begin a shift with a float at a drawer."""
    sent = request.POST
    shift: Shift = actions.open_shift(
        facility_id=where.facility.pk,
        float_amount=amount_in(sent, "float", default=making.ZERO),
        drawer_id=whole_number(sent["drawer"]) if sent.get("drawer") else None,
        by=person(request),
    )
    words = _("Shift %(n)d is open at %(drawer)s with %(float)s.")
    facts = {
        "n": shift.number,
        "drawer": shift.drawer.name,
        "float": said(shift.float_amount, where.facility.currency),
    }
    return {"on": {}, "said": words % facts}


@_deed("move")
def move_cash(request: HttpRequest, where: Place) -> Told:
    """Carry cash to the safe or from it, or spend it out of the drawer; its voucher prints itself."""
    sent = request.POST
    row = actions.move_cash(
        shift_id=_named(request, "shift"),
        kind=sent.get("kind", ""),
        amount=amount_in(sent, "amount"),
        reason=sent.get("reason", "").strip(),
        by=person(request),
    )
    return {"on": {"moved": row.pk, "taken": 1}}


@_deed("close")
def close_shift(request: HttpRequest, where: Place) -> Told:
    """Count the drawer and close the shift; its Z report is what comes next."""
    sent = request.POST
    typed = {name[2:]: sent[name].strip() for name in sent if name.startswith("n_")}
    counts = {note: _count(text) for note, text in typed.items() if text}
    counted = amount_in(sent, "counted") if sent.get("counted", "").strip() else None
    hand_to = sent.get("hand_to", "")
    shift = actions.close_shift(
        shift_id=_named(request, "shift"),
        counts=counts or None,
        counted=None if counts else counted,
        reason=sent.get("reason", "").strip(),
        hand_to_id=whole_number(hand_to) if hand_to else None,
        hand_float=amount_in(sent, "hand_float") if hand_to and sent.get("hand_float", "").strip() else None,
        by=person(request),
    )
    return {"on": {}, "away": reverse("cash_report", args=[shift.pk])}


def _count(text: str) -> int:
    """How many of a note.

    Raises:
        BadInput: no whole number.
    """
    if not text.isascii() or not text.isdecimal() or len(text) > 6:
        raise BadInput(_("Count whole notes and coins."), attr="counts")
    return int(text)
