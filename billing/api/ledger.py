"""The ledger over REST: its entries, and its accounts with their balances."""

from django.db.models import QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts.api.callers import caller
from accounts.permissions import require_anywhere
from billing.api import bodies, shapes
from billing.api.figures import account_json, entry_json
from billing.filters import AccountFilter, EntryFilter
from billing.models import LedgerAccount, LedgerEntry
from billing.queries.ledger import accounts_of, entries_of, with_balances
from common.api.ordering import Ordering

BACKENDS = (DjangoFilterBackend, Ordering)


class EntryViewSet(GenericViewSet[LedgerEntry]):
    """Entries of the ledgers that the caller may see."""

    queryset = LedgerEntry.objects.none()
    serializer_class = shapes.LedgerEntrySerializer
    filterset_class = EntryFilter
    filter_backends = BACKENDS
    ordering_fields = ("id", "amount")
    ordering = ("-id",)

    def get_queryset(self) -> QuerySet[LedgerEntry]:
        """What the caller may see."""
        return entries_of(require_anywhere(caller(self.request), "billing.ledger"))

    def list(self, request: Request) -> Response:
        """Entries, the newest first. Those of one transaction sum to zero."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []
        return self.get_paginated_response([entry_json(entry) for entry in page])


class AccountViewSet(GenericViewSet[LedgerAccount]):
    """Accounts of the ledgers that the caller may see."""

    queryset = LedgerAccount.objects.none()
    serializer_class = shapes.LedgerAccountSerializer
    filterset_class = AccountFilter
    filter_backends = BACKENDS
    ordering_fields = ("id", "code")
    ordering = ("facility", "code")

    def get_queryset(self) -> QuerySet[LedgerAccount]:
        """What the caller may see."""
        return accounts_of(require_anywhere(caller(self.request), "billing.ledger"))

    @extend_schema(parameters=[bodies.UntilSerializer])
    def list(self, request: Request) -> Response:
        """Accounts with their balances, now or at the end of a day: the sums of their entries, stored nowhere."""
        until = bodies.UntilSerializer.asked(request).get("until")
        accounts = with_balances(self.filter_queryset(self.get_queryset()), until=until)
        page = self.paginate_queryset(accounts) or []
        return self.get_paginated_response([account_json(account) for account in page])
