"""Cash in and out of the drawer at the cash desk: the form, what it says, and the reports that show it."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from playwright.sync_api import expect

from accounts.models import Permission
from billing.models import CashMovement, Shift
from common.testing.browser import Browsing
from reception.cash import vouchers
from reception.tests.cashing import CashDesk
from reception.tests.factories import text

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def desk() -> CashDesk:
    return CashDesk()


def move(desk: CashDesk, shift: Shift, kind: str, amount: str, reason: str = "") -> object:
    return desk.send("/cash/shifts/move/", shift=shift.pk, kind=kind, amount=amount, reason=reason)


def test_cash_goes_to_the_safe_and_petty_cash_out_and_the_page_says_what_is_left(desk: CashDesk) -> None:
    shift = desk.open()
    form = text(desk.meena.get("/cash/?do=move"))
    assert "The drawer holds ₹1,000.00. No more can go out." in form
    answer = desk.send("/cash/shifts/move/", shift=shift.pk, kind="to_safe", amount="400")
    page = text(desk.meena.get(answer["Location"]))
    assert "To the safe ₹400.00 The drawer holds ₹600.00 now." in page
    assert f"M-{desk.facility.local_date().year}-000001 is printing." in page
    assert "cash expected ₹600.00" in page
    move(desk, shift, "paid_out", "35.50", "Courier")
    again = text(desk.meena.get("/cash/?do=move"))
    assert "The drawer holds ₹564.50." in again
    assert "Meena Pillai: Courier −35.50" in again


def test_the_count_and_both_reports_have_lines_for_it(desk: CashDesk) -> None:
    shift = desk.open()
    for kind, amount in (("to_safe", "400"), ("to_safe", "100"), ("from_safe", "50"), ("paid_out", "20")):
        move(desk, shift, kind, amount, "Tea")
    lines = "Float 1,000.00 To the safe −500.00 From the safe 50.00 Petty cash paid out −20.00 Cash expected ₹530.00"
    assert lines in text(desk.meena.get("/cash/?do=close"))
    report = text(desk.meena.get(f"/cash/shifts/{shift.pk}/report/"))
    assert lines in report
    assert "Petty cash paid out: Tea −20.00" in report
    assert "Taken ₹0.00" in report
    answer = desk.send("/cash/shifts/close/", shift=shift.pk, counted="530")
    after = text(desk.meena.get(answer["Location"]))
    assert lines in after
    assert "Difference 0.00" in after


def test_what_is_refused_comes_back_with_what_was_typed(desk: CashDesk) -> None:
    shift = desk.open()
    for kind, amount, status in (("to_safe", "1000.01", 409), ("paid_out", "5", 400), ("to_safe", "x", 400)):
        refused = desk.send("/cash/shifts/move/", shift=shift.pk, kind=kind, amount=amount)
        page = refused.content.decode()
        assert (refused.status_code, f'value="{kind}" checked' in page, f'value="{amount}"' in page) == (
            status,
            True,
            True,
        )
    assert "Say why" in text(move(desk, shift, "paid_out", "5"))
    assert not CashMovement.objects.exists()
    desk.send("/cash/shifts/close/", shift=shift.pk, counted="1000")
    assert desk.send("/cash/shifts/move/", shift=shift.pk, kind="from_safe", amount="1").status_code == 409
    assert desk.meena.get("/cash/?do=move").status_code == 404


def test_who_may_not_spend_petty_cash_is_not_offered_it(desk: CashDesk) -> None:
    shift = desk.open()
    assert "Petty cash paid out" in text(desk.meena.get("/cash/?do=move"))
    desk.cashier.roles.get().permissions.remove(Permission.objects.get(code="billing.petty"))
    form = text(desk.meena.get("/cash/?do=move"))
    assert "To the safe" in form
    assert "Petty cash paid out" not in form
    sent = {"shift": shift.pk, "kind": "paid_out", "amount": "5", "reason": "Tea"}
    assert desk.send("/cash/shifts/move/", **sent).status_code == 403


def test_a_manager_moves_cash_of_others_and_a_cashier_does_not(desk: CashDesk) -> None:
    shift, manager = desk.open(), desk.user("manager")
    page = desk.browser_of(manager)
    assert f"do=move&amp;shift={shift.pk}" in page.get(f"/cash/?shift={shift.pk}").content.decode()
    sent = {"shift": shift.pk, "kind": "to_safe", "amount": "300"}
    assert desk.send("/cash/shifts/move/", page, **sent).status_code == 302
    farah = desk.browser_of(desk.another())
    assert desk.send("/cash/shifts/move/", farah, **sent).status_code == 403
    assert CashMovement.objects.get().by == manager


def test_pressed_twice_it_is_moved_once(desk: CashDesk) -> None:
    shift = desk.open()
    sent = {"shift": shift.pk, "kind": "to_safe", "amount": "300", "idempotency_key": "one"}
    for _ in range(2):
        assert desk.meena.post("/cash/shifts/move/", sent).status_code == 302
    assert CashMovement.objects.get().amount == 300


def test_the_voucher_says_who_why_and_how_much_and_is_itself_once(desk: CashDesk) -> None:
    shift = desk.open()
    move(desk, shift, "paid_out", "60", "Tea")
    row = CashMovement.objects.get()
    assert f"?moved={row.pk}" in desk.meena.get(f"/cash/?do=move&shift={shift.pk}").content.decode()

    def printed(client: Client, key: str) -> str:
        return client.post(f"/cash/moves/{row.pk}/print/", {"idempotency_key": key})["Location"].rpartition("=")[2]

    assert [printed(desk.meena, key) for key in ("one", "one", "two")] == ["first", "first", "copy"]
    paper = text(desk.meena.get(f"/cash/moves/{row.pk}/?print=first"))
    for words in (row.number, "Shift 1, Drawer 1", "Moved by Meena Pillai", "Petty cash paid out ₹60.00", "For: Tea"):
        assert words in paper
    assert "Given by Received by" in paper
    assert "Copy" not in paper
    assert "Copy, printed" in text(desk.meena.get(f"/cash/moves/{row.pk}/?print=copy"))
    assert "Copy, printed" in text(desk.meena.get(f"/cash/moves/{row.pk}/"))


def test_a_voucher_that_is_printed_late_or_by_somebody_else_is_a_copy(
    desk: CashDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    shift = desk.open()
    move(desk, shift, "to_safe", "60")
    manager = desk.browser_of(desk.user("manager"))
    row = CashMovement.objects.get()
    assert f"?moved={row.pk}" in manager.get(f"/cash/?tab=shifts&shift={shift.pk}").content.decode()
    assert manager.post(f"/cash/moves/{row.pk}/print/")["Location"].endswith("=copy")
    monkeypatch.setattr(vouchers, "FRESH", timedelta(seconds=-1))
    assert desk.meena.post(f"/cash/moves/{row.pk}/print/")["Location"].endswith("=copy")
    farah = desk.browser_of(desk.another())
    assert farah.get(f"/cash/moves/{row.pk}/").status_code == 403
    assert farah.post(f"/cash/moves/{row.pk}/print/").status_code == 403
    assert desk.meena.get("/cash/moves/987654/").status_code == 404


def test_with_the_keyboard_alone(desk: CashDesk, browsing: Browsing) -> None:
    desk.open()
    page = browsing.open("/cash/", user=desk.cashier)
    keys, drawer, head = page.keyboard, page.locator("#drawer"), page.locator("#cash-shift")
    expect(page.locator("#live")).to_have_text("Live")
    keys.press("m")
    expect(drawer.locator("#amount")).to_be_focused()
    keys.type("2000")
    keys.press("Enter")
    expect(drawer.get_by_role("alert")).to_contain_text("The drawer holds ₹1,000.")
    expect(drawer.locator("#amount")).to_have_value("2000")
    drawer.locator("#amount").fill("250")
    drawer.locator("#amount").press("Enter")
    expect(head).to_contain_text("₹750.00")
    expect(drawer.get_by_role("link", name="Back to the list")).to_have_accessible_description("To the safe ₹250.00")
    printer = page.frame_locator("iframe[name=printer]").locator("[data-print=done] .sheet")
    expect(printer).to_contain_text("Received by")
    expect(printer).not_to_contain_text("Copy")
    keys.press("p")
    expect(printer).to_contain_text("Copy")
    keys.press("Enter")
    keys.press("Escape")
    expect(drawer).to_be_hidden()
    keys.press("m")
    expect(drawer).to_contain_text("To the safe")
    expect(drawer).to_contain_text("−250.00")
    assert CashMovement.objects.get().amount == Decimal(250)


def test_without_scripts(desk: CashDesk, browsing: Browsing) -> None:
    desk.open()
    page = browsing.open("/cash/", user=desk.cashier, scripts=False)
    page.get_by_role("link", name="Move cash").click()
    page.get_by_label("Petty cash paid out").check()
    page.get_by_label("Amount").fill("60")
    page.get_by_label("Reason").fill("Tea")
    page.get_by_role("button", name="Move the cash").click()
    expect(page.locator("#cash-shift")).to_contain_text("₹940.00")
    assert CashMovement.objects.get().kind == "paid_out"
