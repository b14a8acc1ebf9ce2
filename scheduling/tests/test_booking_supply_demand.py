"""Each supply rule of the source document "Booking System Architecture" (supply and demand), by name."""

from datetime import date, time, timedelta

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.tests.factories import UserFactory
from scheduling import queries
from scheduling.actions import generate_sessions
from scheduling.models import ScheduleLine, Session, Slot
from scheduling.states import SlotStatus
from scheduling.tests.factories import DoctorFactory, RoomFactory, ScheduleLineFactory, SlotFactory, clinic

pytestmark = pytest.mark.django_db

SUNDAY = date(2026, 11, 22)


def sunday_to_thursday(**options) -> ScheduleLine:
    """The document's own pattern: "Sunday to Thursday, 8am - 4pm", in slots of 20 minutes."""
    doctor = DoctorFactory()
    week = {"doctor": doctor, "room": RoomFactory(), "from_time": time(8), "to_time": time(16), "slot_minutes": 20}
    lines = [ScheduleLineFactory(weekday=weekday, **week | options) for weekday in (6, 0, 1, 2, 3)]
    return lines[0]


def generate(line: ScheduleLine):
    return generate_sessions(facility_id=line.doctor.facility_id, today=SUNDAY, by=None)


def test_supply_inventory_is_generated_from_doctor_schedule_templates():
    line = sunday_to_thursday()
    generate(line)
    assert Slot.objects.exists()
    assert set(Session.objects.values_list("line", flat=True)) == set(ScheduleLine.objects.values_list("pk", flat=True))


def test_granularity_is_atomic_slots_per_doctor_per_station():
    line = sunday_to_thursday()
    generate(line)
    slots = Slot.objects.filter(session__date=SUNDAY)
    assert slots.count() == 24
    assert {slot.ends_at - slot.starts_at for slot in slots} == {timedelta(minutes=20)}
    assert {(slot.session.doctor, slot.session.room) for slot in slots} == {(line.doctor, line.room)}


def test_template_definition_sunday_to_thursday_8am_to_4pm():
    line = sunday_to_thursday()
    generate(line)
    zone = line.doctor.facility.tz
    sessions = Session.objects.all()
    assert {session.date.strftime("%a") for session in sessions} == {"Sun", "Mon", "Tue", "Wed", "Thu"}
    assert {session.starts_at.astimezone(zone).time() for session in sessions} == {time(8)}
    assert {session.ends_at.astimezone(zone).time() for session in sessions} == {time(16)}


def test_status_available_booked_blocked():
    available, booked, blocked = clinic(capacity=1).slots[:3]
    Slot.objects.filter(pk=blocked.pk).update(status=SlotStatus.BLOCKED)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")  # instead of a token, which lives above
        cursor.execute("UPDATE scheduling_slot SET used = 1 WHERE id = %s", [booked.pk])
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")
    for slot in (available, booked, blocked):
        slot.refresh_from_db()
    assert (available.status, available.free) == ("open", 1)
    assert (booked.status, booked.free) == ("open", 0)
    assert blocked.status == "blocked"


def test_slot_generation_pre_generates_the_inventory_for_the_next_30_days():
    line = sunday_to_thursday()
    call_command("generate_slots")
    today = line.doctor.facility.local_date()
    wanted = [today + timedelta(days=n) for n in range(30) if (today + timedelta(days=n)).weekday() not in (4, 5)]
    assert list(Session.objects.order_by("date").values_list("date", flat=True)) == wanted


def test_idempotency_slot_generation_handles_re_runs_without_duplicating_slots():
    line = sunday_to_thursday()
    first = generate(line)
    again = generate(line)
    assert (again.sessions, again.slots, again.existing) == (0, 0, first.sessions)
    assert Slot.objects.count() == first.slots


def test_constraint_a_slot_cannot_suffer_double_booking():
    slot = clinic(capacity=1).slots[0]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE scheduling_slot SET used = 1 WHERE id = %s", [slot.pk])
        with pytest.raises(IntegrityError, match="slot_never_oversold"), transaction.atomic():
            cursor.execute("UPDATE scheduling_slot SET used = used + 1 WHERE id = %s", [slot.pk])


def test_optimization_the_entire_grid_of_slots_is_fetched_in_one_go():
    line = sunday_to_thursday()
    generate(line)
    manager = UserFactory(roles=["manager"], facility=line.doctor.facility)
    assert manager.grants
    with CaptureQueriesContext(connection) as trips:
        grid = queries.slots(manager, date_from=SUNDAY, date_to=SUNDAY + timedelta(days=6))
        cells = [(slot.session.doctor.name, slot.session.room.name, slot.starts_at, slot.free) for slot in grid]
    assert len(cells) == 5 * 24
    assert len(trips) == 1


def test_a_single_slot_stands_beside_the_template_and_survives_generation():
    line = sunday_to_thursday()
    generate(line)
    extra = SlotFactory(session__doctor=line.doctor, session__date=SUNDAY + timedelta(days=5), session__prefix="X")
    generate(line)
    assert Slot.objects.filter(pk=extra.pk).exists()
