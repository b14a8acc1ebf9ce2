"""Two requests that wait for each other: PostgreSQL cuts one off, and both are answered as if nothing had been."""

import threading
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from django.test import override_settings

from accounts.models import IdempotencyKey
from accounts.tests.factories import UserFactory, device_client
from billing.actions import payments
from billing.models import Bill, Payment, Receipt
from billing.proof import prove
from billing.tests.till import API, Till, code
from common.testing.races import PATIENCE, Outcomes, race

pytestmark = pytest.mark.django_db(transaction=True)

followed: list[int] = []


def follow(change: Any) -> None:
    """What another app does after the commit."""
    transaction.on_commit(lambda: followed.append(change.bill.pk))


class TestTwoBillsThatAreLockedInAnotherOrder:
    def pay_both(self, monkeypatch: pytest.MonkeyPatch, **options: Any) -> Outcomes:
        """Each cashier holds their bill and wants the other one's too; so nobody does in the product."""
        followed.clear()
        till = self.till = Till()
        self.bills = [till.bill()["id"], till.bill()["id"]]
        users = [UserFactory(roles=["billing-staff"], facility=till.facility) for _ in self.bills]
        self.clients = [device_client(user) for user in users]
        for client in self.clients:
            client.raise_request_exception = False
        take, gate, runs = payments._take, threading.Barrier(2, timeout=PATIENCE), threading.local()
        self.runs: list[int] = []

        def want_the_other(bill: Bill, *given: Any) -> Receipt:
            self.runs.append(bill.pk)
            if not getattr(runs, "second", False):
                runs.second = True
                gate.wait()
                list(Bill.objects.select_for_update().filter(pk=next(pk for pk in self.bills if pk != bill.pk)))
            return take(bill, *given)

        monkeypatch.setattr(payments, "_take", want_the_other)
        with override_settings(OPD_BILL_CONSEQUENCES=[f"{__name__}.follow"]):
            return race([lambda: self.pay(0), lambda: self.pay(1)], **options)

    def pay(self, which: int) -> Any:
        body = {"method": "card", "amount": "650.00", "reference": f"T-{which}"}
        address = f"{API}bills/{self.bills[which]}/payments/"
        return self.clients[which].post(address, body, format="json", HTTP_IDEMPOTENCY_KEY="press-1")

    def test_are_both_paid_once_with_one_number_each(self, monkeypatch: pytest.MonkeyPatch) -> None:
        done = self.pay_both(monkeypatch, again=True)
        assert [answer.status_code for answer in done.values] == [201, 201], done
        assert len(self.runs) == 3
        assert sorted(Payment.objects.values_list("bill_id", "amount")) == [(pk, Decimal(650)) for pk in self.bills]
        assert sorted(Receipt.objects.values_list("number", flat=True)) == [
            f"R-{self.till.year}-000001",
            f"R-{self.till.year}-000002",
        ]
        assert sorted(followed) == self.bills
        assert prove(self.till.facility).findings == ()

    def test_keep_one_answer_for_each_key(self, monkeypatch: pytest.MonkeyPatch) -> None:
        done = self.pay_both(monkeypatch, again=True)
        again = [self.pay(which) for which in (0, 1)]
        assert [answer.headers.get("Idempotency-Replayed") for answer in [*done.values, *again]] == [
            None,
            None,
            "true",
            "true",
        ]
        assert [answer.json() for answer in again] == [answer.json() for answer in done.values]
        assert (IdempotencyKey.objects.count(), Payment.objects.count()) == (2, 2)

    def test_control_where_nothing_is_run_again_one_is_told_to_come_again(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        done = self.pay_both(monkeypatch)
        refused = [answer for answer in done.values if answer.status_code != 201]
        assert [(answer.status_code, code(answer)) for answer in refused] == [(503, "busy")]
        assert (IdempotencyKey.objects.count(), Payment.objects.count(), len(followed)) == (1, 1, 1)
