"""Every rule of the source documents that is about tokens, by name: a class a document, a test a rule.

Where the product knowingly does otherwise, the test shows what it does and says so.
"""

import inspect

import pytest
from django.db import IntegrityError, connection, models, transaction

from scheduling import locking
from tokens import allocation, rules
from tokens.events import replay
from tokens.facts import PRESETS
from tokens.models import Event, Token
from tokens.tests.factories import DAY, Morning, own_policy, refusal, rows
from tokens.tests.promises import broken_rules

pytestmark = pytest.mark.django_db


class TestOpdTokenEngineNextSlot:
    """OPD Token Allocation Engine, the one that moves the displaced to the next slot: preset `ranked-next-slot`."""

    @pytest.fixture
    def morning(self) -> Morning:
        return Morning("ranked-next-slot", capacity=1, slots=3)

    def test_each_doctor_operates_in_fixed_time_slots(self, morning: Morning) -> None:
        windows = [(slot.starts_at.hour, slot.ends_at.hour) for slot in morning.slots]
        assert windows == [(9, 10), (10, 11), (11, 12)]

    def test_every_slot_has_a_maximum_capacity(self, morning: Morning) -> None:
        morning.fill(0, "Asha", "Bala")
        assert morning.counted(0) == (1, 0)

    def test_tokens_are_allocated_within_strict_slot_limits(self, morning: Morning) -> None:
        waiting = morning.fill(0, "Asha")[0]
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("UPDATE scheduling_slot SET capacity = 0 WHERE id = %s", [morning.slots[0].id])
        assert morning.status(waiting) == "confirmed"

    @pytest.mark.parametrize("source", ["online", "walk_in", "paid", "follow_up", "emergency"])
    def test_tokens_come_from_five_sources(self, morning: Morning, source: str) -> None:
        assert morning.token(morning.give(source, "Asha")).source == source

    def test_the_priorities_are_emergency_paid_follow_up_online_walk_in(self) -> None:
        policy = PRESETS["ranked-next-slot"]
        ranked = ["emergency", "paid", "follow_up", "online", "walk_in"]
        assert sorted(ranked, key=lambda source: -rules.score(source, source == "paid", policy)) == ranked

    def test_if_the_slot_has_capacity_the_token_is_added_normally(self, morning: Morning) -> None:
        assert morning.place(morning.give("walk_in", "Asha")) == ("confirmed", 0)

    def test_if_the_slot_is_full_priority_is_checked_and_the_higher_replaces_the_lower(self, morning: Morning) -> None:
        walk_in, online = morning.give("walk_in", "Asha"), morning.give("online", "Bala")
        assert (morning.place(online), morning.place(walk_in)) == (("confirmed", 0), ("confirmed", 1))

    def test_the_displaced_token_moves_to_the_next_available_slot(self, morning: Morning) -> None:
        displaced = morning.give("walk_in", "Asha", 0)
        morning.give("walk_in", "Bala", 1)
        morning.give("paid", "Chitra", 0)
        assert morning.place(displaced) == ("confirmed", 2)

    def test_the_next_available_slot_may_be_on_another_day(self, morning: Morning) -> None:
        tomorrow = morning.sitting(morning.rao, "09:00", day=1)
        displaced = morning.give("walk_in", "Asha", 2)
        morning.give("paid", "Bala", 2)
        assert (morning.status(displaced), morning.token(displaced).session_id) == ("confirmed", tomorrow.id)

    def test_emergency_tokens_always_get_highest_preference(self, morning: Morning) -> None:
        paid, emergency = morning.give("paid", "Asha"), morning.give("emergency", "Bala")
        assert (morning.place(emergency), morning.place(paid)) == (("confirmed", 0), ("confirmed", 1))

    def test_an_emergency_is_always_inserted_even_if_the_slot_is_full_and_the_lowest_is_shifted(self) -> None:
        morning = Morning("ranked-next-slot", capacity=2)
        paid, walk_in = morning.give("paid", "Asha"), morning.give("walk_in", "Bala")
        emergency = morning.give("emergency", "Chitra")
        assert (morning.place(emergency), morning.place(paid), morning.place(walk_in)) == (
            ("confirmed", 0), ("confirmed", 0), ("confirmed", 1),
        )  # fmt: skip

    def test_if_no_slot_is_available_the_token_is_marked_cancelled(self, morning: Morning) -> None:
        displaced = morning.give("walk_in", "Asha", 2)
        morning.give("paid", "Bala", 2)
        newcomer = morning.give("online", "Chitra", 2)
        for token in (displaced, newcomer):
            assert (morning.status(token), morning.last(token).reason) == ("cancelled", "no_place")

    def test_knowingly_otherwise_an_emergency_that_finds_no_place_waits_first_in_line_with_an_alert(
        self, morning: Morning
    ) -> None:
        for slot in range(3):
            morning.give("emergency", f"emergency {slot}", slot)
        outcome = morning.ask("emergency", "Asha", 0)
        assert (outcome.token.status, outcome.position, outcome.alerts) == ("waitlisted", 1, (outcome.token.id,))

    def test_a_cancelled_token_is_removed_from_the_slot_and_the_capacity_freed(self, morning: Morning) -> None:
        asha = morning.give("online", "Asha")
        morning.cancel(asha)
        assert morning.counted(0) == (0, 0)

    def test_the_space_becomes_available_for_new_tokens(self, morning: Morning) -> None:
        morning.cancel(morning.give("online", "Asha"))
        assert morning.place(morning.give("walk_in", "Bala")) == ("confirmed", 0)


class TestOpdTokenEngineNodeMongo:
    """OPD token engine with emergency override and overbooking: preset `ranked-overbook`."""

    @pytest.fixture
    def morning(self) -> Morning:
        return Morning("ranked-overbook", capacity=1)

    def test_the_priorities_are_emergency_paid_followup_online_walkin(self) -> None:
        policy = PRESETS["ranked-overbook"]
        ranked = ["emergency", "paid", "follow_up", "online", "walk_in"]
        assert sorted(ranked, key=lambda source: -rules.score(source, source == "paid", policy)) == ranked

    def test_an_emergency_is_allocated_immediately_and_may_overbook(self, morning: Morning) -> None:
        online, emergency = morning.give("online", "Asha"), morning.give("emergency", "Bala")
        assert morning.status(online, emergency) == ["confirmed", "confirmed"]
        assert morning.token(emergency).overbooked

    def test_the_slot_is_marked_as_overbooked(self, morning: Morning) -> None:
        morning.give("online", "Asha")
        morning.give("emergency", "Bala")
        assert morning.counted(0) == (2, 1)

    def test_emergency_is_an_override_that_bypasses_capacity_again_and_again(self, morning: Morning) -> None:
        tokens = morning.fill(0, "Asha", "Bala", "Chitra", source="emergency")
        assert morning.status(*tokens) == ["confirmed"] * 3
        assert morning.counted(0) == (3, 2)

    def test_nobody_but_an_emergency_exceeds_a_hard_capacity(self, morning: Morning) -> None:
        morning.give("paid", "Asha")
        assert morning.status(morning.give("paid", "Bala")) == "waitlisted"

    def test_knowingly_otherwise_a_named_person_may_overbook(self, morning: Morning) -> None:
        morning.give("paid", "Asha")
        waiting = morning.give("online", "Bala")
        morning.overbook(waiting)
        assert (morning.status(waiting), morning.counted(0)) == ("confirmed", (2, 1))

    def test_with_free_capacity_the_token_is_allocated(self, morning: Morning) -> None:
        assert morning.status(morning.give("walk_in", "Asha")) == "confirmed"

    def test_full_it_is_compared_with_the_lowest_booked_which_is_bumped_by_a_higher(self, morning: Morning) -> None:
        walk_in, online = morning.give("walk_in", "Asha"), morning.give("online", "Bala")
        assert morning.status(walk_in, online) == ["waitlisted", "confirmed"]

    def test_else_it_is_added_to_the_waitlist(self, morning: Morning) -> None:
        morning.give("online", "Asha")
        assert morning.status(morning.give("walk_in", "Bala")) == "waitlisted"

    def test_a_cancelled_token_frees_the_slot_and_the_highest_priority_waiter_is_promoted(
        self, morning: Morning
    ) -> None:
        paid, walk_in, online = (morning.give(s, s) for s in ("paid", "walk_in", "online"))
        morning.cancel(paid)
        assert morning.status(walk_in, online) == ["waitlisted", "confirmed"]

    def test_a_no_show_frees_the_slot_and_the_highest_priority_waiter_is_promoted(self, morning: Morning) -> None:
        paid, walk_in, online = (morning.give(s, s) for s in ("paid", "walk_in", "online"))
        morning.no_show(paid)
        assert morning.status(walk_in, online) == ["waitlisted", "confirmed"]

    def test_knowingly_otherwise_a_freed_place_of_an_overbooked_slot_goes_to_the_overbooked_first(
        self, morning: Morning
    ) -> None:
        paid, waiting, emergency = (
            morning.give("paid", "a"),
            morning.give("online", "b"),
            morning.give("emergency", "c"),
        )
        morning.cancel(paid)
        assert (morning.token(emergency).overbooked, morning.status(waiting)) == (False, "waitlisted")

    def test_knowingly_otherwise_cancelling_an_overbooked_token_frees_no_place(self, morning: Morning) -> None:
        _, waiting, emergency = morning.give("paid", "a"), morning.give("online", "b"), morning.give("emergency", "c")
        assert morning.cancel(emergency).promoted == ()
        assert morning.status(waiting) == "waitlisted"

    def test_there_is_a_single_allocation_engine_reused_everywhere(self) -> None:
        """Every action decides in one place and writes in one place (see also `test_one_writer`)."""
        for name in ("cancel_token", "mark_no_show", "return_late", "mark_paid", "overbook_token"):
            assert "of_token(" in inspect.getsource(getattr(allocation, name))


class TestOpdTokenEngineNodePostgres:
    """OPD token engine with weights and a waitlist: preset `weighted-waitlist`, the default."""

    @pytest.fixture
    def morning(self) -> Morning:
        return Morning(capacity=1)

    def test_it_is_the_default_where_nothing_is_set(self) -> None:
        morning = Morning(capacity=1)
        rows("DELETE FROM tokens_policyassignment WHERE facility_id = %s RETURNING id", morning.facility.id)
        assert morning.token(morning.give("follow_up", "Asha", paid=True)).score == 500

    @pytest.mark.parametrize(
        ("source", "paid", "score"),
        [
            ("emergency", False, 1000), ("paid", True, 300), ("follow_up", False, 200), ("walk_in", False, 100),
            ("online", False, 50), ("emergency", True, 1300), ("follow_up", True, 500), ("online", True, 350),
        ],
    )  # fmt: skip
    def test_priority_weights(self, morning: Morning, source: str, paid: bool, score: int) -> None:
        assert morning.token(morning.give(source, "Asha", paid=paid)).score == score

    def test_priority_factors_in_order_emergency_payment_source_fifo(self) -> None:
        morning = Morning(capacity=9)
        asked = [("online", False), ("online", False), ("walk_in", False), ("follow_up", False), ("paid", True)]
        tokens = [morning.give(s, f"{n}", paid=p and s != "paid") for n, (s, p) in enumerate(asked)]
        tokens.append(morning.give("emergency", "last"))
        order = sorted((morning.token(t) for t in tokens), key=rules.rank)
        assert [(t.source, t.number[-3:]) for t in order] == [
            ("emergency", "006"), ("paid", "005"), ("follow_up", "004"), ("walk_in", "003"), ("online", "001"),
            ("online", "002"),
        ]  # fmt: skip

    def test_ties_are_resolved_by_request_time(self, morning: Morning) -> None:
        first, second, third = morning.fill(0, "Asha", "Bala", "Chitra")
        morning.cancel(first)
        assert morning.status(second, third) == ["confirmed", "waitlisted"]

    def test_a_slot_is_a_window_and_tokens_are_visits_within_it(self) -> None:
        morning = Morning(capacity=6)
        tokens = morning.fill(0, *"abcdef")
        assert {morning.token(t).slot_id for t in tokens} == {morning.slots[0].id}

    def test_slot_capacity_is_never_exceeded(self, morning: Morning) -> None:
        for n, source in enumerate(["online", "emergency", "paid", "emergency", "walk_in"]):
            morning.give(source, f"{n}")
        assert broken_rules([morning.session.id], morning.now) == []
        assert morning.counted(0) == (1, 0)

    def test_the_same_state_always_gives_the_same_allocation(self) -> None:
        stories = []
        for _ in range(2):
            morning = Morning(capacity=1)
            tokens = [morning.give(s, f"{n}") for n, s in enumerate(["online", "paid", "walk_in", "emergency", "paid"])]
            stories.append([(morning.place(t), morning.story(t)) for t in tokens])
        assert stories[0] == stories[1]

    def test_every_state_change_is_an_event_in_an_append_only_log(self, morning: Morning) -> None:
        asha = morning.give("walk_in", "Asha")
        morning.start(asha)
        morning.complete(asha)
        assert morning.story(asha) == ["requested", "confirmed", "started", "completed"]
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            Event.objects.filter(token=asha).delete()

    def test_events_alone_rebuild_the_state(self, morning: Morning) -> None:
        asha = morning.give("online", "Asha")
        morning.give("paid", "Bala")
        morning.cancel(asha)
        assert replay([morning.session.id]) == (2, Event.objects.filter(session_id=morning.session.id).count(), [])

    def test_a_patient_does_not_authenticate_and_tokens_are_made_on_its_behalf(self, morning: Morning) -> None:
        asha = morning.person("reception")
        morning.by = asha
        token = morning.give("online", "Bala")
        assert morning.last(token).actor == asha

    def test_a_doctor_can_create_follow_up_tokens(self, morning: Morning) -> None:
        morning.by = morning.person("doctor")
        assert morning.status(morning.give("follow_up", "Asha")) == "confirmed"
        assert refusal(morning.ask, "walk_in", "Bala").status == 403

    @pytest.mark.parametrize("source", ["walk_in", "emergency"])
    def test_an_employee_can_create_walk_in_and_emergency_tokens(self, morning: Morning, source: str) -> None:
        morning.by = morning.person("staff")
        assert morning.status(morning.give(source, "Asha")) == "confirmed"
        assert refusal(morning.ask, "follow_up", "Bala").status == 403

    def test_the_life_of_a_token_goes_from_requested_to_confirmed_or_waitlisted_and_back(
        self, morning: Morning
    ) -> None:
        asha = morning.give("online", "Asha")
        paid = morning.give("paid", "Bala")
        morning.cancel(paid)
        assert morning.story(asha) == ["requested", "confirmed", "displaced", "promoted"]

    def test_and_from_in_progress_to_completed_or_cancelled(self) -> None:
        morning = Morning(capacity=2)
        asha, bala = morning.fill(0, "Asha", "Bala")
        morning.see(asha)
        morning.start(bala)
        morning.cancel(bala)
        assert morning.status(asha, bala) == ["completed", "cancelled"]

    def test_knowingly_otherwise_a_started_visit_does_not_become_a_no_show(self, morning: Morning) -> None:
        asha = morning.give("online", "Asha")
        morning.start(asha)
        assert refusal(morning.no_show, asha).code == "invalid_transition"

    def test_knowingly_otherwise_a_completed_visit_still_holds_its_place(self, morning: Morning) -> None:
        morning.see(morning.give("online", "Asha"))
        assert morning.status(morning.give("paid", "Bala")) == "waitlisted"

    def test_knowingly_otherwise_a_called_token_is_not_displaced(self, morning: Morning) -> None:
        asha = morning.give("walk_in", "Asha")
        morning.call(asha)
        morning.give("emergency", "Bala", 0)
        assert morning.place(asha) == ("confirmed", 0)

    def test_knowingly_otherwise_nothing_is_promoted_into_a_slot_that_is_over(self) -> None:
        morning = Morning(capacity=1, slots=1)
        asha, bala = morning.fill(0, "Asha", "Bala")
        morning.clock("10:00")
        morning.cancel(asha)
        assert morning.status(bala) == "waitlisted"

    def test_allocate_1_and_2_in_a_transaction_the_lock_comes_first(self) -> None:
        with transaction.atomic():
            assert "FOR NO KEY UPDATE" in locking.lock_statement("slots")

    def test_allocate_5_capacity_available_confirms(self, morning: Morning) -> None:
        assert morning.status(morning.give("online", "Asha")) == "confirmed"

    def test_allocate_5_full_and_higher_displaces_the_lowest(self) -> None:
        morning = Morning(capacity=2)
        walk_in, online, follow_up = (morning.give(s, s) for s in ("walk_in", "online", "follow_up"))
        assert morning.status(walk_in, online, follow_up) == ["confirmed", "waitlisted", "confirmed"]

    def test_allocate_5_full_and_not_higher_waits(self, morning: Morning) -> None:
        morning.give("walk_in", "Asha")
        assert morning.status(morning.give("walk_in", "Bala")) == "waitlisted"

    def test_allocate_6_a_sequence_number_is_assigned(self) -> None:
        morning = Morning(capacity=3)
        outcomes = [morning.ask(source, source) for source in ("online", "paid", "walk_in")]
        assert [outcome.position for outcome in outcomes] == [1, 1, 2]
        assert [outcome.token.number[-3:] for outcome in outcomes] == ["001", "002", "003"]

    def test_allocate_7_events_are_emitted_in_the_same_transaction(self, morning: Morning) -> None:
        asha = morning.give("online", "Asha")
        assert Event.objects.filter(token=asha).count() == Token.objects.get(pk=asha).events == 2

    def test_cancel_promotes_the_next_and_sequence_numbers_stay_gapless(self) -> None:
        morning = Morning(capacity=2)
        asha, *_ = morning.fill(0, "Asha", "Bala", "Chitra", "Deepa")
        chitra = morning.cancel(asha).promoted[0]
        assert morning.arrive(chitra) is None
        waiting = Token.objects.get(slot=morning.slots[0], status="waitlisted")
        assert morning.pay(waiting.id).position == 1

    def test_a_no_show_frees_capacity_and_promotes_from_the_waitlist(self, morning: Morning) -> None:
        asha, bala = morning.fill(0, "Asha", "Bala")
        assert morning.no_show(asha).promoted == (bala,)

    def test_emergency_insertion_displaces_the_lowest_confirmed_and_nobody_else(self) -> None:
        morning = Morning(capacity=3)
        tokens = [morning.give(source, source) for source in ("paid", "online", "walk_in")]
        outcome = morning.ask("emergency", "Asha")
        assert outcome.displaced == (tokens[1],)
        assert len(outcome.touched) == 2

    def test_promotion_takes_the_highest_priority_waiter(self, morning: Morning) -> None:
        first, *waiting = (morning.give(s, s) for s in ("paid", "online", "follow_up", "walk_in"))
        assert morning.cancel(first).promoted == (waiting[1],)

    def test_edge_case_multiple_same_priority_tokens(self, morning: Morning) -> None:
        tokens = morning.fill(0, "Asha", "Bala", "Chitra", source="walk_in")
        assert morning.status(*tokens) == ["confirmed", "waitlisted", "waitlisted"]

    def test_edge_case_emergency_in_mid_slot(self, morning: Morning) -> None:
        asha = morning.give("online", "Asha")
        morning.clock("09:30")
        assert morning.status(morning.give("emergency", "Bala"), asha) == ["confirmed", "waitlisted"]

    def test_edge_case_no_show_just_before_the_consultation(self, morning: Morning) -> None:
        asha, bala = morning.fill(0, "Asha", "Bala")
        morning.arrive(asha)
        morning.call(asha)
        assert morning.no_show(asha).promoted == (bala,)


class TestHospitalManagementDatabase:
    """The hospital database's queue of a doctor's day."""

    def test_knowingly_otherwise_the_number_is_the_session_s_counter_and_never_the_last_visit_plus_one(self) -> None:
        """Two desks that read the last number at once would print it twice; a cancelled one would be printed again."""
        morning = Morning()
        asha = morning.give("online", "Asha")
        morning.slots.append(morning.sitting(morning.rao, "17:00").slots.get())
        morning.move(asha, 4)
        assert morning.token(morning.give("online", "Bala", 0)).number == f"{morning.session.prefix}-002"

    def test_knowingly_otherwise_the_queue_position_is_derived_and_never_stored(self) -> None:
        assert not {"queue_position", "position", "sequence"} & {field.name for field in Token._meta.get_fields()}

    def test_the_queue_is_of_a_doctor_and_a_date_in_order_of_position(self) -> None:
        morning = Morning(capacity=3)
        asha, bala = morning.fill(0, "Asha", "Bala")
        other = morning.sitting(morning.doctor("Dr Mehta"), "09:00")
        morning.slots.append(other.slots.get())
        morning.fill(4, "Chitra")
        morning.arrive(bala, asha)
        assert [morning.call_next(), morning.call_next(), morning.call_next()] == [asha, bala, None]

    def test_waiting_then_in_consultation_with_the_time_of_entry(self) -> None:
        morning = Morning()
        asha = morning.give("walk_in", "Asha")
        morning.clock("09:07")
        morning.start(asha)
        assert (morning.status(asha), morning.token(asha).started_at) == ("in_progress", morning.now)

    def test_the_queue_has_an_index(self) -> None:
        assert {index.name for index in Token._meta.indexes} >= {"token_of_slot", "token_waitlist_order"}

    def test_foreign_keys_and_unique_constraints_are_the_database_s(self) -> None:
        names = {row[0] for row in rows("SELECT conname FROM pg_constraint WHERE conrelid = 'tokens_token'::regclass")}
        assert {"token_slot_of_session", "number_once_a_session", "overbooked_as_emergency_or_by_name"} <= names

    def test_knowingly_otherwise_what_has_a_history_is_never_deleted_with_its_owner(self) -> None:
        keys = [field for field in Token._meta.fields if isinstance(field, models.ForeignKey)]
        assert {key.remote_field.on_delete for key in keys} == {models.PROTECT}


class TestBookingSupplyAndDemand:
    """The booking system's rules of concurrency, as far as tokens are concerned."""

    def test_a_place_cannot_suffer_double_booking(self) -> None:
        morning = Morning(capacity=1)
        _, bala = morning.fill(0, "Asha", "Bala")
        with pytest.raises(IntegrityError, match="slot_never_oversold"), transaction.atomic():
            Token.objects.filter(pk=bala).update(status="confirmed")

    def test_available_and_blocked(self) -> None:
        morning = Morning()
        assert morning.slots[0].status == "open"
        morning.block(0)
        assert refusal(morning.ask, "online", "Asha").code == "slot_closed"

    def test_knowingly_otherwise_races_are_decided_by_the_session_s_lock_and_not_by_a_flag_on_the_slot(self) -> None:
        """One atomic UPDATE prevents a double booking; it does not put those who come too late in order."""
        with transaction.atomic():
            assert "scheduling_session" in locking.lock_statement("slots").partition("FOR NO KEY UPDATE")[2]

    def test_a_manual_adjustment_is_a_move_and_follows_the_same_rules(self) -> None:
        morning = Morning(capacity=1)
        asha, _ = morning.give("online", "Asha", 0), morning.give("online", "Bala", 1)
        assert refusal(morning.move, asha, 1).code == "slot_full"
        morning.move(asha, 2)
        assert morning.place(asha) == ("confirmed", 2)

    def test_a_patient_with_bookings_one_after_the_other_holds_a_token_in_each_session(self) -> None:
        morning = Morning()
        morning.slots.append(morning.sitting(morning.doctor("Dr Mehta"), "13:00").slots.get())
        consultation, xray = morning.give("online", "Asha", 0), morning.give("online", "Asha", 4)
        assert morning.status(consultation, xray) == ["confirmed", "confirmed"]

    def test_delivery_goes_from_scheduled_to_completed(self) -> None:
        morning = Morning()
        asha = morning.give("online", "Asha")
        morning.see(asha)
        assert morning.token(asha).session.date == DAY
        assert morning.status(asha) == "completed"


def test_a_facility_may_copy_a_preset_and_change_it() -> None:
    morning = Morning(own_policy("ranked-overbook", emergency="displace"), capacity=1)
    online, emergency = morning.give("online", "Asha"), morning.give("emergency", "Bala")
    assert morning.status(online, emergency) == ["waitlisted", "confirmed"]


def test_the_nearest_policy_decides_doctor_then_department_then_facility() -> None:
    morning = Morning("ranked-overbook")
    mehta = morning.doctor("Dr Mehta")
    morning.slots.append(morning.sitting(mehta, "09:00").slots.get())
    morning.set_policy("weighted-waitlist", doctor=mehta)
    assert morning.token(morning.give("online", "Asha", 0)).score == 200
    assert morning.token(morning.give("online", "Asha", 4)).score == 50
