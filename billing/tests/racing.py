"""What races for money need: the cash desk without its locks, and what is found afterwards."""

import threading
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet

from billing import desk, locking
from billing.models import Payment, Refund
from billing.proof import prove
from billing.tests.house import House, rows
from common.errors import DomainError
from common.testing.races import PATIENCE, Outcomes


class WithoutLock:
    """The cash desk with its locks taken away; everybody has read before anybody writes."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.patch = patch
        patch.setattr(QuerySet, "select_for_update", lambda rows, **options: rows.all())
        patch.setattr(desk, "_RESERVE", desk._RESERVE.replace("FOR NO KEY UPDATE SKIP LOCKED", ""))
        patch.setattr(locking, "HOLD_SHIFT", locking.HOLD_SHIFT.replace("FOR NO KEY UPDATE", ""))

    def all_read_first(self, count: int, *writers: tuple[Any, str]) -> None:
        """Nobody goes on to write before so many have read."""
        everybody = threading.Barrier(count, timeout=PATIENCE)
        for module, name in writers:
            write = getattr(module, name)

            def wait_and_write(*arguments: Any, write: Any = write, **named: Any) -> Any:
                everybody.wait()
                return write(*arguments, **named)

            self.patch.setattr(module, name, wait_and_write)

    def drop(self, table: str, *names: str) -> None:
        """Take constraints, indexes and triggers away; the next test has a fresh database."""
        with connection.cursor() as cursor:
            for name in names:
                cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}")
                cursor.execute(f"DROP INDEX IF EXISTS {name}")

    def untrigger(self, *tables: str) -> None:
        """Take the triggers of tables away."""
        for table in tables:
            rows(f"ALTER TABLE {table} DISABLE TRIGGER USER")


def codes(done: Outcomes) -> list[str]:
    """What those were told who were refused.

    Raises:
        AssertionError: somebody met something that is no refusal.
    """
    strange = [error for error in done.raised if not isinstance(error, DomainError)]
    assert not strange, strange
    return sorted(error.code for error in done.raised if isinstance(error, DomainError))


def found(house: House) -> set[str]:
    """The codes of what the proof finds."""
    return set(prove(house.facility).counts)


def taken(house: House, bill_id: int) -> Decimal:
    """What the payments of a bill come to, less its refunds."""
    came = sum((payment.amount for payment in Payment.objects.filter(bill=bill_id)), Decimal(0))
    return came - sum((refund.amount for refund in Refund.objects.filter(bill=bill_id)), Decimal(0))
