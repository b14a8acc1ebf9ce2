"""``manage.py evaluate_waits``: how well waits are estimated, on a file of real consultations."""

import csv
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from tokens.waits.consultations import Fault, Prediction, Score, Session, UnreadableFile, predict, read, scores

MOST_SHOWN: Final = 20
HEADER: Final = ("session", "order", "ahead", "p50_minutes", "p90_minutes")


class Command(BaseCommand):
    """Predicts each start from what was known before, and says how far off that was."""

    help = (
        "Go through consultations in the order of the file. Each time one starts, predict the minutes until the one 1, "
        "3, 5 and 8 places later in the same session starts, from what was known at that moment alone; then say how "
        "far off the predictions were. Columns: session, order, start_time, and where known half_day, day_of_week, "
        "visit_number, sex. Lines that make no sense are named and left out."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The file, and where the predictions go."""
        parser.add_argument("file", help="consultations, a line each; - is the input")
        parser.add_argument(
            "--out", metavar="PREDICTIONS.csv", help="write a line for each prediction; - is the output"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Read, predict, write, report."""
        sessions, faults = self.sessions(options["file"])
        self.name(faults)
        lines = sum(len(session.starts) for session in sessions)
        quiet = not options["verbosity"] or None
        with tqdm(total=lines, desc="Predict", unit="line", leave=False, disable=quiet) as bar:
            made = list(predict(sessions, bar.update))
        if options["out"]:
            self.write(options["out"], made)
        out = self.stderr if options["out"] == "-" else self.stdout
        out.write(page(lines, len(sessions), len(faults), scores(made)), style_func=str)

    def sessions(self, file: str) -> tuple[list[Session], list[Fault]]:
        """What is in the file.

        Raises:
            CommandError: nothing can be made of it.
        """
        try:
            raw = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
            return read(raw)
        except OSError as error:
            raise CommandError(f"unreadable_file: {file} cannot be read: {error.strerror}.") from error
        except UnreadableFile as error:
            raise CommandError(f"{error.code}: {error}") from error

    def name(self, faults: Sequence[Fault]) -> None:
        """Name the lines that are left out, the first ones."""
        for fault in faults[:MOST_SHOWN]:
            self.stderr.write(f"line {fault.line}: {fault.code}: {fault.reason}")
        if len(faults) > MOST_SHOWN:
            self.stderr.write(f"... and {len(faults) - MOST_SHOWN} more")

    def write(self, file: str, made: Sequence[Prediction]) -> None:
        """Write the predictions.

        Raises:
            CommandError: the file cannot be written.
        """
        rows = ((p.session, p.order, p.ahead, f"{p.p50:.2f}", f"{p.p90:.2f}") for p in made)
        if file == "-":
            csv.writer(self.stdout, lineterminator="\n").writerows([HEADER, *rows])
            return
        try:
            with Path(file).open("w", newline="", encoding="utf-8") as target:
                csv.writer(target, lineterminator="\n").writerows([HEADER, *rows])
        except OSError as error:
            raise CommandError(f"unwritable_file: {file} cannot be written: {error.strerror}.") from error


def page(lines: int, sessions: int, faults: int, found: Sequence[Score]) -> str:
    """The report."""
    left_out = f", {faults} lines left out" if faults else ""
    rows = [
        f"{lines} consultations of {sessions} sessions{left_out}. Minutes; shares of 100.",
        f"{'ahead':>5} {'n':>7} {'mean error':>11} {'median error':>13} {'before p50':>11} {'before p90':>11}",
    ]
    for one in found:
        figures = (one.mean_error, one.median_error, one.before_p50, one.before_p90)
        texts = ["-" if value is None else f"{value:.{2 - place // 2}f}" for place, value in enumerate(figures)]
        rows.append(f"{one.ahead:>5} {one.n:>7} {texts[0]:>11} {texts[1]:>13} {texts[2]:>11} {texts[3]:>11}")
    return "\n".join(rows)
