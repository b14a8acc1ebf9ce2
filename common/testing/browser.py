"""The system's Chromium, for tests that need a real browser.

Such tests stand in files with ``in_browser`` in their name, which are collected only where Chromium is found. They
ask for the fixture ``browsing``::

    pytestmark = pytest.mark.django_db(transaction=True)

    def test_the_desk_on_a_phone(browsing: Browsing) -> None:
        page = browsing.open("/desk/", user=hall.user("reception"), phone=True)
        axe(page)
        expect(page.locator("#columns")).to_be_visible()

A script that fails in the page fails the test, and what the page looked like when a test failed is kept as a picture
in ``OPD_VAR/screens``.
"""

import re
from asyncio.events import _get_running_loop, _set_running_loop
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.db import connections
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from common.testing.chromium import ARGUMENTS, chromium

PHONE = {
    "viewport": {"width": 360, "height": 740},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
}
DESK = {"viewport": {"width": 1280, "height": 800}}

PATIENCE = 30_000
"""Milliseconds until what was waited for is given up. It says nothing about speed: a slow machine is no fault."""
expect.set_options(timeout=PATIENCE)


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Files of browser tests are not collected where there is no browser."""
    return True if "in_browser" in collection_path.name and not chromium() else None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failed test leaves pictures of its pages."""
    report = yield
    browsing = getattr(item, "funcargs", {}).get("browsing")
    if report.when == "call" and report.failed and browsing:
        browsing.keep_pictures(item.name)
    return report


MOST_KEPT = 6
KEEPER = "http://127.0.0.1/"
"""The site of every server of a test, whatever its port: pages of one site share a process of the browser."""


class Kept:
    """Browsers within the browser that a test has left and the next one may have.

    A new one starts a process and reads the page's scripts anew, which costs more than all else that a page does. In
    each that is kept stays an empty page, for the process ends with its last page.
    """

    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self.free: list[tuple[str, BrowserContext, Page]] = []
        self.lent: list[tuple[str, BrowserContext, Page]] = []

    def lend(self, **wishes: Any) -> BrowserContext:
        """One as wished, in which nothing is stored; what may be wished takes Playwright's `new_context`."""
        key = repr(sorted(wishes.items()))
        found = next((each for each in self.free if each[0] == key), None)
        if found:
            self.free.remove(found)
        else:
            context = self.browser.new_context(**wishes)
            keeper = context.new_page()
            keeper.route("**/*", lambda route: route.fulfill(body="", content_type="text/html"))
            keeper.goto(KEEPER)
            found = key, context, keeper
        self.lent.append(found)
        return found[1]

    def take_back(self, origin: str) -> None:
        """All that were lent, without what the test stored in them; of those that are not asked for few stay.

        Args:
            origin: the server whose pages may have stored something.
        """
        lent, self.lent = self.lent, []
        for each in lent:
            self._empty(*each[1:], origin)
        self.free = [*lent, *self.free]
        for _, context, _ in self.free[MOST_KEPT:]:
            context.close()
        del self.free[MOST_KEPT:]

    @property
    def contexts(self) -> list[BrowserContext]:
        """Those that wait for a test."""
        return [context for _, context, _ in self.free]

    def _empty(self, context: BrowserContext, keeper: Page, origin: str) -> None:
        for page in context.pages:
            if page is not keeper:
                page.close()
        context.unroute_all()
        context.set_offline(False)
        context.clear_permissions()
        context.clear_cookies()
        wire = context.new_cdp_session(keeper)
        wire.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "all"})
        wire.detach()


class Chromium:
    """One browser for all files of a process: it takes a second to start, a context in it takes none.

    Playwright's event loop counts as running in this thread from its start to its end. So between the files it is laid
    aside: other tests have loops of their own, and Django keeps other connections for a thread with a running loop.
    """

    def __init__(self) -> None:
        self._playwright = sync_playwright().start()
        self.browser = self._playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        self.kept = Kept(self.browser)
        self._loop = _get_running_loop()
        self.leave()

    def enter(self) -> Browser:
        """It is used from now on."""
        _set_running_loop(self._loop)
        return self.browser

    def leave(self) -> None:
        """It is not used for a while."""
        _set_running_loop(None)

    def close(self) -> None:
        """The end."""
        self.enter()
        self.browser.close()
        self._playwright.stop()


@pytest.fixture(scope="session")
def started_browser() -> Iterator[Chromium]:
    """The browser of this process."""
    found = Chromium()
    yield found
    found.close()


@pytest.fixture(scope="module")
def browser(started_browser: Chromium) -> Iterator[Chromium]:
    """A browser for all tests of a file. A test's own look into the database is no mistake in it.

    While the loop runs, Django keeps other connections for the thread than before; `browsing` closes them after each
    test.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        started_browser.enter()
        yield started_browser
        connections.close_all()
        started_browser.leave()


@dataclass
class Browsing:
    """Opens pages of the live server, for whoever has signed in, on whatever screen."""

    chromium: Chromium
    server: LiveServer
    pages: list[Page] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def open(self, path: str = "/desk/", *, routed: bool = False, **wishes: Any) -> Page:
        """A page in a browser of its own; what may be wished says `context`.

        Another test may have had this browser, so what stays in a context for good (an init script, a clock) is not
        for it, but for one from `context`.

        Args:
            routed: the test will put itself between page and server (`page.route`). Chromium says that it listens
                before all its processes know, so what an open page asks at once may slip through: it listens from the
                start.
        """
        page = self.page(self.context(kept=True, **wishes))
        if routed:
            page.route(f"{KEEPER}/never-asked", lambda route: route.fallback())
        answer = page.goto(self.server.url + path, wait_until="load")
        assert answer is not None
        assert answer.status < 500, page.inner_text("body")
        return page

    def context(
        self,
        *,
        user: Any = None,
        phone: bool = False,
        size: tuple[int, int] | None = None,
        dark: bool = False,
        scripts: bool = True,
        language: str = "en-IN",
        kept: bool = False,
        **more: Any,
    ) -> BrowserContext:
        """A browser that shares nothing with others.

        Args:
            user: who has signed in; nobody without.
            phone: 360 px wide, touched with a finger.
            size: another size of the window.
            dark: the system is dark.
            scripts: whether JavaScript is on.
            language: what the browser asks for, such as ``hi`` or ``ar``.
            kept: one that another test has left will do, and the next test may have it.
            more: what Playwright's `new_context` takes.
        """
        screen: dict[str, Any] = dict(PHONE if phone else DESK)
        if size:
            screen["viewport"] = {"width": size[0], "height": size[1]}
        scheme = "dark" if dark else "light"
        wishes = {"color_scheme": scheme, "java_script_enabled": scripts, "locale": language, **screen, **more}
        make = self.chromium.kept.lend if kept else self.chromium.browser.new_context
        context = make(**wishes)
        context.set_default_timeout(PATIENCE)
        if user is not None:
            context.add_cookies([self.cookie(user)])
        return context

    def page(self, context: BrowserContext) -> Page:
        """Another page in the same browser, whose faults are the test's."""
        page = context.new_page()
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.pages.append(page)
        return page

    def cookie(self, user: Any) -> Any:
        """What a browser carries after signing in."""
        client = Client()
        client.force_login(user)
        value = client.cookies[settings.SESSION_COOKIE_NAME].value
        return {"name": settings.SESSION_COOKIE_NAME, "value": value, "url": self.server.url}

    def keep_pictures(self, name: str) -> None:
        """Every page as it looks now."""
        folder, name = settings.OPD_VAR / "screens", re.sub(r"\W+", "-", name)
        for number, page in enumerate(self.pages):
            if not page.is_closed():
                page.screenshot(path=folder / f"{name}-{number}.png")


@pytest.fixture
def browsing(browser: Chromium, live_server: LiveServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Browsing]:
    """Pages for this test; at its end none of them may have failed in a script.

    The server's threads keep their connections, as those of the product's pool are kept: a new one costs a third of a
    page.
    """
    for name, value in (("CONN_MAX_AGE", None), ("CONN_HEALTH_CHECKS", True)):
        monkeypatch.setitem(connections.settings["default"], name, value)
    opened = Browsing(browser, live_server)
    yield opened
    browser.kept.take_back(live_server.url)
    kept = browser.kept.contexts
    for context in list(browser.browser.contexts):
        if context not in kept:
            context.close()
    connections.close_all()
    assert opened.errors == []


# What a page is asked about itself

GRAVE = ("serious", "critical")
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


ENDED = """() => {
  for (const each of document.getAnimations()) {
    if (each.effect.getComputedTiming().endTime === Infinity) each.cancel();
    else each.finish();
  }
}"""


def axe(page: Page, within: str | None = None, *, rules: tuple[str, ...] = ()) -> None:
    """Fail where axe-core finds something serious in the page: each finding with where it stands and what helps.

    Motion is ended first: text that is still appearing has too little contrast.

    Args:
        within: look only there.
        rules: look only for these, such as ``color-contrast`` after nothing but the theme has changed.
    """
    page.evaluate(ENDED)
    asked = {"runOnly": list(rules)} if rules else RULES
    if not page.evaluate("'axe' in window"):
        page.evaluate(Axe().axe_script)
    options = {**asked, "resultTypes": ["violations"]}
    found = page.evaluate("([within, options]) => axe.run(within ?? document, options)", [within, options])[
        "violations"
    ]
    told = [
        f"{each['impact']} {each['id']}: {each['help']}\n    {node['html'][:200]}\n    {_why(node)}"
        for each in found
        if each["impact"] in GRAVE
        for node in each["nodes"][:5]
    ]
    assert not told, f"axe at {page.url}\n" + "\n".join(told)


def _why(node: dict[str, Any]) -> str:
    return " ".join(str(node.get("failureSummary", "")).split())


SHIFT = """() => new Promise((done) => {
  let sum = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) sum += entry.value;
  }).observe({ type: "layout-shift", buffered: true });
  requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => done(sum))));
})"""


STILL = 0.01
"""Below this nothing that anybody sees has moved: a browser that paints between two words of a row counts 0.003."""


def layout_shift(page: Page) -> float:
    """How much of the page has moved by itself since it was opened: cumulative layout shift, best 0."""
    return float(page.evaluate(SHIFT))


class Transfer:
    """Bytes that the network brought to a page, headers included, from now on::

    transfer = Transfer(page)
    page.goto(...)
    assert transfer.bytes < 150_000
    """

    def __init__(self, page: Page) -> None:
        self.by_address: dict[str, float] = {}
        self._names: dict[str, str] = {}
        wire = page.context.new_cdp_session(page)
        wire.on("Network.requestWillBeSent", self._asked)
        wire.on("Network.loadingFinished", self._came)
        wire.send("Network.enable")

    def _asked(self, event: dict[str, Any]) -> None:
        self._names[event["requestId"]] = event["request"]["url"]

    def _came(self, event: dict[str, Any]) -> None:
        address = self._names.get(event["requestId"], "")
        self.by_address[address] = self.by_address.get(address, 0) + event["encodedDataLength"]

    @property
    def bytes(self) -> int:
        """All of it."""
        return int(sum(self.by_address.values()))
