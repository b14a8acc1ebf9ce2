"""What lies on the accounts of many patients at once; `accounts.advance_balance` is what money is decided by."""

from collections.abc import Iterable
from decimal import Decimal

from django.db.models import Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from accounts.permissions import within
from billing.models import LedgerEntry, PatientAccount
from billing.states import AccountKind

_HEAD = Coalesce("patient__merged_into_id", "patient_id")


def holders(facility_ids: frozenset[int]) -> QuerySet[PatientAccount, int]:
    """Ids of patients who have an account, the newest first; of merged records the one that goes on."""
    accounts = PatientAccount.objects.filter(within(facility_ids)).annotate(head=_HEAD)
    return accounts.order_by("-head").values_list("head", flat=True).distinct()


def balances(patient_ids: Iterable[int]) -> dict[int, Decimal]:
    """What lies on each patient's account, merged records counted to the one that goes on. One query.

    Args:
        patient_ids: of records that are not merged into others.
    """
    wanted = list(patient_ids)
    rows = LedgerEntry.objects.filter(
        Q(patient_id__in=wanted) | Q(patient__merged_into_id__in=wanted), account__kind=AccountKind.ADVANCE
    )
    sums = rows.order_by().annotate(head=_HEAD).values_list("head").annotate(sum=Sum("amount"))
    return {head: -total for head, total in sums}
