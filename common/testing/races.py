"""Races over real connections: everybody starts at the same barrier, and every answer is collected.

::

    results = race([lambda: book(patient) for patient in patients])
    assert results.count(Confirmed) == 1

A race test has a negative control beside it: the same race without what should decide it, which must go wrong, for
else the test could not have shown anything.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connections

PATIENCE = 60.0


@dataclass
class Outcomes:
    """What became of each runner, in the order in which they were given.

    Attributes:
        values: what each returned, ``None`` where it raised.
        errors: what each raised, ``None`` where it returned.
    """

    values: list[Any] = field(default_factory=list)
    errors: list[BaseException | None] = field(default_factory=list)

    @property
    def returned(self) -> list[Any]:
        """The values of those who did not raise."""
        return [value for value, error in zip(self.values, self.errors, strict=True) if error is None]

    @property
    def raised(self) -> list[BaseException]:
        """The errors of those who did."""
        return [error for error in self.errors if error is not None]

    def of(self, kind: type[BaseException]) -> list[BaseException]:
        """The errors of one kind."""
        return [error for error in self.raised if isinstance(error, kind)]


def race(runners: Sequence[Callable[[], Any]]) -> Outcomes:
    """Run all at once, each in a thread with a connection of its own, which it closes.

    Each connects before the barrier, so that what races is the work and not the handshakes. The test must not hold a
    transaction of its own (``transaction=True`` with pytest-django), or nobody would see its rows.

    Raises:
        AssertionError: somebody was still not done after a minute.
    """
    barrier = threading.Barrier(len(runners), timeout=PATIENCE)
    outcomes = Outcomes([None] * len(runners), [None] * len(runners))

    def run(index: int) -> None:
        try:
            connections["default"].ensure_connection()
            barrier.wait()
            outcomes.values[index] = runners[index]()
        except BaseException as error:
            outcomes.errors[index] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(index,), daemon=True) for index in range(len(runners))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert not any(thread.is_alive() for thread in threads), "somebody in the race never came in"
    return outcomes


def race_of(count: int, work: Callable[[int], Any]) -> Outcomes:
    """Race ``count`` times the same work, which is told which runner it is."""
    return race([lambda index=index: work(index) for index in range(count)])  # type: ignore[misc]
