"""What PostgreSQL would have to read for a statement. Few rows it reads all: the question is whether it must."""

from collections.abc import Collection, Iterator
from typing import Any

from django.db import connection


def whole(statement: str, large: Collection[str]) -> list[str]:
    """The scans of a statement that read one of these tables from end to end, by an index or not.

    What the planner knows by chance of how few rows there are is forgotten until the end of the transaction.
    """
    with connection.cursor() as cursor:
        ours = "relkind IN ('r', 'i') AND relnamespace = 'public'::regnamespace"
        cursor.execute(f"UPDATE pg_class SET relpages = 0, reltuples = -1 WHERE {ours}")
        cursor.execute(f"DELETE FROM pg_statistic WHERE starelid IN (SELECT oid FROM pg_class WHERE {ours})")
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN (FORMAT JSON) {statement}")
        return list(_whole(cursor.fetchone()[0][0]["Plan"], large))


def _whole(node: dict[str, Any], large: Collection[str]) -> Iterator[str]:
    kind = node["Node Type"]
    if node.get("Relation Name") in large and kind != "Bitmap Heap Scan" and "Index Cond" not in node:
        yield f"{kind} of {node['Relation Name']}: {node.get('Filter', '')}"
    for inner in node.get("Plans", ()):
        yield from _whole(inner, large)
