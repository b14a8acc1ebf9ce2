"""How figures are written for people: money, shares, minutes, counts. Pure."""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazily

from common import amounts
from reception.hall import SOURCE_WORDS
from tokens.states import Source

NOTHING: Final = "–"
"""Where there is no figure: too few cases, no such thing."""

SOURCES: Final[tuple[str, ...]] = (Source.EMERGENCY, Source.PAID, Source.ONLINE, Source.FOLLOW_UP, Source.WALK_IN)
"""Sources in the order in which they are drawn."""


def money(amount: Decimal, currency: str) -> str:
    """An amount with its currency: ₹23,75,464.50, and −₹20.00 below zero."""
    return amounts.said(amount, currency)


def whole(number: float, currency: str = "") -> str:
    """A round number on a scale, grouped as amounts in the currency are: 4,00,000 in rupees."""
    return amounts.figures(Decimal(int(number)), currency).removesuffix(".00")


def count(number: int) -> str:
    """A number of things: 4,617."""
    return f"{number:,}".replace("-", amounts.MINUS)


def percent(part: Decimal | int, whole: Decimal | int) -> Decimal | None:
    """A share in per cent with one decimal, rounded half up; nothing of nothing."""
    if not whole:
        return None
    return (Decimal(part) * 100 / Decimal(whole)).quantize(Decimal("0.1"), ROUND_HALF_UP)


def share(value: Decimal | None) -> str:
    """A share as it is written: 9.8 %, 7 %."""
    if value is None:
        return NOTHING
    exact = value.quantize(Decimal(1)) if value == value.to_integral_value() else value
    return f"{exact} %".replace("-", amounts.MINUS)


def roughly(part: Decimal | int, whole: Decimal | int) -> str:
    """A share in whole per cent, where that says enough: 37 %. Rounded once, half up."""
    if not whole:
        return NOTHING
    return share((Decimal(part) * 100 / Decimal(whole)).quantize(Decimal(1), ROUND_HALF_UP))


def minutes(number: int | None) -> str:
    """Minutes: 22 min, and a dash where there is no such figure."""
    return NOTHING if number is None else _("%(n)s min") % {"n": count(number)}


def source(value: str) -> str:
    """A source as people say it."""
    return str(SOURCE_WORDS[Source(value)])


_MANY: Final = {
    Source.EMERGENCY: _lazily("Emergencies"),
    Source.PAID: _lazily("Paid patients"),
    Source.ONLINE: _lazily("Online patients"),
    Source.FOLLOW_UP: _lazily("Follow-ups"),
    Source.WALK_IN: _lazily("Walk-ins"),
}


def people_of(value: str) -> str:
    """The people of a source: Walk-ins."""
    return str(_MANY[Source(value)])


def joined(parts: Sequence[str]) -> str:
    """Parts of a sentence: "a", "a and b", "a, b and c"."""
    if len(parts) < 2:
        return "".join(parts)
    return _("%(first)s and %(last)s") % {"first": ", ".join(parts[:-1]), "last": parts[-1]}


def hour(number: int) -> str:
    """An hour of the day as a scale has it: 09; 25 is 01 of the next day."""
    return f"{number % 24:02d}"
