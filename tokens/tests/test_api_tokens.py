"""Tokens through their real addresses: the contract's shape, every step, what lists show, what is replayed."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import AccessAttempt
from common.api.throttling import AddressThrottle, Window
from scheduling.models import Slot
from scheduling.tests.factories import SessionFactory, SlotFactory
from tokens.models import Token
from tokens.tests.hall import API, HOUR, Hall, code

pytestmark = pytest.mark.django_db

CONTRACT = (  # noqa: SIM905
    "id number status source paid score position slot session patient requested_at arrived_at called_at started_at"
    " ended_at wait_p50_minutes wait_p90_minutes status_url displaced promoted"
).split()


@pytest.fixture
def hall() -> Hall:
    return Hall()


class TestTheToken:
    def test_it_has_the_shape_of_the_contract(self, hall: Hall) -> None:
        token = hall.give("online")
        assert list(token) == CONTRACT
        assert token == hall.get(f"tokens/{token['id']}/").json()
        assert token == hall.get("tokens/").json()["results"][0]
        assert token["number"] == "A-001"
        assert (token["status"], token["source"], token["paid"], token["score"]) == ("confirmed", "online", False, 50)
        assert (token["position"], token["slot"], token["session"]) == (1, hall.slots[0].pk, hall.session.pk)
        assert (token["displaced"], token["promoted"], token["arrived_at"]) == ([], [], None)
        assert (token["wait_p50_minutes"], token["wait_p90_minutes"]) == (0, 0)

    def test_times_carry_the_offset_of_the_facility(self, hall: Hall) -> None:
        asked = datetime.fromisoformat(hall.give()["requested_at"])
        assert asked.utcoffset() == datetime.now(hall.facility.tz).utcoffset()

    def test_a_walk_in_has_arrived_unless_the_request_says_otherwise(self, hall: Hall) -> None:
        assert hall.give("walk_in")["arrived_at"]
        assert hall.give("walk_in", arrived=False)["arrived_at"] is None
        assert hall.give("online", 1, arrived=True)["arrived_at"]

    def test_whom_it_displaced_and_promoted(self, hall: Hall) -> None:
        first, last = hall.give("online"), hall.give("online")
        taker = hall.give("walk_in")
        assert taker["displaced"] == [last["id"]]
        assert hall.get(f"tokens/{last['id']}/").json()["status"] == "waitlisted"
        cancelled = hall.done(taker, "cancel", {"reason": "went home"})
        assert (cancelled["status"], cancelled["promoted"]) == ("cancelled", [last["id"]])
        assert hall.done(first, "no-show")["status"] == "no_show"

    def test_positions_are_gapless_and_those_of_the_list_are_those_of_the_answer(self, hall: Hall) -> None:
        given = [hall.give(source) for source in ("online", "online", "online", "follow_up", "walk_in", "online")]
        shown = hall.get(f"slots/{hall.slots[0].pk}/tokens/").json()["results"]
        assert [(t["status"], t["position"]) for t in shown] == [
            ("confirmed", 1),
            ("confirmed", 2),
            ("waitlisted", 1),
            ("waitlisted", 2),
            ("waitlisted", 3),
            ("waitlisted", 4),
        ]
        listed = {t["id"]: t["position"] for t in hall.get("tokens/").json()["results"]}
        assert listed == {t["id"]: t["position"] for t in shown}
        assert given[-1]["position"] == 4

    def test_the_position_at_the_end_of_a_waitlist_that_was_not_read_as_a_whole(self) -> None:
        hall = Hall(capacity=1)
        asked = [hall.give("online") for _ in range(45)]
        assert asked[-1]["position"] == 44


class TestWithoutASlot:
    def test_the_first_free_slot_of_a_doctor(self, hall: Hall) -> None:
        body = {"patient": hall.patient().pk, "source": "walk_in", "doctor": hall.rao.pk, "date": str(hall.date)}
        assert hall.post("tokens/", body).json()["slot"] == hall.slots[0].pk

    def test_today_where_no_date_is_given(self, hall: Hall) -> None:
        body = {"patient": hall.patient().pk, "source": "walk_in", "department": hall.department.pk}
        assert hall.post("tokens/", body, role="kiosk").status_code == 201

    def test_an_emergency_takes_the_running_slot_and_says_who_lost_it(self, hall: Hall) -> None:
        losers = [hall.give("online"), hall.give("online")]
        body = {"patient": hall.patient().pk, "department": hall.department.pk}
        token = hall.post("tokens/emergency/", body, role="reception").json()
        assert (token["source"], token["slot"], token["position"]) == ("emergency", hall.slots[0].pk, 1)
        assert token["displaced"] == [losers[1]["id"]]
        assert token["arrived_at"]

    @pytest.mark.parametrize("body", [{"doctor": 10**9}, {"department": 10**9}])
    def test_nobody_there_is_404(self, hall: Hall, body: dict[str, Any]) -> None:
        answer = hall.post("tokens/", {"patient": hall.patient().pk, "source": "walk_in", **body})
        assert (answer.status_code, code(answer)) == (404, "not_found")

    def test_a_date_without_slots_is_409(self, hall: Hall) -> None:
        body = {"patient": hall.patient().pk, "source": "walk_in", "doctor": hall.rao.pk, "date": "2020-01-01"}
        answer = hall.post("tokens/", body)
        assert (answer.status_code, code(answer)) == (409, "slot_closed")


class TestSteps:
    def test_a_visit_from_the_call_to_the_end(self, hall: Hall) -> None:
        token = hall.give("walk_in")
        called = hall.post(f"sessions/{hall.session.pk}/call-next/").json()
        assert called["id"] == token["id"]
        assert called["called_at"]
        assert hall.done(token, "recall")["called_at"]
        assert hall.done(token, "start")["status"] == "in_progress"
        assert hall.done(token, "away", {"where": "X-ray"})["status"] == "in_progress"
        assert hall.done(token, "back")["status"] == "in_progress"
        assert hall.done(token, "start")["started_at"]
        assert hall.done(token, "complete")["ended_at"]
        assert hall.post(f"sessions/{hall.session.pk}/call-next/").status_code == 204

    def test_arrive_call_hold_skip_and_undo(self, hall: Hall) -> None:
        token = hall.give("online")
        assert code(hall.do(token, "call")) == "not_arrived"
        assert hall.done(token, "arrive")["arrived_at"]
        assert hall.done(token, "call")["called_at"]
        assert hall.done(token, "hold", {"minutes": 5})["called_at"] is None
        assert hall.done(token, "skip")["called_at"] is None
        assert hall.done(token, "undo")["status"] == "confirmed"

    def test_paying_later_overbooking_and_coming_late(self, hall: Hall) -> None:
        hall.give("paid")
        hall.give("paid")
        waiting = hall.give("online")
        assert waiting["status"] == "waitlisted"
        assert hall.done(waiting, "mark-paid")["score"] == 350
        late = hall.done(hall.give("online", 1), "no-show")
        assert hall.done(late, "late-return")["status"] == "waitlisted"
        over = hall.done(late, "overbook", {"reason": "asked by the doctor"})
        assert over["status"] == "confirmed"

    def test_move_changes_the_slot_and_a_full_one_refuses(self, hall: Hall) -> None:
        token = hall.give("online")
        assert hall.done(token, "move", {"slot": hall.slots[2].pk, "reason": "later"})["slot"] == hall.slots[2].pk
        hall.give("online", 1)
        hall.give("online", 1)
        answer = hall.do(token, "move", {"slot": hall.slots[1].pk, "reason": "x"})
        assert (answer.status_code, code(answer)) == (409, "slot_full")

    def test_send_answers_with_the_new_token(self, hall: Hall) -> None:
        token = hall.give("walk_in")
        answer = hall.do(token, "send", {"doctor": hall.rao.pk, "reason": "x"})
        assert answer.status_code == 201
        new = answer.json()
        assert new["id"] != token["id"]
        assert Token.objects.get(pk=new["id"]).sent_from_id == token["id"]
        assert hall.get(f"tokens/{token['id']}/").json()["status"] == "cancelled"

    def test_the_wrong_patient_is_put_right(self, hall: Hall) -> None:
        token, right = hall.give("online"), hall.patient()
        assert hall.done(token, "change-patient", {"patient": right.pk, "reason": "namesake"})["patient"] == right.pk

    def test_a_step_that_cannot_be_taken_is_409_and_changes_nothing(self, hall: Hall) -> None:
        token = hall.give("online")
        answer = hall.do(token, "complete")
        assert (answer.status_code, code(answer)) == (409, "invalid_transition")
        assert hall.get(f"tokens/{token['id']}/").json() == token


class TestReading:
    def test_events_tell_the_story_oldest_first(self, hall: Hall) -> None:
        token = hall.give("online")
        hall.done(token, "arrive")
        events = hall.get(f"tokens/{token['id']}/events/").json()
        assert [(e["seq"], e["kind"]) for e in events["results"]] == [
            (1, "requested"),
            (2, "confirmed"),
            (3, "arrived"),
        ]
        assert events["results"][2]["sentence"] == "Arrived."
        assert events["results"][2]["actor_name"] == hall.user("admin").name

    def test_explain_says_in_a_sentence_why_one_stands_before_the_other(self, hall: Hall) -> None:
        one, two = hall.give("online"), hall.give("walk_in")
        told = hall.get(f"tokens/{one['id']}/explain/?than={two['id']}").json()
        assert told["sentence"] == "A-002 stands before A-001: walk-in counts more than online."
        assert told["facts"]["rule"] == "score"

    @pytest.mark.parametrize("than", ["", "x", str(2**70), "-1"])
    def test_explain_needs_another_token(self, hall: Hall, than: str) -> None:
        token = hall.give("online")
        assert hall.get(f"tokens/{token['id']}/explain/?than={than}").status_code == 400
        assert hall.get(f"tokens/{token['id']}/explain/?than={token['id']}").status_code == 400

    def test_lists_are_narrowed_by_what_the_contract_names(self, hall: Hall) -> None:
        one, two = hall.give("online"), hall.give("walk_in", 1)
        hall.done(two, "cancel")

        def found(query: str) -> list[int]:
            return [t["id"] for t in hall.get(f"tokens/?{query}").json()["results"]]

        assert found(f"slot={hall.slots[1].pk}") == [two["id"]]
        assert found(f"session={hall.session.pk}&source=online") == [one["id"]]
        assert found("status=confirmed&status=cancelled&ordering=-id") == [two["id"], one["id"]]
        assert found(f"doctor={hall.rao.pk}&date={hall.date}&patient={one['patient']}") == [one["id"]]
        assert found("search=a-002") == [two["id"]]
        assert found("date=2020-01-01") == found(f"slot={2**70}") == []

    @pytest.mark.parametrize("query", ["status=nonsense", "slot=x", "date=32-13-2020", "search=%00"])
    def test_a_filter_that_means_nothing_is_400(self, hall: Hall, query: str) -> None:
        answer = hall.get(f"tokens/?{query}")
        assert answer.status_code == 400
        assert code(answer)

    def test_a_number_left_behind_still_finds_its_token(self, hall: Hall) -> None:
        token = hall.give("online")
        start = hall.session.ends_at + HOUR
        evening = SessionFactory(
            doctor=hall.rao, room=hall.room, date=hall.date, starts_at=start, ends_at=start + HOUR, prefix="B"
        )
        slot = SlotFactory(session=evening, starts_at=start, ends_at=start + HOUR)
        moved = hall.done(token, "move", {"slot": slot.pk, "reason": "evening"})
        assert moved["number"] == "B-001"
        assert [t["number"] for t in hall.get("tokens/?search=A-001").json()["results"]] == ["B-001"]


class TestTheSlip:
    def test_status_needs_no_sign_in_and_shows_no_name(self, hall: Hall) -> None:
        token = hall.give("walk_in")
        hall.post(f"sessions/{hall.session.pk}/call-next/")
        waiting = hall.give("online", patient=hall.patient().pk, note="a secret reason")
        answer = APIClient().get(waiting["status_url"])
        assert answer.status_code == 200
        told = answer.json()
        assert (told["number"], told["status"], told["position"]) == ("A-002", "confirmed", 2)
        assert (told["people_ahead"], told["now_serving"], told["delay_minutes"]) == (1, token["number"], 0)
        patient = Token.objects.select_related("patient").get(pk=waiting["id"]).patient
        for hidden in (patient.name, patient.number, "secret", "online", str(patient.phone)):
            assert hidden not in answer.content.decode()

    def test_a_key_that_fits_nothing_is_404(self) -> None:
        assert APIClient().get(f"{API}tokens/status/{'x' * 24}/").status_code == 404

    def test_a_sign_in_that_has_expired_does_not_hide_it(self, hall: Hall) -> None:
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION="Bearer nonsense")
        assert client.get(hall.give()["status_url"]).status_code == 200

    def test_it_is_limited(self, hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(AddressThrottle, "window", Window(limit=2, seconds=60))
        url = hall.give()["status_url"]
        answers = [APIClient().get(url) for _ in range(3)]
        assert [a.status_code for a in answers] == [200, 200, 429]
        assert int(answers[-1]["Retry-After"]) >= 1


class TestIdempotency:
    def test_the_same_key_gives_the_first_answer_again(self, hall: Hall) -> None:
        body = {"slot": hall.slots[0].pk, "patient": hall.patient().pk, "source": "online"}
        first = hall.post("tokens/", body, HTTP_IDEMPOTENCY_KEY="k1")
        again = hall.post("tokens/", body, HTTP_IDEMPOTENCY_KEY="k1")
        assert (first.status_code, again.status_code) == (201, 201)
        assert again.json() == first.json()
        assert again["Idempotency-Replayed"] == "true"
        assert Token.objects.count() == 1

    def test_another_body_with_the_same_key_is_422(self, hall: Hall) -> None:
        body = {"slot": hall.slots[0].pk, "patient": hall.patient().pk, "source": "online"}
        hall.post("tokens/", body, HTTP_IDEMPOTENCY_KEY="k1")
        answer = hall.post("tokens/", {**body, "source": "walk_in"}, HTTP_IDEMPOTENCY_KEY="k1")
        assert (answer.status_code, code(answer)) == (422, "idempotency_conflict")

    def test_a_double_click_on_call_next_calls_one_patient(self, hall: Hall) -> None:
        hall.give("walk_in")
        hall.give("walk_in")
        url = f"sessions/{hall.session.pk}/call-next/"
        one, two = (hall.post(url, HTTP_IDEMPOTENCY_KEY="click") for _ in range(2))
        assert one.json() == two.json()
        assert Token.objects.filter(called_at__isnull=False).count() == 1

    def test_an_empty_answer_is_replayed_too(self, hall: Hall) -> None:
        url = f"sessions/{hall.session.pk}/call-next/"
        first = hall.post(url, HTTP_IDEMPOTENCY_KEY="click")
        hall.give("walk_in")
        again = hall.post(url, HTTP_IDEMPOTENCY_KEY="click")
        assert (first.status_code, again.status_code) == (204, 204)
        assert again["Idempotency-Replayed"] == "true"

    def test_a_refusal_is_not_kept(self, hall: Hall) -> None:
        patient = hall.patient()
        body = {"slot": hall.slots[0].pk, "patient": patient.pk, "source": "online"}
        held = hall.give("online", patient=patient.pk)
        assert hall.post("tokens/", body, HTTP_IDEMPOTENCY_KEY="k").status_code == 409
        hall.done(held, "cancel")
        assert hall.post("tokens/", body, HTTP_IDEMPOTENCY_KEY="k").status_code == 201


class TestAnotherFacility:
    def test_its_tokens_do_not_exist_and_the_attempt_is_recorded(self, hall: Hall) -> None:
        token, stranger = hall.give("online"), Hall(name="Other Hospital")
        for answer in (
            stranger.get(f"tokens/{token['id']}/"),
            stranger.get(f"tokens/{token['id']}/events/"),
            stranger.do(token, "cancel"),
            stranger.do(token, "undo"),
            stranger.post(f"sessions/{hall.session.pk}/call-next/"),
            stranger.post(f"slots/{hall.slots[0].pk}/block/", {"dry_run": True}),
            stranger.post("tokens/", {"slot": hall.slots[0].pk, "patient": stranger.patient().pk, "source": "online"}),
            stranger.post("tokens/", {"doctor": hall.rao.pk, "patient": stranger.patient().pk, "source": "online"}),
        ):
            assert (answer.status_code, code(answer)) == (404, "not_found")
        assert AccessAttempt.objects.filter(facility=hall.facility).count() == 8
        assert stranger.get("tokens/").json()["count"] == 0

    def test_a_patient_of_another_facility_is_unknown_here(self, hall: Hall) -> None:
        answer = hall.ask("online", patient=Hall(name="Other Hospital").patient().pk)
        assert (answer.status_code, code(answer)) == (404, "not_found")
        assert answer.json()["errors"][0]["attr"] == "patient"


class TestBadInput:
    @pytest.mark.parametrize(
        ("change", "attr"),
        [
            ({"slot": None}, "slot"),
            ({"slot": "x"}, "slot"),
            ({"slot": -1}, "slot"),
            ({"slot": [1]}, "slot"),
            ({"slot": True}, "slot"),
            ({"patient": None}, "patient"),
            ({"patient": 1.5}, "patient"),
            ({"source": "nonsense"}, "source"),
            ({"source": None}, "source"),
            ({"source": {}}, "source"),
            ({"paid": "perhaps"}, "paid"),
            ({"arrived": 7}, "arrived"),
            ({"note": "x" * 501}, "note"),
            ({"note": ["x"]}, "note"),
            ({"doctor": 1}, "slot"),
            ({"date": "yesterday"}, "date"),
        ],
    )
    def test_a_value_that_means_nothing_is_400_and_names_the_field(self, hall: Hall, change: dict, attr: str) -> None:
        body = {"slot": hall.slots[0].pk, "patient": hall.patient().pk, "source": "online", **change}
        answer = hall.post("tokens/", body)
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["attr"] == attr
        assert code(answer)
        assert not Token.objects.exists()

    @pytest.mark.parametrize(
        ("body", "status"),
        [
            (b"{", 400),
            (b"[]", 400),
            (b"null", 400),
            (b"\xff\xfe", 400),
            (b'{"slot": 1, "slot": 2}', 400),
            (b'{"patient": 99999999999999999999999}', 400),
            (b'{"note": "a\\u0000b"}', 400),
            (b'{"note": "' + b"x" * 10 * 1024 * 1024 + b'"}', 413),
        ],
    )
    def test_a_body_that_cannot_be_read(self, hall: Hall, body: bytes, status: int) -> None:
        answer = hall.client().post(f"{API}tokens/", data=body, content_type="application/json")
        assert answer.status_code == status
        assert code(answer)

    @pytest.mark.parametrize("name", ["slot", "patient"])
    def test_an_id_that_nothing_has_is_404(self, hall: Hall, name: str) -> None:
        body = {"slot": hall.slots[0].pk, "patient": hall.patient().pk, "source": "online", name: 2**62}
        answer = hall.post("tokens/", body)
        assert (answer.status_code, code(answer)) == (404, "not_found")

    @pytest.mark.parametrize("path", [f"tokens/{2**62}/", f"tokens/{10**30}/", "tokens/x/", "tokens/0/"])
    def test_an_address_that_leads_nowhere_is_404(self, hall: Hall, path: str) -> None:
        assert hall.get(path).status_code == 404

    def test_a_slot_that_is_over_is_409(self, hall: Hall) -> None:
        early = hall.session.starts_at
        Slot.objects.filter(pk=hall.slots[0].pk).update(starts_at=early, ends_at=early + timedelta(minutes=5))
        answer = hall.ask("online")
        assert (answer.status_code, code(answer)) == (409, "slot_over")

    def test_a_second_token_is_409_and_names_the_first(self, hall: Hall) -> None:
        held = hall.give("online")
        answer = hall.ask("online", 1, patient=held["patient"])
        assert (answer.status_code, code(answer)) == (409, "duplicate_token")
        assert answer.json()["errors"][0]["token"] == held["id"]

    @pytest.mark.parametrize(
        ("step", "body", "attr"),
        [
            ("hold", {}, "minutes"),
            ("hold", {"minutes": 0}, "minutes"),
            ("hold", {"minutes": 10**6}, "minutes"),
            ("overbook", {}, "reason"),
            ("overbook", {"reason": " "}, "reason"),
            ("move", {"reason": "x"}, "slot"),
            ("send", {"reason": "x"}, "doctor"),
            ("send", {"doctor": 1, "department": 1}, "doctor"),
            ("cancel", {"reason": "x" * 301}, "reason"),
            ("cancel", {"reason": "no_place"}, "reason"),
            ("away", {"where": "x" * 81}, "where"),
            ("change-patient", {}, "patient"),
        ],
    )
    def test_a_step_with_a_wrong_body_is_400(self, hall: Hall, step: str, body: dict, attr: str) -> None:
        token = hall.give("online")
        answer = hall.do(token, step, body)
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["attr"] == attr
        assert hall.get(f"tokens/{token['id']}/").json() == token
