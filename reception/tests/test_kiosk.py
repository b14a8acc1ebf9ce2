"""The kiosk: what a patient can do there, what nobody can find out there, and that it leads nowhere else."""

import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from common.api.throttling import Window
from reception.kiosk_queries import scanned
from reception.models import SelfService, SlipPrint
from reception.pages import kiosk
from reception.tests.factories import HOUR, Hall, text
from reception.tests.holder import asked, do, scan, screen, unhurried
from tokens import allocation, queueing
from tokens.models import Token

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("unhurried", "untried")]
__all__ = ["unhurried"]

PHONE = "+919845011213"


@pytest.fixture
def untried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has tried anything yet."""
    monkeypatch.setattr(kiosk, "OF_A_NUMBER", Window(limit=5, seconds=600))
    monkeypatch.setattr(kiosk, "OF_A_SCREEN", Window(limit=30, seconds=600))


def find(client: Client, phone: str = "98450 11213", year: str = "1972", department: int | None = None) -> Any:
    query = f"?department={department}" if department else ""
    return client.post(f"/kiosk/find/{query}", {"phone": phone, "year": year}, follow=True)


class TestArriving:
    @pytest.mark.parametrize("code", ["{}", "http://testserver/t/{}", "https://opd.example/t/{}/", "HTTP/t/{}?lang=hi"])
    def test_with_the_code_of_the_slip(self, code):
        hall = Hall()
        token = hall.give("Ravi", "online", slot=0)
        said = text(scan(screen(hall), code.replace("{}", token.key)))
        for words in ("We know that you are here. Thank you.", token.number, "You are next"):
            assert words in said
        assert f"Please wait near {hall.session.room.name}" in said
        row = SelfService.objects.get()
        assert (row.token, row.verb, row.via) == (token, "arrive", "kiosk")

    def test_with_phone_number_and_year_of_birth(self):
        hall = Hall()
        token = hall.give(hall.patient("Lakshmi", phone=PHONE, birth_year=1972), "online", slot=0)
        assert token.number in text(find(screen(hall)))
        token.refresh_from_db()
        assert token.arrived_at is not None

    def test_a_family_chooses_by_number_and_time_and_reads_no_name(self):
        hall = Hall()
        family = [hall.patient(name, phone=PHONE, birth_year=1972) for name in ("Lakshmi", "Narayan")]
        one, two = (hall.give(person, "online", slot=slot) for slot, person in enumerate(family))
        client = screen(hall)
        response = find(client)
        said = text(response)
        assert "Which token is yours?" in said
        assert one.number in said
        assert "Lakshmi" not in said
        answer = client.post("/kiosk/choose/", {"token": two.pk}, follow=True)
        assert two.number in text(answer)
        one.refresh_from_db()
        assert one.arrived_at is None

    def test_a_token_that_was_not_found_cannot_be_chosen(self):
        hall = Hall()
        mine = hall.give(hall.patient("Lakshmi", phone=PHONE, birth_year=1972), "online", slot=0)
        other = hall.give("Other", "online", slot=0)
        hall.give(hall.patient("Narayan", phone=PHONE, birth_year=1972), "online", slot=1)
        client = screen(hall)
        find(client)
        assert mine.number in text(client.post("/kiosk/choose/", {"token": other.pk}))
        other.refresh_from_db()
        assert other.arrived_at is None

    def test_who_came_an_hour_after_the_no_show_asks_for_a_place_again(self):
        hall = Hall()
        token = hall.give("Ravi", slot=0)
        do(allocation.mark_no_show, token)
        assert token.number in text(scan(screen(hall), token.key))
        token.refresh_from_db()
        assert (token.status, SelfService.objects.get().verb) == ("confirmed", "return")

    def test_back_from_a_test(self):
        hall = Hall()
        token = hall.give("Ravi", slot=0)
        do(queueing.start, token)
        do(queueing.send_away, token, where="X-ray")
        said = text(scan(screen(hall), token.key))
        assert "You are next" in said
        assert "X-ray" not in said
        assert SelfService.objects.get().verb == "back"

    def test_who_is_here_already_reads_how_it_stands_and_nothing_is_recorded(self):
        hall = Hall()
        token = hall.give("Ravi", slot=0)
        assert "You are next" in text(scan(screen(hall), token.key))
        assert not SelfService.objects.exists()

    def test_a_booking_of_tomorrow_says_when(self):
        hall = Hall()
        token = asked(hall, hall.sitting(hall.rao, timezone.now() + 24 * HOUR))
        said = text(scan(screen(hall), token.key))
        assert "You have an appointment" in said
        assert "Tomorrow, " in said
        token.refresh_from_db()
        assert token.arrived_at is None

    @pytest.mark.parametrize(
        ("typed", "key"),
        [
            ("", ""),
            ("A-017", ""),
            ("http://x/t/", ""),
            ("../../etc/passwd", ""),
            ("x" * 16, "x" * 16),
            ("x" * 5000, ""),
        ],
    )
    def test_what_a_scanner_types_is_a_key_or_nothing(self, typed, key):
        assert scanned(typed) == key


class TestSlip:
    def test_it_prints_once_and_is_recorded_as_the_kiosk_s(self):
        hall = Hall()
        token = hall.give("Ravi", "online", slot=0)
        client = screen(hall)
        first = scan(client, token.key).content.decode()
        assert "data-print" in first
        assert f"/t/{token.key}" in first
        assert SlipPrint.objects.get().by.username == f"kiosk-hospital-{hall.serial}"
        assert "data-print" not in client.get("/kiosk/answer/").content.decode()

    def test_who_has_a_slip_gets_no_second_one(self):
        hall = Hall()
        token = hall.give("Ravi", "online", slot=0)
        hall.client("staff").post(f"/desk/tokens/{token.pk}/print/")
        response = scan(screen(hall), token.key)
        assert "Your slip is printing." not in text(response)
        assert SlipPrint.objects.count() == 1


class TestTakingAToken:
    def test_a_known_patient_takes_one_of_a_department(self):
        hall = Hall()
        hall.patient("Lakshmi", phone=PHONE, birth_year=1972)
        client = screen(hall)
        assert "General Medicine" in text(client.get("/kiosk/departments/"))
        said = text(find(client, department=hall.department.pk))
        token = Token.objects.get()
        assert (token.source, token.status) == ("walk_in", "confirmed")
        assert token.number in said
        assert "Your slip is printing." in said
        assert SelfService.objects.get().verb == "request"

    def test_the_wait_stands_beside_the_department(self):
        hall = Hall(capacity=3)
        client = screen(hall)
        assert "nobody is ahead" in text(client.get("/kiosk/departments/"))
        hall.give("First", slot=0)
        said = text(client.get("/kiosk/departments/"))
        assert re.search(r"wait \d+ to \d+ min|1 person ahead", said)

    def test_where_all_places_are_taken_it_says_so_first(self):
        hall = Hall(capacity=1)
        for slot in range(3):
            hall.give(f"P{slot}", "paid", slot=slot)
        hall.patient("Lakshmi", phone=PHONE, birth_year=1972)
        client = screen(hall)
        assert "All places are taken: you wait for one" in text(client.get("/kiosk/departments/"))
        assert "You wait for a place" in text(find(client, department=hall.department.pk))

    def test_who_holds_one_there_arrives_with_that_one(self):
        hall = Hall()
        token = hall.give(hall.patient("Lakshmi", phone=PHONE, birth_year=1972), "online", slot=0)
        assert token.number in text(find(screen(hall), department=hall.department.pk))
        assert Token.objects.count() == 1

    def test_pressed_twice_it_is_one_token(self):
        hall = Hall()
        hall.patient("Lakshmi", phone=PHONE, birth_year=1972)
        client = screen(hall)
        sent = {"phone": "9845011213", "year": "1972", "idempotency_key": "one press"}
        for _ in range(2):
            client.post(f"/kiosk/find/?department={hall.department.pk}", sent)
        assert Token.objects.count() == 1

    def test_a_stranger_is_sent_to_the_desk_in_kind_words(self):
        hall = Hall()
        said = text(find(screen(hall), department=hall.department.pk))
        assert "The desk gives you your token" in said
        assert not Token.objects.exists()

    def test_twins_are_told_apart_by_the_desk(self):
        hall = Hall()
        for name in ("Lava", "Kusha"):
            hall.patient(name, phone=PHONE, birth_year=1972)
        assert "The desk gives you your token" in text(find(screen(hall), department=hall.department.pk))

    def test_a_department_that_has_closed_meanwhile_is_no_wrong_try(self, monkeypatch):
        monkeypatch.setattr(kiosk, "OF_A_SCREEN", Window(limit=1, seconds=600))
        hall = Hall()
        hall.patient("Lakshmi", phone=PHONE, birth_year=1972)
        client = screen(hall)
        hall.session.slots.update(status="blocked")
        for _ in range(3):
            said = text(find(client, department=hall.department.pk))
            assert "No department gives tokens any more today" in said
        assert "We do not find" not in said

    def test_a_key_that_comes_with_another_s_number_tells_nothing_and_the_screen_goes_on(self):
        hall = Hall()
        first = hall.give(hall.patient("Lakshmi", phone=PHONE, birth_year=1972), "online", slot=0)
        hall.give(hall.patient("Narayan", phone="+919845011214", birth_year=1980), "online", slot=0)
        client = screen(hall)
        client.post("/kiosk/find/", {"phone": PHONE, "year": "1972", "idempotency_key": "one page"})
        client.get("/kiosk/")
        sent = {"phone": "+919845011214", "year": "1980", "idempotency_key": "one page"}
        response = client.post("/kiosk/find/", sent)
        assert response.status_code == 422
        assert "That cannot be done at this screen now." in text(response)
        assert first.number not in text(response)
        assert "data-rest" in response.content.decode()

    def test_after_the_last_session_there_is_no_department(self):
        hall = Hall()
        client = screen(hall)
        hall.session.slots.update(status="blocked")
        assert "No department gives tokens any more today" in text(client.get("/kiosk/departments/"))


class TestGuessing:
    def test_a_wrong_year_an_unknown_number_and_no_booking_are_answered_alike(self, django_assert_num_queries):
        hall = Hall()
        hall.give(hall.patient("Lakshmi", phone=PHONE, birth_year=1972), "online", slot=0)
        hall.patient("No Booking", phone="+919845011214", birth_year=1972)
        client = screen(hall)
        tries = [("9845011213", "1973"), ("9845099999", "1972"), ("9845011214", "1972"), ("12", "1972"), ("", "x")]
        answers = {re.sub(r'value="[^"]+"', "", find(client, *each).content.decode()) for each in tries}
        assert len(answers) == 1
        assert "We do not find a booking for today" in answers.pop()

    def test_a_number_is_tried_five_times_then_the_desk_helps(self):
        hall = Hall()
        hall.give(hall.patient("Lakshmi", phone=PHONE, birth_year=1972), "online", slot=0)
        client = screen(hall)
        assert [find(client, year=str(year)).status_code for year in range(1950, 1955)] == [404] * 5
        response = find(client, year="1972")
        assert response.status_code == 429
        assert int(response["Retry-After"]) <= 600
        assert "At the desk they find you by your name." in text(response)
        assert find(client, phone="9845011219").status_code == 404  # others are not kept waiting

    def test_however_it_is_written_it_is_the_same_number(self):
        hall = Hall()
        client = screen(hall)
        written = ["9845011213", "98450 11213", "+91 98450 11213", "0 98450-11213", "00919845011213", "098450 11213"]
        assert [find(client, phone=phone, year="1950").status_code for phone in written] == [404] * 5 + [429]

    def test_a_screen_on_which_much_is_tried_rests(self, monkeypatch):
        monkeypatch.setattr(kiosk, "OF_A_SCREEN", Window(limit=2, seconds=600))
        hall = Hall()
        client = screen(hall)
        statuses = [scan(client, "guessed-guessed-guessed").status_code for _ in range(3)]
        assert statuses == [404, 404, 429]

    def test_a_slip_of_another_hospital_is_unknown_here(self):
        here, there = Hall(), Hall()
        token = there.give("Ravi", "online", slot=0)
        assert scan(screen(here), token.key).status_code == 404
        token.refresh_from_db()
        assert token.arrived_at is None


class TestForgetting:
    def test_nothing_of_the_last_one_is_left_at_the_start(self):
        hall = Hall()
        token = hall.give("Ravi", "online", slot=0)
        client = screen(hall)
        scan(client, token.key)
        client.get("/kiosk/")
        assert client.get("/kiosk/answer/")["Location"] == "/kiosk/"
        assert client.get("/kiosk/choose/")["Location"] == "/kiosk/"
        assert kiosk.VISIT not in client.session

    def test_nor_after_two_minutes_where_the_screen_did_not_return(self, monkeypatch):
        hall = Hall()
        token = hall.give("Ravi", "online", slot=0)
        client = screen(hall)
        scan(client, token.key)
        monkeypatch.setattr(kiosk, "FORGOTTEN", -1)
        assert client.get("/kiosk/answer/")["Location"] == "/kiosk/"

    def test_no_name_no_number_and_no_year_stand_in_a_page_or_an_address(self):
        hall = Hall()
        hall.give(hall.patient("Lakshmi Narayan", phone=PHONE, birth_year=1972), "paid", slot=0)
        response = find(screen(hall))
        html = response.content.decode()
        assert response.redirect_chain == [("/kiosk/answer/", 302)]
        assert "no-store" in response["Cache-Control"]
        assert [word for word in ("Lakshmi", "Narayan", "11213", ">1972", "paid") if word in html] == []

    def test_nothing_is_offered_to_be_filled_in(self):
        page = screen(Hall()).get("/kiosk/find/").content.decode()
        fields = re.findall(r"<input (?!type=\"hidden\")[^>]*>", page)
        assert len(fields) == 2
        assert all('autocomplete="off"' in field for field in fields)


class TestLanguage:
    def test_it_is_the_first_step_and_the_next_one_begins_in_the_house_s(self):
        hall = Hall()
        facility: Any = hall.facility
        facility.languages = ["en", "hi", "ar"]
        facility.save(update_fields=["languages"])
        client = screen(hall)
        assert 'lang="ar" dir="rtl"' in client.get("/kiosk/?lang=ar").content.decode()
        assert "ابحث عن حجزك" in text(client.get("/kiosk/find/"))
        assert "Welcome." in text(client.get("/kiosk/"))
        assert "Find your booking" in text(client.get("/kiosk/find/"))

    def test_only_the_house_s_languages_are_offered(self):
        hall = Hall()
        page = screen(hall).get("/kiosk/?lang=ar").content.decode()
        assert '<html lang="en"' in page
        assert "?lang=" not in page
