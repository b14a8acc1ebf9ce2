"""Random deeds on a real database, compared with a naive model and with the ledger after every step.

Two hospitals eighteen hours apart, two cashiers in each: after every step the product and the model (`naive.py`) hold
the same bills, payments, shifts and balances, have answered with the same code; and at the end of each story the proof
finds nothing. `OPD_STATEFUL_EXAMPLES` and `OPD_STATEFUL_STEPS` play longer.
"""

import os
from random import Random

import pytest
from django.db import connection, transaction
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from billing.proof import prove
from billing.tests.both import Both
from billing.tests.house import rows

pytestmark = pytest.mark.django_db

chances = st.randoms(use_true_random=False)


class TwoHospitals(RuleBasedStateMachine):
    """The product and the model, side by side."""

    def __init__(self) -> None:
        super().__init__()
        self.block = transaction.atomic()
        self.block._from_testcase = True  # type: ignore[attr-defined]  # the actions open durable blocks inside
        self.block.__enter__()

    def teardown(self) -> None:
        try:
            if hasattr(self, "two"):
                self.the_proof_finds_nothing()
        finally:
            transaction.set_rollback(True)
            self.block.__exit__(None, None, None)

    def the_proof_finds_nothing(self) -> None:
        for house in self.two.houses:
            assert prove(house.facility).findings == ()

    @initialize()
    def open_the_house(self) -> None:
        self.two = Both()
        for house in self.two.houses:
            self.two.open_at(house, house.meena, 0, 1000_00)

    @rule(chance=chances)
    def a_bill_is_made(self, chance: Random) -> None:
        self.two.bill(chance)

    @rule(chance=chances)
    def a_bill_is_made_and_paid(self, chance: Random) -> None:
        self.two.bill(chance)
        self.two.pay(chance)

    @rule(chance=chances)
    def it_is_paid(self, chance: Random) -> None:
        self.two.pay(chance)

    @rule(chance=chances)
    def the_same_payment_comes_again(self, chance: Random) -> None:
        self.two.again(chance)

    @rule(chance=chances)
    def something_is_paid_in_advance(self, chance: Random) -> None:
        self.two.deposit(chance)

    @rule(chance=chances)
    def it_is_taken_back(self, chance: Random) -> None:
        self.two.void(chance)

    @rule(chance=chances)
    def something_is_taken_off(self, chance: Random) -> None:
        self.two.credit(chance)

    @rule(chance=chances)
    def something_is_taken_off_and_given_back(self, chance: Random) -> None:
        self.two.credit(chance)
        self.two.give_back(chance)

    @rule(chance=chances)
    def money_is_given_back(self, chance: Random) -> None:
        self.two.refund(chance)

    @rule(chance=chances)
    def what_is_no_longer_owed_is_given_back(self, chance: Random) -> None:
        self.two.give_back(chance)

    @rule(chance=chances)
    def an_advance_is_paid_out(self, chance: Random) -> None:
        self.two.refund_advance(chance)

    @rule(chance=chances)
    def a_shift_begins(self, chance: Random) -> None:
        self.two.open(chance)

    @rule(chance=chances)
    def cash_is_carried_in_or_out(self, chance: Random) -> None:
        self.two.move(chance)

    @rule(chance=chances)
    def a_drawer_is_counted(self, chance: Random) -> None:
        self.two.close(chance)

    @rule(hours=st.sampled_from([1, 5, 14, 24]), years=st.booleans())
    def time_passes(self, hours: int, years: bool) -> None:
        self.two.later(hours=hours, days=301 if years and hours == 24 else 0)

    @invariant()
    def the_books_agree(self) -> None:
        if hasattr(self, "two"):
            rows("SET CONSTRAINTS ALL IMMEDIATE")  # what else would be checked at the commit
            rows("SET CONSTRAINTS ALL DEFERRED")
            assert self.two.differences() == []


EXAMPLES = int(os.environ.get("OPD_STATEFUL_EXAMPLES", 12))
STEPS = int(os.environ.get("OPD_STATEFUL_STEPS", 40))


def test_money_moves_as_the_prose_says() -> None:
    run_state_machine_as_test(TwoHospitals, settings=settings(max_examples=EXAMPLES, stateful_step_count=STEPS))
    assert not connection.needs_rollback
