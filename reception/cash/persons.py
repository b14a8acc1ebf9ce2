"""A patient and a token at the cash desk: what they owe, what lies on the account, what else can be done."""

from typing import Any
from uuid import uuid4

from django.db.models import Q
from django.http import HttpRequest

from accounts.permissions import require
from billing.models import Bill
from billing.queries import advance_balance
from billing.states import OWED, BillStatus
from patients.models import Patient
from patients.queries import get_patient
from reception.cash import finding
from reception.cash.priority import priority_of
from reception.cash.rows import bill_row, with_names
from reception.pages.asking import whole_number
from reception.pages.frame import Place, may, person
from tokens.models import Token

Context = dict[str, Any]


def patient_by_address(request: HttpRequest, where: Place, text: str) -> Context:
    """The patient that the address names. Five queries."""
    patient = get_patient(patient_id=whole_number(text), by=person(request))
    return person_panel(request, where, patient)


def person_panel(request: HttpRequest, where: Place, patient: Patient) -> Context:
    """A patient: what is owed, what was billed last, and what lies on the account."""
    facility = patient.facility
    require(person(request), "billing.view", facility.pk)
    records = Patient.objects.filter(Q(pk=patient.pk) | Q(merged_into=patient)).values("pk")
    bills = Bill.objects.filter(facility=facility, patient__in=records).order_by("-id")
    allowed = may(request, facility)
    return {
        "drawer": "person",
        "where": where,
        "patient": patient,
        "age": patient.age(where.date),
        "owed": [bill_row(each) for each in with_names(bills.filter(status__in=OWED), 12)],
        "drafts": [bill_row(each) for each in with_names(bills.filter(status=BillStatus.DRAFT), 6)],
        "others": [bill_row(each) for each in with_names(bills.exclude(status__in=(*OWED, BillStatus.DRAFT)), 6)],
        "balance": advance_balance(facility.pk, patient.pk),
        "may_bill": allowed("billing.bill"),
        "may_take": allowed("billing.take"),
        "may_refund": allowed("billing.refund"),
        "key": uuid4(),
    }


def token_panel(request: HttpRequest, where: Place, token: Token) -> Context:
    """A token with what its patient owes, and its priority where it can be had."""
    context = person_panel(request, where, token.patient)
    return {**context, "token": token, "priority": priority_of(token) if context["may_take"] else None}


def found_by_address(request: HttpRequest, where: Place, text: str) -> Context:
    """What a text may mean, for who has no scripts."""
    return {"drawer": "find", "where": where, "found": finding.find(where.facility, text, where.date)}
