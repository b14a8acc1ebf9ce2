"""A queue of twenty at the cash desk: two keys a payment, and each step has the focus where the next key is needed."""

import re
from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from billing.models import Payment
from common.testing.browser import Browsing
from reception.tests.cashing import CashDesk

pytestmark = pytest.mark.django_db(transaction=True)

QUEUE = 20


@pytest.fixture
def desk() -> CashDesk:
    """Somebody sits at an open drawer."""
    found = CashDesk()
    found.open()
    return found


def opened(browsing: Browsing, desk: CashDesk, *, prints: bool) -> Page:
    """The cash desk, at work. Where nothing is to be printed, no key can fall into the printing."""
    context = browsing.context(user=desk.cashier, kept=False)
    if not prints:
        context.add_init_script("window.print = () => {}")
    page = browsing.page(context)
    page.goto(f"{browsing.server.url}/cash/")
    expect(page.locator("#live")).to_have_text("Live")
    return page


def test_a_queue_is_paid_with_two_keys_each_however_fast_they_come(browsing: Browsing, desk: CashDesk) -> None:
    for n in range(QUEUE):
        desk.owe(f"Patient {n}", str(100 + n))
    page = opened(browsing, desk, prints=False)
    for _ in range(QUEUE):
        page.keyboard.press("n")
        page.keyboard.press("Enter")
    expect(page.locator("#cash-tabs")).to_contain_text(f"Paid today {QUEUE}", timeout=60_000)
    expect(page.locator("#drawer")).to_contain_text("Nothing else is owed")
    assert sorted(Payment.objects.values_list("amount", flat=True)) == [Decimal(100 + n) for n in range(QUEUE)]


def test_each_step_has_the_focus_where_the_next_key_is_needed(browsing: Browsing, desk: CashDesk) -> None:
    for n in range(3):
        desk.owe(f"Patient {n}", "650")
    page = opened(browsing, desk, prints=True)
    keys, drawer = page.keyboard, page.locator("#drawer")
    printer = page.frame_locator("iframe[name=printer]")
    for n in range(1, 4):
        keys.press("n")
        expect(drawer.locator("#received")).to_be_focused()
        keys.type("1000")
        expect(drawer.locator("[aria-live][aria-atomic=true]")).to_have_text(re.compile("Change to give.*₹350.00"))
        keys.press("Enter")
        expect(drawer.locator("[data-key=n]")).to_be_focused()
        expect(drawer.locator("[data-key=n]")).to_have_accessible_description("₹650.00 taken. Give back ₹350.00")
        expect(printer.locator("[data-print=done] .sheet")).to_contain_text(f"{n:06}")
    assert Payment.objects.count() == 3


def test_who_leans_on_enter_opens_a_bill_and_does_not_take_it(browsing: Browsing, desk: CashDesk) -> None:
    for n in range(2):
        bill = desk.owe(f"Patient {n}", "650")
    page = opened(browsing, desk, prints=False)
    keys, drawer = page.keyboard, page.locator("#drawer")
    keys.press("j")
    expect(drawer).to_contain_text(bill.number or "-")
    keys.down("Enter")
    expect(drawer.locator("#received")).to_be_focused()
    for _ in range(3):
        keys.down("Enter")
    keys.up("Enter")
    keys.type("700")
    keys.press("Enter")
    expect(drawer).to_contain_text("₹650.00 taken. Give back")
    assert Payment.objects.get().bill == bill


def test_rows_that_others_change_move_nothing_under_the_cursor(browsing: Browsing) -> None:
    desk = CashDesk()
    desk.open()
    farah = desk.another()
    desk.open(farah, drawer=1)
    bills = [desk.owe(f"Patient {n}", str(500 + n)) for n in range(30)]
    page = browsing.open("/cash/", user=desk.cashier)
    expect(page.locator("#live")).to_have_text("Live")
    row = page.locator(f"#bill-{bills[12].pk}")
    page.locator(f"#bill-{bills[12].pk} a.row").click()
    expect(page.locator("#received")).to_be_focused()
    page.locator(".bills").evaluate("(e) => e.scrollTop = 500")
    row.hover()
    before = row.bounding_box()

    # One comes on top, one above it is paid in part, and one is gone: the row stays where the cursor is, and selected.
    desk.owe("Came Meanwhile", "100")
    desk.pay(bills[20], "100", "card", reference="T-1", by=farah)
    desk.pay(bills[25], str(500 + 25), by=farah)
    expect(page.locator("#cash-tabs")).to_contain_text("Paid today 2")
    expect(page.locator(f"#bill-{bills[25].pk}")).to_have_count(0)
    expect(page.locator("#cash-rows")).to_contain_text("Came Meanwhile")
    assert row.bounding_box() == before
    expect(row.locator("a.row")).to_have_attribute("aria-current", "true")
    expect(page.locator("#received")).to_be_focused()


def test_the_change_of_a_priority_fee_is_said_before_it_is_taken(browsing: Browsing, desk: CashDesk) -> None:
    desk.rules.priority_fee = Decimal(300)
    desk.rules.save()
    token = desk.give("Ravi Kumar", "online")
    page = browsing.open(f"/cash/?do=priority&token={token.pk}", user=desk.cashier)
    expect(page.locator("#live")).to_have_text("Live")
    keys, drawer = page.keyboard, page.locator("#drawer")
    change = drawer.locator(".change")
    expect(drawer.locator("#received")).to_be_focused()
    expect(change).to_have_text("Change to give₹0.00")
    keys.type("200")
    expect(change).to_have_text("Less than the fee₹100.00")
    drawer.get_by_role("button", name="500", exact=True).click()
    expect(drawer.locator("#received")).to_be_focused()
    expect(change).to_have_text("Change to give₹200.00")
    keys.press("ArrowDown")
    expect(change).to_have_text("Change to give₹0.00")
    drawer.locator("[name=method][value=cash]").check()
    expect(drawer.locator("#received")).to_be_focused()
    keys.press("Enter")
    expect(drawer).to_contain_text("₹300.00 taken. Give back")


HELD = """() => {
  const read = Response.prototype.text;
  Response.prototype.text = function () {
    return new Promise((resolve) => (window.letGo = () => read.call(this).then(resolve)));
  };
}"""


def test_what_others_took_of_a_bill_that_is_left_by_now_changes_nothing(browsing: Browsing, desk: CashDesk) -> None:
    bill, other = desk.owe("Sunita", "650"), desk.owe("Abdul", "600")
    page = browsing.open(f"/cash/?bill={bill.pk}", user=desk.cashier)
    expect(page.locator("#live")).to_have_text("Live")
    page.evaluate(HELD)
    desk.pay(bill, "200", "card", reference="T-1", by=desk.another())
    page.wait_for_function("Boolean(window.letGo)")
    page.locator(f"#bill-{other.pk} a.row").click()
    expect(page.locator("#drawer-title")).to_have_text("Abdul")
    expect(page.locator("#received")).to_be_focused()
    page.evaluate("letGo()")
    expect(page.locator("#received")).to_have_value("600")
    expect(page.locator("#take-words")).to_have_text("Take ₹600.00")


def test_who_only_looks_at_a_bill_leaves_it_without_a_word(browsing: Browsing) -> None:
    desk = CashDesk()
    desk.open()
    desk.owe("Sunita", "650")
    page = browsing.open("/cash/", user=desk.cashier)
    expect(page.locator("#live")).to_have_text("Live")
    keys, drawer = page.keyboard, page.locator("#drawer")
    keys.press("j")
    expect(drawer).to_contain_text("Sunita")
    keys.press("s")
    expect(drawer.locator("#split-cash")).to_be_focused()
    keys.press("Escape")
    keys.press("Escape")
    expect(drawer).to_be_hidden()
    expect(page.locator("#toasts")).to_be_empty()
