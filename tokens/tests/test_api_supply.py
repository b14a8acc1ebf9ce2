"""Slots, sessions, plans and the grid through their real addresses."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from common.trips import Trip
from scheduling.tests.factories import RoomFactory
from tokens.jobs import settle_running_sessions
from tokens.models import Plan, Token
from tokens.tests.hall import HOUR, Hall, code

pytestmark = pytest.mark.django_db

SLOT = [
    "id",
    "doctor",
    "session",
    "room",
    "starts_at",
    "ends_at",
    "capacity",
    "used",
    "confirmed",
    "waitlisted",
    "overbooked",
    "free",
    "status",
]


@pytest.fixture
def hall() -> Hall:
    return Hall()


class TestSlots:
    def test_a_slot_has_the_shape_of_the_contract(self, hall: Hall) -> None:
        for _ in range(3):
            hall.give("online")
        slot = hall.get(f"slots/{hall.slots[0].pk}/").json()
        assert list(slot) == SLOT
        assert slot == hall.get("slots/").json()["results"][0]
        assert (slot["capacity"], slot["used"], slot["confirmed"], slot["waitlisted"], slot["free"]) == (2, 2, 2, 1, 0)
        assert (slot["doctor"], slot["room"], slot["status"]) == (hall.rao.pk, hall.room.pk, "open")

    def test_lists_are_narrowed_by_what_the_contract_names(self, hall: Hall) -> None:
        hall.give("online")
        hall.give("online")

        def found(query: str) -> list[int]:
            return [slot["id"] for slot in hall.get(f"slots/?{query}").json()["results"]]

        ids = [slot.pk for slot in hall.slots]
        assert found("free=true") == ids[1:]
        assert found("free=false") == ids[:1]
        assert found(f"doctor={hall.rao.pk}&date={hall.date}&department={hall.department.pk}") == ids
        assert found(f"date_from={hall.date + timedelta(days=1)}") == found("date_to=2020-01-01") == []

    def test_a_slot_that_has_ended_is_over_and_one_of_a_late_doctor_is_not(self, hall: Hall) -> None:
        slot = hall.slots[0]
        type(slot).objects.filter(pk=slot.pk).update(ends_at=slot.starts_at + timedelta(minutes=20))
        assert hall.get(f"slots/{slot.pk}/").json()["status"] == "over"
        hall.post(f"sessions/{hall.session.pk}/delay/", {"minutes": 60})
        assert hall.get(f"slots/{slot.pk}/").json()["status"] == "open"
        assert slot.pk in [one["id"] for one in hall.get("slots/?free=true").json()["results"]]

    def test_a_slot_by_hand_and_an_overlap(self, hall: Hall) -> None:
        start = hall.session.ends_at
        body = {
            "doctor": hall.rao.pk,
            "room": hall.room.pk,
            "starts_at": start.isoformat(),
            "ends_at": (start + HOUR).isoformat(),
            "capacity": 3,
        }
        made = hall.post("slots/", body, role="manager")
        assert made.status_code == 201
        assert (made.json()["session"], made.json()["free"]) == (hall.session.pk, 3)
        answer = hall.post("slots/", body, role="manager")
        assert (answer.status_code, code(answer)) == (409, "overlap")
        room = RoomFactory(facility=Hall(name="Other Hospital").facility).pk
        assert hall.post("slots/", {**body, "room": room}).status_code in (400, 404)
        assert hall.post("slots/", {**body, "starts_at": "soon"}).status_code == 400

    def test_who_waited_gets_a_place_in_a_slot_added_by_hand(self, hall: Hall) -> None:
        for _ in range(8):
            hall.give("online", 3)
        type(hall.slots[3]).objects.filter(pk=hall.slots[3].pk).update(status="blocked")
        start = hall.session.ends_at
        body = {"doctor": hall.rao.pk, "room": hall.room.pk, "capacity": 2}
        times = {"starts_at": start.isoformat(), "ends_at": (start + HOUR).isoformat()}
        assert hall.post("slots/", body | times).json()["confirmed"] == 2


class TestPlans:
    def test_a_preview_changes_nothing_and_is_applied_as_it_was_previewed(self, hall: Hall) -> None:
        one, two = hall.give("online"), hall.give("online")
        url = f"slots/{hall.slots[0].pk}/capacity/"
        preview = hall.post(url, {"capacity": 1, "dry_run": True}).json()
        assert (preview["id"], preview["applied"]) == (None, False)
        assert [(e["token"], e["after"]["status"]) for e in preview["effects"]] == [(two["id"], "waitlisted")]
        assert hall.get(f"tokens/{two['id']}/").json()["status"] == "confirmed"
        applied = hall.post(url, {"capacity": 1, "version": preview["version"]}).json()
        assert applied["applied"] is True
        assert applied["effects"] == preview["effects"]
        assert hall.get(f"tokens/{one['id']}/").json()["status"] == "confirmed"
        undone = hall.post(f"plans/{applied['id']}/undo/")
        assert (undone.status_code, undone.json()["id"]) == (200, hall.session.pk)
        assert hall.get(f"slots/{hall.slots[0].pk}/").json()["capacity"] == 2
        assert hall.get(f"tokens/{two['id']}/").json()["status"] == "confirmed"

    def test_a_stale_preview_is_409_with_the_new_plan(self, hall: Hall) -> None:
        hall.give("online")
        url = f"slots/{hall.slots[0].pk}/capacity/"
        preview = hall.post(url, {"capacity": 1, "dry_run": True}).json()
        loser = hall.give("online")
        answer = hall.post(url, {"capacity": 1, "version": preview["version"]})
        assert (answer.status_code, code(answer)) == (409, "plan_stale")
        plan = answer.json()["errors"][0]["plan"]
        assert [effect["token"] for effect in plan["effects"]] == [loser["id"]]
        assert not Plan.objects.exists()
        assert hall.post(url, {"capacity": 1, "version": plan["version"]}).status_code == 200

    def test_a_cut_below_who_cannot_lose_a_place_names_the_lowest_value(self, hall: Hall) -> None:
        hall.give("walk_in")
        hall.post(f"sessions/{hall.session.pk}/call-next/")
        answer = hall.post(f"slots/{hall.slots[0].pk}/capacity/", {"capacity": 0})
        assert (answer.status_code, code(answer)) == (409, "capacity_too_low")
        assert answer.json()["errors"][0]["lowest"] == 1

    def test_block_and_unblock(self, hall: Hall) -> None:
        token = hall.give("online")
        slot = f"slots/{hall.slots[0].pk}"
        assert hall.post(f"{slot}/block/", {"reason": "flood"}).json()["slot"] == hall.slots[0].pk
        assert hall.get(f"{slot}/").json()["status"] == "blocked"
        assert code(hall.ask("online")) == "slot_closed"
        assert hall.post(f"{slot}/unblock/").status_code == 200
        assert hall.get(f"tokens/{token['id']}/").json()["status"] == "confirmed"

    @pytest.mark.parametrize("body", [{}, {"capacity": -1}, {"capacity": 10**6}, {"capacity": "x"}, {"capacity": None}])
    def test_a_capacity_that_means_nothing_is_400(self, hall: Hall, body: dict[str, Any]) -> None:
        answer = hall.post(f"slots/{hall.slots[0].pk}/capacity/", body)
        assert (answer.status_code, answer.json()["errors"][0]["attr"]) == (400, "capacity")

    def test_a_plan_that_is_not_there_is_404(self, hall: Hall) -> None:
        assert code(hall.post(f"plans/{2**60}/undo/")) == "not_found"


class TestSessions:
    def test_the_queue_says_who_is_served_called_next_and_waiting(self, hall: Hall) -> None:
        inside, called, waits = hall.give("walk_in"), hall.give("walk_in"), hall.give("walk_in", 1)
        expected, without = hall.give("online", 1), hall.give("online", 1)
        session = f"sessions/{hall.session.pk}"
        assert hall.post(f"{session}/call-next/").json()["id"] == inside["id"]
        hall.done(inside, "start")
        hall.post(f"{session}/call-next/")
        queue = hall.get(f"{session}/queue/").json()
        assert queue["now_serving"]["id"] == inside["id"]
        assert [t["id"] for t in queue["called"]] == [called["id"]]
        assert queue["next"]["id"] == waits["id"]
        assert [t["id"] for t in queue["waiting"]] == [waits["id"], expected["id"]]
        assert [t["id"] for t in queue["waitlisted"]] == [without["id"]]
        assert queue["passed_over"] == {str(expected["id"]): "not_here"}

    def test_delay_pause_and_resume_answer_with_the_session(self, hall: Hall) -> None:
        session = f"sessions/{hall.session.pk}"
        assert hall.post(f"{session}/delay/", {"minutes": 20}).json()["delay_minutes"] == 20
        assert hall.post(f"{session}/pause/").json()["paused_at"]
        shown = hall.post(f"{session}/resume/").json()
        assert shown["paused_at"] is None
        assert hall.get(f"{session}/").json() == shown
        assert hall.get(f"sessions/?doctor={hall.rao.pk}&date={hall.date}").json()["results"] == [shown]

    def test_closing_is_previewed_and_tells_what_became_of_everybody(self, hall: Hall) -> None:
        absent, here = hall.give("online"), hall.give("walk_in", 1)
        url = f"sessions/{hall.session.pk}/close/"
        preview = hall.post(url, {"dry_run": True}).json()
        assert (preview["status"], preview["plan"]["applied"]) == ("open", False)
        closed = hall.post(url, {"version": preview["plan"]["version"]}).json()
        assert (closed["status"], closed["plan"]["applied"]) == ("closed", True)
        after = {effect["token"]: effect["after"]["status"] for effect in closed["plan"]["effects"]}
        assert after == {absent["id"]: "no_show", here["id"]: "cancelled"}
        answer = hall.post(f"sessions/{hall.session.pk}/call-next/")
        assert (answer.status_code, code(answer)) == (409, "session_over")

    def test_cancel_and_rescore(self, hall: Hall) -> None:
        hall.give("online")
        assert hall.post(f"sessions/{hall.session.pk}/rescore/").json()["plan"]["effects"] == []
        cancelled = hall.post(f"sessions/{hall.session.pk}/cancel/", {"reason": "ill"}).json()
        assert cancelled["status"] == "cancelled"
        assert hall.get("slots/").json()["results"][0]["status"] == "cancelled"

    @pytest.mark.parametrize("minutes", [-1, 10**6, "x", None])
    def test_a_delay_that_means_nothing_is_400(self, hall: Hall, minutes: Any) -> None:
        assert hall.post(f"sessions/{hall.session.pk}/delay/", {"minutes": minutes}).status_code == 400

    def test_one_that_is_not_there_is_404(self, hall: Hall) -> None:
        for step in ("call-next", "pause", "resume", "close", "cancel", "rescore"):
            assert code(hall.post(f"sessions/{2**60}/{step}/")) == "not_found"


class TestTheGrid:
    def test_it_holds_everything_of_the_day(self, hall: Hall) -> None:
        token = hall.give("online")
        grid = hall.get("board/").json()
        assert (grid["date_from"], grid["date_to"]) == (str(hall.date), str(hall.date))
        assert [doctor["name"] for doctor in grid["resources"]["doctors"]] == ["Dr Rao"]
        assert [room["name"] for room in grid["resources"]["rooms"]] == ["Room 4"]
        assert [session["id"] for session in grid["sessions"]] == [hall.session.pk]
        assert grid["slots"] == hall.get("slots/").json()["results"]
        assert grid["tokens"] == [token]

    def test_it_is_narrowed(self, hall: Hall) -> None:
        hall.give("online")
        here = f"board/?doctor={hall.rao.pk}&department={hall.department.pk}&room={hall.room.pk}"
        assert len(hall.get(f"{here}&date_from={hall.date}&date_to={hall.date}").json()["tokens"]) == 1
        assert hall.get(f"board/?doctor={2**60}").json()["tokens"] == []
        assert hall.get("board/?date_from=2020-01-01&date_to=2020-01-31").json()["slots"] == []

    @pytest.mark.parametrize(
        "query", ["doctor=x", "date_from=x", f"room={2**70}", "date_from=2026-02-01&date_to=2026-01-01"]
    )
    def test_a_query_that_means_nothing_is_400(self, hall: Hall, query: str) -> None:
        assert hall.get(f"board/?{query}").status_code == 400

    def test_too_many_days_are_refused(self, hall: Hall) -> None:
        answer = hall.get("board/?date_from=2026-01-01&date_to=2026-12-31")
        assert (answer.status_code, answer.json()["errors"][0]["attr"]) == (400, "date_to")

    def test_another_facility_sees_nothing_of_it(self, hall: Hall) -> None:
        hall.give("online")
        grid = Hall(name="Other Hospital").get("board/").json()
        assert (grid["tokens"], grid["resources"]["doctors"][0]["id"] == hall.rao.pk) == ([], False)


class TestCounting:
    """Queries and round trips, with how many they may be. Signing in is one of the queries."""

    def queries(self, hall: Hall, path: str) -> int:
        with CaptureQueriesContext(
            connection,
        ) as seen:
            assert hall.get(path).status_code == 200
        return len(seen)

    def test_a_list_costs_the_same_however_many_rows(self, hall: Hall) -> None:
        paths = [
            "board/",
            "tokens/",
            "slots/",
            "sessions/",
            f"slots/{hall.slots[0].pk}/tokens/",
            f"sessions/{hall.session.pk}/queue/",
        ]
        token = hall.give("online")
        paths.append(f"tokens/{token['id']}/events/")
        few = {path: self.queries(hall, path) for path in paths}
        for source in ("online", "walk_in", "follow_up", "paid", "emergency") * 4:
            hall.give(source, len(source) % 4)
        assert {path: self.queries(hall, path) for path in paths} == few
        assert max(few.values()) <= 9

    def test_a_token_costs_one_query_and_three_trips(self, hall: Hall) -> None:
        hall.give("online")
        body = {"slot": hall.slots[1].pk, "patient": hall.patient().pk, "source": "online"}
        hall.client()
        trips = Trip.sent
        with CaptureQueriesContext(connection) as seen:
            assert hall.post("tokens/", body).status_code == 201
        asked = [query["sql"] for query in seen if "SAVEPOINT" not in query["sql"]]
        assert len(asked) == 1, asked
        assert "accounts_device" in asked[0]
        assert Trip.sent - trips == 2  # and the commit is the third


class TestTheJob:
    def test_it_settles_what_time_has_changed(self, hall: Hall) -> None:
        for _ in range(3):
            hall.give("online")
        slot = hall.slots[0]
        type(slot).objects.filter(pk=slot.pk).update(ends_at=slot.starts_at + timedelta(minutes=20))
        settle_running_sessions(0)
        waiting = Token.objects.get(number="A-003")
        assert (waiting.status, waiting.slot_id) == ("confirmed", hall.slots[1].pk)

    def test_run_twice_it_changes_nothing_more(self, hall: Hall) -> None:
        for _ in range(3):
            hall.give("online")
        settle_running_sessions(0)
        before = list(Token.objects.values_list("id", "status", "events"))
        settle_running_sessions(0)
        assert list(Token.objects.values_list("id", "status", "events")) == before
