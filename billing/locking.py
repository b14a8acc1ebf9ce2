"""The lock on a bill. docs/locking.md has the order: sessions, bills, accounts, shifts, counters."""

from collections.abc import Sequence

from django.db import connection, transaction

from billing.changes import lock_before
from billing.errors import UnknownBill
from billing.models import Bill
from common.api.etag import require_version
from scheduling.locking import LOCK_TIMEOUT, SET_TIMEOUT


def lock_bill(bill_id: int, *, version: int | None = None) -> Bill:
    """Lock a bill and return it as it is now, with its facility.

    What must be locked before it is locked first, by the functions of OPD_BILL_LOCKS.

    Args:
        version: what the caller read; None takes any.

    Raises:
        UnknownBill: 404.
        PreconditionFailed: 412, somebody changed it since.
        RunAgain: what stands before it moved meanwhile.
    """
    bill = lock_bills([bill_id])[0]
    require_version(bill.version, version)
    return bill


def lock_bills(bill_ids: Sequence[int]) -> list[Bill]:
    """Lock bills in the order of their ids.

    Raises:
        UnknownBill: 404, one of them is not there.
        TransactionManagementError: no transaction is open.
    """
    wanted = sorted(set(bill_ids))
    be_patient()
    lock_before(wanted)
    rows = Bill.objects.select_for_update(of=("self",), no_key=True).select_related("facility")
    bills = list(rows.filter(pk__in=wanted).order_by("pk"))
    if len(bills) < len(wanted):
        raise UnknownBill
    return bills


def be_patient() -> None:
    """Wait for locks as long as everybody else here does, and no longer; then 503 with Retry-After.

    Raises:
        TransactionManagementError: no transaction is open.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("money moves inside a transaction only")
    with connection.cursor() as cursor:
        cursor.execute(SET_TIMEOUT, (LOCK_TIMEOUT,))
