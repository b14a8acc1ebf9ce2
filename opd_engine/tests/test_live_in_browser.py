"""Live pages in a real browser: two windows, a server that goes away, a tab that nobody looks at."""

import re

import pytest
from django.contrib.sessions.models import Session as SignIn
from django.utils import timezone
from playwright.sync_api import Page, expect

from common.testing.browser import Browsing
from opd_engine.tests.served import Served
from reception.tests.factories import HOUR, Hall, another_day
from tokens.live import sending
from tokens.models import Token

pytestmark = pytest.mark.django_db(transaction=True)

LIVE = re.compile(r"^\s*Live\s*$")


def live(page: Page) -> Page:
    """A page whose stream is open."""
    expect(page.locator("#live")).to_have_text(LIVE)
    return page


def of(token: Token) -> str:
    return f"#t-{token.pk}"


def test_what_one_desk_does_another_desk_shows(browsing: Browsing) -> None:
    hall = Hall()
    asha, ben = hall.user("reception"), hall.user("admin")
    hall.patient("Lakshmi Narayan", phone="+919845011213")
    here, there = live(browsing.open(user=asha)), live(browsing.open(user=ben))
    here.keyboard.press("/")
    here.keyboard.type("laxmi narayn")
    expect(here.locator("#results")).to_contain_text("Lakshmi Narayan")
    here.keyboard.press("Enter")
    here.keyboard.press("4")
    here.keyboard.press("Enter")
    expect(here.locator("#drawer")).to_contain_text("confirmed.")
    for page in (here, there):
        expect(page.locator(".col .tok", has_text="Lakshmi Narayan")).to_have_count(1)
    expect(there.locator("#figures")).to_contain_text("1")


def test_selection_focus_folds_and_place_stay_while_columns_are_renewed(browsing: Browsing) -> None:
    hall = Hall(capacity=30)
    tokens = [hall.give(f"Patient {n}", slot=1) for n in range(25)]
    page = live(browsing.open(user=hall.user("reception"), size=(1280, 600)))
    page.locator(of(tokens[20])).click()
    expect(page.locator(of(tokens[20]))).to_be_focused()
    fold = page.locator(f"#slot-{hall.slots[2].pk}")
    was = fold.evaluate("(slot) => { slot.open = !slot.open; return slot.open; }")
    scrolled = page.locator(".slots").first.evaluate("(slots) => slots.scrollTop")
    assert scrolled > 0
    new = hall.give("Came Meanwhile", slot=1)
    expect(page.locator(of(new))).to_have_count(1)
    expect(page.locator(of(tokens[20]))).to_be_focused()
    expect(page.locator(of(tokens[20]))).to_have_attribute("aria-current", "true")
    assert fold.evaluate("(slot) => slot.open") == was
    assert page.locator(".slots").first.evaluate("(slots) => slots.scrollTop") == scrolled


def test_what_could_not_be_put_into_the_page_is_asked_for_again(browsing: Browsing) -> None:
    hall = Hall()
    page = live(browsing.open(user=hall.user("reception")))
    page.evaluate(
        """() => {
            const process = htmx.process;
            window.tried = 0;
            htmx.process = (part) => {
                window.tried += 1;
                if (window.tried === 1) throw new Error("not now");
                return process.call(htmx, part);
            };
        }"""
    )
    hall.give("Came Meanwhile")
    page.wait_for_function("() => window.tried > 1")
    expect(page.locator(".tok", has_text="Came Meanwhile")).to_have_count(1)


def test_what_is_being_typed_is_left_alone(browsing: Browsing) -> None:
    hall = Hall()
    page = live(browsing.open(user=hall.user("reception")))
    page.keyboard.press("/")
    page.keyboard.type("Ravi Sh")
    hall.give("Came Meanwhile")
    expect(page.locator(".tok", has_text="Came Meanwhile")).to_have_count(1)
    page.keyboard.type("ankar")
    expect(page.locator("#command")).to_have_value("Ravi Shankar")


def test_a_button_that_is_renewed_between_press_and_release_is_pressed(browsing: Browsing) -> None:
    hall = Hall()
    token = hall.give("Ravi", slot=0)
    page = live(browsing.open(user=hall.user("reception")))
    page.evaluate("() => { const parse = JSON.parse; JSON.parse = (it) => (document.title = 'It came', parse(it)); }")
    button = page.get_by_role("button", name="Call next")
    button.hover()
    page.mouse.down()
    new = hall.give("Came Meanwhile", slot=0)
    expect(page).to_have_title("It came")
    page.mouse.up()
    expect(page.locator("#toasts")).to_contain_text(f"{token.number} is called.")
    expect(page.locator(of(new))).to_be_visible()


def test_a_doctor_who_comes_in_gets_a_column_and_the_others_stay(browsing: Browsing) -> None:
    hall = Hall()
    page = live(browsing.open(user=hall.user("reception")))
    page.evaluate("document.querySelector('.col').dataset.same = 'yes'")
    hall.sitting(hall.doctor("Dr Iyer"), timezone.now() - HOUR / 2)
    expect(page.get_by_role("heading", name="Dr Iyer")).to_be_visible()
    expect(page.locator(f"#col-{hall.session.pk}[data-same]")).to_have_count(1)


def test_a_page_says_since_when_it_is_old_and_recovers_by_itself(browsing: Browsing, live_server: Served) -> None:
    hall = Hall()
    page = live(browsing.open(user=hall.user("reception")))
    live_server.stop()
    expect(page.locator("#live")).to_have_text(re.compile(r"Not live since \d\d:\d\d"))
    token = hall.give("Came While It Was Away")
    live_server.start()
    expect(page.locator(of(token))).to_have_count(1)
    live(page)


def test_who_is_signed_out_elsewhere_goes_to_the_sign_in_page(browsing: Browsing, live_server: Served) -> None:
    hall = Hall()
    page = live(browsing.open(user=hall.user("reception")))
    live_server.stop()
    SignIn.objects.all().delete()
    live_server.start()
    page.wait_for_url(re.compile(r"/accounts/login/\?next="))


def test_at_midnight_a_desk_that_shows_today_turns_the_page(
    browsing: Browsing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "ADMITTED", 0.0)
    monkeypatch.setattr(sending, "KEPT_ALIVE", 0.02)
    hall = Hall()
    page = live(browsing.open(user=hall.user("reception")))
    heading = page.get_by_role("heading", level=1)
    yesterday = heading.inner_text()
    page.locator("#columns").focus()
    type(hall.facility).objects.filter(pk=hall.facility.pk).update(time_zone=another_day())
    expect(heading).not_to_have_text(yesterday)
    live(page)


def test_a_hidden_tab_gives_its_stream_back_and_catches_up(browsing: Browsing, live_server: Served) -> None:
    hall = Hall()
    page = live(browsing.open(user=hall.user("reception")))
    _look_away(page, hidden=True)
    expect_streams(live_server, page, 0)
    token = hall.give("Came Meanwhile")
    _look_away(page, hidden=False)
    expect(page.locator(of(token))).to_have_count(1)
    expect_streams(live_server, page, 1)


def test_without_scripts_the_page_is_what_it_was(browsing: Browsing, live_server: Served) -> None:
    hall = Hall()
    token = hall.give("Ravi Shankar")
    page = browsing.open(user=hall.user("reception"), scripts=False)
    expect(page.locator(of(token))).to_be_visible()
    assert not live_server.root.bridge.streams


def expect_streams(server: Served, page: Page, count: int) -> None:
    """The page goes on living while one waits."""
    for _ in range(2000):
        if len(server.root.bridge.streams) == count:
            return
        page.evaluate("new Promise(requestAnimationFrame)")
    assert len(server.root.bridge.streams) == count


def _look_away(page: Page, *, hidden: bool) -> None:
    """What the browser tells a tab; a headless one never hides."""
    page.evaluate(
        """(hidden) => {
            Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
            document.dispatchEvent(new Event("visibilitychange"));
        }""",
        hidden,
    )
