"""Finding at the cash desk: a patient, a bill, a receipt, a token; also a slip's QR code, which a scanner types."""

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from django.db.models import Q

from accounts.models import Facility
from billing.models import Bill, Receipt
from billing.states import OWED, CounterKind
from patients.models import Patient
from patients.queries import search_patients
from reception.cash.numbers import numbers_of, typed
from reception.cash.rows import Row, bill_row, receipt_row, with_names
from reception.queries import tokens_named
from tokens.models import Token

MOST: Final = 6
_SLIP: Final = re.compile(r"(?:.*/)?t/(?P<key>[A-Za-z0-9_-]{8,80})/?", re.IGNORECASE)
_LOOKED_AT: Final = 20
"""Patients of whom is asked what they owe; the first of them are shown."""


@dataclass(frozen=True)
class Found:
    """What a text may mean.

    Attributes:
        bills: rows of the list; what a patient or a token still owes comes first.
    """

    text: str
    bills: list[Row] = field(default_factory=list)
    receipts: list[Row] = field(default_factory=list)
    tokens: list[Token] = field(default_factory=list)
    patients: list[Patient] = field(default_factory=list)

    @property
    def nothing(self) -> bool:
        """Whether it means nothing here."""
        return not (self.bills or self.receipts or self.tokens or self.patients)


def find(facility: Facility, text: str, on: dt.date) -> Found:
    """What was typed or scanned. Eight queries at most.

    A number without its year may be that of a token too, and one without its letter that of a patient: then what a
    patient who is here owes comes before a paper on which nothing is to be done any more.

    Args:
        on: the facility's date of now; tokens are those of the day.
    """
    text = text.strip()[:200]
    if not text:
        return Found("")
    slip = _SLIP.fullmatch(text)
    if slip:
        return _of_tokens(facility, text, _by_key(facility, slip["key"]))
    number = typed(text)
    if number is None:
        return _of_people(facility, text, on)
    numbers = numbers_of(facility.pk, number)
    bills, receipts = _bills(facility, numbers), _receipts(facility, numbers)
    if number.exact:
        return Found(text, bills=_rows(bills), receipts=receipts)
    more = _of_people(facility, text, on, patients=number.bare or not (bills or receipts))
    return replace(more, bills=_in_turn(bills, more.bills), receipts=receipts)


def _in_turn(bills: list[Bill], owed: list[Row]) -> list[Row]:
    """Bills of a number, then what patients owe; the other way round where nothing is to be done on the first."""
    found = _rows(bills)
    asked = bool(bills) and (bills[0].status in OWED or bills[0].to_give_back > 0)
    groups = [found, owed] if asked else [owed, found]
    return list({row.name: row for group in groups for row in group[:MOST]}.values())


def _rows(bills: Iterable[Bill]) -> list[Row]:
    return [bill_row(each) for each in bills]


def _bills(facility: Facility, numbers: dict[CounterKind, list[str]]) -> list[Bill]:
    """Bills by their number, or by that of a credit note; those of the newest year first. One query."""
    own, notes = numbers.get(CounterKind.BILL), numbers.get(CounterKind.CREDIT_NOTE)
    if not (own or notes):
        return []
    wanted = Q(number__in=own) if own else Q(credit_notes__number__in=notes, credit_notes__facility=facility)
    return list(with_names(Bill.objects.filter(wanted, facility=facility).order_by("-number"), MOST))


def _receipts(facility: Facility, numbers: dict[CounterKind, list[str]]) -> list[Row]:
    """Receipts or vouchers by their number, those of the newest year first. Two queries."""
    vouchers = numbers.get(CounterKind.VOUCHER, [])
    wanted = vouchers or numbers.get(CounterKind.RECEIPT)
    if not wanted:
        return []
    rows = Receipt.objects.filter(facility=facility, number__in=wanted).select_related("patient", "bill")
    rows = rows.prefetch_related("refunds" if vouchers else "payments").order_by("-number")
    return [receipt_row(each, facility.currency) for each in rows[:MOST]]


def _by_key(facility: Facility, key: str) -> list[Token]:
    rows = Token.objects.filter(key=key, session__facility=facility).select_related("patient", "session__doctor")
    return list(rows[:1])


def _of_tokens(facility: Facility, text: str, tokens: list[Token]) -> Found:
    bills = _owed_of(facility, [each.patient_id for each in tokens])
    return Found(text, bills=bills, tokens=tokens)


def _of_people(facility: Facility, text: str, on: dt.date, *, patients: bool = True) -> Found:
    """Who a text may mean: tokens and, where `patients` says so, patients; and what they owe."""
    tokens = tokens_named(facility, text, on)
    here = frozenset({facility.pk})
    people = search_patients(facility_ids=here, text=text, limit=_LOOKED_AT) if patients else []
    bills = _owed_of(facility, [each.patient_id for each in tokens] + [each.pk for each in people])
    return Found(text, bills=bills, tokens=tokens, patients=people[:MOST])


def _owed_of(facility: Facility, patient_ids: list[int]) -> list[Row]:
    """What these patients owe, also under records that were merged into theirs; in the order of the patients."""
    if not patient_ids:
        return []
    rank = {key: place for place, key in reversed(list(enumerate(patient_ids)))}
    records = Patient.objects.filter(Q(pk__in=patient_ids) | Q(merged_into__in=patient_ids)).values("pk")
    rows = Bill.objects.filter(facility=facility, patient__in=records, status__in=OWED).order_by("-id")
    found = list(with_names(rows, MOST * len(rank)))
    found.sort(key=lambda bill: rank[bill.patient.merged_into_id or bill.patient_id])
    return _rows(found[:MOST])
