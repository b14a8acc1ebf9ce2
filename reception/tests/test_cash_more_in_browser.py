"""A new bill, drafts, the oldest bills and the shifts of the day in a real browser, with the keyboard alone."""

import re
from decimal import Decimal

import pytest
from playwright.sync_api import Page, Route, expect

from billing.models import Bill, Payment
from common.testing.browser import Browsing
from reception.cash import listing
from reception.tests.cashing import CashDesk

pytestmark = pytest.mark.django_db(transaction=True)


def live(page: Page) -> None:
    """Wait until the page follows what others do, so that its keys are there too."""
    expect(page.locator("#live")).to_have_text("Live")


def test_a_new_bill_is_added_up_while_it_is_made(browsing: Browsing) -> None:
    desk = CashDesk()
    desk.allow_discounts(50)
    desk.open()
    sunita = desk.patient("Sunita Deshpande")
    page = browsing.open(f"/cash/?do=bill&patient={sunita.pk}", user=desk.cashier)
    live(page)
    keys, drawer = page.keyboard, page.locator("#drawer")
    lines, sums = drawer.locator(".new-line"), drawer.locator("#reckoned")

    # a line is chosen by its first letters; the form stays, and the sum stands under it
    expect(lines.first.locator("select")).to_be_focused()
    keys.type("Dress")
    keys.press("Tab")
    expect(sums).to_contain_text("₹200.00")
    expect(lines.first.locator("[name=quantity]")).to_be_focused()
    keys.type("2")
    expect(sums).to_contain_text("₹400.00")

    # another line, and something off that line alone: a letter is no number, and Esc leaves the field first
    keys.press("l")
    expect(lines.nth(1).locator("select")).to_be_focused()
    keys.type("ECG")
    keys.press("Escape")
    expect(drawer).to_be_visible()
    expect(lines.nth(1).locator(".off")).to_be_hidden()
    keys.press("d")
    expect(lines.nth(1).locator(".off")).to_be_focused()
    keys.type("10%")
    expect(sums).to_contain_text("−35.00")
    expect(sums).to_contain_text("₹715.00")

    # what is wrong has the focus, and nothing that was typed is lost
    keys.press("Enter")
    expect(drawer.locator("[role=alert]")).to_contain_text("Say why")
    expect(drawer.locator("#reason")).to_be_focused()
    expect(lines.nth(1).locator(".off")).to_have_value("10%")
    expect(sums).to_contain_text("₹715.00")
    keys.type("Senior citizen")
    keys.press("Enter")
    expect(drawer.locator("#received")).to_be_focused()
    assert Bill.objects.get().total == Decimal(715)


def test_a_draft_is_issued_and_paid_with_enter(browsing: Browsing) -> None:
    desk = CashDesk()
    desk.open()
    draft, other = desk.owe("Sunita", "500", draft=True), desk.owe("Abdul", "600", draft=True)
    page = browsing.open("/cash/?tab=drafts", user=desk.cashier)
    live(page)
    keys, drawer = page.keyboard, page.locator("#drawer")
    keys.press("j")
    expect(drawer).to_contain_text("Abdul")
    keys.press("Enter")
    expect(drawer.get_by_role("button", name="Issue the bill")).to_be_focused()
    keys.press("Enter")
    expect(drawer.locator("#received")).to_be_focused()
    expect(page.locator(f"#bill-{other.pk}")).to_have_count(0)
    keys.press("Enter")
    expect(drawer).to_contain_text("Taken. No change to give.")
    other.refresh_from_db()
    assert other.status == "paid"

    # the other one is discarded
    page.locator(f"#bill-{draft.pk} a.row").click()
    expect(drawer.get_by_role("button", name="Issue the bill")).to_be_focused()
    keys.press("v")
    expect(drawer.locator("#reason")).to_be_focused()
    keys.type("Made by mistake")
    keys.press("Enter")
    expect(page.locator("#toasts")).to_contain_text("The draft is discarded.")
    draft.refresh_from_db()
    assert draft.status == "void"


def test_the_oldest_bills_are_turned_over_with_keys(browsing: Browsing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "MOST", 2)
    desk = CashDesk()
    desk.open()
    bills = [desk.owe(f"Patient {n}", "100") for n in range(3)]
    page = browsing.open("/cash/", user=desk.cashier)
    live(page)
    keys = page.keyboard
    keys.press("e")
    page.wait_for_url("**/cash/?tab=unpaid")
    live(page)
    expect(page.locator("#cash-pages")).to_contain_text("₹300.00 are due on 3 bills.")
    keys.press("ArrowRight")
    page.wait_for_url("**page=2")
    live(page)
    keys.press("j")
    expect(page.locator("#drawer")).to_contain_text(str(bills[2].number))
    assert re.search(r"tab=unpaid&page=2&bill=\d+$", page.url)

    # what is paid elsewhere is gone from the sum
    desk.pay(bills[0], "100")
    expect(page.locator("#cash-pages")).to_contain_text("₹200.00 are due on 2 bills.")
    keys.press("Escape")
    keys.press("e")
    page.wait_for_url("**/cash/?tab=pay")


def test_a_manager_reads_and_closes_a_shift_with_keys(browsing: Browsing) -> None:
    desk = CashDesk()
    shift = desk.open()
    manager = desk.user("manager")
    page = browsing.open("/cash/", user=manager)
    live(page)
    keys, drawer = page.keyboard, page.locator("#drawer")
    keys.press("j")
    expect(drawer).to_contain_text("Cash expected")
    desk.pay(desk.owe("Sunita", "650"), "650")
    expect(page.locator(f"#shift-{shift.pk}")).to_contain_text("₹650.00")
    keys.press("c")
    expect(drawer.locator("[name=n_500]")).to_be_focused()
    keys.type("3")
    drawer.locator("[name=n_50]").focus()
    keys.type("3")
    expect(drawer.locator("#difference")).to_have_text("As expected.")
    keys.press("Enter")
    page.wait_for_url("**/report/")
    expect(page.locator(".sheet")).to_contain_text("Z report")
    keys.press("Escape")
    page.wait_for_url("**/cash/")
    expect(page.locator(f"#shift-{shift.pk}")).to_contain_text("Closed")


def test_no_answer_is_said_and_what_is_sent_again_is_taken_once(browsing: Browsing) -> None:
    desk = CashDesk()
    desk.open()
    desk.owe("Abdul", "600")
    bill = desk.owe("Sunita", "650")
    page = browsing.open(f"/cash/?bill={bill.pk}", routed=True, user=desk.cashier)
    live(page)
    keys, drawer, notes = page.keyboard, page.locator("#drawer"), page.locator("#messages [role=alert]")

    # the line breaks before anything was sent
    page.route("**/take/", lambda route: route.abort())
    page.fill("#received", "1000")
    keys.press("Enter")
    expect(notes).to_contain_text("No answer came. Press again: it is done once, however often it is sent.")
    expect(drawer.locator("#received")).to_be_focused()
    expect(drawer.locator("#received")).to_have_value("1000")
    assert not Payment.objects.exists()

    # the server does it, and its answer is lost on the way
    page.unroute("**/take/")
    page.route("**/take/", answered_by_nobody)
    keys.press("Enter")
    expect(drawer.locator("#take-it")).to_be_enabled()
    expect(drawer.locator("#received")).to_be_focused()
    assert Payment.objects.count() == 1
    page.unroute("**/take/")

    # once more, and the first answer comes
    keys.press("Enter")
    expect(drawer).to_contain_text("₹650.00 taken. Give back")
    expect(notes).to_have_count(0)
    assert Payment.objects.count() == 1

    # what only looks is lost too, and nothing that was there goes
    page.route("**/cash/?*", lambda route: route.fulfill(status=502, body="Bad gateway"))
    keys.press("n")
    expect(notes).to_contain_text("No answer came. Nothing was changed.")
    expect(drawer).to_contain_text("₹650.00 taken. Give back")


def answered_by_nobody(route: Route) -> None:
    """The server does what it was asked, and nobody hears that it did."""
    route.fetch()
    route.abort()


def test_where_little_stands_on_a_phone_nothing_is_stretched(browsing: Browsing) -> None:
    desk = CashDesk()
    page = browsing.open("/cash/?tab=shifts", user=desk.user("manager"), phone=True)
    assert page.locator("header.bar").evaluate("(e) => e.offsetHeight") < 130
    assert page.locator("#cash-shift").evaluate("(e) => e.offsetHeight") < 130
    tab = page.locator("#cash-tabs [aria-current]").bounding_box()
    assert tab is not None
    assert tab["x"] >= 0
    assert tab["x"] + tab["width"] <= 360
