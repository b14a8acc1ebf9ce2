"""What the patient's page never says, how often it may be asked, in which languages it speaks, what it costs."""

import logging
from inspect import unwrap
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client, RequestFactory
from django.utils import timezone

from accounts.again import as_of_now
from common.api.throttling import AddressThrottle, Window
from common.logs import WithoutKeys
from reception.pages import patient
from reception.tests.factories import HOUR, Hall, text
from reception.tests.holder import asked, do, first_slot, look, press, unhurried
from tokens import allocation, queueing
from tokens.models import Token

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("unhurried")]
__all__ = ["unhurried"]


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
        past = hall.sitting(hall.doctor("Dr Shah"), timezone.now() - 4 * 24 * HOUR)
        old = asked(hall, past, at=past.starts_at)
        wrong = [old.key, "x" * 24, old.key[:-1] + "_", "short", "a/b/c", "%00", "ключ", "A-001"]
        answers = set()
        for key in wrong:
            with django_assert_num_queries(1):
                response = Client().get(f"/t/{key}")
            headers = [header for header in sorted(response.headers.items()) if header[0] != "Expires"]  # the clock's
            answers.add((response.status_code, response.content, str(headers)))
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

    def test_a_stream_that_is_asked_again_whether_it_may_go_on_is_one_request(self, monkeypatch):
        # Three hundred phones of a waiting room share an address; each is asked every half minute while it is open.
        monkeypatch.setattr(AddressThrottle, "window", Window(limit=1, seconds=60, clock=lambda: 0.0))
        token = Hall().give("Ravi")
        request = RequestFactory().get(f"/t/{token.key}/stream/")
        request.session = SessionStore()
        request.user = AnonymousUser()
        admit = unwrap(patient.stream)
        assert len({admit(each, token.key).key for each in (request, as_of_now(request), as_of_now(request))}) == 1


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
        facility: Any = hall.facility
        facility.languages = ["hi", "en"]
        facility.save(update_fields=["languages"])
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
        do(allocation.move_token, token, slot_id=first_slot(other), reason="asked")
        assert look(token, "/stream/").watch.key != before.key

    def test_what_everybody_watches_is_read_once(self, django_assert_num_queries):
        hall = Hall(capacity=4)
        tokens = [hall.give(f"P{n}", slot=0) for n in range(4)]
        look(tokens[0])
        watch = look(tokens[1], "/stream/").watch
        watch.read()
        with django_assert_num_queries(1):  # the token: its session and what happened to it are known
            watch.read()

    def test_what_did_not_change_is_not_written_again(self):
        hall = Hall(capacity=4)
        first, second = hall.give("First", slot=0), hall.give("Second", slot=0)
        before = [look(token, "/stream/").watch.read() for token in (first, second)]
        assert look(first, "/stream/").watch.read() is before[0]
        do(queueing.call, second)
        after = [look(token, "/stream/").watch.read() for token in (first, second)]
        assert after[1].version != before[1].version

    def test_six_queries_at_most(self, django_assert_max_num_queries):
        hall = Hall(capacity=4)
        for n in range(4):
            hall.give(f"P{n}", "paid", slot=1)
        token = hall.give("Ravi", "online", slot=0)
        do(allocation.move_token, token, slot_id=hall.slots[2].pk, reason="asked")
        with django_assert_max_num_queries(6):
            look(token)
