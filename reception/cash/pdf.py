"""Papers as PDF, by WeasyPrint. A roll of 80 mm is cut where the text ends: the page is as long as that."""

from functools import cache
from pathlib import Path
from typing import Any, Final

from django.contrib.staticfiles import finders

END: Final = "end-of-paper"
"""The id of the last element of a sheet."""
_LONGEST: Final = 3000
_MARGIN: Final = 4
_MM: Final = 96 / 25.4


def pdf_of(html: str, size: str) -> bytes:
    """A sheet as PDF.

    Args:
        html: a whole document; it asks for nothing from outside.
        size: `roll` (80 mm) or `a4`.
    """
    if size == "a4":
        return _written(html, "")
    height = _height(html)
    return _written(html, f"@page roll {{ size: 80mm {height:.1f}mm; margin: {_MARGIN}mm }}")


def _height(html: str) -> float:
    """How long the text is, in mm."""
    document = _document(html, f"@page roll {{ size: 80mm {_LONGEST}mm; margin: {_MARGIN}mm }}")
    _left, top, *_rest = document.pages[0].anchors[END]
    return float(top) / _MM + 2 * _MARGIN


def _written(html: str, page: str) -> bytes:
    found = _document(html, page).write_pdf()
    assert found is not None
    return bytes(found)


def _document(html: str, page: str) -> Any:
    # Loaded when the first paper is asked for: it takes half a second and brings its fonts along.
    from weasyprint import CSS, HTML

    return HTML(string=html, url_fetcher=_nothing).render(stylesheets=[CSS(string=_sheet()), CSS(string=page)])


@cache
def _sheet() -> str:
    """How papers look; the same file that the page of the paper has."""
    path = finders.find("css/receipt.css")
    assert path is not None
    return Path(path).read_text(encoding="utf-8")


def _nothing(url: str, *args: Any, **kwargs: Any) -> Any:
    raise ValueError(f"a paper asks for nothing from outside: {url}")
