"""The arithmetic of bills by hand: tables of cases, each of which somebody could reckon on paper."""

from decimal import Decimal

import pytest

from billing.rules import Left, LineIn, NotMoney, Off, OffTooLarge, credit, exact, rounded, spread, status_of, totals


def money(*texts: str) -> list[Decimal]:
    return [Decimal(text) for text in texts]


def line(price: str, quantity: str = "1", off: str = "", tax: str = "0", included: bool = False) -> LineIn:
    return LineIn(
        "Service",
        Decimal(price),
        Decimal(quantity),
        off=Off.parse(off) if off else None,
        tax_percent=Decimal(tax),
        tax_included=included,
    )


@pytest.mark.parametrize(
    ("asked", "gross", "discount", "tax", "total"),
    [
        (line("500.00"), "500.00", "0.00", "0.00", "500.00"),
        (line("33.33", "3"), "99.99", "0.00", "0.00", "99.99"),
        (line("0.01", "0.5"), "0.01", "0.00", "0.00", "0.01"),  # half a cent is rounded up
        (line("0.01", "0.499"), "0.00", "0.00", "0.00", "0.00"),
        (line("1.15", "0.1"), "0.12", "0.00", "0.00", "0.12"),  # 0.115: up, not to the even neighbour
        (line("1.25", "0.1"), "0.13", "0.00", "0.00", "0.13"),
        (line("100.00", off="10%"), "100.00", "10.00", "0.00", "90.00"),
        (line("99.99", off="33.33%"), "99.99", "33.33", "0.00", "66.66"),
        (line("100.00", off="100%"), "100.00", "100.00", "0.00", "0.00"),
        (line("100.00", off="25.50"), "100.00", "25.50", "0.00", "74.50"),
        (line("100.00", tax="18"), "100.00", "0.00", "18.00", "118.00"),
        (line("0.25", tax="18"), "0.25", "0.00", "0.05", "0.30"),  # 0.045 is rounded up
        (line("118.00", tax="18", included=True), "118.00", "0.00", "18.00", "118.00"),
        (line("100.00", tax="18", included=True), "100.00", "0.00", "15.25", "100.00"),
        (line("200.00", off="50%", tax="5"), "200.00", "100.00", "5.00", "105.00"),  # the tax is on what is left
        (line("210.00", off="50%", tax="5", included=True), "210.00", "105.00", "5.00", "105.00"),
        (line("0.00"), "0.00", "0.00", "0.00", "0.00"),
    ],
)
def test_a_line(asked: LineIn, gross: str, discount: str, tax: str, total: str) -> None:
    one = totals([asked]).lines[0]
    assert (str(one.gross), str(one.discount), str(one.tax), str(one.total)) == (gross, discount, tax, total)


@pytest.mark.parametrize(
    ("prices", "off", "shares"),
    [
        (["100.00", "100.00", "100.00"], "100.00", ["33.34", "33.33", "33.33"]),
        (["100.00", "100.00", "100.00"], "0.02", ["0.01", "0.01", "0.00"]),
        (["500.00", "100.00"], "10%", ["50.00", "10.00"]),
        (["0.01", "999.99"], "0.01", ["0.00", "0.01"]),
        (["0.01", "0.01", "0.01"], "50%", ["0.01", "0.01", "0.00"]),  # 0.015 is 0.02
        (["0.00", "10.00"], "10.00", ["0.00", "10.00"]),
        (["3.00", "2.00", "1.00"], "1.00", ["0.50", "0.33", "0.17"]),
    ],
)
def test_a_discount_on_the_bill_is_spread_over_its_lines_to_the_cent(
    prices: list[str], off: str, shares: list[str]
) -> None:
    sums = totals([line(price) for price in prices], Off.parse(off))
    assert [str(one.discount) for one in sums.lines] == shares
    assert sums.discount == sum(money(*shares))
    assert sums.total == sum(money(*prices)) - sums.discount


def test_a_line_s_own_discount_comes_off_before_the_bill_s() -> None:
    sums = totals([line("100.00", off="50%"), line("50.00")], Off.parse("10%"))
    assert [one.discount for one in sums.lines] == money("55.00", "5.00")


def test_the_sum_of_rounded_lines_is_the_total_though_the_whole_would_round_otherwise() -> None:
    sums = totals([line("0.25", tax="18")] * 3)  # 0.045 each; 0.135 together would be 0.14
    assert (sums.tax, sums.total) == (Decimal("0.15"), Decimal("0.90"))


def test_how_much_is_given_away() -> None:
    assert totals([line("100.00", off="10.00"), line("50.00")]).discount_percent == Decimal("6.67")
    assert totals([line("0.00")]).discount_percent == 0


@pytest.mark.parametrize(
    "wrong",
    [
        line("-1.00"), line("1.001"), line("1.00", "0"), line("1.00", "-1"), line("1.00", "1.0001"),
        line("1000000000.00"), line("999999999.99", "2"), line("999999999.99", tax="1"), line("1.00", tax="101"),
        line("1.00", tax="-1"), line("1.00", tax="5.555"), line("NaN"), line("Infinity"),
    ],
)  # fmt: skip
def test_what_money_does_not_have(wrong: LineIn) -> None:
    with pytest.raises(NotMoney):
        totals([wrong])


@pytest.mark.parametrize("off", ["100.01", "101.00"])
def test_a_discount_is_at_most_what_it_is_taken_from(off: str) -> None:
    with pytest.raises(OffTooLarge):
        totals([line("100.00", off=off)])
    with pytest.raises(OffTooLarge):
        totals([line("60.00"), line("40.00")], Off.parse(off))


@pytest.mark.parametrize("text", ["", "%", "ten", "-1", "-1%", "101%", "1.005", "1e3", "1%%", "1_000"])
def test_what_is_no_discount(text: str) -> None:
    with pytest.raises(NotMoney):
        Off.parse(text)


@pytest.mark.parametrize(
    ("text", "rounded_to"), [("0.005", "0.01"), ("0.0049", "0.00"), ("2.675", "2.68"), ("2.665", "2.67"), ("1", "1.00")]
)
def test_amounts_are_rounded_half_up(text: str, rounded_to: str) -> None:
    assert str(rounded(Decimal(text))) == rounded_to


def test_an_exact_amount_keeps_its_value_and_gets_its_decimals() -> None:
    assert str(exact(Decimal(5))) == "5.00"
    assert str(exact(Decimal("5.1000"))) == "5.10"


@pytest.mark.parametrize(
    ("amount", "weights", "shares"),
    [
        ("1.00", ["1", "1", "1"], ["0.34", "0.33", "0.33"]),
        ("0.01", ["1", "2"], ["0.00", "0.01"]),
        ("0.00", ["1", "2"], ["0.00", "0.00"]),
        ("0.00", ["0", "0"], ["0.00", "0.00"]),
        ("7.00", ["0", "7", "0"], ["0.00", "7.00", "0.00"]),
        ("0.05", ["1", "1", "1"], ["0.02", "0.02", "0.01"]),
    ],
)
def test_shares(amount: str, weights: list[str], shares: list[str]) -> None:
    assert [f"{share:.2f}" for share in spread(Decimal(amount), money(*weights))] == shares


def test_a_credit_is_spread_over_what_is_left_and_takes_its_tax_along() -> None:
    lines = [Left(Decimal("118.00"), Decimal("18.00")), Left(Decimal("82.00"), Decimal("0.00"))]
    assert credit(Decimal("100.00"), lines) == [
        (Decimal("59.00"), Decimal("9.00")),
        (Decimal("41.00"), Decimal("0.00")),
    ]


def test_a_line_credited_in_thirds_gives_back_exactly_its_tax() -> None:
    left, given = Left(Decimal("1.00"), Decimal("0.17")), []
    for amount in money("0.33", "0.33", "0.34"):
        [(share, tax)] = credit(amount, [left])
        given.append(tax)
        left = Left(left.total, left.tax, left.credited + share, left.tax_credited + tax)
    assert given == money("0.06", "0.05", "0.06")
    assert (left.amount, left.tax_credited) == (Decimal("0.00"), left.tax)


def test_no_more_is_credited_than_is_left() -> None:
    with pytest.raises(OffTooLarge):
        credit(Decimal("50.01"), [Left(Decimal("100.00"), Decimal("0.00"), Decimal("50.00"))])


@pytest.mark.parametrize(
    ("total", "credited", "paid", "status"),
    [
        ("100", "0", "0", "open"), ("100", "99.99", "0", "open"), ("100", "0", "0.01", "part_paid"),
        ("100", "50", "49.99", "part_paid"), ("100", "0", "100", "paid"), ("100", "100", "0", "paid"),
        ("100", "60", "50", "paid"), ("0", "0", "0", "paid"),
    ],
)  # fmt: skip
def test_the_state_follows_from_the_amounts(total: str, credited: str, paid: str, status: str) -> None:
    assert status_of(total=Decimal(total), credited=Decimal(credited), paid=Decimal(paid)) == status


def test_a_zero_below_zero_is_nothing() -> None:
    assert str(exact(Decimal("-0"))) == str(exact(Decimal("-0.00"))) == "0.00"
