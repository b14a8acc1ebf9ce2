"""The cash desk as a page: the list, a bill beside it, finding, and money taken once, however often it is sent."""

import re
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.models import Bill, Payment, Receipt
from reception.tests.cashing import CashDesk
from reception.tests.factories import text

pytestmark = pytest.mark.django_db(transaction=True)

MOST_QUERIES = 12


@pytest.fixture
def desk() -> CashDesk:
    return CashDesk()


def take(desk: CashDesk, bill: Bill, **sent: Any) -> Any:
    """Send the form of a bill."""
    return desk.send(f"/cash/bills/{bill.pk}/take/", version=bill.version, **sent)


# The list


def test_the_list_says_who_owes_what_for_what(desk: CashDesk) -> None:
    desk.owe("Sunita Deshpande", "500", "100")
    desk.owe("Suresh Babu", "100", "200", "300", about="A-005, pharmacy")
    page = text(desk.meena.get("/cash/"))
    assert "Sunita Deshpande A-014, Dr Rao B-" in page
    assert "Consultation, Dr Rao, Hospital fee Open ₹600.00" in page
    assert "Consultation, Dr Rao and 2 more Open ₹600.00" in page
    assert "To pay 2 Paid today 0 To give back 0 Void 0" in page


def test_each_tab_has_its_rows_and_says_so_where_it_has_none(desk: CashDesk) -> None:
    empty = {"pay": "Nothing is owed", "paid": "Nothing was paid today", "back": "Nothing is to be given back"}
    for tab, words in {**empty, "void": "No bill was voided today"}.items():
        assert words in text(desk.meena.get(f"/cash/?tab={tab}"))
    desk.open()
    paid, credited = desk.owe("Paid", "500"), desk.owe("Credited", "700")
    receipt = desk.pay(paid, "500")
    desk.pay(credited, "700", "upi", reference="U-1")
    desk.credit(credited, "350")
    desk.send("/cash/bills/void/", bill=desk.owe("Mistaken", "5").pk, reason="Made by mistake")
    assert f"{receipt.number} Cash Paid ₹500.00" in text(desk.meena.get("/cash/?tab=paid"))
    assert "Credited ₹350.00" in text(desk.meena.get("/cash/?tab=back"))
    assert "Made by mistake Void ₹5.00" in text(desk.meena.get("/cash/?tab=void"))


def test_an_arrival_with_a_place_stands_on_the_list(desk: CashDesk) -> None:
    desk.rao.consultation_fee, desk.rao.hospital_fee = Decimal(500), Decimal(100)
    desk.rao.save()
    token = desk.give("Ravi", "walk_in")
    page = text(desk.meena.get("/cash/"))
    assert f"Ravi {token.number}, Dr Rao B-" in page
    assert "₹600.00" in page


@pytest.mark.parametrize("address", ["/cash/", "/cash/?tab=paid", "/cash/?tab=back", "/cash/?tab=void"])
def test_a_list_of_many_costs_few_queries(desk: CashDesk, address: str) -> None:
    desk.open()
    bills = [desk.owe(f"Patient {n}", "500", "100") for n in range(12)]
    for bill in bills[:6]:
        desk.pay(bill, "600")
    for bill in bills[:3]:
        desk.credit(bill, "100")
    desk.send("/cash/bills/give-back/", bill=bills[0].pk, reason="Cancelled in time", to="way")
    desk.meena.get(address)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        desk.meena.get(address)
    assert len(asked) <= MOST_QUERIES, "\n".join(each["sql"][:150] for each in asked)


def test_what_stands_beside_the_list_costs_few_queries(desk: CashDesk) -> None:
    desk.open()
    bill = desk.owe("Sunita", "500", "100")
    receipt = desk.pay(bill, "200")
    for address in (f"/cash/?bill={bill.pk}", f"/cash/?receipt={receipt.pk}"):
        with CaptureQueriesContext(connection) as asked:
            desk.meena.get(address, HTTP_HX_REQUEST="true", HTTP_HX_TARGET="drawer")
        assert len(asked) <= 16, "\n".join(each["sql"][:150] for each in asked)


# Finding


def test_a_bill_is_found_by_whatever_somebody_has_in_hand(desk: CashDesk) -> None:
    desk.open()
    sunita = desk.patient("Sunita Deshpande", phone="+919845011213")
    bill = desk.owe(sunita, "500")
    receipt = desk.pay(bill, "100")
    token = desk.give(sunita, "online")
    slip = f"https://clinic.example/t/{token.key}"
    for said in ("sunita", "sunnita desh", "98450 11213", bill.number, bill.number[-4:].join(("b", "")), slip):
        assert bill.number in text(desk.meena.get("/cash/find/", {"q": said})), said
    assert receipt.number in text(desk.meena.get("/cash/find/", {"q": receipt.number.lower()}))
    assert bill.number in text(desk.meena.get("/cash/find/", {"q": token.number}))
    assert "No patient, bill, receipt or token here is" in text(desk.meena.get("/cash/find/", {"q": "B-2031-999999"}))


def test_a_slip_of_another_hospital_is_not_found(desk: CashDesk) -> None:
    there = CashDesk()
    token = there.give("Ravi", "online")
    found = text(desk.meena.get("/cash/find/", {"q": f"https://clinic.example/t/{token.key}"}))
    assert "No patient, bill, receipt or token" in found
    assert "Ravi" not in found


def test_a_token_without_priority_is_offered_it(desk: CashDesk) -> None:
    desk.rules.priority_fee = Decimal(300)
    desk.rules.save()
    desk.open()
    token = desk.give("Ravi", "online")
    assert "Give priority for ₹300.00" in text(desk.meena.get(f"/cash/?token={token.pk}"))
    answer = desk.send("/cash/priority/", token=token.pk, method="cash", received="500", amount="300")
    assert "₹300.00 taken. Give back ₹200.00" in text(desk.meena.get(answer["Location"]))
    token.refresh_from_db()
    assert token.paid
    assert "It has priority." in text(desk.meena.get(f"/cash/?token={token.pk}"))


def test_a_token_that_owes_leads_to_its_bill_where_priority_is_offered_too(desk: CashDesk) -> None:
    desk.rules.priority_fee = Decimal(300)
    desk.rules.save()
    desk.rao.consultation_fee, desk.rao.hospital_fee = Decimal(400), Decimal(100)
    desk.rao.save()
    token = desk.give("Ravi", "walk_in")
    page = text(desk.meena.get(f"/cash/?token={token.pk}"))
    assert "Due ₹500.00" in page
    assert "Priority G" in page


# Taking


def test_a_shift_is_opened_money_is_taken_and_the_change_is_said(desk: CashDesk) -> None:
    bill = desk.owe("Sunita Deshpande", "500", "150")
    assert "No shift is open" in text(desk.meena.get(f"/cash/?bill={bill.pk}"))
    desk.send("/cash/shifts/", float="1,000", drawer=desk.drawers[0].pk)
    assert "Shift 1, Drawer 1 Meena Pillai, open since" in text(desk.meena.get("/cash/"))
    answer = take(desk, bill, method="cash", received="1,000.00")
    assert re.fullmatch(r"/cash/\?receipt=\d+&taken=1", answer["Location"])
    page = text(desk.meena.get(answer["Location"]))
    assert "₹650.00 taken. Give back ₹350.00" in page
    assert f"Bill {bill.number} is paid." in page
    assert "cash expected ₹1,650.00" in page
    bill.refresh_from_db()
    assert (bill.status, bill.due) == ("paid", Decimal(0))


def test_a_double_click_takes_money_once(desk: CashDesk) -> None:
    desk.open()
    bill = desk.owe("Sunita", "650")
    sent = {"method": "cash", "received": "300", "version": bill.version, "idempotency_key": "one-press"}
    first, second = (desk.meena.post(f"/cash/bills/{bill.pk}/take/", sent) for _ in range(2))
    assert first["Location"] == second["Location"]
    assert Payment.objects.filter(bill=bill).count() == 1


def test_what_is_sent_again_after_a_lost_answer_gets_the_first_one(desk: CashDesk) -> None:
    desk.open()
    bill = desk.owe("Sunita", "650")
    sent = {"method": "cash", "received": "300", "version": bill.version, "since": bill.version}
    first = desk.meena.post(f"/cash/bills/{bill.pk}/take/", {**sent, "idempotency_key": "one-form"})
    heard = {**sent, "version": bill.version + 1, "idempotency_key": "one-form"}
    assert desk.meena.post(f"/cash/bills/{bill.pk}/take/", heard)["Location"] == first["Location"]
    other = desk.meena.post(f"/cash/bills/{bill.pk}/take/", {**heard, "received": "350"})
    assert other.status_code == 409
    assert "This was done already, with other figures." in text(other)
    assert "Due ₹350.00" in text(other)
    assert Payment.objects.filter(bill=bill).count() == 1


def test_less_than_what_is_due_is_a_part_and_the_rest_stays_due(desk: CashDesk) -> None:
    desk.open()
    bill = desk.owe("Sunita", "650")
    answer = take(desk, bill, method="cash", received="500")
    assert "₹150.00 are still due" in text(desk.meena.get(answer["Location"]))


def test_what_is_over_is_change_or_is_kept_as_the_cashier_says(desk: CashDesk) -> None:
    desk.open()
    kept, card = desk.owe("Sunita", "650"), desk.owe("Abdul", "650")
    answer = take(desk, kept, method="cash", received="1000", keep="on")
    page = text(desk.meena.get(answer["Location"]))
    assert "Taken. No change to give. ₹1,000.00" in page
    assert "₹350.00 kept on the account" in page
    refused = take(desk, card, method="card", amount="700", reference="T-1")
    assert refused.status_code == 409
    assert "keep the rest on the account" in text(refused)
    assert 'value="T-1"' in refused.content.decode()
    answer = take(desk, card, method="card", amount="700", reference="T-1", keep="on")
    assert answer.status_code == 302


def test_several_ways_at_once_and_only_cash_gives_change(desk: CashDesk) -> None:
    desk.open()
    bill = desk.owe("Sunita", "1100")
    sent = {"split_cash": "500", "split_upi": "700", "reference_upi": "U-77"}
    answer = take(desk, bill, split="1", **sent)
    receipt = Receipt.objects.get(bill=bill)
    assert answer["Location"].startswith(f"/cash/?receipt={receipt.pk}")
    assert (receipt.tendered, receipt.change) == (Decimal(500), Decimal(100))
    assert {(each.method, each.amount) for each in receipt.payments.all()} == {("cash", 400), ("upi", 700)}


def test_what_was_typed_comes_back_with_what_is_wrong(desk: CashDesk) -> None:
    desk.open()
    bill = desk.owe("Sunita", "650")
    for sent, words in (
        ({"method": "cash", "received": "ten"}, "Write an amount"),
        ({"method": "upi", "amount": "650"}, "Write the reference"),
        ({"received": "650"}, "Choose how it is paid."),
        ({"split": "1"}, "Write an amount beside each way"),
        ({"method": "account", "amount": "650"}, "The account of the patient holds"),
    ):
        answer = take(desk, bill, **sent)
        assert answer.status_code in (400, 409)
        assert words in text(answer), sent
    assert 'value="ten"' in take(desk, bill, method="cash", received="ten").content.decode()
    assert not Payment.objects.filter(bill=bill).exists()


def test_a_bill_that_changed_meanwhile_is_shown_anew_and_nothing_typed_is_lost(desk: CashDesk) -> None:
    desk.open()
    bill = desk.owe("Sunita", "650")
    desk.pay(bill, "200", "card", reference="T-5", by=desk.another())
    answer = take(desk, bill, method="cash", received="1,000", since=bill.version)
    page = text(answer)
    assert answer.status_code == 412
    assert "Changed while you read. ₹200.00 were paid, Farah Khan. ₹450.00 are due now." in page
    assert 'value="1,000"' in answer.content.decode()


def test_the_open_bill_asks_whether_it_changed(desk: CashDesk) -> None:
    bill = desk.owe("Sunita", "650")
    asked = {"bill": bill.pk, "version": bill.version, "since": bill.version}
    headers = {"HTTP_HX_REQUEST": "true", "HTTP_HX_TARGET": "bill-sum"}
    assert desk.meena.get("/cash/", asked, **headers).status_code == 204
    desk.pay(bill, "650", "card", reference="T-6", by=desk.another())
    answer = desk.meena.get("/cash/", asked, **headers)
    assert "Nothing is due any more." in text(answer)


def test_who_may_only_see_sees_no_form(desk: CashDesk) -> None:
    bill = desk.owe("Sunita", "650")
    page = text(desk.client("reception").get(f"/cash/?bill={bill.pk}"))
    assert "Due ₹650.00" in page
    assert "Take ₹650.00" not in page
    assert "You see what is owed and paid." in page
