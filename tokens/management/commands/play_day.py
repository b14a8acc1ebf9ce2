"""``manage.py play_day``: a real day of bookings through the engine, with every rule checked at the end."""

import sys
import time
from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from tokens.facts import DEFAULT_POLICY, PRESETS
from tokens.simulation import report
from tokens.simulation.bookings import Booking, Fault, UnreadableFile, make_up, read, write
from tokens.simulation.ground import prepare_database
from tokens.simulation.real_day import RealDay

MOST = 100_000


def share(text: str) -> float:
    """A supply that makes sense: more than nothing, at most ten places a booking."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 10:
        raise ArgumentTypeError(f"{text} is no share of the bookings, such as 0.85")
    return value


def count(text: str) -> int:
    """A number of bookings."""
    if not text.isdecimal() or not 1 <= int(text) <= MOST:
        raise ArgumentTypeError(f"{text} is no number from 1 to {MOST}")
    return int(text)


class Command(BaseCommand):
    """Plays a file, or a made-up day, in a facility of its own."""

    help = (
        "Play a day of bookings through the real actions with a simulated clock, in a facility of its own, and check "
        "every rule by SQL. With --generate a day is made up: played, and kept in FILE where one is named "
        "(- writes it to the standard output and plays nothing)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The file, and how to play it."""
        parser.add_argument("file", nargs="?", help="bookings, with the columns of --generate; - is the input")
        parser.add_argument("--generate", type=count, metavar="N", help="make up a day of N bookings")
        parser.add_argument("--supply", type=share, default=0.85, help="places as a share of each clinic's bookings")
        parser.add_argument("--seed", type=int, default=1, help="decides emergencies and lengths of visits")
        parser.add_argument("--policy", choices=sorted(PRESETS), default=DEFAULT_POLICY)
        parser.add_argument("--facility", help="the slug of the facility to open; a number is added where it is taken")

    def handle(self, *args: Any, **options: Any) -> None:
        """Read or make up, play, report; exit code 1 where a rule is broken."""
        bookings, faults = self.bookings(options)
        for fault in faults:
            self.stderr.write(f"line {fault.line}: {fault.reason}")
        if not bookings:
            raise CommandError("There is no booking to play.")
        if options["generate"] and options["file"] == "-":
            return
        prepare_database()
        begun = time.perf_counter()
        with tqdm(total=len(bookings), desc=options["policy"], unit="booking", disable=not options["verbosity"]) as bar:
            day = RealDay(
                bookings,
                policy=options["policy"],
                supply=options["supply"],
                seed=options["seed"],
                slug=options["facility"],
            )
            played = day.play(bar.update)
        self.stdout.write(report.page(played, len(bookings), len(faults), time.perf_counter() - begun))
        if played.breaches:
            raise CommandError(f"{len(played.breaches)} times a rule is broken.")

    def bookings(self, options: dict[str, Any]) -> tuple[list[Booking], list[Fault]]:
        """The bookings of the file, or made up ones, and the lines that cannot be read.

        Raises:
            CommandError: there is no file, or nothing in it can be read.
        """
        path = options["file"]
        if options["generate"]:
            made = make_up(options["generate"], options["seed"])
            self.keep(write(made), path)
            return made, []
        if not path:
            raise CommandError("Name a file of bookings, or make up a day: --generate 500")
        try:
            return read(sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes())
        except OSError as error:
            raise CommandError(f"{path} cannot be read: {error.strerror}.") from None
        except UnreadableFile as error:
            raise CommandError(f"{path} cannot be read. {error}") from None

    def keep(self, text: str, path: str | None) -> None:
        """Write a made-up day where it is wanted."""
        if path == "-":
            self.stdout.write(text, ending="")
        elif path:
            try:
                Path(path).write_text(text, encoding="utf-8")
            except OSError as error:
                raise CommandError(f"{path} cannot be written: {error.strerror}.") from None
