"""Keys and answers that miss each other: what waited is done as at once, and nothing is done for another row."""

import pytest
from playwright.sync_api import Route, expect

from common.testing.browser import Browsing
from reception.tests.cashing import CashDesk
from reception.tests.factories import Hall
from reception.tests.test_fast_fingers_in_browser import Held, kinds, three_here

pytestmark = pytest.mark.django_db(transaction=True)

NOTHING = "No answer came. Nothing was changed."


def test_enter_opens_the_token_one_has_walked_to_though_its_bar_is_on_its_way(browsing: Browsing) -> None:
    page, (_first, second, _third) = three_here(browsing)
    held = Held(page, "**/desk/?token=*")
    held.after(lambda: page.keyboard.press("j"))
    page.keyboard.press("Enter")
    held.no_more()
    page.wait_for_url(f"**/tokens/{second.pk}/**")


def test_where_the_bar_of_a_token_does_not_come_no_key_is_for_the_one_before(browsing: Browsing) -> None:
    page, (first, _second, _third) = three_here(browsing)
    page.route("**/desk/?token=*", lambda route: route.abort())
    page.keyboard.press("j")
    expect(page.locator("#messages")).to_contain_text(NOTHING)
    page.keyboard.press("c")
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    expect(page.locator("#actionbar")).to_be_empty()
    assert "called" not in kinds(first)


def test_where_a_bill_does_not_come_the_one_before_does_not_stay(browsing: Browsing) -> None:
    desk = CashDesk()
    desk.open()
    for name in ("Sunita", "Abdul"):
        desk.owe(name, "650")
    page = browsing.open("/cash/", routed=True, user=desk.cashier)
    page.keyboard.press("j")
    expect(page.locator("#drawer #take")).to_be_visible()
    page.route("**/cash/?*bill=*", lambda route: route.fulfill(status=500, body="Broken"))
    page.keyboard.press("j")
    expect(page.locator("#messages")).to_contain_text(NOTHING)
    expect(page.locator("#drawer")).to_be_hidden()
    page.unroute("**/cash/?*bill=*")
    page.keyboard.press("k")
    expect(page.locator("#drawer #take")).to_be_visible()


@pytest.mark.parametrize("path", ["/desk/", "/cash/", "/overview/"])
def test_who_is_signed_out_by_now_is_led_on_by_the_next_step(browsing: Browsing, path: str) -> None:
    desk = CashDesk()
    desk.open()
    desk.owe("Sunita", "650")
    desk.give("Ravi Kumar", "online")
    page = browsing.open(path, routed=True, user=desk.cashier if path == "/cash/" else desk.user("reception"))

    def gone(route: Route) -> None:
        asks = route.request.headers.get("hx-target") in ("drawer", "actionbar")
        route.fulfill(status=204, headers={"HX-Redirect": "/design/"}) if asks else route.fallback()

    page.route("**/*", gone)
    page.keyboard.press("j")
    page.wait_for_url("**/design/")


def test_a_letter_that_waited_for_a_sum_is_a_key_there_as_ever(browsing: Browsing) -> None:
    desk = CashDesk()
    desk.open()
    desk.owe("Sunita", "650")
    page = browsing.open("/cash/", routed=True, user=desk.cashier)
    held = Held(page, "**/cash/?*bill=*")
    held.after(lambda: page.keyboard.press("n"))
    page.keyboard.press("s")
    held.no_more()
    expect(page.locator("#split-cash")).to_be_focused()


def test_what_waited_for_a_field_is_written_as_it_was_pressed(browsing: Browsing) -> None:
    page = browsing.open("/desk/", routed=True, user=Hall().user("reception"))
    keys = page.keyboard
    held = Held(page, "**/desk/?give=1*")
    held.after(lambda: keys.down("n"))
    keys.down("n")
    keys.up("n")
    keys.type("laz")
    keys.press("Backspace")
    keys.type("x")
    press = "new KeyboardEvent('keydown', { key: 'F5', bubbles: true, cancelable: true })"
    assert page.evaluate(f"document.body.dispatchEvent({press})")
    held.no_more()
    expect(page.locator("#find")).to_have_value("lax")


def test_escape_that_waited_closes_what_came(browsing: Browsing) -> None:
    page = browsing.open("/desk/", routed=True, user=Hall().user("reception"))
    held = Held(page, "**/desk/?give=1*")
    held.after(lambda: page.keyboard.press("n"))
    for key in ("Escape", "?"):
        page.keyboard.press(key)
    held.no_more()
    expect(page.locator("#keys")).to_be_visible()
    expect(page.locator("#drawer")).to_be_hidden()


def test_what_was_found_before_is_not_taken_for_what_was_not_answered(browsing: Browsing) -> None:
    hall = Hall()
    hall.patient("Lakshmi Narayan")
    page = browsing.open("/desk/", routed=True, user=hall.user("reception"))
    page.keyboard.press("/")
    page.keyboard.type("laxmi")
    expect(page.locator("#results")).to_contain_text("Lakshmi Narayan")
    page.route("**/desk/find/*", lambda route: route.abort())
    page.keyboard.type(" b")
    page.keyboard.press("Enter")
    expect(page.locator("#messages")).to_contain_text(NOTHING)
    expect(page.locator("#results")).to_be_empty()
    expect(page.locator("#command")).to_have_value("laxmi b")
    expect(page.locator("#drawer")).to_be_hidden()


def test_of_two_drawers_that_were_asked_for_the_later_one_stays(browsing: Browsing) -> None:
    page, _tokens = three_here(browsing)
    held = Held(page, "**/cancel/**")
    held.after(lambda: page.keyboard.press("x"))
    page.locator("#head [data-key=n]").click()
    expect(page.locator("#find")).to_be_focused()
    held.come()
    page.keyboard.type("lax")
    expect(page.locator("#find")).to_have_value("lax")
    expect(page.locator("#drawer-title")).to_have_text("Give a token")


def test_enter_before_the_page_is_at_work_presses_once_what_has_the_focus_then(browsing: Browsing) -> None:
    page = browsing.open("/design/", routed=True, user=Hall().user("reception"))
    keys, link = page.keyboard, page.locator("a.brand")
    keys.down("Enter")  # and it stays down while the page is opened anew

    def lean(route: Route) -> None:
        link.focus()
        keys.down("Enter")
        keys.up("Enter")
        route.continue_()

    page.route("**/js/keys.js", lean, times=1)
    page.reload()
    keys.press("?")
    expect(page.locator("#keys")).to_be_visible()
    keys.press("Escape")

    def early(route: Route) -> None:
        keys.press("Enter")
        link.focus()
        route.continue_()

    page.route("**/js/keys.js", early, times=1)
    page.reload()
    page.wait_for_url("**/desk/")


NO_PATIENCE = """
const held = new AbortController();
AbortSignal.timeout = () => held.signal;
window.giveUp = () => held.abort(new DOMException("", "TimeoutError"));
"""


def test_an_answer_that_never_comes_gives_the_keys_back(browsing: Browsing) -> None:
    hall = Hall()
    first, second = hall.give("Ravi"), hall.give("Neha")
    page = browsing.page(browsing.context(user=hall.user("reception")))
    page.add_init_script(NO_PATIENCE)
    bars = Held(page, f"**/desk/?token={second.pk}*")
    page.goto(f"{browsing.server.url}/desk/?token={first.pk}")
    expect(page.locator("#actionbar")).to_contain_text("Ravi")
    bars.after(lambda: page.keyboard.press("j"))
    page.keyboard.press("n")
    expect(page.locator("#drawer")).to_be_hidden()
    page.evaluate("giveUp()")
    expect(page.locator("#messages")).not_to_be_empty()
    expect(page.locator("#find")).to_be_focused()
    assert page.evaluate("htmx.config.timeout") == 30_000
