"""The database engine: Django's own, which finds or starts the embedded server when it first connects.

At the first connection and not in the settings: a command that needs no database starts none.
"""

import select
from typing import Any

import psycopg
from django.conf import settings
from django.db.backends.postgresql import base
from psycopg_pool import ConnectionPool

from opd_engine import embedded
from opd_engine.postgres.client import DatabaseClient


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's wrapper, asked for connection parameters by itself, by its pool and by the jobs' connector alike."""

    client_class = DatabaseClient

    def get_connection_params(self) -> dict[str, Any]:
        """The parameters for libpq; with the embedded server they name its socket."""
        parameters = super().get_connection_params()
        if not settings.DATABASE_URL:
            parameters["host"] = str(embedded.use(settings.OPD_EMBEDDED_HOME, durable=settings.OPD_EMBEDDED_DURABLE))
        return parameters

    def _configure_connection(self, connection: psycopg.Connection[Any]) -> bool:
        """Say once that no trigger is ignored. Unsaid, each trigger asks for a setting that is not there at every row,
        and catches the error: five sixths of what a trigger costs.
        """
        super()._configure_connection(connection)  # type: ignore[misc]  # unknown to the stubs
        connection.execute("SELECT set_config('pgtrigger.ignore', '{}', false)")
        return True

    @property
    def pool(self) -> ConnectionPool | None:
        """Django's pool, which first looks whether a connection it hands out is still alive."""
        pool = super().pool
        if pool is not None:
            pool._check = still_alive
        return pool


def still_alive(connection: psycopg.Connection[Any]) -> None:
    """Refuse a connection that the server has closed, without a round trip.

    An idle connection has nothing to read. Where there is something, it is the server's farewell or the end of the
    stream; only then is the server asked.

    Raises:
        psycopg.OperationalError: it is dead; the pool makes another.
    """
    if select.select([connection.fileno()], [], [], 0)[0]:
        ConnectionPool.check_connection(connection)
