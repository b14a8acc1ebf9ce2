"""``manage.py load_demo``: a hospital to try everything in."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from reception.demo import STEPS, load
from reception.demo.loading import NotInProduction
from reception.demo.people import PASSWORD, STAFF


class Command(BaseCommand):
    """Loads the demo hospital once; a second run finds it and does nothing."""

    help = "Load the demo hospital: a morning in progress around the present hour. Never in production."

    def handle(self, *args: Any, **options: Any) -> None:
        """Load it, with a progress bar; the bar is only there where there is something to do."""
        quiet = not options["verbosity"] or None
        with tqdm(total=STEPS, desc="Demo hospital", unit="step", leave=False, delay=0.5, disable=quiet) as bar:
            try:
                loaded = load(bar.update)
            except NotInProduction as refusal:
                raise CommandError(str(refusal)) from refusal
        if options["verbosity"]:
            names = ", ".join(member.username for member in STAFF)
            said = f"loaded. Sign in as {names}; the password is {PASSWORD}." if loaded else "is loaded already."
            self.stdout.write(f"The demo hospital {said}")
