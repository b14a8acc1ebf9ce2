"""Names, births and search texts as tables of cases."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patients.errors import PhoneNotValid
from patients.phones import normalise
from patients.rules import Birth, Search, birth, clean_name, patient_number, read_search

TODAY = dt.date(2026, 11, 21)


@pytest.mark.parametrize(
    ("written", "region", "kept"),
    [
        ("98765 43210", "IN", "+919876543210"),
        ("098765-43210", "IN", "+919876543210"),
        ("+91 (98765) 43210", "IN", "+919876543210"),
        ("0091 98765 43210", "IN", "+919876543210"),
        ("022 2345 6789", "IN", "+912223456789"),
        ("+44 20 7946 0958", "IN", "+442079460958"),
        ("020 7946 0958", "GB", "+442079460958"),
        ("९८७६५ ४३२१०", "IN", "+919876543210"),
        ("", "IN", ""),
        ("   ", "IN", ""),
    ],
)
def test_phone_numbers_are_kept_in_one_form(written: str, region: str, kept: str) -> None:
    assert normalise(written, region=region) == kept


@pytest.mark.parametrize("written", ["12", "no phone", "98765", "+91 00000 00000", "9876543210123456", "+"])
def test_what_cannot_be_dialled_is_refused(written: str) -> None:
    with pytest.raises(PhoneNotValid) as raised:
        normalise(written, region="IN")
    assert (raised.value.code, raised.value.attr) == ("invalid_phone", "phone")


@pytest.mark.parametrize(
    ("given_as", "born"),
    [
        ({}, Birth(None, None)),
        ({"age": 40}, Birth(None, 1986)),
        ({"age": 0}, Birth(None, 2026)),
        ({"year": 1990}, Birth(None, 1990)),
        ({"year": 1990, "age": 36}, Birth(None, 1990)),
        ({"year": 1990, "age": 35}, Birth(None, 1990)),
        ({"date": dt.date(1990, 12, 31)}, Birth(dt.date(1990, 12, 31), 1990)),
        ({"date": TODAY}, Birth(TODAY, 2026)),
    ],
)
def test_birth_from_date_year_or_age(given_as: dict[str, object], born: Birth) -> None:
    asked = {"date": None, "year": None, "age": None, **given_as}
    assert birth(**asked, today=TODAY) == born  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "given_as",
    [
        {"date": dt.date(2026, 11, 22)},
        {"date": dt.date(1800, 1, 1)},
        {"year": 2027},
        {"year": 1895},
        {"age": 131},
        {"age": -1},
        {"date": dt.date(1990, 1, 1), "year": 1991},
        {"date": dt.date(1990, 1, 1), "age": 20},
    ],
)
def test_births_that_cannot_be_are_refused(given_as: dict[str, object]) -> None:
    asked = {"date": None, "year": None, "age": None, **given_as}
    with pytest.raises(ValueError, match=r"birth|age"):
        birth(**asked, today=TODAY)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("P-2026-000123", Search(serial=123, number_only=True)),
        ("p2026-000123", Search(serial=123, number_only=True)),
        ("P-000123", Search(serial=123, number_only=True)),
        ("P 123", Search(serial=123, number_only=True)),
        ("123", Search(digits="123", serial=123)),
        ("0123", Search(digits="123", serial=123)),
        ("12", Search(serial=12)),
        ("98765 43210", Search(digits="9876543210", serial=9876543210)),
        ("+91 98765-43210", Search(digits="919876543210", serial=919876543210)),
        ("0091 98765 43210", Search(digits="919876543210")),
        ("Asha  Kumar", Search(words=("asha", "kumar"))),
        ("asha 4321", Search(words=("asha",), digits="4321")),
        ("D'Souza", Search(words=("d'souza",))),
        ("आशा कुमार", Search(words=("आशा", "कुमार"))),
        ("", Search()),
        (" - ", Search()),
        ("%_\\", Search()),
    ],
)
def test_what_a_search_text_asks_for(text: str, asked: Search) -> None:
    assert read_search(text) == asked


@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    asked = read_search(text)
    assert not any(letter in "%_\\" for word in asked.words for letter in word)
    assert asked.digits == "" or (asked.digits.isascii() and asked.digits.isdigit())


@given(st.text())
def test_a_clean_name_stays_as_it_is(name: str) -> None:
    assert clean_name(clean_name(name)) == clean_name(name)


def test_numbers_have_six_digits_and_grow_beyond() -> None:
    assert patient_number(2026, 123) == "P-2026-000123"
    assert patient_number(2026, 1234567) == "P-2026-1234567"
