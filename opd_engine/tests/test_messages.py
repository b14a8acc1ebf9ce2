"""What patients read and hear is translated whole: the catalogues agree with the texts, and with what is compiled."""

import ast
import gettext
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.template import Template
from django.template.base import Node
from django.templatetags.i18n import BlockTranslateNode, TranslateNode
from django.utils import translation
from django.utils.translation import ngettext

from accounts.models import Language
from opd_engine.management.commands.messages import is_public
from reception.board import room_words
from reception.pages.languages import NAMES

LANGUAGES = [code for code, _ in settings.LANGUAGES if code != settings.LANGUAGE_CODE]
Text = str | tuple[str, str]
"""A text, or its singular and plural."""


def catalogue(language: str, kind: str) -> Path:
    return settings.BASE_DIR / "locale" / language / "LC_MESSAGES" / f"django.{kind}"


def read_po(path: Path) -> dict[Text, list[str]]:
    """A catalogue as people write it."""
    found: dict[Text, list[str]] = {}
    for entry in path.read_text().split("\n\n"):
        values: dict[str, str] = {}
        name = ""
        for line in entry.splitlines():
            begun = re.match(r'(msg\w+(?:\[\d\])?) (".*")', line)
            if begun:
                name, values[begun[1]] = begun[1], ast.literal_eval(begun[2])
            elif line.startswith('"'):
                values[name] += ast.literal_eval(line)
        if values.get("msgid"):
            text = (values["msgid"], values["msgid_plural"]) if "msgid_plural" in values else values["msgid"]
            found[text] = [value for key, value in values.items() if key.startswith("msgstr")]
    return found


def texts() -> Iterator[tuple[str, Text]]:
    """Every text for patients, with the file that it stands in."""
    for root, kind in (("reception", "py"), ("templates", "html")):
        for path in sorted((settings.BASE_DIR / root).rglob(f"*.{kind}")):
            name = str(path.relative_to(settings.BASE_DIR))
            if is_public(name) and "tests" not in path.parts:
                found = in_python(path) if kind == "py" else in_template(path)
                yield from ((name, text) for text in found)


def in_python(path: Path) -> Iterator[Text]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("_", "gettext"):
            yield ast.literal_eval(node.args[0])
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "ngettext":
            yield ast.literal_eval(node.args[0]), ast.literal_eval(node.args[1])


def in_template(path: Path) -> Iterator[Text]:
    for node in Template(path.read_text()).nodelist.get_nodes_by_type(Node):
        if isinstance(node, TranslateNode):
            yield str(node.filter_expression.var.literal).replace("%", "%%")
        elif isinstance(node, BlockTranslateNode):
            singular = node.render_token_list(node.singular)[0]
            plural = node.render_token_list(node.plural)[0] if node.plural else ""
            yield (singular, plural) if plural else singular


def names(text: str) -> set[str]:
    """What is filled in, and the tags that keep a number's direction."""
    return set(re.findall(r"%\(\w+\)s|\{\w+\}|<[^>]+>", text))


def test_there_is_something_to_translate():
    assert len({text for _, text in texts()}) > 100
    assert set(LANGUAGES) | {settings.LANGUAGE_CODE} == set(Language.values) == set(NAMES)


@pytest.mark.parametrize("language", LANGUAGES)
class TestCatalogue:
    def test_every_text_that_patients_read_or_hear_is_translated(self, language):
        known = read_po(catalogue(language, "po"))
        missing = {text: file for file, text in texts() if not all(known.get(text) or [""])}
        assert missing == {}, "run `make messages`, then translate"

    def test_nothing_is_translated_that_nobody_reads(self, language):
        assert set(read_po(catalogue(language, "po"))) <= {text for _, text in texts()}

    def test_what_is_compiled_says_the_same(self, language):
        wanted: dict[object, str] = {}
        for text, forms in read_po(catalogue(language, "po")).items():
            if isinstance(text, tuple):
                wanted |= {(text[0], number): form for number, form in enumerate(forms)}
            else:
                wanted[text] = forms[0]
        with catalogue(language, "mo").open("rb") as file:
            compiled = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
        assert {key: value for key, value in compiled.items() if key} == wanted

    def test_what_is_filled_in_and_what_keeps_its_direction_is_in_the_translation_too(self, language):
        for text, forms in read_po(catalogue(language, "po")).items():
            singular = text[0] if isinstance(text, tuple) else text
            # A form for none, one or two says so in words.
            for form in forms[3:] if len(forms) == 6 else forms:
                assert names(form) == names(singular), form


@pytest.mark.parametrize(
    ("people", "words"),
    [
        (1, "أمامك شخص واحد"),
        (2, "أمامك شخصان"),
        (3, "أمامك 3 أشخاص"),
        (10, "أمامك 10 أشخاص"),
        (11, "أمامك 11 شخصًا"),
        (99, "أمامك 99 شخصًا"),
        (100, "أمامك 100 شخص"),
        (103, "أمامك 103 أشخاص"),
    ],
)
def test_people_are_counted_as_arabic_counts_them(people, words):
    with translation.override("ar"):
        text = ngettext("%(people)s person is ahead of you", "%(people)s people are ahead of you", people)
    assert text % {"people": people} == words


@pytest.mark.parametrize(("language", "words"), [("en", "Room 4"), ("hi", "कमरा 4"), ("ar", "غرفة 4")])
def test_a_room_by_its_number_is_named_in_the_language(language, words):
    with translation.override(language):
        assert room_words("Room 4") == words
        assert room_words("Casualty") == "Casualty"
