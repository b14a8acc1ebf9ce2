"""The same in a real browser: no script of ours makes markup of what somebody is called."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from common.testing.browser import Browsing
from opd_engine.tests.test_bad_names import BAD, BadHouse
from tokens import queueing

pytestmark = pytest.mark.django_db(transaction=True)


def opened(browsing: Browsing, path: str, **wishes: Any) -> Page:
    """A page that remembers whether a name was run."""
    context = browsing.context(**wishes)
    context.add_init_script("window.boom = () => { window.boomed = true; }")
    page = browsing.page(context)
    page.goto(browsing.server.url + path, wait_until="load")
    return page


def unharmed(page: Page) -> bool:
    """Whether nothing of a name became an element or ran."""
    return bool(page.evaluate("() => !window.boomed && !document.querySelector('#boom, img[src=x]')"))


def test_found_chosen_and_taken_a_step_with(browsing: Browsing) -> None:
    house = BadHouse()
    page = opened(browsing, "/desk/", user=house.user("reception"))
    page.keyboard.press("/")
    page.keyboard.type("boom")
    expect(page.locator("[data-found]").first).to_be_visible()
    assert unharmed(page)
    page.keyboard.press("Enter")
    expect(page.locator("#drawer")).to_contain_text("boom")
    assert unharmed(page)
    page.goto(f"{browsing.server.url}/desk/?token={house.third.pk}")
    page.keyboard.press("a")
    expect(page.locator("#toasts")).to_contain_text("has arrived")
    assert unharmed(page)


def test_what_comes_over_a_stream(browsing: Browsing) -> None:
    house = BadHouse()
    pages = [
        opened(browsing, path, user=user)
        for path, user in (
            ("/desk/", house.user("reception")),
            ("/console/", house.doctor_user),
            (f"/board/{house.facility.slug}/", None),
            (f"/t/{house.first.key}?lang=en", None),
        )
    ]
    for page in pages:
        expect(page.locator("body")).to_contain_text(house.first.number)
    house.do(queueing.call, token_id=house.first.pk)
    expect(pages[3].locator("#state")).to_contain_text(BAD.format("room"))
    expect(pages[2].locator("#rooms")).to_contain_text("<img I.")  # names are short there
    for page in pages:
        assert unharmed(page)
