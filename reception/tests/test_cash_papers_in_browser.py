"""Papers that go to the printer while somebody works: no key is lost by it."""

import pytest
from playwright.sync_api import expect

from common.testing.browser import Browsing
from reception.tests.cashing import CashDesk

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_key_that_the_browser_did_not_hear_while_it_printed_is_pressed_when_it_is_let_go(browsing: Browsing) -> None:
    desk = CashDesk()
    desk.open()
    desk.owe("Abdul", "600")
    bill = desk.owe("Sunita", "650")
    page = browsing.open(f"/cash/?bill={bill.pk}", user=desk.cashier)
    keys, drawer = page.keyboard, page.locator("#drawer")
    expect(drawer.locator("#received")).to_be_focused()
    keys.press("Enter")
    expect(drawer).to_contain_text("Taken. No change to give.")
    expect(page.frame_locator("iframe[name=printer]").locator("[data-print=done] .sheet")).to_be_attached()

    # The press fell into the printing: only its release comes. What an Enter was meant for nobody knows.
    keys.up("Enter")
    expect(drawer).to_contain_text("Taken. No change to give.")
    keys.up("n")
    expect(drawer.locator("#received")).to_be_focused()
    keys.up("9")
    expect(drawer.locator("#received")).to_have_value("9")

    # From the first key that is heard on, a release is a release.
    keys.press("0")
    keys.up("5")
    expect(drawer.locator("#received")).to_have_value("90")
