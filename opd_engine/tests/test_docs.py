"""The documents say what is so: commands, presets, addresses and codes of errors are looked up in the code."""

import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands
from django.urls import Resolver404, resolve

from common.errors import DomainError
from tokens.events import SENTENCES
from tokens.facts import PRESETS, RANKED, WEIGHTED
from tokens.kinds import SupplyKind

ROOT = Path(settings.BASE_DIR)
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
ALLOCATION = (ROOT / "docs" / "allocation.md").read_text()
API = (ROOT / "docs" / "api.md").read_text()
YES = {True: "yes", False: "no"}


def rows(text: str, first: str) -> Iterator[list[str]]:
    """The cells of each row of the table whose first heading begins so."""
    lines = iter(text.splitlines())
    for line in lines:
        if line.startswith(f"| {first}"):
            next(lines)
            break
    for line in lines:
        if not line.startswith("|"):
            return
        yield [cell.strip() for cell in line.strip("|").split(" | ")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_that_a_page_names_exists(page: Path) -> None:
    text = page.read_text()
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:`|^ +)make ([a-z]+)", text, re.MULTILINE)) <= targets
    assert set(re.findall(r"manage\.py ([a-z_]+)", text)) <= set(get_commands())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_a_page_links_to_exists(page: Path) -> None:
    links = {link.partition("#")[0] for link in re.findall(r"\]\(([^)]+)\)", page.read_text())}
    assert not {link for link in links if link and "://" not in link and not (page.parent / link).exists()}


def test_every_source_file_that_the_pages_name_exists() -> None:
    for page in PAGES:
        for name in re.findall(r"`((?:[a-z_]+/)+[a-z_0-9]+\.py)`", page.read_text()):
            assert (ROOT / name).is_file(), f"{page.name} names {name}"


def test_every_function_that_the_pages_name_exists() -> None:
    for page in PAGES:
        for module, name in re.findall(r"`(order|rules|queue_rules|reading|storage)\.([a-z_]+)`", page.read_text()):
            if name != "py":
                assert hasattr(import_module(f"tokens.{module}"), name), f"{page.name} names {module}.{name}"


def test_the_table_of_presets_is_what_ships() -> None:
    told = {cells[0].split("`")[1]: cells[1:] for cells in rows(ALLOCATION, "preset")}
    assert told == {
        name: [
            p.combine, p.emergency, p.displacement, p.without_place, p.no_next_slot, str(p.next_slot_days),
            YES[p.protect_arrived], YES[p.present_only], p.no_show,
        ]
        for name, p in PRESETS.items()
    }  # fmt: skip


def test_the_table_of_weights_is_what_ships() -> None:
    told = {cells[0].replace("-", "_"): tuple(map(int, cells[1:])) for cells in rows(ALLOCATION, "source | `weighted`")}
    assert told == {name: (WEIGHTED[name], RANKED[name]) for name in WEIGHTED}


def test_every_kind_of_event_is_named() -> None:
    cells = list(rows(ALLOCATION, "about | kinds"))
    of_tokens = {kind for row in cells[:-1] for kind in re.findall(r"`(\w+)`", row[1])}
    assert of_tokens == set(SENTENCES)
    assert set(re.findall(r"`(\w+)`", cells[-1][1])) == set(SupplyKind)


def known_codes(error: type[DomainError] = DomainError) -> set[str]:
    """The codes of every refusal that is declared."""
    return {error.code}.union(*(known_codes(kind) for kind in error.__subclasses__()))


def test_every_code_that_the_api_s_page_names_is_a_refusal_of_ours() -> None:
    named = {code for row in rows(API, "status | codes") for code in re.findall(r"`(\w+)`", row[1])}
    assert named <= known_codes()


def test_every_address_that_the_api_s_page_names_is_served() -> None:
    named = set(re.findall(r"`(?:GET|POST) ([a-z/{}-]+)`", API))
    assert len(named) > 50
    missing = []
    for name in named:
        try:
            resolve("/api/v1/" + name.replace("{id}", "1").replace("{key}", "abc"))
        except Resolver404:
            missing.append(name)
    assert not missing
