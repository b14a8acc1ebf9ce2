"""Everything that a page says can be translated: no template and no table of words has bare English in it."""

import ast
import re
import textwrap
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.conf import settings
from django.template.base import Lexer, TokenType

from tokens.errors import NotArrived

FOR_MAKERS = "design.html"
"""The living page of all parts is read by those who make pages, who read the code as well."""
TEMPLATES = [path for path in sorted((settings.BASE_DIR / "templates").rglob("*.html")) if path.name != FOR_MAKERS]
SPOKEN = frozenset({"title", "aria-label", "placeholder", "alt", "aria-description", "aria-roledescription"})
STAFF_READ = "en"
"""On a screen for patients, what is for staff says with `lang` that it is English."""
SILENT = frozenset({"script", "style", "svg", "code"})
SAME_EVERYWHERE = frozenset({"Esc", "QR", "OPD"})
"""What stands on keyboards and is the same in every language here."""

GAP = "\ufffc"
"""Stands in for what a tag puts there."""
UNSEEN = {
    "blocktranslate": "endblocktranslate",
    "comment": "endcomment",
    "block body_attributes": "endblock",
    "block root_attributes": "endblock",
}
"""What is translated, or is no text of the page: with how it ends."""


def without_tags(source: str) -> str:
    """A template as HTML: what is translated, computed or remarked is a gap."""
    kept, until = [], ""
    for token in Lexer(source).tokenize():
        block = token.contents if token.token_type == TokenType.BLOCK else ""
        text = token.token_type == TokenType.TEXT and not until
        kept.append(token.contents if text else GAP + "\n" * token.contents.count("\n"))
        until = "" if until and block.startswith(until) else until or _until(block)
    return "".join(kept).replace(f"<{GAP}", "<x ").replace(f"</{GAP}", "</x ")


def _until(block: str) -> str:
    return next((end for start, end in UNSEEN.items() if block == start or block.startswith(f"{start} ")), "")


class Words(HTMLParser):
    """Collects the words of a page, with the line where each stands."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.silent = 0
        self.english = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.silent += tag in SILENT
        if dict(attrs).get("lang") == STAFF_READ:
            self.english = self.english or tag
        for name, value in attrs:
            if name in SPOKEN:
                self.add(value or "")

    def handle_endtag(self, tag: str) -> None:
        self.silent -= tag in SILENT
        if tag == self.english:
            self.english = ""

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.add(data)

    def add(self, text: str) -> None:
        words = [word for word in re.findall(r"[^\W\d_]{2,}", text) if word not in SAME_EVERYWHERE]
        if words and not self.english:
            self.found.append(f"{self.getpos()[0]}: {' '.join(text.replace(GAP, '…').split())}")


def bare(source: str) -> list[str]:
    """The words of a template outside translate tags, with their lines."""
    words = Words()
    words.feed(without_tags(source))
    words.close()
    return words.found


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(settings.BASE_DIR / "templates")))
def test_a_template_says_nothing_that_cannot_be_translated(path: Path) -> None:
    assert bare(path.read_text()) == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("<p>Nobody waits</p>", ["1: Nobody waits"]),
        ("{% if x %}\n<p>{{ n }} free</p>{% endif %}", ["2: … free"]),
        ('<a title="{{ name }}, late">7</a>', ["1: …, late"]),
        ("<p>{% translate 'Nobody' %} 10:30 <kbd>N</kbd> <kbd>Esc</kbd></p>", []),
        ("{% blocktranslate trimmed %}Nobody waits{% endblocktranslate %}{# a remark #}", []),
        ("{% comment %}Nobody{% endcomment %}<svg><title>x</title></svg><b class='words'></b>", []),
        ('<p lang="en">Staff</p><{% if a %}a href="b"{% else %}button{% endif %}>{{ c }}</b>', []),
        ('<option value="words"{% if a %} selected{% endif %}>{{ b }}</option>', []),
    ],
)
def test_how_bare_words_are_found(source: str, found: list[str]) -> None:
    assert bare(source) == found


# Python


SPOKEN_IN_PYTHON = [
    path
    for pattern in ("reception/*.py", "reception/pages/*.py", "consultations/*.py", "consultations/pages/*.py")
    for path in sorted(settings.BASE_DIR.glob(pattern))
    if path.name not in ("design.py", "models.py", "apps.py", "permissions.py")
] + sorted(settings.BASE_DIR.glob("*/errors.py"))
TRANSLATES = frozenset({"_", "gettext", "ngettext", "gettext_noop", "gettext_lazy", "_lazily", "_later"})
SENTENCE = re.compile(r"[A-Z{].*[^\W\d_]{2,} .*[^\W\d_]{2,}.*\.")
"""A text that reads like a sentence: a capital or a number to be filled in first, words, a full stop at the end."""


def sentences(source: str) -> list[str]:
    """The sentences of a module that nothing translates; remarks, `ValueError`s and what is logged are for makers."""
    tree = ast.parse(source)
    silent: set[int] = set()
    for node in ast.walk(tree):
        called = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
        if called in TRANSLATES or called in ("ValueError", "RuntimeError"):
            silent |= {id(each) for each in ast.walk(node)}
        elif isinstance(node, ast.Expr):
            silent.add(id(node.value))
    texts = [each for each in ast.walk(tree) if isinstance(each, ast.Constant) and id(each) not in silent]
    return [
        f"{each.lineno}: {each.value}"
        for each in texts
        if isinstance(each.value, str) and SENTENCE.fullmatch(each.value)
    ]


@pytest.mark.parametrize("path", SPOKEN_IN_PYTHON, ids=lambda path: str(path.relative_to(settings.BASE_DIR)))
def test_a_module_says_no_sentence_that_cannot_be_translated(path: Path) -> None:
    assert sentences(path.read_text()) == []


def test_how_sentences_are_found() -> None:
    source = """
        def refuse(number):
            "A remark about refusals."
            raise Refused("{number} is not here.") if number else Refused(_("Nobody is here."))
    """
    assert sentences(textwrap.dedent(source)) == ["4: {number} is not here."]


def test_a_refusal_is_said_in_the_language_of_who_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("common.errors.gettext", {"{number} has not arrived.": "{number} no ha llegado."}.get)
    assert str(NotArrived(number="A-017")) == "A-017 no ha llegado."
