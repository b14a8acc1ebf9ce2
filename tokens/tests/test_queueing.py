"""The queue against the real database: who is called, held, skipped, seen, sent away and sent on."""

import pytest

from tokens import queueing
from tokens.tests.factories import Morning, moment, refusal, rows
from tokens.tests.promises import broken_rules

pytestmark = pytest.mark.django_db


@pytest.fixture
def morning() -> Morning:
    """Asha, Bala and Chitra are here, in this order; it is nine."""
    morning = Morning(capacity=4)
    morning.here = morning.fill(0, "Asha", "Bala", "Chitra")  # type: ignore[attr-defined]
    morning.arrive(*morning.here)  # type: ignore[attr-defined]
    morning.clock("09:00")
    return morning


def here(morning: Morning) -> list[int]:
    return list(morning.here)  # type: ignore[attr-defined]


class TestArrive:
    def test_it_is_a_time_beside_the_status(self) -> None:
        morning = Morning(capacity=1)
        asha, bala = morning.fill(0, "Asha", "Bala")
        morning.arrive(asha, bala)
        assert morning.status(asha, bala) == ["confirmed", "waitlisted"]
        assert morning.token(bala).arrived_at == morning.now
        assert morning.story(bala) == ["requested", "waitlisted", "arrived"]

    def test_once_and_only_while_the_token_lives(self) -> None:
        morning = Morning()
        asha, bala = morning.fill(0, "Asha", "Bala")
        morning.arrive(asha)
        morning.cancel(bala)
        assert refusal(morning.arrive, asha).code == refusal(morning.arrive, bala).code == "invalid_transition"

    def test_it_settles_too_for_now_the_waiter_qualifies(self) -> None:
        morning = Morning("considerate", capacity=1)
        morning.clock("09:05")
        asha = morning.give("online", "Asha")
        assert morning.status(asha) == "waitlisted"
        morning.arrive(asha)
        assert morning.status(asha) == "confirmed"
        assert morning.story(asha)[-2:] == ["arrived", "promoted"]


class TestCalls:
    def test_call_next_calls_one_after_the_other(self, morning: Morning) -> None:
        asha, bala, chitra = here(morning)
        assert [morning.call_next() for _ in range(4)] == [asha, bala, chitra, None]
        assert (morning.token(asha).called_at, morning.token(asha).call_count) == (morning.now, 1)

    def test_a_call_is_not_a_change_of_place(self, morning: Morning) -> None:
        asha = here(morning)[0]
        morning.call(asha)
        assert (morning.status(asha), morning.story(asha)[-1]) == ("confirmed", "called")

    def test_this_one_can_be_called_whoever_stands_before_it(self, morning: Morning) -> None:
        assert morning.call(here(morning)[2]).token.call_count == 1

    def test_recall_calls_again_who_was_called(self, morning: Morning) -> None:
        asha, bala, _ = here(morning)
        morning.call(asha)
        morning.clock("09:03")
        morning.recall(asha)
        assert (morning.token(asha).call_count, morning.token(asha).called_at) == (2, moment("09:03"))
        assert refusal(morning.recall, bala).code == "not_called"
        assert refusal(morning.call, asha).code == "invalid_transition"

    def test_hold_keeps_the_rank_for_its_minutes_and_the_next_is_called(self, morning: Morning) -> None:
        asha, bala, chitra = here(morning)
        morning.call_next()
        morning.hold(asha, 10)
        assert morning.call_next() == bala
        morning.clock("09:09")
        assert morning.call_next() == chitra
        morning.clock("09:10")
        assert morning.call_next() == asha

    def test_a_skipped_one_is_callable_again_after_another_has_been_called(self, morning: Morning) -> None:
        asha, bala, _ = here(morning)
        morning.call_next()
        morning.skip(asha)
        assert [morning.call_next(), morning.call_next()] == [bala, asha]

    def test_or_when_nobody_else_can_be(self, morning: Morning) -> None:
        asha, bala, chitra = here(morning)
        for token in (bala, chitra):
            morning.cancel(token)
        morning.skip(asha)
        assert morning.call_next() == asha

    def test_who_is_not_here_is_passed_over_and_cannot_be_called(self, morning: Morning) -> None:
        absent = morning.give("paid", "Deepa")
        assert morning.call_next() == here(morning)[0]
        for action in (morning.call, morning.recall, morning.hold, morning.skip):
            assert refusal(action, absent).code == "not_arrived"

    def test_who_has_no_place_or_is_gone_cannot_be_called(self) -> None:
        morning = Morning(capacity=1)
        asha, waiting = morning.fill(0, "Asha", "Bala", source="walk_in")
        for action in (morning.call, morning.recall, morning.hold, morning.skip):
            assert refusal(action, waiting).code == "invalid_transition"
        morning.start(asha)
        morning.send_away(asha)
        refused = refusal(morning.call, asha)
        assert (refused.code, refused.data["status"]) == ("invalid_transition", "away")

    def test_a_closed_session_calls_nobody(self, morning: Morning) -> None:
        morning.close()
        assert refusal(morning.call_next).code == "session_over"

    def test_a_called_one_is_not_displaced(self) -> None:
        morning = Morning(capacity=1)
        asha = morning.give("walk_in", "Asha")
        morning.call(asha)
        assert morning.status(morning.give("emergency", "Bala", 0), asha) == ["confirmed", "confirmed"]
        assert morning.place(asha) == ("confirmed", 0)


class TestTheVisit:
    def test_start_and_complete_use_the_place(self, morning: Morning) -> None:
        asha = here(morning)[0]
        morning.start(asha)
        assert (morning.status(asha), morning.token(asha).started_at) == ("in_progress", morning.now)
        morning.clock("09:12")
        morning.complete(asha)
        assert (morning.status(asha), morning.token(asha).ended_at) == ("completed", moment("09:12"))
        assert morning.counted(0) == (3, 0)

    def test_starting_implies_that_the_patient_is_here(self) -> None:
        morning = Morning()
        asha = morning.give("online", "Asha")
        morning.start(asha)
        assert morning.token(asha).arrived_at == morning.now

    def test_one_patient_at_a_time(self, morning: Morning) -> None:
        asha, bala, _ = here(morning)
        morning.start(asha)
        refused = refusal(morning.start, bala)
        assert (refused.code, refused.data["token"]) == ("doctor_busy", asha)

    def test_only_who_holds_a_place_starts_and_only_who_started_completes(self) -> None:
        morning = Morning(capacity=1)
        asha, waiting = morning.fill(0, "Asha", "Bala")
        assert refusal(morning.start, waiting).code == "invalid_transition"
        assert refusal(morning.complete, asha).code == "invalid_transition"
        morning.see(asha)
        for action in (morning.start, morning.complete):
            assert refusal(action, asha).code == "invalid_transition"

    def test_away_for_a_test_and_back_near_the_front_and_the_visit_goes_on(self, morning: Morning) -> None:
        asha, bala, chitra = here(morning)
        morning.start(asha)
        morning.send_away(asha, "X-ray")
        token = morning.token(asha)
        assert (token.status, token.away_at, token.away_to) == ("in_progress", morning.now, "X-ray")
        morning.start(bala)
        assert morning.call_next() == chitra
        morning.clock("09:20")
        morning.back(asha)
        emergency = morning.give("emergency", "Deepa")
        assert [morning.call_next(), morning.call_next()] == [emergency, asha]
        assert refusal(morning.start, asha).code == "doctor_busy"
        morning.complete(bala)
        morning.start(asha)
        token = morning.token(asha)
        assert (token.away_at, token.back_at, token.started_at) == (None, None, moment("09:00"))
        assert morning.story(asha)[-4:] == ["sent_away", "back", "called", "started"]

    def test_away_is_for_who_is_in_the_room_and_back_for_who_is_away(self, morning: Morning) -> None:
        asha = here(morning)[0]
        assert refusal(morning.send_away, asha).code == refusal(morning.back, asha).code == "invalid_transition"
        morning.start(asha)
        assert refusal(morning.back, asha).code == "invalid_transition"
        morning.send_away(asha)
        assert refusal(morning.send_away, asha).code == refusal(morning.start, asha).code == "invalid_transition"


class TestSendOn:
    def two_doctors(self) -> tuple[Morning, object]:
        morning = Morning(capacity=1)
        mehta = morning.doctor("Dr Mehta")
        morning.slots += list(morning.sitting(mehta, "09:00", capacity=[1, 1]).slots.order_by("starts_at"))
        return morning, mehta

    def test_a_visit_sent_on_is_not_begun_again_by_undo(self) -> None:
        morning, mehta = self.two_doctors()
        asha = morning.give("walk_in", "Asha")
        morning.act(queueing.start, token_id=asha)
        new = morning.send_on(asha, mehta).token  # type: ignore[arg-type]
        assert (morning.status(asha), morning.last(asha).reason) == ("completed", "sent_on")
        assert refusal(morning.undo, asha).code == "invalid_transition"
        assert morning.status(new.id) == "confirmed"

    def test_the_old_token_is_cancelled_and_the_new_one_linked_and_here(self) -> None:
        morning, mehta = self.two_doctors()
        asha = morning.give("follow_up", "Asha", paid=True)
        new = morning.send_on(asha, mehta).token  # type: ignore[arg-type]
        assert (morning.status(asha), morning.last(asha).reason) == ("cancelled", "sent_on")
        token = morning.token(new.id)
        assert (token.sent_from_id, token.source, token.paid, token.score) == (asha, "follow_up", True, 500)
        assert (token.status, token.arrived_at, token.slot_id) == ("confirmed", morning.now, morning.slots[4].id)

    def test_in_progress_it_completes(self) -> None:
        morning, mehta = self.two_doctors()
        asha = morning.give("online", "Asha")
        morning.start(asha)
        morning.send_on(asha, mehta)  # type: ignore[arg-type]
        assert morning.status(asha) == "completed"

    def test_the_place_it_leaves_goes_to_who_waits(self) -> None:
        morning, mehta = self.two_doctors()
        asha, bala = morning.fill(0, "Asha", "Bala")
        assert bala in morning.send_on(asha, mehta).promoted  # type: ignore[arg-type]
        assert morning.status(bala) == "confirmed"

    def test_who_holds_a_token_there_or_is_gone_is_refused_and_nothing_changes(self) -> None:
        morning, mehta = self.two_doctors()
        asha, there = morning.give("online", "Asha", 0), morning.give("online", "Asha", 4)
        refused = refusal(morning.send_on, asha, mehta)
        assert (refused.code, refused.data["token"]) == ("duplicate_token", there)
        assert morning.status(asha) == "confirmed"
        morning.cancel(there)
        assert refusal(morning.send_on, there, mehta).code == "invalid_transition"

    def test_nowhere_to_send_to_is_refused_and_nothing_changes(self) -> None:
        morning = Morning()
        asha = morning.give("online", "Asha")
        assert refusal(morning.send_on, asha, morning.doctor("Dr Nobody")).code == "slot_closed"
        assert morning.story(asha) == ["requested", "confirmed"]

    def test_nobody_is_sent_into_a_cancellation(self) -> None:
        morning, mehta = self.two_doctors()
        morning.set_policy("ranked-next-slot")
        morning.fill(4, "Bala", source="emergency")
        morning.fill(5, "Chitra", source="emergency")
        asha = morning.give("online", "Asha")
        assert refusal(morning.send_on, asha, mehta).code == "slot_full"
        assert morning.status(asha) == "confirmed"

    def test_to_a_department_it_goes_to_who_is_first_free(self) -> None:
        morning, _ = self.two_doctors()
        asha, bala = morning.fill(0, "Asha"), morning.fill(1, "Bala")
        sent = morning.act(
            queueing.send_on, token_id=bala[0], department_id=morning.department.id, reason="sooner elsewhere"
        )
        assert morning.token(sent.token.id).slot_id == morning.slots[4].id
        assert morning.status(*asha) == "confirmed"


class TestUndo:
    """An undo takes back the last event, says so itself, and restores what was."""

    def taken_back(self, morning: Morning, token: int, action: object, *arguments: object) -> None:
        columns = "status, slot_id, session_id, number, patient_id, arrived_at, called_at, call_count, held_until,"
        columns += " skipped_after, away_at, away_to, back_at, started_at, ended_at, score"
        sql = f"SELECT {columns} FROM tokens_token WHERE id = %s"
        before = rows(sql, token)
        action(token, *arguments)  # type: ignore[operator]
        assert rows(sql, token) != before
        undone = morning.last(token)
        morning.undo(token)
        assert rows(sql, token) == before
        event = morning.last(token)
        assert (event.kind, event.cause_token_id, event.cause_seq) == ("undone", token, undone.seq)
        assert set(event.changes) >= set(undone.changes) - {"overbooked"}
        assert broken_rules([morning.session.id], morning.now) == []
        assert refusal(morning.undo, token).code == "invalid_transition"

    def test_arrived(self) -> None:
        morning = Morning()
        self.taken_back(morning, morning.give("online", "Asha"), morning.arrive)

    @pytest.mark.parametrize("action", ["call", "hold", "skip", "start", "cancel", "no_show"])
    def test_of_who_is_here(self, morning: Morning, action: str) -> None:
        self.taken_back(morning, here(morning)[1], getattr(morning, action))

    def test_recalled_held_and_skipped_after_a_call(self, morning: Morning) -> None:
        for token, action in zip(here(morning), (morning.recall, morning.hold, morning.skip), strict=True):
            morning.call(token)
            self.taken_back(morning, token, action)

    @pytest.mark.parametrize("action", ["complete", "send_away", "cancel"])
    def test_of_who_is_in_the_room(self, morning: Morning, action: str) -> None:
        morning.start(here(morning)[0])
        self.taken_back(morning, here(morning)[0], getattr(morning, action))

    def test_back_and_the_resumed_start(self, morning: Morning) -> None:
        asha, bala, _ = here(morning)
        for token, then in ((asha, ()), (bala, (morning.back,))):
            morning.start(token)
            morning.send_away(token)
            for action in then:
                action(token)
            self.taken_back(morning, token, morning.start if then else morning.back)

    def test_moved_and_moved_to_another_day(self) -> None:
        morning = Morning()
        morning.slots.append(morning.sitting(morning.rao, "09:00", day=1).slots.get())
        for name, slot in (("Asha", 2), ("Bala", 4)):
            self.taken_back(morning, morning.give("walk_in", name), morning.move, slot)

    def test_patient_changed(self) -> None:
        morning = Morning()
        self.taken_back(morning, morning.give("online", "Asha"), morning.change_patient, "Aasha")

    def test_a_waiting_token_s_cancellation(self) -> None:
        morning = Morning(capacity=1)
        self.taken_back(morning, morning.fill(0, "Asha", "Bala")[1], morning.cancel)

    def test_undoing_the_only_call_makes_it_displaceable_again(self) -> None:
        morning = Morning(capacity=1)
        asha = morning.give("walk_in", "Asha")
        morning.call(asha)
        morning.undo(asha)
        morning.give("paid", "Bala")
        assert morning.status(asha) == "waitlisted"


class TestUndoIsRefused:
    def test_duplicate_token_where_the_former_patient_waits_behind_many(self) -> None:
        """The waitlist is read by its head only; the one who would hold two tokens is found all the same."""
        morning = Morning(capacity=1, slots=1)
        token = morning.give("follow_up", "Anita")
        morning.change_patient(token, "Bala")
        morning.fill(0, *[f"waiting {n}" for n in range(12)])
        again = morning.give("online", "Anita")
        refused = refusal(morning.undo, token)
        assert (refused.code, refused.data["token"]) == ("duplicate_token", again)

    def test_whom_the_cancel_promoted_stays_promoted_and_the_place_is_taken(self) -> None:
        morning = Morning(capacity=1)
        asha, bala = morning.fill(0, "Asha", "Bala")
        morning.cancel(asha)
        assert refusal(morning.undo, asha).code == "place_taken"
        assert morning.status(asha, bala) == ["cancelled", "confirmed"]

    def test_a_token_that_comes_back_finds_no_place_in_a_blocked_slot(self) -> None:
        morning = Morning()
        asha = morning.give("online", "Asha")
        morning.cancel(asha)
        morning.block(0)
        assert refusal(morning.undo, asha).code == "place_taken"

    def test_a_token_that_comes_back_is_never_overbooked(self) -> None:
        morning = Morning("ranked-overbook", capacity=1)
        asha, emergency = morning.give("online", "Asha"), morning.give("emergency", "Bala")
        morning.cancel(emergency)
        assert refusal(morning.undo, emergency).code == "place_taken"
        morning.cancel(asha)
        morning.undo(emergency)
        assert (morning.token(emergency).overbooked, morning.counted(0)) == (False, (1, 0))

    def test_who_holds_another_token_by_now(self) -> None:
        morning = Morning()
        asha = morning.give("online", "Asha")
        morning.cancel(asha)
        other = morning.give("online", "Asha", 1)
        refused = refusal(morning.undo, asha)
        assert (refused.code, refused.data["token"]) == ("duplicate_token", other)

    def test_the_doctor_is_busy_with_another(self, morning: Morning) -> None:
        asha, bala, _ = here(morning)
        morning.see(asha)
        morning.start(bala)
        assert refusal(morning.undo, asha).code == "doctor_busy"
        morning.complete(bala)
        morning.undo(asha)
        assert morning.status(asha) == "in_progress"

    def test_the_session_is_over(self, morning: Morning) -> None:
        asha = here(morning)[0]
        morning.cancel(asha)
        morning.close()
        assert refusal(morning.undo, asha).code == "session_over"

    @pytest.mark.parametrize("kind", ["confirmed", "waitlisted", "displaced", "promoted", "rescored", "returned"])
    def test_what_is_nobody_s_own_step(self, kind: str) -> None:
        morning = Morning(capacity=1)
        asha, bala = morning.fill(0, "Asha", "Bala")
        token = {"confirmed": asha, "waitlisted": bala}.get(kind, asha)
        match kind:
            case "displaced":
                morning.give("paid", "Chitra")
            case "promoted":
                morning.cancel(asha)
                token = bala
            case "rescored":
                morning.pay(asha)
            case "returned":
                morning.no_show(asha)
                morning.come_late(asha)
        assert morning.last(token).kind == kind
        assert refusal(morning.undo, token).code == "invalid_transition"

    def test_what_the_engine_cancelled(self) -> None:
        morning = Morning("ranked-next-slot", capacity=1, slots=1)
        asha, none = morning.fill(0, "Asha", "Bala")
        sent_from = morning.give("online", "Chitra", None, doctor_id=morning.rao.id)
        assert (morning.last(none).reason, morning.last(sent_from).reason) == ("no_place", "no_place")
        mehta = morning.doctor("Dr Mehta")
        morning.sitting(mehta, "09:00")
        morning.send_on(asha, mehta)
        for token in (none, asha):
            assert refusal(morning.undo, token).code == "invalid_transition"

    def test_what_time_has_changed_meanwhile(self) -> None:
        morning = Morning(capacity=[1, 2])
        bala = morning.fill(0, "Asha", "Bala")[1]
        morning.arrive(bala)
        morning.clock("10:05")
        assert refusal(morning.undo, bala).code == "invalid_transition"
        assert morning.token(bala).arrived_at == moment("08:00")


class TestPermissions:
    @pytest.mark.parametrize(
        ("role", "action", "allowed"),
        [
            ("doctor", "call", True), ("doctor", "start", True), ("doctor", "cancel", False), ("doctor", "undo", True),
            ("reception", "arrive", True), ("reception", "start", False), ("reception", "cancel", True),
            ("billing-staff", "pay", True), ("billing-staff", "arrive", False), ("staff", "no_show", False),
            ("kiosk", "cancel", False), ("pharmacist", "call", False),
        ],
    )  # fmt: skip
    def test_each_step_has_its_own(self, role: str, action: str, allowed: bool) -> None:
        morning = Morning()
        asha = morning.give("online", "Asha")
        if action in ("call", "undo"):
            morning.arrive(asha)
        morning.by = morning.person(role)
        if allowed:
            getattr(morning, action)(asha)
            assert morning.last(asha).actor == morning.by
        else:
            assert refusal(getattr(morning, action), asha).status == 403
