"""Keys and the command field, as they are on every page."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Route, expect

from common.testing.browser import Browsing
from reception.tests.factories import Hall

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_patient_is_found_from_a_page_that_is_not_the_desk(browsing: Browsing) -> None:
    hall = Hall()
    hall.patient("Lakshmi Narayan")
    token = hall.give("Farhan Sheikh")
    page = browsing.open(f"/desk/tokens/{token.pk}/", user=hall.user("reception"))
    keys = page.keyboard
    keys.press("/")
    expect(page.locator("#command")).to_be_focused()
    keys.type("laxmi")
    expect(page.locator("#results")).to_contain_text("Lakshmi Narayan")
    keys.press("ArrowDown")
    expect(page.locator("#results [data-found]").first).to_be_focused()
    keys.press("Enter")
    expect(page.locator("#drawer")).to_contain_text("Lakshmi Narayan")


def test_enter_before_the_answer_takes_the_first_of_that_answer(browsing: Browsing) -> None:
    hall = Hall()
    token = hall.give("Farhan Sheikh")
    page = browsing.open("/design/", user=hall.user("reception"))
    page.keyboard.press("/")
    page.keyboard.type(token.number)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/desk/?show=all&token={token.pk}")
    expect(page.locator("#actionbar")).to_contain_text("Farhan Sheikh")


def test_escape_ends_the_search_and_empties_the_field(browsing: Browsing) -> None:
    hall = Hall()
    hall.patient("Lakshmi Narayan")
    page = browsing.open("/design/", user=hall.user("reception"))
    page.keyboard.press("/")
    page.keyboard.type("laxmi")
    expect(page.locator("#results")).to_contain_text("Lakshmi Narayan")
    page.keyboard.press("Escape")
    expect(page.locator("#results")).to_be_empty()
    expect(page.locator("#command")).to_have_value("")
    expect(page.locator("#command")).not_to_be_focused()


def test_all_keys_are_told_and_single_letters_can_be_switched_off(browsing: Browsing) -> None:
    hall = Hall()
    page = browsing.open("/design/", user=hall.user("reception"))
    keys, told, sample = page.keyboard, page.locator("#keys"), page.locator("#sample")
    keys.press("?")
    expect(told).to_be_visible()
    # What lies behind a dialog hears nothing.
    keys.press("d")
    expect(sample).to_be_hidden()
    page.get_by_label("Single letters do something").uncheck()
    keys.press("Escape")
    expect(told).to_be_hidden()
    keys.press("d")
    keys.press("/")
    expect(sample).to_be_hidden()
    expect(page.locator("#command")).not_to_be_focused()

    page.reload()
    keys.press("d")
    expect(sample).to_be_hidden()
    page.locator(".me summary").click()
    page.get_by_role("button", name="All keys").click()
    page.get_by_label("Single letters do something").check()
    keys.press("Escape")
    keys.press("d")
    expect(sample).to_be_visible()


def test_a_letter_in_a_field_is_text(browsing: Browsing) -> None:
    page = browsing.open("/design/", user=Hall().user("reception"))
    page.get_by_label("Phone").focus()
    page.keyboard.press("End")
    page.keyboard.type("d?/")
    expect(page.get_by_label("Phone")).to_have_value("98450 11213d?/")
    expect(page.locator("#sample")).to_be_hidden()


def test_the_pages_of_the_frame_are_reached_on_a_phone(browsing: Browsing) -> None:
    page = browsing.open("/design/", user=Hall().user("reception"), phone=True)
    page.get_by_role("button", name="Pages").click()
    page.locator("#pages").get_by_role("link", name="Overview").click()
    page.wait_for_url("**/overview/**")
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_the_theme_that_was_chosen_stays(browsing: Browsing) -> None:
    page = browsing.open("/design/", user=Hall().user("reception"))
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.get_by_role("button", name="Light or dark").click()
    page.reload()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light


def test_what_is_pressed_while_the_drawer_is_on_its_way_belongs_to_it(browsing: Browsing) -> None:
    hall = Hall()
    hall.patient("Lakshmi Narayan")
    page = browsing.open("/desk/", routed=True, user=hall.user("reception"))
    waiting = []
    page.route("**/desk/?give=1*", lambda route: waiting.append(route))
    page.keyboard.press("n")
    # Slow: something is there to see, and the keys wait.
    expect(page.locator("#drawer .skeleton")).to_be_visible()
    page.keyboard.type("lax")
    waiting[0].continue_()
    expect(page.locator("#find")).to_have_value("lax")
    expect(page.locator("#found")).to_contain_text("Lakshmi Narayan")


def test_a_drawer_that_does_not_come_gives_the_keys_back(browsing: Browsing) -> None:
    hall = Hall()
    page = browsing.open("/desk/", routed=True, user=hall.user("reception"))
    page.route("**/desk/?give=1*", lambda route: route.abort())
    page.keyboard.press("n")
    expect(page.locator("#drawer")).to_be_hidden()
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()


def test_what_is_pressed_before_the_page_is_at_work_is_not_lost(browsing: Browsing) -> None:
    hall = Hall()
    hall.patient("Lakshmi Narayan")
    token = hall.give("Farhan Sheikh", "online")
    page = browsing.open(f"/desk/tokens/{token.pk}/", routed=True, user=hall.user("reception"))

    def load(press: Callable[[], None]) -> None:
        """Open the page anew; its modules come after something was pressed."""

        def hold(route: Route) -> None:
            expect(page.get_by_role("button", name="Arrived")).to_be_visible()
            press()
            route.continue_()

        page.route("**/js/keys.js", hold, times=1)
        page.goto(page.url)

    def write() -> None:
        page.locator("#command").focus()
        page.keyboard.type("lax")

    # Text that came before its field had the focus stands in it; what the field had itself is not there twice.
    load(lambda: page.keyboard.type("/laxmi"))
    expect(page.locator("#command")).to_have_value("laxmi")
    expect(page.locator("#results")).to_contain_text("Lakshmi Narayan")
    load(write)
    expect(page.locator("#results")).to_contain_text("Lakshmi Narayan")
    expect(page.locator("#command")).to_have_value("lax")
    load(lambda: page.keyboard.press("a"))
    expect(page.locator("#main")).to_contain_text("has arrived")
