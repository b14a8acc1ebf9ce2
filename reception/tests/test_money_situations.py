"""Situations from real clinics, and what they mean for the money of those concerned."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from billing.actions import create_bill
from billing.models import Bill
from billing.rules import LineIn
from common.transactions import outermost
from reception.models import Visit
from reception.tests.money import Till
from tokens import allocation, planning, queueing, supply
from tokens.models import Token

pytestmark = pytest.mark.django_db


def status(token: Token) -> str:
    return Token.objects.get(pk=token.pk).status


class TestAnEmergencyArrivesTheDoctorIsThirtyMinutesLateTwoPaidPatientsWait:
    """At most the one whose place the emergency takes loses it, keeps what was paid for, and owes nothing meanwhile."""

    def test_it(self) -> None:
        till = Till(capacity=2)
        first, last = till.give("Asha", "paid", arrived=True), till.give("Bala", "paid", arrived=True)
        for token in (first, last):
            till.pay(till.live(token))
        outermost(lambda: supply.delay_session(session_id=till.session.pk, minutes=30, by=None))
        emergency = till.give("Chitra", "emergency")
        assert [status(token) for token in (emergency, first, last)] == ["confirmed", "confirmed", "waitlisted"]
        assert till.states(first) == till.states(last) == [("paid", 900, 0, 900)]
        assert till.states(emergency) == [("open", 600, 0, 0)]
        outermost(lambda: allocation.cancel_token(token_id=emergency.pk, reason="Ward", by=None))
        assert (status(last), till.states(last)) == ("confirmed", [("paid", 900, 0, 900)])
        till.balanced()


class TestASlotOfSixIsCutAfterItWasFilledTwoHaveArrived:
    """Who is not here owes nothing and moves first; who is here and moves keeps the bill that was paid; undo."""

    def test_it(self) -> None:
        till = Till(capacity=6)
        here = [till.give(f"Here {n}", "online", slot=2, arrived=True) for n in range(2)]
        for token in here:
            till.pay(till.live(token))
        away = [till.give(f"Away {n}", "online", slot=2, arrived=False) for n in range(4)]
        self.cut(till, 3)
        assert [status(token) for token in (*here, *away)] == ["confirmed"] * 3 + ["waitlisted"] * 3
        assert [till.states(token) for token in away] == [[]] * 4
        plan = self.cut(till, 1)
        assert [status(token) for token in here] == ["confirmed", "waitlisted"]
        assert [till.states(token) for token in here] == [[("paid", 600, 0, 600)]] * 2
        outermost(lambda: planning.undo_plan(plan_id=plan, by=None))
        assert [till.live(token).status for token in here] == ["paid", "paid"]
        till.balanced()

    def cut(self, till: Till, places: int) -> int:
        """So many places are left; gives the plan."""
        result = outermost(lambda: supply.change_capacity(slot_id=till.slots[2].pk, capacity=places, by=None))
        plan: int = result.plan["id"]
        return plan


class TestTheAppSendsTheSameBookingThreeTimesAfterATimeOut:
    """One token with one bill; the three answers are the same."""

    def test_it(self) -> None:
        till = Till()
        wish = {"slot": till.slots[1].pk, "patient": till.patient("Ravi").pk, "source": "walk_in"}
        answers = [self.send(till, wish) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [201] * 3
        assert answers[0].json() == answers[1].json() == answers[2].json()
        assert [bill.total for bill in Bill.objects.all()] == [600]

    def send(self, till: Till, wish: dict[str, Any]) -> Any:
        """As the app does it."""
        sent = {"content_type": "application/json", "HTTP_IDEMPOTENCY_KEY": "once"}
        return till.asha.post("/api/v1/tokens/", wish, **sent)


class TestCameBackAnHourAfterTheNoShow:
    """What was kept of the fee pays the new bill: nobody pays for the same token twice."""

    def test_it(self) -> None:
        till = Till(refund_later_percent=50)
        token = till.give("Ravi", slot=1)
        till.pay(till.live(token))
        outermost(lambda: queueing.call(token_id=token.pk, by=None))
        outermost(lambda: allocation.mark_no_show(token_id=token.pk, by=None))
        assert till.states(token) == [("paid", 600, 300, 600)]
        later = token.arrived_at + timedelta(hours=1)
        outermost(lambda: allocation.return_late(token_id=token.pk, by=None, at=later))
        assert [bill.due for bill in till.bills(token)] == [0, 0]
        assert till.live(token).paid == 600
        till.balanced()


class TestTheDoctorSendsAPatientForAnXRayInMidVisit:
    """The visit stays one, with the bill that it has; the X-ray has a bill of its own in the same visit."""

    def test_it(self) -> None:
        till = Till()
        token = till.give("Ravi")
        visit = Visit.objects.get()
        for step, more in ((queueing.start, {}), (queueing.send_away, {"where": "X-ray"})):
            outermost(lambda step=step, more=more: step(token_id=token.pk, by=None, **more))
        about = {"billable_type": "visit", "billable_id": visit.pk}
        xray = LineIn("X-ray spine, 2 views", Decimal(900), item_type="test_order", item_id=77)
        where = {"facility_id": till.facility.pk, "patient_id": token.patient_id}
        outermost(lambda: create_bill(**where, lines=[xray], **about, by=till.meena))
        for step in (queueing.back, queueing.start, queueing.complete):
            outermost(lambda step=step: step(token_id=token.pk, by=None))
        assert Visit.objects.get() == visit
        assert till.states(token) == [("open", 600, 0, 0)]
        shown = till.asha.get(f"/api/v1/patients/{token.patient_id}/visits/").json()["results"]
        assert [(len(each["tokens"]), len(each["bills"])) for each in shown] == [(1, 2)]
