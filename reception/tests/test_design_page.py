"""The living page shows each part that pages are made of."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from common.templatetags import ui
from reception.tests.factories import Hall

pytestmark = pytest.mark.django_db

FOLDER = Path(settings.BASE_DIR, "templates")
# The frame itself, which every page shows.
FRAME = {f"components/_{name}.html" for name in ("bar", "lost", "nav", "sprite", "toasts")}


@pytest.fixture
def page() -> str:
    return Hall().asha.get("/design/").content.decode()


def test_every_component_appears(page: str) -> None:
    answer = Hall().asha.get("/design/")
    shown = {template.name for template in answer.templates}
    there = {str(path.relative_to(FOLDER)) for path in (FOLDER / "components").glob("*.html")}
    assert there - FRAME <= shown


def test_every_tag_appears() -> None:
    source = (FOLDER / "design.html").read_text() + (FOLDER / "components" / "_nav.html").read_text()
    assert [name for name in ui.register.tags if not re.search(rf"{{% {name}\b", source)] == []


def test_every_icon_and_mark_appears(page: str) -> None:
    sprite = set(re.findall(r'<symbol id="([^"]+)"', page))
    assert sprite == set(re.findall(r'<use href="#([^"]+)"', page))


def test_every_state_of_a_field_appears(page: str) -> None:
    assert page.count('aria-invalid="true"') == 1
    assert "Enter a year from 1900 to 2026, such as 1972" in page
    assert 'id="id_born-error"' in page
    assert 'aria-describedby="id_born-error"' in page
    assert re.search(r"<input[^>]*disabled", page)


def test_it_is_for_staff() -> None:
    assert Client().get("/design/").status_code == 302
