"""What things cost on a day."""

from datetime import date

from django.db.models import Q, QuerySet

from billing.models import Price, TaxRate


def _in_force(on: date) -> Q:
    return Q(valid_from__lte=on) & (Q(valid_until__isnull=True) | Q(valid_until__gte=on))


def price_list(facility_id: int, on: date, *, text: str = "", item_type: str = "") -> QuerySet[Price]:
    """The prices in force on a day, by name, with tax and department. One query.

    Args:
        on: the facility's date.
        text: a part of the name or the code.
        item_type: only those of one type, such as test.
    """
    prices = Price.objects.filter(_in_force(on), facility_id=facility_id).select_related("tax", "department")
    if text:
        prices = prices.filter(Q(name__icontains=text) | Q(code__icontains=text))
    if item_type:
        prices = prices.filter(item_type=item_type)
    return prices.order_by("name", "pk")


def tax_rates(facility_id: int, on: date) -> QuerySet[TaxRate]:
    """The taxes in force on a day, by name. One query."""
    return TaxRate.objects.filter(_in_force(on), facility_id=facility_id).order_by("name", "pk")
