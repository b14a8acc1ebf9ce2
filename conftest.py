"""The ground of every test: a PostgreSQL of its own, and a database copied from a template.

Migrations run once into a template, which is kept until a migration changes. Each run, and each xdist worker, copies
it in a fraction of a second. After a test that committed, the rows that it wrote are taken away: the database is again
as the migrations leave it, with the roles and policies that they ship, and ids begin anew. Where a test changed the
structure, or wrote much, the template is copied again (`common/testing/ground.sql`).
"""

import fcntl
import gc
import hashlib
import os
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from django.apps import apps
from django.conf import settings
from django.db import DatabaseError, connections
from django.test import TransactionTestCase
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from psycopg import sql
from pytest_django.plugin import DjangoDbBlocker, blocking_manager_key
from whitenoise.middleware import WhiteNoiseMiddleware

if TYPE_CHECKING:
    from opd_engine.tests.served import Served

pytest_plugins = ["common.testing.browser"]


def pytest_sessionstart(session: pytest.Session) -> None:
    """Where other processes run the tests, this one makes the template while they collect."""
    config = session.config
    if config.getoption("numprocesses", None) and not hasattr(config, "workerinput"):
        threading.Thread(target=make_template, args=[config.stash[blocking_manager_key]], daemon=True).start()


def make_template(blocker: DjangoDbBlocker) -> None:
    """Make it where it is missing. Should this fail, those who need it try again, and tell of it."""
    with blocker.unblock():
        database = TestDatabase("master")
        try:
            database.have_template()
        finally:
            database.wrapper.close()


def pytest_collection_finish() -> None:
    """What was collected stays to the end: it is not looked through for garbage again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


hypothesis_settings.register_profile(
    "opd",
    deadline=None,  # two test processes on two cores: a pause says nothing about the code
    derandomize=bool(os.environ.get("CI")),
    print_blob=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
hypothesis_settings.load_profile("opd")


GROUND = settings.BASE_DIR / "common" / "testing" / "ground.sql"
ALONE = """
    SELECT ground.send_away(5);
    SELECT pg_advisory_unlock_all();
    UNLISTEN *;
    DISCARD TEMP;
"""


class TestDatabase:
    """The database of this process, and the template that it comes from.

    Once a test has asked for another copy, there is one beside it: while a test runs, the copy for a later one is made.
    """

    __test__ = False
    most_bytes = 4_000_000
    """With more than this in its tables a copy is quicker than to look past the deleted rows."""

    def __init__(self, worker: str) -> None:
        base = settings.DATABASES["default"]["TEST"]["NAME"]
        self.name, self.other = f"{base}_{worker}", f"{base}_{worker}_next"
        self.thread = ThreadPoolExecutor(1, thread_name_prefix="next-database")
        self.ready: Future[None] | None = None
        self.family = f"{base}_template"
        self.template = f"{self.family}_{fingerprint()}"
        self.wrapper = connections["default"]

    def prepare(self) -> None:
        """Make the template where it is missing, then the copy."""
        self.have_template()
        self.wrapper.close()
        self.copy(self.name)
        self.use(self.name)

    def have_template(self) -> None:
        """Make it where it is missing: one process does, the others wait."""
        settings.OPD_VAR.mkdir(parents=True, exist_ok=True)
        with open(settings.OPD_VAR / f"{self.family}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            known = self.databases()
            if self.template not in known:
                for old in (name for name in known if name.startswith(self.family)):
                    self.drop(old)
                self.migrate()

    def migrate(self) -> None:
        """Run the migrations into a draft and rename it: a run that was stopped leaves no half a template."""
        draft = f"{self.family}_draft"
        self.wrapper.settings_dict["TEST"]["NAME"] = draft
        self.wrapper.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
        with self.wrapper.cursor() as cursor:
            cursor.execute(GROUND.read_text())
        self.wrapper.close()
        self.execute("ALTER DATABASE {} RENAME TO {}", draft, self.template)
        # Nobody may connect, so that nothing (autovacuum, a curious person) is ever in the way of a copy.
        self.execute("ALTER DATABASE {} ALLOW_CONNECTIONS false", self.template)

    def renew(self) -> None:
        """Go on as if the test, which committed, had not been."""
        if not self.restore():
            self.replace()

    def restore(self) -> bool:
        """Take away what was written. False where only a fresh copy will do.

        Whoever else is still connected is sent away first, as before a database is dropped.
        """
        self.wrapper.close_if_unusable_or_obsolete()
        try:
            with self.wrapper.cursor() as cursor:
                cursor.execute(ALONE)
                cursor.execute("SELECT ground.restore(%s)", [self.most_bytes])
                return bool(cursor.fetchone()[0])
        except DatabaseError:
            return False

    def replace(self) -> None:
        """Go on with a fresh copy of the template."""
        if self.ready is None:
            self.ready = self.thread.submit(self.copy, self.other)
        self.ready.result()
        self.use(self.other)
        self.ready = self.thread.submit(self.copy, self.other)

    def use(self, name: str) -> None:
        """Point this process at that database, and remember the other one."""
        self.wrapper.close()
        if name != self.name:
            self.name, self.other = name, self.name
        self.wrapper.settings_dict["NAME"] = settings.DATABASES["default"]["NAME"] = name

    def copy(self, name: str) -> None:
        """Make it a fresh copy of the template."""
        self.drop(name)
        self.execute("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY", name, self.template)

    def clear(self) -> None:
        """Leave nothing behind."""
        self.thread.shutdown()
        for name in (self.name, self.other):
            self.drop(name)

    def drop(self, name: str) -> None:
        """Drop a database, whoever is still connected to it."""
        self.execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)

    def databases(self) -> list[str]:
        """The names of all databases of the server."""
        with self.server() as connection:
            return [name for (name,) in connection.execute("SELECT datname FROM pg_database")]

    def execute(self, statement: str, *names: str) -> None:
        """Run a statement on the server itself; the names are put in as identifiers."""
        with self.server() as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

    def server(self) -> psycopg.Connection:
        """A connection to none of the databases that are made and dropped here."""
        parameters = self.wrapper.get_connection_params() | {"dbname": "postgres"}
        wanted = ("dbname", "host", "port", "user", "password")
        return psycopg.connect(**{key: parameters[key] for key in wanted if key in parameters}, autocommit=True)


def fingerprint() -> str:
    """Changes with every migration of ours, with the packages whose migrations run beside them, and with the ground."""
    digest = hashlib.sha256((settings.BASE_DIR / "requirements.txt").read_bytes() + GROUND.read_bytes())
    for app in sorted(apps.get_app_configs(), key=lambda app: app.label):
        if settings.BASE_DIR in Path(app.path).parents and ".venv" not in app.path:
            for file in sorted([*Path(app.path).glob("migrations/*.py"), *Path(app.path).glob("permissions.py")]):
                digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


@pytest.fixture
def live_server(transactional_db: None) -> "Iterator[Served]":
    """Instead of pytest-django's own, which cannot stream: the product's server, in a thread."""
    from opd_engine.tests.served import Served

    with Served() as server:
        yield server


@pytest.fixture(autouse=True)
def _facilities_are_asked_anew() -> None:
    """Ids come again with each copy of the database, so nothing is remembered of them from test to test."""
    from reception.money import reading

    reading.forget()


@pytest.fixture(scope="session", autouse=True)
def _static_files_are_listed_once() -> Iterator[None]:
    """Every test client makes the middleware anew, which lists the static files of all packages each time."""
    known: dict[tuple[str, ...], dict[str, Any]] = {}
    listed = WhiteNoiseMiddleware.add_files_from_finders

    def add_files(middleware: WhiteNoiseMiddleware) -> None:
        key = (middleware.static_prefix, settings.STORAGES["staticfiles"]["BACKEND"])
        if key not in known:
            listed(middleware)
            known[key] = dict(middleware.files)
        middleware.files.update(known[key])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WhiteNoiseMiddleware, "add_files_from_finders", add_files)
        yield


@pytest.fixture(scope="session")
def own_database(django_db_blocker: DjangoDbBlocker, worker_id: str) -> Iterator[TestDatabase]:
    """The database of this process: a copy of the template."""
    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patch:
        database = TestDatabase(worker_id)
        database.prepare()
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda case: database.renew())
        with django_db_blocker.block():
            yield database
        connections.close_all()
        database.clear()


@pytest.fixture(scope="session")
def django_db_setup(own_database: TestDatabase) -> None:
    """Instead of pytest-django's own."""
