"""``manage.py start``: what ``make run`` does once the environment is there."""

from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connection
from django.db.migrations.executor import MigrationExecutor


class Command(BaseCommand):
    """Database, demo hospital, server: one process, so that the database starts once."""

    help = "Bring the database up to date, load the demo hospital (not in production), and serve until Ctrl-C."

    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        """Prepare, then serve."""
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            self.stdout.write("Bringing the database up to date ...")
        # Also without a missing migration: what follows migrations (roles, permissions) may have been interrupted.
        call_command("migrate", interactive=False, verbosity=0, skip_checks=True)
        if not settings.PRODUCTION:
            call_command("load_demo", starting=True)  # `serve` says who can sign in
        call_command("serve")
