"""What an expectation is worth: the quantiles of truth / expectation, steered by their own hits and misses. Pure.

The sources stand in `tokens.waits.model`.
"""

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log, sqrt
from statistics import NormalDist
from typing import Final


@dataclass(frozen=True, slots=True)
class Range:
    """Minutes from now: half of the patients start before `p50`, nine of ten before `p90`."""

    p50: float
    p90: float


@dataclass(slots=True)
class Level:
    """A quantile's level, steered by its own hits and misses: where too few starts came before it, it goes up.

    Attributes:
        wanted: the share of starts that should come before the figure.
        gain: how hard it is steered; the first figure softly, for every push costs accuracy.
        least, most: how far it may go.
    """

    wanted: float
    gain: float
    least: float
    most: float
    _short: float = 0.0
    _seen: float = 0.0

    @property
    def value(self) -> float:
        """The level to use now."""
        pushed = self.wanted + self.gain * self._short / (20 + self._seen)
        return min(self.most, max(self.least, pushed))

    def learn(self, *, hit: bool) -> None:
        """Take in whether the start came before the figure; what lies hundreds back is forgotten."""
        kept = 1 - 1 / Spread.KEPT
        self._short = self._short * kept + self.wanted - hit
        self._seen = self._seen * kept + 1


class Spread:
    """The quantiles of truth / expectation at one distance, over the last predictions whose truth is known."""

    KEPT: Final = 500
    ENOUGH: Final = 200

    def __init__(self, steps: int, believed: int) -> None:
        width = sqrt(log(1 + 0.36 / steps + 0.04))
        normal = NormalDist()
        # Lognormal: single steps vary by six tenths of their mean, the mean of a session by two.
        self._prior = [exp(width * normal.inv_cdf((i + 0.5) / believed) - width * width / 2) for i in range(believed)]
        self._recent: deque[float] = deque()
        self._half = Level(0.5, 1.0, 0.25, 0.75)
        self._most = Level(0.9, 3.0, 0.75, 0.99)
        self._range: Range | None = None
        self.sorted: list[float] = []

    def learn(self, ratio: float, given: Range, truth: float) -> None:
        """Take in how a prediction turned out: truth / expectation, the range that was given, and the truth."""
        insort(self.sorted, ratio)
        self._recent.append(ratio)
        if len(self._recent) > self.KEPT:
            del self.sorted[bisect_left(self.sorted, self._recent.popleft())]
        self._half.learn(hit=truth <= given.p50)
        self._most.learn(hit=truth <= given.p90)
        self._range = None

    @property
    def range(self) -> Range:
        """By what an expectation is multiplied for each of the two figures."""
        if self._range is None:
            values = self.sorted if len(self.sorted) >= self.ENOUGH else sorted(self.sorted + self._prior)
            half = quantile(values, self._half.value)
            self._range = Range(half, max(half, quantile(values, self._most.value)))
        return self._range


def quantile(values: Sequence[float], level: float) -> float:
    """The value below which a share of sorted values lies, interpolated."""
    place = min(len(values) - 1.0, max(0.0, level * (len(values) + 1) - 1))
    below = int(place)
    above = min(below + 1, len(values) - 1)
    return values[below] + (values[above] - values[below]) * (place - below)
