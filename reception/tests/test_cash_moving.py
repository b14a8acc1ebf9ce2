"""Cash in and out of the drawer at the cash desk: the form, what it says, and the reports that show it."""

from decimal import Decimal

import pytest
from playwright.sync_api import expect

from accounts.models import Permission
from billing.models import CashMovement, Shift
from common.testing.browser import Browsing
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
    assert answer["Location"] == "/cash/?"
    page = text(desk.meena.get("/cash/"))
    year = desk.facility.local_date().year
    assert f"To the safe: ₹400.00, M-{year}-000001. The drawer holds ₹600.00 now." in page
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
    expect(drawer).to_be_hidden()
    expect(head).to_contain_text("₹750.00")
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
