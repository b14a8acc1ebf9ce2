"""What the model in `naive.py` says in whole cents, in the words of the product."""

from decimal import Decimal

from billing.rules import LineIn, Off
from billing.tenders import Tender
from billing.tests import cents, records


def decimal(number: int, places: int = 2) -> Decimal:
    """Cents as an amount."""
    return Decimal(number).scaleb(-places)


def off_of(off: cents.Off | None) -> Off | None:
    """The same discount in the words of the product."""
    if off is None:
        return None
    return Off(amount=decimal(off.cents)) if off.cents is not None else Off(percent=decimal(off.percent or 0))


def line_of(line: cents.Asked) -> LineIn:
    """The same line in the words of the product."""
    return LineIn(
        "Service",
        decimal(line.price),
        quantity=decimal(line.quantity, 3),
        off=off_of(line.off),
        discount_reason="staff" if line.off else "",
        tax_percent=decimal(line.tax),
        tax_included=line.included,
        department_id=line.department,
    )


def tender_of(tender: records.Tender) -> Tender:
    """The same tender in the words of the product."""
    return Tender(tender.method, decimal(tender.amount), reference=tender.reference)
