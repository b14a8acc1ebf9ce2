"""A thousand random days of two hospitals: at the end every account, drawer, claim and bill is what the model says.

Bills, payments in all ways, advances, refunds, credit notes, voids, shifts and cash moved in them, drawn by chance and
done with the product and with the model (`naive.py`), each day committed. `OPD_MONEY_DAYS` and `OPD_MONEY_SEED` play
other ones (`-s` shows how far they are).
"""

import os
from collections.abc import Callable
from random import Random

import pytest
from tqdm import tqdm

from billing.proof import prove
from billing.tests.both import Both
from billing.tests.house import House, rows

pytestmark = pytest.mark.django_db(transaction=True)

DAYS = int(os.environ.get("OPD_MONEY_DAYS", 1000))
SEED = int(os.environ.get("OPD_MONEY_SEED", 1))


class Days:
    """Day after day at two cash desks."""

    def __init__(self, seed: int) -> None:
        self.chance = Random(seed)
        self.two = Both()
        self.deeds: list[Callable[[Random], None]] = [
            self.two.pay, self.two.deposit, self.two.void, self.two.credit, self.two.refund, self.two.give_back,
            self.two.refund_advance, self.two.again, self.two.move,
        ]  # fmt: skip

    def play(self, days: int) -> None:
        """So many days; the longer ones with a bar."""
        for day in tqdm(range(days), unit="day", disable=days <= DAYS_OF_A_TEST):
            self.day()
            if day % 250 == 249:
                assert self.two.differences() == [], f"day {day + 1}"

    def day(self) -> None:
        """A shift begins, something is billed, paid and changed, and mostly the drawer is counted."""
        house = self.chance.choice(self.two.houses)
        if self.two.model.shift_of(house.meena.id, house.facility.id) is None:
            self.two.open_at(house, house.meena, 0, self.chance.choice([0, 500_00, 1000_00]))
        self.two.bill(self.chance)
        self.two.pay(self.chance)
        self.chance.choice(self.deeds)(self.chance)
        self.two.later(hours=self.chance.randint(2, 14))
        if self.chance.random() < 0.3:
            self.two.close(self.chance)
        if self.chance.random() < 0.05:
            self.two.open(self.chance)
        self.two.later(hours=12)


DAYS_OF_A_TEST = 1000


def test_after_a_thousand_days_every_cent_is_where_the_model_has_it() -> None:
    days = Days(SEED)
    days.play(DAYS)
    assert days.two.differences() == []
    for house in days.two.houses:
        proof = prove(house.facility)
        assert (proof.findings, proof.difference, proof.debits) == ((), 0, proof.credits)
        assert_by_hand(house)
    if DAYS >= 1000:
        assert_everything_happened(days)


def assert_by_hand(house: House) -> None:
    """What must hold in any books, said without the model and without the proof."""
    facility = house.facility.id
    assert rows("SELECT sum(amount), count(*) FILTER (WHERE amount = 0) FROM billing_ledgerentry") == [(0, 0)]
    held = rows(
        """SELECT coalesce(sum(s.float_amount + coalesce(p.sum, 0) - coalesce(r.sum, 0) + coalesce(m.sum, 0)), 0)
             FROM billing_shift s
             LEFT JOIN (SELECT shift_id, sum(amount) FROM billing_payment WHERE method = 'cash' GROUP BY 1) p
               ON p.shift_id = s.id
             LEFT JOIN (SELECT shift_id, sum(amount) FROM billing_refund WHERE method = 'cash' GROUP BY 1) r
               ON r.shift_id = s.id
             LEFT JOIN (SELECT shift_id, sum(CASE WHEN kind IN ('to_safe', 'paid_out') THEN -amount ELSE amount END)
                          FROM billing_cashmovement GROUP BY 1) m ON m.shift_id = s.id
            WHERE s.facility_id = %s AND s.closed_at IS NULL""",
        facility,
    )
    assert held == [(house.balance("cash"),)]
    owed = rows("SELECT sum(due) FROM billing_bill WHERE facility_id = %s AND status <> 'void'", facility)
    assert owed == [(house.balance("receivable"),)]
    assert house.balance("advance") <= 0


def assert_everything_happened(days: Days) -> None:
    """The days were of all kinds: every deed was done, and every one was refused."""
    said = days.two.said
    deeds = "bill, pay, deposit, void, credit, refund, give back, refund advance, move, open, close, again"
    assert {deed for deed in deeds.split(", ") if said.get(deed, 0) < DAYS // 100} == set()
    assert {"to_safe", "from_safe", "paid_out", "came_back", "move not_in_drawer", "move shift_closed"} <= set(said)
    assert "move petty_too_large" in said
    refused = {code.split()[-1] for code in said}
    assert {
        "overpayment", "bill_not_open", "advance_too_small", "reference_used", "refund_too_large", "credit_too_large",
        "nothing_to_give_back", "bill_has_payments", "bill_void", "shift_closed", "difference_unexplained",
        "not_in_drawer", "discount_too_large", "bad_amount",
    } <= refused  # fmt: skip
