"""What is asked before something is done: a shift, a refund, a void, a new bill, an advance, priority."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from accounts.models import User
from accounts.permissions import allows, require
from billing.credit_limits import most_to_credit
from billing.models import Payment, Shift
from billing.queries import (
    advance_balance,
    current_shift,
    free_drawers,
    get_bill,
    get_payment,
    get_receipt,
    get_shift,
    price_list,
    shift_report,
)
from billing.states import PETTY, Method, MovementKind
from billing.tenders import draw
from common.errors import NotFound
from patients.models import Patient
from patients.queries import get_patient
from reception import queries
from reception.cash import finding
from reception.cash.making import typed_lines
from reception.cash.notes import usual_notes
from reception.cash.priority import priority_of
from reception.cash.rows import METHOD_WORDS
from reception.cash.ways import denominations, methods
from reception.pages.asking import whole_number
from reception.pages.frame import Place, person

Context = dict[str, Any]
Asked = Callable[[HttpRequest, Place, Any], Context]

REASONS = {
    "refund": (_("Service not given"), _("Paid twice"), _("Patient asked")),
    "back": (_("Token cancelled"), _("Credited"), _("Patient asked")),
    "void": (_("Made by mistake"), _("Wrong patient"), _("Patient went home")),
    "credit": (_("Service not given"), _("Wrong price"), _("Charged twice")),
    "close": (_("Miscounted change"), _("Rounding"), _("Note not accepted by the bank")),
    "move": (_("Too much in the drawer"), _("Change"), _("Tea"), _("Courier"), _("Typed wrong")),
    "discount": (_("Senior citizen"), _("Staff family"), _("Hardship")),
}
ZERO = Decimal(0)
OWN_LINES = 6
"""Lines that the form of a new bill offers without scripts."""


def _number(asked: Any, name: str) -> int:
    return whole_number(str(asked.get(name, "")))


# The shift


def _open(request: HttpRequest, where: Place, asked: Any) -> Context:
    """The drawers that are free, and what lay in the one that this cashier closed last. Three queries."""
    require(person(request), "billing.take", where.facility.pk)
    drawers = list(free_drawers(where.facility.pk))
    last = Shift.objects.filter(cashier=person(request), facility=where.facility).order_by("-id").first()
    return {"drawers": drawers, "last": last, "open": current_shift(person(request), where.facility.pk)}


def _close(request: HttpRequest, where: Place, asked: Any) -> Context:
    """The figures of the shift, the notes to count, and who may go on at the drawer."""
    shift = _shift_asked(request, where, asked)
    notes = [(each, str(asked.get(f"n_{each.normalize():f}", ""))) for each in denominations(shift.facility_id)]
    report = shift_report(shift)
    reasons = REASONS["close"]
    return {
        "shift": shift,
        "report": report,
        "counts": notes,
        "others": _others(shift),
        "zero": ZERO,
        "close_reasons": reasons,
    }


def _move(request: HttpRequest, where: Place, asked: Any) -> Context:
    """What lies in the drawer, what was carried in and out before, and what may be."""
    shift = _shift_asked(request, where, asked)
    if shift.closed_at is not None:
        raise NotFound(gettext_noop("This shift is closed."))
    petty = allows(person(request), "billing.petty", shift.facility_id)
    kinds = [kind for kind in MovementKind if petty or kind not in PETTY]
    return {"shift": shift, "report": shift_report(shift), "kinds": kinds, "move_reasons": REASONS["move"]}


def _shift_asked(request: HttpRequest, where: Place, asked: Any) -> Shift:
    """The shift that is named, else one's own. One query."""
    by, named = person(request), str(asked.get("shift", ""))
    shift = get_shift(whole_number(named), by) if named else current_shift(by, where.facility.pk)
    if shift is None:
        raise NotFound(gettext_noop("You have no open shift here."))
    return shift


def _others(shift: Shift) -> list[User]:
    """Cashiers of the facility who have no shift open. One query."""
    busy = Shift.objects.filter(closed_at=None).values("cashier_id")
    here = Q(user_roles__facility=shift.facility_id) | Q(user_roles__facility=None)
    takes = Q(user_roles__role__permissions__code="billing.take", user_roles__role__is_active=True)
    people = User.objects.filter(here & takes, is_active=True).exclude(pk__in=busy).exclude(pk=shift.cashier_id)
    return list(people.distinct().order_by("name"))


# Giving back


def _refund(request: HttpRequest, where: Place, asked: Any) -> Context:
    """Which payment, how much of it, why, and whether the bill opens again."""
    payments = _payments(request, asked)
    if not payments:
        raise NotFound(gettext_noop("Nothing of it can be given back."))
    require(person(request), "billing.refund", payments[0].facility_id)
    chosen = next((each for each in payments if str(each.pk) == str(asked.get("payment", ""))), payments[0])
    bill, most = chosen.bill, ZERO
    if bill is not None and allows(person(request), "billing.credit", chosen.facility_id):
        most = most_to_credit(bill, person(request)) + bill.to_give_back
    return {
        "payments": payments,
        "chosen": chosen,
        "bill": bill,
        "patient": chosen.patient,
        "may_credit": most > 0,
        "credit_up_to": most if most < chosen.refundable else None,
        "shift": current_shift(person(request), chosen.facility_id),
        "reasons": REASONS["refund"],
    }


def _payments(request: HttpRequest, asked: Any) -> list[Payment]:
    """Payments of which something is left: those of a bill or a receipt, or the one that is named."""
    by = person(request)
    if asked.get("bill"):
        rows = get_bill(_number(asked, "bill"), by).payments.all()
    elif asked.get("receipt"):
        rows = get_receipt(_number(asked, "receipt"), by).payments.all()
    else:
        rows = Payment.objects.filter(pk=get_payment(_number(asked, "payment"), by).pk)
    found = rows.select_related("receipt", "bill", "patient").order_by("-id")
    return [each for each in found if each.refundable > 0]


def _back(request: HttpRequest, where: Place, asked: Any) -> Context:
    """What of a bill is given back, by which way each part of it goes."""
    bill = get_bill(_number(asked, "bill"), person(request))
    require(person(request), "billing.refund", bill.facility_id)
    payments = {each.pk: each for each in bill.payments.select_related("receipt").order_by("-id")}
    drawn = draw(((each.pk, each.refundable) for each in payments.values()), bill.to_give_back)
    ways = [(payments[key], amount) for key, amount in drawn]
    return {
        "bill": bill,
        "notes": list(bill.credit_notes.order_by("-id")),
        "ways": ways,
        "shift": current_shift(person(request), bill.facility_id),
        "reasons": REASONS["back"],
    }


# A bill


def _void(request: HttpRequest, where: Place, asked: Any) -> Context:
    bill = get_bill(_number(asked, "bill"), person(request))
    require(person(request), "billing.void", bill.facility_id)
    return {"bill": bill, "reasons": REASONS["void"]}


def _credit(request: HttpRequest, where: Place, asked: Any) -> Context:
    bill = get_bill(_number(asked, "bill"), person(request))
    require(person(request), "billing.credit", bill.facility_id)
    return {"bill": bill, "left": most_to_credit(bill, person(request)), "reasons": REASONS["credit"]}


def _new(request: HttpRequest, where: Place, asked: Any) -> Context:
    """A patient first, then lines from the price list."""
    context = _whom(request, where, asked, "billing.bill")
    if context["patient"] is None:
        return context
    prices = list(price_list(where.facility.pk, where.facility.local_date()))
    return {
        **context,
        "prices": prices,
        "entries": _lines(asked),
        "may_discount": allows(person(request), "billing.discount", where.facility.pk),
        "reasons": REASONS["discount"],
    }


def _lines(asked: Any) -> list[dict[str, str]]:
    """The lines that were filled in, and empty ones after them."""
    typed = [each for each in typed_lines(asked) if each["price"]]
    return typed + [{"price": "", "quantity": "1", "off": ""}] * max(OWN_LINES - len(typed), 1)


def _whom(request: HttpRequest, where: Place, asked: Any, code: str) -> Context:
    """Who it is for; where nobody is named, who may be meant by what was typed.

    Args:
        code: what one must be allowed there to be asked.
    """
    if asked.get("patient"):
        patient = get_patient(patient_id=_number(asked, "patient"), by=person(request))
        require(person(request), code, patient.facility_id)
        return {"patient": patient}
    require(person(request), code, where.facility.pk)
    text = str(asked.get("q", ""))
    return {"patient": None, "found": finding.find(where.facility, text, where.date)}


# The account


def _advance(request: HttpRequest, where: Place, asked: Any) -> Context:
    context = _whom(request, where, asked, "billing.take")
    patient = context["patient"]
    return context if patient is None else {**context, **_taking(request, patient)}


def _taking(request: HttpRequest, patient: Patient) -> Context:
    shift = current_shift(person(request), patient.facility_id)
    balance = advance_balance(patient.facility_id, patient.pk)
    ways = [each for each in methods(cash=shift is not None, account=False) if each["value"] != Method.ACCOUNT]
    first = Method.CASH.value if shift else Method.CARD.value
    return {"shift": shift, "balance": balance, "methods": ways, "first_way": first, "zero": ZERO}


def _advance_back(request: HttpRequest, where: Place, asked: Any) -> Context:
    context = _whom(request, where, asked, "billing.refund")
    patient = context["patient"]
    return (
        context
        if patient is None
        else {**_taking(request, patient), "patient": patient, "reasons": REASONS["refund"][2:]}
    )


def _priority(request: HttpRequest, where: Place, asked: Any) -> Context:
    """What priority costs, and how it may be paid."""
    token = queries.get_token(token_id=_number(asked, "token"), by=person(request))
    require(person(request), "billing.take", token.session.facility_id)
    fee = priority_of(token)
    if fee is None:
        raise NotFound(gettext_noop("Priority cannot be had for this token."))
    context = _taking(request, token.patient)
    notes: list[Decimal] = usual_notes(fee, denominations(token.session.facility_id))
    ways = methods(cash=context["shift"] is not None, account=context["balance"] >= fee)
    return {**context, "token": token, "patient": token.patient, "fee": fee, "notes": notes, "methods": ways}


def way_words(method: str) -> str:
    """A way to pay as people say it."""
    return str(METHOD_WORDS[Method(method)])


QUESTIONS: dict[str, Asked] = {
    "open": _open,
    "move": _move,
    "close": _close,
    "refund": _refund,
    "back": _back,
    "void": _void,
    "credit": _credit,
    "bill": _new,
    "advance": _advance,
    "advance-back": _advance_back,
    "priority": _priority,
}
"""What each question needs to be asked, by the word that the address has for it."""
