"""``manage.py load_history``: the past of a large hospital, to try reports and pages on."""

from argparse import ArgumentParser
from datetime import date, timedelta
from time import perf_counter
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from tqdm import tqdm

from common.errors import DomainError
from reception.history import Plan, load_history


class Command(BaseCommand):
    """Loads days that are over, and says how many rows that were."""

    help = "Load the past of a large hospital: tokens, visits, bills, payments and their ledger. Never in production."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """How much past, and whose."""
        parser.add_argument("--visits", type=int, default=100_000, help="about so many (default 100000)")
        parser.add_argument("--days", type=int, default=365, help="how many days, Sundays included (default 365)")
        parser.add_argument("--until", type=date.fromisoformat, help="the last day (default yesterday)")
        parser.add_argument(
            "--facility", default="history", help="the slug of the hospital; one that is not there is opened"
        )
        parser.add_argument("--seed", type=int, default=2026, help="the same seed makes the same past")

    def handle(self, *args: Any, **options: Any) -> None:
        """Load it, with a progress bar."""
        plan = Plan(
            visits=options["visits"],
            days=options["days"],
            until=options["until"] or timezone.localdate() - timedelta(days=1),
            facility=options["facility"],
            seed=options["seed"],
        )
        began = perf_counter()
        with tqdm(total=plan.visits, desc="History", unit="visit", disable=not options["verbosity"] or None) as bar:
            try:
                loaded = load_history(plan, lambda visits: bar.update(visits - bar.n))
            except DomainError as refusal:
                raise CommandError(str(refusal)) from refusal
        seconds = perf_counter() - began
        said = ", ".join(f"{count} {what}" for what, count in vars(loaded).items())
        self.stdout.write(f"{said}; {seconds:.0f} s. `manage.py prove_ledger` and `replay_events --check` check it.")
