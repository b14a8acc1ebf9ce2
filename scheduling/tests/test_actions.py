"""Slots by hand, lines that must not meet, and what may be switched off when."""

from datetime import date, time, timedelta

import pytest
from django.db import connection, transaction

from accounts.errors import OutOfReach, PermissionDenied
from accounts.tests.factories import FacilityFactory, UserFactory
from common.errors import NotFound, PreconditionFailed
from scheduling import actions
from scheduling.errors import HasTokens, InThePast, InUse, NotValid, Overlap
from scheduling.models import DoctorEvent, Session, Slot
from scheduling.rules import Window
from scheduling.states import SessionStatus, SlotStatus
from scheduling.tests.factories import (
    DepartmentFactory,
    DoctorFactory,
    RoomFactory,
    ScheduleLineFactory,
    SessionFactory,
    SlotFactory,
    clinic,
)

pytestmark = pytest.mark.django_db

DAY = date(2026, 11, 23)


@pytest.fixture
def rao():
    return clinic(on=DAY)


def add_slot(rao, start: str, end: str, **options):
    asked = {
        "doctor_id": rao.doctor.pk,
        "room_id": rao.room.pk,
        "starts_at": rao.at(start),
        "ends_at": rao.at(end),
        "capacity": 4,
        "by": None,
        "at": rao.at("07:00"),
    }
    with transaction.atomic():
        return actions.add_slot(**asked | options)


class TestASlotByHand:
    def test_next_to_a_session_it_lengthens_it(self, rao):
        slot = add_slot(rao, "13:00", "14:00")
        assert slot.session == rao.session
        assert slot.session.ends_at == rao.at("14:00")
        assert slot.session.version == rao.session.version + 1

    def test_before_a_session_without_numbers_it_moves_the_start(self, rao):
        assert add_slot(rao, "08:00", "09:00").session.starts_at == rao.at("08:00")

    def test_a_session_with_numbers_never_changes_its_start(self, rao):
        Session.objects.filter(pk=rao.session.pk).update(last_number=3)
        slot = add_slot(rao, "08:00", "09:00")
        assert slot.session != rao.session
        assert (slot.session.starts_at, slot.session.prefix) == (rao.at("08:00"), "B")
        assert add_slot(rao, "13:00", "14:00").session == rao.session

    def test_inside_a_session_it_fills_what_no_slot_takes(self, rao):
        Session.objects.filter(pk=rao.session.pk).update(ends_at=rao.at("15:00"))
        assert add_slot(rao, "14:00", "15:00").session == rao.session

    def test_apart_from_every_session_it_opens_one_of_its_own(self, rao):
        slot = add_slot(rao, "17:00", "18:00")
        session = slot.session
        assert (session.starts_at, session.ends_at, session.date) == (rao.at("17:00"), rao.at("18:00"), DAY)
        assert (session.doctor, session.department, session.room) == (rao.doctor, rao.department, rao.room)

    def test_in_another_room_it_opens_a_session_of_its_own(self, rao):
        room = RoomFactory(facility=rao.facility)
        assert add_slot(rao, "13:00", "14:00", room_id=room.pk).session != rao.session

    def test_a_cancelled_session_is_not_joined_and_not_in_the_way(self, rao):
        Session.objects.filter(pk=rao.session.pk).update(status=SessionStatus.CANCELLED)
        assert add_slot(rao, "09:30", "10:30").session != rao.session

    def test_where_a_slot_is_already_it_is_refused_with_who_and_when(self, rao):
        with pytest.raises(Overlap, match="Dr Rao is already taken from 23 Nov 10:00 to 23 Nov 11:00") as refused:
            add_slot(rao, "10:30", "11:30")
        assert refused.value.data["slot"] == rao.slots[1].pk

    def test_a_doctor_in_two_places_is_refused_with_who_and_when(self, rao):
        elsewhere = RoomFactory(facility=rao.facility)
        with pytest.raises(Overlap, match="Dr Rao is already taken from 23 Nov 09:00 to 23 Nov 13:00"):
            add_slot(rao, "12:30", "13:30", room_id=elsewhere.pk)

    def test_a_room_with_two_doctors_is_refused_with_which_and_when(self, rao):
        other = DoctorFactory(department=rao.department)
        with pytest.raises(Overlap, match="Room 4 is already taken from 23 Nov 09:00 to 23 Nov 13:00"):
            add_slot(rao, "08:00", "10:00", doctor_id=other.pk)

    def test_a_session_does_not_grow_into_somebody_elses_time(self, rao):
        SessionFactory(
            room=rao.room, starts_at=rao.at("13:30"), ends_at=rao.at("15:00"), doctor__department=rao.department
        )
        with pytest.raises(Overlap, match="Room 4 is already taken from 23 Nov 13:30"):
            add_slot(rao, "13:00", "14:00")

    @pytest.mark.parametrize(
        ("start", "end", "options", "error"),
        [
            ("14:00", "14:00", {}, NotValid),
            ("15:00", "14:00", {}, NotValid),
            ("14:00", "15:00", {"capacity": 0}, NotValid),
            ("05:00", "06:00", {}, InThePast),
            ("14:00", "15:00", {"doctor_id": 0}, NotFound),
            ("14:00", "15:00", {"room_id": 0}, NotValid),
        ],
    )
    def test_nonsense_is_refused(self, rao, start, end, options, error):
        with pytest.raises(error):
            add_slot(rao, start, end, **options)
        assert Slot.objects.count() == 4

    def test_neither_a_doctor_nor_a_room_that_is_switched_off_gets_one(self, rao):
        for who in (DoctorFactory(department=rao.department, is_active=False), RoomFactory(is_active=False)):
            with pytest.raises(NotValid, match="switched off"):
                add_slot(rao, "17:00", "18:00", **{f"{who._meta.model_name}_id": who.pk})

    def test_a_session_by_hand_takes_its_slots_as_they_are_given(self, rao):
        windows = [Window(rao.at("17:00"), rao.at("17:20")), Window(rao.at("17:20"), rao.at("18:00"))]
        with transaction.atomic():
            session = actions.open_session(
                doctor_id=rao.doctor.pk, room_id=rao.room.pk, slots=[(windows[0], 2), (windows[1], 5)], by=None
            )
        assert [slot.capacity for slot in session.slots.all()] == [2, 5]
        assert (session.starts_at, session.ends_at) == (rao.at("17:00"), rao.at("18:00"))


def create_line(line, **options):
    """A line like another one, but for the options."""
    names = ("doctor_id", "room_id", "weekday", "from_time", "to_time", "slot_minutes", "capacity", "valid_from")
    with transaction.atomic():
        return actions.create_line(**{name: getattr(line, name) for name in names} | options, by=None)


class TestLines:
    def test_a_doctors_lines_never_meet(self):
        line = ScheduleLineFactory(doctor__name="Dr Rao")
        with pytest.raises(Overlap, match="Dr Rao already has a line from 09:00 to 13:00: the two meet on Mon"):
            create_line(line, room_id=RoomFactory().pk, from_time=time(12), to_time=time(14))

    def test_neither_do_two_doctors_lines_in_one_room(self):
        line = ScheduleLineFactory(room__name="Room 4")
        with pytest.raises(Overlap, match="Room 4 already has a line"):
            create_line(line, doctor_id=DoctorFactory().pk)

    def test_lines_that_are_never_valid_together_do_not_meet(self):
        line = ScheduleLineFactory(valid_to=DAY)
        create_line(line, valid_from=DAY + timedelta(days=1))

    def test_a_changed_line_must_not_meet_another_either(self):
        line = ScheduleLineFactory()
        evening = create_line(line, from_time=time(17), to_time=time(20))
        with pytest.raises(Overlap), transaction.atomic():
            actions.update_line(line_id=evening.pk, from_time=time(11), by=None)
        evening.refresh_from_db()
        assert evening.from_time == time(17)

    @pytest.mark.parametrize(
        ("options", "attr"),
        [
            ({"slot_minutes": 300}, "slot_minutes"),
            ({"slot_minutes": 1}, "slot_minutes"),
            ({"capacity": 0}, "capacity"),
            ({"weekday": 7}, "weekday"),
            ({"to_time": time(9)}, None),
            ({"valid_to": date(2020, 1, 1)}, None),
            ({"room_id": 0}, "room"),
        ],
    )
    def test_a_senseless_line_is_refused_with_the_field_that_is_to_blame(self, options, attr):
        line = ScheduleLineFactory()
        with pytest.raises(NotValid) as refused:
            create_line(line, **{"from_time": time(9), "weekday": 2} | options)
        assert refused.value.attr == attr


class TestSwitchingOff:
    def leave(self, rao, **options):
        with transaction.atomic():
            return actions.deactivate_doctor(doctor_id=rao.doctor.pk, by=None, at=rao.at("07:00"), **options)

    def test_a_doctor_with_tokens_ahead_needs_a_plan_first(self, rao, settings):
        settings.OPD_BEFORE_DEACTIVATE = [f"{__name__}.three_wait"]
        with pytest.raises(HasTokens, match=r"Dr Rao still has 3 tokens ahead\. Move or cancel them first\."):
            self.leave(rao)
        rao.doctor.refresh_from_db()
        assert rao.doctor.is_active

    def test_places_that_are_used_count_without_anybody_being_asked(self, rao):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute("UPDATE scheduling_slot SET used = 2 WHERE id = %s", [rao.slots[1].pk])
            cursor.execute("SET LOCAL session_replication_role = DEFAULT")
        with pytest.raises(HasTokens, match="2 tokens"):
            self.leave(rao)

    def test_a_doctor_whom_nobody_waits_for_leaves_no_session_behind(self, rao):
        touched = SessionFactory(
            doctor=rao.doctor, starts_at=rao.at("15:00"), ends_at=rao.at("17:00"), last_number=2, date=DAY
        )
        SlotFactory(session=touched)
        assert not self.leave(rao).is_active
        assert list(Session.objects.values_list("pk", "status")) == [(touched.pk, SessionStatus.CANCELLED)]
        assert touched.slots.get().status == SlotStatus.CANCELLED

    def test_a_doctor_in_the_middle_of_a_session_closes_it_first(self, rao):
        Session.objects.update(last_number=1)
        with pytest.raises(InUse, match="session A of 23 Nov is not closed"), transaction.atomic():
            actions.deactivate_doctor(doctor_id=rao.doctor.pk, by=None, at=rao.at("10:00"))

    def test_who_was_switched_on_again_gets_sessions_again(self, rao):
        ScheduleLineFactory(doctor=rao.doctor, room=rao.room, from_time=time(9))
        self.leave(rao)
        with transaction.atomic():
            actions.update_doctor(doctor_id=rao.doctor.pk, is_active=True, by=None)
            report = actions.generate_sessions(facility_id=rao.facility.pk, today=DAY, days=1, by=None)
        assert report.sessions == 1

    def test_a_department_with_active_doctors_stays(self, rao):
        with pytest.raises(InUse, match="General Medicine is still in use: 1 active doctors belong to it"):
            actions.update_department(department_id=rao.department.pk, is_active=False, by=None)

    def test_a_room_with_sessions_ahead_stays(self, rao):
        Session.objects.update(ends_at=rao.at("09:00") + timedelta(days=3650))
        with pytest.raises(InUse, match="Room 4 is still in use: 1 sessions are to be held in it"):
            actions.update_room(room_id=rao.room.pk, is_active=False, by=None)


def three_wait(*, doctor_id: int, at) -> int:
    return 3


class TestChanging:
    def test_what_somebody_else_changed_meanwhile_is_never_overwritten(self, rao):
        with transaction.atomic():
            changed = actions.update_doctor(doctor_id=rao.doctor.pk, read=1, name="Dr A. Rao", by=None)
        assert changed.version == 2
        with pytest.raises(PreconditionFailed), transaction.atomic():
            actions.update_doctor(doctor_id=rao.doctor.pk, read=1, name="Dr B. Rao", by=None)

    def test_every_change_is_recorded_with_who_made_it(self, rao):
        admin = UserFactory(username="admin", roles=["admin"])
        with transaction.atomic():
            actions.update_doctor(doctor_id=rao.doctor.pk, consultation_fee=700, by=admin)
        event = DoctorEvent.objects.filter(pgh_obj_id=rao.doctor.pk).latest("pgh_id")
        assert (event.consultation_fee, event.pgh_context.metadata["user"]) == (700, admin.pk)

    def test_another_department_takes_the_untouched_sessions_along(self, rao):
        surgery = DepartmentFactory(name="Surgery")
        touched = SessionFactory(doctor=rao.doctor, starts_at=rao.at("15:00"), ends_at=rao.at("16:00"), last_number=1)
        with transaction.atomic():
            actions.update_doctor(doctor_id=rao.doctor.pk, department_id=surgery.pk, by=None, at=rao.at("07:00"))
        assert dict(Session.objects.values_list("pk", "department")) == {
            rao.session.pk: surgery.pk,
            touched.pk: rao.department.pk,
        }

    def test_a_name_is_given_once_in_a_facility(self, rao):
        with pytest.raises(NotValid, match="There is a room of this name already"), transaction.atomic():
            actions.create_room(facility_id=rao.facility.pk, name="Room 4", by=None)

    def test_who_may_not_edit_schedules_is_refused_and_strangers_find_nothing(self, rao):
        asha = UserFactory(username="asha", roles=["reception"], facility=rao.facility)
        stranger = UserFactory(username="zara", roles=["admin"], facility=FacilityFactory(name="Moonlight Clinic"))
        for user, error in ((asha, PermissionDenied), (stranger, OutOfReach)):
            with pytest.raises(error), transaction.atomic():
                actions.update_doctor(doctor_id=rao.doctor.pk, name="Dr X", by=user)
