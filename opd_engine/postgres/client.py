"""``manage.py dbshell``, which opens the embedded server with the ``psql`` that came with it."""

from collections.abc import Iterable

from django.conf import settings
from django.db.backends.postgresql import client

from opd_engine import embedded


class DatabaseClient(client.DatabaseClient):
    """psql on whichever server the settings name."""

    def runshell(self, parameters: Iterable[str]) -> None:
        """Open the shell; the server stays for as long as it is open."""
        if not settings.DATABASE_URL:
            self.connection.settings_dict["HOST"] = self.connection.get_connection_params()["host"]
            type(self).executable_name = str(embedded.binaries() / "psql")
        super().runshell(parameters)
