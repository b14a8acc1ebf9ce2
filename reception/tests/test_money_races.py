"""Two people act on a token and on its bill at once. Each race has a control without what decides it."""

import re
import threading
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.db import OperationalError, transaction
from django.db.utils import IntegrityError
from django.test import override_settings

from billing.actions import payments
from billing.errors import BillIsPaid, BillNotOpen
from billing.models import Bill
from billing.tenders import Tender
from common.testing.races import race
from common.transactions import outermost
from reception.models import Visit
from reception.money import consequences, priority, reading, visits
from reception.money.priority import take_priority_fee
from reception.tests.money import Till
from tokens import allocation, queueing
from tokens.errors import InvalidTransition
from tokens.facts import TokenFacts
from tokens.models import Token
from tokens.outcome import Outcome, Touched
from tokens.queries import read_session
from tokens.reading import TOKEN_COLUMNS

pytestmark = pytest.mark.django_db(transaction=True)

WAIT = 30


def arriving(token: Token) -> Callable[[], Any]:
    return lambda: outermost(lambda: queueing.arrive(token_id=token.pk, by=None))


def cancelling(token: Token) -> Callable[[], Any]:
    return lambda: outermost(lambda: allocation.cancel_token(token_id=token.pk, reason="Patient asked", by=None))


def together(monkeypatch: pytest.MonkeyPatch, *places: tuple[Any, str]) -> None:
    """Let each of these functions be called only when all of them are about to be, the first time."""
    gate = threading.Barrier(len(places) if len(places) > 1 else 2, timeout=WAIT)
    for owner, name in places:
        monkeypatch.setattr(owner, name, _behind(gate, getattr(owner, name), threading.local()))


def _behind(gate: threading.Barrier, work: Callable[..., Any], seen: threading.local) -> Callable[..., Any]:
    def gated(*args: Any, **named: Any) -> Any:
        if not getattr(seen, "passed", False):
            seen.passed = True
            gate.wait()
        return work(*args, **named)

    return gated


class TestArrivingAtTwoDesks:
    def test_is_one_arrival_and_one_bill(self) -> None:
        till = Till()
        token = till.give("Ravi", "online", arrived=False)
        done = race([arriving(token), arriving(token)])
        assert len(done.returned) == 1
        assert len(done.of(InvalidTransition)) == 1
        assert till.states(token) == [("open", 600, 0, 0)]
        till.balanced()

    def test_control_without_the_lock_of_the_session_there_are_two(self, monkeypatch: pytest.MonkeyPatch) -> None:
        till = Till()
        token = till.give("Ravi", "online", arrived=False)
        with override_settings(OPD_CONSEQUENCES=[]):
            till.arrive(token)
        session, now = read_session(till.session.pk)
        facts = TokenFacts(*Token.objects.filter(pk=token.pk).values_list(*TOKEN_COLUMNS).get())
        touched = Touched({"arrived_at": None}, facts, "arrived")
        outcome = Outcome(facts, session, None, (touched,), (), (), (), (session.id,), now)
        monkeypatch.setattr(reading, "read", _behind_read(reading.read))
        work = partial(outermost, lambda: consequences.of_tokens(outcome))
        race([work, work])
        assert Bill.objects.count() == 2


def _behind_read(read: Callable[..., Any]) -> Callable[..., Any]:
    """Both have read before either writes."""
    gate = threading.Barrier(2, timeout=WAIT)

    def gated(*args: Any, **named: Any) -> Any:
        found = read(*args, **named)
        gate.wait()
        return found

    return gated


class TestOnePatientAtTwoDoctors:
    def two(self) -> tuple[Till, list[Token]]:
        till = Till()
        session = till.sitting(till.doctor("Dr Mehta"), till.session.starts_at)
        ravi = till.patient("Ravi")
        one = till.give(ravi, "online", arrived=False)
        slot = session.slots.order_by("pk").last()
        assert slot is not None
        wish = {"patient_id": ravi.pk, "source": "online", "slot_id": slot.pk, "arrived": False}
        other = outermost(lambda: allocation.request_token(**wish, by=None)).token
        assert other is not None
        return till, [one, Token.objects.get(pk=other.id)]

    def test_has_one_visit_and_two_bills(self) -> None:
        till, tokens = self.two()
        done = race([arriving(token) for token in tokens])
        assert not done.raised
        visit = Visit.objects.get()
        assert Bill.objects.filter(billable_id=visit.pk).count() == 2
        till.balanced()

    def test_control_where_a_visit_is_just_inserted_one_desk_fails(self, monkeypatch: pytest.MonkeyPatch) -> None:
        _till, tokens = self.two()
        monkeypatch.setattr(visits, "_OPEN", re.sub("ON CONFLICT.*(?=RETURNING)", "", visits._OPEN, flags=re.DOTALL))
        together(monkeypatch, (visits, "open_visits"))
        done = race([arriving(token) for token in tokens])
        assert len(done.of(IntegrityError)) == 1


class TestCancellingAgainstPaying:
    def test_either_the_bill_is_void_or_the_money_is_to_be_given_back(self) -> None:
        till = Till(refund_full_hours=1)
        for name in ("Ravi", "Sita", "Gita", "Hari"):
            token = till.give(name, slot=2, arrived=True)
            bill = till.live(token)
            done = race([cancelling(token), lambda bill=bill: till.pay(bill)])
            assert not [error for error in done.raised if not isinstance(error, BillNotOpen)]
            after = ("void", 600, 0, 0) if done.raised else ("paid", 600, 600, 600)
            assert till.states(token) == [after]
            assert Token.objects.get(pk=token.pk).status == "cancelled"
        till.balanced()

    def test_control_without_the_locks_it_is_decided_on_what_was_read_before(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        till = Till(refund_full_hours=1)
        token = till.give("Ravi", slot=2, arrived=True)
        bill = till.live(token)
        read, seen, paid = reading.read, threading.Event(), threading.Event()

        def unlocked(*args: Any, **named: Any) -> Any:
            found = read(*args, **{**named, "lock": False})
            seen.set()
            assert paid.wait(WAIT)
            return found

        monkeypatch.setattr(reading, "read", unlocked)

        def pay_between() -> None:
            assert seen.wait(WAIT)
            till.pay(bill)
            paid.set()

        with override_settings(OPD_BILL_LOCKS=[], OPD_BILL_CONSEQUENCES=[]):
            done = race([cancelling(token), pay_between])
        assert len(done.of(BillIsPaid)) == 1


class TestPayingForPriorityAgainstCancelling:
    def offered(self, till: Till, name: str) -> tuple[Token, Bill]:
        """Somebody who waits, with a bill for priority that is not paid yet."""
        from billing import actions
        from reception.money.fees import priority_lines

        token = till.give(name, "online", slot=2, arrived=False)
        with transaction.atomic():
            money = reading.read([token.pk], facility_id=till.facility.pk)[token.pk]
        lines = priority_lines(money.service(priority=True), money.rules)
        where = {"facility_id": till.facility.pk, "patient_id": token.patient_id}
        bill = outermost(lambda: actions.create_bill(**where, lines=lines, billable_type="token", by=None))
        return token, bill

    def test_the_fee_is_never_kept_for_a_token_that_is_over(self) -> None:
        till = Till(refund_full_hours=1)
        for name in ("Ravi", "Sita", "Gita", "Hari"):
            token, bill = self.offered(till, name)
            done = race([cancelling(token), lambda bill=bill: till.pay(bill)])
            assert not [error for error in done.raised if not isinstance(error, BillNotOpen)]
            after = ("void", 300, 0, 0) if done.raised else ("paid", 300, 300, 300)
            assert till.states(token) == [after]
            assert Token.objects.get(pk=token.pk).paid is not bool(done.raised)
        till.balanced()

    def test_control_without_the_lock_before_the_bill_they_wait_for_each_other(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        till = Till()
        token, bill = self.offered(till, "Ravi")
        together(monkeypatch, (reading, "read"), (payments, "_take"))
        with override_settings(OPD_BILL_LOCKS=[]):
            done = race([cancelling(token), lambda: till.pay(bill)])
        assert len(done.of(OperationalError)) == 1


class TestTakingPriorityAgainstCancellingElsewhere:
    """One draws a bill's number, then that of the credit note for whom it displaces; the other the other way round."""

    def two(self) -> list[Callable[[], Any]]:
        till = Till(capacity=1, when_displaced="credit", refund_full_hours=1)
        till.pay(_bill_of(till, till.give("Sita", slot=2, arrived=True)))
        ravi = till.give("Ravi", "online", slot=2, arrived=False)
        mehta = till.sitting(till.doctor("Dr Mehta"), till.session.starts_at).slots.order_by("pk").last()
        assert mehta is not None
        wish = {"source": "walk_in", "slot_id": mehta.pk, "arrived": True, "by": None}
        wishes = [partial(allocation.request_token, patient_id=till.patient(n).pk, **wish) for n in ("Gita", "Hari")]
        there = [outermost(ask).token for ask in wishes]
        gita = Token.objects.get(pk=there[0].id)
        till.pay(_bill_of(till, gita))
        tenders = [Tender("upi", Decimal(300), "T-1")]
        taking = partial(take_priority_fee, token_id=ravi.pk, tenders=tenders, by=till.meena)
        self.till = till
        return [lambda: outermost(taking), cancelling(gita)]

    def test_neither_waits_for_the_other(self) -> None:
        for _ in range(4):
            assert race(self.two()).raised == []
            assert Bill.objects.filter(facility=self.till.facility, credited__gt=0).count() == 2
            self.till.balanced()

    def test_control_without_the_counters_in_their_order_they_wait_for_each_other(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        both = self.two()
        monkeypatch.setattr(priority, "hold_counters", lambda *_, **__: None)
        together(monkeypatch, (payments, "_take"), (consequences, "create_bill"))
        assert len(race(both).of(OperationalError)) == 1


def _bill_of(till: Till, token: Token) -> Bill:
    bill = till.live(token)
    assert bill is not None
    return bill
