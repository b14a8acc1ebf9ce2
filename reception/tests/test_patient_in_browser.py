"""The patient's page on a phone of 360 px: it follows, is read, pressed and heard; on a bad line, without scripts."""

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from common.testing.browser import Browsing, Transfer, axe, layout_shift
from common.transactions import outermost
from reception.models import SelfService
from reception.tests.factories import HOUR, Hall
from reception.tests.holder import asked, do
from tokens import allocation, queueing, supply

pytestmark = pytest.mark.django_db(transaction=True)

SHAKEN = "navigator.vibrate = (pattern) => { (window.shaken ??= []).push(pattern); return true; }"


def fits(page: Page) -> None:
    """Nothing is wider than the screen, and whatever is pressed is large enough for a finger."""
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    small = page.evaluate(
        """() => [...document.querySelectorAll("a, button")]
              .map((each) => [each.innerText, each.getBoundingClientRect()])
              .filter(([, box]) => box.width && (box.height < 44 || box.width < 44)).map(([text]) => text)"""
    )
    assert small == []


def test_it_follows_a_visit_by_itself(browsing: Browsing) -> None:
    hall = Hall()
    before, token = hall.give("First", slot=0), hall.give("Ravi", "online", slot=0)
    page = browsing.open(f"/t/{token.key}", phone=True)
    heading = page.locator("h1")
    expect(heading).to_have_text("1 person is ahead of you")
    expect(page.locator("#live")).to_have_text("This page follows by itself.")
    axe(page)
    fits(page)

    page.get_by_role("button", name="I am here").tap()
    expect(page.locator("#acts")).to_contain_text("We know that you are here.")
    assert SelfService.objects.get().token == token

    do(queueing.start, before)
    expect(heading).to_have_text("You are next")
    outermost(lambda: supply.delay_session(session_id=hall.session.pk, minutes=15, by=None))
    expect(page.locator("#state")).to_contain_text("The doctor is about 15 minutes late.")
    do(queueing.complete, before)
    do(queueing.call, token)
    expect(heading).to_have_text(f"Please go to {hall.session.room.name} now")
    axe(page)
    fits(page)
    do(queueing.start, token)
    do(queueing.complete, token)
    expect(heading).to_have_text("Your visit is over")
    expect(page.get_by_role("button")).to_have_count(0)


def test_it_rings_and_shakes_when_called_where_the_patient_wants_that(browsing: Browsing) -> None:
    hall = Hall()
    token = hall.give("Ravi", slot=0)
    context = browsing.context(phone=True)
    context.add_init_script(SHAKEN)
    page, silent = browsing.page(context), browsing.page(context)
    for each in (page, silent):
        each.goto(f"{browsing.server.url}/t/{token.key}")
        expect(each.locator("#live")).to_be_visible()
    page.bring_to_front()
    page.get_by_role("button", name="Ring when I am called").tap()
    expect(page.locator("[data-ring]")).to_contain_text("It rings when you are called, while this page is open.")
    do(queueing.call, token)
    expect(page.locator("h1")).to_contain_text("Please go to")
    page.wait_for_function("window.shaken?.length === 2")  # once to show that it can, once for the call
    do(queueing.recall, token)
    page.wait_for_function("window.shaken?.length === 3")
    assert silent.evaluate("window.shaken") is None


@pytest.mark.parametrize(
    ("language", "here", "cancel", "cancelled", "direction"),
    [
        ("hi", "मैं आ गया/गई हूँ", "मेरा टोकन रद्द करें", "आपने टोकन रद्द कर दिया है", "ltr"),
        ("ar", "لقد وصلت", "إلغاء رقمي", "لقد ألغيت رقمك", "rtl"),
    ],
)
@pytest.mark.parametrize("dark", [False, True])
def test_in_hindi_and_arabic(
    browsing: Browsing, language: str, here: str, cancel: str, cancelled: str, direction: str, dark: bool
) -> None:
    hall = Hall()
    hall.give("First", slot=0)
    token = hall.give("Ravi", "online", slot=0)
    page = browsing.open(f"/t/{token.key}?lang={language}", phone=True, dark=dark)
    expect(page.locator("html")).to_have_attribute("dir", direction)
    axe(page)
    fits(page)
    # the number reads from left to right, and stands where the language begins
    number = page.locator(".token bdi")
    assert number.evaluate("(each) => getComputedStyle(each).direction") == "ltr"
    box = number.bounding_box()
    assert box is not None
    # However wide the number is, it is the margin of the page that lies before it.
    before = 360 - box["x"] - box["width"] if direction == "rtl" else box["x"]
    assert before < 30

    page.get_by_role("button", name=here).tap()
    expect(page.get_by_role("button", name=here)).to_have_count(0)
    page.get_by_role("link", name=cancel).tap()
    expect(page.locator("html")).to_have_attribute("lang", language)
    axe(page)
    fits(page)
    page.get_by_role("button", name=cancel).tap()
    expect(page.locator("h1")).to_have_text(cancelled)


def test_on_a_bad_line_it_is_small_says_since_when_it_is_old_and_catches_up(browsing: Browsing) -> None:
    hall = Hall()
    hall.give("First", slot=0)
    token = hall.give("Ravi", "online", slot=0)
    page = browsing.page(browsing.context(phone=True))
    transfer = Transfer(page)
    page.goto(f"{browsing.server.url}/t/{token.key}")
    live = page.locator("#live")
    expect(live).to_have_text("This page follows by itself.")
    assert 5_000 < transfer.bytes < 30_000, transfer.by_address
    assert layout_shift(page) < 0.1

    page.context.set_offline(True)
    page.evaluate("dispatchEvent(new Event('pagehide')); dispatchEvent(new Event('pageshow'))")
    expect(live).to_contain_text("The desk has your place; this page will catch up.")
    expect(live).to_contain_text("No connection since ")
    axe(page)
    do(queueing.arrive, token)
    page.context.set_offline(False)
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(page.locator("#acts")).to_contain_text("We know that you are here.")
    expect(live).to_have_text("This page follows by itself.")


def test_without_scripts_the_same_is_done_with_forms_and_links(browsing: Browsing) -> None:
    hall = Hall()
    token = hall.give("Ravi", "online", slot=0)
    page = browsing.open(f"/t/{token.key}", phone=True, scripts=False)
    assert "It is loaded anew every minute." in page.content()
    page.get_by_role("button", name="I am here").click()
    expect(page.locator("main")).to_contain_text("We know that you are here.")
    expect(page.get_by_role("button")).to_have_count(0)
    page.get_by_role("link", name="Cancel my token").click()
    expect(page.locator("h1")).to_contain_text(f"Cancel {token.number}?")
    page.get_by_role("link", name="Keep it").click()
    page.get_by_role("link", name="Cancel my token").click()
    page.get_by_role("button", name="Cancel my token").click()
    expect(page.locator("h1")).to_have_text("You have cancelled")


def test_with_the_keyboard_alone(browsing: Browsing) -> None:
    hall = Hall()
    token = hall.give("Ravi", "online", slot=0)
    page = browsing.open(f"/t/{token.key}")
    page.get_by_role("link", name="العربية").focus()
    for name in ("I am here", "Cancel my token"):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.innerText") == name
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("Cancel ")


def test_an_address_without_a_token_is_calm(browsing: Browsing) -> None:
    Hall()
    page = browsing.open("/t/nobody-was-given-this-key", phone=True, language="ar")
    expect(page.locator("h1")).to_have_text("لا يوجد رقم في هذا العنوان")
    axe(page)
    fits(page)


@pytest.mark.parametrize("state", ["place", "held", "skipped", "inside", "away", "no_show", "later"])
def test_every_state_fits_and_is_read(browsing: Browsing, state: str) -> None:
    hall = Hall(capacity=2)
    hall.give("Other", slot=0)
    token = hall.give("Ravi", slot=0)
    steps = {
        "held": [(queueing.hold, {"minutes": 10})],
        "skipped": [(queueing.skip, {})],
        "inside": [(queueing.start, {})],
        "away": [(queueing.start, {}), (queueing.send_away, {"where": "X-ray"})],
        "no_show": [(allocation.mark_no_show, {})],
    }
    for step, more in steps.get(state, []):
        do(step, token, **more)
    if state == "place":
        token = hall.give("Waits", "online", slot=0)
    if state == "later":
        token = asked(hall, hall.sitting(hall.rao, timezone.now() + 24 * HOUR))
    page = browsing.open(f"/t/{token.key}?lang=ar", phone=True)
    expect(page.locator("#state")).to_have_attribute("data-state", state)
    axe(page)
    fits(page)
