"""A database of the benchmark's own, on the server that the product uses: the disk costs what it costs there."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
from psycopg import sql

from opd_engine import embedded, environment

NAME = "opd_bench"


@contextmanager
def own_database(name: str = NAME) -> Iterator[None]:
    """Point this process, and what it starts, at a fresh database with all tables; it is dropped at the end.

    One that an earlier run left over is dropped first. Nothing of Django may have been loaded before, for its settings
    read the environment once.
    """
    url = _url_of_server()
    with psycopg.connect(url, autocommit=True) as server:
        _drop(server, name)
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    os.environ["DATABASE_URL"] = urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
    try:
        _migrate()
        yield
    finally:
        logging.getLogger("opd.live").setLevel(logging.ERROR)  # it sends hints still, and would miss the database
        with psycopg.connect(url, autocommit=True) as server:
            _drop(server, name)


def _url_of_server() -> str:
    """The address in ``DATABASE_URL``; without one that of the embedded server, which runs while this process does."""
    if given := environment.text("DATABASE_URL"):
        return given
    host = embedded.use(environment.var_dir() / "postgres")
    return f"postgresql://{embedded.SUPERUSER}@/{embedded.DATABASE}?host={quote(str(host), safe='')}"


def _drop(server: psycopg.Connection, name: str) -> None:
    server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _migrate() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "opd_engine.settings"
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
