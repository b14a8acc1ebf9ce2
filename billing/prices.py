"""From the price list to the lines of a bill."""

import datetime as dt
from decimal import Decimal

from billing.models import Price, TaxRate
from billing.queries.prices import tax_rates
from billing.rules import LineIn, Off


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
