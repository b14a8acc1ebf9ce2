"""Long names, large sums and many lines at the cash desk: nothing is cut off and nothing is squeezed."""

import pytest
from playwright.sync_api import Page, expect

from billing.models import Bill
from common.testing.browser import Browsing
from reception.tests.cashing import CashDesk
from reception.tests.factories import text

pytestmark = pytest.mark.django_db(transaction=True)

NAME = "Venkatanarasimharajuvaripeta Sri Lakshmi Narasimha Subrahmanyeswara Ramachandran-Padmanabhan"
BEYOND = """(cells) => cells.filter((cell) => {
  const words = document.createRange();
  words.selectNodeContents(cell);
  const [box, said] = [cell.getBoundingClientRect(), words.getBoundingClientRect()];
  return said.left < box.left - 1 || said.right > box.right + 1;
}).map((cell) => cell.textContent)"""


def dear(desk: CashDesk) -> Bill:
    """A bill of ten millions, for somebody with a long name."""
    return desk.owe(NAME, "10000000", about="A-014, Dr Venkatasubramaniam Krishnamurthy-Iyer")


def lines(page: Page, selector: str) -> float:
    """How many lines of text something takes."""
    return float(page.locator(selector).evaluate("(e) => e.clientHeight / parseFloat(getComputedStyle(e).lineHeight)"))


@pytest.mark.parametrize("phone", [True, False])
def test_a_large_sum_stands_whole_in_its_row_and_a_long_name_takes_two_lines(browsing: Browsing, phone: bool) -> None:
    desk = CashDesk()
    desk.open()
    bill = dear(desk)
    page = browsing.open("/cash/", user=desk.cashier, phone=phone)
    expect(page.locator("#cash-rows")).to_contain_text("₹1,00,00,000.00")
    assert page.locator("#cash-rows td.end, #cash-rows td:nth-child(3)").evaluate_all(BEYOND) == []
    assert lines(page, f"#bill-{bill.pk} a.row") < 2.5
    page.locator(f"#bill-{bill.pk} a.row").click()
    expect(page.locator("#drawer-title")).to_have_text(NAME)
    assert page.locator(".quick button").evaluate_all(BEYOND) == []


def test_the_receipt_as_it_will_print_squeezes_nothing(browsing: Browsing) -> None:
    desk = CashDesk()
    desk.open()
    page = browsing.open(f"/cash/?bill={dear(desk).pk}", user=desk.cashier)
    assert page.locator("#preview td").evaluate_all(BEYOND) == []
    assert lines(page, "#preview table:first-of-type tr:first-child td:first-child") < 1.9


def test_what_was_counted_is_seen_while_the_last_coin_is_counted(browsing: Browsing) -> None:
    desk = CashDesk()
    desk.open()
    page = browsing.open("/cash/?do=close", user=desk.cashier, size=(1280, 700))
    expect(page.locator("[name=n_500]")).to_be_focused()
    page.locator("[name=n_1]").fill("7")
    expect(page.locator("#counted-sum")).to_have_text("₹7.00")
    expect(page.locator("#counted-sum")).to_be_in_viewport(ratio=1)
    expect(page.locator("#difference")).to_be_in_viewport(ratio=1)
    expect(page.locator("#difference")).to_have_text("₹993.00 less than expected: say why.")


def test_a_bill_on_paper_has_columns_for_what_it_has_and_words_in_lines(browsing: Browsing) -> None:
    desk = CashDesk()
    bill = dear(desk)
    paper = text(desk.meena.get(f"/cash/bills/{bill.pk}/paper/"))
    assert "What Quantity Price Total" in paper
    page = browsing.open(f"/cash/bills/{bill.pk}/paper/", user=desk.cashier, phone=True)
    assert lines(page, ".letter .end .big") < 1.9
    assert page.locator(".lines td:first-child").evaluate("(e) => e.offsetWidth") > 100
