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
from reception.money.queries import bills_on
from reception.tests.money import Till
from tokens import allocation
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


class TestABillThatNamesAVisitOfSomebodyElse:
    """Whoever makes a bill says what it is about; nobody else's visit shows it or counts it."""

    def test_is_not_among_the_bills_of_the_visit(self) -> None:
        till, theirs = Till(), Till()
        token = till.give("Ravi", "walk_in")
        (visit,) = till.visits(token.patient)
        about: dict[str, Any] = {"billable_type": "visit", "billable_id": visit.pk}
        for where, somebody in ((theirs, theirs.patient("Sita")), (till, till.patient("Gita"))):
            make(where, somebody.pk, "hospital_fee", 1, **about)
        assert [bill.pk for bills in bills_on([visit], [token.pk]).values() for bill in bills] == [
            bill.pk for bill in till.bills(token)
        ]

    def test_is_among_them_where_it_is_of_a_record_that_was_merged(self) -> None:
        till = Till()
        token, other = till.give("Ravi", "walk_in"), till.patient("Ravi again")
        (visit,) = till.visits(token.patient)
        by_hand = make(till, token.patient_id, "dressing", 1, billable_type="visit", billable_id=visit.pk)
        ravi = Token.objects.get(pk=token.pk).patient
        ravi.is_active, ravi.merged_into = False, other
        ravi.save(update_fields=["is_active", "merged_into"])
        assert by_hand in bills_on([visit], [])[0]

    def test_that_was_laid_aside_as_a_draft_is_not_either(self) -> None:
        till, theirs = Till(), Till()
        token = till.give("Ravi", "walk_in")
        draft = make(theirs, theirs.patient("Sita").pk, "consultation", token.pk, draft=True)
        outermost(lambda: actions.void_bill(bill_id=draft.pk, reason="Written by mistake", by=theirs.meena))
        assert [bill.pk for bill in bills_on(till.visits(token.patient), [token.pk])[token.pk]] == [
            bill.pk for bill in till.bills(token) if bill.pk != draft.pk
        ]

    def test_spares_nobody_the_hospital_fee(self) -> None:
        till, theirs = Till(hospital_fee_once=True), Till()
        session = till.sitting(till.doctor("Dr Mehta", hospital_fee=0), till.session.starts_at)
        ravi = till.patient("Ravi")
        wish: dict[str, Any] = {"patient_id": ravi.pk, "source": "walk_in", "slot_id": session.slots.first().pk}
        outermost(lambda: allocation.request_token(**wish, by=None))
        (visit,) = till.visits(ravi)
        about: dict[str, Any] = {"billable_type": "visit", "billable_id": visit.pk}
        make(theirs, theirs.patient("Sita").pk, "hospital_fee", 1, price="1", **about)
        assert till.states(till.give(ravi)) == [("open", 600, 0, 0)]
