"""How long consultations take, learned as they happen: the pure estimator behind every waiting time.

Nothing here knows a database, a clock or a setting; times come as minutes. One `Clinic` learns from the consultations
of one doctor. It is asked for the minutes until the one k places later starts, and answers with two figures: half of
the patients are to start before the first, nine of ten before the second. Three parts, each with its source:

*What one step takes* (from one start to the next, so idle minutes count). The mean step of the doctor is shrunk towards
what is known of others by the credibility weight n / (n + K) (Buehlmann, "Experience rating and credibility", ASTIN
Bulletin 4, 1967; after James and Stein, "Estimation with quadratic loss", 1961). What makes a step longer or shorter
than that mean is a ridge regression (Hoerl and Kennard, Technometrics 12, 1970), kept as its normal equations and so
learned in one pass: first visit or not, sex, weekday, half of the day, hours and patients into the session, and the
session's own pace so far. Steps count at most three times the mean, so one long break teaches little (winsorising;
Huber, "Robust estimation of a location parameter", 1964).

*What several steps take* is the sum of what each of them is expected to take.

*The two figures* are that sum times quantiles of truth / expectation over the last predictions at this distance whose
truth is known: split conformal prediction in ratios (Vovk, Gammerman and Shafer, "Algorithmic learning in a random
world", 2005), whose levels are steered by their own hits and misses (Gibbs and Candes, "Adaptive conformal inference
under distribution shift", NeurIPS 2021; as an integrator, Angelopoulos, Candes and Tibshirani, "Conformal PID control
for time series prediction", NeurIPS 2023). The median is what minimises the mean absolute error, so the first figure is
also the best single guess.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import sqrt
from typing import Final

from tokens.waits.spread import Range, Spread, quantile

DISTANCES: Final = (1, 3, 5, 8)
"""How far ahead the spread is learned; between them it is interpolated, beyond them the last one counts."""
UNKNOWN_STEP: Final = 10.0
"""Minutes a step takes where nothing at all is known."""

_RIDGE: Final = 20.0
_RIDGE_DAY: Final = 150.0
"""Weekdays are many and differ little, so what one of them seems to add is believed late."""
_LONGEST: Final = 3.0
_PACE_SHRUNK: Final = 20.0
_PACE_CAP: Final = 2.0
_PACE_SCALE: Final = 5.0
_LEAST, _MOST = 0.3, 3.0
_FEW: Final = 5


@dataclass(frozen=True, slots=True)
class Visit:
    """What registration knows of a consultation before it starts.

    Attributes:
        number: the patient's how manieth visit to this doctor, from 1; None where that is not known.
        sex: "F", "M" or anything else for unknown.
    """

    number: int | None = None
    sex: str = ""


@dataclass(frozen=True, slots=True)
class Occasion:
    """What kind of session it is: the weekday (Monday is 0, None unknown), and whether it starts after midday."""

    weekday: int | None = None
    afternoon: bool = False


@dataclass(frozen=True, slots=True)
class Prior:
    """What is believed before the first consultation.

    Attributes:
        minutes: a step.
        weight: how many consultations that counts as.
        ratios: how many predictions the believed spread counts as.
    """

    minutes: float = UNKNOWN_STEP
    weight: float = 1.0
    ratios: int = 8


# What makes a step longer or shorter

_FEATURES: Final = 12
_SIZE: Final = _FEATURES + 7
Vector = list[float]


def visit_part(visit: Visit) -> tuple[float, float, float, float]:
    """First, second, third or fourth visit, and female; what is not known counts half way to what it may be."""
    female = 1.0 if visit.sex == "F" else 0.0 if visit.sex == "M" else 0.5
    number = visit.number
    if number is None:
        return (0.4, 0.15, 0.15, female)
    return (float(number <= 1), float(number == 2), float(3 <= number <= 4), female)


def vector(visit: Visit, occasion: Occasion, hours: float, order: int, pace: float) -> Vector:
    """The features of a step: who comes, on what occasion, how far into the session, and its pace so far."""
    along, place, afternoon = min(1.5, hours / 4), min(2.0, order / 20), float(occasion.afternoon)
    found = [1.0, *visit_part(visit), afternoon, along, along * along, place, place * place, along * place, pace]
    days = [0.0] * 7
    if occasion.weekday is not None:
        days[occasion.weekday] = 1.0
    return found + days


class Regression:
    """Ridge regression of how much longer or shorter than the mean a step is, in one pass over the steps."""

    def __init__(self) -> None:
        ridge = [_RIDGE] * _FEATURES + [_RIDGE_DAY] * 7
        self._gram = [[ridge[i] if i == j else 0.0 for j in range(_SIZE)] for i in range(_SIZE)]
        self._right = [0.0] * _SIZE
        self._seen, self._fitted = 0, 0
        self.effects = [0.0] * _SIZE

    def learn(self, x: Vector, excess: float) -> None:
        """Take in one step: its features, and its length over the mean, less one."""
        some = [(i, value) for i, value in enumerate(x) if value]
        for i, value in some:
            row = self._gram[i]
            for j, other in some:
                row[j] += value * other
            self._right[i] += value * excess
        self._seen += 1

    def fit(self) -> None:
        """Solve for the effects, where enough came in since the last time to matter."""
        if self._seen - self._fitted > self._seen // 50:
            self.effects = _solved(self._gram, self._right)
            self._fitted = self._seen

    def factor(self, x: Vector) -> float:
        """How many means a step with these features takes."""
        return min(_MOST, max(_LEAST, 1.0 + self.value(x)))

    def value(self, x: Vector) -> float:
        """How much longer or shorter than the mean a step with these features is, as a share of it."""
        return sum(map(_product, x, self.effects))


def _product(a: float, b: float) -> float:
    return a * b


def _solved(gram: Sequence[Vector], right: Vector) -> Vector:
    """The solution of a symmetric positive definite system, by Cholesky's decomposition."""
    size = len(right)
    lower: list[Vector] = []
    half: Vector = []
    for i in range(size):
        row: Vector = []
        for j in range(i):
            row.append((gram[i][j] - sum(map(_product, row, lower[j]))) / lower[j][j])
        row.append(sqrt(gram[i][i] - sum(a * a for a in row)))
        lower.append(row)
        half.append((right[i] - sum(map(_product, row, half))) / row[i])
    found = [0.0] * size
    for i in reversed(range(size)):
        found[i] = (half[i] - sum(lower[j][i] * found[j] for j in range(i + 1, size))) / lower[i][i]
    return found


# The doctor, and a session under way


class Clinic:
    """What one doctor's consultations have taught so far."""

    def __init__(self, prior: Prior | None = None) -> None:
        self.prior = prior or Prior()
        self._weight = self.prior.weight
        self._minutes = self.prior.weight * self.prior.minutes
        self.regression = Regression()
        self.spreads = {steps: Spread(steps, self.prior.ratios) for steps in DISTANCES}

    @property
    def step(self) -> float:
        """The mean step in minutes, shrunk towards the prior."""
        return self._minutes / self._weight

    def open(self, occasion: Occasion, order: int = 0) -> "Sitting":
        """A session of this doctor begins, or is joined when so many have started unseen."""
        self.regression.fit()
        return Sitting(self, occasion, order=order)

    def learn(self, x: Vector, minutes: float) -> None:
        """Take in one step and what it was known by."""
        counted = min(minutes, _LONGEST * self.step)
        self.regression.learn(x, counted / self.step - 1)
        self._weight += 1
        self._minutes += counted

    def quantiles(self, steps: float, first: Range | None = None) -> Range:
        """By what an expectation over so many steps is multiplied for each figure; interpolated between distances.

        Args:
            first: the same for one step alone, where more is known of it.
        """
        beyond = bisect_right(DISTANCES, steps)
        if beyond in (0, len(DISTANCES)):
            place = DISTANCES[max(0, beyond - 1)]
            return first if first and place == 1 else self.spreads[place].range
        near, far = DISTANCES[beyond - 1], DISTANCES[beyond]
        share = (steps - near) / (far - near)
        low, high = first if first and near == 1 else self.spreads[near].range, self.spreads[far].range
        return Range(low.p50 + share * (high.p50 - low.p50), low.p90 + share * (high.p90 - low.p90))

    def remaining(self, expected: float, elapsed: float) -> "Remaining":
        """What is still to come of a step that has taken some time already: of those past ones that took as long.

        Where hardly any did, a quarter of a step.
        """
        ratios = self.spreads[1].sorted
        longer = ratios[bisect_right(ratios, max(0.0, elapsed) / expected) :]
        if elapsed <= 0 or len(longer) < _FEW:
            return Remaining(expected if elapsed <= 0 else max(expected - elapsed, expected / 4), self.quantiles(1))
        mean = expected * sum(longer) / len(longer) - elapsed
        half, most = (expected * quantile(longer, level) - elapsed for level in (0.5, 0.9))
        return Remaining(mean, Range(half / mean, most / mean))


@dataclass(frozen=True, slots=True)
class Remaining:
    """Minutes still to come on average, and by what they are multiplied for each of the two figures."""

    minutes: float
    range: Range


@dataclass(slots=True)
class _Given:
    """A prediction that waits for its truth, made when so many minutes had been worked."""

    at: float
    expected: float
    range: Range


@dataclass(slots=True)
class Sitting:
    """A session under way: who started when, its pace, and the predictions not yet resolved. Minutes are its own."""

    clinic: Clinic
    occasion: Occasion
    started_at: float | None = None
    order: int = 0
    _last: float = 0.0
    _worked: float = 0.0
    _features: Vector = field(default_factory=list)
    _current: Visit = field(default_factory=Visit)
    _excess: float = 0.0
    _expected: float = 0.0
    _open: dict[int, dict[int, _Given]] = field(default_factory=dict)

    @property
    def pace(self) -> float:
        """How much longer than expected this session's steps took so far, shrunk; 0 is as expected."""
        shrunk = _PACE_SHRUNK * self.clinic.step
        return _PACE_SCALE * self._excess / (shrunk + self._expected)

    def started(self, at: float, visit: Visit, step: float | None = None) -> None:
        """A consultation starts: the step before it is over, and predictions for this place are resolved.

        Args:
            step: what the step before took, where that was less than the minutes since (the hall was empty).
        """
        if self.started_at is None:
            self.started_at = at - self.order * self.clinic.step
        else:
            minutes = at - self._last if step is None else step
            self._learn(minutes)
            self._worked += minutes
            self.order += 1
            self._resolve()
        self._last, self._current = at, visit
        self._features = self.features(visit, at, self.order)

    def features(self, visit: Visit, at: float, order: int) -> Vector:
        """What is known of a step that starts at that minute in that place, with the pace of this moment."""
        hours = (at - (at if self.started_at is None else self.started_at)) / 60
        return vector(visit, self.occasion, hours, order, self.pace)

    def _learn(self, minutes: float) -> None:
        expected = self.clinic.step * self.clinic.regression.factor(self._features)
        self.clinic.learn(self._features, minutes)
        self._excess += min(minutes, _PACE_CAP * expected) - expected
        self._expected += expected

    def _resolve(self) -> None:
        for steps, given in self._open.pop(self.order, {}).items():
            truth = self._worked - given.at
            self.clinic.spreads[steps].learn(truth / given.expected, given.range, truth)

    def stepper(self) -> Callable[[Visit, float, int], float]:
        """A function that says what a step takes: of that visit, from that minute on, in that place.

        The same as the regression's factor of the features, with the parts that do not change multiplied out.
        """
        effects = self.clinic.regression.effects
        always = (
            1.0
            + self.clinic.regression.value(vector(Visit(), self.occasion, 0.0, 0, self.pace))
            - sum(map(_product, visit_part(Visit()), effects[1:5]))
        )
        mean, first = self.clinic.step, self.started_at
        parts: dict[Visit, float] = {}

        def minutes(visit: Visit, at: float, order: int) -> float:
            of_visit = parts.get(visit)
            if of_visit is None:
                of_visit = parts[visit] = sum(map(_product, visit_part(visit), effects[1:5]))
            along = 0.0 if first is None else min(1.5, (at - first) / 240)
            place = min(2.0, order / 20)
            moving = along * (effects[6] + effects[7] * along + effects[10] * place)
            moving += place * (effects[8] + effects[9] * place)
            return mean * min(_MOST, max(_LEAST, always + of_visit + moving))

        return minutes

    def steps(self, visits: Sequence[Visit], at: float, order: int) -> list[float]:
        """What each of some consultations one after the other is expected to take, the first from that minute on."""
        found: list[float] = []
        minutes = self.stepper()
        for place, visit in enumerate(visits, start=order):
            found.append(minutes(visit, at, place))
            at += found[-1]
        return found

    def predict(self, ahead: Sequence[Visit]) -> dict[int, Range]:
        """The minutes until the one so many places later starts, at the moment one has started; by distance.

        Args:
            ahead: who is to be seen after the one who just started, in order. A prediction k places ahead asks for
                k - 1 of them; the target itself is nobody's business here.
        """
        found = {}
        line = [self._current, *ahead][: DISTANCES[-1]]
        total = 0.0
        for steps, minutes in enumerate(self.steps(line, self._last, self.order), start=1):
            total += minutes
            if steps in self.clinic.spreads:
                by = self.clinic.quantiles(steps)
                found[steps] = Range(total * by.p50, total * by.p90)
                self._open.setdefault(self.order + steps, {})[steps] = _Given(self._worked, total, found[steps])
        return found
