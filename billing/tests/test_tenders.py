"""How a sum is paid: what is a tender, change, and what of it goes to the bill; tables of cases and hypothesis."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.errors import BadAmount, ReferenceNeeded
from billing.tenders import Tender, amount_of, change, checked, draw, same_money, split, total
from billing.tests.house import card
from common.errors import BadInput


def D(amount: str | int) -> Decimal:  # noqa: N802
    return Decimal(amount)


def handed(amount: str, tendered: str) -> Tender:
    return Tender("cash", D(amount), tendered=D(tendered))


AMOUNTS = st.decimals(min_value=D("0.01"), max_value=D(100_000), places=2)
WAYS = st.sampled_from(["cash", "card", "upi", "account"])
TENDERS = st.lists(st.builds(Tender, WAYS, AMOUNTS), min_size=1, max_size=5)


class TestTenders:
    @pytest.mark.parametrize("wrong", ["0", "-1", "0.001", "NaN", "Infinity", "1000000000000"])
    def test_what_is_no_amount_is_refused(self, wrong: str) -> None:
        with pytest.raises(BadAmount):
            amount_of(D(wrong))

    def test_an_amount_gets_its_two_decimals(self) -> None:
        assert str(amount_of(D("650"))) == "650.00"
        assert amount_of(D(0), zero=True) == 0

    @pytest.mark.parametrize("method", ["card", "bank", "upi", "wallet"])
    def test_what_leaves_a_trace_elsewhere_needs_its_reference(self, method: str) -> None:
        with pytest.raises(ReferenceNeeded):
            checked([Tender(method, D(5), reference="  ")])
        (tender,) = checked([Tender(method, D(5), reference=" T-1 ")])
        assert tender.reference == "T-1"

    @pytest.mark.parametrize(
        "tenders",
        [
            [],
            [Tender("cheque", D(5))],
            [Tender("card", D(5), "T-1"), Tender("card", D(6), "T-1")],
            [Tender("card", D(5), "T" * 101)],
            [handed("500", "499.99")],
        ],
    )
    def test_what_cannot_be_paid_so_is_refused(self, tenders: list[Tender]) -> None:
        with pytest.raises(BadInput):
            checked(tenders)

    def test_change_is_what_was_handed_over_less_what_is_taken(self) -> None:
        assert change(checked([handed("650", "1000"), card("200")])) == D(350)
        assert change(checked([card("200")])) == 0

    def test_the_account_pays_first_so_that_nothing_of_it_is_left_over(self) -> None:
        cash, account = split([Tender("cash", D(80)), Tender("account", D(50))], D(100))
        assert (account.on_bill, account.rest) == (D(50), D(0))
        assert (cash.on_bill, cash.rest) == (D(50), D(30))

    @given(TENDERS, AMOUNTS)
    def test_no_cent_is_lost_between_bill_and_rest(self, tenders: list[Tender], due: Decimal) -> None:
        parts = split(tenders, due)
        assert [part.tender for part in parts] == tenders
        assert all(
            part.on_bill + part.rest == part.tender.amount and min(part.on_bill, part.rest) >= 0 for part in parts
        )
        assert sum(part.on_bill for part in parts) == min(due, total(tenders))

    @given(st.lists(AMOUNTS), AMOUNTS)
    def test_a_sum_is_drawn_from_its_sources_in_their_order(self, sources: list[Decimal], wanted: Decimal) -> None:
        taken = draw(list(enumerate(sources)), wanted)
        assert sum(part for _, part in taken) == min(wanted, sum(sources))
        assert all(0 < part <= sources[which] for which, part in taken)
        assert all(part == sources[which] for which, part in taken[:-1])

    def test_the_same_money_is_the_same_however_it_is_split(self) -> None:
        assert same_money([("card", "T", D(7)), ("card", "T", D(3))], [("card", "T", D(10))])
        assert not same_money([("card", "T", D(10))], [("card", "U", D(10))])
