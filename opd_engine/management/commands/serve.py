"""``manage.py serve``: the servers and the jobs' worker, until Ctrl-C."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

DEMO_PASSWORD = "opd-demo"  # noqa: S105 (shown on the sign-in page, too)
DEMO_USERS = {
    "admin": "administrator",
    "asha": "reception",
    "rao": "doctor",
    "meena": "cashier",
    "john": "laboratory",
    "lata": "pharmacy",
    "vikram": "manager",
}


class Command(BaseCommand):
    """Runs the whole product on one port."""

    help = "Run the server and the jobs' worker on one port, until Ctrl-C."

    requires_system_checks = ()  # they are for who changes the code, and take a second of every start

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Address and size; the defaults come from the environment."""
        parser.add_argument("--host", default=settings.HOST)
        parser.add_argument("--port", type=int, default=settings.PORT)
        parser.add_argument("--servers", type=int, default=settings.OPD_SERVERS, help="server processes")

    def handle(self, *args: Any, **options: Any) -> None:
        """Bind, tell the address, run."""
        # whitenoise complains of a folder that is not there; in production the collected files go into it.
        settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
        if settings.PRODUCTION:
            call_command("collectstatic", interactive=False, verbosity=0)
        # Not before: importing it builds the applications, which look for the static files.
        from opd_engine.serve import Family, listen

        host, port = options["host"], options["port"]
        try:
            listener = listen(host, port)
        except OSError as error:
            raise CommandError(f"Port {port} of {host} cannot be used: {error.strerror}. Try PORT=8001.") from None
        self.greet(host, port)
        Family(listener, options["servers"]).run()
        self.stdout.write("Stopped.")

    def greet(self, host: str, port: int) -> None:
        """Say where it is and, while the demo is loaded, who can sign in."""
        self.stdout.write(f"\n  OPD engine    http://{'localhost' if host == '127.0.0.1' else host}:{port}/")
        users = set(get_user_model().objects.filter(username__in=DEMO_USERS).values_list("username", flat=True))
        if not settings.PRODUCTION and users:
            known = ", ".join(f"{name} ({what})" for name, what in DEMO_USERS.items() if name in users)
            self.stdout.write(f"  sign in as    {known}\n  password      {DEMO_PASSWORD}")
        self.stdout.write("  stop          Ctrl-C\n")
