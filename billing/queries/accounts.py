"""What lies on patients' own accounts. The balance is never stored: it is the sum of the ledger's entries."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from billing.models import LedgerEntry
from billing.states import AccountKind
from patients.models import Patient


def family(patient_id: int) -> QuerySet[Patient]:
    """A patient's record with all that were merged with it, whichever of them is named. A merge is never a chain."""
    head = Subquery(Patient.objects.filter(pk=patient_id).values(head=Coalesce("merged_into_id", "pk")))
    return Patient.objects.filter(Q(pk=head) | Q(merged_into_id=head)).order_by()


def records_of(patient_ids: Collection[int]) -> QuerySet[Patient]:
    """The records of patients and those that were merged into them.

    Lists look for `patient__in` these, for a condition on the bill and on its patient at once reads every bill.
    """
    return Patient.objects.filter(Q(pk__in=patient_ids) | Q(merged_into__in=patient_ids)).order_by()


def _entries(facility_id: int, records: Collection[int] | QuerySet[Patient]) -> QuerySet[LedgerEntry]:
    return LedgerEntry.objects.filter(
        account__facility_id=facility_id, account__kind=AccountKind.ADVANCE, patient__in=records
    )


def advance_balance(facility_id: int, patient_id: int) -> Decimal:
    """What the hospital holds for a patient, with what it holds for the records merged with theirs. One query.

    Nobody decides by it: `billing.desk.lock_accounts` says what lies there while it is locked.
    """
    return balance_on(facility_id, family(patient_id))


def balance_on(facility_id: int, records: Collection[int] | QuerySet[Patient]) -> Decimal:
    """What lies on the accounts of these records. One query."""
    found = _entries(facility_id, records).order_by().aggregate(sum=Sum("amount"))["sum"]
    return -(found or Decimal("0.00"))


@dataclass(frozen=True, slots=True)
class Movement:
    """A line of a patient's account: what came (above zero) or went, and what lay there then."""

    at: datetime
    kind: str
    number: str
    amount: Decimal
    balance: Decimal


def statement(facility_id: int, patient_id: int) -> list[Movement]:
    """Everything that moved on a patient's account, the newest first. One query."""
    rows = (
        _entries(facility_id, family(patient_id))
        .select_related("transaction__payment__receipt", "transaction__refund__receipt")
        .order_by("pk")
    )
    balance, lines = Decimal("0.00"), []
    for row in rows:
        balance -= row.amount
        deed = row.transaction.payment or row.transaction.refund
        number = deed.receipt.number if deed else ""
        lines.append(Movement(row.transaction.at, row.transaction.kind, number, -row.amount, balance))
    return lines[::-1]
