"""Figures as files for a spreadsheet."""

import io
import zipfile
from collections.abc import Sequence

from reports.figures.figure import Figure
from reports.queries.scope import Scope


def one(figure: Figure) -> bytes:
    """A figure's table; empty where there was nothing to count. The mark in front tells spreadsheets it is UTF-8."""
    return (figure.table.as_csv() if figure.table else "").encode("utf-8-sig")


def name(figure: Figure, scope: Scope) -> str:
    """What its file is called: waits-2026-11-21, and "-part" behind it where it is about a part of the house."""
    return f"{figure.key}-{scope.period.code}{'-part' if scope.narrowed or scope.source else ''}"


def archive(figures: Sequence[Figure], scope: Scope) -> bytes:
    """All figures in one archive, a file each."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as files:
        for figure in figures:
            files.writestr(f"{name(figure, scope)}.csv", one(figure))
    return packed.getvalue()
