"""Situations from real clinics, each of which has embarrassed a product in use, and what happens here."""

import pytest
from django.test import override_settings

from common.errors import DomainError
from common.testing.races import race, race_of
from scheduling.tests.factories import SlotFactory
from tokens import queue_rules, rules
from tokens.events import replay
from tokens.models import Token
from tokens.outcome import Outcome
from tokens.tests.factories import HOUR, Morning, moment, own_policy, refusal
from tokens.tests.promises import broken_rules


@pytest.mark.django_db
class TestAnEmergencyArrivesTheDoctorIsThirtyMinutesLateTwoPaidPatientsWait:
    """The emergency is next; the paid ones keep their order; at most the one whose place it takes loses it."""

    @pytest.mark.parametrize("preset", ["weighted-waitlist", "ranked-overbook", "considerate"])
    def test_it(self, preset: str) -> None:
        morning = Morning(preset, capacity=2)
        asha, bala = morning.fill(0, "Asha", "Bala", source="paid")
        morning.arrive(asha, bala)
        morning.clock("09:05")
        morning.delay(30)
        emergency = morning.give("emergency", "Chitra")
        assert morning.call_next() == emergency
        confirmed = [t for t in (asha, bala) if morning.status(t) == "confirmed"]
        assert len(confirmed) >= 1
        assert confirmed == [t for t in (asha, bala) if t in confirmed]
        assert morning.call_next() == asha
        assert morning.session.delay_minutes == 0  # what was read before the delay
        morning.session.refresh_from_db()
        assert morning.session.delay_minutes == 30


@pytest.mark.django_db
class TestThePatientWhoWouldBeDisplacedHasAlreadyArrived:
    """Under `considerate` another is displaced; where only arrived ones are left, an emergency alone may displace."""

    def test_another_is_displaced(self) -> None:
        morning = Morning("considerate", capacity=2)
        here, expected = morning.give("online", "Asha"), morning.give("paid", "Bala")
        morning.arrive(here)
        morning.give("emergency", "Chitra")
        assert morning.status(here, expected) == ["confirmed", "waitlisted"]

    def test_where_only_arrived_ones_are_left_an_emergency_alone_may_displace(self) -> None:
        morning = Morning("considerate", capacity=1, slots=1)
        here = morning.give("walk_in", "Asha")
        assert morning.status(morning.give("paid", "Bala"), here) == ["waitlisted", "confirmed"]
        assert morning.status(morning.give("emergency", "Chitra"), here) == ["confirmed", "waitlisted"]

    def test_within_the_day(self) -> None:
        policy = own_policy("ranked-next-slot", protect_arrived=True)
        morning = Morning(policy, capacity=1, slots=1)
        morning.sitting(morning.rao, "09:00", day=1)
        here = morning.give("walk_in", "Asha")
        morning.give("emergency", "Bala")
        assert morning.place(here) == ("waitlisted", 0)


@pytest.mark.django_db
class TestASlotOfSixIsCutToThreeAfterItWasFilledTwoHaveArrived:
    """A preview names the three that move, arrived ones last; one transaction; the message to each; undo."""

    def test_it(self) -> None:
        morning = Morning("ranked-next-slot", capacity=6)
        tokens = morning.fill(0, "Asha", "Bala", "Chitra", "Deepa", "Elango", "Fatima")
        morning.arrive(tokens[4], tokens[5])
        preview = morning.capacity(0, 3, dry_run=True)
        moving = [effect["token"] for effect in preview.plan["effects"]]
        assert moving == [tokens[3], tokens[2], tokens[1]]
        assert [effect["message"] for effect in preview.plan["effects"]] == ["displaced"] * 3
        plan = morning.capacity(0, 3, version=preview.plan["version"])
        assert [morning.place(token) for token in moving] == [("confirmed", 1)] * 3
        assert len({morning.last(token).at for token in moving}) == 1
        morning.undo_plan(plan)
        assert [morning.place(token) for token in tokens] == [("confirmed", 0)] * 6


@pytest.mark.django_db(transaction=True)
class TestTheLastPlaceFiftyRequestsAtOnce:
    """One is confirmed, the others are waitlisted in the order of the rule; no error, no second confirmed."""

    def test_it_with_every_source_at_once(self) -> None:
        morning = Morning(capacity=1)
        sources = ["online", "walk_in", "follow_up", "paid", "online"] * 10
        for n in range(50):
            morning.patient(f"patient {n}")
        done = race_of(50, lambda n: morning.ask(sources[n], f"patient {n}"))
        assert not done.raised
        confirmed = Token.objects.get(status="confirmed")
        waiting = list(Token.objects.filter(status="waitlisted"))
        assert len(waiting) == 49
        assert confirmed.source == "paid"
        first = min((t for t in (*waiting, confirmed)), key=rules.rank)
        assert first == confirmed
        assert broken_rules([morning.session.id], morning.now) == []


@pytest.mark.django_db(transaction=True)
class TestTwoDesksBookTheSamePatientWithTheSameDoctorAtTheSameMoment:
    """One token; the second desk is told which."""

    def test_it(self) -> None:
        morning = Morning()
        morning.patient("Asha")
        done = race([lambda: morning.ask("walk_in", "Asha", 0), lambda: morning.ask("walk_in", "Asha", 1)])
        token = Token.objects.get()
        (refused,) = done.raised
        assert isinstance(refused, DomainError)
        assert (refused.code, refused.data["token"]) == ("duplicate_token", token.id)
        assert token.number in str(refused)


@pytest.mark.django_db
class TestCalledButInTheToilet:
    """Recall; hold keeps the place for its minutes, then the next is called; back in order on return."""

    def test_it(self) -> None:
        morning = Morning(capacity=3)
        asha, bala, chitra = morning.fill(0, "Asha", "Bala", "Chitra")
        morning.arrive(asha, bala, chitra)
        morning.clock("09:00")
        assert morning.call_next() == asha
        morning.recall(asha)
        morning.hold(asha, 5)
        assert morning.call_next() == bala
        morning.see(bala)
        morning.clock("09:06")
        assert morning.status(asha) == "confirmed"
        assert morning.call_next() == asha


@pytest.mark.django_db
class TestCameBackAnHourAfterTheNoShow:
    """Asks for a place again, keeps the number; the history shows both."""

    def test_it(self) -> None:
        morning = Morning(capacity=1)
        asha = morning.give("online", "Asha")
        number = morning.token(asha).number
        morning.clock("09:15")
        morning.no_show(asha)
        morning.clock("10:15")
        morning.come_late(asha)
        assert (morning.place(asha), morning.token(asha).number) == (("confirmed", 1), number)
        assert morning.story(asha) == ["requested", "confirmed", "no_show", "returned"]


@pytest.mark.django_db
class TestTheDoctorSendsAPatientForAnXRayInMidVisit:
    """The visit stays one; on return the patient is near the front of the same queue."""

    def test_it(self) -> None:
        morning = Morning(capacity=4)
        asha, bala, chitra = morning.fill(0, "Asha", "Bala", "Chitra", source="walk_in")
        morning.start(asha)
        morning.send_away(asha, "X-ray")
        morning.see(bala)
        morning.back(asha)
        assert morning.call_next() == asha
        morning.start(asha)
        morning.complete(asha)
        assert Token.objects.filter(patient=morning.patient("Asha")).count() == 1
        assert morning.status(chitra) == "confirmed"


@pytest.mark.django_db
class TestThePowerFailsInTheMiddleOfARequest:
    """Wholly done or wholly undone; the events rebuild the state (killed processes: see `test_crash`)."""

    def test_what_fails_after_the_decision_was_written_undoes_it(self) -> None:
        morning = Morning(capacity=1)
        asha, _ = morning.give("online", "Asha"), morning.patient("Bala")
        with override_settings(OPD_CONSEQUENCES=[f"{__name__}.the_power_fails"]), pytest.raises(ConnectionAbortedError):
            morning.give("paid", "Bala")
        assert morning.story(asha) == ["requested", "confirmed"]
        assert Token.objects.filter(session=morning.session).count() == 1
        assert replay([morning.session.id])[2] == []


def the_power_fails(outcome: Outcome) -> None:
    """A consequence of a decision that does not come through."""
    raise ConnectionAbortedError(outcome.token)


@pytest.mark.django_db
class TestTheClinicStaysOpenAcrossMidnight:
    """The number follows the session, not the calendar day, and goes on counting."""

    def test_it(self) -> None:
        morning = Morning()
        night = morning.sitting(morning.doctor("Dr Night"), "23:00", slots=2)
        morning.slots += list(night.slots.order_by("starts_at"))
        before = morning.token(morning.give("walk_in", "Asha", 4))
        morning.clock("00:10", day=1)
        after = morning.token(morning.give("walk_in", "Bala", 5))
        assert [t.number for t in (before, after)] == [f"{night.prefix}-001", f"{night.prefix}-002"]


@pytest.mark.django_db
class TestTheScreenInTheWaitingHall:
    """Nobody is shown as called who was not."""

    def test_a_refused_call_leaves_no_trace(self) -> None:
        morning = Morning()
        asha = morning.give("online", "Asha")
        refusal(morning.call, asha)
        assert (morning.token(asha).called_at, morning.story(asha)) == (None, ["requested", "confirmed"])

    def test_the_version_changes_in_the_transaction_that_changed_the_queue(self) -> None:
        morning = Morning()
        asha = morning.give("walk_in", "Asha")
        morning.session.refresh_from_db()
        version = morning.session.version
        morning.call(asha)
        morning.session.refresh_from_db()
        assert morning.session.version == version + 1


@pytest.mark.django_db
class TestTheSlipIsPrintedAgain:
    """The same number: it is the token's own, whatever happens to its place."""

    def test_the_number_never_changes_in_its_session(self) -> None:
        morning = Morning(capacity=1)
        asha = morning.give("walk_in", "Asha")
        number, key = morning.token(asha).number, morning.token(asha).key
        morning.give("paid", "Bala")
        morning.move(asha, 1)
        morning.no_show(asha)
        morning.come_late(asha)
        assert (morning.token(asha).number, morning.token(asha).key) == (number, key)


@pytest.mark.django_db
class TestWhyIsSheBeforeMe:
    """One sentence that names the facts."""

    def test_it(self) -> None:
        morning = Morning(capacity=3)
        online, paid = morning.give("online", "Asha"), morning.ask("paid", "Bala")
        session = paid.session
        said, facts = queue_rules.explain(session.tokens[online], session.tokens[paid.token.id], session, morning.now)
        assert said.startswith(f"{paid.token.number} stands before")
        assert facts["rule"] == "score"


@pytest.mark.django_db
class TestTheClinicSClockJumps:
    """Instants are kept, not wall times: an hour that is shown twice orders nothing wrongly."""

    def test_order_and_slots_are_by_the_instant(self) -> None:
        morning = Morning()
        berlin = morning.sitting(morning.doctor("Dr Berlin"), "00:00", day=1)
        slot = berlin.slots.get()
        later = SlotFactory(session=berlin, starts_at=slot.ends_at, ends_at=slot.ends_at + HOUR, capacity=2)
        morning.slots += [slot, later]
        morning.clock("23:59")
        first, second = morning.give("online", "Asha", 5), morning.give("online", "Bala", 4)
        assert morning.token(first).order_at == morning.token(second).order_at == moment("23:59")
        assert rules.rank(_facts(first)) < rules.rank(_facts(second))


def _facts(token_id: int) -> Token:
    return Token.objects.get(pk=token_id)
