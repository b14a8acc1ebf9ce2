"""What a patient usually puts on the desk for a sum: exactly it, or the next round amounts in notes. Pure."""

from collections.abc import Sequence
from decimal import ROUND_CEILING, Decimal

MOST = 4


def usual_notes(due: Decimal, denominations: Sequence[Decimal]) -> list[Decimal]:
    """The exact sum, and the next amounts that people round up to: 650, 700, 1,000, 2,000.

    Args:
        due: above zero.
        denominations: notes and coins of the facility, in any order.
    """
    if not denominations:
        return [due]
    largest = max(denominations)
    steps = [each for each in denominations if each >= largest / 50 and each.as_tuple().digits[0] in (1, 5)]
    steps += [largest * 2, largest * 4]
    found = sorted({_up(due, step) for step in steps} - {due})
    return [due, *found[: MOST - 1]]


def _up(amount: Decimal, step: Decimal) -> Decimal:
    """The next multiple of a step, the amount itself where it is one."""
    return (amount / step).to_integral_value(ROUND_CEILING) * step
