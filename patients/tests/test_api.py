"""The registry through its real addresses: who may do what, what bad input gets, what a lost update gets."""

import pytest
from rest_framework.test import APIClient

from accounts.models import AccessAttempt
from accounts.tests.factories import FacilityFactory, UserFactory, asha, device_client
from patients.models import Patient
from patients.tests.factories import PatientFactory

pytestmark = pytest.mark.django_db

URL = "/api/v1/patients/"
ROLES = (
    "super-admin",
    "admin",
    "doctor",
    "reception",
    "staff",
    "lab-technician",
    "billing-staff",
    "pharmacist",
    "manager",
)
MAY_EDIT = {"super-admin", "admin", "reception", "staff"}


def url(patient: Patient) -> str:
    return f"{URL}{patient.pk}/"


def code(response) -> str:
    return response.json()["errors"][0]["code"]


class TestRolesAndActions:
    @pytest.mark.parametrize("role", [*ROLES, "kiosk", None])
    def test_who_may_do_what(self, role: str | None) -> None:
        here = FacilityFactory()
        client = device_client(UserFactory(roles=[role] if role else [], facility=here))
        patient = PatientFactory(facility=here)
        sees, edits = role in ROLES, role in MAY_EDIT
        assert client.get(URL).status_code == (200 if sees else 403)
        # Who has no part in the facility at all is not even told that the patient exists.
        hidden = 403 if role else 404
        assert client.get(url(patient)).status_code == (200 if sees else hidden)
        assert client.post(URL, {"name": "New"}, format="json").status_code == (201 if edits else 403)
        changed = client.patch(url(patient), {"name": "X"}, format="json", HTTP_IF_MATCH='"1"')
        assert changed.status_code == (200 if edits else hidden)

    def test_nobody_without_signing_in(self) -> None:
        patient, client = PatientFactory(), APIClient()
        for answer in (client.get(URL), client.post(URL, {}), client.get(url(patient)), client.patch(url(patient), {})):
            assert answer.status_code == 401

    def test_nothing_is_deleted_or_replaced(self) -> None:
        client, patient = device_client(asha()), PatientFactory()
        assert client.delete(url(patient)).status_code == 405
        assert client.put(url(patient), {"name": "X"}, format="json").status_code == 405


class TestList:
    def test_a_page_of_ones_own_facilities(self, django_assert_num_queries) -> None:
        mine = [PatientFactory() for _ in range(3)]
        PatientFactory(facility=FacilityFactory(name="Lakeside Clinic"))
        PatientFactory(is_active=False)
        client = device_client(asha())
        with django_assert_num_queries(3):  # the device, the count, the page
            answer = client.get(URL, {"page_size": 2}).json()
        assert (answer["count"], len(answer["results"]), answer["previous"]) == (3, 2, None)
        assert [row["id"] for row in answer["results"]] == [mine[2].pk, mine[1].pk]
        assert [row["id"] for row in client.get(answer["next"]).json()["results"]] == [mine[0].pk]

    def test_a_search(self, django_assert_num_queries) -> None:
        PatientFactory.create_batch(3)
        meant = PatientFactory(name="Lakshmi Narayanan")
        client = device_client(asha())
        with django_assert_num_queries(4):
            answer = client.get(URL, {"search": "laxmi"}).json()
        assert [row["number"] for row in answer["results"]] == [meant.number]

    def test_a_page_has_200_rows_at_most(self) -> None:
        PatientFactory.create_batch(201)
        assert len(device_client(asha()).get(URL, {"page_size": 1000}).json()["results"]) == 200

    @pytest.mark.parametrize("query", ["page=0", "page=x", "page=99999999999999999999"])
    def test_a_page_that_is_not_there_is_404(self, query: str) -> None:
        assert device_client(asha()).get(f"{URL}?{query}").status_code == 404

    @pytest.mark.parametrize("search", ["\0", "\ud800", "%", "x" * 10_000, "9" * 500, "'\"--", "P-2026-" + "9" * 40])
    def test_any_search_text_is_answered(self, search: str) -> None:
        from urllib.parse import quote

        text = quote(search.encode("utf-8", "surrogatepass"))
        assert device_client(asha()).get(f"{URL}?search={text}").status_code in {200, 400}


class TestRegister:
    def test_the_answer_is_the_patient_with_possible_duplicates(self) -> None:
        old = PatientFactory(name="Kavitha Joshi", phone="+919876543210")
        answer = device_client(asha()).post(
            URL,
            {"name": "Kavita Joshi", "phone": "098765 43210", "age": 31, "sex": "female", "blood_group": "B+"},
            format="json",
        )
        body = answer.json()
        assert answer.status_code == 201
        assert answer.headers["ETag"] == '"1"'
        assert body["number"] == Patient.objects.get(pk=body["id"]).number
        assert (body["phone"], body["age"], body["sex"], body["version"]) == ("+919876543210", 31, "female", 1)
        assert [one["number"] for one in body["possible_duplicates"]] == [old.number]

    def test_who_works_in_two_facilities_says_which(self) -> None:
        user = asha()
        from accounts.actions import give_role

        lakeside = FacilityFactory(name="Lakeside Clinic")
        give_role(user=user, role="reception", facility=lakeside)
        client = device_client(user)
        refused = client.post(URL, {"name": "A"}, format="json")
        assert (refused.status_code, refused.json()["errors"][0]["attr"]) == (400, "facility")
        assert client.post(URL, {"name": "A", "facility": lakeside.pk}, format="json").json()["facility"] == lakeside.pk

    def test_not_in_anothers_facility(self) -> None:
        lakeside = FacilityFactory(name="Lakeside Clinic")
        answer = device_client(asha()).post(URL, {"name": "A", "facility": lakeside.pk}, format="json")
        assert answer.status_code == 403

    @pytest.mark.parametrize(
        ("body", "attr"),
        [
            ({}, "name"),
            ({"name": ""}, "name"),
            ({"name": None}, "name"),
            ({"name": ["x"]}, "name"),
            ({"name": {"x": 1}}, "name"),
            ({"name": "x" * 151}, "name"),
            ({"name": "A", "phone": "12"}, "phone"),
            ({"name": "A", "phone": 5.5}, "phone"),
            ({"name": "A", "sex": "x"}, "sex"),
            ({"name": "A", "sex": []}, "sex"),
            ({"name": "A", "age": -1}, "age"),
            ({"name": "A", "age": "old"}, "age"),
            ({"name": "A", "age": 10**18}, "age"),
            ({"name": "A", "birth_date": "yesterday"}, "birth_date"),
            ({"name": "A", "birth_date": "2999-01-01"}, "birth_date"),
            ({"name": "A", "birth_year": 1700}, "birth_year"),
            ({"name": "A", "blood_group": "C"}, "blood_group"),
            ({"name": "A", "facility": 999999}, "facility"),
            ({"name": "A", "facility": "x"}, "facility"),
            ({"name": "A", "facility": 2**62}, "facility"),
        ],
    )
    def test_bad_input_is_named(self, body: dict[str, object], attr: str) -> None:
        answer = device_client(asha()).post(URL, body, format="json")
        assert answer.status_code == 400
        (error,) = answer.json()["errors"]
        assert error["attr"] == attr
        assert error["code"]
        assert error["detail"]
        assert not Patient.objects.exists()

    @pytest.mark.parametrize(
        ("raw", "status"),
        [
            (b"{", 400),
            (b"[]", 400),
            (b'"x"', 400),
            (b'{"name": "\\u0000"}', 400),
            (b'{"name": "\\ud800"}', 400),
            (b'{"name": NaN}', 400),
            (b'{"name": "A", "facility": 99999999999999999999999}', 400),
            (b'{"name": "' + b"x" * 10_000_000 + b'"}', 413),
        ],
        ids=lambda value: str(value)[:30],
    )
    def test_a_body_that_cannot_be_read(self, raw: bytes, status: int) -> None:
        answer = device_client(asha()).post(URL, raw, content_type="application/json")
        assert answer.status_code == status
        assert answer.json()["errors"][0]["code"]

    def test_another_kind_of_body_is_415(self) -> None:
        assert device_client(asha()).post(URL, "name=A", content_type="text/plain").status_code == 415


class TestChange:
    def test_a_lost_update_is_a_412(self) -> None:
        client, patient = device_client(asha()), PatientFactory()
        tag = client.get(url(patient)).headers["ETag"]
        first = client.patch(url(patient), {"address": "Lake Road"}, format="json", HTTP_IF_MATCH=tag)
        assert (first.status_code, first.headers["ETag"], first.json()["version"]) == (200, '"2"', 2)
        second = client.patch(url(patient), {"address": "Hill Road"}, format="json", HTTP_IF_MATCH=tag)
        assert (second.status_code, code(second)) == (412, "precondition_failed")
        assert client.get(url(patient)).json()["address"] == "Lake Road"

    @pytest.mark.parametrize(
        ("tag", "status"),
        [(None, 428), ("", 428), ("*", 200), ('"1"', 200), ('W/"1"', 412), ("1", 412), ("x" * 300, 400)],
    )
    def test_what_if_match_may_say(self, tag: str | None, status: int) -> None:
        headers = {} if tag is None else {"HTTP_IF_MATCH": tag}
        answer = device_client(asha()).patch(url(PatientFactory()), {"name": "X"}, format="json", **headers)
        assert answer.status_code == status

    def test_a_refused_change_changes_nothing(self) -> None:
        patient = PatientFactory(name="Kavita")
        body = {"name": "X", "phone": "12"}
        assert device_client(asha()).patch(url(patient), body, format="json", HTTP_IF_MATCH="*").status_code == 400
        patient.refresh_from_db()
        assert (patient.name, patient.version) == ("Kavita", 1)

    @pytest.mark.parametrize("pk", ["0", "999999", "9" * 18, "9" * 19, "x", "-1", "1.5", "%00"])
    def test_an_id_that_nobody_has_is_404(self, pk: str) -> None:
        client = device_client(asha())
        for answer in (client.get(f"{URL}{pk}/"), client.patch(f"{URL}{pk}/", {}, format="json", HTTP_IF_MATCH="*")):
            assert (answer.status_code, code(answer)) == (404, "not_found")


class TestAnotherFacilitysPatient:
    """The receptionist changes the number in the address bar to another facility's patient."""

    @pytest.mark.parametrize("method", ["get", "patch"])
    def test_404_and_the_attempt_is_in_the_audit_log(self, method: str) -> None:
        user, theirs = asha(), PatientFactory(facility=FacilityFactory(name="Lakeside Clinic"))
        client = device_client(user)
        answer = getattr(client, method)(url(theirs), {}, format="json", HTTP_IF_MATCH="*")
        assert (answer.status_code, code(answer)) == (404, "not_found")
        assert theirs.name not in answer.content.decode()
        attempt = AccessAttempt.objects.get()
        assert (attempt.user, attempt.facility, attempt.object_id) == (user, theirs.facility, theirs.pk)
        assert (attempt.kind, attempt.method, attempt.path) == ("patients.patient", method.upper(), url(theirs))
        assert attempt.address == "127.0.0.1"

    def test_what_nobody_has_is_no_attempt(self) -> None:
        device_client(asha()).get(f"{URL}999999/")
        assert not AccessAttempt.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_attempt_stays_though_the_request_was_rolled_back() -> None:
    theirs = PatientFactory(facility=FacilityFactory(name="Lakeside Clinic"))
    device_client(asha()).patch(url(theirs), {"name": "X"}, format="json", HTTP_IF_MATCH="*")
    assert AccessAttempt.objects.count() == 1
    assert Patient.objects.get(pk=theirs.pk).name == theirs.name


@pytest.mark.parametrize(
    "path", ["/api/", "/api/v1/", "/api/v1/nothing/", "/api/v2/patients/", "/api/v1/patients/1/x/"]
)
def test_an_address_that_is_not_there_is_404_in_json(path: str) -> None:
    for answer in (APIClient().get(path), device_client(UserFactory()).post(path, {}, format="json")):
        assert (answer.status_code, code(answer)) == (404, "not_found")
