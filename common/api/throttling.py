"""Limits for who needs no sign-in and for runaway devices, counted in the memory of the process.

A fixed window costs a dictionary look-up. Each server process counts for itself, so the true limit is as many times
higher as there are processes: these are fuses, not quotas. Wrong sign-ins are counted in the database instead.
"""

import threading
import time
from collections.abc import Callable
from typing import Any, ClassVar

from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle


class Window:
    """At most ``limit`` hits a key in each window of ``seconds``.

    Args:
        limit: hits that pass.
        seconds: length of the window.
        clock: the time in seconds.
    """

    def __init__(self, limit: int, seconds: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.limit = limit
        self.seconds = seconds
        self.clock = clock
        self._ends = 0.0
        self._hits: dict[object, int] = {}
        self._lock = threading.Lock()

    def hit(self, key: object) -> float | None:
        """Count one hit. ``None`` where it passes, else the seconds until the window ends."""
        now = self.clock()
        with self._lock:
            if now >= self._ends:
                # All keys share their window, so forgetting them all at once keeps the memory small.
                self._ends = now + self.seconds
                self._hits = {}
            hits = self._hits[key] = self._hits.get(key, 0) + 1
            return None if hits <= self.limit else self._ends - now

    def full(self, key: object) -> float | None:
        """Whether the next hit would not pass, without counting one: seconds until the window ends, else ``None``.

        For those who count failures alone.
        """
        now = self.clock()
        with self._lock:
            return self._ends - now if now < self._ends and self._hits.get(key, 0) >= self.limit else None


def counted(request: HttpRequest) -> bool:
    """Whether this request was counted before: a stream that is asked again whether it may go on is one request."""
    before = "opd.counted" in request.META
    request.META["opd.counted"] = True
    return before


class WindowThrottle(BaseThrottle):
    """A throttle of DRF over a window that all requests of the process share."""

    window: ClassVar[Window]

    def __init__(self) -> None:
        self._wait: float | None = None

    def key(self, request: Request) -> object | None:
        """What is counted; ``None`` is never limited."""
        raise NotImplementedError

    def allow_request(self, request: Request, view: Any) -> bool:
        """Count the request."""
        key = self.key(request)
        self._wait = None if key is None else self.window.hit(key)
        return self._wait is None

    def wait(self) -> float | None:
        """Seconds for ``Retry-After``: at least one."""
        return None if self._wait is None else max(1.0, self._wait)


class DeviceThrottle(WindowThrottle):
    """A device in a loop: 2,000 requests a second, which no desk and no kiosk ever meets."""

    window = Window(limit=2_000, seconds=1)

    def key(self, request: Request) -> object | None:
        """The device's row; browsers and strangers are not counted here."""
        return getattr(request.auth, "pk", None)


class AddressThrottle(WindowThrottle):
    """What needs no sign-in: 600 requests a minute from one address, for a whole waiting room may share it."""

    window = Window(limit=600, seconds=60)

    def key(self, request: Request) -> object | None:
        """The caller's address, where nobody has signed in."""
        return None if request.user and request.user.is_authenticated else request.META.get("REMOTE_ADDR", "")
