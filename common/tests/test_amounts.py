"""Amounts as people read and write them."""

from decimal import Decimal

import pytest

from common.amounts import figures, plain, read, said, symbol


@pytest.mark.parametrize(
    ("amount", "currency", "told"),
    [
        ("650", "INR", "₹650.00"),
        ("1284.5", "INR", "₹1,284.50"),
        ("156720", "INR", "₹1,56,720.00"),
        ("2375464.50", "INR", "₹23,75,464.50"),
        ("-50", "INR", "−₹50.00"),
        ("2375464.5", "EUR", "€2,375,464.50"),
        ("1000", "CHF", "CHF\N{NO-BREAK SPACE}1,000.00"),
        ("0", "INR", "₹0.00"),
    ],
)
def test_an_amount_is_said_as_its_country_groups_it(amount: str, currency: str, told: str) -> None:
    assert said(Decimal(amount), currency) == told


def test_half_a_cent_is_rounded_up_and_a_field_has_no_empty_cents() -> None:
    assert figures(Decimal("0.005")) == "0.01"
    assert (plain(Decimal("650.00")), plain(Decimal("1284.5"))) == ("650", "1284.50")
    assert symbol("INR") == "₹"


@pytest.mark.parametrize("text", ["1,000.00", "1000", "₹ 1,000", "Rs 1000.0", " 1000.00 ", "₹1,000", "INR 1,000"])
def test_what_people_type_is_read(text: str) -> None:
    assert read(text) == Decimal(1000)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-5",
        "1.005",
        "ten",
        "1e3",
        "1_0",
        "NaN",
        "http://x/t/9",
        "12345678901234",
        "5 - 3",
        "650,50",
        "1,5",
        "१००",
        "١٢٣",
    ],
)
def test_what_is_no_amount_is_none(text: str) -> None:
    assert read(text) is None
