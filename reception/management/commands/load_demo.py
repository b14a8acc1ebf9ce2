"""``manage.py load_demo``: a hospital to try everything in."""

import logging
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from reception.demo import STEPS, freshen, load
from reception.demo.loading import NotInProduction
from reception.demo.people import PASSWORD, STAFF

logger = logging.getLogger("opd.demo")


class Command(BaseCommand):
    """Loads the demo hospital once; a later run finds it, and lets people come to it today."""

    help = "Load the demo hospital: a morning in progress around the present hour. Never in production."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """How much is said."""
        parser.add_argument("--starting", action="store_true", help="say only what is new on a day after the first")

    def handle(self, *args: Any, **options: Any) -> None:
        """Load it, with a progress bar; the bar is only there where there is something to do."""
        quiet = not options["verbosity"] or None
        with tqdm(total=STEPS, desc="Demo hospital", unit="step", leave=False, delay=0.5, disable=quiet) as bar:
            try:
                loaded = load(bar.update)
            except NotInProduction as refusal:
                raise CommandError(str(refusal)) from refusal
        news = "" if loaded else _freshened()
        if not news and not options["starting"]:
            names = ", ".join(member.username for member in STAFF)
            news = f"loaded. Sign in as {names}; the password is {PASSWORD}." if loaded else "is loaded already."
        if news and options["verbosity"]:
            self.stdout.write(f"The demo hospital {news}")


def _freshened() -> str:
    """Let people come today where the demo is older; what is to be said of it."""
    try:
        return "is older than today: its days were finished, and today is busy again." if freshen() else ""
    except Exception:
        # Somebody has made something else of the demo hospital: it is theirs, and the product starts all the same.
        logger.warning("the demo's day was not begun anew", exc_info=True)
        return "is older than today, and was left as it is."
