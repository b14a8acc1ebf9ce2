"""Who writes what, read from the syntax trees: one function assigns a token's state, one module writes its tables."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
TOKENS = Path(__file__).resolve().parent.parent
OURS = ("tokens", "reception", "scheduling", "patients", "accounts", "common", "opd_engine")

TABLES = ("tokens_token", "tokens_event", "tokens_supplyevent", "tokens_formernumber")
MODELS = {"Token", "Event", "SupplyEvent", "FormerNumber"}
WRITES = {"create", "bulk_create", "update", "bulk_update", "delete", "get_or_create", "update_or_create", "save"}

PURE = ("states", "kinds", "facts", "rules", "queue_rules")
ACTIONS = ("allocation", "queueing", "supply", "undoing", "planning")
LADDER = ("states", "kinds", "facts", "rules", "queue_rules", "reading", "storage", "outcome", "acting")
"""From the ground up: a module imports only from those before it."""


@cache
def sources() -> list[tuple[str, ast.Module]]:
    """Every module of the product but tests and migrations, by its path."""
    paths = [path for app in OURS for path in sorted((ROOT / app).rglob("*.py"))]
    named = [(path.relative_to(ROOT).as_posix(), path) for path in paths]
    return [
        (name, ast.parse(path.read_text()))
        for name, path in named
        if "/tests/" not in name and "/migrations/" not in name
    ]


def functions(tree: ast.AST, name: str = "") -> Iterator[tuple[str, ast.AST]]:
    """Every node with the dotted name of the class and function that it stands in."""
    for node in ast.iter_child_nodes(tree):
        inner = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        own = f"{name}.{node.name}".lstrip(".") if inner else name
        yield own, node
        yield from functions(node, own)


def assigned(node: ast.AST) -> Iterator[str]:
    """Names of the attributes that a statement assigns."""
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign):
        yield from (target.attr for target in targets if isinstance(target, ast.Attribute))


def imports(tree: ast.AST) -> set[str]:
    """The modules that a module imports, dotted."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def of(module: str) -> ast.Module:
    return ast.parse((TOKENS / f"{module}.py").read_text())


def test_only_one_function_assigns_the_state_of_a_token() -> None:
    found = []
    for name, tree in sources():
        if not name.startswith(("tokens/", "reception/")):
            continue
        for function, node in functions(tree):
            sets = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "setattr"
            if sets or "status" in assigned(node):
                found.append(f"{name}: {function}")
    assert sorted(found) == ["tokens/facts.py: Draft.change", "tokens/facts.py: Draft.supply"]


def test_the_engine_s_tables_are_written_in_one_module() -> None:
    found = set()
    for name, tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and _writes(node.value):
                found.add(name)
            if isinstance(node, ast.JoinedStr):
                text = "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
                if _writes(text):
                    found.add(name)
    assert found == {"tokens/storage.py"}


def _writes(text: str) -> bool:
    return any(f"{verb} {table}" in text for verb in ("INSERT INTO", "UPDATE", "DELETE FROM") for table in TABLES)


def test_nobody_writes_a_token_through_its_model() -> None:
    found = []
    for name, tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in WRITES:
                named = {part.id for part in ast.walk(node.func.value) if isinstance(part, ast.Name)}
                if named & MODELS:
                    found.append(f"{name}:{node.lineno}")
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MODELS:
                found.append(f"{name}:{node.lineno}")
    assert not found


def test_only_actions_call_the_writer() -> None:
    callers = {
        name
        for name, tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in ("write", "decide") and ast.unparse(node.value) == "storage"
    }
    assert callers <= {f"tokens/{name}.py" for name in ("acting", *ACTIONS)}


@pytest.mark.parametrize("module", PURE)
def test_the_rules_know_no_framework_no_clock_and_no_chance(module: str) -> None:
    forbidden = {"django", "psycopg", "random", "secrets", "time", "os", "common", "scheduling", "accounts", "patients"}
    assert not {name.split(".")[0] for name in imports(of(module))} & forbidden
    calls = {ast.unparse(node.func) for node in ast.walk(of(module)) if isinstance(node, ast.Call)}
    assert not calls & {"datetime.now", "datetime.utcnow", "date.today"}


@pytest.mark.parametrize("module", LADDER)
def test_the_engine_imports_downwards_only(module: str) -> None:
    above = {f"tokens.{name}" for name in (*LADDER[LADDER.index(module) + 1 :], *ACTIONS)}
    known = {*imports(of(module))}
    assert not known & above


@pytest.mark.parametrize("module", ACTIONS)
def test_actions_do_not_import_each_other(module: str) -> None:
    others = {f"tokens.{name}" for name in ACTIONS if name != module}
    allowed = {("supply", "tokens.planning")}  # a plan is decided in one and told in the other
    assert {other for other in imports(of(module)) & others if (module, other) not in allowed} == set()
