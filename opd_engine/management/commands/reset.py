"""``manage.py reset``: throw the embedded database and the uploads away, after asking."""

import shutil
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from opd_engine import embedded


class Command(BaseCommand):
    """Back to an empty hospital."""

    help = "Delete the embedded database and everything uploaded. Asks first."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """A way without the question, for scripts."""
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *args: Any, **options: Any) -> None:
        """Refuse where somebody else's data or a running server is at stake, ask, delete."""
        if settings.PRODUCTION or settings.DATABASE_URL:
            raise CommandError("Only the embedded database can be reset; DATABASE_URL names another.")
        home = settings.OPD_EMBEDDED_HOME
        if embedded.is_used(home):
            raise CommandError("The server is running; stop it first (Ctrl-C where it was started).")
        if not options["yes"]:
            self.stdout.write(f"This deletes the hospital in {settings.OPD_VAR}: every patient, token and bill in it.")
            if input("Type reset to go on: ").strip() != "reset":
                raise CommandError("Nothing was deleted.")
        for folder in (home, settings.MEDIA_ROOT):
            shutil.rmtree(folder, ignore_errors=True)
        self.stdout.write("Deleted. `make run` makes a new one.")
