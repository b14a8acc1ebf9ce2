"""What stands in a form of the drawer asks for itself: it takes nothing over from the form around it."""

import pytest
from playwright.sync_api import expect

from common.testing.browser import Browsing
from reception.tests.cashing import CashDesk

pytestmark = pytest.mark.django_db(transaction=True)

PUT = """(address) => {
  document.querySelector("#drawer form .inside").insertAdjacentHTML("beforeend",
    `<button type="button" id="asks" hx-get="${address}">Ask</button>`);
  htmx.process(document.querySelector("#asks"));
}"""


@pytest.mark.parametrize("address", ["/cash/?do=move", "/desk/?give=1&patient={}"])
def test_what_asks_inside_a_form_is_answered_where_it_stands(browsing: Browsing, address: str) -> None:
    desk = CashDesk()
    desk.open()
    desk.owe("Sunita", "500")
    sunita = desk.patient("Sunita Deshpande")
    user = desk.cashier if address.startswith("/cash/") else desk.user("reception")
    find = "/cash/find/?q=sunita" if address.startswith("/cash/") else "/desk/find/?q=sunita"
    page = browsing.open(address.format(sunita.pk), user=user)
    expect(page.locator("#live")).to_have_text("Live")
    page.evaluate(PUT, find)
    page.click("#asks")
    expect(page.locator("#asks")).to_contain_text("Sunita")
    expect(page.locator("#drawer form.whole button[type=submit]:visible").first).to_be_enabled()
