"""A token that is arrived and confirmed opens the patient's visit of the day and its consultation bill, at once."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.actions import create_bill
from billing.models import Bill, BillingSettings, LedgerTransaction
from billing.rules import LineIn
from common.transactions import outermost
from patients.models import Patient
from reception.actions import merge_patients
from reception.models import Visit
from reception.tests.factories import Hall
from reception.tests.money import Till
from tokens import allocation, live, queueing, supply, undoing
from tokens.models import Event, Token
from tokens.outcome import Outcome

pytestmark = pytest.mark.django_db


def lines(bill: Bill) -> list[tuple[str, int, int]]:
    """(type, price, what it adds) of each line."""
    return [(line.item_type, int(line.unit_price), int(line.total)) for line in bill.lines.all()]


class TestArriving:
    def test_opens_the_visit_and_the_bill_of_both_fees(self) -> None:
        till = Till()
        token = till.give("Ravi", "online", arrived=False)
        assert till.bills(token) == []
        assert not Visit.objects.exists()
        till.arrive(token)
        bill = till.live(token)
        assert bill is not None
        assert lines(bill) == [("consultation", 500, 500), ("hospital_fee", 100, 100)]
        assert (bill.status, bill.number, bill.total) == ("open", f"B-{bill.date.year}-000001", 600)
        assert (bill.patient, bill.about) == (token.patient, f"{token.number}, Dr Rao")
        visit = Visit.objects.get()
        assert (visit.patient, visit.date, visit.facility) == (token.patient, till.session.date, till.facility)
        assert (bill.billable_type, bill.billable_id) == ("visit", visit.pk)
        line = bill.lines.first()
        assert (line.item_id, line.doctor, line.department) == (token.pk, till.rao, till.department)
        assert [t.kind for t in LedgerTransaction.objects.filter(bill=bill)] == ["issue"]
        till.balanced()

    def test_a_walk_in_is_here_and_is_billed_with_the_token(self) -> None:
        till = Till()
        assert till.states(till.give("Ravi", "walk_in")) == [("open", 600, 0, 0)]

    def test_a_waitlisted_token_never_owes_until_it_is_promoted(self) -> None:
        till = Till(capacity=1)
        first, second = till.give("Ravi"), till.give("Sita")
        assert (Token.objects.get(pk=second.pk).status, till.bills(second)) == ("waitlisted", [])
        outermost(lambda: allocation.cancel_token(token_id=first.pk, reason="Went home", by=None))
        assert Token.objects.get(pk=second.pk).status == "confirmed"
        assert till.states(second) == [("open", 600, 0, 0)]
        assert till.states(first) == [("void", 600, 0, 0)]
        till.balanced()

    def test_starting_says_that_the_patient_is_here(self) -> None:
        till = Till()
        token = till.give("Ravi", "online", arrived=False)
        outermost(lambda: queueing.start(token_id=token.pk, by=None))
        assert till.states(token) == [("open", 600, 0, 0)]

    def test_two_doctors_of_a_day_are_one_visit_with_two_bills(self) -> None:
        till = Till()
        mehta = till.doctor("Dr Mehta", consultation_fee=400)
        session = till.sitting(mehta, till.session.starts_at)
        ravi = till.patient("Ravi")
        token = till.give(ravi)
        slot = session.slots.last()
        other = outermost(
            lambda: allocation.request_token(patient_id=ravi.pk, source="walk_in", slot_id=slot.pk, by=None)
        ).token
        assert other is not None
        visit = Visit.objects.get()
        assert {each.token_id for each in visit.tokens.all()} == {token.pk, other.id}
        assert set(Bill.objects.values_list("total", "billable_id")) == {(600, visit.pk), (500, visit.pk)}

    def test_the_hospital_fee_once_a_visit_where_the_facility_says_so(self) -> None:
        till = Till(hospital_fee_once=True)
        session = till.sitting(till.doctor("Dr Mehta"), till.session.starts_at)
        ravi = till.patient("Ravi")
        till.give(ravi)
        slot = session.slots.last()
        outermost(lambda: allocation.request_token(patient_id=ravi.pk, source="walk_in", slot_id=slot.pk, by=None))
        assert list(Bill.objects.order_by("pk").values_list("total", flat=True)) == [600, 500]

    def test_a_record_that_was_merged_and_its_patient_have_one_visit_and_pay_the_hospital_fee_once(self) -> None:
        till = Till(hospital_fee_once=True)
        session = till.sitting(till.doctor("Dr Mehta"), till.session.starts_at)
        ravi, double = till.patient("Ravi"), till.patient("Ravi K")
        till.give(double)
        asha = till.user("reception")
        outermost(lambda: merge_patients(patient_id=double.pk, into_id=ravi.pk, by=asha))
        slot = session.slots.last()
        outermost(lambda: allocation.request_token(patient_id=ravi.pk, source="walk_in", slot_id=slot.pk, by=None))
        assert Visit.objects.get().tokens.count() == 2
        assert list(Bill.objects.order_by("pk").values_list("total", flat=True)) == [600, 500]

    @pytest.mark.parametrize("fees", [(500, 0), (0, 100), (0, 0)])
    def test_what_costs_nothing_is_on_no_bill(self, fees: tuple[int, int]) -> None:
        till = Till()
        till.rao.consultation_fee, till.rao.hospital_fee = map(Decimal, fees)
        till.rao.save()
        token = till.give("Ravi")
        assert till.states(token) == ([("open", sum(fees), 0, 0)] if fees[0] else [])
        bill = till.live(token)
        assert (bill.total if bill else 0) == sum(fees)
        assert Visit.objects.count() == 1

    def test_a_facility_without_billing_settings_makes_neither_visit_nor_bill(self) -> None:
        hall = Hall()
        hall.rao.consultation_fee = Decimal(500)
        hall.rao.save()
        hall.give("Ravi")
        assert not Visit.objects.exists()
        assert not Bill.objects.exists()


class TestScreensAreTold:
    def test_of_the_session_when_money_moves(self, monkeypatch: pytest.MonkeyPatch) -> None:
        till = Till()
        token = till.give("Ravi")
        told: list[tuple[int, set[int]]] = []
        monkeypatch.setattr(live, "announce", lambda facility_id, ids: told.append((facility_id, set(ids))))
        till.pay(till.live(token), 200)
        assert told == [(till.facility.pk, {till.session.pk})]

    def test_of_the_facility_where_no_session_shows_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        till = Till()
        told: list[tuple[int, set[int]]] = []
        monkeypatch.setattr(live, "announce", lambda facility_id, ids: told.append((facility_id, set(ids))))
        where = {"facility_id": till.facility.pk, "patient_id": till.patient("Ravi").pk}
        line = LineIn("Dressing", Decimal(150))
        outermost(lambda: create_bill(**where, lines=[line], by=till.meena))
        assert told == [(till.facility.pk, {0})]


class TestFollowUps:
    """Free within seven days of a consultation with the same doctor that was not free."""

    def seen(self, till: Till, ago: int, **more: Any) -> Patient:
        """Somebody who was here so many days ago."""
        ravi = till.patient("Ravi")
        session = till.sitting(more.get("doctor", till.rao), till.session.starts_at - timedelta(days=ago))
        slot = session.slots.order_by("pk").first()
        at = session.starts_at + timedelta(minutes=5)
        outermost(
            lambda: allocation.request_token(
                patient_id=ravi.pk, source=more.get("source", "walk_in"), slot_id=slot.pk, by=None, at=at
            )
        )
        return ravi

    @pytest.mark.parametrize(("ago", "total"), [(1, 0), (7, 0), (8, 600)])
    def test_within_the_days(self, ago: int, total: int) -> None:
        till = Till()
        ravi = self.seen(till, ago)
        token = till.give(ravi, "follow_up", arrived=True)
        bill = till.live(token)
        assert bill.total == total
        assert bill.status == ("paid" if not total else "open")
        assert bill.discount == 600 - total
        till.balanced()

    def test_the_reason_stands_on_the_line(self) -> None:
        till = Till()
        token = till.give(self.seen(till, 2), "follow_up", arrived=True)
        assert {line.discount_reason for line in till.live(token).lines.all()} == {"Follow-up within 7 days"}

    def test_not_with_another_doctor_nor_for_who_asks_otherwise(self) -> None:
        till = Till()
        ravi = self.seen(till, 2, doctor=till.doctor("Dr Mehta"))
        assert till.states(till.give(ravi, "follow_up", arrived=True)) == [("open", 600, 0, 0)]
        other = Till()
        assert other.states(other.give(self.seen(other, 2), "walk_in")) == [("open", 600, 0, 0)]

    def test_a_free_one_makes_no_further_one_free(self) -> None:
        till = Till()
        ravi = self.seen(till, 10)
        session = till.sitting(till.rao, till.session.starts_at - timedelta(days=5))
        slot = session.slots.order_by("pk").first()
        wish = {"patient_id": ravi.pk, "source": "follow_up", "slot_id": slot.pk, "arrived": True}
        outermost(lambda: allocation.request_token(**wish, by=None, at=session.starts_at))
        assert list(Bill.objects.order_by("pk").values_list("total", flat=True)) == [600, 0]
        assert till.live(till.give(ravi, "follow_up", arrived=True)).total == 600

    def test_who_was_merged_is_the_same_patient(self) -> None:
        till = Till()
        ravi, double = self.seen(till, 2), till.patient("Ravi K")
        asha = till.user("reception")
        outermost(lambda: merge_patients(patient_id=ravi.pk, into_id=double.pk, by=asha))
        assert till.live(till.give(double, "follow_up", arrived=True)).total == 0

    def test_a_consultation_that_did_not_take_place_does_not_count(self) -> None:
        till = Till()
        ravi = self.seen(till, 2)
        token = Token.objects.get()
        outermost(lambda: allocation.cancel_token(token_id=token.pk, reason="Patient asked", by=None))
        assert till.states(till.give(ravi, "follow_up", arrived=True)) == [("open", 600, 0, 0)]


class TestWorkflow2CreateVisitAndAutoGenerateBill:
    """The source's second workflow, and what it lacks: one transaction, lines for each fee, numbers without gaps."""

    def test_visit_bill_and_lines_as_the_source_has_them(self) -> None:
        till = Till()
        first, second = till.give("Ravi"), till.give("Sita")
        bills = [till.live(token) for token in (first, second)]
        assert [bill.number for bill in bills] == [f"B-{bill.date.year}-{n:06d}" for n, bill in enumerate(bills, 1)]
        for bill, token in zip(bills, (first, second), strict=True):
            assert bill.total == till.rao.consultation_fee + till.rao.hospital_fee
            assert (bill.due, bill.paid) == (bill.total, 0)
            assert bill.date == till.facility.local_date(bill.issued_at)
            assert [line.item_id for line in bill.lines.filter(item_type="consultation")] == [token.pk]

    def test_what_fails_after_the_bill_undoes_visit_bill_number_and_arrival(self, settings: Any) -> None:
        till = Till()
        token = till.give("Ravi", "online", arrived=False)
        settings.OPD_CONSEQUENCES = [*settings.OPD_CONSEQUENCES, f"{__name__}.the_power_fails"]
        with pytest.raises(ConnectionAbortedError):
            till.arrive(token)
        assert Token.objects.get().arrived_at is None
        assert not Visit.objects.exists()
        assert not Bill.objects.exists()
        settings.OPD_CONSEQUENCES = settings.OPD_CONSEQUENCES[:-1]
        till.arrive(token)
        assert till.live(token).number.endswith("-000001")


def the_power_fails(outcome: Outcome) -> None:
    """A consequence after the bill that does not come through."""
    raise ConnectionAbortedError(outcome.at)


class TestOnce:
    """Whatever is done again, a token has one bill in force."""

    def test_arriving_again_after_an_undo_makes_a_new_bill_for_the_void_one(self) -> None:
        till = Till()
        token = till.give("Ravi", "online", arrived=False)
        till.arrive(token)
        outermost(lambda: undoing.undo_last(token_id=token.pk, by=None))
        assert till.states(token) == [("void", 600, 0, 0)]
        assert till.live(token) is None
        till.arrive(token)
        assert till.states(token) == [("void", 600, 0, 0), ("open", 600, 0, 0)]
        assert Visit.objects.count() == 1
        till.balanced()

    def test_a_paid_bill_is_kept_and_used_again(self) -> None:
        till = Till()
        token = till.give("Ravi", "online", arrived=False)
        till.arrive(token)
        till.pay(till.live(token))
        outermost(lambda: undoing.undo_last(token_id=token.pk, by=None))
        assert till.states(token) == [("paid", 600, 0, 600)]
        till.arrive(token)
        assert till.states(token) == [("paid", 600, 0, 600)]

    def test_what_happens_to_who_is_here_changes_no_bill(self) -> None:
        till = Till()
        token = till.give("Ravi", "walk_in")
        for step in (queueing.call, queueing.start, queueing.complete):
            outermost(lambda step=step: step(token_id=token.pk, by=None))
        assert till.states(token) == [("open", 600, 0, 0)]
        outermost(lambda: undoing.undo_last(token_id=token.pk, by=None))
        assert till.states(token) == [("open", 600, 0, 0)]


class TestCost:
    def cost(self, action: Any) -> int:
        with CaptureQueriesContext(connection) as captured:
            outermost(action)
        return sum(not query["sql"].startswith(("SAVEPOINT", "RELEASE")) for query in captured.captured_queries)

    def test_arriving_with_visit_and_bill_is_twelve_queries_at_most(self) -> None:
        till = Till()
        first, second = (till.give(name, "online", arrived=False) for name in ("Ravi", "Sita"))
        till.arrive(first)
        said = self.cost(lambda: queueing.arrive(token_id=second.pk, by=None))
        assert said <= 12
        assert till.states(second) == [("open", 600, 0, 0)]

    @pytest.mark.parametrize("step", ["cancelled", "promoted"])
    def test_many_at_once_cost_a_bounded_number_each(self, step: str) -> None:
        """A plan that voids or makes the bills of many: so many queries a bill, whatever their number."""
        few, many = (getattr(self, step)(count) for count in (3, 9))
        assert (many - few) / 6 <= 10

    def cancelled(self, count: int) -> int:
        """The cost of cancelling a session in which so many have bills."""
        till = Till(capacity=count)
        tokens = [till.give(f"patient {n}", slot=1) for n in range(count)]
        cost = self.cost(lambda: supply.cancel_session(session_id=till.session.pk, reason="Ill", by=None))
        assert [till.states(token)[0][0] for token in tokens] == ["void"] * count
        return cost

    def promoted(self, count: int) -> int:
        """The cost of giving so many who wait a place, and with it a bill."""
        till = Till(capacity=count)
        for n in range(count):
            till.give(f"patient {n}", slot=1)
        waiting = [till.give(f"waiting {n}", slot=1) for n in range(count)]
        slot = till.slots[1].pk
        cost = self.cost(lambda: supply.change_capacity(slot_id=slot, capacity=2 * count, by=None))
        assert [till.states(token)[0][0] for token in waiting] == ["open"] * count
        return cost

    def test_where_nothing_is_to_be_done_it_costs_no_query(self) -> None:
        till = Till()
        token = till.give("Ravi", "walk_in")
        for action in (queueing.call, queueing.recall, queueing.start, queueing.complete):
            assert self.cost(lambda action=action: action(token_id=token.pk, by=None)) == 0
        away = till.give("Sita", "online", arrived=False)
        assert Event.objects.filter(token_id=away.pk).count() == 2

    def test_a_facility_that_bills_nothing_is_asked_once(self) -> None:
        hall = Hall(capacity=3)
        tokens = [hall.give(name, "online", arrived=False) for name in ("Ravi", "Sita")]
        for token in tokens:
            assert self.cost(lambda token=token: queueing.arrive(token_id=token.pk, by=None)) == 0
        BillingSettings.objects.create(facility=hall.facility)
