"""Amounts by two things at once: rows of people, columns of ways to pay, one scale for all bars. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.html import format_html
from django.utils.safestring import SafeString

from reports.charts import svg
from reports.words import NOTHING


@dataclass(frozen=True, slots=True)
class Amount:
    """An amount and its words; nothing where there is none."""

    value: float
    words: str


@dataclass(frozen=True, slots=True)
class Row:
    """The amounts of somebody, one for each column."""

    name: str
    about: str
    amounts: Sequence[Amount | None]


def multiples(columns: Sequence[str], rows: Sequence[Row], total: Row) -> SafeString:
    """The rows under the names of their columns, and the sum of all."""
    largest = max((abs(a.value) for row in rows for a in row.amounts if a), default=0) or 1
    head = svg.together(format_html("<span>{}</span>", name) for name in columns)
    body = [_row(row, columns, largest) for row in rows]
    return format_html(
        '<div class="mult m{}"><div class="hd" aria-hidden="true"><span></span>{}</div>{}{}</div>',
        len(columns),
        head,
        svg.together(body),
        _row(total, columns, None),
    )


def _row(row: Row, columns: Sequence[str], largest: float | None) -> SafeString:
    cells = [_cell(amount, name, largest) for amount, name in zip(row.amounts, columns, strict=True)]
    return format_html(
        '<div class="mrow{}"><span class="lab">{}{}</span>{}</div>',
        "" if largest else " tot",
        row.name,
        format_html(" <small>{}</small>", row.about) if row.about else "",
        svg.together(cells),
    )


def _cell(amount: Amount | None, column: str, largest: float | None) -> SafeString:
    """The bar above its amount; the column's name is said to those who do not see the head, and shown on a phone."""
    if amount is None:
        inside = format_html('<span class="faint">{}</span>', NOTHING)
    elif largest is None:
        inside = format_html("<span>{}</span>", amount.words)
    else:
        kind = "t1" if amount.value >= 0 else "below"
        bar = svg.drawing(8, "", svg.rect(kind, 0, abs(amount.value) / largest, 0, 8))
        inside = format_html("{}<span>{}</span>", bar, amount.words)
    return format_html('<span class="cell"><span class="mc">{} </span>{}</span>', column, inside)
