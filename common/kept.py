"""A small store of this process for what many ask at once and nobody needs newer than a moment ago."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

V = TypeVar("V")


class Kept(Generic[V]):
    """Values by key, made again once they are too old; fifty who ask at once make one.

    Args:
        seconds: how long a value is good.
        most: how many keys are kept; those asked for longest ago go first.
        clock: the time in seconds.
    """

    def __init__(self, seconds: float, most: int = 200, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds, self.most, self.clock = seconds, most, clock
        self._values: OrderedDict[Hashable, tuple[float, V]] = OrderedDict()
        self._guard = threading.Lock()
        self._making: dict[Hashable, threading.Lock] = {}

    def get(self, key: Hashable, make: Callable[[], V]) -> V:
        """The value of the key. What `make` raises is not kept."""
        known = self._known(key)
        if known is not None:
            return known[1]
        with self._guard:
            making = self._making.setdefault(key, threading.Lock())
        with making:
            known = self._known(key)
            if known is not None:
                return known[1]
            try:
                value = make()
                self._keep(key, value)
            finally:
                with self._guard:
                    self._making.pop(key, None)
        return value

    def known(self, key: Hashable) -> V | None:
        """The value of the key, where there is one that is good still."""
        known = self._known(key)
        return None if known is None else known[1]

    def clear(self) -> None:
        """Forget everything."""
        with self._guard:
            self._values.clear()

    def _known(self, key: Hashable) -> tuple[float, V] | None:
        with self._guard:
            known = self._values.get(key)
            return known if known is not None and self.clock() < known[0] else None

    def _keep(self, key: Hashable, value: V) -> None:
        with self._guard:
            self._values[key] = (self.clock() + self.seconds, value)
            self._values.move_to_end(key)
            while len(self._values) > self.most:
                self._values.popitem(last=False)
