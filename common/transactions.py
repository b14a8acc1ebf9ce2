"""The outermost transaction of a request, a job or a command."""

from collections.abc import Callable
from typing import Final, TypeVar

from django.db import transaction

from common.errors import Busy

T = TypeVar("T")

ATTEMPTS: Final = 3


class RunAgain(Exception):
    """What was read before the lock no longer holds: roll the whole transaction back and run it again."""


def outermost(work: Callable[[], T]) -> T:
    """Run ``work`` in a transaction of its own, again from the start each time it raises ``RunAgain``.

    Raises:
        RuntimeError: a transaction is already open, so a rollback here would not be a rollback.
        Busy: things changed under ``work`` every time.
    """
    for _ in range(ATTEMPTS):
        try:
            with transaction.atomic(durable=True):
                return work()
        except RunAgain:
            continue
    raise Busy
