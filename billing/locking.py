"""The locks on a shift and a bill. docs/locking.md has the order: shifts, sessions, bills, accounts, counters."""

from collections.abc import Sequence
from typing import Final

from django.db import connection, transaction

from accounts.models import User
from billing.changes import lock_before
from billing.errors import UnknownBill
from billing.models import Bill
from common.api.etag import require_version
from scheduling.locking import LOCK_TIMEOUT, SET_TIMEOUT

HOLD_SHIFT: Final = (
    f"{SET_TIMEOUT}; SELECT FROM billing_shift WHERE cashier_id = %s AND closed_at IS NULL FOR NO KEY UPDATE"
)


def lock_bill(bill_id: int, *, version: int | None = None, cashier: User | None = None) -> Bill:
    """Lock a bill and return it as it is now, with its facility.

    What must be locked before it is locked first, by the functions of OPD_BILL_LOCKS.

    Args:
        version: what the caller read; None takes any.
        cashier: who will take or give money for it, and so needs the open shift too.

    Raises:
        UnknownBill: 404.
        PreconditionFailed: 412, somebody changed it since.
        RunAgain: what stands before it moved meanwhile.
    """
    bill = lock_bills([bill_id], cashier=cashier)[0]
    require_version(bill.version, version)
    return bill


def lock_bills(bill_ids: Sequence[int], *, cashier: User | None = None) -> list[Bill]:
    """Lock bills in the order of their ids.

    Args:
        cashier: as for `lock_bill`.

    Raises:
        UnknownBill: 404, one of them is not there.
        TransactionManagementError: no transaction is open.
    """
    wanted = sorted(set(bill_ids))
    be_patient(cashier)
    lock_before(wanted)
    rows = Bill.objects.select_for_update(of=("self",), no_key=True).select_related("facility")
    bills = list(rows.filter(pk__in=wanted).order_by("pk"))
    if len(bills) < len(wanted):
        raise UnknownBill
    return bills


def be_patient(cashier: User | None = None) -> None:
    """Wait for locks as long as everybody else here does, and no longer; then 503 with Retry-After.

    Args:
        cashier: who takes or gives money: their open shift, where there is one, is locked at once and before anything
            else, so that a cashier does one thing at a time and never waits for it with something else in hand.

    Raises:
        TransactionManagementError: no transaction is open.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("money moves inside a transaction only")
    with connection.cursor() as cursor:
        if cashier is None:
            cursor.execute(SET_TIMEOUT, (LOCK_TIMEOUT,))
        else:
            cursor.execute(HOLD_SHIFT, (LOCK_TIMEOUT, cashier.pk))
