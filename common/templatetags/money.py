"""Amounts in templates: `{{ bill.total|money:bill.currency }}`."""

from decimal import Decimal

from django import template

from common import amounts

register = template.Library()


@register.filter
def money(amount: Decimal, currency: str = "INR") -> str:
    """An amount with its currency; nothing for none."""
    return "" if amount is None else amounts.said(amount, currency or "INR")


@register.filter
def figures(amount: Decimal, currency: str = "INR") -> str:
    """An amount without its currency."""
    return "" if amount is None else amounts.figures(amount, currency or "INR")


@register.filter
def short(amount: Decimal, currency: str = "INR") -> str:
    """An amount as it is called across a desk: 1,000, and 642.50 where there are cents."""
    return "" if amount is None else amounts.figures(amount, currency or "INR").removesuffix(".00")


@register.filter
def plain_amount(amount: Decimal) -> str:
    """An amount as a field has it."""
    return "" if amount is None else amounts.plain(amount)


@register.filter
def negative(amount: Decimal) -> Decimal:
    """What is taken off, with its sign."""
    return -amount


@register.filter
def currency_sign(currency: str) -> str:
    """What stands before an amount."""
    return amounts.symbol(currency or "INR").strip()


@register.filter
def quantity(number: Decimal) -> str:
    """How many, without zeros that say nothing: 2, 1.5."""
    return f"{number.normalize():f}"
