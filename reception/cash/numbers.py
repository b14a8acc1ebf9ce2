"""Numbers of papers as people type them: `B-2026-000012`, `b12`, `b 2026 12`, `bill 12`, `R-12`, or just `12`."""

import re
from dataclasses import dataclass
from typing import Final

from billing.models import Counter
from billing.states import CounterKind

_WRITTEN: Final = re.compile(
    r"(?:(?P<kind>b(?:ill)?|r(?:eceipt)?|v(?:oucher)?|c(?:redit(?:\s+note)?)?)[\s.#/-]*)?"
    r"(?:(?P<year>20\d\d)(?:[\s./-]+|(?=\d{6}$)))?#?(?P<figure>\d{1,8})",
    re.IGNORECASE,
)
_BARE: Final = (CounterKind.BILL, CounterKind.RECEIPT)
"""What a number without its letter may be."""
_YEARS: Final = 6
"""Of how many years a number without its year is looked for, the newest first."""


@dataclass(frozen=True, slots=True)
class Typed:
    """A number that somebody typed.

    Attributes:
        kinds: what it may be the number of.
        year: None where it was not said.
        bare: whether no letter says what it is the number of.
    """

    kinds: tuple[CounterKind, ...]
    year: int | None
    figure: int
    bare: bool

    @property
    def exact(self) -> bool:
        """Whether it can be nothing but the number of one paper."""
        return self.year is not None and not self.bare


def typed(text: str) -> Typed | None:
    """What a text says as a number; nothing where it is none."""
    found = _WRITTEN.fullmatch(text.strip())
    if found is None or not int(found["figure"]):
        return None
    kind = found["kind"]
    kinds = (CounterKind(kind[0].upper()),) if kind else _BARE
    return Typed(kinds, int(found["year"]) if found["year"] else None, int(found["figure"]), bare=not kind)


def numbers_of(facility_id: int, wanted: Typed) -> dict[CounterKind, list[str]]:
    """The numbers that were given and may be meant, by their kind. One query, none where the year was said.

    They are whole, so that each is found by the index of numbers, however many years there are.
    """
    if wanted.year is not None:
        return {kind: [f"{kind.value}-{wanted.year}-{wanted.figure:06d}"] for kind in wanted.kinds}
    given = Counter.objects.filter(facility_id=facility_id, kind__in=wanted.kinds, last__gte=wanted.figure)
    found: dict[CounterKind, list[str]] = {kind: [] for kind in wanted.kinds}
    for kind, year in given.order_by("-year").values_list("kind", "year")[: _YEARS * len(wanted.kinds)]:
        found[CounterKind(kind)].append(f"{kind}-{year}-{wanted.figure:06d}")
    return found
