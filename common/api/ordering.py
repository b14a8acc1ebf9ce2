"""``?ordering`` of lists."""

from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet
from rest_framework.filters import OrderingFilter
from rest_framework.request import Request

OWN = frozenset({"id", "-id", "pk", "-pk"})


class Ordering(OrderingFilter):
    """As the client asks, and equals by their id in the direction of the last field.

    Rows that are equal come in any order from the database, so that one page could show again what another one had, and
    a third leave it out.
    """

    def remove_invalid_fields(
        self, queryset: QuerySet[Any], fields: Iterable[str], view: Any, request: Request
    ) -> list[str]:
        """What of it the view knows, with the id behind it."""
        known: list[str] = list(super().remove_invalid_fields(queryset, fields, view, request))
        if known and OWN.isdisjoint(known):
            known.append("-pk" if known[-1].startswith("-") else "pk")
        return known
