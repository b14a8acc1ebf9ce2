"""Pure rules of the registry: what a name is, when somebody was born, what a search text asks for."""

import datetime as dt
import re
import unicodedata
from dataclasses import dataclass

OLDEST = 130
_NUMBER = re.compile(r"\s*p\s*-?\s*(?:(\d{4})\s*-\s*)?(\d{1,12})\s*", re.IGNORECASE)


def clean_name(name: str) -> str:
    """A name in composed Unicode, with single spaces."""
    return " ".join(unicodedata.normalize("NFC", name).split())


def patient_number(year: int, serial: int) -> str:
    """``P-2026-000123``: the year of registration, and at least six digits of the serial."""
    return f"P-{year:04d}-{serial:06d}"


@dataclass(frozen=True)
class Birth:
    """When somebody was born: the date where it is known, else the year, else nothing."""

    date: dt.date | None
    year: int | None


def birth(*, date: dt.date | None, year: int | None, age: int | None, today: dt.date) -> Birth:
    """What date, year and age together say; each may be missing.

    Args:
        age: in whole years on ``today``; gives the year at which it is not off by more than one.

    Raises:
        ValueError: they contradict each other, or nobody alive was born then.
    """
    if age is not None and not 0 <= age <= OLDEST:
        raise ValueError(f"An age lies between 0 and {OLDEST}.")
    if date is not None and year is not None and date.year != year:
        raise ValueError("The date and the year of birth contradict each other.")
    if age is not None and (date or year) and abs(today.year - (date.year if date else year or 0) - age) > 1:
        raise ValueError("The age and the birth contradict each other.")
    if date is not None:
        year = date.year
    elif year is None and age is not None:
        year = today.year - age
    if (date and date > today) or (year and not today.year - OLDEST <= year <= today.year):
        raise ValueError("The birth lies in the future or too far back.")
    return Birth(date, year)


@dataclass(frozen=True)
class Search:
    """What a search text asks for.

    Attributes:
        words: parts of the name, lower case, in the order given.
        digits: digits that the phone number has in this order; empty for fewer than three.
        serial: the serial of a patient number.
        number_only: the text is a patient number and nothing else: it does not mean a phone.
    """

    words: tuple[str, ...] = ()
    digits: str = ""
    serial: int | None = None
    number_only: bool = False

    def __bool__(self) -> bool:
        return bool(self.words or self.digits or self.serial is not None)


def _words(text: str) -> list[str]:
    """Runs of letters with the marks that belong to them (the vowels of Hindi are marks), and apostrophes inside."""
    letters = (letter if unicodedata.category(letter)[0] in "LM" or letter in "'’" else " " for letter in text)
    return [word for part in "".join(letters).lower().split() if (word := part.strip("'’"))]


def read_search(text: str) -> Search:
    """Read ``P-2026-000123``, ``123``, ``98765 43210``, ``+91-98765``, ``asha kumar``, ``asha 4321``.

    Plain digits may be a serial or a part of a phone number, so both are asked for. Zeros before a phone number
    are a way to dial it and not part of it.
    """
    number = _NUMBER.fullmatch(text)
    if number:
        return Search(serial=int(number[2]), number_only=True)
    words = tuple(_words(unicodedata.normalize("NFC", text)))[:6]
    digits = "".join(letter for letter in text if letter.isascii() and letter.isdigit())
    serial = int(digits) if digits and len(digits) <= 12 and not words else None
    dialled = digits.lstrip("0")[:15]
    return Search(words=words, digits=dialled if len(dialled) >= 3 else "", serial=serial)
