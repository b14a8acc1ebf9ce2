"""How a sum is paid, as the form says it: what is taken, what is change, what is refused. No database."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.errors import BadAmount
from billing.models.setup import indian_notes
from billing.tenders import change, total
from reception.cash.forms import MethodMissing, NothingSplit, taking
from reception.cash.notes import usual_notes

sums = st.decimals(min_value="0.01", max_value="99999.99", places=2)


@pytest.mark.parametrize(
    ("due", "notes"),
    [
        ("650", ["650", "700", "1000", "2000"]),
        ("1284.50", ["1284.50", "1290", "1300", "1500"]),
        ("600", ["600", "1000", "2000"]),
        ("20", ["20", "50", "100", "500"]),
    ],
)
def test_the_usual_notes_are_the_sum_and_the_next_round_ones(due: str, notes: list[str]) -> None:
    assert usual_notes(Decimal(due), indian_notes()) == [Decimal(each) for each in notes]


@given(due=sums)
def test_no_usual_note_is_less_than_what_is_due_and_none_stands_twice(due: Decimal) -> None:
    found = usual_notes(due, indian_notes())
    assert found[0] == due
    assert found == sorted(set(found))
    assert 1 <= len(found) <= 4


@given(due=sums, handed=sums)
def test_cash_is_taken_up_to_what_is_due_and_the_rest_is_change(due: Decimal, handed: Decimal) -> None:
    how = taking({"method": "cash", "received": str(handed)}, due)
    assert total(how.tenders) == min(due, handed)
    assert total(how.tenders) + change(how.tenders) == handed


@given(due=sums, handed=sums)
def test_what_is_to_be_kept_is_taken_whole(due: Decimal, handed: Decimal) -> None:
    how = taking({"method": "cash", "received": str(handed), "keep": "on"}, due)
    assert (total(how.tenders), change(how.tenders), how.keep) == (handed, 0, True)


@given(due=sums, cash=sums, upi=sums)
def test_of_several_ways_only_cash_gives_change_and_no_cent_is_lost(due: Decimal, cash: Decimal, upi: Decimal) -> None:
    sent = {"split": "1", "split_cash": str(cash), "split_upi": str(upi), "reference_upi": "U-1"}
    how = taking(sent, due)
    by_method = {each.method: each for each in how.tenders}
    assert by_method["upi"].amount == upi
    assert total(how.tenders) + change(how.tenders) == cash + upi
    if upi < due:
        assert total(how.tenders) == min(due, cash + upi)
    else:  # nothing is left for cash to pay: billing refuses it, or keeps it
        assert change(how.tenders) == 0


def test_an_empty_field_is_what_is_due_and_nonsense_is_none() -> None:
    due = Decimal("650.00")
    assert total(taking({"method": "upi", "amount": "", "reference": "U"}, due).tenders) == due
    with pytest.raises(BadAmount):
        taking({"method": "cash", "received": "-5"}, due)
    with pytest.raises(MethodMissing):
        taking({"method": "cheque"}, due)
    with pytest.raises(NothingSplit):
        taking({"split": "1", "split_cash": "0"}, due)
