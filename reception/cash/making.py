"""A bill made at the cash desk: from the price list, or for priority."""

from dataclasses import replace
from decimal import Decimal
from itertools import zip_longest
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.permissions import require
from billing import actions
from billing.models import Bill
from billing.prices import line_of
from billing.queries import price_list
from billing.rules import LineIn, NotMoney, Off, OffTooLarge, Totals, many, totals
from common.errors import BadInput
from patients.queries import get_patient
from reception.cash.forms import taking
from reception.cash.priority import priority_of
from reception.money.priority import take_priority_fee
from reception.pages.asking import whole_number
from reception.pages.frame import Place, person
from reception.queries import get_token

ZERO = Decimal(0)


class LinesMissing(BadInput):
    """Nothing was chosen from the price list."""

    code = "no_lines"
    sentence = gettext_noop("Choose what the bill is for.")


class QuantityWrong(BadInput):
    """How many is no number above zero."""

    code = "bad_quantity"
    sentence = gettext_noop("Write how many as a number above zero, such as 2.")


class DiscountWrong(BadInput):
    """A discount is an amount or a percentage."""

    code = "bad_discount"
    sentence = gettext_noop("Write the discount as an amount such as 50, or as 10%, not more than it is taken off.")


def lines_in(request: HttpRequest, where: Place) -> list[LineIn]:
    """The lines that were chosen, at the prices of today, with what comes off each of them. One query.

    Raises:
        QuantityWrong, DiscountWrong
    """
    today = where.facility.local_date()
    prices = {str(each.pk): each for each in price_list(where.facility.pk, today)}
    chosen = [each for each in typed_lines(request.POST) if each["price"] in prices]
    return [
        replace(line_of(prices[each["price"]], _quantity(each["quantity"]), on=today), off=_off(each["off"]))
        for each in chosen
    ]


def typed_lines(sent: Any) -> list[dict[str, str]]:
    """What was typed on each line: price, quantity, and what comes off, where discounts are given line by line."""
    fields = [sent.getlist(name) if hasattr(sent, "getlist") else [] for name in ("price", "quantity", "off")]
    by_line = "by_line" in sent
    return [
        {"price": price, "quantity": quantity, "off": off if by_line else ""}
        for price, quantity, off in zip_longest(*fields, fillvalue="")
    ]


def _quantity(text: str) -> Decimal:
    """How many; one, where nothing is written."""
    try:
        return many(text.strip() or "1")
    except NotMoney:
        raise QuantityWrong(attr="quantity") from None


def _off(text: str) -> Off | None:
    """A discount as it was typed: an amount, or a percentage; nothing where it is empty or takes nothing off."""
    text = text.replace(",", "").strip()
    if not text:
        return None
    try:
        off = Off.parse(text)
    except NotMoney:
        raise DiscountWrong(attr="discount") from None
    return off if off.amount or off.percent else None


def reckoned(request: HttpRequest, where: Place) -> Totals | None:
    """What the lines come to with the discount; nothing where none is chosen."""
    require(person(request), "billing.bill", where.facility.pk)
    lines = lines_in(request, where)
    try:
        return totals(lines, _off(request.POST.get("discount", ""))) if lines else None
    except OffTooLarge:
        raise DiscountWrong(attr="discount") from None
    except NotMoney:
        raise QuantityWrong(attr="quantity") from None


def make_bill(request: HttpRequest, where: Place) -> Bill:
    """Issue the bill.

    Raises:
        LinesMissing, QuantityWrong, DiscountWrong, ReasonNeeded: 400.
        DiscountLimitPassed: 403.
    """
    patient = get_patient(patient_id=whole_number(request.POST.get("patient", "")), by=person(request))
    require(person(request), "billing.bill", patient.facility_id)
    lines = lines_in(request, where)
    if not lines:
        raise LinesMissing(attr="price")
    bill: Bill = actions.create_bill(
        facility_id=where.facility.pk,
        patient_id=patient.pk,
        lines=lines,
        about=request.POST.get("about", "").strip()[:120] or _("Cash desk"),
        discount=_off(request.POST.get("discount", "")),
        discount_reason=request.POST.get("reason", "").strip()[:200],
        by=person(request),
    )
    return bill


def take_priority(request: HttpRequest) -> dict[str, Any]:
    """The priority fee of a token, taken as the form says."""
    token = get_token(token_id=whole_number(request.POST.get("token", "")), by=person(request))
    require(person(request), "billing.take", token.session.facility_id)
    how = taking(request.POST, priority_of(token) or ZERO)
    receipt = take_priority_fee(token_id=token.pk, tenders=how.tenders, by=person(request))
    return {"on": {"receipt": receipt.pk, "taken": 1}}
