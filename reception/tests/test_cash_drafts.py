"""Drafts at the cash desk: seen, issued, discarded; and discounts on a line of a new bill."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.models import Bill
from reception.tests.cashing import CashDesk
from reception.tests.factories import text

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def desk() -> CashDesk:
    return CashDesk()


def test_a_draft_is_shown_and_nobody_owes_it(desk: CashDesk) -> None:
    assert "Drafts" not in text(desk.meena.get("/cash/"))
    draft = desk.owe("Sunita Deshpande", "500", "150", about="Package", draft=True)
    assert "To pay 0 Paid today 0 To give back 0 Void 0 Drafts 1" in text(desk.meena.get("/cash/"))
    assert "Sunita Deshpande Package Draft Consultation, Dr Rao, Hospital fee Draft ₹650.00" in text(
        desk.meena.get("/cash/?tab=drafts")
    )
    page = text(desk.meena.get(f"/cash/?bill={draft.pk}"))
    assert "Total 650.00 A draft: nobody owes it" in page
    assert "Issue the bill, ₹650.00" in page
    assert "Discard V" in page
    for words in ("Due ₹", "Take ₹", "Credit"):
        assert words not in page
    assert "Drafts Package Draft, Consultation, Dr Rao, Hospital fee" in text(
        desk.meena.get(f"/cash/?patient={draft.patient_id}")
    )


def test_a_draft_is_issued_once_and_then_paid(desk: CashDesk) -> None:
    desk.open()
    draft = desk.owe("Sunita", "500", draft=True)
    sent = {"bill": draft.pk, "version": draft.version, "idempotency_key": "one-press"}
    first, second = (desk.meena.post("/cash/bills/issue/", sent) for _ in range(2))
    assert first["Location"] == second["Location"] == f"/cash/?bill={draft.pk}"
    draft.refresh_from_db()
    assert (draft.status, draft.due) == ("open", Decimal(500))
    assert "Take ₹500.00" in text(desk.meena.get(first["Location"]))
    again = desk.send("/cash/bills/issue/", bill=draft.pk)
    assert again.status_code == 409
    assert "Take ₹500.00" in text(again)


def test_a_draft_that_changed_meanwhile_is_not_issued_as_it_was(desk: CashDesk) -> None:
    draft = desk.owe("Sunita", "500", draft=True)
    answer = desk.send("/cash/bills/issue/", bill=draft.pk, version=draft.version + 1)
    assert answer.status_code == 412
    assert "Issue the bill, ₹500.00" in text(answer)
    draft.refresh_from_db()
    assert draft.status == "draft"


def test_a_draft_is_discarded_with_a_reason(desk: CashDesk) -> None:
    draft = desk.owe("Sunita", "500", draft=True)
    assert "Discard the draft" in text(desk.meena.get(f"/cash/?do=void&bill={draft.pk}"))
    assert desk.send("/cash/bills/void/", bill=draft.pk).status_code == 400
    answer = desk.meena.post("/cash/bills/void/", {"bill": draft.pk, "reason": "Made by mistake"}, follow=True)
    assert "The draft is discarded." in text(answer)
    draft.refresh_from_db()
    assert (draft.status, draft.number) == ("void", None)
    assert "Drafts" not in text(desk.meena.get("/cash/"))


def test_who_may_not_make_bills_issues_none(desk: CashDesk) -> None:
    draft = desk.owe("Sunita", "500", draft=True)
    manager = desk.client("manager")
    assert "Issue the bill" not in text(manager.get(f"/cash/?bill={draft.pk}"))
    assert desk.send("/cash/bills/issue/", manager, bill=draft.pk).status_code == 403
    doctor = desk.client("doctor")
    assert desk.send("/cash/bills/issue/", doctor, bill=draft.pk).status_code == 403
    there = CashDesk()
    assert there.send("/cash/bills/issue/", bill=draft.pk).status_code in (403, 404)
    draft.refresh_from_db()
    assert draft.status == "draft"


def test_the_list_of_drafts_costs_few_queries(desk: CashDesk) -> None:
    for n in range(8):
        desk.owe(f"Patient {n}", "500", "100", draft=True)
    desk.meena.get("/cash/?tab=drafts")
    with CaptureQueriesContext(connection) as asked:
        desk.meena.get("/cash/?tab=drafts")
    assert len(asked) <= 12, "\n".join(each["sql"][:150] for each in asked)


# Discounts by line


def make(desk: CashDesk, **sent: Any) -> Any:
    """Two lines, a dressing of 200 and an ECG of 350, with what comes off each."""
    prices = [each.pk for each in desk.prices]
    patient = desk.patient("Sunita")
    return desk.send("/cash/bills/", patient=patient.pk, price=prices, quantity=["1", "2"], **sent)


def test_something_comes_off_a_line_and_off_the_whole(desk: CashDesk) -> None:
    desk.allow_discounts(50)
    make(desk, off=["10%", "50"], by_line="on", discount="30", reason="Senior citizen")
    bill = Bill.objects.get()
    assert (bill.gross, bill.discount, bill.total) == (Decimal(900), Decimal(100), Decimal(800))
    dressing, ecg = bill.lines.all()
    assert dressing.discount + ecg.discount == Decimal(100)
    assert dressing.discount - 20 == Decimal("6.51")  # 30 spread over 180 and 650
    assert {line.discount_reason for line in (dressing, ecg)} == {"Senior citizen"}


def test_what_stands_on_lines_counts_where_discounts_by_line_are_wanted(desk: CashDesk) -> None:
    desk.allow_discounts(50)
    make(desk, off=["100%", ""])
    assert Bill.objects.get().discount == Decimal(0)


@pytest.mark.parametrize(
    ("sent", "status", "words"),
    [
        ({"off": ["some", ""], "reason": "Hardship"}, 400, "Write the discount as an amount such as 50, or as 10%"),
        ({"off": ["201", ""], "reason": "Hardship"}, 400, "more than"),
        ({"off": ["10%", ""]}, 400, "Say why, in a few words."),
        ({"off": ["100%", "100%"], "reason": "Hardship"}, 403, "50"),
    ],
)
def test_a_discount_on_a_line_keeps_to_the_rules(desk: CashDesk, sent: dict[str, Any], status: int, words: str) -> None:
    desk.allow_discounts(50)
    answer = make(desk, by_line="on", **sent)
    assert answer.status_code == status
    assert words in text(answer)
    html = answer.content.decode()
    assert f'value="{sent["off"][0]}"' in html
    assert 'id="by-line" data-key="d" aria-keyshortcuts="d" checked' in html
    assert not Bill.objects.exists()


def test_what_the_lines_come_to_is_said_with_the_discount_of_a_line(desk: CashDesk) -> None:
    sent = {"price": [desk.prices[0].pk], "quantity": ["2"], "off": ["10%"], "by_line": "on"}
    answer = desk.meena.post("/cash/bills/look/", sent)
    assert "Lines 400.00 Discount (10.00 %) −40.00 Total ₹360.00" in text(answer)
    wrong = desk.meena.post("/cash/bills/look/", {**sent, "off": ["401"]})
    assert "Write the discount" in text(wrong)


def test_who_gives_no_discounts_is_not_asked_for_any(desk: CashDesk) -> None:
    sunita = desk.patient("Sunita")
    page = desk.client("reception").get(f"/cash/?do=bill&patient={sunita.pk}")
    assert page.status_code == 200
    assert 'name="off"' not in page.content.decode()
