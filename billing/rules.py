"""The arithmetic of bills. Pure: no Django, no clock, no settings.

Every amount is a `Decimal` in the facility's currency with two decimals. What is rounded is rounded once, half up, a
line at a time: a bill is the sum of its rounded lines, so no cent appears or is lost between a line and the total.
What is shared out (a discount on the bill, a credit note) is shared by largest remainder, to the cent.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Final, Literal

CENT: Final = Decimal("0.01")
ZERO: Final = Decimal("0.00")
HUNDRED: Final = Decimal(100)
MOST: Final = Decimal("999999999.99")
"""The largest amount of a line; a bill of a thousand such lines still fits its column."""
MOST_OF_ONE: Final = Decimal(1_000_000)
"""The largest quantity of a line."""
MOST_LINES: Final = 1000
_WRITTEN: Final = re.compile(r"[0-9]{1,20}(\.[0-9]{0,20})?|\.[0-9]{1,20}")
"""No exponent, no underscore, no figures of other scripts: all of them are numbers to Python."""

Status = Literal["open", "part_paid", "paid"]


class NotMoney(ValueError):
    """Not an amount (or quantity, or percentage) that money has: a sign, too many decimals, too large."""


class OffTooLarge(ValueError):
    """A discount is more than what it is taken from."""


def rounded(amount: Decimal) -> Decimal:
    """To the cent, half up."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def exact(value: Decimal, *, decimals: int = 2, most: Decimal = MOST) -> Decimal:
    """The value, where it needs no rounding.

    Args:
        decimals: how many it may have.
        most: the largest that is taken; the smallest is 0.

    Raises:
        NotMoney: below zero, above `most`, no number, or with more decimals.
    """
    if not value.is_finite() or not 0 <= value <= most:
        raise NotMoney(str(value))
    kept = value.quantize(Decimal(1).scaleb(-decimals))
    if kept != value:
        raise NotMoney(str(value))
    return abs(kept)  # there is a zero below zero, which would be shown with its sign


def read(text: str) -> Decimal:
    """A number as people write it, spaces around it allowed.

    Raises:
        NotMoney: it is none.
    """
    if not _WRITTEN.fullmatch(text.strip()):
        raise NotMoney(text)
    return Decimal(text.strip())


def many(text: str) -> Decimal:
    """How many of something, as people write it: above zero, with three decimals at most.

    Raises:
        NotMoney: it is no such number.
    """
    return _quantity(read(text))


def _quantity(value: Decimal) -> Decimal:
    found = exact(value, decimals=3, most=MOST_OF_ONE)
    if not found:
        raise NotMoney("0")
    return found


@dataclass(frozen=True, slots=True)
class Off:
    """A discount: either an amount or a percentage of what it is taken from.

    Raises:
        NotMoney: neither or both are given, or one that is below zero or has more than two decimals.
    """

    amount: Decimal | None = None
    percent: Decimal | None = None

    def __post_init__(self) -> None:
        """Refuse what is neither."""
        if (self.amount is None) == (self.percent is None):
            raise NotMoney("a discount is an amount or a percentage")
        if self.amount is not None:
            exact(self.amount)
        if self.percent is not None:
            exact(self.percent, most=HUNDRED)

    @classmethod
    def parse(cls, text: str) -> "Off":
        """Read "50.00" as an amount, "10%" as a percentage.

        Raises:
            NotMoney: it is neither.
        """
        text = text.strip()
        return cls(percent=read(text[:-1])) if text.endswith("%") else cls(amount=read(text))

    def of(self, base: Decimal) -> Decimal:
        """What it takes from `base`, to the cent.

        Raises:
            OffTooLarge: more than `base`.
        """
        taken = self.amount if self.amount is not None else rounded(base * (self.percent or ZERO) / HUNDRED)
        if taken > base:
            raise OffTooLarge(str(taken))
        return taken


@dataclass(frozen=True, slots=True)
class LineIn:
    """A line of a bill to be: what, how many, at what price, and for which object.

    Attributes:
        quantity: above zero, up to three decimals.
        tax_included: whether `unit_price` has the tax in it already.
        item_type, item_id: what it stands for, in whatever app.
        department_id, doctor_id: whose revenue it is.
    """

    description: str
    unit_price: Decimal
    quantity: Decimal = Decimal(1)
    off: Off | None = None
    discount_reason: str = ""
    tax_percent: Decimal = Decimal(0)
    tax_included: bool = False
    item_type: str = ""
    item_id: int | None = None
    department_id: int | None = None
    doctor_id: int | None = None


@dataclass(frozen=True, slots=True)
class LineSum:
    """The amounts of a line. `total` is what it adds to the bill; `discount` has its share of the bill's."""

    gross: Decimal
    discount: Decimal
    tax: Decimal
    total: Decimal


@dataclass(frozen=True, slots=True)
class Totals:
    """The amounts of a bill: sums of those of its lines, which stand in the order in which they were given."""

    lines: tuple[LineSum, ...]
    gross: Decimal
    discount: Decimal
    tax: Decimal
    total: Decimal

    @property
    def discount_percent(self) -> Decimal:
        """How much of the bill is given away, in percent with two decimals."""
        return rounded(self.discount * HUNDRED / self.gross) if self.gross else ZERO


def totals(lines: Sequence[LineIn], off: Off | None = None) -> Totals:
    """What a bill of these lines comes to.

    Gross is quantity by price, rounded half up. A line's own discount comes off first, then its share of the
    bill's, which is spread over what is left of the lines. The tax is reckoned on what is left after both: added to
    it, or taken out of it where prices have it in them.

    Args:
        off: a discount on the bill.

    Raises:
        NotMoney: a price, quantity or percentage is none, or no line has room in its column.
        OffTooLarge: a discount is more than what it is taken from.
    """
    grosses = [gross_of(line) for line in lines]
    own = [line.off.of(gross) if line.off else ZERO for line, gross in zip(lines, grosses, strict=True)]
    left = [gross - taken for gross, taken in zip(grosses, own, strict=True)]
    shares = spread(off.of(sum(left, ZERO)), left) if off else [ZERO] * len(left)
    sums = tuple(
        _line_sum(line, gross, taken + share)
        for line, gross, taken, share in zip(lines, grosses, own, shares, strict=True)
    )
    return Totals(
        sums,
        gross=sum((one.gross for one in sums), ZERO),
        discount=sum((one.discount for one in sums), ZERO),
        tax=sum((one.tax for one in sums), ZERO),
        total=sum((one.total for one in sums), ZERO),
    )


def gross_of(line: LineIn) -> Decimal:
    """Quantity by unit price, rounded half up.

    Raises:
        NotMoney: one of them has too many decimals, is too large, or the quantity is not above zero.
    """
    return exact(rounded(_quantity(line.quantity) * exact(line.unit_price)))


def _line_sum(line: LineIn, gross: Decimal, discount: Decimal) -> LineSum:
    left = gross - discount
    percent = exact(line.tax_percent, most=HUNDRED)
    if line.tax_included:
        return LineSum(gross, discount, rounded(left * percent / (HUNDRED + percent)), left)
    tax = rounded(left * percent / HUNDRED)
    return LineSum(gross, discount, tax, exact(left + tax))


def spread(amount: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """Share an amount in proportion to weights, to the cent: the shares sum to the amount exactly.

    The largest remainder method: everybody gets the share rounded down, and the cents that are left go one each to
    the largest remainders, the first of equals first. Where the amount is at most the sum of the weights, no share
    is more than its weight.

    Args:
        amount: with two decimals, not below zero.
        weights: with two decimals, none below zero.

    Raises:
        ValueError: an amount is to be shared and all weights are zero.
    """
    # In whole cents, so that remainders that are equal are found to be: a third has no end in decimals.
    parts = [_cents(weight) for weight in weights]
    whole = sum(parts)
    if not whole:
        if amount:
            raise ValueError("nothing to share by")
        return [ZERO] * len(weights)
    shares, remainders = zip(*(divmod(_cents(amount) * part, whole) for part in parts), strict=True)
    over = _cents(amount) - sum(shares)
    first = set(sorted(range(len(parts)), key=lambda index: -remainders[index])[:over])
    return [(share + (index in first)) * CENT for index, share in enumerate(shares)]


def _cents(amount: Decimal) -> int:
    return int(amount.scaleb(2))


@dataclass(frozen=True, slots=True)
class Left:
    """What a line was issued with, and what credit notes took off it before."""

    total: Decimal
    tax: Decimal
    credited: Decimal = ZERO
    tax_credited: Decimal = ZERO

    @property
    def amount(self) -> Decimal:
        """What can still be taken off."""
        return self.total - self.credited


def credit(amount: Decimal, lines: Sequence[Left]) -> list[tuple[Decimal, Decimal]]:
    """Spread a credit over what is left of the lines: (amount, the tax in it) of each.

    The tax follows the amount credited in all, so that a line credited in many steps gives back exactly its tax.

    Args:
        amount: taxes included; at most the sum of what is left.

    Raises:
        OffTooLarge: more than what is left.
    """
    if amount > sum((line.amount for line in lines), ZERO):
        raise OffTooLarge(str(amount))
    shares = spread(amount, [line.amount for line in lines])
    return [(share, _tax_in(share, line)) for share, line in zip(shares, lines, strict=True)]


def _tax_in(share: Decimal, line: Left) -> Decimal:
    if not share:
        return ZERO
    return rounded(line.tax * (line.credited + share) / line.total) - line.tax_credited


def status_of(*, total: Decimal, credited: Decimal, paid: Decimal) -> Status:
    """Where an issued bill is, by its amounts: nothing due is paid, also where nothing was asked for."""
    if total - credited - paid <= 0:
        return "paid"
    return "part_paid" if paid > 0 else "open"
