"""One read for screens that differ only in what they show of the same thing.

Ten filters of a desk are ten watches, woken by the same change. What the first of them reads of the hall serves the
others, if it was read after they were woken: then it cannot be older than what woke them. Inside `Watch.read`::

    day = shared(("day", facility_id, date), lambda: queries.day(facility_id, date))
"""

import threading
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar, cast

T = TypeVar("T")

KEPT: Final = 10.0
"""Seconds after which what was read is forgotten: who was woken so long before is served no more."""


class _Round(threading.local):
    """What the reading thread keeps; it ends with the thread."""

    def __init__(self) -> None:
        self.woken: float | None = None
        self.kept: dict[Hashable, tuple[float, Any]] = {}


_round: Final = _Round()


@contextmanager
def reading(woken: float) -> Iterator[None]:
    """In the hub's thread: what was read since then may be used again."""
    _round.woken = woken
    try:
        yield
    finally:
        _round.woken = None


def shared(key: Hashable, make: Callable[[], T]) -> T:
    """The value, read now or since this watch was woken. Nobody may change it. Outside a watch it is always read."""
    if _round.woken is None:
        return make()
    known = _round.kept.get(key)
    if known is not None and known[0] >= _round.woken:
        return cast("T", known[1])
    begun, value = time.monotonic(), make()
    _round.kept = {name: kept for name, kept in _round.kept.items() if kept[0] > begun - KEPT}
    _round.kept[key] = begun, value
    return value
