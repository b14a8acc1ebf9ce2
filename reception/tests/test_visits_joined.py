"""One visit a patient and day, also of records that turn out to be one person, and none for who was chosen wrongly."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from accounts.tests.factories import device_client
from billing.actions import create_bill, credit_bill
from billing.models import Bill
from billing.rules import LineIn
from common.transactions import outermost
from patients.models import Patient
from reception.actions import merge_patients
from reception.models import Visit
from reception.money import reading
from reception.money.queries import charged_twice, visits_on
from reception.money.visits import open_visits
from reception.tests.factories import Hall, text
from reception.tests.money import Till
from tokens import allocation
from tokens.models import Token

pytestmark = pytest.mark.django_db


def come(till: Till, patient: Patient, doctor: str, *, days: int = 0) -> Token:
    """The patient walks in to another doctor, on that day or a later one."""
    slot = till.sitting(till.doctor(doctor), till.session.starts_at + timedelta(days=days)).slots.last()
    given = outermost(
        lambda: allocation.request_token(patient_id=patient.pk, source="walk_in", slot_id=slot.pk, by=None)
    ).token
    assert given is not None
    return Token.objects.get(pk=given.id)


def two_came(*, days: int = 0, **rules: Any) -> tuple[Till, Token, Token]:
    """Two records of one person with a token each, where the hospital fee is asked for once a visit."""
    till = Till(**{"hospital_fee_once": True, **rules})
    first = till.give("Ravi")
    return till, first, come(till, till.patient("Ravi K"), "Dr Mehta", days=days)


def merge(till: Till, first: Token, second: Token) -> None:
    """The record of the first token is closed, that of the second goes on."""
    by = till.user("admin")
    outermost(lambda: merge_patients(patient_id=first.patient_id, into_id=second.patient_id, by=by))


def correct(token: Token, right: Patient) -> None:
    """The wrong patient was chosen."""
    outermost(lambda: allocation.change_patient(token_id=token.pk, patient_id=right.pk, reason="Wrong record", by=None))


class TestMerged:
    def test_two_visits_of_one_day_become_the_one_that_was_opened_first(self) -> None:
        till, first, second = two_came()
        merge(till, first, second)
        kept, empty = Visit.objects.order_by("pk")
        assert {each.token_id for each in kept.tokens.all()} == {first.pk, second.pk}
        assert not empty.tokens.exists()

    def test_no_money_moves_by_itself_and_what_was_charged_twice_is_said(self) -> None:
        till, first, second = two_came()
        merge(till, first, second)
        assert [till.states(token) for token in (first, second)] == [[("open", 600, 0, 0)]] * 2
        (said,) = charged_twice(second.patient_id)
        assert all(till.live(token).number in said for token in (first, second))
        assert charged_twice(first.patient_id, till.session.date) == [said]
        assert charged_twice(first.patient_id, till.session.date + timedelta(days=1)) == []

    def test_the_next_token_of_the_day_belongs_to_it_and_pays_no_third_fee(self) -> None:
        till, first, second = two_came()
        merge(till, first, second)
        third = come(till, second.patient, "Dr Iyer")
        kept = Visit.objects.earliest("pk")
        assert kept.tokens.count() == 3
        bill = till.live(third)
        assert (bill.total, bill.billable_id, bill.patient_id) == (500, kept.pk, second.patient_id)

    @pytest.mark.parametrize("credited", [0, 1])
    def test_whichever_fee_is_taken_off_the_other_one_counts(self, credited: int) -> None:
        till, *both = two_came()
        merge(till, *both)
        bill = till.live(both[credited])
        line = bill.lines.get(item_type="hospital_fee").pk
        outermost(lambda: credit_bill(bill_id=bill.pk, line_ids=[line], amount=Decimal(100), reason="Twice", by=None))
        assert charged_twice(both[0].patient_id) == []
        assert till.live(come(till, both[1].patient, "Dr Iyer")).total == 500

    def test_where_each_doctor_has_the_fee_nothing_was_charged_twice(self) -> None:
        till, first, second = two_came(hospital_fee_once=False)
        merge(till, first, second)
        assert charged_twice(second.patient_id) == []

    def test_visits_of_different_days_stay(self) -> None:
        till, first, second = two_came(days=1)
        merge(till, first, second)
        assert [visit.tokens.count() for visit in Visit.objects.all()] == [1, 1]
        assert charged_twice(second.patient_id) == []

    def test_a_third_record_joins_them_too(self) -> None:
        till, first, second = two_came()
        merge(till, first, second)
        third = come(till, till.patient("R K"), "Dr Iyer")
        merge(till, second, third)
        assert [visit.tokens.count() for visit in Visit.objects.order_by("pk")] == [3, 0, 0]
        (said,) = charged_twice(third.patient_id)
        assert said.count("B-") == 3


class TestTheWrongPatient:
    def test_has_no_visit(self) -> None:
        till = Till()
        token, right = till.give("Ravi"), till.patient("Ravindra")
        wrong = token.patient
        correct(token, right)
        days = [till.session.date]
        assert [visit.used for visit in visits_on(wrong, days)] == [False]
        assert [visit.used for visit in visits_on(right, days)] == [True]

    def test_has_one_that_begins_when_that_patient_comes_after_all(self) -> None:
        till = Till()
        token = till.give("Ravi")
        wrong, opened = token.patient, Visit.objects.get()
        Visit.objects.update(opened_at=opened.opened_at - timedelta(hours=3))
        correct(token, till.patient("Ravindra"))
        come(till, wrong, "Dr Mehta")
        (again,) = visits_on(wrong, [till.session.date])
        assert (again.used, again.pk) == (True, opened.pk)
        assert again.opened_at >= opened.opened_at

    def test_has_none_where_the_token_was_not_here_any_more(self) -> None:
        till = Till()
        token, right = till.give("Ravi"), till.patient("Ravindra")
        wrong = token.patient
        outermost(lambda: allocation.cancel_token(token_id=token.pk, reason="Went home", by=None))
        correct(token, right)
        assert not any(visit.used for who in (wrong, right) for visit in visits_on(who, [till.session.date]))

    def test_whoever_opens_a_visit_that_is_open_leaves_it_as_it_was(self) -> None:
        """Two desks at one moment: the second finds no visit, and then the first one's."""
        till = Till()
        token = till.give("Ravi")
        Visit.objects.update(opened_at=till.session.starts_at - timedelta(hours=5))
        known = outermost(lambda: reading.read([token.pk], facility_id=till.facility.pk))[token.pk]
        visit, known.visit_id = known.visit_id, None
        outermost(lambda: open_visits([known], at=timezone.now(), by_id=None))
        assert known.visit_id == visit
        assert Visit.objects.get().opened_at == till.session.starts_at - timedelta(hours=5)


class TestShown:
    def days(self, hall: Hall, patient: Patient) -> list[dict[str, Any]]:
        """The patient's visits as a client sees them."""
        answer = device_client(hall.user("admin")).get(f"/api/v1/patients/{patient.pk}/visits/")
        found: list[dict[str, Any]] = answer.json()["results"]
        return found

    def test_merged_records_have_one_day_with_all_bills(self) -> None:
        till, first, second = two_came()
        merge(till, first, second)
        (day,) = self.days(till, second.patient)
        assert day["id"] == Visit.objects.earliest("pk").pk
        assert [bill["id"] for bill in day["bills"]] == list(Bill.objects.order_by("pk").values_list("pk", flat=True))

    def test_a_bill_about_a_visit_that_was_taken_over_stands_in_the_day(self) -> None:
        till, first, second = two_came()
        merge(till, first, second)
        taken_over = Visit.objects.latest("pk")
        bill = outermost(
            lambda: create_bill(
                facility_id=till.facility.pk,
                patient_id=second.patient_id,
                lines=[LineIn("Dressing", Decimal(150))],
                billable_type="visit",
                billable_id=taken_over.pk,
                by=None,
            )
        )
        (day,) = self.days(till, second.patient)
        assert (bill.pk, None) in [(each["id"], each["token"]) for each in day["bills"]]

    def test_a_day_of_the_right_patient_has_the_right_visit_and_of_the_wrong_one_none(self) -> None:
        till = Till()
        token, right = till.give("Ravi"), till.patient("Ravindra")
        wrong = token.patient
        outermost(lambda: allocation.cancel_token(token_id=token.pk, reason="Went home", by=None))
        correct(token, right)
        assert self.days(till, wrong) == []
        (day,) = self.days(till, right)
        assert (day["id"], day["opened_at"]) == (None, None)

    def test_the_merge_says_what_was_charged_twice(self) -> None:
        till, first, second = two_came()
        answer = device_client(till.user("reception")).post(
            f"/api/v1/patients/{first.patient_id}/merge/", {"into": second.patient_id}, format="json"
        )
        assert answer.status_code == 200, answer.content
        assert answer.json()["notes"] == charged_twice(second.patient_id) != []
        assert answer.headers["ETag"] == f'"{answer.json()["version"]}"'

    def test_the_tokens_page_says_it_to_who_may_see_bills(self) -> None:
        till, first, second = two_came()
        merge(till, first, second)
        seen = {role: text(till.client(role).get(f"/desk/tokens/{first.pk}/")) for role in ("reception", "doctor")}
        assert {role: "Charged twice" in page for role, page in seen.items()} == {"reception": True, "doctor": False}
