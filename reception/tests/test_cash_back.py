"""Money that goes back, bills that are taken back, advances, and bills made at the cash desk."""

from decimal import Decimal

import pytest

from billing.models import Bill, CreditNote, Payment, Refund
from reception.tests.cashing import CashDesk
from reception.tests.factories import text

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def desk() -> CashDesk:
    found = CashDesk()
    found.open()
    return found


# Refunds


def test_what_was_not_given_is_credited_and_nothing_is_owed_for_it(desk: CashDesk) -> None:
    bill = desk.owe("Sunita", "650")
    receipt = desk.pay(bill, "650")
    desk.cashier.roles.get(slug="billing-staff")
    form = text(desk.meena.get(f"/cash/?do=refund&receipt={receipt.pk}"))
    assert "Cash ₹650.00" in form
    assert "The bill opens again and is paid another way." in form
    sent = {"payment": Payment.objects.get(bill=bill).pk, "amount": "250", "reason": "Service not given"}
    answer = desk.send("/cash/payments/refund/", **sent, after="credit")
    page = text(desk.meena.get(answer["Location"]))
    assert "Give to the patient ₹250.00" in page
    bill.refresh_from_db()
    assert (bill.due, bill.paid, bill.credited) == (Decimal(0), Decimal(400), Decimal(250))


def test_what_is_paid_another_way_opens_the_bill_again(desk: CashDesk) -> None:
    bill = desk.owe("Sunita", "650")
    desk.pay(bill, "650", "card", reference="T-1")
    payment = Payment.objects.get(bill=bill)
    desk.send("/cash/payments/refund/", payment=payment.pk, amount="650", reason="Wrong card", after="owed")
    bill.refresh_from_db()
    assert (bill.status, bill.due) == ("open", Decimal(650))
    assert Refund.objects.get(payment=payment).method == "card"


def test_a_refund_pressed_twice_or_too_large_gives_nothing_twice(desk: CashDesk) -> None:
    bill = desk.owe("Sunita", "650")
    desk.pay(bill, "650")
    payment = Payment.objects.get(bill=bill)
    sent = {"payment": payment.pk, "amount": "650", "reason": "Paid twice", "after": "owed", "idempotency_key": "k"}
    first, second = (desk.meena.post("/cash/payments/refund/", sent) for _ in range(2))
    assert first["Location"] == second["Location"]
    refused = desk.send("/cash/payments/refund/", **{**sent, "amount": "1", "idempotency_key": "other"})
    assert refused.status_code == 409
    assert Refund.objects.filter(payment=payment).count() == 1


def test_a_refund_without_a_reason_asks_for_one_and_keeps_the_amount(desk: CashDesk) -> None:
    bill = desk.owe("Sunita", "650")
    desk.pay(bill, "650")
    payment = Payment.objects.get(bill=bill)
    answer = desk.send("/cash/payments/refund/", payment=payment.pk, amount="123.45", reason=" ", after="owed")
    assert answer.status_code == 400
    assert "Say why" in text(answer)
    assert 'value="123.45"' in answer.content.decode()


def test_a_credited_bill_is_given_back_the_way_it_came(desk: CashDesk) -> None:
    bill = desk.owe("Lata", "1450")
    desk.pay(bill, "450")
    desk.pay(bill, "1000", "upi", reference="U-2")
    desk.credit(bill, "1200", reason="Cancelled in time")
    form = text(desk.meena.get(f"/cash/?do=back&bill={bill.pk}"))
    assert "UPI, R-" in form
    assert "1,000.00" in form
    assert "200.00" in form
    answer = desk.send("/cash/bills/give-back/", bill=bill.pk, reason="Cancelled in time", to="way")
    assert "Give to the patient ₹1,200.00" in text(desk.meena.get(answer["Location"]))
    assert {(each.method, each.amount) for each in Refund.objects.filter(bill=bill)} == {("upi", 1000), ("cash", 200)}
    listed = text(desk.meena.get("/cash/?tab=back"))
    assert "To give back 0" in listed
    assert "UPI + Cash Given back ₹1,200.00" in listed
    again = desk.send("/cash/bills/give-back/", bill=bill.pk, reason="Cancelled in time", to="way")
    assert again.status_code >= 400


# Void and credit


def test_a_bill_that_nobody_paid_is_voided_with_a_reason(desk: CashDesk) -> None:
    bill = desk.owe("Sunita", "650")
    assert desk.send("/cash/bills/void/", bill=bill.pk, reason="").status_code == 400
    answer = desk.send("/cash/bills/void/", bill=bill.pk, reason="Wrong patient")
    page = text(desk.meena.get(answer["Location"]))
    assert f"{bill.number} is void." in page
    assert ": Wrong patient" in page
    assert "Void −650.00 Due ₹0.00" in page
    paid = desk.owe("Abdul", "100")
    desk.pay(paid, "40")
    refused = desk.send("/cash/bills/void/", bill=paid.pk, reason="Wrong patient")
    assert refused.status_code == 409
    assert "₹40.00 were paid" in text(refused)


def test_a_credit_note_takes_so_much_off(desk: CashDesk) -> None:
    bill = desk.owe("Sunita", "650")
    answer = desk.send("/cash/bills/credit/", bill=bill.pk, amount="150.50", reason="Wrong price")
    note = CreditNote.objects.get(bill=bill)
    page = text(desk.meena.get(answer["Location"]))
    assert f"₹150.50 taken off by {note.number}." in page
    assert "Credited: Wrong price −150.50" in page
    assert "Due ₹499.50" in page


# The account


def test_an_advance_lies_on_the_account_pays_a_bill_and_goes_back(desk: CashDesk) -> None:
    sunita = desk.patient("Sunita")
    answer = desk.send("/cash/account/", patient=sunita.pk, amount="1,000", method="cash")
    assert "It lies on the patient's account." in text(desk.meena.get(answer["Location"]))
    bill = desk.owe(sunita, "650")
    assert "₹1,000.00 lie on the account." in text(desk.meena.get(f"/cash/?bill={bill.pk}"))
    desk.send(f"/cash/bills/{bill.pk}/take/", method="account", amount="650")
    person = text(desk.meena.get(f"/cash/?patient={sunita.pk}"))
    assert "On the account ₹350.00" in person
    sent = {"patient": sunita.pk, "reason": "Patient asked"}
    refused = desk.send("/cash/account/back/", amount="351", **sent)
    assert refused.status_code == 409
    desk.send("/cash/account/back/", amount="350", **sent)
    assert "On the account ₹0.00" in text(desk.meena.get(f"/cash/?patient={sunita.pk}"))


# A new bill


def test_a_bill_is_made_from_the_price_list_with_a_discount_within_the_limit(desk: CashDesk) -> None:
    desk.allow_discounts(10)
    sunita = desk.patient("Sunita")
    dressing, ecg = (each.pk for each in desk.prices)
    lines = {"price": [dressing, ecg, ""], "quantity": ["2", "1", "1"]}
    looked = text(desk.send("/cash/bills/look/", **lines, discount="10%"))
    assert "Lines 750.00 Discount (10.00 %) −75.00 Total ₹675.00" in looked
    refused = desk.send("/cash/bills/", patient=sunita.pk, **lines, discount="100", reason="Hardship")
    assert refused.status_code == 403
    assert "You may give away up to" in text(refused)
    assert 'value="100"' in refused.content.decode()
    unexplained = desk.send("/cash/bills/", patient=sunita.pk, **lines, discount="75")
    assert unexplained.status_code == 400
    answer = desk.send("/cash/bills/", patient=sunita.pk, **lines, discount="10%", reason="Senior citizen")
    bill = Bill.objects.get(patient=sunita)
    assert answer["Location"] == f"/cash/?bill={bill.pk}"
    page = text(desk.meena.get(answer["Location"]))
    assert "Dressing, 2 × 200.00 400.00 ECG 350.00 Senior citizen −75.00 Total 675.00 Due ₹675.00" in page


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"price": "", "quantity": "1"}, "Choose what the bill is for."),
        ({"price": "first", "quantity": "none"}, "Write how many"),
        *(
            ({"price": "first", "quantity": many}, "Write how many")
            for many in ("-1", "0", "0.0001", "1e2", "1_0", "١٢٣", "NaN", "1000001")
        ),
        ({"price": "first", "quantity": "1", "discount": "a lot"}, "Write the discount"),
    ],
)
def test_a_bill_of_nothing_or_nonsense_is_not_made(desk: CashDesk, sent: dict[str, str], words: str) -> None:
    sunita = desk.patient("Sunita")
    desk.allow_discounts(100)
    if sent["price"]:
        sent = {**sent, "price": str(desk.prices[0].pk)}
    answer = desk.send("/cash/bills/", patient=sunita.pk, **sent)
    assert answer.status_code == 400
    assert words in text(answer)
    assert not Bill.objects.filter(patient=sunita).exists()
