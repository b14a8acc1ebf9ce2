"""The same with a real page: from the request that changes something until another browser's page shows it."""

import time
from typing import Any, Final

from playwright.sync_api import Page, sync_playwright

from benchmarks.http_load import HOST
from benchmarks.live_wire import Arrivals, percentiles
from common.testing.chromium import ARGUMENTS, chromium

PATIENCE: Final = 5_000

# When the row of the token that is watched for has changed, the page writes down the time; painted, not only parsed.
WATCHER: Final = """() => {
  window.watchFor = (id) => {
    const was = document.getElementById(id)?.outerHTML;
    window.shown = new Promise((done) => {
      const observer = new MutationObserver(() => {
        if (document.getElementById(id)?.outerHTML === was) return;
        observer.disconnect();
        requestAnimationFrame(() => done(performance.timeOrigin + performance.now()));
      });
      observer.observe(document.body, { childList: true, subtree: true, attributes: true });
    });
    return was !== undefined;
  };
}"""


def measure(port: int, cookie: str, arrivals: Arrivals, *, changes: int) -> dict[str, Any]:
    """Open the desk in Chromium, make changes, and say how long they took to be seen."""
    seconds: list[float] = []
    lost = 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        page = _desk(browser.new_context(viewport={"width": 1920, "height": 1080}), port, cookie)
        for token in [next(arrivals.tokens) for _ in range(changes)]:
            found = _change(page, arrivals, token)
            seconds += [found] if found is not None else []
            lost += found is None
        browser.close()
    return {"changes": changes, **percentiles(seconds, lost)}


def _desk(context: Any, port: int, cookie: str) -> Page:
    name, _, value = cookie.partition("=")
    context.add_cookies([{"name": name, "value": value, "url": f"http://{HOST}:{port}"}])
    page: Page = context.new_page()
    page.goto(f"http://{HOST}:{port}/desk/?show=all")
    page.wait_for_function("document.getElementById('live')?.textContent.trim() === 'Live'")
    page.evaluate(WATCHER)
    return page


def _change(page: Page, arrivals: Arrivals, token: int) -> float | None:
    """Seconds from the request until the page shows it; None where it does not."""
    if not page.evaluate("(id) => window.watchFor(id)", f"t-{token}"):
        raise RuntimeError(f"The desk does not show token {token}.")
    began = time.time()
    arrivals.arrive(token)
    late = f"new Promise((done) => setTimeout(() => done(null), {PATIENCE}))"
    shown = page.evaluate(f"Promise.race([window.shown, {late}])")
    return None if shown is None else float(shown) / 1000 - began
