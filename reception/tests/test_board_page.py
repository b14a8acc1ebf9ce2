"""The board by its address: one read for all screens, and nothing on it that a stranger may not know."""

import json
import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone, translation
from django.utils.translation import gettext
from pytest_django import DjangoAssertNumQueries

from accounts.models import Facility
from common.api.throttling import AddressThrottle
from common.kept import Kept
from common.transactions import outermost
from reception import board_queries
from reception.pages import board
from reception.tests.factories import HOUR, Hall, text
from scheduling.models import Session
from tokens import queueing
from tokens.models import Token

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test begins as a new process does, and sees what it changes at once."""
    monkeypatch.setattr(board, "_frames", Kept(seconds=0))
    monkeypatch.setattr(board_queries, "_choices", Kept(seconds=0))
    monkeypatch.setattr(AddressThrottle.window, "_ends", 0.0)


@pytest.fixture
def hall() -> Hall:
    return Hall(capacity=6)


def open_board(hall: Hall, query: str = "") -> Any:
    return Client().get(f"/board/{hall.facility.slug}/{query}")


def frame(hall: Hall, query: str = "") -> Any:
    """What the stream would send."""
    return Client().get(f"/board/{hall.facility.slug}/stream/{query}").watch.read()  # type: ignore[attr-defined]


def calls(response: Any) -> list[dict[str, Any]]:
    found = re.search(r'<script id="calls" type="application/json">(.*?)</script>', response.content.decode())
    assert found
    return json.loads(found[1])


def call_next(session: Session) -> Token:
    outermost(lambda: queueing.call_next(session_id=session.pk, by=None))
    return Token.objects.filter(session=session, called_at__isnull=False).latest("called_at")


def test_rooms_numbers_and_doctors_in_words(hall: Hall) -> None:
    first, second = hall.give("Lakshmi Narayan", arrived=True), hall.give("Ravi Prasad", arrived=True)
    call_next(hall.session)
    said = text(open_board(hall))
    assert hall.facility.name in said
    assert f"{hall.session.room.name} Dr Rao, General Medicine {first.number} Next {second.number} Please go in" in said


def test_it_tells_nothing_about_people(hall: Hall) -> None:
    people = ["Lakshmi Narayan", "Ravi Prasad", "Farhan Sheikh", "Asha Bhosle"]
    for name, source in zip(people, ("emergency", "paid", "online", "follow_up"), strict=True):
        hall.give(name, source, arrived=True)
    call_next(hall.session)
    token = Token.objects.get(called_at__isnull=False)
    for answer in (open_board(hall).content.decode(), *frame(hall).parts.values()):
        said = answer.lower()
        for word in (
            "lakshmi",
            "ravi",
            "farhan",
            "bhosle",
            "emergency",
            "paid",
            "walk",
            "online",
            "follow",
            "weighted",
        ):
            assert word not in said, word
        assert token.key not in answer
        assert not re.search(r"\b\d{10}\b", re.sub(r'data-now="\d+"', "", answer))


def test_names_are_shown_where_the_facility_wants_them_and_are_never_spoken(hall: Hall) -> None:
    Facility.objects.filter(pk=hall.facility.pk).update(show_names_on_board=True)
    hall.give("Lakshmi Narayan", "emergency", arrived=True)
    hall.give("Ravi Prasad", arrived=True)
    call_next(hall.session)
    answer = open_board(hall)
    assert "Lakshmi N." in text(answer)
    assert "Narayan" not in answer.content.decode()
    assert "Ravi" not in answer.content.decode()
    assert "Lakshmi" not in json.dumps(calls(answer))


def test_a_call_is_data_in_the_facility_s_languages(hall: Hall) -> None:
    Facility.objects.filter(pk=hall.facility.pk).update(languages=["hi", "en"])
    hall.give("Lakshmi Narayan", arrived=True)
    token = call_next(hall.session)
    (call,) = calls(open_board(hall, "?lang=en"))
    spelled = ", ".join(token.number.replace("-", ""))
    assert [each["lang"] for each in call["say"]] == ["hi-IN", "en-IN"]
    assert call["say"][1]["text"] == f"Token {spelled}. Please go to {hall.session.room.name}."
    assert spelled in call["say"][0]["text"]
    assert call["id"].startswith(token.number)
    outermost(lambda: queueing.recall(token_id=token.pk, by=None))
    (again,) = calls(open_board(hall))
    assert again["id"] != call["id"]
    outermost(lambda: queueing.start(token_id=token.pk, by=None))
    assert calls(open_board(hall)) == []


def test_a_room_s_name_cannot_leave_its_script_or_its_cell(hall: Hall) -> None:
    hall.session.room.name = "</script><b>X"
    hall.session.room.save()
    hall.give("Lakshmi Narayan", arrived=True)
    call_next(hall.session)
    assert "</script><b>" not in open_board(hall).content.decode()


@pytest.mark.parametrize(("query", "language", "direction"), [("", "en", "ltr"), ("?lang=ar", "ar", "rtl")])
def test_the_text_is_in_the_first_language_or_the_chosen_one(
    hall: Hall, query: str, language: str, direction: str
) -> None:
    answer = open_board(hall, query)
    assert f'<html lang="{language}" dir="{direction}"' in answer.content.decode()
    assert answer.headers["Content-Language"] == language


def test_every_word_is_in_the_screen_s_language_whatever_the_browser_asks_for(hall: Hall) -> None:
    hall.give("Lakshmi Narayan", arrived=True)
    hall.give("Ravi Prasad", arrived=True)
    call_next(hall.session)
    Session.objects.filter(pk=hall.session.pk).update(delay_minutes=20)
    address = f"/board/{hall.facility.slug}/"
    answer = Client(headers={"Accept-Language": "en"}).get(f"{address}?lang=hi")
    sent = Client(headers={"Accept-Language": "ar"}).get(f"{address}stream/?lang=hi").watch.read()  # type: ignore[attr-defined]
    with translation.override("hi"):
        words = [gettext("Please go in"), gettext("About %(minutes)s min late") % {"minutes": 20}, gettext("Next")]
    assert "Please go in" not in words
    for word in words:
        assert word in text(answer)
        assert word in sent.parts["rooms"]


def test_a_department_or_some_rooms(hall: Hall) -> None:
    from scheduling.tests.factories import DepartmentFactory

    other = hall.sitting(hall.doctor("Dr Nair"), timezone.now() - HOUR / 2)
    ent = DepartmentFactory(facility=hall.facility, name="ENT")
    khan = hall.sitting(hall.doctor("Dr Khan", department=ent), timezone.now() - HOUR / 2)
    assert all(name in text(open_board(hall)) for name in ("Dr Rao", "Dr Nair", "Dr Khan"))
    one = text(open_board(hall, f"?department={ent.pk}"))
    assert "Dr Khan" in one
    assert "Dr Rao" not in one
    for query in (f"?rooms={other.room_id},{khan.room_id}", f"?rooms={other.room_id}&rooms={khan.room_id}"):
        two = text(open_board(hall, query))
        assert "Dr Nair" in two
        assert "Dr Khan" in two
        assert "Dr Rao" not in two
    assert "Dr Khan" not in "".join(frame(hall, f"?rooms={other.room_id}").parts.values())


def test_screens_that_wish_the_same_watch_the_same(hall: Hall) -> None:
    room = hall.session.room_id

    def key(query: str) -> Any:
        return Client().get(f"/board/{hall.facility.slug}/stream/{query}").watch.key  # type: ignore[attr-defined]

    assert key("?lang=en") == key("") == key("?lang=xx&theme=dark") == key("?department=")
    assert key(f"?rooms={room}") == key(f"?rooms={room},{room}")
    assert key(f"?rooms={room}") != key("")


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("?department=x", 400),
        ("?rooms=1;2", 400),
        ("?rooms=٣", 400),
        ("?department=999999", 404),
        ("?rooms=9999999", 404),
    ],
)
def test_what_is_not_there_is_said_calmly(hall: Hall, query: str, status: int) -> None:
    answer = open_board(hall, query)
    assert answer.status_code == status
    assert "Traceback" not in answer.content.decode()


def test_unknown_and_inactive_facilities_have_no_board(hall: Hall) -> None:
    assert Client().get("/board/nowhere/").status_code == 404
    assert "There is no such board." in text(Client().get("/board/nowhere/"))
    watch = Client().get(f"/board/{hall.facility.slug}/stream/").watch  # type: ignore[attr-defined]
    Facility.objects.filter(pk=hall.facility.pk).update(is_active=False)
    assert open_board(hall).status_code == 404
    assert Client().get(f"/board/{hall.facility.slug}/stream/").status_code == 404
    assert watch.read() is None


def test_another_facility_s_rooms_are_not_shown(hall: Hall) -> None:
    other = Hall()
    assert open_board(hall, f"?rooms={other.session.room_id}").status_code == 404
    assert other.session.room.name not in text(open_board(hall))


def test_the_first_screen_reads_the_next_fifty_do_not(
    hall: Hall, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    monkeypatch.setattr(board, "_frames", Kept(seconds=60))
    monkeypatch.setattr(board_queries, "_choices", Kept(seconds=60))
    for number in range(30):
        hall.give(f"Patient {number}", slot=number % 3, arrived=True)
    call_next(hall.session)
    with django_assert_num_queries(8):
        open_board(hall)
    with django_assert_num_queries(0):
        for _ in range(50):
            assert open_board(hall).status_code == 200
    with django_assert_num_queries(5):
        frame(hall)
    Facility.objects.filter(pk=hall.facility.pk).update(show_names_on_board=True)
    with django_assert_num_queries(6):
        frame(hall)


def test_a_stranger_s_loop_is_told_to_wait_and_a_screen_is_not_counted_twice(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AddressThrottle.window, "limit", 3)
    assert [open_board(hall).status_code for _ in range(4)] == [200, 200, 200, 429]
    assert int(open_board(hall).headers["Retry-After"]) >= 1


def test_at_midnight_the_board_turns_to_the_new_day(hall: Hall) -> None:
    here = hall.facility
    midnight = (
        timezone.localtime(timezone.now(), here.tz).replace(hour=0, minute=0, second=0, microsecond=0) + 24 * HOUR
    )
    night = hall.sitting(hall.doctor("Dr Night"), midnight - HOUR, slots=2)
    morning = hall.sitting(hall.doctor("Dr Morning"), midnight + 2 * HOUR)
    hall.give("Nobody came", "online", slot=1)

    def doctors(hours: float) -> list[str]:
        found = board_queries.board(board_queries.Wish(here.pk), at=midnight + hours * HOUR)
        assert found is not None
        assert found.date == here.local_date(midnight + hours * HOUR)
        return [line.place.doctor for line in found.lines]

    assert doctors(-0.5) == ["Dr Night"]
    assert doctors(0.5) == ["Dr Night", "Dr Morning"]
    assert doctors(1.5) == ["Dr Morning"]
    assert doctors(30) == []
    assert (night.date, morning.date) == (here.local_date(midnight - HOUR), here.local_date(midnight))


def test_nobody_s_session_is_a_sentence_and_not_an_empty_screen(hall: Hall) -> None:
    Session.objects.filter(pk=hall.session.pk).update(status="closed")
    assert "No doctor is seeing patients here at the moment." in text(open_board(hall))
