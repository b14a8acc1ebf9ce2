"""Estimates that patients were shown: kept, and compared with what happened.

Who shows one says so and goes on; the process's own thread writes them together, seconds later. A page that is looked
at every few seconds leaves one row in some minutes.
"""

import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from django.db import InterfaceError, OperationalError
from django.utils import timezone

from tokens.models import WaitEstimate
from tokens.waits.consultations import Score, score
from tokens.waits.estimate import Wait

EVERY: Final = 300.0
"""Seconds in which a token's estimate is kept once."""
_MOST_WAITING: Final = 5000
_waiting: deque[WaitEstimate] = deque(maxlen=_MOST_WAITING)
_last: dict[int, float] = {}


def given(
    token_id: int, wait: Wait | None, *, where: str, ahead: int | None = None, at: datetime | None = None
) -> None:
    """Remember that a patient was shown an estimate; returns at once, and asks the database nothing.

    Args:
        where: "page", "slip", "kiosk" or "api".
        ahead: how many stood before the token.
        at: when it was estimated; now where that is not said.
    """
    now = time.monotonic()
    if wait is None or _last.get(token_id, -EVERY) + EVERY > now:
        return
    if len(_last) >= _MOST_WAITING:
        _forget(now)
    _last[token_id] = now
    _waiting.append(
        WaitEstimate(
            token_id=token_id,
            given_at=at or timezone.now(),
            where=where,
            ahead=ahead,
            p50_minutes=wait.p50,
            p90_minutes=wait.p90,
            correction=wait.correction,
        )
    )


def _forget(now: float) -> None:
    """Forget tokens that may be kept again; all of them where even those are too many."""
    for token_id in [token_id for token_id, at in list(_last.items()) if at + EVERY <= now]:
        _last.pop(token_id, None)
    if len(_last) >= _MOST_WAITING:
        _last.clear()


def flush() -> int:
    """Write what was given since the last time; returns how many. One statement, or none.

    Raises:
        OperationalError, InterfaceError: the database is away; what was to be written waits for it.
    """
    rows = []
    while _waiting:
        rows.append(_waiting.popleft())
    if rows:
        try:
            WaitEstimate.objects.bulk_create(rows)
        except (OperationalError, InterfaceError):
            _waiting.extendleft(reversed(rows))
            raise
    return len(rows)


def forget() -> None:
    """Forget what was not written."""
    _waiting.clear()
    _last.clear()


# What came of them

GROUPS: Final = ((0, 0), (1, 2), (3, 4), (5, 7), (8, None))
"""People ahead, from and to, that are judged together."""


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How estimates turned out that were given with so many ahead.

    Attributes:
        least, most: people ahead; `most` is None where there is no end, both where it was not known.
        score: how many, how far off p50 was in minutes, and the shares that started before p50 and p90.
    """

    least: int | None
    most: int | None
    score: Score


def accuracy(facility_id: int, date_from: date, date_to: date) -> list[Accuracy]:
    """How the estimates of some days turned out, by how many were ahead; of those seen since. One query."""
    rows = WaitEstimate.objects.filter(
        token__session__facility=facility_id,
        token__session__date__range=(date_from, date_to),
        token__started_at__isnull=False,
    ).values_list("ahead", "p50_minutes", "p90_minutes", "given_at", "token__started_at")
    told = [
        (ahead, (p50, p90, (started - given_at).total_seconds() / 60))
        for ahead, p50, p90, given_at, started in rows
        if started is not None and started >= given_at
    ]
    groups = [
        Accuracy(least, most, _score(least, (one for ahead, one in told if _between(ahead, least, most))))
        for least, most in GROUPS
    ]
    unknown = _score(0, (one for ahead, one in told if ahead is None))
    return [*groups, Accuracy(None, None, unknown)] if unknown.n else groups


def _between(ahead: int | None, least: int, most: int | None) -> bool:
    return ahead is not None and least <= ahead and (most is None or ahead <= most)


def _score(ahead: int, outcomes: Iterable[tuple[float, float, float]]) -> Score:
    return score(ahead, list(outcomes))
