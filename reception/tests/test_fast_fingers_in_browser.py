"""Fingers that are faster than the line: what is pressed while answers are on their way is lost nowhere, and meant for
whom it was pressed."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from django.utils import timezone
from playwright.sync_api import Page, Route, expect

from common.testing.browser import Browsing
from common.transactions import outermost
from reception.tests.cashing import CashDesk
from reception.tests.factories import Hall
from tokens import allocation
from tokens.models import Event, Token

pytestmark = pytest.mark.django_db(transaction=True)


class Held:
    """Answers that are held back until the test lets them come, in the order in which they were asked for."""

    def __init__(self, page: Page, address: str) -> None:
        self.page, self.address, self.routes = page, address, list[Route]()
        page.route(address, self._keep)

    def _keep(self, route: Route) -> None:
        self.routes.append(route)

    def after(self, press: Callable[[], None]) -> None:
        """Something is pressed, and has asked."""
        known = len(self.routes)
        with self.page.expect_request(self.address):
            press()
        while len(self.routes) == known:
            self.page.evaluate("0")  # what the browser has said is heard meanwhile

    def come(self) -> None:
        """The oldest one comes, and has come."""
        route = self.routes.pop(0)
        with self.page.expect_event("requestfinished", lambda request: request == route.request):
            route.continue_()

    def no_more(self) -> None:
        """All of them come, and later ones are not held."""
        self.page.unroute(self.address)
        for route in self.routes:
            route.continue_()


def kinds(token: Token) -> list[str]:
    """What happened to a token, without how it began."""
    kinds = Event.objects.filter(token=token).order_by("pk").values_list("kind", flat=True)
    return [kind for kind in kinds if kind in ("called", "recalled", "held")]


def three_here(browsing: Browsing) -> tuple[Page, list[Token]]:
    """A desk with three who have come, the first of whom is selected."""
    hall = Hall(capacity=3)
    tokens = [hall.give(f"Patient {n}", slot=0) for n in range(3)]
    page = browsing.open(f"/desk/?token={tokens[0].pk}", routed=True, user=hall.user("reception"))
    return page, tokens


def selects(page: Page, token: Token) -> None:
    expect(page.locator("#actionbar")).to_have_attribute("data-token", str(token.pk))


def test_a_key_waits_for_the_step_before_it_and_the_same_key_is_meant_once(browsing: Browsing) -> None:
    page, (first, second, _third) = three_here(browsing)
    keys, toasts = page.keyboard, page.locator("#toasts")
    held = Held(page, "**/call/")
    held.after(lambda: keys.press("c"))
    for key in "ch":
        keys.press(key)
    held.no_more()
    expect(toasts).to_contain_text(f"{first.number} is held for")
    assert kinds(first)[-2:] == ["called", "held"]
    assert kinds(first).count("called") == 1
    keys.press("j")
    selects(page, second)


def test_who_walks_on_while_a_step_is_on_its_way_stays_there(browsing: Browsing) -> None:
    page, (first, second, _third) = three_here(browsing)
    keys, toasts = page.keyboard, page.locator("#toasts")
    held = Held(page, "**/call/")
    held.after(lambda: keys.press("c"))
    keys.press("j")
    selects(page, second)
    held.no_more()
    expect(toasts).to_contain_text(f"{first.number} is called.")
    expect(page.locator(f"#t-{second.pk}")).to_have_attribute("aria-current", "true")
    keys.press("c")
    expect(toasts).to_contain_text(f"{second.number} is called.")
    selects(page, second)


def test_a_key_is_for_the_row_on_which_it_was_pressed(browsing: Browsing) -> None:
    page, (first, second, third) = three_here(browsing)
    held = Held(page, "**/desk/?token=*")
    held.after(lambda: page.keyboard.press("j"))
    page.keyboard.type("cj")
    held.no_more()
    expect(page.locator("#toasts")).to_contain_text(f"{second.number} is called.")
    selects(page, third)
    assert "called" not in kinds(first)


def test_who_calls_for_three_doctors_at_once_calls_three(browsing: Browsing) -> None:
    hall = Hall()
    tokens = [hall.give("Patient of Dr Rao", slot=0)]
    for name in ("Dr Nair", "Dr Iyer"):
        sitting = hall.sitting(hall.doctor(name), timezone.now() - timedelta(minutes=30))
        patient, slot = hall.patient(f"Patient of {name}"), sitting.slots.earliest("starts_at")
        wish = {"patient_id": patient.pk, "source": "walk_in", "slot_id": slot.pk, "arrived": True}
        outermost(partial(allocation.request_token, by=None, **wish))
        tokens.append(Token.objects.get(patient=patient))
    page = browsing.open("/desk/", routed=True, user=hall.user("reception"))
    held = Held(page, "**/call-next/")
    for button in page.get_by_role("button", name="Call next").all():
        held.after(button.click)
    held.no_more()
    for token in tokens:
        expect(page.locator(f"#t-{token.pk}")).to_contain_text("called")


def test_what_is_pressed_just_after_one_drawer_came_belongs_to_the_next_one(browsing: Browsing) -> None:
    page, _tokens = three_here(browsing)
    held = Held(page, "**/desk/?give=1*")
    page.evaluate(
        """() => document.addEventListener("drawer:opened", () => {
            const press = (key) => document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
            for (const key of ["Escape", "n"]) press(key);
        }, { once: true })"""
    )
    held.after(lambda: page.keyboard.press("m"))
    expect(page.locator("#drawer .skeleton")).to_be_visible()
    page.keyboard.type("lax")
    held.no_more()
    expect(page.locator("#find")).to_have_value("lax")


def test_a_drawer_that_does_not_come_gives_the_keys_back_though_its_button_is_gone(browsing: Browsing) -> None:
    page, _tokens = three_here(browsing)
    held = Held(page, "**/cancel/**")
    held.after(lambda: page.keyboard.press("x"))
    page.locator("#actionbar").evaluate("(bar) => bar.replaceChildren()")
    held.routes.pop().abort()
    expect(page.locator("#messages")).to_contain_text("No answer came. Nothing was changed.")
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()


def test_enter_on_a_bill_that_is_still_on_its_way_opens_it(browsing: Browsing) -> None:
    desk = CashDesk()
    desk.open()
    desk.owe("Sunita", "650")
    page = browsing.open("/cash/", routed=True, user=desk.cashier)
    received = page.locator("#received")
    held = Held(page, "**/cash/?*bill=*")
    held.after(lambda: page.keyboard.press("j"))
    held.after(lambda: page.keyboard.press("Enter"))
    held.come()
    held.no_more()
    expect(received).to_be_focused()
    page.keyboard.type("700")
    expect(page.locator("#change-amount")).to_have_text("₹50.00")


def test_a_bill_that_was_closed_before_it_came_stays_closed(browsing: Browsing) -> None:
    desk = CashDesk()
    desk.open()
    bill = desk.owe("Sunita", "650")
    desk.owe("Abdul", "600")
    page = browsing.open(f"/cash/?bill={bill.pk}", routed=True, user=desk.cashier)
    drawer = page.locator("#drawer")
    page.keyboard.press("Escape")
    held = Held(page, "**/cash/?*bill=*")
    held.after(lambda: page.keyboard.press("k"))
    page.keyboard.press("Escape")
    expect(drawer).to_be_hidden()
    held.come()
    page.keyboard.press("o")
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    expect(drawer).to_be_hidden()


def test_a_button_that_needs_the_page_s_scripts_is_pressed_before_they_are_there(browsing: Browsing) -> None:
    page = browsing.open("/design/", routed=True, user=Hall().user("reception"))
    button = page.get_by_role("button", name="Light or dark")
    assert page.locator("html").get_attribute("data-theme") is None

    def press(route: Route) -> None:
        button.click()
        route.continue_()

    page.route("**/frame.js", press, times=1)
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_who_is_about_to_tell_stays_there_when_somebody_else_is_to_be_told(browsing: Browsing) -> None:
    hall = Hall(capacity=1)
    hall.give("Online 1", "online", slot=1)
    hall.give("Paid 1", "paid", slot=1)
    page = browsing.open("/desk/?tell=1", user=hall.user("reception"))
    radios, drawer = page.locator("#drawer").get_by_role("radio"), page.locator("#drawer")
    expect(page.locator("#live")).to_have_text("Live")
    expect(radios).to_be_focused()
    hall.give("Online 2", "online", slot=2)
    hall.give("Paid 2", "paid", slot=2)
    expect(radios).to_have_count(2)
    expect(drawer.locator("input:checked")).to_be_focused()
    page.keyboard.press("Enter")
    expect(radios).to_have_count(1)


def test_who_leans_on_enter_tells_one_patient(browsing: Browsing) -> None:
    hall = Hall(capacity=1)
    for slot in (1, 2):
        hall.give(f"Online {slot}", "online", slot=slot)
        hall.give(f"Paid {slot}", "paid", slot=slot)
    page = browsing.open("/desk/?tell=1", user=hall.user("reception"))
    drawer, keys, sent = page.locator("#drawer"), page.keyboard, list[str]()
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    expect(drawer.get_by_role("radio")).to_have_count(2)
    expect(drawer.get_by_role("radio").first).to_be_focused()
    keys.down("Enter")
    expect(drawer.get_by_role("radio")).to_have_count(1)
    expect(drawer.get_by_role("radio")).to_be_focused()
    keys.down("Enter")
    keys.up("Enter")
    keys.press("Escape")
    expect(drawer).to_be_hidden()
    assert len(sent) == 1
