"""Addresses of bills, payments, shifts and the ledger, under /api/v1/."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from billing.api.accounts import PatientAccountViewSet
from billing.api.bills import BillViewSet
from billing.api.ledger import AccountViewSet, EntryViewSet
from billing.api.payments import AdvanceViewSet, PaymentViewSet, ReceiptViewSet, RefundViewSet
from billing.api.prices import PriceViewSet
from billing.api.proof import ProofView
from billing.api.shifts import ShiftViewSet

router = SimpleRouter()
router.register("bills", BillViewSet, basename="bill")
router.register("payments", PaymentViewSet, basename="payment")
router.register("refunds", RefundViewSet, basename="refund")
router.register("advances", AdvanceViewSet, basename="advance")
router.register("accounts", PatientAccountViewSet, basename="account")
router.register("receipts", ReceiptViewSet, basename="receipt")
router.register("shifts", ShiftViewSet, basename="shift")
router.register("prices", PriceViewSet, basename="price")
router.register("ledger/entries", EntryViewSet, basename="ledger-entry")
router.register("ledger/accounts", AccountViewSet, basename="ledger-account")

urlpatterns = [path("ledger/proof/", ProofView.as_view(), name="ledger-proof"), *router.urls]
