"""Consultations as a file of columns, read with every fault named, and predicted one start after the other. Pure.

At each start only this is known: the sessions before it in the file, the starts of its own session so far, and who is
ahead with visit number, sex and order. How long a consultation took is never read.
"""

import csv
import io
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from statistics import mean, median
from typing import Final

from tokens.waits.model import DISTANCES, Clinic, Occasion, Visit

NEEDED: Final = ("session", "order", "start_time")
USED: Final = (*NEEDED, "half_day", "day_of_week", "visit_number", "sex")
DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
DAY: Final = 24 * 60.0
MIDDAY: Final = 12 * 60.0
_AHEAD: Final = DISTANCES[-1]


class UnreadableFile(Exception):
    """Nothing can be made of the file. `code` is stable, the text says why."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, slots=True)
class Fault:
    """A line that is left out, and why. `code` is stable."""

    line: int
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Start:
    """One line: a consultation that started, in minutes after midnight of its session's day."""

    line: int
    order: int
    at: float
    visit: Visit


@dataclass(slots=True)
class Session:
    """The consultations of one session in their order."""

    name: str
    occasion: Occasion
    starts: list[Start] = field(default_factory=list)


# Reading


def read(raw: bytes) -> tuple[list[Session], list[Fault]]:
    """The sessions of a file in the order in which they first appear, and the lines that are left out.

    UTF-8 or UTF-16 with or without a mark, any line ends, columns in any order, further columns are passed over. Inside
    a session the orders count, wherever the lines stand. Visit number, sex, weekday and half of the day may be missing.

    Raises:
        UnreadableFile: it is empty, or columns are missing.
    """
    rows = _rows(raw)
    names = [name.strip().lower() for name in next(rows, (0, []))[1]]
    if not any(names):
        raise UnreadableFile("empty_file", "The file is empty.")
    missing = [name for name in NEEDED if name not in names]
    if missing:
        raise UnreadableFile("missing_columns", f"The first line must name the columns; missing: {', '.join(missing)}.")
    where: dict[str, int] = {name: names.index(name) for name in USED if name in names}
    sessions: dict[str, Session] = {}
    faults: list[Fault] = []
    for line, cells in rows:
        given = {name: cells[place].strip() if place < len(cells) else "" for name, place in where.items()}
        found = _start(line, given)
        if isinstance(found, Fault):
            faults.append(found)
            continue
        name = given["session"]
        session = sessions.get(name) or sessions.setdefault(name, Session(name, _occasion(given, found)))
        session.starts.append(found)
    for session in sessions.values():
        faults += _put_in_order(session)
    return list(sessions.values()), sorted(faults, key=lambda fault: fault.line)


def _rows(raw: bytes) -> Iterator[tuple[int, list[str]]]:
    """The lines that are not blank, each with its number."""
    wide = raw.startswith((BOM_UTF16_LE, BOM_UTF16_BE))
    text = raw.decode("utf-16" if wide else "utf-8-sig", errors="replace").replace("\0", "")
    reader = csv.reader(io.StringIO(text, newline=""))
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            cells = ["?"]
        if any(cell.strip() for cell in cells):
            yield reader.line_num, cells


def _start(line: int, given: dict[str, str]) -> Start | Fault:
    if not given["session"]:
        return Fault(line, "no_session", "The session is missing.")
    order = _whole(given["order"])
    if order is None or order < 1:
        return Fault(line, "bad_order", f"The order {given['order']!r} is no whole number from 1.")
    at = _minutes(given["start_time"])
    if at is None:
        return Fault(line, "bad_start_time", f"The start {given['start_time']!r} is no time such as 9:05:30.")
    number = _whole(given.get("visit_number", ""))
    return Start(line, order, at, Visit(number if number and number > 0 else None, given.get("sex", "").upper()[:1]))


def _whole(text: str) -> int | None:
    text = text.removesuffix(".0")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _minutes(text: str) -> float | None:
    """A time of day in minutes: 9:05, 09:05:30, 9:05:30.5."""
    parts = text.split(":")
    if len(parts) not in (2, 3) or not all(p.isascii() and p.replace(".", "", 1).isdigit() for p in parts):
        return None
    try:
        hours, minutes, seconds = int(parts[0]), int(parts[1]), float(parts[2]) if parts[2:] else 0.0
    except ValueError:
        return None
    return hours * 60 + minutes + seconds / 60 if hours < 24 and minutes < 60 and seconds < 60 else None


def _occasion(given: dict[str, str], start: Start) -> Occasion:
    half = given.get("half_day", "").lower()
    known = half.startswith(("morning", "afternoon", "evening"))
    day = given.get("day_of_week", "").lower()
    weekday = next((i for i, name in enumerate(DAYS) if len(day) > 1 and name.startswith(day)), None)
    return Occasion(weekday, not half.startswith("morning") if known else start.at >= MIDDAY)


def _put_in_order(session: Session) -> list[Fault]:
    """Sort by order; times after midnight are of the next day; leave out what was there before and what goes back."""
    faults: list[Fault] = []
    kept: list[Start] = []
    for start in sorted(session.starts, key=lambda s: s.order):
        if not kept:
            kept.append(start)
            continue
        last = kept[-1]
        at = start.at + DAY * (last.at // DAY)
        if at < last.at - DAY / 2:
            at += DAY
        if start.order == last.order:
            text = f"Order {start.order} of session {session.name} was there before."
            faults.append(Fault(start.line, "duplicate_order", text))
        elif at < last.at:
            faults.append(Fault(start.line, "out_of_time", f"It starts before order {last.order} of its session."))
        else:
            kept.append(Start(start.line, start.order, at, start.visit))
    session.starts = kept
    return faults


# Predicting


@dataclass(frozen=True, slots=True)
class Prediction:
    """At the start of `order`: the minutes until the one `ahead` places later starts, and what it was."""

    session: str
    order: int
    ahead: int
    p50: float
    p90: float
    truth: float


def predict(sessions: Sequence[Session], done: Callable[[int], object] = lambda _: None) -> Iterator[Prediction]:
    """Every prediction whose target is in the file, in the order in which they are made.

    Args:
        done: told how many lines were gone through since it was told last.
    """
    clinic = Clinic()
    for session in sessions:
        yield from _predict_session(clinic, session)
        done(len(session.starts))


def _predict_session(clinic: Clinic, session: Session) -> Iterator[Prediction]:
    starts = session.starts
    sitting = clinic.open(session.occasion, starts[0].order - 1)
    for place, start in enumerate(starts):
        sitting.started(start.at, start.visit)
        given = sitting.predict([one.visit for one in starts[place + 1 : place + _AHEAD]])
        for ahead, minutes in given.items():
            if place + ahead < len(starts):
                truth = starts[place + ahead].at - start.at
                yield Prediction(session.name, start.order, ahead, minutes.p50, minutes.p90, truth)


# Judging


@dataclass(frozen=True, slots=True)
class Score:
    """How predictions turned out: minutes, and shares in percent."""

    ahead: int
    n: int
    mean_error: float | None
    median_error: float | None
    before_p50: float | None
    before_p90: float | None


def score(ahead: int, outcomes: Sequence[tuple[float, float, float]]) -> Score:
    """The score of some (p50, p90, truth)."""
    n = len(outcomes)
    if not n:
        return Score(ahead, 0, None, None, None, None)
    errors = [abs(truth - p50) for p50, _, truth in outcomes]
    before = sum(truth <= p50 for p50, _, truth in outcomes)
    most = sum(truth <= p90 for _, p90, truth in outcomes)
    return Score(ahead, n, mean(errors), median(errors), 100 * before / n, 100 * most / n)


def scores(predictions: Sequence[Prediction]) -> list[Score]:
    """The score at each distance."""
    return [score(k, [(p.p50, p.p90, p.truth) for p in predictions if p.ahead == k]) for k in DISTANCES]
