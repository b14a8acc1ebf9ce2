"""The arithmetic of schedules, as tables of cases and as properties."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from scheduling.rules import (
    DAY,
    Diary,
    Letters,
    NonexistentTimeError,
    Weekly,
    Window,
    cut,
    first_clash,
    prefix_at,
    session_window,
    to_utc,
)

KOLKATA, BERLIN, LORD_HOWE = ZoneInfo("Asia/Kolkata"), ZoneInfo("Europe/Berlin"), ZoneInfo("Australia/Lord_Howe")
SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)  # the clocks of Berlin jump forward and back

zones = st.sampled_from([KOLKATA, BERLIN, LORD_HOWE, ZoneInfo("America/New_York"), ZoneInfo("UTC")])
dates = st.dates(date(2024, 1, 1), date(2030, 12, 31))
clock = st.times().map(lambda at: at.replace(second=0, microsecond=0))


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


class TestTheWallClock:
    def test_a_nine_o_clock_line_stays_nine_o_clock_when_the_clocks_change(self):
        week = [SPRING - DAY + n * DAY for n in range(3)]
        moments = [to_utc(day, time(9), BERLIN) for day in week]
        assert [moment.hour for moment in moments] == [8, 7, 7]
        assert {moment.astimezone(BERLIN).time() for moment in moments} == {time(9)}

    def test_a_time_that_does_not_exist_is_refused_by_name(self):
        with pytest.raises(NonexistentTimeError, match=r"02:30 does not exist on 29 Mar 2026 in Europe/Berlin"):
            to_utc(SPRING, time(2, 30), BERLIN)

    def test_an_ambiguous_time_is_the_first_of_the_two(self):
        assert to_utc(AUTUMN, time(2, 30), BERLIN) == utc(2026, 10, 25, 0, 30)

    @given(dates, clock, zones)
    def test_a_moment_shows_its_wall_time_again_or_is_refused(self, day, at, zone):
        try:
            moment = to_utc(day, at, zone)
        except NonexistentTimeError:
            noon = datetime.combine(day, time(12), zone)
            assert noon.utcoffset() != (noon - DAY).utcoffset()
        else:
            assert moment.astimezone(zone).replace(tzinfo=None) == datetime.combine(day, at)
            assert moment.astimezone(zone).fold == 0

    def test_an_end_before_the_start_is_the_next_morning(self):
        assert session_window(date(2026, 11, 21), time(22), time(2), KOLKATA) == Window(
            utc(2026, 11, 21, 16, 30), utc(2026, 11, 21, 20, 30)
        )

    @given(dates, clock, clock, zones)
    def test_a_session_begins_on_its_date_and_lasts_about_what_the_wall_says(self, day, start, end, zone):
        assume(start != end)
        try:
            window = session_window(day, start, end, zone)
        except NonexistentTimeError:
            assume(False)
        wall = (datetime.combine(day, end) - datetime.combine(day, start)) % DAY
        assert window.starts_at.astimezone(zone).date() == day
        assert abs(window.ends_at - window.starts_at - wall) <= timedelta(hours=1)


class TestCuttingIntoSlots:
    @pytest.mark.parametrize(
        ("to_time", "minutes", "starts"),
        [
            (time(13), 60, ["09:00", "10:00", "11:00", "12:00"]),
            (time(10), 20, ["09:00", "09:20", "09:40"]),
            (time(11, 10), 60, ["09:00", "10:00"]),  # ten minutes are left to catch up
            (time(11, 50), 60, ["09:00", "10:00"]),  # and so are fifty: a slot is never shorter than it says
            (time(9, 30), 60, []),
        ],
    )
    def test_only_whole_slots_are_made_and_the_remainder_is_left_to_catch_up(self, to_time, minutes, starts):
        slots = cut(session_window(date(2026, 11, 21), time(9), to_time, KOLKATA), minutes)
        assert [f"{slot.starts_at.astimezone(KOLKATA):%H:%M}" for slot in slots] == starts

    @given(st.datetimes(timezones=st.just(UTC)), st.integers(1, 24 * 60), st.integers(5, 240))
    def test_slots_follow_each_other_without_a_gap_and_stay_in_their_session(self, start, length, minutes):
        assume(start.year < 9999)
        session = Window(start, start + timedelta(minutes=length))
        slots = cut(session, minutes)
        assert all(slot.ends_at - slot.starts_at == timedelta(minutes=minutes) for slot in slots)
        assert all(one.ends_at == other.starts_at for one, other in pairwise(slots))
        assert all(session.contains(slot) for slot in slots)
        end = slots[-1].ends_at if slots else start
        assert timedelta(0) <= session.ends_at - end < timedelta(minutes=minutes)

    @pytest.mark.parametrize(("day", "hours"), [(SPRING, 5), (AUTUMN, 7), (AUTUMN + DAY, 6)])
    def test_a_night_has_the_hours_it_really_has(self, day, hours):
        slots = cut(session_window(day, time(0), time(6), BERLIN), 60)
        assert len(slots) == hours
        assert slots[-1].ends_at.astimezone(BERLIN).time() == time(6)


def weekly(weekday: int, start: str, end: str, first: str = "2026-01-01", last: str | None = None) -> Weekly:
    return Weekly(
        weekday,
        time.fromisoformat(start),
        time.fromisoformat(end),
        date.fromisoformat(first),
        date.fromisoformat(last) if last else None,
    )


weeklies = st.builds(
    Weekly,
    st.integers(0, 6),
    clock,
    clock,
    st.dates(date(2026, 1, 1), date(2026, 2, 1)),
    st.none() | st.dates(date(2026, 2, 1), date(2026, 3, 1)),
).filter(lambda line: line.from_time != line.to_time)


class TestLinesThatMeet:
    @pytest.mark.parametrize(
        ("one", "other", "day"),
        [
            (weekly(0, "09:00", "13:00"), weekly(0, "12:00", "15:00"), "2026-01-05"),
            (weekly(0, "09:00", "13:00"), weekly(0, "13:00", "15:00"), None),  # they only touch
            (weekly(0, "09:00", "13:00"), weekly(1, "09:00", "13:00"), None),
            (weekly(0, "22:00", "02:00"), weekly(1, "01:00", "05:00"), "2026-01-05"),  # across midnight
            (weekly(6, "22:00", "02:00"), weekly(0, "00:00", "05:00"), "2026-01-04"),  # and across the week
            (weekly(0, "09:00", "13:00", last="2026-01-31"), weekly(0, "09:00", "13:00", "2026-02-01"), None),
            (weekly(0, "09:00", "13:00", last="2026-02-02"), weekly(0, "09:00", "13:00", "2026-02-01"), "2026-02-02"),
        ],
    )
    def test_two_lines_meet_where_a_day_of_one_meets_a_day_of_the_other(self, one, other, day):
        assert first_clash(one, other) == (date.fromisoformat(day) if day else None)

    @given(weeklies, weeklies)
    def test_the_answer_is_what_looking_at_every_date_gives(self, one, other):
        utc_zone, first, last = ZoneInfo("UTC"), date(2026, 1, 1), date(2026, 4, 1)
        others = [session_window(day, other.from_time, other.to_time, utc_zone) for day in other.dates(first, last)]
        met = (
            day
            for day in one.dates(first, last)
            if any(session_window(day, one.from_time, one.to_time, utc_zone).overlaps(window) for window in others)
        )
        assert first_clash(one, other) == next(met, None)


class TestDiary:
    @given(st.lists(st.tuples(st.integers(0, 100), st.integers(1, 20))), st.integers(0, 100), st.integers(1, 20))
    def test_it_finds_exactly_what_overlaps(self, entries, start, length):
        def hours(start: int, length: int) -> Window:
            begins = utc(2026, 1, 1) + timedelta(hours=start)
            return Window(begins, begins + timedelta(hours=length))

        diary: Diary[str] = Diary()
        kept: list[Window] = []
        for entry in entries:
            window = hours(*entry)
            assert (diary.clash("rao", window) is None) == (not any(window.overlaps(other) for other in kept))
            if diary.clash("rao", window) is None:
                diary.add("rao", window, "a session")
                kept.append(window)
        asked = hours(start, length)
        found = diary.clash("rao", asked)
        assert (found and found[0]) == min((window for window in kept if window.overlaps(asked)), default=None)
        assert diary.clash("iyer", asked) is None


class TestLetters:
    def test_they_run_from_a_to_z_and_on_with_two(self):
        assert [prefix_at(n) for n in (0, 1, 25, 26, 27, 51, 52, 701, 702)] == [
            "A", "B", "Z", "AA", "AB", "AZ", "BA", "ZZ", "AAA",
        ]  # fmt: skip

    @given(st.integers(0, 400_000), st.integers(0, 400_000))
    def test_no_two_numbers_have_the_same_letters(self, one, other):
        assert (prefix_at(one) == prefix_at(other)) == (one == other)
        assert len(prefix_at(one)) <= 4

    def test_a_doctor_keeps_the_letters_of_the_morning_and_of_the_evening(self):
        monday, tuesday = date(2026, 11, 23), date(2026, 11, 24)
        letters = Letters()
        given_ = [letters.give(day, doctor) for day, doctor in [(monday, 1), (monday, 2), (monday, 1)]]
        assert given_ == ["A", "B", "C"]
        assert [letters.give(tuesday, doctor) for doctor in (2, 3, 1, 1)] == ["B", "D", "A", "C"]

    @given(st.lists(st.tuples(dates, st.integers(1, 5)), max_size=60), st.integers(0, 60))
    def test_letters_are_unique_on_a_date_whatever_was_there_before(self, sessions, known):
        first = Letters()
        before = [(day, doctor, first.give(day, doctor)) for day, doctor in sessions[:known]]
        letters = Letters.after(sorted(before))
        after = before + [(day, doctor, letters.give(day, doctor)) for day, doctor in sessions[known:]]
        assert len({(day, prefix) for day, _, prefix in after}) == len(after)
