"""Races over real connections: everybody starts at the same barrier, and every answer is collected.

::

    results = race([lambda: book(patient) for patient in patients])
    assert results.count(Confirmed) == 1

A race test has a negative control beside it: the same race without what should decide it, which must go wrong, for
else the test could not have shown anything.
"""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any
from unittest import mock

from django.db import connections

from common import transactions
from common.errors import DomainError

PATIENCE = 60.0
MOST_TRIES = 40
"""How often somebody in a crowd may be refused for each deed that they get done."""


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


def race(runners: Sequence[Callable[[], Any]], *, again: bool = False) -> Outcomes:
    """Run all at once, each in a thread with a connection of its own, which it closes.

    Each connects before the barrier, so that what races is the work and not the handshakes. The test must not hold a
    transaction of its own (``transaction=True`` with pytest-django), or nobody would see its rows.

    Args:
        again: whether a deadlock is run again, as in the product. It is an error where nothing is said, for else no
            race would ever find that two lock in another order.

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
    with mock.patch.object(transactions, "CUT_OFF", transactions.CUT_OFF if again else frozenset()):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
    assert not any(thread.is_alive() for thread in threads), "somebody in the race never came in"
    return outcomes


def race_of(count: int, work: Callable[[int], Any]) -> Outcomes:
    """Race ``count`` times the same work, which is told which runner it is."""
    return race([lambda index=index: work(index) for index in range(count)])  # type: ignore[misc]


def crowd(deeds: Sequence[Callable[[Random], Any]], *, people: int, each: int) -> Counter[str]:
    """Let people do at once whatever comes to their mind, until each has got ``each`` deeds done.

    Much is refused, as the hour has it; so what is counted on is what was done, and not how often it was tried.

    Args:
        deeds: each is told the chance by which it chooses; it may raise a ``DomainError``.

    Returns:
        how often what was met: ``done``, and the codes of refusals.

    Raises:
        AssertionError: anything but a refusal was raised, or somebody hardly got anything done.
    """
    met = [Counter[str]() for _ in range(people)]

    def work(n: int) -> None:
        chance = Random(n)
        for _ in range(each * MOST_TRIES):
            try:
                chance.choice(deeds)(chance)
                met[n]["done"] += 1
            except DomainError as refused:
                met[n][refused.code] += 1
            if met[n]["done"] == each:
                break

    outcomes = race_of(people, work)
    assert outcomes.raised == [], outcomes.raised
    assert [of_one["done"] for of_one in met] == [each] * people, met
    return sum(met, Counter())
