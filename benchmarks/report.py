"""``python -m benchmarks.report``: the figures of ``OPD_VAR/bench.json`` as the tables of docs/performance.md."""

import json
from collections.abc import Iterator
from typing import Any

from opd_engine import environment

LIVE = {
    "p50 ms": "p50_ms",
    "p95 ms": "p95_ms",
    "max ms": "max_ms",
    "within 1 s": "within_a_second",
    "threads": "threads",
    "MB": "mb",
    "processor": "processor",
}
"""Columns of the table of live screens, and where their figures stand."""

BILLS = {
    "p50 ms": "p50_ms",
    "p95 ms": "p95_ms",
    "statements": "statements",
    "round trips": "round_trips",
    "ratio": "ratio",
}
REPORTS = {"p50 ms": "p50_ms", "p95 ms": "p95_ms", "queries": "queries", "kB": "kb", "ratio": "ratio"}


def table(heads: list[str], rows: Iterator[list[Any]]) -> list[str]:
    """A Markdown table."""
    lines = [heads, ["---"] + ["---:"] * (len(heads) - 1), *rows]
    return [f"| {' | '.join(map(str, line))} |" for line in lines] + [""]


def markdown(figures: dict[str, Any]) -> str:
    """All tables, after a line that says where the figures come from."""
    machine = figures["machine"]
    lines = [
        f"{machine['taken_at'][:10]}: {machine['processors']} processors, Python {machine['python']}, "
        f"PostgreSQL {machine['postgresql']}, fsync {machine['fsync']}, "
        f"synchronous_commit {machine['synchronous_commit']}, load average {machine['load_before'][0]} at the start.",
        "",
    ]
    lines += table(
        ["tokens a second", "connections", "engine", "by hand (pgbench)", "ratio"],
        (
            [load, clients, f"{line['rps']:.0f}", f"{line['pgbench']:.0f}", f"{line['ratio']:.2f}"]
            for load, found in figures["engine"].items()
            for clients, line in found.items()
        ),
    )
    lines += table(
        ["POST tokens/, connections", "requests a second", "p50 ms", "p95 ms", "p99 ms", "not 2xx"],
        (
            [clients, f"{line['rps']:.0f}", line["p50_ms"], line["p95_ms"], line["p99_ms"], line["not_2xx"]]
            for clients, line in figures["http"].items()
        ),
    )
    lines += table(
        ["operation", "statements", "round trips"],
        ([name, cost["statements"], cost["round_trips"]] for name, cost in figures["operations"].items()),
    )
    lines += table(
        ["the doctor's console", "p50 ms", "p95 ms"],
        ([name, line["p50_ms"], line["p95_ms"]] for name, line in figures.get("console", {}).items()),
    )
    lines += table(
        ["the desk over HTTP", "p50 ms", "p95 ms", "bytes"],
        ([name, line["p50_ms"], line["p95_ms"], line["bytes"]] for name, line in figures.get("desk", {}).items()),
    )
    lines += table(
        ["bills", *BILLS],
        ([name, *(line.get(key, "") for key in BILLS.values())] for name, line in figures.get("bills", {}).items()),
    )
    lines += table(
        ["reports", *REPORTS],
        (
            [name, *(line.get(key, "") for key in REPORTS.values())]
            for name, line in figures.get("reports", {}).items()
            if name != "history"
        ),
    )
    lines += table(
        ["live screens", *LIVE],
        ([name, *(line.get(key, "") for key in LIVE.values())] for name, line in figures.get("live", {}).items()),
    )
    return "\n".join(lines)


if __name__ == "__main__":
    print(markdown(json.loads((environment.var_dir() / "bench.json").read_text())))
