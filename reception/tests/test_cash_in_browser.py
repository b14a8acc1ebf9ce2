"""A cashier's morning in a real browser, with the keyboard alone; two cashiers at once; the same without scripts."""

from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from billing.models import Payment, Receipt, ReceiptPrint, Refund, Shift
from common.testing.browser import STILL, Browsing, layout_shift
from reception.tests.cashing import CashDesk

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_cashier_s_morning_with_the_keyboard_alone(browsing: Browsing) -> None:
    desk = CashDesk()
    sunita = desk.patient("Sunita Deshpande")
    bill = desk.owe(sunita, "500", "150")
    geeta = desk.owe("Geeta Rane", "800", "300", about="C-012, Dr Khan")
    token = desk.give(sunita, "online")
    page = browsing.open("/cash/", user=desk.cashier)
    keys, drawer, head = page.keyboard, page.locator("#drawer"), page.locator("#cash-shift")
    expect(page.locator("#live")).to_have_text("Live")

    # opens a shift with its float
    keys.press("o")
    expect(drawer.locator("#float")).to_be_focused()
    keys.type("1000")
    keys.press("Enter")
    expect(head).to_contain_text("₹1,000.00")
    expect(drawer).to_be_hidden()

    # scans a slip: the scanner types its address, whatever has the focus, and Enter
    keys.type(f"http://clinic.example/t/{token.key}")
    keys.press("Enter")
    expect(drawer).to_contain_text(bill.number or "-")
    expect(drawer.locator("#received")).to_be_focused()

    # takes cash: the note, Enter; the change is said before and after
    keys.type("1000")
    expect(drawer.locator("#change-amount")).to_have_text("₹350.00")
    expect(drawer.locator("#take-it")).to_contain_text("Take ₹650.00")
    keys.press("Enter")
    expect(drawer.locator(".big").first).to_have_text("₹350.00")
    expect(drawer).to_contain_text("₹650.00 taken. Give back")
    expect(head).to_contain_text("₹1,650.00")
    printer = page.frame_locator("iframe[name=printer]")
    expect(printer.locator("[data-print=done] .sheet")).to_contain_text(Receipt.objects.get().number)
    assert list(ReceiptPrint.objects.values_list("copy", flat=True)) == [0]

    # P prints a copy, N is the next bill
    keys.press("p")
    expect(printer.locator("[data-print=done] .sheet")).to_contain_text("Copy 1")
    keys.press("n")
    expect(drawer).to_contain_text("Geeta Rane")

    # splits it: cash and UPI, and only the cash gives change
    keys.press("s")
    expect(drawer.locator("#split-cash")).to_be_focused()
    keys.type("500")
    drawer.locator("#split-upi").focus()
    keys.type("700")
    keys.press("Tab")
    keys.type("UPI-88")
    expect(drawer.locator("#change-amount")).to_have_text("₹100.00")
    keys.press("Enter")
    expect(drawer).to_contain_text("₹1,100.00 taken. Give back")
    assert {(each.method, each.amount) for each in geeta.payments.all()} == {("cash", 400), ("upi", 700)}

    # refunds what was paid in cash
    keys.press("f")
    expect(drawer.locator("#amount")).to_be_focused()
    drawer.locator("[name=payment]").last.check()
    drawer.locator("#amount").focus()
    keys.type("400")
    expect(drawer.locator("#refund-words")).to_have_text("Give back ₹400.00")
    keys.press("Tab")
    keys.type("Service not given")
    keys.press("Enter")
    expect(drawer).to_contain_text("Give to the patient")
    assert Refund.objects.get().amount == Decimal(400)
    expect(head).to_contain_text("₹1,650.00")

    # closes with a difference, which needs a reason
    expect(printer.locator("[data-print=done] .sheet")).to_contain_text("V-")
    keys.press("Escape")
    expect(drawer).to_be_hidden()
    keys.press("c")
    expect(drawer.locator("[name=n_500]")).to_be_focused()
    keys.type("3")
    keys.press("Tab")
    keys.press("Tab")
    keys.type("1")
    expect(drawer.locator("#counted-sum")).to_have_text("₹1,600.00")
    expect(drawer.locator("#difference")).to_have_text("₹50.00 less than expected: say why.")
    drawer.locator("#reason").focus()
    keys.type("Miscounted change")
    keys.press("Enter")
    page.wait_for_url("**/report/")
    expect(page.locator(".sheet")).to_contain_text("Z report")
    assert Shift.objects.get().difference == Decimal(-50)
    keys.press("Escape")
    page.wait_for_url("**/cash/")
    expect(page.locator("#cash-shift")).to_contain_text("No shift is open")


def test_two_cashiers_see_each_other_s_work_and_nothing_typed_is_lost(browsing: Browsing) -> None:
    desk = CashDesk()
    farah = desk.another()
    desk.open()
    desk.open(farah, drawer=1)
    bill, other = desk.owe("Sunita", "650"), desk.owe("Abdul", "600")
    page = browsing.open(f"/cash/?bill={bill.pk}", user=desk.cashier)
    expect(page.locator("#live")).to_have_text("Live")
    drawer = page.locator("#drawer")
    page.fill("#received", "1,000")

    # the other cashier takes a part: it is said where one reads, and what was typed stays
    desk.pay(bill, "200", "card", reference="T-1", by=farah)
    expect(drawer).to_contain_text("₹200.00 were paid, Farah Khan. ₹450.00 are due now.")
    expect(page.locator("#received")).to_have_value("1,000")
    expect(page.locator("#received")).to_be_focused()
    expect(page.locator("#change-amount")).to_have_text("₹550.00")
    expect(page.locator(f"#bill-{bill.pk}")).to_contain_text("₹450.00")
    page.keyboard.press("Enter")
    expect(drawer).to_contain_text("₹450.00 taken. Give back")
    expect(drawer.locator(".big").first).to_have_text("₹550.00")

    # rows come and go by themselves, and the tabs count
    desk.pay(other, "600", by=farah)
    expect(page.locator(f"#bill-{other.pk}")).to_have_count(0)
    expect(page.locator("#cash-tabs")).to_contain_text("Paid today 3")
    arrived = desk.owe("Came Meanwhile", "100")
    expect(page.locator(f"#bill-{arrived.pk}")).to_be_visible()
    # the head is one's own shift
    expect(page.locator("#cash-shift")).to_contain_text("₹1,450.00")


def test_who_opens_a_bill_types_what_was_handed_over(browsing: Browsing) -> None:
    desk = CashDesk()
    desk.open()
    bill, other = desk.owe("Sunita", "500"), desk.owe("Abdul", "600")
    page = browsing.open("/cash/", user=desk.cashier)
    expect(page.locator("#live")).to_have_text("Live")
    keys, drawer = page.keyboard, page.locator("#drawer")
    words, received, amount = (drawer.locator(name) for name in ("#take-words", "#received", "#amount"))
    page.locator(f"#bill-{bill.pk} a.row").click()
    expect(received).to_be_focused()
    hint = drawer.locator(".ways kbd").first
    assert not hint.is_visible()

    # figures are an amount, from the first one on; a part is said as a part
    keys.type("1200")
    expect(received).to_have_value("1200")
    expect(words).to_have_text("Take ₹500.00")
    keys.press("Control+a")
    keys.type("200")
    keys.press("Escape")
    keys.press("1")
    expect(received).to_be_focused()
    expect(words).to_have_text("Take ₹200.00, ₹300.00 stay due")

    # down and up are the ways to pay, and the part stays a part; Enter asks for the reference
    keys.press("ArrowDown")
    expect(amount).to_be_focused()
    expect(amount).to_have_value("200")
    expect(drawer.locator("[value=card]")).to_be_checked()
    keys.press("Enter")
    expect(drawer.locator("#reference")).to_be_focused()
    assert not Payment.objects.exists()
    keys.press("Escape")
    assert hint.is_visible()
    keys.press("1")
    expect(received).to_be_focused()
    keys.type("500")
    expect(words).to_have_text("Take ₹500.00")
    keys.press("Escape")
    keys.press("Escape")
    expect(drawer).to_be_hidden()
    keys.press("n")
    expect(drawer).to_contain_text("Abdul")
    keys.press("Escape")
    keys.press("Escape")
    expect(drawer).to_be_hidden()

    # the same where the address alone opened it, or where the split is left again
    page.goto(f"{page.url.partition('?')[0]}?bill={bill.pk}")
    expect(page.locator("#live")).to_have_text("Live")
    keys.type("200")
    expect(received).to_have_value("200")
    keys.press("s")
    expect(drawer.locator("#split-cash")).to_be_focused()
    keys.press("s")
    expect(received).to_be_focused()
    keys.press("Escape")
    keys.press("Escape")
    expect(drawer).to_be_hidden()

    # Enter alone takes all that is due, also when that has become less meanwhile
    page.locator(f"#bill-{other.pk} a.row").click()
    expect(received).to_have_value("600")
    desk.pay(other, "200", "card", reference="T-1", by=desk.another())
    expect(received).to_have_value("400.00")
    expect(words).to_have_text("Take ₹400.00")
    keys.press("Enter")
    expect(drawer).to_contain_text("Taken. No change to give.")
    assert Payment.objects.get(method="cash").amount == Decimal(400)


def test_a_finger_opens_a_bill_without_a_keyboard_over_it(browsing: Browsing) -> None:
    desk = CashDesk()
    desk.open()
    bill = desk.owe("Sunita", "500")
    page = browsing.open("/cash/", user=desk.cashier, phone=True)
    page.locator(f"#bill-{bill.pk} a.row").tap()
    expect(page.locator("#received")).to_be_visible()
    expect(page.locator("#drawer a").first).to_be_focused()
    page.locator(".ways label", has_text="UPI").tap()
    expect(page.locator("#amount")).to_be_visible()
    expect(page.locator("#amount")).not_to_be_focused()
    page.reload()
    expect(page.locator("#change-amount")).to_have_text("₹0.00")
    expect(page.locator("#received")).not_to_be_focused()


def test_a_bill_that_is_paid_elsewhere_takes_nothing_twice(browsing: Browsing) -> None:
    desk = CashDesk()
    desk.open()
    bill = desk.owe("Sunita", "650")
    page = browsing.open(f"/cash/?bill={bill.pk}", user=desk.cashier)
    expect(page.locator("#live")).to_have_text("Live")
    desk.pay(bill, "650", "card", reference="T-1", by=desk.another())
    expect(page.locator("#drawer")).to_contain_text("Nothing is due any more.")
    page.keyboard.press("Enter")
    expect(page.locator("#drawer [role=alert]")).to_contain_text("is paid: there is nothing to pay.")
    assert Payment.objects.filter(bill=bill).count() == 1


def test_rows_are_walked_and_the_focus_comes_back(browsing: Browsing) -> None:
    desk = CashDesk()
    desk.open()
    first, second = desk.owe("Sunita", "650"), desk.owe("Abdul", "600")
    page = browsing.open("/cash/", user=desk.cashier)
    keys, drawer = page.keyboard, page.locator("#drawer")
    keys.press("j")
    expect(drawer).to_contain_text("Abdul")
    keys.press("j")
    expect(drawer).to_contain_text("Sunita")
    expect(page.locator(f"#bill-{first.pk} a.row")).to_have_attribute("aria-current", "true")
    keys.press("k")
    expect(drawer).to_contain_text("Abdul")
    keys.press("Enter")
    expect(drawer.locator("#received")).to_be_focused()
    keys.press("Escape")
    expect(drawer.locator("[name=method][value=cash]")).to_be_focused()
    keys.press("2")
    expect(drawer.locator("#amount")).to_be_focused()
    keys.press("Enter")
    expect(drawer.locator("#reference")).to_be_focused()
    keys.press("Escape")
    keys.press("Escape")
    expect(drawer).to_be_hidden()
    expect(page.locator(f"#bill-{second.pk} a.row")).to_be_focused()
    assert page.url.endswith("/cash/")


def test_without_scripts_the_same_is_done_with_forms_and_links(browsing: Browsing) -> None:
    desk = CashDesk()
    desk.owe("Sunita Deshpande", "500", "150")
    page = browsing.open("/cash/", user=desk.cashier, scripts=False)
    page.click("text=Open a shift")
    page.fill("[name=float]", "1000")
    page.click("button:has-text('Open the shift')")
    expect(page.locator("#toasts")).to_contain_text("Shift 1 is open at Drawer 1 with ₹1,000.00.")
    page.fill("#command", "sunita")
    page.press("#command", "Enter")
    page.click("#drawer a:has-text('Sunita Deshpande') >> nth=0")
    page.fill("#received", "1000")
    page.click("#take-it")
    expect(page.locator("#drawer")).to_contain_text("₹650.00 taken. Give back")
    page.click("#drawer a:has-text('Refund')")
    page.fill("#reason", "Service not given")
    page.click("#drawer button[type=submit]")
    expect(page.locator("#drawer")).to_contain_text("Give to the patient")
    page.click("text=Close shift")
    page.fill("[name=n_500]", "2")
    page.click("button:has-text('Close the shift')")
    expect(page.locator(".sheet")).to_contain_text("Difference")


# How it looks


def sideways(page: Page) -> int:
    """How far the page goes beyond its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - innerWidth"))


@pytest.mark.parametrize(("size", "address"), [((640, 400), "/cash/?bill={}"), ((1920, 1080), "/cash/?bill={}")])
def test_large_text_and_large_screens_fit_too(browsing: Browsing, size: tuple[int, int], address: str) -> None:
    desk = CashDesk()
    desk.open()
    page = browsing.open(address.format(desk.owe("Sunita", "500").pk), user=desk.cashier, size=size)
    assert sideways(page) <= 0
    page.locator("#take-it").scroll_into_view_if_needed()
    page.locator("#take-it").click(trial=True)
    page.evaluate("document.documentElement.dir = 'rtl'")
    assert sideways(page) <= 0
    page.emulate_media(forced_colors="active")
    assert page.locator(".quick [aria-pressed=true]").evaluate("(e) => getComputedStyle(e).outlineStyle") == "solid"


def test_it_stands_still_while_it_comes(browsing: Browsing) -> None:
    desk = CashDesk()
    desk.open()
    for n in range(20):
        bill = desk.owe(f"Patient {n}", "500", "150")
    page = browsing.open(f"/cash/?bill={bill.pk}", user=desk.cashier)
    assert layout_shift(page) < STILL


def test_a_printed_receipt_is_the_paper_alone(browsing: Browsing) -> None:
    desk = CashDesk()
    desk.open()
    receipt = desk.pay(desk.owe("Sunita", "650"), "650")
    page = browsing.open(f"/cash/receipts/{receipt.pk}/", user=desk.cashier, dark=True)
    page.emulate_media(media="print")
    expect(page.locator(".sheet")).to_be_visible()
    expect(page.locator(".bar")).to_be_hidden()
    expect(page.locator(".beside")).to_be_hidden()
    colours = page.locator(".sheet").evaluate("(e) => [getComputedStyle(e).color, getComputedStyle(e).backgroundColor]")
    assert colours == ["rgb(0, 0, 0)", "rgb(255, 255, 255)"]
    assert page.locator(".sheet").evaluate("(e) => e.scrollWidth <= e.clientWidth")
