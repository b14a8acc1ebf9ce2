"""Receipts with what stands on them."""

from django.db.models import Prefetch, QuerySet

from accounts.permissions import within
from billing.models import Payment, Receipt, Refund


def receipts_of(facility_ids: frozenset[int]) -> QuerySet[Receipt]:
    """Receipts and vouchers of these facilities with their payments and refunds, the newest first. Three queries."""
    receipts = Receipt.objects.filter(within(facility_ids)).select_related("facility", "bill").order_by("-pk")
    return receipts.prefetch_related(
        Prefetch("payments", Payment.objects.order_by("pk")), Prefetch("refunds", Refund.objects.order_by("pk"))
    )
