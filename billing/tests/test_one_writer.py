"""Who writes what of money, read from the syntax trees."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
APPS = ("billing", "reception", "reports", "consultations", "tokens", "scheduling", "patients", "accounts", "common",
        "opd_engine")  # fmt: skip

HISTORY = "reception/history/"
"""Makes up years of the past in bulk for measurements; the proof holds it to the same."""

STATE = {"status", "version", "paid", "credited", "voided_at", "issued_at", "number", "due"}
WRITES = {"create", "bulk_create", "update", "bulk_update", "delete", "get_or_create", "update_or_create"}

MONEY = {
    "Bill": {"billing/actions/bills.py"},
    "Line": {"billing/writing.py"},
    "CreditNote": {"billing/crediting.py"},
    "CreditLine": {"billing/crediting.py"},
    "LedgerAccount": {"billing/ledger.py"},
    "LedgerTransaction": {"billing/ledger.py"},
    "LedgerEntry": {"billing/ledger.py"},
    "ProofRun": {"billing/actions/proofs.py"},
    "Receipt": {"billing/actions/payments.py", "billing/actions/refunds.py", "billing/desk.py"},
    "Payment": {"billing/actions/payments.py"},
    "Refund": {"billing/actions/refunds.py"},
    "CashMovement": {"billing/actions/movements.py"},
    "Shift": {"billing/actions/shifts.py", "billing/desk.py"},
}
"""Where rows of money are made."""


@cache
def sources() -> list[tuple[str, ast.Module]]:
    """Every module of the product but tests and migrations, by its path."""
    found = []
    for app in APPS:
        for path in sorted((ROOT / app).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if "/tests/" not in name and "/migrations/" not in name and not name.startswith(HISTORY):
                found.append((name, ast.parse(path.read_text())))
    return found


def functions(tree: ast.AST, name: str = "") -> Iterator[tuple[str, ast.AST]]:
    """Every node with the dotted name of the class and function that it stands in."""
    for node in ast.iter_child_nodes(tree):
        inner = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        own = f"{name}.{node.name}".lstrip(".") if inner else name
        yield own, node
        yield from functions(node, own)


def assigned(node: ast.AST) -> Iterator[str]:
    """Names of the attributes that a statement assigns, also several at once."""
    if not isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign):
        return
    for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
        for part in target.elts if isinstance(target, ast.Tuple) else [target]:
            if isinstance(part, ast.Attribute):
                yield f"{ast.unparse(part.value)}.{part.attr}"


def test_only_one_function_assigns_the_state_and_the_amounts_of_a_bill() -> None:
    found = set()
    for name, tree in sources():
        for function, node in functions(tree) if name.startswith("billing/") else ():
            if any(each.endswith(f"bill.{field}") for each in assigned(node) for field in STATE):
                found.add(f"{name}: {function}")
    assert found == {"billing/settling.py: settle"}


@pytest.mark.parametrize("model", MONEY)
def test_rows_of_money_are_made_where_they_belong(model: str) -> None:
    found = set()
    for name, tree in sources():
        for node in ast.walk(tree) if model in models_of(tree) else ():
            if isinstance(node, ast.Call) and ast.unparse(node.func) in (model, f"{model}.objects.create"):
                found.add(name)
    assert found <= MONEY[model]
    assert found


@cache
def models_of(tree: ast.Module) -> frozenset[str]:
    """The names of billing's models that a module imports."""
    return frozenset(
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("billing.models")
        for alias in node.names
    )


@pytest.mark.parametrize("model", MONEY)
def test_other_apps_write_no_money_themselves(model: str) -> None:
    found = [
        f"{name}:{node.lineno}"
        for name, tree in sources()
        if not name.startswith("billing/") and model in models_of(tree)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in WRITES
        if model in {part.id for part in ast.walk(node.func.value) if isinstance(part, ast.Name)}
    ]
    assert not found


def test_no_plain_sql_writes_money_but_the_counter_s() -> None:
    found = set()
    for name, tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                text = " ".join(node.value.split())
                if any(f"{verb} billing_" in text for verb in ("INSERT INTO", "UPDATE", "DELETE FROM")):
                    found.add(name)
    assert found == {"billing/numbers.py"}


def test_the_arithmetic_knows_no_framework_no_clock_and_no_chance() -> None:
    tree = ast.parse((ROOT / "billing" / "rules.py").read_text())
    used = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    used |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert not {name for name in used if name.split(".")[0] in {"django", "psycopg", "random", "time", "datetime"}}
    floats = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, float)]
    assert not floats


def test_money_is_never_a_float() -> None:
    found = set()
    for name, tree in sources():
        if not name.startswith("billing/"):
            continue
        for node in ast.walk(tree):
            is_float = isinstance(node, ast.Call) and ast.unparse(node.func) == "float"
            if is_float or (isinstance(node, ast.Constant) and isinstance(node.value, float)):
                found.add(f"{name}:{getattr(node, 'lineno', 0)}")
    assert not found
