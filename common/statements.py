"""Statements that run many times a second, planned once a connection.

Django's own cursor puts the parameters into the text, so PostgreSQL plans each statement anew. For a read with five
joins the plan costs three times what the read does.
"""

from collections.abc import Sequence
from time import monotonic
from typing import Any

from django.db import connection

from common.trips import Row, exchange


def ask(sql: str, params: Sequence[Any]) -> list[Row]:
    """The rows of one prepared statement (with %s placeholders), inside a transaction or outside one.

    Counted and logged like Django's own, where queries are counted.

    Raises:
        django.db.Error: as a cursor would.
    """
    began = monotonic()
    rows = exchange(connection, [(sql, params)])[0]
    if connection.queries_logged:
        connection.queries_log.append({"sql": sql, "time": f"{monotonic() - began:.3f}"})
    return rows
