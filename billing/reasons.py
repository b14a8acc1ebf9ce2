"""Why somebody did it: what the history keeps beside voids, credit notes, refunds and differences."""

from typing import Final

from billing.errors import ReasonNeeded, ReasonTooLong

LONGEST: Final = 300
"""Characters, as the tables have room for."""


def reason_of(text: str, *, needed: bool = True) -> str:
    """A reason as it is kept, without spaces around it.

    Args:
        needed: whether it may be left out.

    Raises:
        ReasonNeeded: 400, there is none.
        ReasonTooLong: 400.
    """
    reason = text.strip()
    if needed and not reason:
        raise ReasonNeeded(attr="reason")
    if len(reason) > LONGEST:
        raise ReasonTooLong(attr="reason", longest=LONGEST)
    return reason
