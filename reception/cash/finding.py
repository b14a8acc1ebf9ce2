"""Finding at the cash desk: a patient, a bill, a receipt, a token; also a slip's QR code, which a scanner types."""

import datetime as dt
import re
from dataclasses import dataclass, field
from typing import Final

from django.db.models import Q

from accounts.models import Facility
from billing.models import Bill, Receipt
from billing.states import OWED
from patients.models import Patient
from patients.queries import search_patients
from reception.cash.listing import Row, bill_row, receipt_row, with_names
from reception.queries import tokens_named
from tokens.models import Token

MOST: Final = 6
_SLIP: Final = re.compile(r"(?:.*/)?t/(?P<key>[A-Za-z0-9_-]{8,80})/?", re.IGNORECASE)
_NUMBER: Final = re.compile(r"(?P<kind>[BRV])\s*-?\s*(?:(?P<year>\d{4})\s*-\s*)?(?P<number>\d{1,12})", re.IGNORECASE)


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
    """What was typed or scanned. Seven queries at most.

    Args:
        on: the facility's date of now; tokens are those of the day.
    """
    text = text.strip()[:200]
    if not text:
        return Found("")
    slip = _SLIP.fullmatch(text)
    if slip:
        return _of_tokens(facility, text, _by_key(facility, slip["key"]))
    number = _NUMBER.fullmatch(text)
    if number and number["kind"].upper() != "B":
        return Found(text, receipts=_receipts(facility, _numbered(number)))
    if number:
        bills = _bills(facility, _numbered(number))
        if bills or number["year"]:
            return Found(text, bills=bills)
    return _of_people(facility, text, on)


def _numbered(number: re.Match[str]) -> Q:
    """`B-2026-000012`, `b 12`, `R-12`: without the year, whichever ends so."""
    kind, year, figure = number["kind"].upper(), number["year"], int(number["number"])
    if year:
        return Q(number=f"{kind}-{year}-{figure:06d}")
    return Q(number__startswith=f"{kind}-", number__endswith=f"-{figure:06d}")


def _bills(facility: Facility, wanted: Q) -> list[Row]:
    rows = Bill.objects.filter(wanted, facility=facility).order_by("-id")
    return [bill_row(each) for each in with_names(rows, MOST)]


def _receipts(facility: Facility, wanted: Q) -> list[Row]:
    rows = Receipt.objects.filter(wanted, facility=facility).select_related("patient", "bill").order_by("-id")
    return [receipt_row(each, facility.currency) for each in rows.prefetch_related("payments", "refunds")[:MOST]]


def _by_key(facility: Facility, key: str) -> list[Token]:
    rows = Token.objects.filter(key=key, session__facility=facility).select_related("patient", "session__doctor")
    return list(rows[:1])


def _of_tokens(facility: Facility, text: str, tokens: list[Token]) -> Found:
    bills = _owed_of(facility, [each.patient_id for each in tokens])
    return Found(text, bills=bills, tokens=tokens)


def _of_people(facility: Facility, text: str, on: dt.date) -> Found:
    tokens = tokens_named(facility, text, on)
    patients = search_patients(facility_ids=frozenset({facility.pk}), text=text, limit=MOST)
    bills = _owed_of(facility, [each.patient_id for each in tokens] + [each.pk for each in patients])
    return Found(text, bills=bills, tokens=tokens, patients=patients)


def _owed_of(facility: Facility, patient_ids: list[int]) -> list[Row]:
    """What these patients owe, also under records that were merged into theirs; in the order of the patients."""
    if not patient_ids:
        return []
    records = Patient.objects.filter(Q(pk__in=patient_ids) | Q(merged_into__in=patient_ids)).values("pk")
    rows = Bill.objects.filter(facility=facility, patient__in=records, status__in=OWED).order_by("-id")
    return [bill_row(each) for each in with_names(rows, MOST)]
