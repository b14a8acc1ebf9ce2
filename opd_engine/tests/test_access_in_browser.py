"""Every page and every state of its drawer, for everybody: no serious finding, large targets, a focus that is seen.

Light at 360 px with a finger and at 1280 px with a mouse, dark with the mouse.
"""

import re
from typing import Any

import pytest
from django.test import Client
from django.utils.html import escape
from playwright.sync_api import Page

from common.testing.browser import Browsing, axe
from consultations.tests.factories import Surgery
from reception.tests.factories import HOUR
from tokens.models import Token

pytestmark = pytest.mark.django_db(transaction=True)

DESK = (
    "/desk/",
    "/desk/?give=1&q=lila",
    "/desk/?register=1&q=Somebody",
    "/desk/?patient={patient}",
    "/desk/?patient={patient}&source=emergency",
    "/desk/?given={token}",
    "/desk/?token={token}",
    "/desk/?token={token}&do=cancel",
    "/desk/?token={token}&do=move",
    "/desk/?token={token}&do=send-on",
    "/desk/?token={token}&do=correct",
    "/desk/?token={displaced}&do=overbook",
    "/desk/?tell=1",
    "/overview/",
    "/overview/?doctor={session}",
)
PAGES = (
    "/desk/tokens/{token}/",
    "/desk/tokens/{token}/cancel/",
    "/desk/tokens/{token}/slip/",
    "/desk/sessions/{session}/",
    "/desk/sessions/{session}/?do=delay",
    "/desk/sessions/{session}/?do=capacity&slot={slot}&capacity=0",
    "/desk/sessions/{session}/?do=close",
    "/desk/sessions/{session}/?do=cancel",
    "/design/",
    "/accounts/password/change/",
    "/accounts/2fa/",
    "/accounts/sessions/",
    "/kiosk/",
    "/nowhere/",
)
CONSOLE = (
    "/console/",
    "/console/?do=test",
    "/console/?do=send",
    "/console/?do=delay",
    "/console/?token={displaced}",
)
HALL = (
    "/board/{slug}/",
    "/t/{key}",
    "/t/{key}/cancel/",
    "/t/{called}",
    "/t/{over}",
    "/t/nobody-was-ever-given-this",
    "/accounts/login/",
    "/accounts/password/reset/",
)
KIOSK = ("/kiosk/", "/kiosk/find/", "/kiosk/departments/", "/kiosk/end/")


class House(Surgery):
    """A morning in which a bit of everything has happened."""

    def __init__(self) -> None:
        super().__init__(capacity=3)
        self.sitting(self.doctor("Dr Nair"), self.session.starts_at + HOUR)
        over, inside, called = (self.give(name, slot=0) for name in ("Ravi", "Neha", "Omar"))
        self.start(over)
        self.complete(over)
        self.start(inside)
        self.call(called)
        expected = self.give("Lila", "online", slot=1)
        for name in ("Farhan", "Sunita"):
            self.give(name, "online", slot=1)
        self.give("Chitra", "paid", slot=1, arrived=True)
        self.give("Joseph", "emergency", slot=1)
        displaced = Token.objects.filter(status="waitlisted").latest("pk")
        self.things = {
            "patient": self.patient("Kavita").pk,
            "token": expected.pk,
            "displaced": displaced.pk,
            "session": self.session.pk,
            "slot": self.slots[2].pk,
            "slug": self.facility.slug,
            "key": expected.key,
            "called": called.key,
            "over": over.key,
        }

    def kiosk(self) -> Client:
        """A screen that is a kiosk."""
        client = self.asha
        client.post("/kiosk/begin/")
        return client


def pages_of(browsing: Browsing, user: Any, client: Client | None = None) -> tuple[Page, Page]:
    """Two windows of one person: with a mouse, and with a finger on a phone."""
    contexts = [browsing.context(user=user, phone=phone) for phone in (False, True)]
    if client:
        value = client.cookies["sessionid"].value
        for context in contexts:
            context.add_cookies([{"name": "sessionid", "value": value, "url": browsing.server.url}])
    wide, phone = map(browsing.page, contexts)
    return wide, phone


@pytest.mark.parametrize("who", ["desk", "pages", "console", "hall", "kiosk"])
def test_nothing_serious_is_found_and_a_finger_meets_what_it_aims_at(browsing: Browsing, who: str) -> None:
    house = House()
    user = {"desk": "admin", "pages": "admin", "console": "doctor"}.get(who)
    addresses = {"desk": DESK, "pages": PAGES, "console": CONSOLE, "hall": HALL, "kiosk": KIOSK}[who]
    seen = (house.doctor_user if user == "doctor" else house.user(user)) if user else None
    wide, phone = pages_of(browsing, seen, house.kiosk() if who == "kiosk" else None)
    # As high as the page: what the bar at its end covers until one scrolls is not small.
    phone.set_viewport_size({"width": 360, "height": 3000})
    found: dict[str, list[str]] = {}
    for page in (wide, phone):
        if who == "kiosk":
            page.set_viewport_size({"width": 1080, "height": 1920})
        for address in addresses:
            page.emulate_media(color_scheme="light")
            page.goto(browsing.server.url + address.format(**house.things))
            # On a phone the drawer covers the page: what is under it is not met.
            covered = page is phone and page.locator("#drawer").is_visible()
            axe(page, "#drawer" if covered else None)
            if page is wide:  # the colours of a phone are the same
                page.emulate_media(color_scheme="dark")
                axe(page, rules=("color-contrast",))
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{address} is too wide"
            small = page.evaluate(SMALL, 80 if who == "kiosk" else 44) if page is phone else []
            if small:
                found[address] = small
    assert not found, "\n".join(f"{address} {each}" for address, all_ in found.items() for each in all_)


SMALL = """(least) => [...document.querySelectorAll("a[href], button, summary, select, input:not([type=hidden])")]
  .filter((each) => each.checkVisibility({ visibilityProperty: true, opacityProperty: true }))
  .filter((each) => !each.closest("p, td, .vh, .skip, code") && !each.matches(".vh"))
  .map((each) => (each.matches("[type=radio], [type=checkbox]") && each.closest("label")) || each)
  .map((each) => (each.matches("[data-row]") && each.closest("[role=row]")) || each)
  .map((each) => [each, each.getBoundingClientRect()])
  .filter(([, box]) => box.width > 1 && box.height > 1 && (box.height < least - 0.5 || box.width < least - 0.5))
  .map(([each, box]) => `${each.outerHTML.slice(0, 90)} ${Math.round(box.width)}x${Math.round(box.height)}`)"""
"""What is pressed and is smaller than this many pixels; links within a sentence may be as high as
their line, and of a row the whole is pressed."""


# The focus, and what pages are called


FOCUSED = """() => {
  const each = document.activeElement, own = getComputedStyle(each);
  const shown = each.matches("[type=radio]") ? each.closest("label") ?? each : each;
  const box = shown.getBoundingClientRect(), style = getComputedStyle(shown);
  const x = Math.min(Math.max(box.left + box.width / 2, 0), innerWidth - 1);
  const y = box.top + Math.min(box.height / 2, 12);
  const over = document.elementFromPoint(x, y);
  const row = each.closest("[role=row]"), around = row ? [getComputedStyle(row), getComputedStyle(row, "::after")] : [];
  const ring = [own, style, ...around].some((one) => one.outlineStyle !== "none" && parseFloat(one.outlineWidth) >= 2);
  return {
    name: each === document.body ? "" : `${each.outerHTML.slice(0, 80)} at ${Math.round(x)},${Math.round(y)}`,
    seen: ring && over !== null && (shown.contains(over) || over.contains(shown)),
    under: over && !shown.contains(over) && !over.contains(shown) ? over.outerHTML.slice(0, 80) : "",
  };
}"""


WALKED = (
    ("/desk/", False),
    ("/desk/?patient={patient}", False),
    ("/desk/", True),
    ("/overview/", True),
    ("/console/", True),
)


@pytest.mark.parametrize(("path", "phone"), WALKED)
def test_the_focus_is_seen_wherever_it_goes(browsing: Browsing, path: str, phone: bool) -> None:
    house = House()
    for number in range(12):
        house.give(f"Waits {number}", "online", slot=1)
    user = house.doctor_user if "console" in path else house.user("reception")
    page = browsing.open(path.format(**house.things), user=user, phone=phone)
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


def test_each_page_has_a_title_of_its_own_that_says_what_it_is() -> None:
    house = House()
    admin = house.client("admin")
    for client, addresses in (
        (admin, (*DESK, *PAGES)),
        (house.browser, CONSOLE),
        (Client(), HALL),
        (house.kiosk(), KIOSK),
    ):
        titles: dict[str, str] = {}
        for address in addresses:
            page = client.get(address.format(**house.things)).content.decode()
            found = re.search(r"<title>(.*?)</title>", page, re.DOTALL)
            assert found, address
            said = " ".join(found[1].split()).removesuffix(f". {escape(house.facility.name)}")
            assert len(said) > 2, address
            assert page.count("<h1") == 1, address
            path = address.partition("?")[0]
            assert titles.setdefault(said, path) == path, f"{said} is also {titles[said]}"
