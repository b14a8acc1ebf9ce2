"""The ways to pay as they stand on a form, and the notes of a house."""

from typing import Any

from billing.models import BillingSettings
from billing.models.setup import indian_notes
from billing.states import Method
from reception.cash.rows import METHOD_WORDS


def methods(*, cash: bool, account: bool) -> list[dict[str, Any]]:
    """The ways to pay with their keys; what cannot be used now is shown and cannot be chosen."""
    closed = {Method.CASH: not cash, Method.ACCOUNT: not account}
    return [
        {"value": method.value, "words": words, "key": key, "closed": closed.get(method, False)}
        for key, (method, words) in enumerate(METHOD_WORDS.items(), 1)
    ]


def denominations(facility_id: int) -> list[Any]:
    """Notes and coins of a facility, the largest first. One query."""
    rules = BillingSettings.objects.filter(pk=facility_id).values_list("denominations", flat=True).first()
    return list(rules or indian_notes())
