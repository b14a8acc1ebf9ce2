"""Bills that somebody makes by hand, about tokens that are not theirs or below the price, and what they would gain."""

from decimal import Decimal
from typing import Any

import pytest

from billing import actions
from billing.errors import BillNotOpen
from billing.models import Bill
from billing.rules import LineIn
from common.errors import BadInput
from common.transactions import outermost
from reception.errors import PriorityNotSold, PriorityTooCheap
from reception.tests.money import Till
from tokens.models import Token

pytestmark = pytest.mark.django_db


def make(
    till: Till, patient_id: int, item_type: str, item_id: int, price: str = "300", also: str = "", **more: Any
) -> Bill:
    """A bill as the cash desk writes one by hand."""
    lines = [LineIn("By hand", Decimal(price), item_type=item_type, item_id=item_id)]
    lines += [LineIn(also, Decimal(650))] if also else []
    return outermost(
        lambda: actions.create_bill(
            facility_id=till.facility.pk, patient_id=patient_id, lines=lines, by=till.meena, **more
        )
    )


def paid(token: Token) -> bool:
    return Token.objects.get(pk=token.pk).paid


class TestABillAboutAToken:
    @pytest.mark.parametrize("kind", ["priority", "consultation"])
    def test_of_another_hospital_is_refused(self, kind: str) -> None:
        ours, theirs = Till(), Till()
        token = theirs.give("Ravi", "online", arrived=False)
        with pytest.raises(BadInput):
            make(ours, ours.patient("Sita").pk, kind, token.pk)
        assert not Bill.objects.filter(facility=ours.facility).exists()
        assert not paid(token)

    @pytest.mark.parametrize("kind", ["priority", "consultation"])
    def test_of_another_patient_is_refused(self, kind: str) -> None:
        till = Till()
        token = till.give("Ravi", "online", arrived=False)
        with pytest.raises(BadInput):
            make(till, till.patient("Sita").pk, kind, token.pk)

    def test_that_is_not_there_is_refused_so_that_none_waits_for_it(self) -> None:
        till = Till()
        with pytest.raises(BadInput):
            make(till, till.patient("Sita").pk, "priority", 10**9)

    def test_is_refused_when_a_draft_is_issued_too(self) -> None:
        till = Till()
        token = till.give("Ravi", "online", arrived=False)
        draft = make(till, till.patient("Sita").pk, "priority", token.pk, draft=True)
        with pytest.raises(BadInput):
            outermost(lambda: actions.issue_bill(bill_id=draft.pk, by=till.meena))

    def test_of_the_patient_is_made_under_a_record_that_was_merged_too(self) -> None:
        till = Till()
        token, other = till.give("Ravi", "online", arrived=False), till.patient("Ravi again")
        ravi = Token.objects.get(pk=token.pk).patient
        ravi.is_active, ravi.merged_into = False, other
        ravi.save(update_fields=["is_active", "merged_into"])
        bill = make(till, other.pk, "priority", token.pk)
        till.pay(bill)
        assert paid(token)


class TestPriority:
    def test_is_not_sold_below_its_price(self) -> None:
        till = Till()
        token = till.give("Ravi", "online", arrived=False)
        with pytest.raises(PriorityTooCheap) as refused:
            make(till, token.patient_id, "priority", token.pk, price="0.01")
        assert str(refused.value) == "Priority costs ₹300.00 here."

    def test_is_not_sold_where_it_has_no_price(self) -> None:
        till = Till(priority_fee=0)
        token = till.give("Ravi", "online", arrived=False)
        with pytest.raises(PriorityNotSold):
            make(till, token.patient_id, "priority", token.pk)

    def test_is_not_won_by_paying_what_a_credit_note_left_of_it(self) -> None:
        till = Till()
        token = till.give("Ravi", "online", arrived=False)
        bill = make(till, token.patient_id, "priority", token.pk)
        taken_off = {"bill_id": bill.pk, "amount": Decimal(299), "reason": "a friend"}
        outermost(lambda: actions.credit_bill(**taken_off, by=till.meena))
        with pytest.raises(BillNotOpen):
            till.pay(bill, 1)
        assert not paid(token)

    def test_is_not_won_so_on_a_bill_with_other_things_either(self) -> None:
        till = Till()
        token = till.give("Ravi", "online", arrived=False)
        bill = make(till, token.patient_id, "priority", token.pk, also="ECG")
        line = bill.lines.get(item_type="priority")
        taken_off = {"bill_id": bill.pk, "amount": Decimal(299), "reason": "a friend", "line_ids": [line.pk]}
        outermost(lambda: actions.credit_bill(**taken_off, by=till.meena))
        till.pay(bill)
        assert not paid(token)
