"""Schedules in the admin: every page opens, every save is an action, and what actions own is only shown."""

import pytest
from django.urls import reverse

from accounts.tests.factories import FacilityFactory, UserFactory
from scheduling.models import Doctor, DoctorEvent, Room, ScheduleLine, Session, Slot
from scheduling.tests.factories import DoctorFactory, ScheduleLineFactory, SessionFactory, clinic

pytestmark = pytest.mark.django_db

MODELS = ("department", "room", "doctor", "scheduleline", "session", "slot")


@pytest.fixture
def rao():
    return clinic()


@pytest.fixture
def admin(client, rao):
    client.force_login(UserFactory(username="admin", roles=["admin"], facility=rao.facility))
    return client


def address(model: str, page: str, *args: int) -> str:
    return reverse(f"admin:scheduling_{model}_{page}", args=args)


def rows(rao) -> dict:
    line = ScheduleLineFactory(doctor=rao.doctor, room=rao.room)
    return dict(zip(MODELS, [rao.department, rao.room, rao.doctor, line, rao.session, rao.slots[0]], strict=True))


def lines_form(*lines: dict, initial: int = 0) -> dict:
    """The management form of the doctor's lines, and the lines."""
    form = {"schedule_lines-TOTAL_FORMS": len(lines), "schedule_lines-INITIAL_FORMS": initial}
    return form | {f"schedule_lines-{n}-{name}": value for n, line in enumerate(lines) for name, value in line.items()}


def doctor_form(doctor: Doctor, **changes) -> dict:
    return {
        "department": doctor.department_id,
        "name": doctor.name,
        "consultation_fee": doctor.consultation_fee,
        "hospital_fee": doctor.hospital_fee,
        "is_active": "on",
        "read": doctor.version,
        **lines_form(),
    } | changes


LINE = {
    "weekday": 2,
    "from_time": "09:00",
    "to_time": "13:00",
    "slot_minutes": 60,
    "capacity": 6,
    "valid_from": "2026-01-01",
}


@pytest.mark.parametrize("model", MODELS)
def test_every_page_opens(admin, rao, model):
    row = rows(rao)[model]
    assert admin.get(address(model, "changelist")).status_code == 200
    assert admin.get(address(model, "changelist"), {"q": "rao"}).status_code == 200
    assert admin.get(address(model, "change", row.pk)).status_code == 200
    assert admin.get(address(model, "history", row.pk)).status_code == 200
    assert admin.get(address(model, "add")).status_code == (403 if model in ("session", "slot") else 200)


@pytest.mark.parametrize("model", MODELS)
def test_nothing_is_deleted(admin, rao, model):
    row = rows(rao)[model]
    assert admin.post(address(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    assert type(row).objects.filter(pk=row.pk).exists()


def test_what_actions_own_is_only_shown(admin, rao):
    for model, row in (("session", rao.session), ("slot", rao.slots[0])):
        assert admin.post(address(model, "change", row.pk), {"status": "cancelled", "capacity": 99}).status_code == 403
    assert set(Slot.objects.values_list("capacity", "status")) == {(6, "open")}
    assert Session.objects.get().status == "open"


def test_a_doctor_is_made_with_the_lines_of_the_week(admin, rao):
    new = {"department": rao.department.pk, "name": "Dr Iyer", "consultation_fee": 400, "hospital_fee": 0}
    answer = admin.post(address("doctor", "add"), new | lines_form(LINE | {"room": rao.room.pk}))
    assert answer.status_code == 302, answer.content
    doctor = Doctor.objects.get(name="Dr Iyer")
    assert (doctor.facility, doctor.department, doctor.version) == (rao.facility, rao.department, 1)
    assert [(line.weekday, line.room, line.capacity) for line in doctor.schedule_lines.all()] == [(2, rao.room, 6)]


def test_a_change_is_an_action_with_a_version_and_a_record_of_who_made_it(admin, rao):
    line = ScheduleLineFactory(doctor=rao.doctor, room=rao.room, weekday=2)
    same = LINE | {"id": line.pk, "doctor": rao.doctor.pk, "room": rao.room.pk, "read": 1}
    changes = doctor_form(rao.doctor, name="Dr A. Rao") | lines_form(same | {"capacity": 9}, initial=1)
    assert admin.post(address("doctor", "change", rao.doctor.pk), changes).status_code == 302
    rao.doctor.refresh_from_db()
    line.refresh_from_db()
    assert (rao.doctor.name, rao.doctor.version, line.capacity, line.version) == ("Dr A. Rao", 2, 9, 2)
    event = DoctorEvent.objects.filter(pgh_obj_id=rao.doctor.pk).latest("pgh_id")
    assert event.pgh_context.metadata["user"] == int(admin.session["_auth_user_id"])


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"read": 7}, "Somebody has changed this since you read it"),
        (lines_form(LINE, LINE), "already has a line from 09:00 to 13:00"),
    ],
)
def test_a_refusal_is_shown_in_its_own_words_and_nothing_is_written(admin, rao, changes, sentence):
    changes = {name: rao.room.pk if name.endswith("-room") else value for name, value in changes.items()}
    changes |= {f"schedule_lines-{n}-room": rao.room.pk for n in range(2)}
    asked = doctor_form(rao.doctor, name="Dr X", **changes)
    answer = admin.post(address("doctor", "change", rao.doctor.pk), asked, follow=True)
    assert sentence in answer.content.decode()
    rao.doctor.refresh_from_db()
    assert (rao.doctor.name, ScheduleLine.objects.count()) == ("Dr Rao", 0)


def test_rooms_and_departments_are_made_and_renamed(admin, rao):
    assert admin.post(address("room", "add"), {"facility": rao.facility.pk, "name": "Room 5"}).status_code == 302
    room = Room.objects.get(name="Room 5")
    assert 'name="read" value="1"' in admin.get(address("room", "change", room.pk)).content.decode()
    changed = {"name": "Room 6", "is_active": "on", "read": 1}
    assert admin.post(address("room", "change", room.pk), changed).status_code == 302
    room.refresh_from_db()
    assert (room.name, room.version, room.facility) == ("Room 6", 2, rao.facility)
    new = {"facility": rao.facility.pk, "name": "Surgery", "code": "surgery"}
    new |= {"members-TOTAL_FORMS": 0, "members-INITIAL_FORMS": 0}
    assert admin.post(address("department", "add"), new).status_code == 302
    assert rao.facility.departments.filter(code="surgery", is_active=True).exists()


def test_people_join_and_leave_a_department(admin, rao):
    asha = UserFactory(username="asha", roles=["reception"], facility=rao.facility)
    page = address("department", "change", rao.department.pk)
    form = {"name": "General Medicine", "code": "general-medicine", "is_active": "on"}
    joins = {"members-TOTAL_FORMS": 1, "members-INITIAL_FORMS": 0, "members-0-user": asha.pk}
    assert admin.post(page, form | joins).status_code == 302
    member = rao.department.members.get(user=asha)
    leaves = joins | {"members-INITIAL_FORMS": 1, "members-0-id": member.pk, "members-0-DELETE": "on"}
    assert admin.post(page, form | leaves).status_code == 302
    assert not rao.department.members.exists()


def test_the_button_generates_the_next_days_of_ones_own_facilities(admin, rao):
    mine = ScheduleLineFactory(doctor=DoctorFactory(department=rao.department))
    theirs = ScheduleLineFactory(doctor__department__facility=FacilityFactory(name="Moonlight Clinic"))
    button = address("session", "generate")
    assert admin.get(button).status_code == 200
    assert not Session.objects.filter(doctor=mine.doctor).exists()
    answer = admin.post(button, {"days": 30, "_form_submitted": "on"}, follow=True)
    assert "slots made" in answer.content.decode()
    assert Session.objects.filter(doctor=mine.doctor).count() in (4, 5)
    assert not Session.objects.filter(doctor=theirs.doctor).exists()


def test_another_facilitys_rows_are_neither_listed_nor_offered(admin, rao):
    elsewhere = FacilityFactory(name="Moonlight Clinic")
    theirs = SessionFactory(doctor__department__facility=elsewhere, doctor__name="Dr Zed")
    UserFactory(name="Zara", roles=["doctor"], facility=elsewhere)
    for model in MODELS:
        listed = admin.get(address(model, "changelist")).content.decode()
        assert "Dr Zed" not in listed
        assert "Moonlight" not in listed
    assert admin.get(address("doctor", "change", theirs.doctor.pk)).status_code == 302
    assert "Moonlight" not in admin.get(address("room", "add")).content.decode()
    assert "Zara" not in admin.get(address("doctor", "add")).content.decode()


def test_who_only_sees_schedules_changes_nothing_here(client, rao):
    client.force_login(UserFactory(username="asha", roles=["reception"], facility=rao.facility))
    assert client.get(address("doctor", "changelist")).status_code == 302
