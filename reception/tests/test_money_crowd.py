"""Two cashiers, the desk and the manager at once, over real connections: nobody waits for each other in a circle.

That such a circle would be found is shown beside it, where the shift is not locked first.
"""

import threading
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from itertools import cycle
from random import Random
from typing import Any

import pytest

from accounts.tests.factories import UserFactory
from billing import actions, desk, locking
from billing.actions import refunds
from billing.models import Drawer, Shift
from billing.proof import prove
from billing.tenders import Tender
from common.testing.races import PATIENCE, crowd, race
from common.transactions import outermost
from reception.money import priority
from reception.money.priority import take_priority_fee
from reception.tests.money import Till
from reception.tests.test_money_storm import Clinic
from tokens import allocation

pytestmark = pytest.mark.django_db(transaction=True)

DEADLOCK = "40P01"


class Crowd(Clinic):
    """The clinic with a second cashier and a manager, who close shifts and open them again."""

    def __init__(self, **rules: Any) -> None:
        super().__init__(many=True, **rules)
        farah = UserFactory(username=f"farah-{self.facility.pk}", roles=["billing-staff"], facility=self.facility)
        self.manager = UserFactory(username=f"manager-{self.facility.pk}", roles=["manager"], facility=self.facility)
        self.cashiers = [self.meena, farah]
        self.turns = cycle(self.cashiers)
        Drawer.objects.create(facility=self.facility, name="Drawer 2")
        self.opens(farah)

    def opens(self, cashier: Any) -> None:
        """They sit down at a drawer."""
        where = {"facility_id": self.facility.pk, "float_amount": Decimal(1000)}
        outermost(lambda: actions.open_shift(**where, by=cashier))

    def act(self, action: Callable[..., Any], **arguments: Any) -> Any:
        """Whoever of the cashiers is free does what a cashier does."""
        if arguments.get("by") is self.meena:
            arguments["by"] = next(self.turns)
        return super().act(action, **arguments)

    def deeds(self) -> list[Callable[[Random], Any]]:
        """Also what is void or taken off, and the end of a shift."""
        return [*super().deeds(), self.voids, self.credits, self.closes, self.opens_again, self.takes_priority]

    def voids(self, chance: Random) -> None:
        """Somebody takes a bill back."""
        self.act(actions.void_bill, bill_id=self.bill(chance, status="open"), reason="x", by=self.manager)

    def credits(self, chance: Random) -> None:
        """Something comes off a paid bill that is for no token's place."""
        bill = self.bill(chance, status="paid")
        self.act(actions.credit_bill, bill_id=bill, amount=Decimal(10), reason="x", by=self.manager)

    def closes(self, chance: Random) -> None:
        """The manager ends somebody's shift."""
        shift = chance.choice(list(Shift.objects.filter(facility=self.facility, closed_at=None)) or [None])
        if shift and chance.random() < 0.3:
            counted = {"shift_id": shift.pk, "counted": Decimal(500), "reason": "not counted"}
            outermost(lambda: actions.close_shift(**counted, by=self.manager))

    def opens_again(self, chance: Random) -> None:
        """A cashier comes back."""
        self.opens(chance.choice(self.cashiers))


def test_what_two_cashiers_a_manager_and_the_desk_do_at_once_meets_no_deadlock_and_no_long_wait() -> None:
    clinic = Crowd(when_displaced="credit", refund_full_hours=1)
    met = crowd(clinic.deeds(), people=6, each=12)
    assert met["busy"] == 0, met
    assert prove(clinic.facility).findings == ()


class TestOneCashierInTwoWindows:
    """The priority fee is taken in one, and money is given back in the other."""

    def both(self) -> list[Callable[[], Any]]:
        till = Till(refund_full_hours=1)
        till.open_shift()
        sita = till.give("Sita", slot=2, arrived=True)
        bill = till.live(sita)
        assert bill is not None
        till.pay(bill, method="cash")
        outermost(lambda: allocation.cancel_token(token_id=sita.pk, reason="Patient asked", by=None))
        # With another doctor: the places of one session are decided one after the other anyway.
        till.slots = list(till.sitting(till.doctor("Dr Mehta"), till.session.starts_at).slots.all())
        ravi = till.give("Ravi", "online", arrived=False)
        fee = partial(take_priority_fee, token_id=ravi.pk, tenders=[Tender("upi", Decimal(300), "T-1")], by=till.meena)
        back = partial(actions.give_back, bill_id=bill.pk, reason="x", by=till.meena)
        self.till = till
        return [lambda: outermost(fee), lambda: outermost(back)]

    def test_does_one_after_the_other(self) -> None:
        for _ in range(4):
            assert race(self.both()).raised == []
            self.till.balanced()

    def test_control_where_the_shift_is_locked_when_it_is_needed_they_wait_for_each_other(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        both = self.both()
        monkeypatch.setattr(locking, "HOLD_SHIFT", f"{locking.SET_TIMEOUT}; SELECT %s")
        monkeypatch.setattr(desk, "_RESERVE", desk._RESERVE.replace("SKIP LOCKED", ""))
        gate = threading.Barrier(2, timeout=PATIENCE)
        for module, name in ((priority, "pay"), (refunds, "number_receipt")):
            later = getattr(module, name)

            def wait_first(*given: Any, later: Any = later, **named: Any) -> Any:
                gate.wait()
                return later(*given, **named)

            monkeypatch.setattr(module, name, wait_first)
        met = race(both)
        assert [getattr(error.__cause__, "sqlstate", None) for error in met.raised] == [DEADLOCK], met
