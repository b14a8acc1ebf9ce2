"""What becomes of bills when a token loses its place: void, credited, kept, and what is to be given back."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from billing.models import Bill
from common.transactions import outermost
from patients.models import Patient
from reception.actions import merge_patients
from reception.models import Visit
from reception.tests.money import Till
from tokens import allocation, planning, queueing, supply, undoing
from tokens.models import Plan, Token

pytestmark = pytest.mark.django_db


def cancel(token: Token, reason: str = "Patient asked") -> None:
    outermost(lambda: allocation.cancel_token(token_id=token.pk, reason=reason, by=None))


def undo(token: Token) -> None:
    outermost(lambda: undoing.undo_last(token_id=token.pk, by=None))


def status(token: Token) -> str:
    return Token.objects.get(pk=token.pk).status


def paid(till: Till, name: str = "Ravi", *, slot: int = 2, source: str = "walk_in", amount: int | None = None) -> Token:
    """Somebody who is here and has paid."""
    token = till.give(name, source, slot=slot, arrived=True)
    till.pay(till.live(token), amount)
    return token


class TestCancelling:
    """The last slot begins in an hour and a half."""

    @pytest.mark.parametrize(
        ("rules", "amount", "after"),
        [
            ({"refund_full_hours": 1}, 600, ("paid", 600, 600, 600)),
            ({"refund_full_hours": 2}, 600, ("paid", 600, 300, 600)),
            ({"refund_full_hours": 2, "refund_later_percent": 0}, 600, ("paid", 600, 0, 600)),
            ({"refund_full_hours": 2, "refund_later_percent": 100}, 600, ("paid", 600, 600, 600)),
            ({"refund_full_hours": 2}, 200, ("paid", 600, 500, 200)),
            ({"refund_full_hours": 1}, 200, ("paid", 600, 600, 200)),
            ({"refund_full_hours": 2, "refund_later_percent": 0}, 200, ("paid", 600, 400, 200)),
        ],
    )
    def test_gives_back_by_the_rule_of_the_facility(self, rules: dict[str, int], amount: int, after: Any) -> None:
        till = Till(**rules)
        token = paid(till, amount=amount)
        cancel(token)
        assert till.states(token) == [after]
        assert till.live(token) is None
        till.balanced()

    def test_an_unpaid_bill_is_void(self) -> None:
        till = Till()
        token = till.give("Ravi")
        cancel(token)
        assert till.states(token) == [("void", 600, 0, 0)]
        assert Bill.objects.get().void_reason

    def test_undone_the_token_pays_once(self) -> None:
        till = Till(refund_full_hours=2)
        token = paid(till)
        cancel(token)
        assert [b.to_give_back for b in till.bills(token)] == [300]
        undo(token)
        assert till.states(token) == [("paid", 600, 600, 0), ("paid", 600, 0, 600)]
        till.balanced()

    def test_undone_after_the_money_was_given_back_the_rest_is_due(self) -> None:
        from billing import actions

        till = Till(refund_full_hours=2)
        till.open_shift()
        token = paid(till)
        cancel(token)
        bill = till.bills(token)[0]
        outermost(lambda: actions.give_back(bill_id=bill.pk, reason="Cancelled", by=till.meena))
        undo(token)
        assert till.states(token) == [("paid", 600, 600, 0), ("part_paid", 600, 0, 300)]
        till.balanced()

    def test_a_no_show_is_a_late_cancellation(self) -> None:
        till = Till()
        token = till.give("Ravi", "online", slot=2, arrived=False)
        till.arrive(token)
        till.pay(till.live(token))
        undo(token)
        outermost(lambda: allocation.mark_no_show(token_id=token.pk, by=None))
        assert till.states(token) == [("paid", 600, 300, 600)]
        outermost(lambda: allocation.return_late(token_id=token.pk, by=None))
        assert till.states(token) == [("paid", 600, 600, 0), ("paid", 600, 0, 600)]
        till.balanced()


class TestDisplaced:
    def test_an_unpaid_bill_is_void_and_a_new_one_comes_with_the_place(self) -> None:
        till = Till(capacity=1)
        token = till.give("Ravi", slot=2)
        urgent = till.give("Sita", "emergency", slot=2)
        assert (status(token), till.states(token)) == ("waitlisted", [("void", 600, 0, 0)])
        cancel(urgent)
        assert till.states(token) == [("void", 600, 0, 0), ("open", 600, 0, 0)]

    def test_what_is_paid_is_kept_for_the_place_that_may_come(self) -> None:
        till = Till(capacity=1)
        token = paid(till)
        urgent = till.give("Sita", "emergency", slot=2)
        assert (status(token), till.states(token)) == ("waitlisted", [("paid", 600, 0, 600)])
        cancel(urgent)
        assert (status(token), till.states(token)) == ("confirmed", [("paid", 600, 0, 600)])

    def test_and_given_back_in_full_where_none_comes(self) -> None:
        till = Till(capacity=1)
        token = paid(till)
        till.give("Sita", "emergency", slot=2)
        cancel(token)
        assert till.states(token) == [("paid", 600, 600, 600)]

    def test_or_credited_at_once_where_the_facility_says_so(self) -> None:
        till = Till(capacity=1, when_displaced="credit")
        token = paid(till)
        urgent = till.give("Sita", "emergency", slot=2)
        assert till.states(token) == [("paid", 600, 600, 600)]
        cancel(urgent)
        assert till.states(token) == [("paid", 600, 600, 0), ("paid", 600, 0, 600)]
        till.balanced()

    def test_a_part_paid_bill_leaves_nothing_due(self) -> None:
        till = Till(capacity=1)
        token = paid(till, amount=200)
        urgent = till.give("Sita", "emergency", slot=2)
        assert till.states(token) == [("paid", 600, 600, 200)]
        cancel(urgent)
        assert till.states(token) == [("paid", 600, 600, 0), ("part_paid", 600, 0, 200)]


class TestTheHospitalCancels:
    def test_everybody_gets_everything_back_and_undo_takes_that_back(self) -> None:
        till = Till(capacity=3)
        one, two = paid(till, "Ravi"), till.give("Sita", slot=2)
        result = outermost(lambda: supply.cancel_session(session_id=till.session.pk, reason="Ill", move=False, by=None))
        assert till.states(one) == [("paid", 600, 600, 600)]
        assert till.states(two) == [("void", 600, 0, 0)]
        outermost(lambda: planning.undo_plan(plan_id=result.plan["id"], by=None))
        assert till.states(one) == [("paid", 600, 600, 0), ("paid", 600, 0, 600)]
        assert till.states(two) == [("void", 600, 0, 0), ("open", 600, 0, 0)]
        assert Plan.objects.get().undone_at
        till.balanced()

    def test_moved_to_another_day_the_money_pays_the_bill_of_that_day(self) -> None:
        till = Till()
        till.sitting(till.rao, till.session.starts_at + timedelta(days=1))
        token = paid(till)
        outermost(lambda: supply.cancel_session(session_id=till.session.pk, reason="Ill", by=None))
        assert (status(token), till.states(token)) == ("confirmed", [("paid", 600, 600, 600)])
        till.arrive(token)
        assert till.states(token) == [("paid", 600, 600, 0), ("paid", 600, 0, 600)]
        assert Visit.objects.count() == 2
        till.balanced()


class TestSentOn:
    def test_what_was_paid_goes_with_the_patient(self) -> None:
        till = Till()
        mehta = till.doctor("Dr Mehta", consultation_fee=400)
        till.sitting(mehta, till.session.starts_at)
        token = paid(till)
        new = outermost(
            lambda: queueing.send_on(token_id=token.pk, doctor_id=mehta.pk, reason="Second opinion", by=None)
        ).token
        assert new is not None
        assert till.states(token) == [("paid", 600, 600, 0)]
        assert till.states(Token.objects.get(pk=new.id)) == [("paid", 500, 0, 500)]
        till.balanced()

    def test_who_was_seen_pays_both_doctors(self) -> None:
        till = Till()
        mehta = till.doctor("Dr Mehta")
        till.sitting(mehta, till.session.starts_at)
        token = paid(till)
        outermost(lambda: queueing.start(token_id=token.pk, by=None))
        new = outermost(
            lambda: queueing.send_on(token_id=token.pk, doctor_id=mehta.pk, reason="Second opinion", by=None)
        ).token
        assert new is not None
        assert till.states(token) == [("paid", 600, 0, 600)]
        assert till.states(Token.objects.get(pk=new.id)) == [("open", 600, 0, 0)]


class TestAnotherPatient:
    def test_the_wrong_record_is_billed_no_more(self) -> None:
        till = Till()
        token, right = till.give("Ravi"), till.patient("Ravindra")
        outermost(
            lambda: allocation.change_patient(token_id=token.pk, patient_id=right.pk, reason="Wrong record", by=None)
        )
        assert till.states(token) == [("void", 600, 0, 0), ("open", 600, 0, 0)]
        assert till.live(token).patient == right
        assert set(Visit.objects.values_list("patient__name", flat=True)) == {"Ravi", "Ravindra"}

    def test_what_the_wrong_record_paid_is_to_be_given_back(self) -> None:
        till = Till()
        token, right = paid(till), till.patient("Ravindra")
        outermost(
            lambda: allocation.change_patient(token_id=token.pk, patient_id=right.pk, reason="Wrong record", by=None)
        )
        assert till.states(token) == [("paid", 600, 600, 600), ("open", 600, 0, 0)]

    def test_a_merged_record_is_the_same_patient(self) -> None:
        till = Till()
        token, double = paid(till), till.patient("Ravi K")
        asha = till.user("reception")
        outermost(lambda: merge_patients(patient_id=token.patient_id, into_id=double.pk, by=asha))
        assert till.states(token) == [("paid", 600, 0, 600)]
        undo_patient = Patient.objects.get(pk=token.patient_id)
        assert undo_patient.merged_into == double
        cancel(token)
        assert till.bills(token)[0].credited == Decimal(300)

    def test_what_the_wrong_record_was_kept_for_a_late_cancellation_goes_back_too(self) -> None:
        till = Till(refund_full_hours=2)
        token, right = paid(till), till.patient("Ravindra")
        cancel(token)
        assert till.states(token) == [("paid", 600, 300, 600)]
        outermost(
            lambda: allocation.change_patient(token_id=token.pk, patient_id=right.pk, reason="Wrong record", by=None)
        )
        assert till.states(token) == [("paid", 600, 600, 600)]

    def test_a_token_that_is_over_loses_its_bills_once(self) -> None:
        till = Till(refund_full_hours=2)
        token, double = paid(till), till.patient("Ravi K")
        cancel(token)
        outermost(lambda: allocation.change_patient(token_id=token.pk, patient_id=double.pk, reason="Same", by=None))
        outermost(
            lambda: allocation.change_patient(token_id=token.pk, patient_id=token.patient_id, reason="Not", by=None)
        )
        assert till.states(token) == [("paid", 600, 600, 600)]
