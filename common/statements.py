"""Statements that run many times a second, planned once a connection.

Django's own cursor puts the parameters into the text, so PostgreSQL plans each statement anew. For a read with five
joins the plan costs three times what the read does.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.db import connection
from django.db.backends.utils import CursorWrapper


@contextmanager
def prepared() -> Iterator[CursorWrapper]:
    """A cursor whose statements the server prepares once it has seen them a few times; counted and logged like all."""
    connection.ensure_connection()
    raw = psycopg.Cursor(connection.connection)
    with connection._prepare_cursor(raw) as cursor:  # type: ignore[attr-defined]  # what connection.cursor() calls
        yield cursor
