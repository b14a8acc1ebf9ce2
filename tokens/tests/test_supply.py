"""Changes of supply: previewed, applied exactly as previewed or refused as stale, and undone."""

import pytest

from tokens import errors, supply
from tokens.models import Plan, SupplyEvent
from tokens.tests.factories import Morning, own_policy, refusal, rows
from tokens.tests.promises import broken_rules

pytestmark = pytest.mark.django_db


def everything(morning: Morning) -> list[tuple[object, ...]]:
    return [
        *rows(
            "SELECT t.* FROM tokens_token t JOIN scheduling_session s ON s.id = t.session_id"
            " WHERE s.facility_id = %s ORDER BY t.id",
            morning.facility.id,
        ),
        *rows("SELECT p.* FROM scheduling_slot p WHERE p.session_id = %s ORDER BY p.id", morning.session.id),
        *rows("SELECT * FROM scheduling_session WHERE id = %s", morning.session.id),
    ]


def told(plan: supply.PlanResult) -> list[tuple[int, str, str]]:
    """Token, what happens, and the status after it."""
    return [(row["token"], row["event"], row["after"]["status"]) for row in plan.plan["effects"]]


class TestPlans:
    def test_a_preview_changes_nothing_and_names_everybody_touched(self) -> None:
        morning = Morning(capacity=3)
        asha, bala, chitra = morning.fill(0, "Asha", "Bala", "Chitra")
        morning.arrive(chitra)
        before = everything(morning)
        preview = morning.capacity(0, 1, dry_run=True)
        assert everything(morning) == before
        assert (preview.plan["id"], preview.plan["applied"], preview.outcome) == (None, False, None)
        assert told(preview) == [(bala, "displaced", "waitlisted"), (asha, "displaced", "waitlisted")]
        effect = preview.plan["effects"][0]
        assert (effect["number"], effect["patient"], effect["arrived"], effect["message"]) == (
            morning.token(bala).number, morning.patient("Bala").id, False, "displaced",
        )  # fmt: skip
        assert effect["before"]["status"] == "confirmed"

    def test_it_is_applied_exactly_as_previewed(self) -> None:
        morning = Morning("ranked-next-slot", capacity=2)
        morning.fill(0, "Asha", "Bala")
        preview = morning.block(0, dry_run=True)
        applied = morning.block(0, version=preview.plan["version"])
        assert applied.plan["effects"] == preview.plan["effects"]
        assert (applied.plan["applied"], applied.plan["version"]) == (True, preview.plan["version"] + 1)
        for effect in applied.plan["effects"]:
            token = morning.token(effect["token"])
            assert (token.status, token.slot_id, token.number) == (
                effect["after"]["status"], effect["after"]["slot"], effect["after"]["number"],
            )  # fmt: skip

    def test_where_the_session_changed_since_it_is_stale_and_comes_with_the_new_preview(self) -> None:
        morning = Morning(capacity=2)
        morning.fill(0, "Asha", "Bala")
        preview = morning.capacity(0, 1, dry_run=True)
        morning.give("paid", "Chitra", 3)
        before = everything(morning)
        refused = refusal(morning.capacity, 0, 1, version=preview.plan["version"])
        assert (refused.code, refused.status) == ("plan_stale", 409)
        assert refused.data["plan"]["version"] == preview.plan["version"] + 1
        assert refused.data["plan"]["effects"] == preview.plan["effects"]
        assert everything(morning) == before

    def test_it_is_a_permission_of_its_own(self) -> None:
        morning = Morning()
        morning.by = morning.person("doctor")
        for action in (
            lambda: morning.capacity(0, 3),
            lambda: morning.block(0, dry_run=True),
        ):
            assert refusal(action).status == 403

    def test_a_doctor_may_say_that_he_is_late(self) -> None:
        morning = Morning()
        morning.by = morning.person("doctor")
        morning.delay(5)
        morning.session.refresh_from_db()
        assert morning.session.delay_minutes == 5


class TestCapacity:
    def test_who_loses_are_those_not_here_before_those_here_then_the_last_in_order(self) -> None:
        morning = Morning(capacity=4)
        asha, bala, chitra = morning.fill(0, "Asha", "Bala", "Chitra")
        paid = morning.give("paid", "Deepa")
        morning.arrive(bala)
        morning.capacity(0, 2)
        assert morning.status(asha, bala, chitra, paid) == ["waitlisted", "confirmed", "waitlisted", "confirmed"]
        morning.capacity(0, 1)
        assert morning.status(bala, paid) == ["confirmed", "waitlisted"]

    def test_the_called_the_seen_and_the_overbooked_never_lose_and_the_lowest_value_is_told(self) -> None:
        morning = Morning("ranked-overbook", capacity=4)
        called, inside, seen, loses = morning.fill(0, "Asha", "Bala", "Chitra", "Deepa", source="walk_in")
        over_capacity = morning.give("emergency", "Elango")
        morning.see(seen)
        morning.start(inside)
        morning.call(called)
        refused = refusal(morning.capacity, 0, 2)
        assert (refused.code, refused.data["lowest"]) == ("capacity_too_low", 3)
        morning.capacity(0, 3)
        assert morning.status(called, inside, seen, loses, over_capacity) == [
            "confirmed", "in_progress", "completed", "waitlisted", "confirmed",
        ]  # fmt: skip
        assert morning.counted(0) == (4, 1)

    @pytest.mark.parametrize("policy", ["weighted-waitlist", "ranked-overbook"])
    def test_who_moves_out_of_a_blocked_slot_leaves_before_the_overbooked_gets_the_place(self, policy: str) -> None:
        morning = Morning(policy, capacity=1)
        asha, bala = morning.give("online", "Asha"), morning.give("online", "Bala")
        morning.overbook(bala)
        morning.arrive(bala)
        morning.call(bala)
        morning.start(bala)
        plan = morning.block(0)
        assert (morning.place(asha), morning.place(bala)) == (("confirmed", 1), ("in_progress", 0))
        assert (morning.counted(0), morning.token(bala).overbooked) == ((1, 0), False)
        assert broken_rules([morning.session.id], morning.now) == []
        morning.undo_plan(plan)
        assert (morning.place(asha), morning.token(bala).overbooked) == (("confirmed", 0), True)
        assert (morning.counted(0), morning.counted(1)) == ((2, 1), (0, 0))

    def test_more_capacity_normalises_the_overbooked_and_promotes_who_waits(self) -> None:
        morning = Morning("ranked-overbook", capacity=1)
        _, bala = morning.fill(0, "Asha", "Bala")
        emergency = morning.give("emergency", "Chitra")
        applied = morning.capacity(0, 3)
        assert told(applied) == [(emergency, "normalised", "confirmed"), (bala, "promoted", "confirmed")]
        assert morning.counted(0) == (3, 0)

    def test_the_session_tells_it_too(self) -> None:
        morning = Morning()
        morning.capacity(0, 5)
        event = SupplyEvent.objects.get(session=morning.session)
        assert (event.kind, event.slot_id, event.changes) == ("capacity", morning.slots[0].id, {"capacity": 5})

    def test_a_slot_that_is_over_is_not_changed(self) -> None:
        morning = Morning()
        morning.clock("10:00")
        assert refusal(morning.capacity, 0, 5).code == "slot_over"


class TestBlocking:
    def test_its_patients_wait_for_the_later_slots_and_get_free_places_at_once(self) -> None:
        morning = Morning(capacity=[2, 1], slots=2)
        asha, bala = morning.fill(0, "Asha", "Bala")
        morning.block(0)
        assert morning.place(asha) == ("confirmed", 1)
        assert morning.place(bala) == ("waitlisted", 0)
        assert morning.story(asha)[-2:] == ["displaced", "promoted"]

    def test_unblocked_it_gives_its_places_to_who_waits(self) -> None:
        morning = Morning(capacity=[1, 1], slots=2)
        asha, bala = morning.fill(0, "Asha")[0], morning.fill(1, "Bala")[0]
        morning.block(0)
        assert morning.status(asha) == "waitlisted"
        morning.unblock(0)
        assert (morning.place(asha), morning.place(bala)) == (("confirmed", 0), ("confirmed", 1))

    def test_a_blocked_slot_is_not_blocked_again_nor_an_open_one_opened(self) -> None:
        morning = Morning()
        assert refusal(morning.unblock, 0).code == "slot_closed"
        morning.block(0)
        assert refusal(morning.block, 0).code == "slot_closed"

    def test_two_waitlists_are_merged_in_their_order_however_long(self) -> None:
        morning = Morning(capacity=1, slots=2)
        morning.fill(0, "Asha", source="paid")
        morning.fill(1, "Bala", source="paid")
        first = morning.fill(0, *(f"first {n}" for n in range(12)), source="follow_up")
        second = morning.fill(1, *(f"second {n}" for n in range(12)))
        morning.clock("10:00")
        morning.capacity(1, 13)
        assert morning.status(*first) == ["confirmed"] * 12
        assert morning.status(*second) == ["waitlisted"] * 12


class TestDelay:
    def test_it_moves_no_place_and_nobody_becomes_a_no_show_because_of_it(self) -> None:
        morning = Morning("considerate")
        asha, bala = morning.fill(0, "Asha", "Bala")
        morning.clock("09:10")
        morning.delay(30)
        assert morning.status(asha, bala) == ["confirmed", "confirmed"]
        assert refusal(morning.no_show, asha).code == "too_early"

    def test_what_time_does_to_slots_is_settled_with_it(self) -> None:
        morning = Morning(capacity=[1, 1], slots=2)
        bala = morning.fill(0, "Asha", "Bala")[1]
        morning.delay(60)
        morning.clock("10:30")
        morning.delay(0)
        assert morning.place(bala) == ("confirmed", 1)

    def test_a_pause_that_is_said_again_goes_on_since_it_began(self) -> None:
        morning = Morning()
        morning.act(supply.pause_session, session_id=morning.session.id)
        began = morning.now
        morning.clock("08:05")
        morning.act(supply.pause_session, session_id=morning.session.id)
        assert rows("SELECT paused_at FROM scheduling_session WHERE id = %s", morning.session.id) == [(began,)]
        kinds = rows("SELECT kind FROM tokens_supplyevent WHERE session_id = %s", morning.session.id)
        assert kinds == [("paused",)]

    def test_pause_and_resume_are_told(self) -> None:
        morning = Morning()
        morning.act(supply.pause_session, session_id=morning.session.id)
        assert rows("SELECT paused_at FROM scheduling_session WHERE id = %s", morning.session.id) == [(morning.now,)]
        morning.act(supply.resume_session, session_id=morning.session.id)
        kinds = SupplyEvent.objects.filter(session=morning.session).order_by("seq").values_list("kind", flat=True)
        assert list(kinds) == ["paused", "resumed"]
        assert rows("SELECT paused_at FROM scheduling_session WHERE id = %s", morning.session.id) == [(None,)]


class TestClose:
    def late_morning(self) -> tuple[Morning, dict[str, int]]:
        """It is 10:30; somebody was seen, two came, three did not, one waits."""
        morning = Morning(capacity=3)
        who = dict(zip(["seen", "here", "absent"], morning.fill(0, "Asha", "Bala", "Chitra"), strict=True))
        who["waits"] = morning.give("online", "Deepa")
        who["later here"], who["later absent"] = morning.fill(2, "Elango", "Fatima")
        morning.arrive(who["here"], who["later here"])
        morning.see(who["seen"])
        morning.clock("09:30")
        return morning, who

    def test_absent_of_begun_slots_are_no_shows_and_all_others_were_not_served(self) -> None:
        morning, who = self.late_morning()
        morning.close()
        after = {name: (morning.status(token), morning.last(token).reason) for name, token in who.items()}
        assert after == {
            "seen": ("completed", ""),
            "here": ("cancelled", "not_served"),
            "absent": ("no_show", ""),
            "waits": ("cancelled", "not_served"),
            "later here": ("cancelled", "not_served"),
            "later absent": ("cancelled", "not_served"),
        }
        assert broken_rules([morning.session.id], morning.now) == []

    def test_or_are_moved_to_the_doctor_s_next_free_places(self) -> None:
        morning, who = self.late_morning()
        evening = morning.sitting(morning.rao, "17:00", capacity=3)
        tomorrow = morning.sitting(morning.rao, "09:00", capacity=3, day=1)
        morning.close(move=True)
        place = {name: morning.token(token).session_id for name, token in who.items()}
        assert (place["here"], place["waits"], place["later here"]) == (evening.id, evening.id, evening.id)
        assert (place["later absent"], place["absent"]) == (tomorrow.id, morning.session.id)
        assert morning.token(who["here"]).arrived_at is not None

    def test_it_is_refused_while_someone_is_in_progress_even_at_a_test(self) -> None:
        morning = Morning()
        asha = morning.give("online", "Asha")
        morning.start(asha)
        assert refusal(morning.close).code == "doctor_busy"
        morning.send_away(asha)
        assert refusal(morning.close, dry_run=True).code == "doctor_busy"

    def test_nobody_closes_twice_and_nothing_goes_on(self) -> None:
        morning = Morning()
        morning.close()
        for action in (morning.close, lambda: morning.delay(5), morning.call_next):
            assert refusal(action).code == "session_over"

    def test_a_cancelled_session_makes_nobody_a_no_show(self) -> None:
        morning = Morning()
        asha = morning.give("online", "Asha")
        morning.clock("09:30")
        morning.act(supply.cancel_session, session_id=morning.session.id, reason="doctor ill")
        assert (morning.status(asha), morning.last(asha).reason) == ("cancelled", "not_served")


class TestRescore:
    def test_a_changed_policy_decides_new_requests_and_an_administrator_can_rescore(self) -> None:
        morning = Morning(capacity=1)
        asha, bala = morning.give("walk_in", "Asha"), morning.give("online", "Bala")
        morning.set_policy("ranked-overbook")
        assert [morning.token(t).score for t in (asha, bala)] == [100, 50]
        plan = morning.act(supply.rescore_session, session_id=morning.session.id, dry_run=True)
        assert [(row["token"], row["event"]) for row in plan.plan["effects"]] == [(bala, "rescored")]
        morning.act(supply.rescore_session, session_id=morning.session.id)
        assert [morning.token(t).score for t in (asha, bala)] == [100, 200]
        assert morning.status(asha, bala) == ["confirmed", "waitlisted"]


class TestUndoOfAPlan:
    @pytest.mark.parametrize("preset", ["weighted-waitlist", "ranked-next-slot"])
    @pytest.mark.parametrize("change", ["cut", "block", "close", "close and move", "raise"])
    def test_everything_is_as_before(self, preset: str, change: str) -> None:
        morning = Morning(preset, capacity=2)
        morning.sitting(morning.rao, "17:00", capacity=1)
        morning.fill(0, "Asha", "Bala")
        morning.set_policy(own_policy("weighted-waitlist"))
        morning.fill(0, "Chitra")
        morning.set_policy(preset)
        tokens = "SELECT id, status, slot_id, session_id, number, overbooked, ended_at FROM tokens_token ORDER BY id"
        slots = "SELECT id, capacity, status, used, overbooked FROM scheduling_slot ORDER BY id"
        before = rows(tokens), rows(slots)
        plan = {
            "cut": lambda: morning.capacity(0, 1),
            "block": lambda: morning.block(0),
            "close": morning.close,
            "close and move": lambda: morning.close(move=True),
            "raise": lambda: morning.capacity(0, 5),
        }[change]()
        assert (rows(tokens), rows(slots)) != before
        morning.undo_plan(plan)
        assert (rows(tokens), rows(slots)) == before
        assert broken_rules([morning.session.id], morning.now) == []
        assert Plan.objects.get(pk=plan.plan["id"]).undone_at == morning.now

    def test_who_was_seen_beyond_the_capacity_stands_beyond_it_again(self) -> None:
        morning = Morning("ranked-overbook", capacity=1, slots=1)
        first, urgent = morning.give("walk_in", "Asha"), morning.give("emergency", "Bala")
        morning.clock("09:30")
        morning.see(urgent)
        plan = morning.close()
        assert (morning.status(first), morning.token(urgent).overbooked) == ("cancelled", False)
        morning.undo_plan(plan)
        assert (morning.status(first), morning.token(urgent).overbooked) == ("confirmed", True)
        assert broken_rules([morning.session.id], morning.now) == []

    def test_not_twice(self) -> None:
        morning = Morning()
        plan = morning.block(0)
        morning.undo_plan(plan)
        assert refusal(morning.undo_plan, plan).code == "invalid_transition"

    def test_not_when_somebody_whom_it_touched_has_changed_since(self) -> None:
        morning = Morning(capacity=2)
        asha, bala = morning.fill(0, "Asha", "Bala")
        plan = morning.capacity(0, 1)
        assert morning.status(asha, bala) == ["confirmed", "waitlisted"]
        morning.pay(bala)
        assert refusal(morning.undo_plan, plan).code == "invalid_transition"

    def test_not_when_the_place_has_been_given_away(self) -> None:
        morning = Morning(capacity=1)
        morning.fill(0, "Asha", "Bala")
        plan = morning.capacity(0, 3)
        morning.fill(0, "Chitra")
        assert refusal(morning.undo_plan, plan).code == "place_taken"

    def test_a_plan_that_is_not_there_is_not_found(self) -> None:
        morning = Morning()
        missing = supply.PlanResult({"id": 0}, None)
        assert isinstance(refusal(morning.undo_plan, missing), errors.UnknownPlan)

    def test_not_when_a_later_change_of_the_same_supply_would_be_lost(self) -> None:
        morning = Morning(capacity=3)
        plan = morning.capacity(0, 5)
        morning.capacity(0, 4)
        assert refusal(morning.undo_plan, plan).code == "invalid_transition"
