"""What stands beside the list: a bill to be paid, what was just taken, or a question. The address says which."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django.http import HttpRequest

from accounts.permissions import allows, require
from billing.models import Bill, BillingSettings, Line, Receipt
from billing.queries import advance_balance, current_shift, get_bill, get_receipt
from billing.states import OWED, BillStatus, Method, ReceiptKind
from common.errors import DomainError
from reception.cash import papers, persons
from reception.cash.notes import usual_notes
from reception.cash.priority import priority_of
from reception.cash.questions import QUESTIONS
from reception.cash.shifts import shift_by_address
from reception.cash.sums import Read, moment, read, summed
from reception.cash.vouchers import voucher_by_address
from reception.cash.ways import denominations, methods
from reception.money.fees import ABOUT_TOKENS, PRIORITY
from reception.pages.asking import whole_number
from reception.pages.frame import Place, may, person
from reception.queries import get_token
from tokens.models import Token

Context = dict[str, Any]
VIEW, TAKE = "billing.view", "billing.take"


def panel(request: HttpRequest, where: Place) -> Context:
    """What stands beside the list.

    Raises:
        NotFound, PermissionDenied
    """
    asked = request.GET
    if asked.get("do"):
        return question(request, where, asked["do"])
    for name, shown in _SHOWN.items():
        if asked.get(name):
            return shown(request, where, asked[name])
    return {"drawer": "", "where": where}


def question(
    request: HttpRequest, where: Place, verb: str, *, sent: Any = None, error: DomainError | None = None
) -> Context:
    """A form that asks before something is done.

    Args:
        sent: what was filled in before a refusal; nothing of it is lost.
    """
    asked = QUESTIONS.get(verb)
    if asked is None:
        return {"drawer": "", "where": where}
    context = {"drawer": "question", "verb": verb, "error": error, "sent": sent or {}, "key": uuid4(), "where": where}
    return {**context, **asked(request, where, sent or request.GET)}


# A bill


def bill_by_address(request: HttpRequest, where: Place, text: str) -> Context:
    """The bill that the address names."""
    return bill_panel(request, where, get_bill(whole_number(text), person(request)))


def bill_panel(
    request: HttpRequest, where: Place, bill: Bill, *, sent: Any = None, error: DomainError | None = None
) -> Context:
    """A bill: how it adds up, and how it is paid where something is due."""
    allowed = may(request, bill.facility)
    found = read(bill)
    context = {
        "drawer": "bill",
        "where": where,
        "key": uuid4(),
        "error": error,
        "sent": sent or {},
        "may_issue": allowed("billing.bill") and bill.status == BillStatus.DRAFT,
        "may_void": allowed("billing.void") and bill.status in (BillStatus.OPEN, BillStatus.DRAFT),
        "may_credit": allowed("billing.credit") and bill.issued_at is not None and _creditable(bill),
        "may_refund": allowed("billing.refund") and bool(found.refundable),
        **sum_context(request, found),
        **token_context(bill, takes=allowed(TAKE)),
    }
    if bill.status in OWED and allowed(TAKE):
        context |= taking_context(request, bill, split="split" in (sent or request.GET))
    return context


def _creditable(bill: Bill) -> bool:
    return bill.status != BillStatus.VOID and bill.total > bill.credited


def token_context(bill: Bill, *, takes: bool) -> Context:
    """The token that a bill is about, and what its priority costs where it can still be had. Two queries at most.

    Lines name what people wrote: another facility's token is none here, and nothing is told of it.
    """
    lines = bill.lines.all()
    token_id = next((each.item_id for each in lines if each.item_type in ABOUT_TOKENS), None)
    here = Token.objects.select_related("session").filter(session__facility=bill.facility_id)
    token = token_id and here.filter(pk=token_id).first()
    return {"token": token, "priority": priority_of(token) if token and takes else None}


def sum_context(request: HttpRequest, found: Read) -> Context:
    """What the part `bill-sum` shows; `since` is the version that the page was opened with."""
    rows = summed(found)
    since = request.POST.get("since") or request.GET.get("since") or str(found.bill.version)
    return {
        "bill": found.bill,
        "found": found,
        "issued": found.bill.issued_at and moment(found.bill.issued_at, found.bill.facility),
        "sum": rows,
        "asked": papers.down_to_total(rows),
        "before": papers.before(found),
        "since": since,
        "changed": since != str(found.bill.version),
        "last": found.payments[-1] if found.payments else None,
    }


def taking_context(request: HttpRequest, bill: Bill, *, split: bool) -> Context:
    """How it may be paid. Three queries."""
    shift = current_shift(person(request), bill.facility_id)
    balance = advance_balance(bill.facility_id, bill.patient_id)
    return {
        "take": True,
        "split": split,
        "first_way": Method.CASH.value if shift else Method.CARD.value,
        "zero": Decimal(0),
        "shift": shift,
        "balance": balance,
        "methods": methods(cash=shift is not None, account=balance > 0),
        "notes": usual_notes(bill.due, denominations(bill.facility_id)),
        "settings": BillingSettings.objects.filter(pk=bill.facility_id).first(),
    }


# A receipt


def token_by_address(request: HttpRequest, where: Place, text: str) -> Context:
    """The bill that the token owes; where it owes none, its patient. Three queries to find out."""
    token = get_token(token_id=whole_number(text), by=person(request))
    lines = Line.objects.filter(item_type__in=ABOUT_TOKENS, item_id=token.pk, bill__status__in=OWED)
    bill_id = lines.order_by("bill_id").values_list("bill_id", flat=True).first()
    if bill_id is None:
        return persons.token_panel(request, where, token)
    return bill_panel(request, where, get_bill(bill_id, person(request)))


def receipt_by_address(request: HttpRequest, where: Place, text: str) -> Context:
    """The receipt that the address names; `taken` says that it was taken just now, so it prints itself."""
    return receipt_panel(request, where, get_receipt(whole_number(text), person(request)), now="taken" in request.GET)


def receipt_panel(request: HttpRequest, where: Place, receipt: Receipt, *, now: bool = False) -> Context:
    """What was taken or given back: how much to give to the patient, whether something is still due."""
    require(person(request), VIEW, receipt.facility_id)
    paper = papers.receipt_paper(receipt)
    return {
        "drawer": "done",
        "where": where,
        "key": uuid4(),
        "receipt": receipt,
        "paper": paper,
        "is_refund": receipt.kind == ReceiptKind.REFUND,
        "print_now": now and not paper.prints,
        "just_now": now,
        "token": prioritised(paper) if now else None,
        "next": _next_bill(receipt) if now else None,
        "may_refund": allows(person(request), "billing.refund", receipt.facility_id) and paper.refundable,
    }


def prioritised(paper: papers.ReceiptPaper) -> Token | None:
    """The token that has priority by what was paid, to say where it stands now. One query where there is one."""
    lines = paper.found.lines if paper.found and not paper.is_refund else []
    token_id = next((each.item_id for each in lines if each.item_type == PRIORITY), None)
    here = Token.objects.select_related("slot").filter(session__facility=paper.receipt.facility_id, paid=True)
    return here.filter(pk=token_id).first() if token_id else None


def _next_bill(receipt: Receipt) -> int | None:
    """The bill that stands on top of the list now. One query."""
    owed = Bill.objects.filter(facility_id=receipt.facility_id, status__in=OWED).exclude(pk=receipt.bill_id or 0)
    return owed.order_by("-id").values_list("pk", flat=True).first()


_SHOWN: dict[str, Callable[[HttpRequest, Place, str], Context]] = {
    "bill": bill_by_address,
    "receipt": receipt_by_address,
    "token": token_by_address,
    "patient": persons.patient_by_address,
    "shift": shift_by_address,
    "moved": voucher_by_address,
    "q": persons.found_by_address,
}
