"""The outermost transaction of a request, a job or a command."""

import logging
import random
import time
from collections.abc import Callable
from typing import Final, TypeVar

from django.db import OperationalError, transaction

from common.errors import Busy

T = TypeVar("T")

ATTEMPTS: Final = 5
CUT_OFF: Final = frozenset({"40P01", "40001"})
"""By SQLSTATE, what PostgreSQL cuts off though nothing was wrong with it: a deadlock, and a conflict of snapshots."""

PAUSE: Final = (0.01, 0.05)
"""Seconds before the next run, holding nothing: whoever waited is just waking up, and gets on first."""

logger = logging.getLogger(__name__)


class RunAgain(Exception):
    """What was read before the lock no longer holds: roll the whole transaction back and run it again."""


def outermost(work: Callable[[], T]) -> T:
    """Run ``work`` in a transaction of its own; again from the start where it raises ``RunAgain`` or was cut off.

    Whoever waits for somebody who waits for them is cut off by PostgreSQL; the other one goes on, so that the second
    run finds the way free. Nothing is done twice: what was written, an idempotency key that was claimed and what was
    to follow the commit are gone with the transaction. So ``work`` changes nothing outside of the database. A lock that
    is not free in time is not waited for again.

    Raises:
        RuntimeError: a transaction is already open, so a rollback here would not be a rollback.
        Busy: things changed under ``work`` every time, or it was cut off every time.
    """
    for _ in range(ATTEMPTS):
        try:
            with transaction.atomic(durable=True):
                return work()
        except RunAgain:
            continue
        except OperationalError as error:
            if not was_cut_off(error):
                raise
            logger.warning("run again: %s", error)
            time.sleep(random.uniform(*PAUSE))
    raise Busy


def was_cut_off(error: OperationalError) -> bool:
    """Whether PostgreSQL gave this transaction up for another one's sake, so that it may succeed if it is run again."""
    return getattr(error.__cause__, "sqlstate", None) in CUT_OFF
