"""A figure's numbers as a table: what stands under the picture, and the same as CSV. Pure."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from django.utils import dateformat

from reports import words


class Kind(StrEnum):
    """What a column holds, which says how it is written."""

    TEXT = "text"
    COUNT = "count"
    MINUTES = "minutes"
    SHARE = "percent"
    MONEY = "money"
    DATE = "date"
    MOMENT = "moment"


_LEFT: Final = (Kind.TEXT, Kind.DATE, Kind.MOMENT)
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What makes a spreadsheet take a text for a formula, full-width forms too."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its heading and what it holds."""

    label: str
    kind: Kind = Kind.TEXT

    @property
    def at_the_end(self) -> bool:
        """Whether it aligns at the end, as numbers do."""
        return self.kind not in _LEFT


@dataclass(frozen=True, slots=True)
class Cell:
    """A value as it is shown."""

    text: str
    at_the_end: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Numbers with their headings. The first column names the row.

    Attributes:
        rows: values as they are: whole numbers, Decimals, dates on the facility's clock; None where there is none.
        foot: the row of all.
        currency: of the columns that hold money.
    """

    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]]
    foot: Sequence[Any] | None = None
    currency: str = "INR"

    @property
    def shown(self) -> list[list[Cell]]:
        """The rows as people read them."""
        return [self._cells(row) for row in self.rows]

    @property
    def shown_foot(self) -> list[Cell]:
        """The last row; empty where there is none."""
        return self._cells(self.foot) if self.foot else []

    def _cells(self, row: Sequence[Any]) -> list[Cell]:
        return [
            Cell(_text(value, column.kind, self.currency), column.at_the_end)
            for value, column in zip(row, self.columns, strict=True)
        ]

    def as_csv(self) -> str:
        """The same for a spreadsheet: plain numbers, units in the headings, and no text that is a formula there."""
        written = io.StringIO()
        writer = csv.writer(written)
        writer.writerow([_heading(column, self.currency) for column in self.columns])
        for row in [*self.rows, *([self.foot] if self.foot else [])]:
            writer.writerow([_plain(value) for value in row])
        return written.getvalue()


def _text(value: Any, kind: Kind, currency: str) -> str:
    if value is None:
        return "" if kind in _LEFT else words.NOTHING
    match kind:
        case Kind.MONEY:
            return words.money(value, currency)
        case Kind.COUNT:
            return words.count(value)
        case Kind.MINUTES:
            return words.minutes(value)
        case Kind.SHARE:
            return words.share(value)
        case Kind.DATE | Kind.MOMENT if isinstance(value, date):
            return dateformat.format(value, "j M Y" if kind == Kind.DATE else "j M, H:i")
    return str(value)


def _heading(column: Column, currency: str) -> str:
    unit = {Kind.MONEY: currency, Kind.MINUTES: "minutes", Kind.SHARE: "percent"}.get(column.kind)
    return harmless(f"{column.label} ({unit})" if unit else column.label)


def _plain(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="minutes")
    if isinstance(value, date | int | Decimal):
        return str(value)
    return harmless(str(value))


def harmless(text: str) -> str:
    """A text that no spreadsheet runs: one that would be a formula begins with an apostrophe."""
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text
