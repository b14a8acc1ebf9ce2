"""The arithmetic of bills once more, in whole cents: written from the prose, and not from `billing.rules`.

Amounts are integers of cents, quantities of thousandths, percentages of hundredths, so no rounding hides in a Decimal.
"""

from dataclasses import dataclass


class No(Exception):
    """The model refuses; any of these codes is a fair answer, for more than one thing may be wrong."""

    def __init__(self, *codes: str) -> None:
        super().__init__(*codes)
        self.codes = set(codes)


def half_up(above: int, below: int) -> int:
    """`above / below`, to the whole cent, a half goes up."""
    return (2 * above + below) // (2 * below)


def share_out(amount: int, weights: list[int]) -> list[int]:
    """Split cents by weight, nothing lost: each gets the whole cents of its share, the rest go to the largest
    remainders, the earlier line first where two are equal."""
    whole = sum(weights)
    if not whole:
        return [0 for _ in weights]
    parts = [amount * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(amount * weights[i] % whole), i))
    for i in by_remainder[: amount - sum(parts)]:
        parts[i] += 1
    return parts


@dataclass
class Off:
    """A discount: so many cents, or so many hundredths of a percent."""

    cents: int | None = None
    percent: int | None = None

    def of(self, amount: int) -> int:
        """What it takes from an amount."""
        return self.cents if self.cents is not None else half_up(amount * (self.percent or 0), 10_000)


@dataclass
class Asked:
    """A line as it is asked for."""

    price: int
    quantity: int = 1000
    off: Off | None = None
    tax: int = 0
    included: bool = False
    department: int | None = None


@dataclass
class Ln:
    """A line as it is billed, and what was credited of it since."""

    gross: int
    discount: int
    tax: int
    total: int
    department: int | None
    credited: int = 0
    tax_credited: int = 0


def bill_lines(asked: list[Asked], off: Off | None = None) -> list[Ln]:
    """The arithmetic of a bill: gross, own discount, the share of the bill's discount, then the tax on what is left.

    Raises:
        No: nothing is asked for, or more is taken off than there is.
    """
    if not asked:
        raise No("no_lines")
    gross = [half_up(line.quantity * line.price, 1000) for line in asked]
    own = [line.off.of(amount) if line.off else 0 for line, amount in zip(asked, gross, strict=True)]
    left = [amount - less for amount, less in zip(gross, own, strict=True)]
    if min(left) < 0 or (off and off.of(sum(left)) > sum(left)):
        raise No("discount_too_large")
    shares = share_out(off.of(sum(left)), left) if off else [0] * len(left)
    lines = []
    for line, amount, less, share in zip(asked, gross, own, shares, strict=True):
        net = amount - less - share
        tax = half_up(net * line.tax, 10_000 + (line.tax if line.included else 0))
        total = net if line.included else net + tax
        lines.append(Ln(amount, less + share, tax, total, line.department))
    return lines
