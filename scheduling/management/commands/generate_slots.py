"""`manage.py generate_slots`: sessions and slots of the next days, from the weekly lines."""

from functools import partial
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from common.transactions import outermost
from scheduling.actions import Generated, generate_sessions
from scheduling.actions.generation import DAYS
from scheduling.queries import active_facilities


class Command(BaseCommand):
    """Generates for every active facility, or for one; run again, it makes nothing twice."""

    help = "Generate the sessions and slots of the next days from the weekly lines. Safe to repeat."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which facility, how many days."""
        parser.add_argument("--facility", help="the slug of one facility; all active ones where it is not given")
        parser.add_argument("--days", type=int, default=DAYS, help="how many days, today included (%(default)s)")

    def handle(self, *, facility: str | None, days: int, **options: Any) -> None:
        """Each facility in a transaction of its own."""
        if days < 1:
            raise CommandError("--days is at least 1.")
        facilities = [one for one in active_facilities() if facility in (None, one.slug)]
        if facility and not facilities:
            raise CommandError(f"There is no active facility {facility}.")
        for one in tqdm(facilities, desc="facilities", disable=not self.stderr.isatty(), file=self.stderr):
            report = outermost(partial(generate_sessions, facility_id=one.pk, days=days, by=None))
            self.tell(str(one), report)

    def tell(self, name: str, report: Generated) -> None:
        """What was made, and what was left out and why."""
        self.stdout.write(
            f"{name}: {report.sessions} sessions with {report.slots} slots made, {report.existing} were there."
        )
        for skipped in report.skipped:
            self.stdout.write(f"  left out, line {skipped.line} on {skipped.date}: {skipped.sentence}")
