"""A bad line at the desk: what was not answered is said, and what is sent again is done once."""

import pytest
from playwright.sync_api import expect

from common.testing.browser import Browsing
from reception.tests.factories import Hall
from tokens.models import Event, Token

pytestmark = pytest.mark.django_db(transaction=True)

AGAIN = "No answer came. Press again: it is done once, however often it is sent."
NOTHING = "No answer came. Nothing was changed."


def test_what_the_desk_sends_and_asks_over_a_bad_line(browsing: Browsing) -> None:
    hall = Hall()
    hall.patient("Lakshmi Narayan")
    ravi = hall.give("Ravi Kumar", "online", arrived=False)
    page = browsing.open(f"/desk/?token={ravi.pk}", routed=True, user=hall.user("reception"))
    keys, notes = page.keyboard, page.locator("#messages [role=alert]")

    # what is looked for while the line is down is looked for again, in the same words
    page.route("**/desk/find/*", lambda route: route.abort())
    keys.press("/")
    keys.type("laxmi")
    expect(notes).to_contain_text(NOTHING)
    page.unroute("**/desk/find/*")
    keys.press("Enter")
    expect(page.locator("#drawer")).to_contain_text("Lakshmi Narayan")
    expect(notes).to_have_count(0)

    # the drawer does not come, and what was there stays
    keys.press("Escape")
    page.route("**/cancel/**", lambda route: route.fulfill(status=502, body="Bad gateway"))
    keys.press("x")
    expect(notes).to_contain_text(NOTHING)
    expect(page.locator("#actionbar")).to_contain_text("Ravi Kumar")
    page.unroute("**/cancel/**")

    # the answer to a step is lost on the way, though it was done
    page.route("**/arrive/", lambda route: (route.fetch(), route.abort()))
    keys.press("a")
    expect(notes).to_contain_text(AGAIN)
    assert Event.objects.filter(token=ravi, kind="arrived").count() == 1


def test_a_step_that_was_not_heard_is_sent_again_and_done_once(browsing: Browsing) -> None:
    hall = Hall()
    ravi = hall.give("Ravi Kumar", "online", arrived=False)
    page = browsing.open(f"/desk/?token={ravi.pk}", routed=True, user=hall.user("reception"))
    notes = page.locator("#messages [role=alert]")
    page.route("**/*", lambda route: route.abort() if route.request.method == "POST" else route.fallback())
    page.keyboard.press("a")
    expect(notes).to_contain_text(AGAIN)
    assert not Token.objects.get(pk=ravi.pk).arrived_at
    page.unroute_all()
    page.keyboard.press("a")
    expect(page.locator("#toasts")).to_contain_text(f"{ravi.number} has arrived.")
    expect(notes).to_have_count(0)
    assert Event.objects.filter(token=ravi, kind="arrived").count() == 1
