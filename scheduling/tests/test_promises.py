"""What the database keeps, whatever wrote the row."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction

from accounts.tests.factories import FacilityFactory
from scheduling.models import Session, Slot
from scheduling.states import SessionStatus
from scheduling.tests.factories import (
    HOUR,
    DoctorFactory,
    RoomFactory,
    ScheduleLineFactory,
    SessionFactory,
    SlotFactory,
    clinic,
)

pytestmark = pytest.mark.django_db


def sql(statement: str, *params: object) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, params)


def test_a_doctor_is_never_in_two_places_at_once():
    rao = clinic()
    with pytest.raises(IntegrityError, match="doctor_in_one_place"), transaction.atomic():
        SessionFactory(doctor=rao.doctor, starts_at=rao.at("12:30"), ends_at=rao.at("14:00"))


def test_a_room_never_holds_two_sessions_at_once():
    rao = clinic()
    with pytest.raises(IntegrityError, match="room_for_one_session"), transaction.atomic():
        SessionFactory(room=rao.room, doctor__department=rao.department, starts_at=rao.at("08:00"))


def test_sessions_that_only_touch_and_cancelled_ones_do_not_overlap():
    rao = clinic()
    SessionFactory(doctor=rao.doctor, room=rao.room, starts_at=rao.at("13:00"), ends_at=rao.at("15:00"))
    SessionFactory(doctor=rao.doctor, room=rao.room, status=SessionStatus.CANCELLED)


def test_two_sessions_of_a_facility_never_share_their_letters_on_a_date():
    rao = clinic()
    with pytest.raises(IntegrityError, match="session_prefix_once_a_date"), transaction.atomic():
        SessionFactory(doctor__department=rao.department, prefix="A")


def test_a_line_is_made_once_a_date():
    line = ScheduleLineFactory()
    first = SessionFactory(line=line, doctor=line.doctor, status=SessionStatus.CANCELLED)
    with pytest.raises(IntegrityError, match="session_of_a_line_once_a_date"), transaction.atomic():
        SessionFactory(line=line, doctor=line.doctor, date=first.date)


def test_slots_of_a_session_do_not_overlap():
    rao = clinic()
    with pytest.raises(IntegrityError, match="slots_do_not_overlap"), transaction.atomic():
        SlotFactory(session=rao.session, starts_at=rao.at("09:30"))


@pytest.mark.parametrize("column", ["used", "overbooked"])
def test_nobody_sets_the_counters_of_a_slot_by_hand(column):
    slot = clinic().slots[0]
    with pytest.raises(IntegrityError, match="counted from its tokens, never set"):
        sql(f"UPDATE scheduling_slot SET {column} = 1 WHERE id = %s", slot.pk)
    with pytest.raises(IntegrityError, match="counted from its tokens, never set"), transaction.atomic():
        Slot.objects.filter(pk=slot.pk).update(**{column: 1})


def test_a_new_slot_is_empty():
    session = SessionFactory()
    with pytest.raises(IntegrityError, match="a new slot is empty"), transaction.atomic():
        SlotFactory(session=session, used=1)


def test_a_raw_oversell_is_refused_even_where_no_trigger_counts():
    slot = clinic(capacity=2).slots[0]
    sql("SET LOCAL session_replication_role = replica")  # no trigger runs now; a CHECK always does
    sql("UPDATE scheduling_slot SET used = 2 WHERE id = %s", slot.pk)
    for oversell in ("used = 3", "capacity = 1", "overbooked = 3"):
        with pytest.raises(IntegrityError, match=r"slot_never_oversold|slot_overbooked_are_used"):
            sql(f"UPDATE scheduling_slot SET {oversell} WHERE id = %s", slot.pk)


def test_capacity_and_status_of_a_slot_may_change():
    slot = clinic().slots[0]
    Slot.objects.filter(pk=slot.pk).update(capacity=9, status="blocked")
    slot.refresh_from_db()
    assert (slot.capacity, slot.status, slot.free) == (9, "blocked", 9)


@pytest.mark.parametrize(
    "change", ["starts_at = starts_at - interval '1 hour'", "date = date + 1", "prefix = prefix || 'Z'", "id = id + 1"]
)
def test_start_date_and_letters_are_frozen_once_numbers_were_given(change):
    session = SessionFactory()
    if "id" not in change:
        sql(f"UPDATE scheduling_session SET {change} WHERE id = %s", session.pk)
    Session.objects.filter(pk=session.pk).update(last_number=1)
    with pytest.raises(IntegrityError, match="frozen once tokens exist"):
        sql(f"UPDATE scheduling_session SET {change} WHERE id = %s", session.pk)


def test_numbers_and_the_version_of_a_session_never_go_back():
    session = SessionFactory(last_number=7, version=3)
    for change in ("last_number = 6", "version = 2"):
        with pytest.raises(IntegrityError, match="never go back"):
            sql(f"UPDATE scheduling_session SET {change} WHERE id = %s", session.pk)


def test_departments_rooms_and_doctors_are_never_deleted():
    rao = clinic()
    for table, pk in (("department", rao.department.pk), ("room", rao.room.pk), ("doctor", rao.doctor.pk)):
        with pytest.raises(ProgrammingError, match="Cannot delete"):
            sql(f"DELETE FROM scheduling_{table} WHERE id = %s", pk)


def test_a_session_with_a_history_and_its_slots_are_never_deleted():
    rao = clinic()
    Session.objects.filter(pk=rao.session.pk).update(last_number=1)
    with pytest.raises(IntegrityError, match="has a history"):
        sql("DELETE FROM scheduling_slot WHERE session_id = %s", rao.session.pk)
    empty = SessionFactory(doctor__department=rao.department, events=1)
    with pytest.raises(ProgrammingError, match="Cannot delete"):
        sql("DELETE FROM scheduling_session WHERE id = %s", empty.pk)


def test_nothing_ties_two_facilities_together():
    rao = clinic()
    elsewhere = FacilityFactory(name="Moonlight Clinic", slug="moonlight")
    doctor, room = DoctorFactory(department__facility=elsewhere), RoomFactory(facility=elsewhere)
    for make in (
        lambda: DoctorFactory(department=rao.department, facility=elsewhere),
        lambda: ScheduleLineFactory(doctor=rao.doctor, room=room),
        lambda: SessionFactory(doctor=rao.doctor, room=room, starts_at=rao.at("15:00"), ends_at=rao.at("16:00")),
        lambda: SessionFactory(doctor=doctor, facility=rao.facility),
    ):
        with pytest.raises(IntegrityError, match="ties things of two facilities"), transaction.atomic():
            make()


def test_a_slot_has_length_and_so_has_a_session():
    rao = clinic()
    with pytest.raises(IntegrityError, match="slot_has_length"), transaction.atomic():
        SlotFactory(session=rao.session, starts_at=rao.at("15:00"), ends_at=rao.at("15:00") - HOUR)
    with pytest.raises(IntegrityError, match="session_has_length"), transaction.atomic():
        SessionFactory(doctor__department=rao.department, ends_at=rao.at("09:00") - timedelta(minutes=1))
