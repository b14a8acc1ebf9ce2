"""A receptionist's morning in a real browser, with the keyboard alone; and the same without scripts."""

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.tests.factories import PASSWORD
from common.testing.browser import Browsing
from reception.tests.factories import Hall
from tokens.models import Token

pytestmark = pytest.mark.django_db(transaction=True)


def sign_in(page: Page, server: LiveServer, username: str) -> None:
    """The focus is in the name field when the page opens."""
    page.goto(f"{server.url}/desk/")
    page.keyboard.type(username)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{server.url}/desk/", wait_until="load")


def test_a_receptionist_s_morning_with_the_keyboard_alone(browsing: Browsing) -> None:
    hall = Hall(capacity=1)
    hall.patient("Lakshmi Narayan", phone="+919845011213")
    farhan = hall.give("Farhan Sheikh", "online", slot=0)
    page = browsing.page(browsing.context())
    sign_in(page, browsing.server, hall.user("reception").username)
    keys, drawer, bar, toasts = (
        page.keyboard,
        page.locator("#drawer"),
        page.locator("#actionbar"),
        page.locator("#toasts"),
    )

    # finds a patient by a misspelt name
    keys.press("/")
    keys.type("laxmi narayn")
    expect(page.locator("#results")).to_contain_text("Lakshmi Narayan")
    keys.press("Enter")

    # gives a token with two keys: the source, and Enter; and sees whom it displaces before and after
    keys.press("4")
    expect(drawer.locator("[data-source=paid]")).to_contain_text(f"{farhan.number} waits again.")
    expect(drawer.get_by_role("radio", name="Paid")).to_be_checked()
    keys.press("Enter")
    expect(drawer).to_contain_text("confirmed.")
    expect(drawer).to_contain_text(f"{farhan.number} waits again in")
    lakshmi = Token.objects.get(patient__name="Lakshmi Narayan")
    expect(bar).to_have_attribute("data-token", str(lakshmi.pk))
    expect(page.locator(f"#t-{lakshmi.pk}")).to_have_attribute("aria-current", "true")
    keys.press("Escape")
    expect(drawer).to_be_hidden()

    # walks down to who waits, and says that he has arrived
    keys.press("j")
    expect(bar).to_have_attribute("data-token", str(farhan.pk))
    keys.press("a")
    expect(toasts).to_contain_text(f"{farhan.number} has arrived.")

    # calls the one before, undoes it, cancels with a reason: the place goes to who waits
    keys.press("k")
    keys.press("c")
    expect(toasts).to_contain_text(f"{lakshmi.number} is called.")
    keys.press("u")
    expect(toasts).to_contain_text(f"The last step of {lakshmi.number} is undone.")
    keys.press("x")
    expect(drawer).to_contain_text(f"Cancel {lakshmi.number}")
    keys.type("went home")
    keys.press("Enter")
    expect(toasts).to_contain_text(f"{lakshmi.number} is cancelled. {farhan.number} takes the place.")
    expect(drawer).to_be_hidden()
    expect(page.locator(".waitlist")).to_have_count(0)

    # calls next from the column, and the desk follows by itself
    page.get_by_role("button", name="Call next").press("Enter")
    expect(toasts).to_contain_text(f"{farhan.number} is called.")
    expect(page.locator(f"#t-{farhan.pk}")).to_contain_text("called")
    other = hall.give("Came Meanwhile", slot=1)
    expect(page.locator(f"#t-{other.pk}")).to_be_visible()


def test_without_scripts_the_same_is_done_with_forms_and_links(browsing: Browsing) -> None:
    hall = Hall()
    hall.patient("Lakshmi Narayan")
    page = browsing.open("/desk/", scripts=False)
    page.fill("[name=login]", hall.user("reception").username)
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    page.fill("#command", "laxmi")
    page.press("#command", "Enter")
    page.click("text=Lakshmi Narayan")
    page.check("[name=source][value=paid]")
    page.click("button:has-text('Give token')")
    expect(page.locator("#drawer")).to_contain_text("confirmed.")
    page.click("#actionbar button:has-text('No show')")
    expect(page.locator("#toasts")).to_contain_text("did not come.")
