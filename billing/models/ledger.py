"""Double entry: accounts, transactions and their entries. Balances are never stored, they are sums."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Func, Q

from billing.models.bills import Bill, CreditNote
from billing.models.fields import append_only, money, of_one_facility
from billing.models.movements import CashMovement
from billing.models.payments import Payment, Refund
from billing.models.shifts import Drawer, Shift
from billing.states import AccountKind, LedgerKind


class CurrentTransaction(Func):
    """The number of the database transaction that is open now."""

    template = "(pg_current_xact_id()::text::bigint)"
    output_field = models.BigIntegerField()


_OF_THIS_MOMENT = """
IF (SELECT xact FROM billing_ledgertransaction WHERE id = NEW.transaction_id) IS DISTINCT FROM
   pg_current_xact_id()::text::bigint THEN
    RAISE EXCEPTION 'no entry is added to an earlier transaction' USING ERRCODE = 'check_violation';
END IF;
RETURN NEW;
"""

_SUMS_TO_ZERO = """
IF (SELECT sum(amount) FROM billing_ledgerentry WHERE transaction_id = NEW.transaction_id) <> 0 THEN
    RAISE EXCEPTION 'ledger transaction % does not sum to zero', NEW.transaction_id USING ERRCODE = 'check_violation';
END IF;
RETURN NULL;
"""

_HAS_ENTRIES = """
IF (SELECT count(*) FROM billing_ledgerentry WHERE transaction_id = NEW.id) < 2 THEN
    RAISE EXCEPTION 'ledger transaction % has no entries', NEW.id USING ERRCODE = 'check_violation';
END IF;
RETURN NULL;
"""


class LedgerAccount(models.Model):
    """An account of a facility: one of its kind, or one for each drawer, department or way to pay."""

    facility = models.ForeignKey("accounts.Facility", models.PROTECT, related_name="ledger_accounts")
    kind = models.CharField(max_length=10, choices=AccountKind)
    code = models.CharField(max_length=60, help_text="Such as cash:3, bank:upi, revenue:7, receivable.")
    name = models.CharField(max_length=160)
    department = models.ForeignKey("scheduling.Department", models.PROTECT, null=True, related_name="+")
    drawer = models.ForeignKey(Drawer, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["facility", "code"]
        constraints = [models.UniqueConstraint(fields=["facility", "code"], name="ledger_account_once")]
        triggers = [append_only(), of_one_facility("department", "drawer")]

    def __str__(self) -> str:
        return self.name


class LedgerTransaction(models.Model):
    """Something that moved money or a claim. Append-only; its entries are written with it, never later."""

    facility = models.ForeignKey("accounts.Facility", models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(max_length=10, choices=LedgerKind)
    date = models.DateField(help_text="The facility's date.")
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", db_index=False)
    bill = models.ForeignKey(Bill, models.PROTECT, null=True, related_name="ledger")
    payment = models.ForeignKey(Payment, models.PROTECT, null=True, related_name="ledger", db_index=False)
    refund = models.ForeignKey(Refund, models.PROTECT, null=True, related_name="ledger", db_index=False)
    credit_note = models.ForeignKey(CreditNote, models.PROTECT, null=True, related_name="ledger", db_index=False)
    movement = models.ForeignKey(CashMovement, models.PROTECT, null=True, related_name="ledger", db_index=False)
    shift = models.ForeignKey(Shift, models.PROTECT, null=True, related_name="ledger")
    xact = models.BigIntegerField(db_default=CurrentTransaction(), editable=False)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["facility", "date"], name="ledger_of_day")]
        constraints = [
            models.UniqueConstraint(
                fields=["bill", "kind"], condition=Q(kind__in=["issue", "void"]), name="bill_posted_once"
            ),
            models.UniqueConstraint(fields=["payment"], condition=Q(kind="payment"), name="payment_posted_once"),
            models.UniqueConstraint(fields=["refund"], condition=Q(kind="refund"), name="refund_posted_once"),
            models.UniqueConstraint(fields=["credit_note"], condition=Q(kind="credit"), name="credit_posted_once"),
            models.UniqueConstraint(fields=["movement"], condition=Q(kind="movement"), name="movement_posted_once"),
            models.UniqueConstraint(
                fields=["shift", "kind"], condition=Q(kind__in=["float", "close"]), name="shift_posted_once"
            ),
            models.CheckConstraint(condition=Q(kind__in=LedgerKind.values), name="ledger_kind_known"),
        ]
        triggers = [
            append_only(),
            of_one_facility("bill", "payment", "refund", "credit_note:creditnote", "movement:cashmovement", "shift"),
            pgtrigger.Trigger(
                name="has_entries",
                operation=pgtrigger.Insert,
                when=pgtrigger.After,
                timing=pgtrigger.Deferred,
                func=_HAS_ENTRIES,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.pk}"


class LedgerEntry(models.Model):
    """A line of a transaction: above zero is debit, below is credit. Append-only."""

    transaction = models.ForeignKey(LedgerTransaction, models.PROTECT, related_name="entries")
    account = models.ForeignKey(LedgerAccount, models.PROTECT, related_name="entries")
    amount = money()
    bill = models.ForeignKey(
        Bill, models.PROTECT, null=True, related_name="entries", help_text="Whose claim it is, on the receivable."
    )
    patient = models.ForeignKey(
        "patients.Patient", models.PROTECT, null=True, related_name="+", help_text="Whose advance it is."
    )

    class Meta:
        ordering = ["id"]
        verbose_name_plural = "ledger entries"
        constraints = [models.CheckConstraint(condition=~Q(amount=0), name="ledger_entry_not_zero")]
        triggers = [
            append_only(),
            of_one_facility("transaction:ledgertransaction", "account:ledgeraccount", "bill", "patient", own=False),
            pgtrigger.Trigger(
                name="of_this_moment", operation=pgtrigger.Insert, when=pgtrigger.Before, func=_OF_THIS_MOMENT
            ),
            pgtrigger.Trigger(
                name="sums_to_zero",
                operation=pgtrigger.Insert,
                when=pgtrigger.After,
                timing=pgtrigger.Deferred,
                func=_SUMS_TO_ZERO,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account_id}: {self.amount}"


class ProofRun(models.Model):
    """A night's proof that bills, payments and ledger agree, with what it found. Append-only."""

    facility = models.ForeignKey("accounts.Facility", models.PROTECT, related_name="+")
    at = models.DateTimeField()
    balanced = models.BooleanField()
    difference = money(help_text="The sum of all that does not agree; 0.00 where all does.")
    findings = models.JSONField(default=list)

    class Meta:
        ordering = ["-id"]
        triggers = [append_only()]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d}: {'balanced' if self.balanced else self.difference}"
