"""What both measurements of live screens need: the changes, and figures of how long they took to arrive."""

import http.client
from collections.abc import Iterator
from typing import Any

from benchmarks.http_load import HOST


def percentiles(seconds: list[float], lost: int) -> dict[str, Any]:
    """The distribution as it stands in bench.json, in milliseconds; lost ones are later than all others."""
    ordered = sorted(seconds)
    total = len(ordered) + lost
    within = sum(each <= 1 for each in ordered)
    figures: dict[str, Any] = {"samples": total, "lost": lost, "within_a_second": round(within / total, 4)}
    for percent in (50, 95, 99):
        at = total * percent // 100
        figures[f"p{percent}_ms"] = round(ordered[at] * 1000, 1) if at < len(ordered) else None
    return figures | {"max_ms": round(ordered[-1] * 1000, 1) if ordered else None}


class Arrivals:
    """Requests by which patients arrive, one after the other, over one connection."""

    def __init__(self, port: int, bearer: str, tokens: Iterator[int]) -> None:
        self.wire = http.client.HTTPConnection(HOST, port, timeout=30)
        self.head = {"Authorization": f"Bearer {bearer}"}
        self.tokens = tokens

    def next(self) -> None:
        """The next patient is here."""
        self.arrive(next(self.tokens))

    def arrive(self, token: int) -> None:
        """This one is."""
        self.wire.request("POST", f"/api/v1/tokens/{token}/arrive/", headers=self.head)
        answer = self.wire.getresponse()
        said = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"A change was refused: {said[:300]!r}")
