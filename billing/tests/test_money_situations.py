"""Situations from real clinics that concern money, each of which has embarrassed a product in use, and what happens."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction

from accounts.models import AccessAttempt
from accounts.tests.factories import FacilityFactory, UserFactory, device_client
from billing.actions import print_receipt
from billing.errors import (
    BillNotOpen,
    DifferenceUnexplained,
    NothingToGiveBack,
    NotInDrawer,
    RefundTooLarge,
    ShiftClosed,
    ShiftIsClosed,
)
from billing.models import (
    Counter,
    CreditNote,
    LedgerEntry,
    LedgerTransaction,
    Payment,
    Receipt,
    Refund,
    Shift,
)
from billing.proof import prove
from billing.queries import receipt_in_full, shift_report
from billing.tests.house import D, House, card, gapless, rows
from common.errors import PreconditionFailed
from common.testing.races import race
from common.transactions import outermost

API = "/api/v1"


def agrees(house: House) -> bool:
    """Whether bills, payments, shifts and ledger agree."""
    return prove(house.facility).balanced


class TestARefundOfAPartlyPaidBillPressedTwice:
    """At most what was paid; once; the balance follows."""

    @pytest.fixture
    def house(self, transactional_db: None) -> House:
        house = House()
        house.open()
        self.bill = house.bill("1000")
        self.payment = house.pay(self.bill, "400").payments.get()
        return house

    def test_of_all_that_was_paid(self, house: House) -> None:
        done = race([lambda: house.refund(self.payment, "400")] * 2)
        assert len(done.of(RefundTooLarge)) == 1
        assert [one.amount for one in Refund.objects.all()] == [D(400)]
        assert (house.status(self.bill), house.paid(self.bill), house.due(self.bill)) == ("open", D(0), D(1000))
        assert house.balance("cash") == D(1000)
        assert agrees(house)

    def test_of_a_part_of_it_on_one_page(self, house: House) -> None:
        read = house.pay(self.bill, "1").bill.version
        done = race([lambda: house.refund(self.payment, "150", version=read)] * 2)
        assert len(done.of(PreconditionFailed)) == 1
        assert (house.paid(self.bill), house.due(self.bill)) == (D(251), D(749))
        assert agrees(house)

    def test_of_a_part_of_it_with_one_request_key(self, house: House) -> None:
        client = device_client(house.meena)
        ask = lambda: client.post(  # noqa: E731
            f"{API}/payments/{self.payment.pk}/refund/",
            {"amount": "150.00", "reason": "not seen"},
            format="json",
            headers={"Idempotency-Key": "pressed-twice"},
        )
        done = race([ask] * 2)
        assert [answer.status_code for answer in done.returned] == [201, 201]
        assert len({answer.json()["id"] for answer in done.returned}) == 1
        assert (house.paid(self.bill), house.due(self.bill)) == (D(250), D(750))

    def test_never_more_than_was_paid_however_often_and_in_what_parts(self, house: House) -> None:
        done = race([lambda part=part: house.refund(self.payment, part) for part in ("300", "250", "150", "100")])
        given = sum(Refund.objects.values_list("amount", flat=True))
        assert {type(error) for error in done.raised} <= {RefundTooLarge}
        assert given == Payment.objects.get(pk=self.payment.pk).refunded <= 400
        assert house.due(self.bill) == 600 + given
        assert agrees(house)

    def test_of_what_a_bill_has_to_give_back(self, house: House) -> None:
        house.credit(self.bill, "900")
        done = race([lambda: house.give_back(self.bill)] * 2)
        assert len(done.of(NothingToGiveBack)) == 1
        assert (house.paid(self.bill), house.due(self.bill), house.status(self.bill)) == (D(100), D(0), "paid")
        assert agrees(house)


@pytest.mark.django_db
class TestTheCashierClosesTheShiftWithADifference:
    """It is recorded and explained; the closed shift never changes; a later refund is of the shift that pays it."""

    def test_it(self) -> None:
        house = House()
        first = house.open()
        bill = house.bill("650")
        payment = house.pay(bill, "650").payments.get()
        with pytest.raises(DifferenceUnexplained):
            house.close(first, "1600")
        house.close(first, "1600", reason="50 given as change twice")
        first.refresh_from_db()
        assert (first.expected, first.counted, first.difference) == (D(1650), D(1600), D(-50))
        assert first.reason == "50 given as change twice"

        with pytest.raises(ShiftIsClosed):
            house.close(first, "1650")
        with pytest.raises(DatabaseError, match="closed for ever"), transaction.atomic():
            Shift.objects.filter(pk=first.pk).update(counted=D(1650))
        with pytest.raises(DatabaseError, match="is closed"), transaction.atomic():
            Payment.objects.create(
                facility=house.facility, receipt=payment.receipt, patient=house.patient, bill_id=bill, method="cash",
                amount=D(5), shift=first, date=payment.date, at=payment.at,
            )  # fmt: skip
        z = shift_report(first)

        house.later(days=1)
        with pytest.raises(ShiftClosed):
            house.refund(payment, "650")
        second = house.open(float_amount="700")
        refund = house.refund(payment, "650", credit=True)
        assert (refund.shift_id, refund.date) == (second.pk, house.now.date())
        assert shift_report(first) == z
        assert (shift_report(second).expected, shift_report(second).given) == (D(50), D(650))
        house.close(second, "50")
        assert agrees(house)

    def test_a_drawer_that_does_not_hold_enough_gives_nothing(self) -> None:
        house = House()
        first = house.open()
        payment = house.pay(house.bill("5000"), "5000").payments.get()
        house.close(first, "6000")
        house.open(float_amount="500")
        with pytest.raises(NotInDrawer):
            house.refund(payment, "5000")
        assert agrees(house)


@pytest.mark.django_db
class TestThePrinterJams:
    """The slip is printed again, marked as a copy, with the same number."""

    def test_a_receipt(self) -> None:
        house = House()
        house.open()
        receipt = house.pay(house.bill("650"), "650")
        prints = [outermost(lambda: print_receipt(receipt_id=receipt.pk, by=house.meena)) for _ in range(2)]
        assert [one.copy for one in prints] == [0, 1]
        assert {one.receipt.number for one in prints} == {receipt.number}
        assert receipt_in_full(receipt.pk, house.meena).prints == 2
        assert [one.number for one in Receipt.objects.all()] == ["R-2031-000001"]


@pytest.mark.django_db
class TestSomebodyChangesTheNumberInTheAddressBarToAnotherFacilitys:
    """404, and the attempt is in the audit log."""

    def test_it(self) -> None:
        house = House()
        shift = house.open()
        bill = house.bill("650")
        receipt = house.pay(bill, "650")
        payment = receipt.payments.get()
        elsewhere = FacilityFactory(name="Elsewhere")
        stranger = UserFactory(username="stranger", roles=["billing-staff", "manager"], facility=elsewhere)
        client = device_client(stranger)
        asked: list[tuple[str, str, dict[str, Any] | None]] = [
            ("get", f"bills/{bill}/", None),
            ("get", f"payments/{payment.pk}/", None),
            ("get", f"receipts/{receipt.pk}/", None),
            ("get", f"shifts/{shift.pk}/", None),
            ("post", f"bills/{bill}/void/", {"reason": "x"}),
            ("post", f"bills/{bill}/payments/", {"method": "card", "amount": "5.00", "reference": "T-1"}),
            ("post", f"payments/{payment.pk}/refund/", {"amount": "5.00", "reason": "x"}),
            ("post", f"shifts/{shift.pk}/close/", {"counted": "5.00", "reason": "x"}),
        ]
        for method, path, body in asked:
            answer = getattr(client, method)(f"{API}/{path}", body, format="json")
            assert answer.status_code == 404, (path, answer.content)
            attempt = AccessAttempt.objects.order_by("pk").last()
            assert attempt is not None
            assert (attempt.user, attempt.facility, attempt.path) == (stranger, house.facility, f"{API}/{path}")
        assert AccessAttempt.objects.count() == len(asked)
        kinds = set(AccessAttempt.objects.values_list("kind", "object_id"))
        assert {("billing.bill", bill), ("billing.payment", payment.pk), ("billing.shift", shift.pk)} <= kinds


@pytest.mark.django_db(transaction=True)
class TestTheAppSendsTheSamePaymentThreeTimesAfterATimeOut:
    """One payment; the three answers are the same."""

    @pytest.mark.parametrize("how", ["by the request key", "by the reference of the card"])
    def test_it(self, how: str) -> None:
        house = House()
        bill = house.bill("650")
        client = device_client(house.meena)
        body = {"method": "card", "amount": "650.00", "reference": "T-1"}
        headers = {"Idempotency-Key": "one"} if how == "by the request key" else {}
        ask = lambda: client.post(f"{API}/bills/{bill}/payments/", body, format="json", headers=headers)  # noqa: E731
        answers = [*race([ask] * 2).returned, ask()]
        assert {answer.status_code for answer in answers} <= {200, 201}
        assert len({answer.json()["id"] for answer in answers}) == 1
        assert {answer.json()["due"] for answer in answers} == {"0.00"}
        assert (Payment.objects.count(), house.paid(bill)) == (1, D(650))


@pytest.mark.django_db(transaction=True)
class TestTwoCashiersTakeMoneyForTheSameBillAtTheSameMoment:
    """One takes it; the other is told that nothing is due."""

    def test_it(self) -> None:
        house = House()
        house.open()
        house.open(house.farah, drawer=1)
        bill = house.bill("650")
        done = race([lambda by=by: house.pay(bill, "650", by=by) for by in (house.meena, house.farah)])
        (refused,) = done.raised
        assert isinstance(refused, BillNotOpen)
        assert str(refused) == "B-2031-000001 is paid: there is nothing to pay."
        assert (house.paid(bill), house.balance("cash")) == (D(650), D(2650))
        assert agrees(house)


@pytest.mark.django_db(transaction=True)
class TestThePowerFailsInTheMiddleOfARequest:
    """Wholly done or wholly undone; after the restart the ledger agrees, and no number is missing."""

    @pytest.mark.parametrize("deed", ["pay", "refund", "close"])
    def test_it(self, deed: str) -> None:
        house = House()
        shift = house.open()
        house.pay(house.bill("650"), "650")
        bill = house.bill("650")
        payment = house.pay(house.bill("100"), "100").payments.get()
        deeds: dict[str, Callable[[], Any]] = {
            "pay": lambda: house.pay(bill, "600", card("100", "T-1"), keep_rest=True),
            "refund": lambda: house.refund(payment, "60", credit=True),
            "close": lambda: house.close(shift, "1700", reason="50 are missing", hand_to_id=house.farah.pk),
        }
        assert house.meena.grants  # they come with the sign-in
        before, cuts = books(house), 0
        while cut_off(deeds[deed], cuts + 1):
            cuts += 1
            assert books(house) == before
        assert cuts >= 8
        assert books(house) != before
        assert agrees(house)
        for table in ("billing_receipt", "billing_creditnote"):
            kinds = {kind: [] for kind in "RVC"}
            for number, kind in ((number, number[0]) for (number,) in rows(f"SELECT number FROM {table}")):
                kinds[kind].append(int(number.rsplit("-", 1)[1]))
            assert all(gapless(sorted(serials)) for serials in kinds.values())


def books(house: House) -> tuple[Any, ...]:
    """All that a deed could leave behind."""
    return (
        [(one.pk, one.paid, one.credited, one.status, one.version) for one in house.facility.bills.order_by("pk")],
        [(one.pk, one.closed_at) for one in Shift.objects.order_by("pk")],
        [model.objects.count() for model in (Payment, Refund, Receipt, CreditNote, LedgerTransaction, LedgerEntry)],
        [(one.kind, one.last) for one in Counter.objects.order_by("kind")],
    )


def cut_off(deed: Callable[[], Any], number: int) -> bool:
    """Do it, and let the server end the connection before the statement with this number; False where it has fewer."""
    sent = 0

    def end(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        nonlocal sent
        sent += 1
        if sent == number:
            own = connection.get_connection_params()
            wanted = ("dbname", "host", "port", "user", "password")
            with psycopg.connect(**{key: own[key] for key in wanted if key in own}, autocommit=True) as other:
                other.execute("SELECT pg_terminate_backend(%s, 5000)", [connection.connection.info.backend_pid])
        return execute(sql, params, many, context)

    with connection.execute_wrapper(end), suppress(OperationalError, InterfaceError):
        deed()
    connection.close()
    return sent >= number
