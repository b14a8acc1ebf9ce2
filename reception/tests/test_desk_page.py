"""The desk as each role sees it, what it shows of the hall, and what it costs."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from common.transactions import outermost
from patients.tests.factories import PatientFactory
from reception.tests import factories
from reception.tests.factories import HOUR, Hall, text
from scheduling.models import Session
from scheduling.tests.factories import DepartmentFactory
from tokens import allocation
from tokens.live import Watch
from tokens.models import Token

pytestmark = pytest.mark.django_db


class TestWhoSeesIt:
    def test_who_has_not_signed_in_is_asked_to(self):
        response = Client().get("/desk/?token=1")
        assert response.status_code == 302
        assert response["Location"] == "/accounts/login/?next=/desk/%3Ftoken%3D1"

    def test_htmx_is_sent_to_the_sign_in_page_as_a_whole(self):
        response = Client().get("/desk/find/", headers={"HX-Request": "true"})
        assert (response.status_code, response["HX-Redirect"]) == (204, "/accounts/login/")

    @pytest.mark.parametrize(
        ("role", "gives", "calls"),
        [
            ("reception", True, True),
            ("doctor", True, True),
            ("staff", True, False),
            ("billing-staff", True, False),
            ("lab-technician", False, False),
            ("pharmacist", False, False),
            ("manager", False, False),
        ],
    )
    def test_everybody_of_the_house_sees_the_hall_and_the_buttons_they_may_press(self, role, gives, calls):
        hall = Hall()
        hall.give("Ravi Shankar")
        page = text(hall.client(role).get("/desk/"))
        assert "Dr Rao" in page
        assert "Ravi Shankar" in page
        assert ("Give a token N" in page) is gives
        assert ("Call next" in page) is calls

    def test_who_has_no_part_in_any_hospital_is_refused_in_the_same_look(self):
        hall = Hall()
        response = hall.client("kiosk").get("/desk/")
        assert response.status_code == 403
        assert "Not allowed" in text(response)

    def test_a_doctor_begins_with_the_own_column(self):
        hall = Hall()
        other = hall.doctor("Dr Iyer", user=hall.user("doctor"))
        hall.sitting(other, timezone.now() - HOUR / 2)
        client = Client()
        client.force_login(other.user)
        assert text(client.get("/desk/")).count("Dr Iyer") == 1
        assert "Dr Rao" not in text(client.get("/desk/"))

    def test_nothing_of_another_hospital_is_seen(self):
        here, there = Hall(), Hall()
        there.give("Somebody Else")
        assert "Somebody Else" not in text(here.asha.get("/desk/?show=all"))
        assert there.facility.name not in text(here.asha.get("/desk/"))


class TestWhatItShows:
    def test_tokens_stand_in_call_order_with_their_state_in_words(self):
        hall = Hall(capacity=3)
        hall.give("Online One", "online", slot=0)
        hall.give("Paid Two", "paid", slot=0, arrived=True)
        hall.give("Urgent Three", "emergency", slot=0)
        page = hall.asha.get("/desk/").content.decode()
        assert page.index("Urgent Three") < page.index("Paid Two") < page.index("Online One")
        for words in ('aria-label="here"', 'aria-label="not here yet"', "3 of 3"):
            assert words in page

    def test_who_waits_for_a_place_stands_under_those_who_hold_one(self):
        hall = Hall(capacity=1)
        hall.give("Paid One", "paid")
        hall.give("Online Two", "online")
        page = text(hall.asha.get("/desk/"))
        assert page.index("Paid One") < page.index("1 waits for a place") < page.index("Online Two")
        assert "has 1 free place. Move" in page  # the next slot has one

    def test_the_numbers_of_the_day_stand_on_top(self):
        hall = Hall(capacity=1)
        hall.give("One", "paid", arrived=True)
        hall.give("Two", "online")
        page = text(hall.asha.get("/desk/"))
        for figure in ("tokens 2", "seen 0", "here now 1", "waits for a place 1"):
            assert figure in page

    def test_an_emergency_without_a_place_is_an_alarm(self):
        hall = Hall(capacity=1)
        for slot in (0, 1, 2):
            hall.give(f"Urgent {slot}", "emergency", slot=slot)
        hall.give("One Too Many", "emergency", slot=0)
        assert "One Too Many is an emergency and waits" in text(hall.asha.get("/desk/"))

    def test_the_policy_of_the_doctor_is_said(self):
        hall = Hall(policy="considerate")
        assert "decided by the policy considerate" in text(hall.asha.get(f"/desk/sessions/{hall.session.pk}/"))
        assert "considerate" not in text(hall.asha.get("/desk/")), "a policy's name helps nobody who gives tokens"

    def test_filters_show_who_is_in_now_who_comes_later_and_a_department(self):
        hall = Hall()
        ent = DepartmentFactory(facility=hall.facility, name="ENT")
        hall.sitting(hall.doctor("Dr Khan", department=ent), timezone.now() + HOUR)
        asha = hall.asha
        assert "Dr Khan" not in text(asha.get("/desk/"))
        for filtered in ("later", f"department-{ent.pk}"):
            page = text(asha.get(f"/desk/?show={filtered}"))
            assert "Dr Khan" in page
            assert "Dr Rao" not in page

    def test_another_day_is_a_link_away(self):
        hall = Hall()
        tomorrow = hall.facility.local_date() + timedelta(days=1)
        hall.sitting(hall.rao, timezone.now() + timedelta(days=1))
        page = text(hall.asha.get(f"/desk/?date={tomorrow}"))
        assert f"{tomorrow:%A}" in page
        assert "Dr Rao" in page
        assert "Call next" not in page

    @pytest.mark.parametrize(
        ("ended", "delay", "here", "shown"),
        [(-1, 0, False, True), (1, 0, False, False), (1, 90, False, True), (1, 0, True, True)],
        ids=["it lasts", "it is over", "it is late", "somebody is still here"],
    )
    def test_a_session_begun_before_midnight_stays_while_it_lasts(self, monkeypatch, ended, delay, here, shown):
        west = (timezone.now().hour - 3 + 11) % 24 - 11
        monkeypatch.setattr(factories, "noon_zone", lambda: f"Etc/GMT{west:+d}")  # it is three at night
        hall = Hall()
        end = timezone.now() - ended * HOUR
        session = hall.sitting(hall.doctor("Dr Night"), end - 5 * HOUR, slots=5)
        assert session.date == hall.facility.local_date() - timedelta(days=1)
        if here:
            wish = {
                "patient_id": hall.patient("Still Here").pk,
                "source": "walk_in",
                "slot_id": session.slots.last().pk,
            }
            outermost(lambda: allocation.request_token(**wish, by=None, at=end - HOUR / 2))
        if delay:
            Session.objects.filter(pk=session.pk).update(delay_minutes=delay)
        asha = hall.asha
        assert ("Dr Night" in text(asha.get("/desk/?show=all"))) is shown
        assert "Dr Night" in text(asha.get(f"/desk/?show=all&date={session.date}"))

    def test_a_date_that_is_none_is_refused(self):
        response = Hall().asha.get("/desk/?date=yesterday")
        assert response.status_code == 400
        assert "Write the date as" in text(response)

    def test_what_people_typed_is_shown_as_text(self):
        hall = Hall()
        hall.give(hall.patient("<script>alert(1)</script>"))
        assert "<script>alert" not in hall.asha.get("/desk/").content.decode()


class TestLive:
    def test_the_page_says_which_state_it_shows_and_the_stream_begins_there(self):
        hall = Hall()
        hall.give("Ravi")
        page = hall.asha.get("/desk/")
        frame = watched(hall.asha).read()
        assert frame.version == page.context["parts"].frame.version
        assert f'data-seen="{frame.version}"' in page.content.decode()
        assert frame.unseen(frame.version) == ()

    def test_only_what_changed_comes_again(self):
        hall = Hall()
        other = hall.sitting(hall.doctor("Dr Iyer"), timezone.now() - HOUR / 2)
        watch = watched(hall.asha)
        before = watch.read().version
        hall.give("Somebody New")
        frame = watch.read()
        changed = frame.unseen(before)
        assert {"figures", f"col-{hall.session.pk}"} <= set(changed)
        assert f"col-{other.pk}" not in changed
        assert "Somebody New" in frame.parts[f"col-{hall.session.pk}"]

    def test_a_doctor_who_comes_in_gets_a_column(self):
        hall = Hall()
        watch = watched(hall.asha)
        before = watch.read().version
        other = hall.sitting(hall.doctor("Dr Iyer"), timezone.now() - HOUR / 2)
        frame = watch.read()
        assert {"columns", f"col-{other.pk}"} <= set(frame.unseen(before))
        assert f'data-parts="col-{hall.session.pk} col-{other.pk}"' in frame.parts["columns"]

    def test_desks_that_look_alike_share_what_is_read(self):
        hall = Hall()
        other = hall.doctor("Dr Iyer", user=hall.user("doctor"))
        hall.sitting(other, timezone.now() - HOUR / 2)
        doctor = Client()
        doctor.force_login(other.user)
        keys = [watched(client).key for client in (hall.asha, hall.client("admin"), doctor)]
        assert keys[0] == keys[1] != keys[2]

    def test_nothing_of_a_person_is_in_what_is_shared(self):
        hall = Hall()
        token = hall.give("Ravi")
        client = hall.asha
        page = client.get(f"/desk/?token={token.pk}")
        assert f'id="t-{token.pk}" aria-current="true"' in page.content.decode()
        shared = "".join(watched(client).read().parts.values())
        assert "csrf" not in shared
        assert "idempotency" not in shared
        assert 'aria-current="true" href' not in shared

    def test_a_changed_name_is_shown_though_no_token_changed(self):
        hall = Hall()
        token = hall.give("Ravi Shankr")
        hall.asha.get("/desk/")
        token.patient.name = "Ravi Shankar"
        token.patient.save()
        assert "Ravi Shankar" in text(hall.asha.get("/desk/"))


def watched(client: Client) -> Watch:
    """What the stream of an open desk watches."""
    return client.get(f"/desk/stream/?{client.get('/desk/?view=columns').context['stream']}").watch


def full_hall() -> Hall:
    """8 doctors, 60 slots, 400 tokens."""
    hall = Hall(capacity=8)
    patients = [PatientFactory(facility=hall.facility) for _ in range(54)]
    now = timezone.now()
    for n in range(7):
        session = hall.sitting(hall.doctor(f"Dr Number {n}"), now - HOUR, slots=9 if n == 0 else 8)
        _fill(session, list(session.slots.all()), patients, now)
    _fill(hall.session, hall.slots, patients[:22], now)
    return hall


def _fill(session, slots, patients, now) -> None:
    Token.objects.bulk_create(
        Token(
            session=session,
            slot=slots[n // 8],
            patient=patient,
            number=f"ZZ-{n + 1:03d}",
            status="confirmed",
            source="online",
            score=50,
            requested_at=now,
            order_at=now,
            key=f"{session.pk}-{n}",
        )
        for n, patient in enumerate(patients)
    )


class TestWhatItCosts:
    def test_a_full_desk_is_nine_queries(self, django_assert_max_num_queries):
        hall = full_hall()
        asha = hall.asha
        asha.get("/desk/?view=columns")  # which is remembered
        with django_assert_max_num_queries(9):
            page = asha.get("/desk/?view=columns")
        assert page.content.decode().count('class="tok ') == 400

    def test_with_a_token_and_its_drawer_at_most_fourteen(self, django_assert_max_num_queries):
        hall = full_hall()
        token = hall.give("Ravi")
        asha = hall.asha
        with django_assert_max_num_queries(11):
            asha.get(f"/desk/?token={token.pk}")
        with django_assert_max_num_queries(14):
            asha.get(f"/desk/?token={token.pk}&patient={token.patient_id}")

    def test_what_changed_is_read_in_six(self, django_assert_max_num_queries):
        hall = full_hall()
        watch = watched(hall.asha)
        with django_assert_max_num_queries(6):
            watch.read()
