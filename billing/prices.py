"""From the price list to the lines of a bill, and back: who may bill at other prices than the list's."""

import datetime as dt
from collections.abc import Iterable, Sequence
from decimal import Decimal

from django.db.models import Q

from accounts.models import Facility, User
from accounts.permissions import allows
from billing.errors import NotInPriceList, NotTheListPrice, PartOfAPiece
from billing.models import Price, TaxRate
from billing.queries.prices import price_list, tax_rates
from billing.rules import LineIn, Off
from common.amounts import said


def line_of(
    price: Price,
    quantity: Decimal = Decimal(1),
    *,
    on: dt.date | None = None,
    off: Off | None = None,
    discount_reason: str = "",
    doctor_id: int | None = None,
) -> LineIn:
    """A line of a bill at a price of the list, with the tax that is in force.

    Args:
        on: the facility's date of the bill, today where none is given.
    """
    tax = tax_of(price, on or price.facility.local_date())
    return LineIn(
        description=price.name,
        unit_price=price.amount,
        quantity=quantity,
        off=off,
        discount_reason=discount_reason,
        tax_percent=tax.percent if tax else Decimal(0),
        tax_included=tax.included if tax else False,
        item_type=price.item_type,
        item_id=price.item_id,
        department_id=price.department_id,
        doctor_id=doctor_id,
    )


def tax_of(price: Price, on: dt.date) -> TaxRate | None:
    """The tax on a price on a day: what its tax, by name, is then. None where there is none, or none any more."""
    tax = price.tax
    if tax is None:
        return None
    if tax.valid_from <= on and (tax.valid_until is None or on <= tax.valid_until):
        return tax
    return tax_rates(price.facility_id, on).filter(name=tax.name).first()


def require_prices(lines: Sequence[LineIn], *, by: User | None, facility: Facility, on: dt.date) -> None:
    """Let pass who may choose prices, and lines that have the price and the tax of the list. Two queries, or none.

    They are for whole numbers of what the list names: who may bill a thousandth of it chooses its price.

    Args:
        on: the facility's date of the bill.

    Raises:
        NotInPriceList, NotTheListPrice, PartOfAPiece: 403, with the line to blame.
    """
    if by is None or allows(by, "billing.price", facility.pk):
        return
    listed = _listed(lines, facility.pk, on)
    rates = {rate.name: rate for rate in tax_rates(facility.pk, on)}
    for index, line in enumerate(lines):
        known = _prices_of(line, listed)
        if not known:
            raise NotInPriceList(attr=f"lines.{index}", description=line.description)
        if line.quantity != line.quantity.to_integral_value():
            raise PartOfAPiece(attr=f"lines.{index}.quantity", description=known[0].name)
        if not any(_is_at(line, price, _rate(price, rates)) for price in known):
            rate = _rate(known[0], rates)
            raise NotTheListPrice(
                attr=f"lines.{index}.unit_price",
                description=known[0].name,
                price=said(known[0].amount, facility.currency),
                percent=f"{rate.percent.normalize():f}" if rate else "0",
            )


def _listed(lines: Iterable[LineIn], facility_id: int, on: dt.date) -> list[Price]:
    """The prices that may be those of some of the lines."""
    types, ids = {line.item_type for line in lines}, {line.item_id for line in lines}
    names = {line.description.strip() for line in lines}
    alike = Q(item_id__in=ids - {None}) | Q(item_id=None, name__in=names)
    return list(price_list(facility_id, on).filter(alike, item_type__in=types))


def _prices_of(line: LineIn, listed: Iterable[Price]) -> list[Price]:
    """What the list has for what a line stands for: by its item, or by its name where the list knows no item.

    A thing may have several prices, such as one for the night: that of the line's name comes first.
    """
    name = line.description.strip()
    same = [price for price in listed if (price.item_type, price.item_id) == (line.item_type, line.item_id)]
    return sorted(
        (price for price in same if price.item_id is not None or price.name == name),
        key=lambda price: price.name != name,
    )


def _rate(price: Price, rates: dict[str, TaxRate]) -> TaxRate | None:
    return rates.get(price.tax.name) if price.tax else None


def _is_at(line: LineIn, price: Price, rate: TaxRate | None) -> bool:
    """Whether the line asks for the price with its tax, which makes no difference where it is none."""
    percent, included = (rate.percent, rate.included) if rate else (Decimal(0), False)
    same_tax = line.tax_percent == percent and (line.tax_included == included or not percent)
    return line.unit_price == price.amount and same_tax
