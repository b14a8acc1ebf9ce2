"""Tables of money. Nothing here is ever deleted; what was issued, paid, posted or closed is never changed."""

from billing.models.bills import Bill, CreditLine, CreditNote, Line
from billing.models.facilities import FacilityWithMoney
from billing.models.ledger import LedgerAccount, LedgerEntry, LedgerTransaction, ProofRun
from billing.models.movements import CashMovement
from billing.models.payments import PatientAccount, Payment, Receipt, ReceiptPrint, Refund
from billing.models.setup import BillingSettings, Counter, CreditLimit, DiscountLimit, Price, TaxRate
from billing.models.shifts import Drawer, Shift

__all__ = [
    "Bill",
    "BillingSettings",
    "CashMovement",
    "Counter",
    "CreditLimit",
    "CreditLine",
    "CreditNote",
    "DiscountLimit",
    "Drawer",
    "FacilityWithMoney",
    "LedgerAccount",
    "LedgerEntry",
    "LedgerTransaction",
    "Line",
    "PatientAccount",
    "Payment",
    "Price",
    "ProofRun",
    "Receipt",
    "ReceiptPrint",
    "Refund",
    "Shift",
    "TaxRate",
]
