"""The desk over the product's own server: the page, the overview and a step of a row, as a browser asks for them."""

import http.client
import re
import time
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlencode

from benchmarks.http_load import HOST
from benchmarks.live_ground import Hall
from benchmarks.live_wire import percentiles

ROUNDS: Final = 60


class Browser:
    """One keep-alive connection of somebody who has signed in."""

    def __init__(self, port: int, cookie: str) -> None:
        self.wire = http.client.HTTPConnection(HOST, port, timeout=30)
        self.cookie = cookie
        self.token = ""

    def get(self, path: str, **headers: str) -> bytes:
        """A page, compressed as browsers take it."""
        return self._ask("GET", path, None, {"Accept-Encoding": "gzip", **headers})

    def post(self, path: str, **values: str) -> bytes:
        """A step, as htmx sends it."""
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "HX-Request": "true",
            "X-CSRFToken": self.token,
            "Referer": f"http://{HOST}/desk/",
        }
        return self._ask("POST", path, urlencode(values), headers)

    def enter(self, path: str) -> None:
        """Open a page and keep what it gives against forged requests."""
        self._ask("GET", path, None, {})
        found = re.search(rb'name="csrfmiddlewaretoken" value="(\w+)"', self._ask("GET", path, None, {}))
        if found is None:
            raise RuntimeError(f"{path} has no form.")
        self.token = found[1].decode()

    def _ask(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> bytes:
        self.wire.request(method, path, body, {"Cookie": self.cookie, **headers})
        answer = self.wire.getresponse()
        said = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{method} {path} answered {answer.status}: {said[:500]!r}")
        given = [value.split(";")[0] for name, value in answer.getheaders() if name.lower() == "set-cookie"]
        for each in given:
            if each.split("=")[0] not in self.cookie:
                self.cookie += f"; {each}"
        return said


def measure(hall: Hall, port: int, *, rounds: int = ROUNDS) -> dict[str, dict[str, Any]]:
    """Milliseconds from the request to the last byte, and how many bytes that were."""
    taken: dict[str, list[float]] = {}
    sizes: dict[str, int] = {}

    def timed(name: str, ask: Callable[[], bytes]) -> None:
        began = time.perf_counter()
        said = ask()
        taken.setdefault(name, []).append(time.perf_counter() - began)
        sizes[name] = len(said)

    browser = Browser(port, hall.cookie())
    browser.enter("/desk/?view=columns&show=all")
    for number in range(rounds):
        token = hall.tokens[number]
        arrive = f"/desk/tokens/{token}/arrive/"
        timed("arrive", lambda path=arrive, n=number: browser.post(path, idempotency_key=f"bench-{n}"))  # type: ignore[misc]
        timed("desk, after a change", lambda: browser.get("/desk/?show=all"))
        timed("desk, unchanged", lambda: browser.get("/desk/?show=all"))
        timed("overview", lambda: browser.get("/overview/"))
        bar = f"/desk/?token={token}"
        timed("bar of a row", lambda path=bar: browser.get(path, **{"HX-Target": "actionbar"}))  # type: ignore[misc]
    return {name: {**percentiles(found, 0), "bytes": sizes[name]} for name, found in taken.items()}
