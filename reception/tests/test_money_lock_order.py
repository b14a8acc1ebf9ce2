"""In which order money is locked, whatever is done: read off the statements themselves.

Two transactions that lock in one order never wait for each other. A race shows an inversion only where both meet in
the right moment; here every transaction of a long random day is looked at by itself.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any, Final

import pytest
from django.db import connection

from billing import locking
from billing.models import Bill
from common import transactions
from reception.money import reading
from reception.tests.test_money_storm import Clinic, tried

pytestmark = pytest.mark.django_db

ORDER: Final = ("shift", "bill", "account", "petty", "C", "V", "B", "R", "M")
"""Of docs/locking.md; sessions come before all of them, and are watched by the engine's own tests."""


class Watch:
    """Notes which locks a transaction takes, each when it is taken first."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, Any]] = []
        self.newest = 0
        self.wrong: list[str] = []

    def begin(self) -> None:
        """A transaction begins: a bill that it makes itself needs no lock."""
        self.taken, self.newest = [], Bill.objects.order_by("-pk").values_list("pk", flat=True).first() or 0

    def take(self, kind: str, key: Any) -> None:
        """It locks a row."""
        if (kind, key) in self.taken or (kind == "bill" and key > self.newest):
            return
        later = [name for name, _ in self.taken if ORDER.index(name) > ORDER.index(kind)]
        if later:
            self.wrong.append(f"{kind} {key} after {self.taken}")
        self.taken.append((kind, key))

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        answer = execute(sql, params, many, context)
        if 'FROM "billing_bill"' in sql and "FOR NO KEY UPDATE" in sql:
            for key in sorted(each for each in params if isinstance(each, int)):
                self.take("bill", key)
        elif 'FROM "billing_patientaccount"' in sql and "FOR NO KEY UPDATE" in sql:
            self.take("account", params)
        elif 'FROM "billing_ledgeraccount"' in sql and "FOR NO KEY UPDATE" in sql:
            self.take("petty", params)
        elif "billing_shift" in sql and "FOR NO KEY UPDATE" in sql and params[-2 if "nextval" in sql else -1]:
            self.take("shift", params[-2 if "nextval" in sql else -1])
        elif "INSERT INTO billing_counter" in sql:
            for kind in params[-1] if isinstance(params[-1], list) else [params[2]]:
                self.take(kind, None)
        return answer


@contextmanager
def watching(patch: pytest.MonkeyPatch) -> Iterator[Watch]:
    """Watch every transaction. The bills that the engine locks in a trip of its own are told by what it found."""
    watch = Watch()
    read, outermost = reading.read, transactions.outermost

    def told(*args: Any, lock: bool = True, **named: Any) -> Any:
        found = read(*args, lock=lock, **named)
        if lock:
            for key in sorted({bill.id for token in found.values() for bill in token.bills}):
                watch.take("bill", key)
        return found

    def begun(work: Callable[[], Any]) -> Any:
        def from_the_start() -> Any:
            watch.begin()
            return work()

        return outermost(from_the_start)

    patch.setattr(reading, "read", told)
    patch.setattr("reception.tests.test_money_storm.outermost", begun)
    with connection.execute_wrapper(watch):
        yield watch


def a_day(watch: Watch, seed: int, **rules: Any) -> Counter[str]:
    clinic, chance, met = Clinic(**rules), Random(seed), Counter[str]()
    deeds = clinic.deeds()
    for _ in range(200):
        tried(chance.choice(deeds), chance, met)
    return met


@pytest.mark.parametrize("seed", [2, 11])
@pytest.mark.parametrize("when_displaced", ["keep", "credit"])
def test_no_transaction_locks_backwards(monkeypatch: pytest.MonkeyPatch, when_displaced: str, seed: int) -> None:
    with watching(monkeypatch) as watch:
        met = a_day(watch, seed, when_displaced=when_displaced, refund_full_hours=1)
    assert watch.wrong == [], "\n".join(watch.wrong)
    assert met["done"] > 50, met


def test_control_where_the_shift_is_not_locked_first_it_is_locked_too_late(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locking, "HOLD_SHIFT", f"{locking.SET_TIMEOUT}; SELECT %s")
    with watching(monkeypatch) as watch:
        a_day(watch, 2, refund_full_hours=1)
    assert any(wrong.startswith("shift") for wrong in watch.wrong)
