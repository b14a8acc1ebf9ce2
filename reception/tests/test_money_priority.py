"""Priority that is paid for: bill, payment and the better place in one transaction, and what holds while it is used."""

from decimal import Decimal

import pytest

from billing import actions
from billing.errors import ShiftClosed
from billing.models import Bill, CreditNote, Payment, Receipt, Refund
from billing.rules import LineIn
from billing.tenders import Tender
from common.transactions import outermost
from reception.errors import PriorityInUse, PriorityNotSold
from reception.money.priority import take_priority_fee
from reception.tests.money import Till
from tokens import allocation
from tokens.errors import InvalidTransition
from tokens.models import Event, Token

pytestmark = pytest.mark.django_db


def take(till: Till, token: Token, amount: int = 300, reference: str = "T-1") -> Receipt:
    tenders = [Tender("upi", Decimal(amount), reference)]
    return outermost(lambda: take_priority_fee(token_id=token.pk, tenders=tenders, by=till.meena))


def now(token: Token) -> Token:
    return Token.objects.get(pk=token.pk)


class TestTakingTheFee:
    def test_rescores_the_token_and_decides_it_again_at_once(self) -> None:
        till = Till(capacity=1)
        other, token = till.give("Sita", "online"), till.give("Ravi", "online")
        assert (now(token).status, till.bills(token)) == ("waitlisted", [])
        receipt = take(till, token)
        assert (now(token).status, now(token).paid, now(other).status) == ("confirmed", True, "waitlisted")
        assert till.states(token) == [("paid", 300, 0, 300)]
        bill = Bill.objects.get()
        assert (bill.billable_type, bill.billable_id, receipt.bill) == ("token", token.pk, bill)
        assert Event.objects.filter(token_id=token.pk, kind="rescored").get().actor == till.meena
        till.balanced()

    def test_a_part_of_it_gives_no_priority_yet(self) -> None:
        till = Till()
        token = till.give("Ravi", "online", arrived=False)
        take(till, token, 100)
        assert (now(token).paid, till.states(token)) == (False, [("part_paid", 300, 0, 100)])
        take(till, token, 200, "T-2")
        assert (now(token).paid, till.states(token)) == (True, [("paid", 300, 0, 300)])

    def test_is_the_same_for_an_ordinary_payment_of_such_a_bill(self) -> None:
        till = Till()
        token = till.give("Ravi", "online", arrived=False)
        take(till, token, 100)
        till.pay(till.bills(token)[0])
        assert now(token).paid

    def test_who_arrives_is_not_billed_for_it_again(self) -> None:
        till = Till()
        token = till.give("Ravi", "online", arrived=False)
        take(till, token)
        till.arrive(token)
        assert till.states(token) == [("paid", 300, 0, 300), ("open", 600, 0, 0)]

    def test_once(self) -> None:
        till = Till()
        token = till.give("Ravi", "online", arrived=False)
        take(till, token)
        with pytest.raises(InvalidTransition):
            take(till, token, 300, "T-2")
        assert Payment.objects.count() == 1

    def test_not_where_priority_has_no_price_nor_for_a_token_that_is_over(self) -> None:
        free, till = Till(priority_fee=0), Till()
        with pytest.raises(PriorityNotSold):
            take(free, free.give("Ravi", "online"))
        token = till.give("Sita", "online")
        outermost(lambda: allocation.cancel_token(token_id=token.pk, reason="Patient asked", by=None))
        with pytest.raises(InvalidTransition):
            take(till, token)
        assert not Bill.objects.filter(billable_type="token").exists()

    def test_what_is_refused_leaves_nothing(self) -> None:
        till = Till()
        token = till.give("Ravi", "online", arrived=False)
        with pytest.raises(ShiftClosed):
            outermost(
                lambda: take_priority_fee(token_id=token.pk, tenders=[Tender("cash", Decimal(300))], by=till.meena)
            )
        assert (now(token).paid, till.bills(token)) == (False, [])


def give_back(till: Till, receipt: Receipt, amount: int, **more: bool) -> Refund:
    till.open_shift()
    payment = receipt.payments.get()
    deed = {"payment_id": payment.pk, "amount": Decimal(amount), "reason": "Changed her mind", **more}
    refund: Refund = outermost(lambda: actions.refund_payment(**deed, by=till.meena))
    return refund


class TestAPartThatIsGivenBack:
    """Nobody is asked for the rest of what is not given."""

    def test_with_a_credit_note_nothing_stays_due_and_the_fee_is_asked_for_once(self) -> None:
        till = Till()
        token = till.give("Ravi", "online", arrived=False)
        refund = give_back(till, take(till, token, 100), 100, credit=True)
        assert till.states(token) == [("paid", 300, 300, 0)]
        assert (refund.receipt.due_after, refund.bill.due if refund.bill else None) == (0, 0)
        take(till, token, 300, "T-2")
        assert (now(token).paid, till.states(token)) == (True, [("paid", 300, 300, 0), ("paid", 300, 0, 300)])
        till.balanced()

    def test_of_a_part_with_a_credit_note_the_rest_is_carried_to_the_consultation(self) -> None:
        till = Till()
        token = till.give("Ravi", "online", arrived=False)
        give_back(till, take(till, token, 100), 40, credit=True)
        assert till.states(token) == [("paid", 300, 240, 60)]
        till.arrive(token)
        assert till.states(token) == [("paid", 300, 300, 0), ("part_paid", 600, 0, 60)]
        till.balanced()

    def test_the_notes_are_two_and_say_why(self) -> None:
        till = Till()
        token = till.give("Ravi", "online", arrived=False)
        give_back(till, take(till, token, 100), 100, credit=True)
        notes = CreditNote.objects.order_by("number").values_list("amount", "reason", "by")
        assert list(notes) == [(100, "Changed her mind", till.meena.pk), (200, "Priority is not given", None)]

    def test_without_one_the_bill_asks_for_all_of_it_again_and_no_second_one_is_made(self) -> None:
        till = Till()
        token = till.give("Ravi", "online", arrived=False)
        give_back(till, take(till, token, 100), 100)
        assert till.states(token) == [("open", 300, 0, 0)]
        take(till, token, 300, "T-2")
        assert till.states(token) == [("paid", 300, 0, 300)]

    def test_what_is_taken_off_before_anything_was_paid_leaves_nothing_due(self) -> None:
        till = Till()
        token = till.give("Ravi", "online", arrived=False)
        bill = give_back(till, take(till, token, 100), 100).bill
        assert bill is not None
        kind = {"bill_id": bill.pk, "amount": Decimal(50), "reason": "Asked by mistake", "by": till.user("manager")}
        outermost(lambda: actions.credit_bill(**kind))
        assert till.states(token) == [("paid", 300, 300, 0)]
        till.balanced()

    def test_a_bill_that_is_for_other_things_too_keeps_asking_for_them(self) -> None:
        till = Till()
        token = till.give("Ravi", "online", arrived=False)
        lines = [
            LineIn("Priority fee", Decimal(300), item_type="priority", item_id=token.pk),
            LineIn("ECG", Decimal(650)),
        ]
        where = {"facility_id": till.facility.pk, "patient_id": token.patient_id, "lines": lines, "by": None}
        bill = outermost(lambda: actions.create_bill(**where))
        give_back(till, till.pay(bill, 300), 300, credit=True)
        assert till.states(token) == [("open", 950, 300, 0)]


class TestWithoutTheCashDesk:
    """The desk marks a token as paid: the fee goes on a bill."""

    def test_with_the_consultation_of_who_is_not_here_yet(self) -> None:
        till = Till()
        token = till.give("Ravi", "paid", arrived=False)
        assert till.bills(token) == []
        till.arrive(token)
        assert till.states(token) == [("open", 900, 0, 0)]

    def test_on_a_bill_of_its_own_where_the_consultation_is_billed(self) -> None:
        till = Till()
        token = till.give("Ravi")
        outermost(lambda: allocation.mark_paid(token_id=token.pk, by=None))
        assert till.states(token) == [("open", 600, 0, 0), ("open", 300, 0, 0)]
        till.pay(till.bills(token)[1])
        assert now(token).paid
        till.balanced()


class TestWhileItIsUsed:
    def test_the_fee_is_neither_credited_nor_given_back(self) -> None:
        till = Till()
        till.open_shift()
        token = till.give("Ravi", "online", arrived=False)
        payment = take(till, token).payments.get()
        manager = till.user("manager")
        with pytest.raises(PriorityInUse):
            outermost(
                lambda: actions.credit_bill(bill_id=payment.bill_id, amount=Decimal(50), reason="Kind", by=manager)
            )
        with pytest.raises(PriorityInUse):
            outermost(
                lambda: actions.refund_payment(payment_id=payment.pk, amount=Decimal(300), reason="Kind", by=till.meena)
            )
        assert till.states(token) == [("paid", 300, 0, 300)]

    def test_afterwards_it_goes_by_the_rule(self) -> None:
        till = Till(refund_full_hours=1)
        till.open_shift()
        token = till.give("Ravi", "online", slot=2, arrived=False)
        take(till, token)
        outermost(lambda: allocation.cancel_token(token_id=token.pk, reason="Patient asked", by=None))
        assert till.states(token) == [("paid", 300, 300, 300)]
        outermost(lambda: actions.give_back(bill_id=till.bills(token)[0].pk, reason="Cancelled", by=till.meena))
        assert till.states(token) == [("paid", 300, 300, 0)]
        till.balanced()

    def test_another_line_of_the_same_bill_may_be_credited(self) -> None:
        till = Till()
        till.open_shift()
        token = till.give("Ravi", "paid", arrived=True)
        bill = till.live(token)
        till.pay(bill)
        line = bill.lines.get(item_type="consultation")
        manager = till.user("manager")
        outermost(
            lambda: actions.credit_bill(
                bill_id=bill.pk, amount=Decimal(100), reason="Short visit", line_ids=[line.pk], by=manager
            )
        )
        outermost(lambda: actions.give_back(bill_id=bill.pk, reason="Short visit", by=till.meena))
        assert till.states(token) == [("paid", 900, 100, 800)]
