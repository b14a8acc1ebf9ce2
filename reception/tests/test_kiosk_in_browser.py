"""The kiosk as people meet it: a finger, a scanner that types, a slip that prints, and the way back to the start."""

from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from accounts.tests.factories import PASSWORD
from common.testing.browser import Browsing, axe
from reception.tests.factories import Hall
from tokens.models import Token

pytestmark = pytest.mark.django_db(transaction=True)

UPRIGHT, LYING = (1080, 1920), (1280, 800)
PRINTS = "window.prints = 0; window.print = () => { window.prints += 1; };"


def fits(page: Page, heading: str) -> None:
    """Nothing is wider than the screen; whatever is pressed or typed into is 80 px high and wide at least."""
    expect(page.locator("h1")).to_have_text(heading)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    small = page.evaluate(
        """() => [...document.querySelectorAll(".kiosk :is(a, button, label:has(svg), .entry input)")]
              .map((each) => [each.innerText || each.name, each.getBoundingClientRect()])
              .filter(([, box]) => box.width && (box.height < 80 || box.width < 80)).map(([text]) => text)"""
    )
    assert small == []
    axe(page)


def kiosk(browsing: Browsing, hall: Hall, size: tuple[int, int] = UPRIGHT, **more: Any) -> Page:
    """A screen on which Asha has started the kiosk."""
    context: BrowserContext = browsing.context(user=hall.user("reception"), size=size, has_touch=True, **more)
    context.add_init_script(PRINTS)
    page = browsing.page(context)
    page.clock.install()
    page.goto(f"{browsing.server.url}/kiosk/")
    page.get_by_role("button", name="Start the kiosk").click()
    expect(page.locator("h1")).to_have_text("Welcome. Choose one.")
    return page


def figures(page: Page, text: str) -> None:
    for figure in text:
        page.get_by_role("button", name=figure, exact=True).tap()


@pytest.mark.parametrize("size", [UPRIGHT, LYING])
def test_a_booking_is_found_with_a_finger(browsing: Browsing, size: tuple[int, int]) -> None:
    hall = Hall()
    token = hall.give(hall.patient("Lakshmi", phone="+919845011213", birth_year=1972), "online", slot=0)
    page = kiosk(browsing, hall, size)
    fits(page, "Welcome. Choose one.")
    page.get_by_role("link", name="I have a booking").tap()
    fits(page, "Find your booking")
    figures(page, "98450112134")
    page.get_by_role("button", name="Delete the last figure").tap()
    page.locator("#year").tap()
    figures(page, "1972")
    page.get_by_role("button", name="Find").tap()
    expect(page.locator(".big")).to_have_text(token.number)
    expect(page.locator("main")).to_contain_text("Your slip is printing.")
    page.wait_for_function("window.prints === 1")
    fits(page, f"Please wait near {hall.session.room.name}")
    page.get_by_role("link", name="Done").tap()
    expect(page.locator("h1")).to_have_text("Welcome. Choose one.")
    page.go_back()
    expect(page.locator("main")).not_to_contain_text(token.number)


def test_a_scanner_types_the_slip_s_address_wherever_the_focus_is(browsing: Browsing) -> None:
    hall = Hall()
    token = hall.give("Ravi", "online", slot=0)
    page = kiosk(browsing, hall)
    page.get_by_role("link", name="I need a token").focus()
    page.keyboard.type(f"{browsing.server.url}/t/{token.key}")
    page.keyboard.press("Enter")
    expect(page.locator(".big")).to_have_text(token.number)


def test_a_scanner_is_heard_before_the_page_s_script_is_there(browsing: Browsing) -> None:
    hall = Hall()
    token = hall.give("Ravi", "online", slot=0)
    page = kiosk(browsing, hall)

    def scan(route: Route) -> None:
        page.get_by_role("link", name="I need a token").focus()
        page.keyboard.type(f"{browsing.server.url}/t/{token.key}")
        page.keyboard.press("Enter")
        route.continue_()

    page.route("**/kiosk.js", scan, times=1)
    page.goto(f"{browsing.server.url}/kiosk/", wait_until="commit")
    expect(page.locator(".big")).to_have_text(token.number)


def test_a_token_of_a_department_and_the_paper_that_prints(browsing: Browsing) -> None:
    hall = Hall()
    hall.patient("Lakshmi", phone="+919845011213", birth_year=1972)
    page = kiosk(browsing, hall)
    page.get_by_role("link", name="I need a token").tap()
    fits(page, "Which department?")
    page.get_by_role("link", name="General Medicine").tap()
    expect(page.locator("h1")).to_have_text("A token for General Medicine")
    figures(page, "9845011213")
    page.locator("#year").tap()
    figures(page, "1972")
    page.get_by_role("button", name="Take a token").tap()
    expect(page.locator("main")).to_contain_text("Your slip is printing.")
    expect(page.locator(".big")).to_have_text(Token.objects.get().number)
    page.emulate_media(media="print")
    expect(page.locator(".paper .number")).to_be_visible()
    expect(page.locator(".kiosk")).to_be_hidden()
    assert page.locator(".paper").evaluate("(paper) => paper.scrollWidth <= paper.clientWidth")


def test_after_twenty_seconds_of_rest_it_is_at_its_start_again(browsing: Browsing) -> None:
    hall = Hall()
    page = kiosk(browsing, hall)
    page.get_by_role("link", name="I have a booking").tap()
    expect(page.locator("footer")).to_contain_text("goes back to its start when nobody has touched it for 20 seconds.")
    # From here on no time passes but the test's own.
    page.clock.pause_at(page.evaluate("Date.now()") / 1000 + 1)
    for _ in range(2):
        figures(page, "9")
        page.clock.run_for(19_000)
    expect(page.locator("h1")).to_have_text("Find your booking")
    page.clock.run_for(1_500)
    expect(page.locator("h1")).to_have_text("Welcome. Choose one.")
    expect(page.locator("footer")).not_to_contain_text("20 seconds")


@pytest.mark.parametrize("dark", [False, True])
def test_in_arabic_from_right_to_left(browsing: Browsing, dark: bool) -> None:
    hall = Hall()
    hall.facility.languages = ["en", "hi", "ar"]
    hall.facility.save(update_fields=["languages"])
    page = kiosk(browsing, hall, LYING, dark=dark)
    fits(page, "Welcome. Choose one.")
    page.get_by_role("link", name="العربية").tap()
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    fits(page, "أهلًا بك. اختر واحدًا.")
    page.get_by_role("link", name="أحتاج رقمًا").tap()
    fits(page, "أي قسم؟")
    page.get_by_role("link", name="General Medicine").tap()
    fits(page, "رقم لقسم General Medicine")
    # figures stand as on every telephone
    one, three = (page.get_by_role("button", name=name, exact=True).bounding_box() for name in ("1", "3"))
    assert one is not None
    assert three is not None
    assert one["x"] < three["x"]
    page.locator("#phone").fill("1")
    page.locator("#year").fill("1")
    page.locator("main button[type=submit]").tap()
    fits(page, "تأخذ رقمك من المكتب")


def test_with_the_keyboard_alone(browsing: Browsing) -> None:
    hall = Hall()
    token = hall.give(hall.patient("Lakshmi", phone="+919845011213", birth_year=1972), "online", slot=0)
    page = kiosk(browsing, hall, LYING)
    page.keyboard.press("Tab")  # from the scanner's field, where the focus begins
    page.keyboard.press("Enter")
    expect(page.locator("#phone")).to_be_focused()
    page.keyboard.type("9845011213")
    page.keyboard.press("Tab")
    page.keyboard.type("1972")
    page.keyboard.press("Enter")
    expect(page.locator(".big")).to_have_text(token.number)
    expect(page.get_by_role("link", name="Done")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Welcome. Choose one.")


def test_without_scripts_the_same_is_done_with_forms(browsing: Browsing) -> None:
    hall = Hall()
    token = hall.give(hall.patient("Lakshmi", phone="+919845011213", birth_year=1972), "online", slot=0)
    page = browsing.open("/kiosk/", user=hall.user("reception"), size=LYING, scripts=False)
    page.get_by_role("button", name="Start the kiosk").click()
    page.get_by_role("link", name="I have a booking").click()
    page.fill("#phone", "98450 11213")
    page.fill("#year", "1972")
    page.get_by_role("button", name="Find").click()
    expect(page.locator(".big")).to_have_text(token.number)
    page.get_by_role("link", name="Done").click()
    expect(page.locator("h1")).to_have_text("Welcome. Choose one.")


def test_staff_end_it_at_the_screen(browsing: Browsing) -> None:
    hall = Hall()
    page = kiosk(browsing, hall, LYING)
    page.get_by_role("link", name="Staff").tap()
    fits(page, "End the kiosk on this screen")
    page.fill("#username", hall.user("manager").username)
    page.fill("#password", PASSWORD)
    page.get_by_role("button", name="End the kiosk").tap()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
