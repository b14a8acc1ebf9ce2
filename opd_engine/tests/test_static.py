"""Static files as the start packs them: named by their content, compressed, and only when they changed."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client, override_settings

from opd_engine import static

OTHERS = ["admin", "unfold", "drf_spectacular_sidecar"]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Ours alone: what packages bring takes seconds to compress."""
    monkeypatch.setattr(static, "IGNORED", [*static.IGNORED, *OTHERS])
    source = tmp_path / "source"
    (source / "js").mkdir(parents=True)
    (source / "js" / "dom.js").write_text("export const $ = (selector) => document.querySelector(selector);\n" * 20)
    (source / "js" / "desk.js").write_text('import "./dom.js";\nimport { $ } from "./dom.js";\n$("#columns");\n')
    storages = settings.STORAGES | {"staticfiles": {"BACKEND": "opd_engine.static.PackedStorage"}}
    ours = {"STATICFILES_DIRS": [source], "STATIC_ROOT": tmp_path / "packed", "WHITENOISE_USE_FINDERS": False}
    finders = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    with override_settings(STORAGES=storages, STATICFILES_FINDERS=finders, **ours):
        yield tmp_path / "packed"


def names(root: Path) -> dict[str, str]:
    found: dict[str, str] = json.loads((root / "staticfiles.json").read_text())["paths"]
    return found


def test_modules_import_each_other_by_the_names_that_they_have(root: Path) -> None:
    static.collect(print)
    dom = Path(names(root)["js/dom.js"]).name
    assert re.fullmatch(r"dom\.[0-9a-f]{12}\.js", dom)
    desk = (root / names(root)["js/desk.js"]).read_text()
    assert f'import "./{dom}"' in desk
    assert f'from "./{dom}"' in desk


def test_nothing_is_done_where_nothing_changed(root: Path) -> None:
    told: list[str] = []
    static.collect(told.append)
    assert len(told) == 1
    (root / "staticfiles.json").unlink()
    static.collect(told.append)
    assert not (root / "staticfiles.json").exists()


def test_a_change_renames_the_file_and_those_that_import_it(root: Path) -> None:
    static.collect(print)
    before = names(root)
    source = root.parent / "source" / "js" / "dom.js"
    source.write_text(source.read_text() + "export const $$ = null;\n")
    static.collect(print)
    after = names(root)
    assert after["js/dom.js"] != before["js/dom.js"]
    assert after["js/desk.js"] != before["js/desk.js"]


def test_a_file_is_served_compressed_and_kept_for_ever(root: Path) -> None:
    static.collect(print)
    answer = Client().get(f"/static/{names(root)['js/dom.js']}", headers={"Accept-Encoding": "br, gzip"})
    assert answer.headers["Content-Encoding"] == "br"
    assert "immutable" in answer.headers["Cache-Control"]
    assert "Content-Encoding" not in Client().get(f"/static/{names(root)['js/dom.js']}").headers


def test_tests_and_other_storages_are_left_alone(tmp_path: Path) -> None:
    with override_settings(STATIC_ROOT=tmp_path / "packed"):
        static.collect(print)
    assert list((tmp_path / "packed").iterdir()) == []
