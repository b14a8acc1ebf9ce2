"""Places against the real database: every action with its events, every refusal with its code."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from common.trips import Trip
from tokens import allocation, errors
from tokens.models import Event, FormerNumber
from tokens.tests.factories import DAY, Morning, moment, own_policy, refusal, rows
from tokens.tests.promises import broken_rules

pytestmark = pytest.mark.django_db


class TestRequest:
    def test_it_is_given_a_number_a_key_a_score_and_its_story(self) -> None:
        morning = Morning()
        outcome = morning.ask("walk_in", "Asha")
        token = morning.token(outcome.token.id)
        assert token.number == f"{morning.session.prefix}-001"
        assert (token.status, token.score, token.paid, outcome.position) == ("confirmed", 100, False, 1)
        assert len(token.key) >= 20
        assert token.requested_at == token.order_at == token.arrived_at == morning.now
        assert morning.story(token.id) == ["requested", "confirmed"]
        assert broken_rules([morning.session.id], morning.now) == []

    @pytest.mark.parametrize(
        ("source", "arrived", "here"),
        [
            ("walk_in", None, True), ("emergency", None, True), ("online", None, False), ("paid", None, False),
            ("follow_up", None, False), ("walk_in", False, False), ("online", True, True),
        ],
    )  # fmt: skip
    def test_a_walk_in_and_an_emergency_have_arrived_unless_the_request_says_otherwise(
        self, source: str, arrived: bool | None, here: bool
    ) -> None:
        morning = Morning()
        token = morning.token(morning.give(source, "Asha", arrived=arrived))
        assert (token.arrived_at == morning.now) is here

    @pytest.mark.parametrize(("source", "paid"), [("paid", True), ("online", False)])
    def test_source_paid_implies_paid(self, source: str, paid: bool) -> None:
        morning = Morning()
        assert morning.token(morning.give(source, "Asha")).paid is paid

    def test_every_value_that_changed_who_when_and_the_cause_are_in_the_event(self) -> None:
        morning = Morning(capacity=1)
        morning.by = morning.person("reception")
        online = morning.give("online", "Asha")
        morning.clock("08:10")
        paid = morning.give("paid", "Bala")
        event = morning.last(online)
        assert (event.kind, event.status, event.changes) == ("displaced", "waitlisted", {"status": "waitlisted"})
        assert (event.actor, event.at, event.seq) == (morning.by, moment("08:10"), 3)
        assert (event.cause_token_id, event.cause_seq) == (paid, 1)

    def test_time_never_goes_back_in_a_session(self) -> None:
        morning = Morning()
        morning.give("online", "Asha")
        morning.clock("07:00")
        assert morning.token(morning.give("online", "Bala")).requested_at == moment("08:00")

    def test_the_clock_is_the_database_s_where_none_is_given(self) -> None:
        morning = Morning()
        now = rows("SELECT clock_timestamp()")[0][0]
        token = morning.token(morning.give("online", "Asha", at=None))
        assert timedelta(0) <= token.requested_at - now < timedelta(minutes=1)

    def test_a_second_token_in_the_session_is_refused_and_the_held_one_named(self) -> None:
        morning = Morning()
        held = morning.give("online", "Asha", 0)
        refused = refusal(morning.ask, "online", "Asha", 2)
        assert (refused.code, refused.status, refused.data["token"]) == ("duplicate_token", 409, held)

    def test_another_session_of_the_doctor_is_another_matter(self) -> None:
        morning = Morning()
        morning.slots.append(morning.sitting(morning.rao, "17:00").slots.get())
        morning.give("online", "Asha", 0)
        assert morning.status(morning.give("online", "Asha", 4)) == "confirmed"

    @pytest.mark.parametrize(
        ("clock", "delay", "code"),
        [("09:59", 0, ""), ("10:00", 0, "slot_over"), ("10:29", 30, ""), ("10:30", 30, "slot_over")],
    )
    def test_a_slot_that_is_over_is_refused(self, clock: str, delay: int, code: str) -> None:
        morning = Morning()
        morning.delay(delay)
        morning.clock(clock)
        if code:
            assert refusal(morning.ask, "walk_in", "Asha").code == code
        else:
            assert morning.status(morning.give("walk_in", "Asha")) == "confirmed"

    def test_a_blocked_slot_and_a_closed_session_are_refused(self) -> None:
        morning = Morning()
        morning.block(1)
        assert refusal(morning.ask, "walk_in", "Asha", 1).code == "slot_closed"
        morning.close()
        assert refusal(morning.ask, "walk_in", "Asha", 0).code == "slot_over"

    def test_unknown_slots_and_patients_and_those_of_other_hospitals_are_not_found(self) -> None:
        morning, elsewhere = Morning(), Morning()
        stranger = elsewhere.patient("Asha").id
        ask = allocation.request_token
        assert refusal(morning.act, ask, patient_id=1, source="online", slot_id=0).status == 404
        slot = morning.slots[0].id
        assert refusal(morning.act, ask, patient_id=stranger, source="online", slot_id=slot).status == 404
        assert refusal(morning.act, ask, patient_id=0, source="online", slot_id=slot).status == 404

    def test_a_permission_for_each_source_and_one_for_paid(self) -> None:
        morning = Morning()
        morning.by = morning.person("doctor")
        assert morning.status(morning.give("follow_up", "Asha")) == "confirmed"
        for source, arguments in [("walk_in", {}), ("emergency", {}), ("paid", {}), ("follow_up", {"paid": True})]:
            assert refusal(morning.ask, source, "Bala", 0, **arguments).status == 403
        morning.by = Morning().person("reception")
        assert refusal(morning.ask, "online", "Bala").status == 404

    def test_a_refused_request_leaves_nothing_behind(self) -> None:
        morning = Morning()
        morning.give("online", "Asha")
        before = rows("SELECT version, last_number FROM scheduling_session WHERE id = %s", morning.session.id)
        refusal(morning.ask, "online", "Asha", 1)
        assert rows("SELECT version, last_number FROM scheduling_session WHERE id = %s", morning.session.id) == before


class TestRequestWithoutASlot:
    def ask(self, morning: Morning, source: str, name: str, **where: object) -> tuple[str, int | None]:
        return morning.place(morning.give(source, name, None, **(where or {"doctor_id": morning.rao.id})))

    def test_the_earliest_open_slot_with_a_free_place(self) -> None:
        morning = Morning(capacity=1)
        morning.fill(0, "Asha")
        assert self.ask(morning, "online", "Bala") == ("confirmed", 1)
        morning.clock("11:00")
        assert self.ask(morning, "online", "Chitra") == ("confirmed", 2)

    def test_ties_go_to_the_one_with_fewer_used(self) -> None:
        morning = Morning(capacity=3)
        morning.fill(0, "Asha")
        mehta = morning.sitting(morning.doctor("Dr Mehta"), "09:00", capacity=3).slots.get()
        token = morning.token(morning.give("online", "Bala", None, department_id=morning.department.id))
        assert token.slot_id == mehta.id

    def test_none_free_the_one_with_the_shortest_waitlist(self) -> None:
        morning = Morning(capacity=1, slots=2)
        morning.fill(0, "Asha", "Bala")
        morning.fill(1, "Chitra")
        assert self.ask(morning, "online", "Deepa") == ("waitlisted", 1)
        assert self.ask(morning, "online", "Elango") == ("waitlisted", 0)

    def test_an_emergency_asks_for_the_running_slot_else_for_the_next(self) -> None:
        morning = Morning(capacity=1)
        assert self.ask(morning, "emergency", "Asha") == ("confirmed", 0)
        morning.clock("10:30")
        assert self.ask(morning, "emergency", "Bala") == ("confirmed", 1)

    def test_one_that_it_may_not_have_is_passed_over(self) -> None:
        morning = Morning("considerate", capacity=1)
        morning.clock("09:05")
        assert self.ask(morning, "online", "Asha") == ("confirmed", 1)

    def test_nothing_open_is_refused(self) -> None:
        morning = Morning()
        assert refusal(morning.ask, "online", "Asha", None, doctor_id=morning.rao.id, on=DAY + timedelta(1)).code == (
            "slot_closed"
        )


class TestEmergencyForAPatientWhoHoldsAToken:
    def test_confirmed_it_keeps_its_slot_and_is_rescored_and_has_arrived(self) -> None:
        morning = Morning()
        held = morning.give("online", "Asha", 2)
        outcome = morning.ask("emergency", "Asha", 0)
        assert outcome.token.id == held
        token = morning.token(held)
        assert morning.place(held) == ("confirmed", 2)
        assert (token.source, token.score, token.arrived_at) == ("emergency", 1000, morning.now)
        assert morning.story(held)[-1] == "rescored"

    def test_waiting_it_is_decided_again_in_the_slot_asked_for(self) -> None:
        morning = Morning(capacity=1)
        bala = morning.give("paid", "Bala", 1)
        held = morning.fill(0, "Asha", "Chitra")[1]
        morning.ask("emergency", "Chitra", 1, arrived=False)
        assert (morning.place(held), morning.place(bala)) == (("confirmed", 1), ("waitlisted", 1))
        assert morning.token(held).arrived_at is None

    @pytest.mark.parametrize("state", ["in progress", "emergency already"])
    def test_in_progress_or_already_an_emergency_it_is_refused(self, state: str) -> None:
        morning = Morning()
        held = morning.give("emergency" if "already" in state else "online", "Asha")
        if state == "in progress":
            morning.start(held)
        assert refusal(morning.ask, "emergency", "Asha").code == "duplicate_token"

    def test_what_was_paid_for_counts(self) -> None:
        morning = Morning()
        held = morning.give("online", "Asha")
        morning.give("emergency", "Asha", paid=True)
        assert (morning.token(held).paid, morning.token(held).score) == (True, 1300)


class TestCancel:
    def test_the_place_goes_to_the_best_who_waits(self) -> None:
        morning = Morning(capacity=1)
        asha, bala, chitra = morning.give("paid", "Asha"), *morning.fill(0, "Bala"), morning.give("walk_in", "Chitra")
        outcome = morning.cancel(asha)
        assert outcome.promoted == (chitra,)
        assert morning.status(asha, bala, chitra) == ["cancelled", "waitlisted", "confirmed"]
        event = morning.last(chitra)
        assert (event.kind, event.cause_token_id, event.cause_seq) == ("promoted", asha, 3)

    def test_of_an_overbooked_slot_it_goes_to_the_overbooked_first(self) -> None:
        morning = Morning("ranked-overbook", capacity=1)
        asha, bala = morning.fill(0, "Asha", "Bala")
        late = morning.give("emergency", "Chitra")
        assert morning.counted(0) == (2, 1)
        morning.cancel(asha)
        assert morning.story(late)[-1] == "normalised"
        assert (morning.counted(0), morning.status(bala)) == ((1, 0), "waitlisted")

    def test_a_started_visit_can_be_cancelled(self) -> None:
        morning = Morning()
        asha = morning.give("online", "Asha")
        morning.start(asha)
        morning.cancel(asha)
        assert morning.status(asha) == "cancelled"

    def test_what_is_over_is_not_cancelled_again(self) -> None:
        morning = Morning(capacity=3)
        seen, gone, lost = morning.fill(0, "Asha", "Bala", "Chitra")
        morning.see(seen)
        morning.cancel(gone)
        morning.no_show(lost)
        for token in (seen, gone, lost):
            story = morning.story(token)
            assert refusal(morning.cancel, token).code == "invalid_transition"
            assert morning.story(token) == story

    @pytest.mark.parametrize("word", ["no_place", "sent_on", "not_served"])
    def test_the_engine_s_own_words_are_no_reasons(self, word: str) -> None:
        morning = Morning()
        assert refusal(morning.cancel, morning.give("online", "Asha"), word).status == 400


class TestNoShow:
    def test_the_place_goes_to_the_best_who_waits(self) -> None:
        morning = Morning(capacity=1)
        asha, bala = morning.fill(0, "Asha", "Bala")
        assert morning.no_show(asha).promoted == (bala,)
        assert morning.status(asha, bala) == ["no_show", "confirmed"]

    def test_only_a_confirmed_token_can_be_one(self) -> None:
        morning = Morning(capacity=1)
        started, waiting = morning.fill(0, "Asha", "Bala")
        morning.start(started)
        for token in (started, waiting):
            assert refusal(morning.no_show, token).code == "invalid_transition"

    def test_after_start_means_when_the_slot_has_begun_and_for_who_is_here_after_a_call(self) -> None:
        morning = Morning("considerate")
        absent, here = morning.fill(0, "Asha", "Bala")
        morning.delay(20)
        morning.arrive(here)
        morning.clock("09:19")
        assert refusal(morning.no_show, absent).code == "too_early"
        morning.clock("09:20")
        morning.no_show(absent)
        assert refusal(morning.no_show, here).code == "not_called"
        morning.call(here)
        morning.no_show(here)
        assert morning.status(absent, here) == ["no_show", "no_show"]


class TestLateReturn:
    def test_it_asks_for_the_first_slot_that_is_not_over_and_keeps_its_number(self) -> None:
        morning = Morning(capacity=1)
        asha = morning.give("online", "Asha")
        number = morning.token(asha).number
        morning.arrive(asha)
        morning.call(asha)
        morning.no_show(asha)
        morning.clock("10:40")
        morning.come_late(asha)
        token = morning.token(asha)
        assert morning.place(asha) == ("confirmed", 1)
        assert (token.number, token.order_at, token.arrived_at) == (number, moment("10:40"), moment("10:40"))
        assert (token.called_at, token.call_count, token.ended_at) == (None, 0, None)
        assert morning.story(asha)[-2:] == ["no_show", "returned"]

    def test_it_displaces_nobody(self) -> None:
        morning = Morning(capacity=1)
        paid = morning.give("paid", "Asha")
        morning.no_show(paid)
        online = morning.give("online", "Bala")
        morning.come_late(paid)
        assert morning.status(paid, online) == ["waitlisted", "confirmed"]

    def test_an_emergency_that_waits_is_told_with_an_alert(self) -> None:
        morning = Morning(capacity=1, slots=1)
        asha = morning.give("emergency", "Asha")
        morning.no_show(asha)
        morning.give("emergency", "Bala")
        assert morning.come_late(asha).alerts == (asha,)

    def test_none_left_is_refused(self) -> None:
        morning = Morning()
        asha = morning.give("online", "Asha")
        morning.no_show(asha)
        morning.clock("13:00")
        assert refusal(morning.come_late, asha).code == "session_over"

    def test_who_holds_another_by_now_is_told_which(self) -> None:
        morning = Morning()
        asha = morning.give("online", "Asha")
        morning.no_show(asha)
        other = morning.give("walk_in", "Asha", 1)
        refused = refusal(morning.come_late, asha)
        assert (refused.code, refused.data["token"]) == ("duplicate_token", other)

    def test_who_waits_far_behind_in_a_long_waitlist_is_told_which_too(self) -> None:
        morning = Morning(capacity=1, slots=1)
        asha = morning.give("online", "Asha")
        morning.no_show(asha)
        morning.fill(0, *(f"patient {n}" for n in range(50)))
        other = morning.give("online", "Asha")
        refused = refusal(morning.come_late, asha)
        assert (refused.code, refused.data["token"]) == ("duplicate_token", other)

    def test_only_a_no_show_can_return(self) -> None:
        morning = Morning()
        assert refusal(morning.come_late, morning.give("online", "Asha")).code == "invalid_transition"


class TestPaidLater:
    def test_a_waiter_is_decided_again_at_once(self) -> None:
        morning = Morning(capacity=1)
        walk_in, online = morning.give("walk_in", "Asha"), morning.give("online", "Bala")
        outcome = morning.pay(online)
        assert (outcome.displaced, morning.status(walk_in, online)) == ((walk_in,), ["waitlisted", "confirmed"])
        assert morning.story(online)[-2:] == ["rescored", "promoted"]
        assert (morning.token(online).paid, morning.token(online).score) == (True, 350)

    def test_one_that_has_a_place_keeps_it_and_is_earlier_in_order(self) -> None:
        morning = Morning(capacity=2)
        asha, bala = morning.fill(0, "Asha", "Bala")
        assert morning.pay(bala).position == 1
        assert morning.status(asha, bala) == ["confirmed", "confirmed"]

    def test_a_waiter_who_finds_no_place_stays_where_it_waits(self) -> None:
        morning = Morning("ranked-next-slot", capacity=1, slots=2)
        morning.set_policy(own_policy("ranked-next-slot", no_next_slot="waitlist"))
        morning.fill(0, "Asha", source="emergency")
        bala = morning.fill(1, "Bala", source="emergency")[0]
        waits = morning.give("online", "Chitra")
        assert morning.status(waits) == "waitlisted"
        morning.pay(waits)
        assert (morning.place(waits), morning.status(bala)) == (("waitlisted", 0), "confirmed")

    def test_nobody_pays_twice_or_for_what_is_over(self) -> None:
        morning = Morning()
        asha, bala = morning.give("paid", "Asha"), morning.give("online", "Bala")
        morning.cancel(bala)
        assert {refusal(morning.pay, asha).code, refusal(morning.pay, bala).code} == {"invalid_transition"}


class TestOverbookByName:
    def test_a_named_person_gives_a_place_beyond_the_capacity(self) -> None:
        morning = Morning(capacity=1)
        _, bala = morning.fill(0, "Asha", "Bala")
        asha = morning.person("reception")
        morning.overbook(bala, by=asha)
        token = morning.token(bala)
        assert (token.status, token.overbooked, token.overbooked_by) == ("confirmed", True, asha)
        event = morning.last(bala)
        assert (event.kind, event.actor, event.reason) == ("overbooked", asha, "cannot wait")
        assert morning.counted(0) == (2, 1)

    def test_it_is_a_permission_of_its_own(self) -> None:
        morning = Morning(capacity=1)
        _, bala = morning.fill(0, "Asha", "Bala")
        assert refusal(morning.overbook, bala, morning.person("staff")).status == 403

    def test_only_who_waits_can_be_overbooked(self) -> None:
        morning = Morning()
        assert refusal(morning.overbook, morning.give("online", "Asha")).code == "invalid_transition"

    def test_where_its_own_slot_is_over_it_gets_the_first_that_it_waits_for(self) -> None:
        morning = Morning(capacity=1, slots=2)
        bala = morning.fill(0, "Asha", "Bala")[1]
        morning.fill(1, "Chitra")
        morning.clock("10:00")
        morning.overbook(bala)
        assert morning.place(bala) == ("confirmed", 1)


class TestMove:
    def test_a_full_target_is_refused_and_nothing_changes(self) -> None:
        morning = Morning(capacity=1)
        online, paid = morning.give("online", "Asha", 1), morning.give("paid", "Bala", 0)
        before = rows("SELECT version FROM scheduling_session WHERE id = %s", morning.session.id)
        assert refusal(morning.move, paid, 1).code == "slot_full"
        assert morning.place(online) == ("confirmed", 1)
        assert rows("SELECT version FROM scheduling_session WHERE id = %s", morning.session.id) == before

    def test_the_place_that_comes_free_is_given_to_who_waits(self) -> None:
        morning = Morning(capacity=1)
        asha, bala = morning.fill(0, "Asha", "Bala")
        assert morning.move(asha, 2).promoted == (bala,)
        assert (morning.place(asha), morning.place(bala)) == (("confirmed", 2), ("confirmed", 0))

    def test_another_session_gives_a_number_and_clears_calls_and_another_date_the_arrival(self) -> None:
        morning = Morning()
        evening = morning.sitting(morning.rao, "17:00")
        tomorrow = morning.sitting(morning.rao, "09:00", day=1)
        morning.slots += [evening.slots.get(), tomorrow.slots.get()]
        asha = morning.give("walk_in", "Asha")
        old = morning.token(asha).number
        morning.call(asha)
        morning.move(asha, 4)
        token = morning.token(asha)
        assert (token.session_id, token.number) == (evening.id, f"{evening.prefix}-001")
        assert (token.called_at, token.call_count, token.arrived_at) == (None, 0, morning.now)
        morning.move(asha, 5)
        assert morning.token(asha).arrived_at is None
        assert list(FormerNumber.objects.filter(token=asha).order_by("id").values_list("session", "number")) == [
            (morning.session.id, old),
            (evening.id, f"{evening.prefix}-001"),
        ]

    def test_inside_the_session_number_and_calls_stay(self) -> None:
        morning = Morning()
        asha = morning.give("walk_in", "Asha")
        morning.call(asha)
        morning.move(asha, 2)
        token = morning.token(asha)
        assert (token.number, token.call_count) == (f"{morning.session.prefix}-001", 1)

    def test_a_second_token_there_a_closed_slot_and_what_is_over_are_refused(self) -> None:
        morning = Morning()
        morning.slots.append(morning.sitting(morning.rao, "17:00").slots.get())
        asha, there = morning.give("online", "Asha", 0), morning.give("online", "Asha", 4)
        refused = refusal(morning.move, asha, 4)
        assert (refused.code, refused.data["token"]) == ("duplicate_token", there)
        morning.block(3)
        assert refusal(morning.move, asha, 3).code == "slot_closed"
        assert refusal(morning.move, asha, 0).code == "invalid_transition"
        morning.cancel(there)
        assert refusal(morning.move, there, 1).code == "invalid_transition"

    def test_where_settling_first_already_gave_what_was_asked_that_is_the_answer(self) -> None:
        morning = Morning(capacity=1)
        bala = morning.fill(0, "Asha", "Bala")[1]
        morning.clock("10:00")
        outcome = morning.move(bala, 1)
        assert outcome.token.status == "confirmed"
        assert morning.story(bala)[-1] == "promoted"


class TestChangePatient:
    def test_the_token_belongs_to_another_patient(self) -> None:
        morning = Morning()
        token = morning.give("online", "Asha")
        morning.change_patient(token, "Aasha")
        assert morning.token(token).patient == morning.patient("Aasha")
        assert morning.last(token).reason == "wrong record"

    def test_who_holds_another_or_is_unknown_is_refused(self) -> None:
        morning = Morning()
        token, other = morning.give("online", "Asha"), morning.give("online", "Bala")
        refused = refusal(morning.change_patient, token, "Bala")
        assert (refused.code, refused.data["token"]) == ("duplicate_token", other)
        change = allocation.change_patient
        assert refusal(morning.act, change, token_id=token, patient_id=0, reason="why").status == 404


def test_a_token_that_is_not_there_is_not_found() -> None:
    morning = Morning()
    asked = [morning.cancel, morning.no_show, morning.come_late, morning.pay, morning.overbook, morning.undo]
    for action in [*asked, morning.arrive, morning.call, morning.start, morning.complete, morning.back]:
        assert isinstance(refusal(action, 0), errors.UnknownToken)


class TestSendOnLooksAsFarAsARequestDoes:
    """Whom a sending displaces goes to the next slot of the other doctor, whatever else is locked."""

    def test_the_displaced_one_finds_a_place_on_another_day(self) -> None:
        morning = Morning("ranked-next-slot", capacity=1, slots=1)
        mehta = morning.doctor("Dr Mehta")
        morning.slots.append(morning.sitting(mehta, "09:00", capacity=1).slots.get())
        tomorrow = morning.sitting(mehta, "09:00", day=1)
        there, paid = morning.give("walk_in", "Asha", 1), morning.give("paid", "Bala", 0)
        morning.send_on(paid, mehta)
        assert (morning.status(there), morning.token(there).session_id) == ("confirmed", tomorrow.id)

    def test_a_session_that_starts_before_another_that_is_locked_is_locked_in_its_order(self) -> None:
        morning = Morning("ranked-next-slot", capacity=1, slots=1)
        mehta = morning.doctor("Dr Mehta")
        late = morning.sitting(morning.rao, "15:00", capacity=1)
        morning.slots += [late.slots.get(), morning.sitting(mehta, "09:00", capacity=1).slots.get()]
        noon = morning.sitting(mehta, "12:00", capacity=1)
        there, emergency = morning.give("walk_in", "Asha", 2), morning.give("emergency", "Bala", 1)
        morning.send_on(emergency, mehta)
        assert (morning.status(there), morning.token(there).session_id) == ("confirmed", noon.id)
        assert broken_rules([morning.session.id, late.id, noon.id], morning.now) == []


class TestCost:
    """From lock to commit: the lock with its read, the write of everything, the commit."""

    def trips(self, action: object, *arguments: object) -> tuple[int, int]:
        before = Trip.sent
        with CaptureQueriesContext(connection) as captured:
            action(*arguments)  # type: ignore[operator]
        said = [query["sql"] for query in captured.captured_queries]
        return Trip.sent - before, sum(not sql.startswith(("SAVEPOINT", "RELEASE")) for sql in said)

    def test_every_action_on_one_session_takes_two_trips_and_the_commit(self) -> None:
        morning = Morning(capacity=2)
        for name in ("Asha", "Bala", "Chitra"):
            morning.patient(name)
        assert self.trips(morning.ask, "online", "Asha") == (2, 0)
        displaced = morning.give("online", "Bala")
        assert self.trips(morning.ask, "emergency", "Chitra") == (2, 0)
        emergency = rows("SELECT max(id) FROM tokens_token")[0][0]
        for action, token in [
            (morning.pay, displaced), (morning.arrive, displaced), (morning.call, displaced),
            (morning.recall, displaced), (morning.hold, displaced), (morning.skip, displaced),
            (morning.start, emergency), (morning.send_away, emergency), (morning.back, emergency),
            (morning.complete, emergency), (morning.no_show, displaced), (morning.come_late, displaced),
            (morning.cancel, displaced),
        ]:  # fmt: skip
            assert self.trips(action, token) == (2, 0), action

    def test_a_long_waitlist_costs_no_more(self) -> None:
        morning = Morning(capacity=1)
        morning.fill(0, *(f"patient {n}" for n in range(60)))
        morning.patient("Asha")
        assert self.trips(morning.ask, "online", "Asha") == (2, 0)
        assert morning.ask("online", "Bala").position == 61

    def test_many_displaced_and_promoted_are_written_in_the_same_trip(self) -> None:
        morning = Morning(capacity=4)
        morning.fill(0, *(f"patient {n}" for n in range(8)))
        before = Trip.sent
        morning.block(0)
        assert Trip.sent - before == 2
        assert Event.objects.filter(kind="displaced", session_id=morning.session.id).count() == 4

    def test_actions_on_two_sessions_look_first_and_lock_both_at_once(self) -> None:
        morning = Morning()
        morning.slots.append(morning.sitting(morning.rao, "17:00").slots.get())
        asha = morning.give("online", "Asha")
        assert self.trips(morning.move, asha, 4) == (2, 1)
        assert self.trips(morning.undo, asha)[0] == 2
