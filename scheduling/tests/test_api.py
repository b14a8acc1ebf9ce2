"""Schedules over REST, through the real addresses."""

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import AccessAttempt
from accounts.tests.factories import FacilityFactory, UserFactory, device_client
from scheduling.models import Doctor, Session
from scheduling.tests.factories import DepartmentFactory, DoctorFactory, RoomFactory, ScheduleLineFactory, clinic

pytestmark = pytest.mark.django_db

API = "/api/v1"
EVERYBODY = [
    "super-admin", "admin", "doctor", "reception", "staff", "lab-technician", "billing-staff", "pharmacist",
    "manager", "kiosk",
]  # fmt: skip
EDITORS = {"super-admin", "admin", "manager"}


@pytest.fixture
def rao():
    return clinic()


def client_of(role: str, facility=None):
    return device_client(UserFactory(username=role, roles=[role], facility=facility))


@pytest.fixture
def manager(rao):
    return client_of("manager", rao.facility)


def code_of(answer) -> tuple[int, str]:
    return answer.status_code, answer.json()["errors"][0]["code"]


def line_of(rao, **options) -> dict:
    return {
        "doctor": rao.doctor.pk,
        "room": rao.room.pk,
        "weekday": 0,
        "from_time": "09:00",
        "to_time": "13:00",
        "slot_minutes": 60,
        "capacity": 6,
        "valid_from": "2026-01-01",
    } | options


class TestWhoMayDoWhat:
    @pytest.mark.parametrize("role", EVERYBODY)
    def test_every_role_sees_schedules_and_only_editors_change_them(self, rao, role):
        client = client_of(role, rao.facility)
        line = ScheduleLineFactory(doctor=rao.doctor, room=rao.room, weekday=3)
        rows = {"departments": rao.department, "rooms": rao.room, "doctors": rao.doctor, "schedule-lines": line}
        for name, row in rows.items():
            assert client.get(f"{API}/{name}/").json()["count"] == 1
            assert client.get(f"{API}/{name}/{row.pk}/").status_code == 200
        expected = 200 if role in EDITORS else 403
        changes = {"departments": {"name": "A"}, "rooms": {"name": "B"}, "doctors": {"name": "C"}}
        for name, change in {**changes, "schedule-lines": {"capacity": 7}}.items():
            answer = client.patch(f"{API}/{name}/{rows[name].pk}/", change, headers={"If-Match": "*"})
            assert answer.status_code == expected, answer.content
        news = {
            "departments": {"facility": rao.facility.pk, "name": "Surgery", "code": "surgery"},
            "rooms": {"facility": rao.facility.pk, "name": "Room 5"},
            "doctors": {"department": rao.department.pk, "name": "Dr Iyer"},
            "schedule-lines": line_of(rao),
        }
        for name, new in news.items():
            answer = client.post(f"{API}/{name}/", new)
            assert answer.status_code == (201 if role in EDITORS else 403), answer.content
        answer = client.post(f"{API}/schedule-lines/generate/", {"facility": rao.facility.pk})
        assert answer.status_code == expected

    def test_who_has_not_signed_in_sees_nothing(self, client):
        for name in ("departments", "rooms", "doctors", "schedule-lines"):
            assert client.get(f"{API}/{name}/").status_code == 401

    def test_who_has_no_role_is_told_so(self):
        assert code_of(device_client(UserFactory()).get(f"{API}/doctors/")) == (403, "permission_denied")


class TestAnotherFacility:
    def test_its_things_are_absent_and_reaching_for_them_is_recorded(self, manager):
        elsewhere = FacilityFactory(name="Moonlight Clinic")
        theirs = DoctorFactory(department__facility=elsewhere)
        assert theirs.pk not in [row["id"] for row in manager.get(f"{API}/doctors/").json()["results"]]
        assert code_of(manager.get(f"{API}/doctors/{theirs.pk}/")) == (404, "not_found")
        change = manager.patch(f"{API}/doctors/{theirs.pk}/", {"name": "X"}, headers={"If-Match": "*"})
        assert code_of(change) == (404, "not_found")
        new = manager.post(f"{API}/doctors/", {"department": theirs.department_id, "name": "Dr X"})
        assert code_of(new) == (404, "not_found")
        assert code_of(manager.post(f"{API}/schedule-lines/generate/", {"facility": elsewhere.pk})) == (
            404,
            "not_found",
        )
        assert AccessAttempt.objects.filter(facility=elsewhere).count() == 4

    def test_its_rooms_and_departments_are_refused_where_they_come_beside(self, manager, rao):
        elsewhere = FacilityFactory(name="Moonlight Clinic")
        room, department = RoomFactory(facility=elsewhere), DepartmentFactory(facility=elsewhere)
        answer = manager.post(f"{API}/schedule-lines/", line_of(rao, room=room.pk))
        assert (code_of(answer), answer.json()["errors"][0]["attr"]) == ((400, "invalid"), "room")
        answer = manager.patch(
            f"{API}/doctors/{rao.doctor.pk}/", {"department": department.pk}, headers={"If-Match": "*"}
        )
        assert (code_of(answer), answer.json()["errors"][0]["attr"]) == ((400, "invalid"), "department")


class TestDoctors:
    def test_a_doctor_has_fees_with_two_decimals_and_their_currency(self, manager, rao):
        assert manager.get(f"{API}/doctors/{rao.doctor.pk}/").json() == {
            "id": rao.doctor.pk,
            "facility": rao.facility.pk,
            "department": rao.department.pk,
            "department_name": "General Medicine",
            "user": None,
            "name": "Dr Rao",
            "consultation_fee": "500.00",
            "hospital_fee": "100.00",
            "currency": "INR",
            "is_active": True,
        }

    def test_they_are_found_by_department_and_by_name(self, manager, rao):
        surgery = DepartmentFactory(name="Surgery")
        DoctorFactory(department=surgery, name="Dr Iyer")

        def names(query: str) -> list[str]:
            return [row["name"] for row in manager.get(f"{API}/doctors/?{query}").json()["results"]]

        assert names("") == ["Dr Iyer", "Dr Rao"]
        assert names(f"department={surgery.pk}") == ["Dr Iyer"]
        assert names("search=rao") == ["Dr Rao"]
        assert names("search=surg") == ["Dr Iyer"]
        assert names("department=999999") == names("is_active=false") == []

    def test_a_list_takes_the_same_queries_however_long_it_is(self, manager, rao):
        with CaptureQueriesContext(connection) as few:
            manager.get(f"{API}/doctors/")
        for _ in range(20):
            DoctorFactory(department=rao.department)
        with CaptureQueriesContext(connection) as many:
            assert len(manager.get(f"{API}/doctors/").json()["results"]) == 21
        assert len(many) == len(few) == 3

    def test_a_lost_update_is_refused_never_silently_overwritten(self, manager, rao):
        address = f"{API}/doctors/{rao.doctor.pk}/"
        read = manager.get(address).headers["ETag"]
        first = manager.patch(address, {"consultation_fee": "600"}, headers={"If-Match": read})
        assert (first.status_code, first.json()["consultation_fee"]) == (200, "600.00")
        second = manager.patch(address, {"consultation_fee": "700"}, headers={"If-Match": read})
        assert code_of(second) == (412, "precondition_failed")
        assert manager.patch(address, {"name": "X"}).status_code == 428
        again = manager.patch(address, {"consultation_fee": "700"}, headers={"If-Match": first.headers["ETag"]})
        assert again.status_code == 200

    def test_the_same_key_creates_one(self, manager, rao):
        new = {"department": rao.department.pk, "name": "Dr Iyer"}
        answers = [manager.post(f"{API}/doctors/", new, headers={"Idempotency-Key": "k"}) for _ in range(3)]
        assert {answer.json()["id"] for answer in answers} == {Doctor.objects.get(name="Dr Iyer").pk}
        assert [answer.headers.get("Idempotency-Replayed") for answer in answers] == [None, "true", "true"]

    def test_a_doctor_with_tokens_ahead_is_not_switched_off(self, manager, rao, settings):
        settings.OPD_BEFORE_DEACTIVATE = [f"{__name__}.two_wait"]
        answer = manager.patch(f"{API}/doctors/{rao.doctor.pk}/", {"is_active": False}, headers={"If-Match": "*"})
        assert code_of(answer) == (409, "has_tokens")
        assert answer.json()["errors"][0]["count"] == 2
        assert Doctor.objects.get(pk=rao.doctor.pk).is_active

    def test_schedules_are_never_deleted(self, manager, rao):
        for name, pk in (("doctors", rao.doctor.pk), ("rooms", rao.room.pk), ("departments", rao.department.pk)):
            assert manager.delete(f"{API}/{name}/{pk}/").status_code == 405


def two_wait(*, doctor_id: int, at) -> int:
    return 2


class TestLines:
    def test_generating_answers_what_was_made_and_what_was_left_out(self, manager, rao):
        days = [manager.post(f"{API}/schedule-lines/", line_of(rao, weekday=day)) for day in range(7)]
        assert {answer.status_code for answer in days} == {201}
        report = manager.post(f"{API}/schedule-lines/generate/", {"days": 3}).json()
        assert (report["sessions"], report["slots"], report["existing"]) == (2, 8, 0)
        (skipped,) = report["skipped"]  # today, Dr Rao is already in the session that the test began with
        assert (skipped["date"], skipped["reason"]) == (str(rao.session.date), "overlap")
        again = manager.post(f"{API}/schedule-lines/generate/", {"days": 3}).json()
        assert (again["sessions"], again["existing"]) == (0, 2)
        assert Session.objects.count() == 3

    def test_lines_that_meet_are_refused_with_who_and_when(self, manager, rao):
        manager.post(f"{API}/schedule-lines/", line_of(rao))
        answer = manager.post(f"{API}/schedule-lines/", line_of(rao, from_time="12:00", to_time="14:00"))
        assert code_of(answer) == (409, "overlap")
        assert answer.json()["errors"][0]["who"] == "Dr Rao"

    @pytest.mark.parametrize(
        "wrong",
        [
            {"weekday": 9},
            {"weekday": "Monday"},
            {"from_time": "25:00"},
            {"slot_minutes": 0},
            {"slot_minutes": 10**6},
            {"capacity": -1},
            {"capacity": 10**9},
            {"room": 0},
            {"room": 10**12},
            {"doctor": None},
            {"doctor": [1]},
            {"valid_from": "2026-02-30"},
            {"valid_to": "2020-01-01"},
            {"to_time": "09:00"},
            {"to_time": "09:30"},
        ],
    )
    def test_a_senseless_line_is_400_with_the_field_and_writes_nothing(self, manager, rao, wrong):
        answer = manager.post(f"{API}/schedule-lines/", line_of(rao, **wrong))
        assert answer.status_code == 400, answer.content
        assert rao.doctor.schedule_lines.count() == 0

    @pytest.mark.parametrize(
        "body", ["", "{", "[]", "null", '{"name": 1e999}', '{"department": "x"}', json.dumps({"name": "x" * 500})]
    )
    def test_a_broken_body_is_400(self, manager, body):
        answer = manager.generic("POST", f"{API}/doctors/", body, content_type="application/json")
        assert answer.status_code == 400, answer.content

    @pytest.mark.parametrize("query", ["facility=x", "department=1.5", "department=" + "9" * 30, "is_active=maybe"])
    def test_a_senseless_filter_is_never_a_fault_of_ours(self, manager, query):
        assert manager.get(f"{API}/doctors/?{query}").status_code in (200, 400)

    @pytest.mark.parametrize("pk", ["0", "999999", "9" * 18, "9" * 40, "x", "-1"])
    def test_an_unknown_id_is_404(self, manager, pk):
        assert manager.get(f"{API}/doctors/{pk}/").status_code == 404
        answer = manager.patch(f"{API}/schedule-lines/{pk}/", {"capacity": 3}, headers={"If-Match": "*"})
        assert answer.status_code == 404
