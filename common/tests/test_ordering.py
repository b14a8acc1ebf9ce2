"""Lists in an order that a client asked for: the same on every page."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from common.api.ordering import Ordering

VIEW: Any = SimpleNamespace(ordering_fields=("id", "total", "date"), ordering=("-date",))


@pytest.mark.parametrize(
    ("asked", "ordered"),
    [
        ("total", ["total", "pk"]),
        ("-total", ["-total", "-pk"]),
        ("date,-total", ["date", "-total", "-pk"]),
        ("total,-id", ["total", "-id"]),
        ("name", ("-date",)),
        ("", ("-date",)),
    ],
)
def test_equals_are_ordered_by_their_id(asked: str, ordered: Any) -> None:
    request, rows = SimpleNamespace(query_params={"ordering": asked}), SimpleNamespace()
    assert Ordering().get_ordering(cast("Any", request), cast("Any", rows), VIEW) == ordered
