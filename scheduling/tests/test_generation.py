"""Supply from the weekly lines: the same slots however often they are made, none twice."""

from datetime import date, time, timedelta
from itertools import pairwise

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.tests.factories import FacilityFactory
from scheduling import actions
from scheduling.jobs import generate_next_days
from scheduling.models import Doctor, Session, Slot
from scheduling.states import SessionStatus
from scheduling.tests.factories import (
    DepartmentFactory,
    DoctorFactory,
    RoomFactory,
    ScheduleLineFactory,
    SessionFactory,
    wall,
)

pytestmark = pytest.mark.django_db

MONDAY = date(2026, 11, 23)


def generate(line_or_doctor, **options):
    doctor = getattr(line_or_doctor, "doctor", line_or_doctor)
    with transaction.atomic():
        return actions.generate_sessions(
            facility_id=doctor.facility_id, by=None, **{"today": MONDAY, "days": 30, **options}
        )


def week(doctor: Doctor, **options) -> list:
    """A line on each working day."""
    return [ScheduleLineFactory(doctor=doctor, weekday=day, **options) for day in range(5)]


def supply() -> set:
    return set(Slot.objects.values_list("session__doctor__name", "session__prefix", "starts_at", "ends_at", "capacity"))


class TestTheSlotsOfALine:
    def test_a_line_becomes_a_session_with_its_slots_on_each_of_its_days(self):
        line = ScheduleLineFactory()
        report = generate(line)
        assert (report.sessions, report.slots, report.existing, report.skipped) == (5, 20, 0, [])
        first = Session.objects.get(date=MONDAY)
        assert (first.doctor, first.room, first.department) == (line.doctor, line.room, line.doctor.department)
        assert first.starts_at == wall("09:00", MONDAY, first.facility)
        assert first.ends_at == wall("13:00", MONDAY, first.facility)
        assert [(slot.capacity, slot.status, slot.free) for slot in first.slots.all()] == [(6, "open", 6)] * 4

    def test_the_next_thirty_days_are_made_today_included(self):
        line = ScheduleLineFactory()
        for weekday in range(1, 7):
            ScheduleLineFactory(doctor=line.doctor, room=line.room, weekday=weekday)
        generate(line)
        dates = list(Session.objects.order_by("date").values_list("date", flat=True))
        assert (len(dates), dates[0], dates[-1]) == (30, MONDAY, MONDAY + timedelta(days=29))
        assert all(other - one == timedelta(days=1) for one, other in pairwise(dates))

    def test_a_line_holds_from_its_first_to_its_last_valid_day(self):
        line = ScheduleLineFactory(valid_from=MONDAY + timedelta(days=1), valid_to=MONDAY + timedelta(days=14))
        generate(line)
        assert list(Session.objects.values_list("date", flat=True)) == [
            MONDAY + timedelta(days=7),
            MONDAY + timedelta(days=14),
        ]

    def test_a_session_across_midnight_belongs_to_the_date_it_begins_on(self):
        generate(ScheduleLineFactory(from_time=time(22), to_time=time(2)), days=1)
        session = Session.objects.get()
        assert session.date == MONDAY
        assert session.ends_at == wall("02:00", MONDAY + timedelta(days=1), session.facility)
        assert session.slots.count() == 4

    def test_generation_takes_the_same_few_queries_for_thousands_of_slots(self):
        doctors = [DoctorFactory() for _ in range(12)]
        for doctor in doctors:
            week(doctor, room=RoomFactory(), slot_minutes=20)
        with CaptureQueriesContext(connection) as few:
            generate(doctors[0], days=1)
        with CaptureQueriesContext(connection) as many:
            report = generate(doctors[0])
        assert report.slots + 144 == 12 * 22 * 12
        assert len(many) == len(few) <= 10


class TestTwice:
    def test_generation_run_twice_makes_the_same_slots_none_twice(self):
        line = ScheduleLineFactory()
        generate(line)
        once = supply()
        report = generate(line)
        assert (report.sessions, report.slots, report.existing) == (0, 0, 5)
        assert supply() == once
        assert Slot.objects.count() == len(once) == 20

    def test_a_later_run_adds_only_the_days_that_came_into_sight(self):
        line = ScheduleLineFactory()
        generate(line)
        report = generate(line, today=MONDAY + timedelta(days=7))
        assert (report.sessions, report.existing) == (1, 4)

    def test_a_cancelled_day_stays_cancelled(self):
        line = ScheduleLineFactory()
        generate(line, days=1)
        Session.objects.update(status=SessionStatus.CANCELLED)
        assert generate(line, days=1).sessions == 0

    def test_slots_that_were_changed_by_hand_stay_as_they_are(self):
        line = ScheduleLineFactory()
        generate(line, days=1)
        Slot.objects.update(capacity=3)
        generate(line, days=1)
        assert set(Slot.objects.values_list("capacity", flat=True)) == {3}


class TestLeftOut:
    def test_what_is_switched_off_is_left_out_and_says_so(self):
        on = ScheduleLineFactory()
        off = [
            ScheduleLineFactory(doctor=DoctorFactory(is_active=False, name="Dr Away")),
            ScheduleLineFactory(doctor__department=DepartmentFactory(name="Closed", is_active=False)),
            ScheduleLineFactory(room=RoomFactory(name="Room 9", is_active=False)),
        ]
        report = generate(on, days=1)
        assert report.sessions == 1
        assert {(one.line, one.reason, one.sentence) for one in report.skipped} == {
            (off[0].pk, "inactive", "Dr Away is switched off."),
            (off[1].pk, "inactive", "Closed is switched off."),
            (off[2].pk, "inactive", "Room 9 is switched off."),
        }

    def test_a_time_that_is_taken_is_left_out_and_says_who_and_when(self):
        room = RoomFactory(name="Room 4")
        line = ScheduleLineFactory(room=room)
        SessionFactory(date=MONDAY, room=room, starts_at=wall("08:30", MONDAY, room.facility), prefix="A")
        (skipped,) = generate(line, days=1).skipped
        assert (skipped.reason, skipped.sentence) == (
            "overlap",
            "Room 4 is already taken from 23 Nov 08:30 to 23 Nov 12:30.",
        )

    def test_a_nine_o_clock_follow_up_stays_nine_o_clock_and_a_time_that_does_not_exist_is_refused(self):
        berlin = FacilityFactory(name="Spree Clinic", time_zone="Europe/Berlin")
        doctor = DoctorFactory(department__facility=berlin)
        for weekday in (5, 6, 0):
            ScheduleLineFactory(doctor=doctor, weekday=weekday)
        ScheduleLineFactory(doctor=doctor, weekday=6, from_time=time(2, 30), to_time=time(4))
        report = generate(doctor, today=date(2026, 3, 28), days=3)
        starts = Session.objects.order_by("date").values_list("starts_at", flat=True)
        assert [start.hour for start in starts] == [8, 7, 7]
        assert [start.astimezone(berlin.tz).time() for start in starts] == [time(9)] * 3
        (skipped,) = report.skipped
        assert (skipped.reason, skipped.sentence) == (
            "nonexistent_time",
            "02:30 does not exist on 29 Mar 2026 in Europe/Berlin: the clocks jump over it.",
        )


class TestLetters:
    def test_a_doctor_keeps_the_same_letters_day_after_day(self):
        one, other = DoctorFactory(), DoctorFactory()
        week(one), week(other)
        ScheduleLineFactory(doctor=other, from_time=time(17), to_time=time(20))
        generate(one, days=12)
        letters = {
            name: {tuple(row) for row in Session.objects.filter(doctor=name).values_list("starts_at__hour", "prefix")}
            for name in (one, other)
        }
        assert letters == {one: {(3, "A")}, other: {(3, "B"), (11, "C")}}

    def test_letters_are_unique_on_a_date_and_go_on_after_z(self):
        doctors = [DoctorFactory() for _ in range(28)]
        for doctor in doctors:
            ScheduleLineFactory(doctor=doctor)
        generate(doctors[0], days=1)
        prefixes = list(Session.objects.values_list("prefix", flat=True))
        assert len(set(prefixes)) == 28
        assert {"A", "Z", "AA", "AB"} <= set(prefixes)


class TestChangingALine:
    def change(self, line, **changes):
        with transaction.atomic():
            return actions.update_line(
                line_id=line.pk, by=None, at=wall("07:00", MONDAY, line.doctor.facility), **changes
            )

    def test_days_ahead_in_which_nothing_happened_are_made_anew(self):
        line = ScheduleLineFactory()
        generate(line)
        before = set(Session.objects.values_list("date", "prefix"))
        self.change(line, capacity=8, from_time=time(10))
        assert set(Session.objects.values_list("date", "prefix")) == before
        assert Slot.objects.count() == 15
        assert set(Slot.objects.values_list("capacity", flat=True)) == {8}

    def test_a_day_in_which_numbers_were_given_stays_as_it_is(self):
        line = ScheduleLineFactory()
        generate(line)
        used = Session.objects.earliest("date")
        Session.objects.filter(pk=used.pk).update(last_number=1)
        self.change(line, capacity=8)
        assert set(used.slots.values_list("capacity", flat=True)) == {6}
        assert set(Slot.objects.exclude(session=used).values_list("capacity", flat=True)) == {8}

    def test_an_end_of_its_validity_takes_the_place_of_deleting_it(self):
        line = ScheduleLineFactory()
        generate(line)
        self.change(line, valid_to=MONDAY + timedelta(days=10))
        assert Session.objects.count() == 2


class TestCommandAndJob:
    def test_the_command_generates_for_every_active_facility_and_says_what_it_did(self, capsys):
        ScheduleLineFactory()
        FacilityFactory(name="Moonlight Clinic")
        FacilityFactory(name="Closed Clinic", is_active=False)
        call_command("generate_slots", "--days", "7")
        assert capsys.readouterr().out.splitlines() == [
            "Moonlight Clinic: 0 sessions with 0 slots made, 0 were there.",
            "Sunrise Hospital: 1 sessions with 4 slots made, 0 were there.",
        ]

    def test_the_command_refuses_an_unknown_facility_and_no_days(self):
        with pytest.raises(CommandError, match="no active facility nowhere"):
            call_command("generate_slots", "--facility", "nowhere")
        with pytest.raises(CommandError, match="at least 1"):
            call_command("generate_slots", "--days", "0")

    def test_the_nightly_job_makes_the_next_thirty_days(self):
        line = ScheduleLineFactory()
        for weekday in range(1, 7):
            ScheduleLineFactory(doctor=line.doctor, room=line.room, weekday=weekday)
        generate_next_days(timestamp=0)
        assert Session.objects.count() == 30
