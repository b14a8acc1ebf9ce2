"""``manage.py replay_events``: rebuild every token from its events, and compare."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from tqdm import tqdm

from tokens.events import replay
from tokens.models import Token

MOST_SHOWN = 50


class Command(BaseCommand):
    """Says how many tokens their events rebuild."""

    help = "Rebuild every token from its events alone and say what differs from the table."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whether a difference is a failure."""
        parser.add_argument("--check", action="store_true", help="end with code 1 where anything differs")

    def handle(self, *args: Any, **options: Any) -> None:
        """Replay, report."""
        quiet = not options["verbosity"] or None
        with tqdm(total=Token.objects.count(), desc="Replay", unit="token", leave=False, disable=quiet) as bar:
            tokens, events, differences = replay(done=bar.update)
        for one in differences[:MOST_SHOWN]:
            self.stderr.write(
                f"token {one.token_id}: {one.name} is {one.in_table!r}, by its events {one.from_events!r}"
            )
        if len(differences) > MOST_SHOWN:
            self.stderr.write(f"... and {len(differences) - MOST_SHOWN} more")
        differ = len({one.token_id for one in differences})
        verdict = f"{differ} tokens differ from them." if differ else "the events rebuild every token exactly."
        self.stdout.write(f"{tokens} tokens, {events} events: {verdict}")
        if differ and options["check"]:
            sys.exit(1)
