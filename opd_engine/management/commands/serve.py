"""``manage.py serve``: the servers and the jobs' worker, until Ctrl-C."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from opd_engine.static import collect
from opd_engine.warming import warm_up
from reception.demo.known import demo_users
from reception.demo.people import PASSWORD


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
        collect(self.stdout.write)
        # Not before: importing it builds the applications, which look for the static files.
        from opd_engine.serve import Family, listen

        host, port = options["host"], options["port"]
        try:
            listener = listen(host, port)
        except OSError as error:
            raise CommandError(f"Port {port} of {host} cannot be used: {error.strerror}. Try PORT=8001.") from None
        warm_up()
        self.greet(host, port)
        Family(listener, options["servers"]).run()
        self.stdout.write("Stopped.")

    def greet(self, host: str, port: int) -> None:
        """Say where it is and, while the demo is loaded, who can sign in."""
        self.stdout.write(f"\n  OPD engine    http://{'localhost' if host == '127.0.0.1' else host}:{port}/")
        if members := demo_users():
            self.stdout.write(f"  sign in as    {', '.join(f'{who.username} ({who.what})' for who in members)}")
            self.stdout.write(f"  password      {PASSWORD}")
        self.stdout.write("  stop          Ctrl-C\n")
