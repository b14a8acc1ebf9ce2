"""What the cash desk says where money cannot go back so: no shift, more than one's role takes off, petty cash."""

from decimal import Decimal

import pytest

from billing.models import CashMovement, CreditLimit, CreditNote, Payment, Refund
from reception.tests.cashing import CashDesk
from reception.tests.factories import text

pytestmark = pytest.mark.django_db(transaction=True)

NOTICE = "No shift is open: whatever is given back goes out of one."


@pytest.fixture
def desk() -> CashDesk:
    return CashDesk()


@pytest.mark.parametrize("to", ["way", "account"])
def test_a_card_payment_is_given_back_out_of_a_shift_that_holds_no_cash(desk: CashDesk, to: str) -> None:
    bill = desk.owe("Sunita", "650")
    desk.pay(bill, "650", "card", reference="T-1")
    payment = Payment.objects.get(bill=bill)
    question = f"/cash/?do=refund&payment={payment.pk}"
    assert NOTICE in text(desk.meena.get(question))
    sent = {"payment": payment.pk, "amount": "650", "reason": "Patient asked", "after": "owed", "to": to}
    refused = desk.send("/cash/payments/refund/", **sent)
    assert refused.status_code == 409
    assert "Open a shift first" in text(refused)
    assert not Refund.objects.exists()
    desk.send("/cash/shifts/", float="0", drawer=desk.drawers[0].pk)
    assert NOTICE not in text(desk.meena.get(question))
    assert desk.send("/cash/payments/refund/", **sent).status_code < 400
    assert Refund.objects.get().shift == desk.cashier.shifts.get()


def test_what_is_to_be_given_back_and_what_lies_on_an_account_say_so_too(desk: CashDesk) -> None:
    bill = desk.owe("Sunita", "650")
    desk.pay(bill, "650", "card", reference="T-1")
    desk.credit(bill, "650")
    sunita = {"patient": bill.patient_id, "amount": "90"}
    desk.send("/cash/account/", method="upi", reference="U-1", **sunita)
    for question in (f"do=back&bill={bill.pk}", f"do=advance-back&patient={bill.patient_id}"):
        assert NOTICE in text(desk.meena.get(f"/cash/?{question}"))
    given = [
        desk.send("/cash/bills/give-back/", bill=bill.pk, reason="Cancelled", to="way"),
        desk.send("/cash/account/back/", reason="Patient asked", **sunita),
    ]
    assert [answer.status_code for answer in given] == [409, 409]
    assert all("Open a shift first" in text(answer) for answer in given)


def test_a_credit_note_is_offered_and_taken_within_the_limit_of_the_role(desk: CashDesk) -> None:
    CreditLimit.objects.create(role=desk.cashier.roles.get(slug="billing-staff"), percent=20)
    bill = desk.owe("Sunita", "650")
    assert "Up to ₹130.00, taxes included." in text(desk.meena.get(f"/cash/?do=credit&bill={bill.pk}"))
    refused = desk.send("/cash/bills/credit/", bill=bill.pk, amount="200", reason="Wrong price")
    assert refused.status_code == 403
    said = f"You may take up to 20 % off a bill by credit notes; this makes 30.77 % of {bill.number}."
    assert said in text(refused)
    assert 'value="200"' in refused.content.decode()
    desk.send("/cash/bills/credit/", bill=bill.pk, amount="130", reason="Wrong price")
    assert CreditNote.objects.get().amount == Decimal(130)
    assert "Up to ₹0.00, taxes included." in text(desk.meena.get(f"/cash/?do=credit&bill={bill.pk}"))


def test_a_refund_is_asked_to_be_owed_again_where_the_role_takes_less_off(desk: CashDesk) -> None:
    CreditLimit.objects.create(role=desk.cashier.roles.get(slug="billing-staff"), percent=20)
    desk.open()
    bill = desk.owe("Sunita", "650")
    desk.pay(bill, "650")
    payment = Payment.objects.get(bill=bill)
    question = f"/cash/?do=refund&payment={payment.pk}"
    form = desk.meena.get(question)
    assert "Yours go up to ₹130.00." in text(form)
    assert 'value="owed" checked' in form.content.decode()
    sent = {"payment": payment.pk, "reason": "Not given", "after": "credit", "to": "way"}
    refused = desk.send("/cash/payments/refund/", amount="131", **sent)
    assert refused.status_code == 403
    assert 'value="credit" checked' in refused.content.decode()
    assert desk.send("/cash/payments/refund/", amount="130", **sent).status_code < 400
    form = desk.meena.get(question)
    assert 'value="credit"' not in form.content.decode()
    desk.credit(bill, "520")
    assert 'value="credit" checked' in desk.meena.get(question).content.decode()


def test_petty_cash_comes_back_as_far_as_it_was_spent(desk: CashDesk) -> None:
    shift = desk.open()
    back = {"shift": shift.pk, "kind": "came_back", "reason": "Courier was cheaper"}
    refused = desk.send("/cash/shifts/move/", amount="10", **back)
    assert refused.status_code == 409
    assert "₹10.00 cannot be brought back." in text(refused)
    desk.send("/cash/shifts/move/", shift=shift.pk, kind="paid_out", amount="60", reason="Courier")
    desk.send("/cash/shifts/move/", amount="10", **back)
    assert [str(row.added) for row in CashMovement.objects.order_by("pk")] == ["-60.00", "10.00"]
