"""The patient's own page: every state of a visit, what the patient may do, and what the page never says."""

import logging
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from common.api.throttling import AddressThrottle, Window
from common.logs import WithoutKeys
from common.transactions import outermost
from reception.models import SelfService
from reception.pages import patient
from reception.tests.factories import HOUR, Hall, text
from scheduling.models import Session
from tokens import allocation, queueing, supply, undoing
from tokens.models import Event, Token

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other tests ask from the same address; windows are each test's own."""
    monkeypatch.setattr(AddressThrottle, "window", Window(limit=600, seconds=60))
    monkeypatch.setattr(patient, "LOOKS", Window(limit=120, seconds=60))
    monkeypatch.setattr(patient, "STEPS", Window(limit=10, seconds=60))


def do(verb: Any, token: Token, **more: Any) -> None:
    outermost(lambda: verb(token_id=token.pk, by=None, **more))


def look(token: Token, path: str = "", **headers: str) -> Any:
    return Client(headers=headers).get(f"/t/{token.key}{path}")


def page(token: Token, **headers: str) -> str:
    return text(look(token, **headers))


def press(token: Token, what: str, **more: Any) -> Any:
    return Client(**more).post(f"/t/{token.key}/{what}/", follow=True)


# What it says


class TestStates:
    def test_who_is_expected_reads_how_many_are_ahead(self):
        hall = Hall()
        hall.give("First", slot=0)
        token = hall.give("Ravi", "online", slot=0)
        said = page(token)
        assert token.number in said
        assert f"Dr Rao , {hall.session.room.name}. Today, " in said
        assert "1 person is ahead of you" in said
        assert "I am here" in said
        assert "Cancel my token" in said

    def test_who_is_here_and_first_is_next(self):
        hall = Hall()
        token = hall.give("Ravi", slot=0)
        said = page(token)
        assert "You are next" in said
        assert f"We know that you are here. Please stay near {hall.session.room.name}." in said
        assert "I am here" not in said

    def test_it_says_when_one_is_likely_called_as_times_of_the_clock(self):
        hall = Hall()
        hall.give("First", slot=0)
        token = hall.give("Ravi", slot=0)
        said = page(token)
        assert "Likely called 12:" in said or "Likely called 13:" in said
        assert " min" in said

    def test_who_is_called_is_sent_to_the_room(self):
        hall = Hall()
        token = hall.give("Ravi", slot=0)
        do(queueing.call, token)
        said = page(token)
        assert f"Please go to {hall.session.room.name} now" in said
        assert "If you need a few minutes, tell the desk: your place is kept." in said
        assert "Cancel" not in said

    def test_who_is_held_keeps_the_place_until_then(self):
        hall = Hall()
        token = hall.give("Ravi", slot=0)
        do(queueing.call, token)
        do(queueing.hold, token, minutes=10)
        assert "Your place is kept until " in page(token)

    def test_who_was_skipped_stays_near(self):
        hall = Hall()
        hall.give("Other", slot=0)
        token = hall.give("Ravi", slot=0)
        do(queueing.call, token)
        do(queueing.skip, token)
        assert "Somebody else is called first, then it is your turn again." in page(token)

    def test_who_waits_for_a_place_is_not_told_to_wait_for_the_doctor(self):
        hall = Hall(capacity=1)
        hall.give("First", "online")
        token = hall.give("Ravi", "online")
        said = page(token)
        assert "You wait for a place" in said
        assert "Likely called" not in said
        assert "I am here" in said

    def test_with_the_doctor_then_at_a_test_then_back_then_done(self):
        hall = Hall()
        token = hall.give("Ravi", slot=0)
        do(queueing.start, token)
        assert "You are with the doctor" in page(token)
        do(queueing.send_away, token, where="X-ray")
        away = page(token)
        assert f"First your test, then back to {hall.session.room.name}" in away
        assert "X-ray" not in away
        do(queueing.back, token)
        assert "You are next" in page(token)
        do(queueing.start, token)
        do(queueing.complete, token)
        assert "Your visit is over" in page(token)

    def test_sent_on_it_leads_to_the_new_number(self):
        hall = Hall()
        shah = hall.doctor("Dr Shah")
        hall.sitting(shah, timezone.now())
        token = hall.give("Ravi", slot=0)
        do(queueing.send_on, token, doctor_id=shah.pk, reason="skin")
        new = Token.objects.get(sent_from=token)
        response = look(token)
        assert f"Please go on to Dr Shah , {new.session.room.name}" in text(response)
        assert f'href="/t/{new.key}"' in response.content.decode()

    @pytest.mark.parametrize(
        ("reason", "said"),
        [("by the patient", "You have cancelled"), ("went home", "This token is cancelled")],
    )
    def test_cancelled_it_says_by_whom(self, reason, said):
        hall = Hall()
        token = hall.give("Ravi", "online")
        do(allocation.cancel_token, token, reason=reason)
        assert said in page(token)

    def test_the_doctor_does_not_come_it_says_that_this_was_not_the_patient(self):
        hall = Hall()
        token = hall.give("Ravi", "online")
        outermost(lambda: supply.cancel_session(session_id=hall.session.pk, reason="ill", move=False, by=None))
        assert "You cannot be seen at this time" in page(token)

    def test_not_found_when_called(self):
        hall = Hall()
        token = hall.give("Ravi", slot=0)
        do(allocation.mark_no_show, token)
        said = page(token)
        assert "We did not find you" in said
        assert "I am here" not in said

    def test_a_place_that_was_moved_names_the_old_time(self):
        hall = Hall()
        token = hall.give("Ravi", "online", slot=1)
        before = hall.slots[1].starts_at.astimezone(hall.facility.tz)
        do(allocation.move_token, token, slot_id=hall.slots[2].pk, reason="asked")
        assert f"Your place was moved. It was at {before:%H:%M} ." in page(token)

    def test_moved_to_another_doctor_it_names_the_old_one_and_the_new_number(self):
        hall = Hall()
        shah = hall.doctor("Dr Shah")
        other = hall.sitting(shah, timezone.now())
        token = hall.give("Ravi", "online", slot=1)
        do(allocation.move_token, token, slot_id=other.slots.first().pk, reason="asked")
        token.refresh_from_db()
        said = page(token)
        assert token.number in said
        assert f"It was with Dr Rao , {hall.session.room.name}, at" in said

    def test_delay_and_break_keep_the_place(self):
        hall = Hall()
        token = hall.give("Ravi", slot=0)
        outermost(lambda: supply.delay_session(session_id=hall.session.pk, minutes=15, by=None))
        assert "The doctor is about 15 minutes late. You keep your place." in page(token)
        outermost(lambda: supply.pause_session(session_id=hall.session.pk, by=None))
        assert "The doctor has taken a break since " in page(token)

    def test_another_day_is_an_appointment(self):
        hall = Hall()
        later = hall.sitting(hall.rao, timezone.now() + timedelta(days=1))
        wish = {"patient_id": hall.patient("Ravi").pk, "source": "online", "slot_id": later.slots.first().pk}
        token = Token.objects.get(pk=outermost(lambda: allocation.request_token(**wish, by=None)).token.id)
        said = page(token)
        assert "You have an appointment" in said
        assert "Tomorrow, " in said
        assert "I am here" not in said

    def test_a_session_that_nobody_closed_is_over_the_day_after(self):
        hall = Hall()
        old = hall.sitting(hall.doctor("Dr Shah"), timezone.now() - timedelta(hours=30), slots=2)
        token = self.in_session(hall, old)
        assert "The doctor’s hours are over" in page(token)
        assert press(token, "here").status_code == 409

    def in_session(self, hall: Hall, session: Session) -> Token:
        slot = session.slots.first()
        wish = {"patient_id": hall.patient("Ravi").pk, "source": "online", "slot_id": slot.pk, "at": slot.starts_at}
        return Token.objects.get(pk=outermost(lambda: allocation.request_token(**wish, by=None)).token.id)

    def test_the_undone_call_is_no_call(self):
        hall = Hall()
        token = hall.give("Ravi", slot=0)
        do(queueing.call, token)
        do(undoing.undo_last, token)
        assert "You are next" in page(token)


# What it never says


class TestPrivacy:
    @pytest.mark.parametrize("source", ["emergency", "paid", "follow_up", "online", "walk_in"])
    @pytest.mark.parametrize("step", [None, queueing.call, queueing.start])
    @pytest.mark.parametrize("language", ["en", "hi", "ar"])
    def test_it_says_nothing_about_the_person(self, source, step, language):
        hall = Hall()
        person = hall.patient("Lakshmi Narayan", phone="+919845011213", birth_year=1972)
        token = hall.give(person, source, slot=0, arrived=True)
        Token.objects.filter(pk=token.pk).update(note="chest pain")
        if step:
            do(step, token)
        html = look(token, f"?lang={language}").content.decode().lower()
        told = ("lakshmi", "narayan", "98450", "11213", person.number.lower(), "1972", "chest", "general medicine")
        sources = (
            "emergency",
            "paid",
            "follow-up",
            "follow_up",
            "online",
            "walk",
            "score",
            "priority",
            "policy",
            "weighted",
        )
        assert [word for word in (*told, *sources) if word in html] == []

    def test_no_browser_no_proxy_and_no_search_engine_keeps_it(self):
        hall = Hall()
        response = look(hall.give("Ravi"))
        assert "no-store" in response["Cache-Control"]
        assert "noindex" in response["X-Robots-Tag"]
        assert response["Referrer-Policy"] == "same-origin"
        assert "sessionid" not in response.cookies

    @pytest.mark.parametrize("path", ["", "/", "/here/", "/cancel/", "/stream/"])
    def test_an_unknown_key_is_not_found_wherever_it_leads(self, path):
        method = Client().post if "here" in path else Client().get
        assert method(f"/t/nobody-was-ever-given-this{path}").status_code == 404

    def test_unknown_old_and_mistyped_keys_are_told_apart_by_nothing(self, django_assert_num_queries):
        hall = Hall()
        old = TestStates().in_session(hall, hall.sitting(hall.doctor("Dr Shah"), timezone.now() - 4 * 24 * HOUR))
        wrong = [old.key, "x" * 24, old.key[:-1] + "_", "short", "a/b/c", "%00", "ключ", "A-001"]
        answers = set()
        for key in wrong:
            with django_assert_num_queries(1):
                response = Client().get(f"/t/{key}")
            answers.add((response.status_code, response.content, str(sorted(response.headers.items()))))
        assert len(answers) == 1
        assert answers.pop()[0] == 404

    def test_keys_have_144_bits_and_no_two_are_alike(self):
        hall = Hall(capacity=5)
        keys = {hall.give(f"P{n}").key for n in range(5)}
        assert len(keys) == 5
        assert {len(key) for key in keys} == {24}

    @pytest.mark.parametrize(
        "line", ["Not Found: /t/{}", "Forbidden (CSRF): /t/{}/here/", "GET /api/v1/tokens/status/{}/"]
    )
    def test_no_key_is_written_into_a_log(self, line):
        key = "wZrE8K3oeys03z_c0hiRUTps"
        record = logging.LogRecord("django.request", logging.ERROR, "", 1, line.replace("{}", "%s"), (key,), None)
        assert WithoutKeys().filter(record)
        assert key not in record.getMessage()

    def test_other_lines_are_logged_as_they_are(self):
        record = logging.LogRecord("opd", logging.INFO, "", 1, "%s of %s", ("3", "/t/short"), None)
        assert WithoutKeys().filter(record)
        assert record.getMessage() == "3 of /t/short"


# What the patient does


class TestHere:
    def test_it_is_said_once_and_recorded_as_the_patient_s(self):
        hall = Hall()
        token = hall.give("Ravi", "online", slot=0)
        said = text(press(token, "here", REMOTE_ADDR="10.1.2.3"))
        assert "We know that you are here." in said
        row = SelfService.objects.get()
        event = Event.objects.get(token=token, kind="arrived")
        assert (row.token, row.verb, row.via, row.address) == (token, "arrive", "link", "10.1.2.3")
        assert (event.actor, event.at) == (None, row.at)

    def test_pressed_twice_nothing_is_refused_and_nothing_is_said_twice(self):
        hall = Hall()
        token = hall.give("Ravi", "online", slot=0)
        assert press(token, "here").status_code == 200
        assert press(token, "here").status_code == 200
        assert SelfService.objects.count() == 1

    def test_hours_before_the_session_it_is_too_early_and_the_page_says_from_when(self):
        hall = Hall()
        evening = hall.sitting(hall.doctor("Dr Shah"), timezone.now() + 5 * HOUR)
        wish = {"patient_id": hall.patient("Ravi").pk, "source": "online", "slot_id": evening.slots.first().pk}
        token = Token.objects.get(pk=outermost(lambda: allocation.request_token(**wish, by=None)).token.id)
        assert "on you can say here that you have arrived." in page(token)
        response = press(token, "here")
        assert response.status_code == 409
        assert "That cannot be done any more. This is how it stands now." in text(response)
        token.refresh_from_db()
        assert token.arrived_at is None

    def test_who_was_cancelled_meanwhile_reads_so(self):
        hall = Hall()
        token = hall.give("Ravi", "online", slot=0)
        do(allocation.cancel_token, token, reason="desk")
        response = press(token, "here")
        assert response.status_code == 409
        assert "This token is cancelled" in text(response)

    def test_the_desk_s_page_says_that_it_was_the_patient(self):
        hall = Hall()
        token = hall.give("Ravi", "online", slot=0)
        press(token, "here")
        assert "By the patient" in text(hall.asha.get(f"/desk/tokens/{token.pk}/"))


class TestCancel:
    def test_first_it_says_what_it_means(self):
        hall = Hall()
        token = hall.give("Ravi", "online")
        said = text(look(token, "/cancel/"))
        assert f"Cancel {token.number} ?" in said
        assert "Your place goes to the next person." in said
        token.refresh_from_db()
        assert token.status == "confirmed"

    def test_the_place_goes_to_the_next_and_the_patient_is_named_as_who_did_it(self):
        hall = Hall(capacity=1)
        token, waits = hall.give("Ravi", "online"), hall.give("Next", "online")
        assert "You have cancelled" in text(press(token, "cancel"))
        waits.refresh_from_db()
        assert waits.status == "confirmed"
        assert SelfService.objects.get().verb == "cancel"
        assert Event.objects.get(token=token, kind="cancelled").reason == "by the patient"

    def test_twice_is_once(self):
        hall = Hall()
        token = hall.give("Ravi", "online")
        assert press(token, "cancel").status_code == press(token, "cancel").status_code == 200
        assert SelfService.objects.count() == 1

    @pytest.mark.parametrize("path", ["here", "cancel"])
    def test_a_visit_that_has_begun_is_not_the_patient_s_to_change(self, path):
        hall = Hall()
        token = hall.give("Ravi", "online", slot=0)
        do(queueing.start, token)
        response = press(token, path)
        assert response.status_code == (200 if path == "here" else 409)
        assert "You are with the doctor" in text(response)
        token.refresh_from_db()
        assert token.status == "in_progress"
        assert not SelfService.objects.exists()

    def test_what_cannot_be_cancelled_is_not_asked_about(self):
        hall = Hall()
        token = hall.give("Ravi", "online", slot=0)
        do(queueing.start, token)
        assert look(token, "/cancel/").status_code == 302

    def test_no_other_site_presses_it(self):
        hall = Hall()
        token = hall.give("Ravi", "online")
        for what in ("here", "cancel"):
            response = Client(enforce_csrf_checks=True).post(f"/t/{token.key}/{what}/")
            assert response.status_code == 403
            assert "Nothing was changed." in text(response)
        assert not SelfService.objects.exists()

    def test_looking_does_nothing(self):
        hall = Hall()
        token = hall.give("Ravi", "online")
        assert look(token, "/here/").status_code == 405


# Limits, languages, figures


class TestLimits:
    @pytest.mark.parametrize("name", ["LOOKS", "STEPS"])
    def test_a_token_that_is_asked_for_too_often_says_when_again(self, monkeypatch, name):
        monkeypatch.setattr(patient, name, Window(limit=1, seconds=60, clock=lambda: 0.0))
        hall = Hall()
        token, other = hall.give("Ravi", "online"), hall.give("Other", "online")
        ask = look if name == "LOOKS" else lambda each: press(each, "here")
        assert ask(token).status_code in (200, 302) or name == "LOOKS"
        response = ask(token)
        assert response.status_code == 429
        assert response["Retry-After"] == "60"
        assert "Load it again in 60 seconds. The desk has your place." in text(response)
        if name == "LOOKS":
            assert ask(other).status_code == 200

    def test_an_address_that_tries_keys_is_stopped(self, monkeypatch):
        monkeypatch.setattr(AddressThrottle, "window", Window(limit=2, seconds=60, clock=lambda: 0.0))
        statuses = [Client().get(f"/t/{'guess' * 4}{n}").status_code for n in range(3)]
        assert statuses == [404, 404, 429]

    def test_the_stream_counts_too(self, monkeypatch):
        monkeypatch.setattr(AddressThrottle, "window", Window(limit=0, seconds=60, clock=lambda: 0.0))
        hall = Hall()
        assert look(hall.give("Ravi"), "/stream/").status_code == 429


class TestLanguages:
    @pytest.mark.parametrize(
        ("query", "cookie", "accept", "language"),
        [
            ("", "", "", "hi"),
            ("", "", "en-GB,en;q=0.9", "en"),
            ("", "", "ar,en;q=0.5", "en"),
            ("", "ar", "en", "ar"),
            ("ar", "hi", "en", "ar"),
            ("xx", "", "fr", "hi"),
        ],
    )
    def test_asked_for_then_chosen_before_then_the_browser_s_then_the_house_s(self, query, cookie, accept, language):
        hall = Hall()
        hall.facility.languages = ["hi", "en"]
        hall.facility.save(update_fields=["languages"])
        client = Client(headers={"Accept-Language": accept})
        client.cookies["lang"] = cookie
        response = client.get(f"/t/{hall.give('Ravi').key}", {"lang": query} if query else {})
        html = response.content.decode()
        assert response["Content-Language"] == language
        assert f'<html lang="{language}" dir="{"rtl" if language == "ar" else "ltr"}"' in html
        assert all(f"?lang={code}" in html for code in ("en", "hi", "ar"))

    def test_who_asks_for_a_language_keeps_it(self):
        hall = Hall()
        client, address = Client(), f"/t/{hall.give('Ravi').key}"
        client.get(address, {"lang": "ar"})
        assert client.get(address)["Content-Language"] == "ar"

    def test_a_number_keeps_its_direction(self):
        hall = Hall()
        token = hall.give("Ravi")
        assert f'<bdi class="num">{token.number}</bdi>' in look(token, "?lang=ar").content.decode()

    def test_staff_read_one_language_whatever_their_browser_likes(self):
        hall = Hall()
        asha = hall.asha
        hindi, english = (text(asha.get("/desk/", headers={"Accept-Language": code})) for code in ("hi", "en"))
        assert hindi == english


class TestLive:
    def test_its_stream_sends_what_the_page_shows(self):
        hall = Hall()
        token = hall.give("Ravi", "online", slot=0)
        shown = look(token, "?lang=hi")
        watch = look(token, "/stream/?lang=hi").watch
        frame = watch.read()
        assert f'data-seen="{frame.version}"' in shown.content.decode()
        assert watch.session_ids == {hall.session.pk}
        do(queueing.arrive, token)
        assert "हमें पता है कि आप आ गए हैं।" in watch.read().parts["acts"]

    def test_a_token_in_another_session_is_another_stream(self):
        hall = Hall()
        other = hall.sitting(hall.doctor("Dr Shah"), timezone.now())
        token = hall.give("Ravi", "online", slot=1)
        before = look(token, "/stream/").watch
        do(allocation.move_token, token, slot_id=other.slots.first().pk, reason="asked")
        assert look(token, "/stream/").watch.key != before.key

    def test_what_everybody_watches_is_read_once(self, django_assert_num_queries):
        hall = Hall(capacity=4)
        tokens = [hall.give(f"P{n}", slot=0) for n in range(4)]
        look(tokens[0])
        watch = look(tokens[1], "/stream/").watch
        with django_assert_num_queries(2):  # the token, and what happened to it
            watch.read()

    def test_six_queries_at_most(self, django_assert_max_num_queries):
        hall = Hall(capacity=4)
        for n in range(4):
            hall.give(f"P{n}", "paid", slot=1)
        token = hall.give("Ravi", "online", slot=0)
        do(allocation.move_token, token, slot_id=hall.slots[2].pk, reason="asked")
        with django_assert_max_num_queries(6):
            look(token)
