"""Amounts as people read and write them: ₹1,56,720.00. Money is Decimal; nothing here knows a float."""

import re
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

CENT: Final = Decimal("0.01")
MINUS: Final = "\N{MINUS SIGN}"
_SYMBOLS: Final = {"INR": "₹", "USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "NGN": "₦", "PHP": "₱", "BDT": "৳"}
_LAKHS: Final = frozenset({"INR", "BDT", "NPR", "PKR", "LKR"})
"""Currencies whose thousands are grouped by two: 23,75,464.50."""
_DECIMAL_COMMA: Final = re.compile(r",\d{0,2}$|,\d?,|,\d?\.")
_WRITTEN: Final = re.compile(r"[0-9]{1,12}(\.[0-9]{1,2})?|\.[0-9]{1,2}")


def symbol(currency: str) -> str:
    """What stands before an amount: ₹, or the code with a space where the currency has no sign of its own."""
    return _SYMBOLS.get(currency, f"{currency}\N{NO-BREAK SPACE}")


def figures(amount: Decimal, currency: str = "INR") -> str:
    """An amount without its currency: 1,56,720.00; below zero with a minus as wide as the figures."""
    text = str(abs(amount).quantize(CENT, ROUND_HALF_UP))
    whole, _, cents = text.partition(".")
    return f"{MINUS if amount < 0 else ''}{_grouped(whole, 2 if currency in _LAKHS else 3)}.{cents}"


def said(amount: Decimal, currency: str = "INR") -> str:
    """An amount with its currency: ₹1,56,720.00, and −₹50.00 below zero."""
    return f"{MINUS if amount < 0 else ''}{symbol(currency)}{figures(abs(amount), currency)}"


def brief(amount: Decimal, currency: str = "INR") -> str:
    """The same without cents where there are none: ₹600, for a line that has little room."""
    return said(amount, currency).removesuffix(".00")


def plain(amount: Decimal) -> str:
    """An amount as a field has it: 1284.50, and 650 where there are no cents."""
    text = f"{amount:.2f}"
    return text.removesuffix(".00")


def _grouped(whole: str, size: int) -> str:
    """The last three figures stand together, those before them by `size`."""
    head, tail = whole[:-3], whole[-3:]
    groups: list[str] = []
    while head:
        head, group = head[:-size], head[-size:]
        groups.insert(0, group)
    return ",".join([*groups, tail])


def read(text: str) -> Decimal | None:
    """What somebody typed as an amount: `650`, `1,000.00`, `₹ 650`; nothing where it is none or below zero."""
    kept = re.sub(r"^[^\d.,+()\-\u2212]{0,4}(?=[\d.])|\s", "", text.strip())
    if _DECIMAL_COMMA.search(kept):  # 650,50 is no 65,050
        return None
    kept = kept.replace(",", "")
    if not _WRITTEN.fullmatch(kept):
        return None
    return Decimal(kept).quantize(CENT)
