"""Two questions of machines: is the process there, and can it serve."""

from collections.abc import Callable

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

# A worker writes its heartbeat every ten seconds.
WORKER_SILENT_SECONDS = 60


@never_cache
@require_safe
def alive(request: HttpRequest) -> JsonResponse:
    """``GET /healthz``: 200 while the process answers at all. Asks nobody else."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """``GET /readyz``: 200 when the database answers, no migration is missing, and a worker does the jobs; else 503."""
    checks: dict[str, Callable[[], bool]] = {"database": database, "migrations": migrations, "jobs": jobs}
    found = {}
    for name, check in checks.items():
        try:
            found[name] = check()
        except DatabaseError:
            found[name] = False
    well = all(found.values())
    return JsonResponse({"status": "ok" if well else "not ready", "checks": found}, status=200 if well else 503)


def database() -> bool:
    """Whether the database answers."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return cursor.fetchone() == (1,)


def migrations() -> bool:
    """Whether no migration is missing."""
    executor = MigrationExecutor(connection)
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())


def jobs() -> bool:
    """Whether a worker gave a sign of life lately."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM procrastinate_workers"
            " WHERE last_heartbeat > now() - make_interval(secs => %s))",
            [WORKER_SILENT_SECONDS],
        )
        return bool(cursor.fetchone()[0])
