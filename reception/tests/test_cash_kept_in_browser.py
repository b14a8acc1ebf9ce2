"""Esc goes back one step at the cash desk, and what was typed is not lost without a word."""

import pytest
from playwright.sync_api import Page, expect

from billing.models import Bill, CashMovement, Payment
from common.testing.browser import Browsing
from reception.tests.cashing import CashDesk
from reception.tests.test_fast_fingers_in_browser import Held

pytestmark = pytest.mark.django_db(transaction=True)


def opened(browsing: Browsing, desk: CashDesk, address: str) -> Page:
    """The page, following what others do."""
    page = browsing.open(address, user=desk.cashier)
    expect(page.locator("#live")).to_have_text("Live")
    return page


def test_a_form_that_is_left_is_kept_and_opened_again_as_it_was(browsing: Browsing) -> None:
    desk = CashDesk()
    desk.open()
    page = opened(browsing, desk, "/cash/")
    keys, drawer, toasts = page.keyboard, page.locator("#drawer"), page.locator("#toasts")
    keys.press("m")
    expect(drawer.locator("#amount")).to_be_focused()
    drawer.get_by_label("Petty cash paid out").check()
    drawer.locator("#amount").fill("60")
    drawer.locator("#reason").fill("Tea")
    keys.press("Escape")
    expect(drawer).to_be_hidden()
    expect(toasts).to_contain_text("Move cash, shift 1, Drawer 1: what was typed is kept.")
    keys.press("u")
    expect(drawer.locator("#amount")).to_be_focused()
    expect(drawer.locator("#amount")).to_have_value("60")
    expect(drawer.get_by_label("Petty cash paid out")).to_be_checked()
    expect(toasts).to_be_empty()
    keys.press("Enter")
    expect(page.locator("#cash-shift")).to_contain_text("₹940.00")
    assert CashMovement.objects.get().reason == "Tea"

    # Where nothing was typed there is nothing to say.
    keys.press("m")
    expect(drawer.locator("#amount")).to_be_focused()
    keys.press("Escape")
    expect(drawer).to_be_hidden()
    expect(toasts.locator("[data-open-again]")).to_have_count(0)


def test_a_new_bill_is_kept_while_another_bill_is_looked_at(browsing: Browsing) -> None:
    desk = CashDesk()
    desk.open()
    other = desk.owe("Abdul", "600")
    sunita = desk.patient("Sunita Deshpande")
    page = opened(browsing, desk, f"/cash/?do=bill&patient={sunita.pk}")
    drawer = page.locator("#drawer")
    drawer.locator("[name=price]").first.select_option(label="ECG, ₹350.00")
    expect(drawer.locator("#reckoned")).to_contain_text("₹350.00")
    page.locator(f"#bill-{other.pk} a.row").click()
    expect(drawer.locator("#received")).to_be_focused()
    page.locator("[data-open-again]").click()
    expect(drawer.locator("[name=price]").first).to_be_focused()
    drawer.locator("[name=quantity]").first.fill("2")
    expect(drawer.locator("#reckoned")).to_contain_text("₹700.00")
    page.keyboard.press("Enter")
    expect(drawer.locator("#received")).to_be_focused()
    assert Bill.objects.get(patient=sunita).total == 700


def test_a_sum_that_is_opened_again_follows_what_others_took_meanwhile(browsing: Browsing) -> None:
    desk = CashDesk()
    desk.open()
    bill = desk.owe("Sunita", "650")
    page = opened(browsing, desk, f"/cash/?bill={bill.pk}")
    keys, drawer = page.keyboard, page.locator("#drawer")
    expect(drawer.locator("#received")).to_be_focused()
    keys.type("1000")
    keys.press("Escape")
    keys.press("Escape")
    expect(drawer).to_be_hidden()
    expect(page.locator("#toasts")).to_contain_text("Sunita: what was typed is kept.")
    desk.pay(bill, "200", "card", reference="T-1", by=desk.another())
    expect(page.locator(f"#bill-{bill.pk}")).to_contain_text("₹450.00")
    keys.press("u")
    expect(drawer).to_contain_text("₹450.00 are due now.")
    expect(drawer.locator("#received")).to_have_value("1000")
    expect(drawer.locator("#change-amount")).to_have_text("₹550.00")
    keys.press("Enter")
    expect(drawer).to_contain_text("₹450.00 taken. Give back")
    assert Payment.objects.get(method="cash").amount == 450


def test_a_form_that_was_done_after_it_was_closed_is_not_opened_again(browsing: Browsing) -> None:
    desk = CashDesk()
    desk.open()
    page = browsing.open("/cash/?do=move", routed=True, user=desk.cashier)
    drawer, again = page.locator("#drawer"), page.locator("[data-open-again]")
    drawer.locator("#amount").fill("60")
    drawer.locator("#reason").fill("Tea")
    held = Held(page, "**/shifts/move/")
    held.after(lambda: page.keyboard.press("Enter"))
    drawer.locator("[data-close]").click()
    expect(again).to_be_visible()
    held.no_more()
    expect(drawer).to_contain_text("Cash moved, shift 1")
    expect(again).to_have_count(0)
    assert CashMovement.objects.count() == 1


def test_what_stands_there_is_kept_when_what_was_kept_is_opened_again(browsing: Browsing) -> None:
    desk = CashDesk()
    desk.open()
    page = browsing.open("/cash/?do=move", user=desk.cashier)
    drawer, again = page.locator("#drawer"), page.locator("[data-open-again]")
    drawer.locator("#amount").fill("60")
    drawer.locator("[data-close]").click()
    page.locator("#cash-shift [data-key=c]").click()
    count = drawer.locator("#counting [data-note]").first
    count.fill("3")
    again.click()
    expect(drawer.locator("#amount")).to_have_value("60")
    again.click()
    expect(count).to_have_value("3")


def test_what_is_kept_stays_kept_while_somebody_else_is_served(browsing: Browsing) -> None:
    desk = CashDesk()
    desk.open()
    bill = desk.owe("Sunita", "650")
    page = browsing.open("/cash/?do=move", user=desk.cashier)
    drawer = page.locator("#drawer")
    drawer.locator("#amount").fill("60")
    drawer.locator("[data-close]").click()
    page.locator(f"#bill-{bill.pk} a.row").click()
    expect(drawer.locator("#received")).to_be_focused()
    page.keyboard.press("Enter")
    expect(drawer).to_contain_text("Taken. No change to give.")
    page.locator("[data-open-again]").click()
    expect(drawer.locator("#amount")).to_have_value("60")
