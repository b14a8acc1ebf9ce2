"""What the commands need before they can play: a database with tables."""

from django.core.management import call_command
from django.db import connection


def prepare_database() -> None:
    """Make the tables in a database that has none at all, so that a newcomer's first command works.

    One that has some is left as it is: who runs a hospital migrates it when they want to.
    """
    if not connection.introspection.table_names():
        call_command("migrate", verbosity=0)
