"""A patient's visits and the merging of two records, through their real addresses."""

import pytest
from rest_framework.test import APIClient

from accounts.models import AccessAttempt
from accounts.tests.factories import device_client
from common.transactions import outermost
from reception.models import Visit
from reception.tests.factories import Hall
from reception.tests.money import Till
from tokens import allocation
from tokens.models import Event, Token

pytestmark = pytest.mark.django_db


def client_of(hall: Hall, role: str = "reception") -> APIClient:
    return device_client(hall.user(role))


class TestVisits:
    def test_the_days_of_a_patient_with_their_tokens(self):
        hall = Hall()
        token = hall.give("Ravi")
        body = client_of(hall).get(f"/api/v1/patients/{token.patient_id}/visits/").json()
        assert body["count"] == 1
        (visit,) = body["results"]
        assert visit["date"] == hall.session.date.isoformat()
        (seen,) = visit["tokens"]
        assert (seen["id"], seen["number"], seen["doctor"], seen["position"]) == (token.pk, token.number, "Dr Rao", 1)

    def test_pages_are_of_days(self):
        hall = Hall()
        token = hall.give("Ravi")
        body = client_of(hall).get(f"/api/v1/patients/{token.patient_id}/visits/?page_size=1").json()
        assert (body["count"], body["next"], len(body["results"])) == (1, None, 1)

    def test_ten_queries_however_many_tokens(self, django_assert_max_num_queries):
        hall = Hall()
        token = hall.give("Ravi")
        client = client_of(hall)
        with django_assert_max_num_queries(10):
            client.get(f"/api/v1/patients/{token.patient_id}/visits/")

    def test_of_another_hospital_404_and_recorded(self):
        here, there = Hall(), Hall()
        patient = there.patient("Somebody Else")
        assert client_of(here).get(f"/api/v1/patients/{patient.pk}/visits/").status_code == 404
        assert AccessAttempt.objects.get().object_id == patient.pk


class TestMerge:
    def merge(self, client: APIClient, patient, into, **headers: str):
        return client.post(f"/api/v1/patients/{patient.pk}/merge/", {"into": into.pk}, headers=headers)

    def test_active_tokens_go_to_the_record_that_goes_on(self):
        hall = Hall()
        token = hall.give(hall.patient("Laxmi Narayan"))
        into = hall.patient("Lakshmi Narayan")
        response = self.merge(client_of(hall), token.patient, into)
        assert response.status_code == 200
        assert response.json()["merged_into"] == into.pk
        token.refresh_from_db()
        assert token.patient_id == into.pk
        assert Event.objects.filter(token=token).latest("seq").kind == "patient_changed"

    def test_visits_of_the_merged_record_are_visits_of_the_other(self):
        hall = Hall()
        token = hall.give(hall.patient("Laxmi Narayan"), "online")
        hall.asha.post(f"/desk/tokens/{token.pk}/cancel/", {"reason": "went home"})
        into = hall.patient("Lakshmi Narayan")
        client = client_of(hall)
        self.merge(client, token.patient, into)
        assert client.get(f"/api/v1/patients/{into.pk}/visits/").json()["count"] == 1

    def test_where_both_hold_a_token_in_one_session_nothing_is_merged(self):
        hall = Hall()
        one, two = hall.give("Laxmi Narayan"), hall.give("Lakshmi Narayan")
        response = self.merge(client_of(hall), one.patient, two.patient)
        assert response.status_code == 409
        error = response.json()["errors"][0]
        assert (error["code"], error["token"]) == ("duplicate_token", two.pk)
        one.patient.refresh_from_db()
        assert one.patient.is_active
        assert {token.patient_id for token in Token.objects.all()} == {one.patient_id, two.patient_id}

    def test_sent_again_with_its_key_it_answers_the_same(self):
        hall = Hall()
        patient, into = hall.patient("Laxmi"), hall.patient("Lakshmi")
        client = client_of(hall)
        first, second = (self.merge(client, patient, into, **{"Idempotency-Key": "once"}) for _ in range(2))
        assert first.json() == second.json()
        assert second["Idempotency-Replayed"] == "true"

    @pytest.mark.parametrize("role", ["doctor", "staff", "billing-staff", "manager", "lab-technician"])
    def test_others_may_not(self, role):
        hall = Hall()
        response = self.merge(client_of(hall, role), hall.patient("A"), hall.patient("B"))
        assert response.status_code == 403

    @pytest.mark.parametrize(
        ("sent", "status"), [({}, 400), ({"into": "x"}, 400), ({"into": 0}, 400), ({"into": 10**6}, 404)]
    )
    def test_bad_input_is_a_4xx(self, sent, status):
        hall = Hall()
        patient = hall.patient("A")
        assert client_of(hall).post(f"/api/v1/patients/{patient.pk}/merge/", sent).status_code == status

    def test_into_itself_and_into_another_hospital_is_refused(self):
        hall, there = Hall(), Hall()
        patient = hall.patient("A")
        client = client_of(hall)
        assert self.merge(client, patient, patient).status_code == 409
        assert self.merge(client, patient, there.patient("B")).status_code == 404


class TestBillsOfVisits:
    def test_a_day_says_its_visit_its_tokens_and_their_bills(self):
        till = Till()
        token = till.give("Ravi")
        till.pay(till.live(token), 200)
        (day,) = client_of(till).get(f"/api/v1/patients/{token.patient_id}/visits/").json()["results"]
        visit, bill = Visit.objects.get(), till.live(token)
        assert (day["id"], day["date"]) == (visit.pk, visit.date.isoformat())
        assert [each["bill"] for each in day["tokens"]] == [bill.pk]
        assert day["bills"] == [
            {
                "id": bill.pk,
                "number": bill.number,
                "status": "part_paid",
                "about": f"{token.number}, Dr Rao",
                "token": token.pk,
                "currency": "INR",
                "total": "600.00",
                "paid": "200.00",
                "due": "400.00",
            }
        ]

    def test_void_ones_are_listed_and_nothing_is_due_on_them(self):
        till = Till()
        token = till.give("Ravi")
        outermost(lambda: allocation.cancel_token(token_id=token.pk, reason="Patient asked", by=None))
        (day,) = client_of(till).get(f"/api/v1/patients/{token.patient_id}/visits/").json()["results"]
        assert [(bill["status"], bill["due"]) for bill in day["bills"]] == [("void", "0.00")]
        assert [each["bill"] for each in day["tokens"]] == [None]

    def test_who_may_not_see_bills_sees_the_visit_without_them(self):
        till = Till()
        token = till.give("Ravi")
        client = client_of(till, "doctor")
        (day,) = client.get(f"/api/v1/patients/{token.patient_id}/visits/").json()["results"]
        assert (day["bills"], day["tokens"][0]["bill"]) == ([], None)
