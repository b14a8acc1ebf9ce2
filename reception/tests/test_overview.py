"""The overview: a line for each session, one scale of the day, filters, the panel, and which view begins."""

from datetime import UTC, timedelta

import pytest
from django.utils import timezone

from reception import filters, overview
from reception.hall import Names, column
from reception.tests.factories import HOUR, Hall, text
from reception.tests.test_offers import HOUR as OF_FACTS
from reception.tests.test_offers import NINE, session
from scheduling.models import Slot
from scheduling.tests.factories import DepartmentFactory

NAMES = Names("Dr Rao", "General Medicine", "Room 4")


def seen(facts, now=NINE):
    return column(facts, NAMES, {pk: f"Patient {pk}" for pk in facts.tokens}, now)


def line(facts, now=NINE):
    found = seen(facts, now)
    return overview.line(found, overview.scale([found], now, UTC))


class TestTheScale:
    def test_it_runs_in_full_hours_from_the_first_begin_to_the_last_end(self):
        early, late = session([]), session([])
        late.ends_at = early.starts_at + timedelta(hours=10, minutes=20)
        scale = overview.scale([seen(early), seen(late)], NINE, UTC)
        assert (scale.starts_at, scale.hours) == (early.starts_at.replace(minute=0), 11)

    def test_a_short_day_is_drawn_as_a_working_day(self):
        assert overview.scale([seen(session([]))], NINE, UTC).hours == overview.WORKDAY

    @pytest.mark.parametrize(("after", "at"), [(0, 0), (270, 50), (540, 100), (-1, None), (541, None)])
    def test_now_is_drawn_where_it_falls_into_the_day(self, after, at):
        scale = overview.Scale(NINE, 9, NINE + timedelta(minutes=after))
        assert scale.now_at == at

    @pytest.mark.parametrize(("after", "begun"), [(0, 0), (59, 0), (270, 44.44), (540, 0), (-1, 0)])
    def test_the_hour_of_now_is_where_a_day_without_room_begins(self, after, begun):
        assert overview.Scale(NINE, 9, NINE + timedelta(minutes=after)).begun_at == begun

    @pytest.mark.parametrize(("minutes", "width"), [(60, 3.75), (30, 6), (15, 10)])
    def test_an_hour_is_as_wide_as_the_words_of_its_slots_need(self, minutes, width):
        assert overview.Scale(NINE, 9, NINE, timedelta(minutes=minutes)).hour_width == width


class TestALine:
    @pytest.mark.parametrize(
        ("change", "now", "words", "tone"),
        [
            ({}, NINE, "1 free", ""),
            ({"capacity": 1}, NINE, "full", ""),
            ({"status": "blocked"}, NINE, "blocked", ""),
            ({"overbooked": 1, "capacity": 0}, NINE, "1 over", ""),
            ({}, NINE + 2 * OF_FACTS, "1 left", "past"),
        ],
    )
    def test_a_slot_says_what_matters_of_it(self, change, now, words, tone):
        facts = session(["online"], capacity=2)
        for name, value in change.items():
            setattr(facts.slots[0], name, value)
        (block,) = line(facts, now).blocks
        assert (block.words, block.tone) == (words, tone)

    def test_who_waits_for_a_place_is_said_before_anything_else(self):
        facts = session(["online", "online"], capacity=2)
        facts.tokens[2].status, facts.slots[0].used = "waitlisted", 1
        (block,) = line(facts).blocks
        assert (block.words, block.tone) == ("1 waits", "wait")

    def test_the_one_who_has_been_here_longest_is_counted_from_the_arrival(self):
        facts = session(["online", "online"], capacity=2, here=True)
        facts.tokens[1].arrived_at = NINE - timedelta(minutes=20)
        assert line(facts, NINE + timedelta(minutes=3)).longest == 23

    def test_a_doctor_without_a_place_is_full_and_one_who_is_done_says_nothing(self):
        assert line(session(["online"], capacity=1)).next_free == "full today"
        assert line(session([]), NINE + 5 * OF_FACTS).next_free == ""
        assert line(session([], capacity=1)).next_free == NINE

    def test_delay_says_late_not_in_yet_or_on_time(self):
        facts = session(["online"], here=True)
        assert line(facts, NINE + timedelta(minutes=1)).delay == "Not in yet"
        facts.calls = 1
        assert line(facts, NINE + timedelta(minutes=1)).delay == "On time"
        facts.delay_minutes = 30
        assert line(facts).delay == "30 min late"

    def test_the_day_in_numbers(self):
        facts = session(["online"], ["online"], capacity=2, here=True)
        facts.calls = 1
        found = overview.numbers([seen(facts)])
        assert found == overview.Numbers(inside=1, doctors=1, here=2, waiting=0, free=2)


class TestElsewhere:
    def full(self, department=1):
        facts = session(["online"], capacity=1)
        facts.department_id = department
        return seen(facts)

    def free(self, start, department=1):
        facts = session([], capacity=2)
        facts.slots[0].starts_at, facts.department_id = start, department
        return seen(facts)

    def test_the_first_free_place_of_the_department_is_named(self):
        late, early = self.free(NINE + 2 * OF_FACTS), self.free(NINE + OF_FACTS)
        found = overview.elsewhere(self.full(), [late, early])
        assert (found.column, found.slot.free) == (early, 2)

    def test_nobody_of_another_department_and_nobody_while_there_is_a_place(self):
        assert overview.elsewhere(self.full(), [self.free(NINE, department=2)]) is None
        assert overview.elsewhere(self.free(NINE), [self.free(NINE)]) is None


class TestFilters:
    def test_each_need_has_its_doctors(self):
        full = seen(session(["online"], capacity=1))
        free = seen(session([], capacity=1))
        late = session(["online"], capacity=1)
        late.delay_minutes = 10
        waiting = session(["online", "online"], capacity=1)
        waiting.tokens[2].status = "waitlisted"
        columns = [full, free, seen(late), seen(waiting)]
        for chosen, expected in {"all": 4, "free": 1, "late": 1, "waiting": 1, "unknown": 4}.items():
            assert len(filters.by_need(columns, chosen).columns) == expected


@pytest.mark.django_db
class TestThePage:
    def test_a_row_says_everything_about_a_doctor(self):
        hall = Hall(capacity=1)
        hall.give("Paid One", "paid", arrived=True)
        hall.give("Online Two", "online")
        page = text(hall.asha.get("/overview/"))
        for words in ("Dr Rao", "General Medicine", "1 of 1 place, 1 waits", "longest", "places free", "Next free"):
            assert words in page
        assert "Online Two" not in page

    def test_the_panel_shows_the_column_and_where_the_department_has_a_place(self):
        hall = Hall(capacity=1)
        for slot in (0, 1, 2):
            hall.give(f"Paid {slot}", "paid", slot=slot)
        bhat = hall.sitting(hall.doctor("Dr Bhat"), timezone.now() + HOUR)
        page = text(hall.asha.get(f"/overview/?doctor={hall.session.pk}"))
        at = timezone.localtime(bhat.starts_at, hall.facility.tz)
        assert "No place is free today" in page
        assert f"Dr Bhat, same department, has 1 free at {at:%H:%M} ." in page

    def test_a_doctor_of_another_day_has_no_panel(self):
        hall = Hall()
        other = hall.sitting(hall.rao, timezone.now() + timedelta(days=2))
        assert hall.asha.get(f"/overview/?doctor={other.pk}").status_code == 404

    def test_a_doctor_of_another_hospital_has_no_panel(self):
        hall, other = Hall(), Hall()
        assert hall.asha.get(f"/overview/?doctor={other.session.pk}").status_code == 404

    def test_departments_are_filters(self):
        hall = Hall()
        ent = DepartmentFactory(facility=hall.facility, name="ENT")
        hall.sitting(hall.doctor("Dr Khan", department=ent), timezone.now())
        page = text(hall.asha.get(f"/overview/?show=department-{ent.pk}"))
        assert "Dr Khan" in page
        assert "Dr Rao" not in page

    def test_its_stream_sends_rows(self):
        hall = Hall()
        client = hall.asha
        watch = client.get(f"/desk/stream/?{client.get('/overview/').context['stream']}").watch
        before = watch.read().version
        hall.give("Somebody")
        assert f"ov-{hall.session.pk}" in watch.read().unseen(before)


@pytest.mark.django_db
class TestWhichViewBegins:
    def hall(self, doctors):
        hall = Hall()
        for n in range(doctors - 1):
            hall.sitting(hall.doctor(f"Dr {n}"), timezone.now() - HOUR / 2)
        return hall

    def begins_with_lines(self, client, address="/desk/"):
        return 'id="ov-rows"' in client.get(address).content.decode()

    @pytest.mark.parametrize(("doctors", "lines"), [(6, False), (7, True)])
    def test_more_than_six_doctors_in_session_are_lines(self, doctors, lines):
        assert self.begins_with_lines(self.hall(doctors).asha) is lines

    def test_what_was_chosen_is_remembered(self):
        asha = self.hall(7).asha
        assert asha.get("/desk/?view=columns").status_code == 200
        assert not self.begins_with_lines(asha)
        assert asha.get("/desk/?view=overview")["Location"] == "/overview/"
        assert self.begins_with_lines(asha)

    def test_a_doctor_begins_with_the_own_column(self):
        hall = self.hall(7)
        hall.rao.user = hall.user("doctor")
        hall.rao.save()
        assert not self.begins_with_lines(hall.client("doctor"))

    def test_a_link_to_a_token_shows_columns(self):
        hall = self.hall(7)
        token = hall.give("Ravi")
        assert not self.begins_with_lines(hall.asha, f"/desk/?token={token.pk}")


@pytest.mark.django_db
def test_a_full_overview_is_nine_queries(django_assert_max_num_queries):
    from reception.tests.test_desk_page import full_hall

    hall = full_hall()
    asha = hall.asha
    with django_assert_max_num_queries(9):
        page = asha.get("/overview/").content.decode()
    assert page.count('class="block') == Slot.objects.filter(session__facility=hall.facility).count()
