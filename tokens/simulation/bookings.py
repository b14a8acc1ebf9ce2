"""Bookings of a real day as a file of columns: read with every fault named, or made up. Pure."""

import csv
import io
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from random import Random

COLUMNS = ("requested_at", "day", "patient", "age", "sex", "place", "reminded", "no_show")
OLDEST = 130
_UNREADABLE = "\udcff"
_YES_NO = {"0": False, "1": True, "no": False, "yes": True}


@dataclass(frozen=True, slots=True)
class Booking:
    """One line: who asked when, for which day and place, and whether they stayed away."""

    line: int
    requested_at: datetime
    day: date
    patient: str
    age: int
    sex: str
    place: str
    no_show: bool

    @property
    def on_the_day(self) -> bool:
        """Whether it was asked for on the day itself, by the clock of the file."""
        return self.requested_at.date() == self.day


@dataclass(frozen=True, slots=True)
class Fault:
    """A line that cannot be read, and why."""

    line: int
    reason: str


class UnreadableFile(Exception):
    """Not one line of the file can be read; the text says why."""


def read(raw: bytes) -> tuple[list[Booking], list[Fault]]:
    """The bookings of a file in the order of the requests, and the lines that cannot be read.

    UTF-8 with or without a mark, any line ends, columns in any order, further columns are passed over.

    Raises:
        UnreadableFile: it is empty, or columns are missing.
    """
    rows = _rows(raw)
    names = [name.strip().lower() for name in next(rows, (0, []))[1]]
    if not any(names):
        raise UnreadableFile("The file is empty.")
    missing = [name for name in COLUMNS if name not in names]
    if missing:
        raise UnreadableFile(f"The first line must name the columns; missing: {', '.join(missing)}.")
    bookings, faults = [], []
    for line, row in rows:
        try:
            bookings.append(_booking(line, names, row))
        except ValueError as error:
            faults.append(Fault(line, str(error)))
    return sorted(bookings, key=lambda booking: booking.requested_at), faults


def _rows(raw: bytes) -> Iterator[tuple[int, list[str]]]:
    """Line number and cells of each line that is not blank; what cannot be read comes as `_UNREADABLE`.

    Line by line, so that a quote that is never closed spoils its own line and not the rest of the file.
    """
    wide = raw.startswith((BOM_UTF16_LE, BOM_UTF16_BE))
    text = raw.decode("utf-16", "replace") if wide else raw.decode("utf-8-sig", "surrogateescape")
    for number, line in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), start=1):
        if line.strip():
            yield number, _cells(line)


def _cells(line: str) -> list[str]:
    try:
        return next(csv.reader([line], strict=True))
    except csv.Error:
        return [_UNREADABLE]


def _booking(line: int, names: Sequence[str], row: list[str]) -> Booking:
    """One line as a booking.

    Raises:
        ValueError: with what is wrong, for people.
    """
    if row == [_UNREADABLE]:
        raise ValueError("a quote in it is never closed, or it is not text")
    if any("\udc00" <= letter <= "\udcff" or letter == "\0" for cell in row for letter in cell):
        raise ValueError("it is not written in UTF-8")
    if len(row) != len(names):
        raise ValueError(f"it has {len(row)} columns instead of {len(names)}")
    cells = {name: cell.strip() for name, cell in zip(names, row, strict=True)}
    empty = [name for name in ("patient", "place") if not cells[name]]
    if empty:
        raise ValueError(f"{' and '.join(empty)} must not be empty")
    asked, day = _moment(cells["requested_at"]), _day(cells["day"])
    if asked.date() > day:
        raise ValueError(f"it was asked for on {asked.date()}, after the day itself")
    if cells["no_show"].lower() not in _YES_NO:
        raise ValueError(f"no_show is 0 or 1, not {cells['no_show']!r}")
    away = _YES_NO[cells["no_show"].lower()]
    return Booking(line, asked, day, cells["patient"], _age(cells["age"]), cells["sex"], cells["place"], away)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"requested_at is no time: {text!r}") from None
    if moment.tzinfo is None:
        raise ValueError(f"requested_at has no offset: {text!r}")
    return moment


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"day is no date: {text!r}") from None


def _age(text: str) -> int:
    try:
        age = int(text)
    except ValueError:
        raise ValueError(f"age is no whole number: {text!r}") from None
    if not 0 <= age <= OLDEST:
        raise ValueError(f"age lies between 0 and {OLDEST}, not at {age}")
    return age


# A day of one's own

_PLACES = ("HARBOUR", "OLD TOWN", "LAKE VIEW", "HILL ROAD", "STATION", "GARDENS", "MILL LANE", "RIVERSIDE", "MARKET")
_ZONE = timezone(timedelta(hours=5, minutes=30))
_DAY = date(2025, 2, 11)


def make_up(count: int, seed: int) -> list[Booking]:
    """A made-up day: clinics of very different sizes, two thirds asked for before the day, one in five stays away."""
    chance = Random(seed)
    sizes = [1 / (rank + 1) for rank in range(max(2, min(len(_PLACES) * 9, count // 30)))]
    places = [f"{_PLACES[n % len(_PLACES)]} {n // len(_PLACES) + 1}" for n in range(len(sizes))]
    made: list[Booking] = []
    for number in range(count):
        again = made and chance.random() < 0.04
        patient = chance.choice(made).patient if again else str(number + 1)
        place = chance.choices(places, sizes)[0]
        asked, away = _asked(chance)
        made.append(Booking(0, asked, _DAY, patient, chance.randrange(91), chance.choice("FM"), place, away))
    made.sort(key=lambda booking: booking.requested_at)
    return made


def _asked(chance: Random) -> tuple[datetime, bool]:
    """When somebody asks, and whether they stay away; who asks on the day seldom does."""
    if chance.random() < 0.33:
        minutes = int(chance.triangular(6 * 60 + 30, 19 * 60 + 30, 7 * 60 + 30))
        days, away = 0, chance.random() < 0.03
    else:
        minutes = chance.randrange(7 * 60, 20 * 60)
        days, away = 1 + int(chance.expovariate(1 / 12)), chance.random() < 0.28
    start = datetime.combine(_DAY - timedelta(days=days), time(), _ZONE)
    return start + timedelta(minutes=minutes, seconds=chance.randrange(60)), away


def write(bookings: Sequence[Booking]) -> str:
    """Bookings as the text of a file."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for one in bookings:
        asked, away = one.requested_at.isoformat(), int(one.no_show)
        writer.writerow([asked, one.day.isoformat(), one.patient, one.age, one.sex, one.place, 0, away])
    return text.getvalue()
