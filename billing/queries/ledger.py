"""Reads of the ledger: its entries, and its accounts with their balances."""

from datetime import date
from decimal import Decimal

from django.db.models import Q, QuerySet, Sum, Value
from django.db.models.functions import Coalesce

from accounts.permissions import within
from billing.models import Bill, LedgerAccount, LedgerEntry, LedgerTransaction, Shift
from billing.models.fields import money


def entries_of(facility_ids: frozenset[int]) -> QuerySet[LedgerEntry]:
    """Entries of these facilities' ledgers, each with its account, its transaction and the bill that is about."""
    rows = LedgerEntry.objects.filter(within(facility_ids, "account__facility_id"))
    return rows.select_related("account__facility", "transaction__bill")


def accounts_of(facility_ids: frozenset[int]) -> QuerySet[LedgerAccount]:
    """Accounts of these facilities' ledgers."""
    return LedgerAccount.objects.filter(within(facility_ids)).select_related("facility")


def with_balances(accounts: QuerySet[LedgerAccount], *, until: date | None = None) -> QuerySet[LedgerAccount]:
    """The accounts, each with its `balance`: the sum of its entries, which is stored nowhere.

    Args:
        until: the last of the facility's dates that counts; all where none is given.
    """
    counts = Q(entries__transaction__date__lte=until) if until else None
    total = Coalesce(Sum("entries__amount", filter=counts), Value(Decimal("0.00")), output_field=money())
    return accounts.annotate(balance=total)


def has_money(facility_id: int) -> bool:
    """Whether amounts are written here: bills, drafts too, shifts, the ledger. Three queries at most."""
    return any(rows.objects.filter(facility=facility_id).exists() for rows in (Bill, Shift, LedgerTransaction))
