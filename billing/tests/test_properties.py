"""The arithmetic of bills against whole cents: discounts, taxes and credits, shared out and never a cent lost."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from itertools import permutations
from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from billing import rules
from billing.rules import CENT, MOST, ZERO, Left, LineIn, NotMoney, Off, OffTooLarge
from billing.tests import cents
from billing.tests.words import decimal, line_of, off_of

thorough = settings(max_examples=150)


def whole(amount: Decimal) -> int:
    """An amount in cents.

    Raises:
        AssertionError: it has a part of a cent.
    """
    number = amount * 100
    assert number == number.to_integral_value(), amount
    return int(number)


small = st.integers(0, 500)
prices = st.one_of(small, st.integers(0, 10_000_00), st.sampled_from([1, 99, 33_33, 100_00, 999_999_99]))
quantities = st.one_of(st.just(1000), st.integers(1, 20_000), st.sampled_from([1, 333, 500, 1500, 2005]))
percents = st.one_of(st.just(0), st.integers(0, 100_00), st.sampled_from([5_00, 12_00, 12_50, 18_00, 33_33, 100_00]))
weights = st.lists(st.one_of(small, prices), min_size=1, max_size=12)


@st.composite
def offs(draw: st.DrawFn, most: int = 300) -> cents.Off:
    if draw(st.booleans()):
        return cents.Off(percent=draw(percents))
    return cents.Off(cents=draw(st.integers(0, most)))


@st.composite
def asked(draw: st.DrawFn) -> cents.Asked:
    """A line that somebody could ask for; its discount may be too large."""
    return cents.Asked(
        price=draw(prices),
        quantity=draw(quantities),
        off=draw(st.one_of(st.none(), offs())),
        tax=draw(percents),
        included=draw(st.booleans()),
    )


bills = st.lists(asked(), min_size=1, max_size=8)
discounts = st.one_of(st.none(), offs())


def totals(lines: Sequence[cents.Asked], off: cents.Off | None = None) -> rules.Totals:
    """The bill as the product reckons it; what nobody could ask for is not an example."""
    try:
        return rules.totals([line_of(line) for line in lines], off_of(off))
    except OffTooLarge:
        assume(False)
        raise


# Sharing out


@thorough
@given(weights, st.data())
@example([1, 4], None)
def test_what_is_shared_out_is_what_the_shares_sum_to(parts: list[int], data: Any) -> None:
    amount = data.draw(st.integers(0, sum(parts))) if data else 1
    shares = rules.spread(decimal(amount), [decimal(part) for part in parts])
    assert sum(shares, ZERO) == decimal(amount)
    assert all(0 <= whole(share) <= part for share, part in zip(shares, parts, strict=True))


@thorough
@given(weights, st.data())
def test_a_share_is_at_most_a_cent_from_its_proportion(parts: list[int], data: Any) -> None:
    amount = data.draw(st.integers(0, sum(parts)))
    for share, part in zip(rules.spread(decimal(amount), [decimal(p) for p in parts]), parts, strict=True):
        assert abs(whole(share) * sum(parts) - amount * part) < max(sum(parts), 1)


@thorough
@given(weights, st.data())
def test_it_is_shared_as_by_hand_and_the_first_of_equals_gets_the_cent(parts: list[int], data: Any) -> None:
    amount = data.draw(st.integers(0, sum(parts)))
    shares = rules.spread(decimal(amount), [decimal(part) for part in parts])
    assert [whole(share) for share in shares] == cents.share_out(amount, parts)


def test_the_first_of_equals_gets_the_cent_also_where_the_remainder_has_no_end() -> None:
    # A third of a cent is left over of each. Reckoned in 28 digits, the smallest one seems to have the most of it.
    shares = rules.spread(Decimal("0.14"), [Decimal("1.00"), Decimal("0.04"), Decimal("0.16")])
    assert [whole(share) for share in shares] == cents.share_out(14, [100, 4, 16])
    for amount in range(1, 120):
        parts = [100, 4, 16]
        shares = rules.spread(decimal(amount), [decimal(part) for part in parts])
        assert [whole(share) for share in shares] == cents.share_out(amount, parts), amount


@thorough
@given(weights, st.data())
def test_who_gets_how_much_does_not_depend_on_the_order_but_for_a_cent_among_equals(
    parts: list[int], data: Any
) -> None:
    amount = data.draw(st.integers(0, sum(parts)))
    order = data.draw(st.permutations(range(len(parts))))
    there = rules.spread(decimal(amount), [decimal(part) for part in parts])
    back = rules.spread(decimal(amount), [decimal(parts[index]) for index in order])
    for place, index in enumerate(order):
        assert abs(back[place] - there[index]) <= CENT
    assert sorted(there) == sorted(back) or sum(there) == sum(back)


@given(weights, st.data())
def test_more_to_share_gives_nobody_less_than_a_cent_less(parts: list[int], data: Any) -> None:
    # Largest remainder is not monotone to the cent (the paradox of Alabama); it never takes more than that one.
    amount = data.draw(st.integers(0, max(sum(parts) - 1, 0)))
    less = rules.spread(decimal(amount), [decimal(part) for part in parts])
    more = rules.spread(decimal(amount + (1 if sum(parts) else 0)), [decimal(part) for part in parts])
    assert all(after >= before - CENT for before, after in zip(less, more, strict=True))


def test_nothing_is_shared_by_nothing() -> None:
    assert rules.spread(ZERO, [ZERO, ZERO]) == [ZERO, ZERO]
    with pytest.raises(ValueError, match="nothing to share"):
        rules.spread(CENT, [ZERO])


# Bills


@thorough
@given(bills, discounts)
def test_a_bill_is_reckoned_as_by_hand(lines: list[cents.Asked], off: cents.Off | None) -> None:
    try:
        expected = cents.bill_lines(lines, off)
    except cents.No:
        with pytest.raises(OffTooLarge):
            rules.totals([line_of(line) for line in lines], off_of(off))
        return
    found = rules.totals([line_of(line) for line in lines], off_of(off))
    assert [(whole(one.gross), whole(one.discount), whole(one.tax), whole(one.total)) for one in found.lines] == [
        (one.gross, one.discount, one.tax, one.total) for one in expected
    ]


@thorough
@given(bills, discounts)
def test_the_sum_of_the_rounded_lines_is_the_total(lines: list[cents.Asked], off: cents.Off | None) -> None:
    bill = totals(lines, off)
    for name in ("gross", "discount", "tax", "total"):
        assert getattr(bill, name) == sum(getattr(line, name) for line in bill.lines)
    for line, one in zip(lines, bill.lines, strict=True):
        added = ZERO if line.included else one.tax
        assert one.total == one.gross - one.discount + added
        assert 0 <= one.discount <= one.gross
        assert 0 <= one.tax <= one.total


@thorough
@given(bills, discounts)
def test_a_discount_takes_what_it_says_and_not_a_cent_more(lines: list[cents.Asked], off: cents.Off | None) -> None:
    with_it, without = totals(lines, off), totals(lines)
    if off:
        base = without.gross - without.discount
        assert with_it.discount - without.discount == rules.Off.of(off_of(off), base)  # type: ignore[arg-type]
    assert with_it.gross == without.gross
    assert with_it.total <= without.total


@thorough
@given(bills, st.integers(0, 100_00), st.integers(0, 100_00))
def test_a_larger_discount_never_costs_more(lines: list[cents.Asked], one: int, other: int) -> None:
    small, large = sorted((one, other))
    less, more = totals(lines, cents.Off(percent=small)), totals(lines, cents.Off(percent=large))
    assert more.discount >= less.discount
    # A cent of a line's share may go to its neighbour, whose tax is another: at most a cent of tax a line.
    assert more.total <= less.total + CENT * len(lines)


@given(bills)
def test_without_a_discount_on_the_bill_the_order_of_lines_decides_nothing(lines: list[cents.Asked]) -> None:
    assert totals(lines).total == totals(lines[::-1]).total
    assert sorted(map(repr, totals(lines).lines)) == sorted(map(repr, totals(lines[::-1]).lines))


@given(st.lists(asked(), min_size=2, max_size=4), offs())
def test_with_one_the_order_moves_no_more_than_a_cent_of_discount_and_its_tax(
    lines: list[cents.Asked], off: cents.Off
) -> None:
    first = totals(lines, off)
    for order in permutations(lines):
        bill = totals(order, off)
        assert bill.discount == first.discount
        assert abs(bill.total - first.total) <= CENT * 2 * len(lines)


@given(bills)
def test_all_of_it_given_away_leaves_nothing_to_pay_and_nothing_to_tax(lines: list[cents.Asked]) -> None:
    bill = totals(lines, cents.Off(percent=100_00))
    assert (bill.total, bill.tax) == (0, 0)
    assert bill.discount == bill.gross


@given(asked())
def test_a_tax_that_is_in_the_price_changes_nothing_of_what_is_paid(line: cents.Asked) -> None:
    included = totals([replace(line, included=True)])
    assert included.total == included.gross - included.discount


@given(st.integers(0, 10_000_00), percents)
def test_a_tax_taken_out_of_a_price_is_the_one_that_was_put_on_it(net: int, percent: int) -> None:
    added = totals([cents.Asked(price=net, tax=percent)])
    taken = totals([cents.Asked(price=whole(added.total), tax=percent, included=True)])
    assert abs(taken.tax - added.tax) <= CENT


@pytest.mark.parametrize(
    ("price", "quantity", "tax", "included", "total", "of_it_tax"),
    [
        ("0.01", "0.5", "0", False, "0.01", "0.00"),  # half a cent goes up
        ("0.01", "0.499", "0", False, "0.00", "0.00"),
        ("33.33", "1.005", "0", False, "33.50", "0.00"),  # 33.49665
        ("100.00", "0.333", "18", False, "39.29", "5.99"),  # 33.30 and 5.994
        ("600.00", "1", "18", True, "600.00", "91.53"),  # 91.5254
        ("2.50", "1", "5", False, "2.63", "0.13"),  # 0.125 goes up
        ("0.10", "1", "5", False, "0.11", "0.01"),  # 0.005 goes up
        ("0.09", "1", "5", False, "0.09", "0.00"),
        ("0.00", "7", "18", False, "0.00", "0.00"),
    ],
)
def test_amounts_that_are_easily_got_wrong(
    price: str, quantity: str, tax: str, included: bool, total: str, of_it_tax: str
) -> None:
    line = LineIn("Service", Decimal(price), Decimal(quantity), tax_percent=Decimal(tax), tax_included=included)
    bill = rules.totals([line])
    assert (bill.total, bill.tax) == (Decimal(total), Decimal(of_it_tax))


def test_a_tax_in_the_price_is_reckoned_after_the_discount() -> None:
    line = LineIn(
        "Service", Decimal("118.00"), off=Off(percent=Decimal(50)), tax_percent=Decimal(18), tax_included=True
    )
    (one,) = rules.totals([line]).lines
    assert (one.gross, one.discount, one.tax, one.total) == tuple(map(Decimal, ("118.00", "59.00", "9.00", "59.00")))


# Credit notes


@st.composite
def credited(draw: st.DrawFn) -> tuple[list[cents.Ln], list[int]]:
    """A bill, and the amounts of credit notes that take all of it off in the end."""
    lines = draw(bills)
    try:
        billed = cents.bill_lines(lines, draw(discounts))
    except cents.No:
        billed = cents.bill_lines([replace(line, off=None) for line in lines])
    left, steps = sum(line.total for line in billed), []
    while left and len(steps) < 5:
        steps.append(draw(st.integers(1, left)))
        left -= steps[-1]
    return billed, [*steps, left] if left else steps


def taken(lines: list[cents.Ln], amount: int) -> list[tuple[Decimal, Decimal]]:
    """Credit an amount by the product's rule, and keep it on the lines."""
    asked = [
        Left(decimal(one.total), decimal(one.tax), decimal(one.credited), decimal(one.tax_credited)) for one in lines
    ]
    parts = rules.credit(decimal(amount), asked)
    for line, (share, tax) in zip(lines, parts, strict=True):
        line.credited += whole(share)
        line.tax_credited += whole(tax)
    return parts


@thorough
@given(credited())
def test_a_bill_credited_in_steps_gives_back_exactly_its_lines_and_its_tax(
    bill: tuple[list[cents.Ln], list[int]],
) -> None:
    lines, steps = bill
    for amount in steps:
        parts = taken(lines, amount)
        assert sum(share for share, _ in parts) == decimal(amount)
        assert all(0 <= tax <= share for share, tax in parts)
        assert all(one.credited <= one.total and one.tax_credited <= one.tax for one in lines)
    assert [(one.credited, one.tax_credited) for one in lines] == [(one.total, one.tax) for one in lines]


@given(credited())
def test_nothing_is_credited_beyond_what_is_left(bill: tuple[list[cents.Ln], list[int]]) -> None:
    lines, steps = bill
    for amount in steps[:-1]:
        taken(lines, amount)
    left = sum(one.total - one.credited for one in lines)
    with pytest.raises(OffTooLarge):
        taken(lines, left + 1)


def test_a_line_without_tax_gives_none_back_beside_one_that_has() -> None:
    lines = cents.bill_lines([cents.Asked(price=100_00), cents.Asked(price=100_00, tax=18_00)])
    first, second = taken(lines, 109_00)
    assert first == (Decimal("50.00"), ZERO)
    assert second == (Decimal("59.00"), Decimal("9.00"))


# What is no amount


NONE_OF_THEM = ["NaN", "sNaN", "-NaN", "Infinity", "-Infinity", "1E+30", "-1", "-0.01", "0.001", "1E-30", "1000000000"]


@pytest.mark.parametrize("text", NONE_OF_THEM)
@pytest.mark.parametrize("field", ["unit_price", "quantity", "tax_percent"])
def test_what_is_no_amount_is_said_to_be_none(text: str, field: str) -> None:
    value = Decimal(text) / 10 if field == "quantity" and text == "0.001" else Decimal(text)
    line = replace(LineIn("Service", Decimal(10)), **{field: value})
    with pytest.raises(NotMoney):
        rules.totals([line])


@pytest.mark.parametrize("text", [*NONE_OF_THEM, "", "%", "10 %%", "ten", "1,000", "1_000", "1e3", "٣", "0x10", "+-1"])
@pytest.mark.parametrize("form", ["{}", "{}%"])
def test_a_discount_is_written_as_an_amount_or_a_percentage(text: str, form: str) -> None:
    with pytest.raises(NotMoney):
        Off.parse(form.format(text))


@pytest.mark.parametrize("make", [Off, lambda: Off(Decimal(1), Decimal(1)), lambda: Off(percent=Decimal("100.01"))])
def test_a_discount_is_one_of_both(make: Callable[[], Off]) -> None:
    with pytest.raises((NotMoney, InvalidOperation)):
        make()


def test_every_line_that_is_taken_has_room_in_its_column_and_so_has_their_sum() -> None:
    largest = LineIn("Service", MOST, tax_percent=Decimal(100))
    try:
        bill = rules.totals([largest] * rules.MOST_LINES)
    except NotMoney:
        bill = rules.totals([replace(largest, tax_percent=Decimal(0))] * rules.MOST_LINES)
    assert bill.total < Decimal(10) ** 12
    with pytest.raises(NotMoney):
        rules.totals([LineIn("Service", MOST, Decimal("1.001"))])


@given(st.integers(0, 999), st.integers(0, 999), st.integers(0, 999))
def test_the_state_of_a_bill_follows_from_its_amounts(total: int, less: int, much: int) -> None:
    credited, paid = decimal(min(less, total)), decimal(min(much, total))
    state = rules.status_of(total=decimal(total), credited=credited, paid=paid)
    due = decimal(total) - credited - paid
    assert state == ("paid" if due <= 0 else "part_paid" if paid else "open")
