"""The cash desk and its papers in each state: no serious finding, large targets, a focus that is seen."""

import pytest

from common.testing.browser import Browsing, axe
from opd_engine.tests.test_access_in_browser import FOCUSED, SMALL
from reception.tests.cashing import CashDesk, states

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
def test_every_state_is_read_by_everybody_and_fits(browsing: Browsing, phone: bool) -> None:
    desk = CashDesk()
    found = states(desk)
    page = browsing.page(browsing.context(user=desk.cashier, phone=phone))
    if phone:  # as high as the page: what the bar at its end covers until one scrolls is not small
        page.set_viewport_size({"width": 360, "height": 3000})
    for name, address in found.items():
        page.goto(browsing.server.url + address)
        # On a phone what stands beside the list covers it: what is under it is not met.
        axe(page, "#drawer" if phone and page.locator("#drawer:visible").count() else None)
        assert not (page.evaluate(SMALL, 44) if phone else []), name
        page.emulate_media(color_scheme="dark")
        axe(page, rules=("color-contrast",))
        page.emulate_media(color_scheme="light")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name


@pytest.mark.parametrize(("address", "phone"), [("/cash/", False), ("/cash/?bill={}", False), ("/cash/?bill={}", True)])
def test_the_focus_is_seen_wherever_it_goes(browsing: Browsing, address: str, phone: bool) -> None:
    desk = CashDesk()
    desk.open()
    for n in range(12):
        bill = desk.owe(f"Patient {n}", "500", "150")
    page = browsing.open(address.format(bill.pk), user=desk.cashier, phone=phone)
    page.evaluate("document.activeElement.blur()")
    hidden = []
    for _ in range(60):
        page.keyboard.press("Tab")
        focused = page.evaluate(FOCUSED)
        if not focused["name"]:
            break
        if not focused["seen"]:
            hidden.append(f"{focused['name']} under {focused['under'] or 'nothing, without a ring'}")
    assert not hidden, "\n".join(hidden)
