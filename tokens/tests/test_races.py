"""Races over real connections: everybody starts at one barrier, and the rules decide who wins.

Each has its negative controls. Without the lock, and with everybody having read before anybody writes, a constraint of
the database refuses what the lock would have put in order, or the order is wrong. Without lock and constraint, places
are oversold and patients doubled: so the race was one, and lock and constraint are what decides it.
"""

import random
import re
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connection
from rest_framework.test import APIClient

from accounts.tests.factories import device_client
from common.errors import DomainError
from common.testing.races import PATIENCE, Outcomes, race, race_of
from scheduling import locking
from tokens import allocation, queueing, storage
from tokens.models import Event, Token
from tokens.outcome import Outcome
from tokens.tests.factories import Morning, rows
from tokens.tests.promises import broken_rules

pytestmark = pytest.mark.django_db(transaction=True)

FEW = 6


class WithoutLock:
    """The engine with its lock taken away; everybody has read before anybody writes."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.patch = patch
        locked = locking.lock_statement
        bare = lambda lookup: re.sub(r" FOR NO KEY UPDATE.*", "", locked(lookup))  # noqa: E731
        patch.setattr(locking, "lock_statement", bare)

    def all_read_first(self, count: int) -> None:
        """Nobody writes before so many have decided."""
        everybody = threading.Barrier(count, timeout=PATIENCE)
        write = storage.write

        def wait_and_write(*arguments: Any, **named: Any) -> Any:
            everybody.wait()
            return write(*arguments, **named)

        self.patch.setattr(storage, "write", wait_and_write)

    def drop(self, *constraints: tuple[str, str]) -> None:
        """Take constraints away; the next test has a fresh database."""
        with connection.cursor() as cursor:
            for table, name in constraints:
                cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}")
                cursor.execute(f"DROP INDEX IF EXISTS {name}")


OVERSOLD = ("scheduling_slot", "slot_never_oversold")
NUMBER = ("tokens_token", "number_once_a_session")
ONE_ACTIVE = ("tokens_token", "one_active_token_a_session")
STORY = ("tokens_event", "event_number_once_a_token")


@pytest.fixture
def unlocked(monkeypatch: pytest.MonkeyPatch) -> WithoutLock:
    return WithoutLock(monkeypatch)


def statuses() -> list[str]:
    return sorted(Token.objects.values_list("status", flat=True))


def asking(morning: Morning, name: str, source: str = "online", slot: int = 0) -> Callable[[], Outcome]:
    """A request that is ready to go; whom it is for is registered already."""
    morning.patient(name)
    return lambda: morning.ask(source, name, slot)


class TestTheLastPlaceByFifty:
    def requests(self, morning: Morning, count: int) -> Outcomes:
        return race([asking(morning, f"patient {n}") for n in range(count)])

    def test_one_is_confirmed_and_the_others_wait_in_the_order_of_the_rule(self) -> None:
        morning = Morning(capacity=1)
        done = self.requests(morning, 50)
        assert not done.raised
        assert statuses() == ["confirmed"] + ["waitlisted"] * 49
        in_order = Token.objects.filter(status="waitlisted").order_by("order_at", "id")
        assert [t.number for t in in_order] == sorted(t.number for t in in_order)
        assert sorted(o.position for o in done.returned if o.token.status == "waitlisted") == list(range(1, 50))
        assert broken_rules([morning.session.id], morning.now) == []

    def test_control_without_the_lock_a_constraint_refuses_all_but_one(self, unlocked: WithoutLock) -> None:
        morning = Morning(capacity=1)
        unlocked.all_read_first(FEW)
        done = self.requests(morning, FEW)
        assert len(done.of(IntegrityError)) == FEW - 1
        assert statuses() == ["confirmed"]

    def test_control_without_lock_and_constraint_the_place_is_sold_to_everybody(self, unlocked: WithoutLock) -> None:
        morning = Morning(capacity=1)
        unlocked.drop(OVERSOLD, NUMBER)
        unlocked.all_read_first(FEW)
        self.requests(morning, FEW)
        assert statuses() == ["confirmed"] * FEW
        assert morning.counted(0) == (FEW, 0)
        assert len(broken_rules([morning.session.id])) >= 2


class TestSixtyFourIdenticalRequests:
    def requests(self, morning: Morning, count: int) -> Outcomes:
        return race([asking(morning, "Asha")] * count)

    def test_one_token_and_everybody_else_is_told_which(self) -> None:
        morning = Morning(capacity=6)
        done = self.requests(morning, 64)
        token = Token.objects.get()
        assert [o.token.id for o in done.returned] == [token.id]
        told = [(e.code, e.data["token"]) for e in done.raised if isinstance(e, DomainError)]
        assert told == [("duplicate_token", token.id)] * 63

    def test_control_without_the_lock_the_database_refuses_the_others(self, unlocked: WithoutLock) -> None:
        morning = Morning(capacity=FEW)
        unlocked.all_read_first(FEW)
        done = self.requests(morning, FEW)
        assert len(done.returned) == 1
        assert len(done.raised) == FEW - 1
        assert statuses() == ["confirmed"]

    def test_control_without_lock_and_constraint_the_patient_holds_many(
        self, unlocked: WithoutLock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        morning = Morning(capacity=FEW)
        unlocked.drop(ONE_ACTIVE, NUMBER)
        append = storage._append
        careless = lambda new, events: re.sub(r" ON CONFLICT .* DO NOTHING", "", append(new, events))  # noqa: E731
        monkeypatch.setattr(storage, "_append", careless)
        unlocked.all_read_first(FEW)
        self.requests(morning, FEW)
        assert statuses() == ["confirmed"] * FEW
        assert any("one active token" in rule for rule in broken_rules([morning.session.id]))


class TestTheSameBookingAgainAndAgainOverTheApi:
    """The app sends the same booking many times after a time-out: one token, and all the answers are the same."""

    def post(self, client: APIClient, body: dict[str, Any], key: str) -> Any:
        headers = {"HTTP_IDEMPOTENCY_KEY": key} if key else {}
        return client.post("/api/v1/tokens/", body, format="json", **headers)

    def booking(self) -> tuple[Morning, list[APIClient], dict[str, Any]]:
        morning = Morning()
        first = device_client(morning.person("reception"))
        clients = [APIClient() for _ in range(64)]
        for client in clients:
            client.credentials(**first._credentials)
        return (
            morning,
            clients,
            {"slot": morning.slots[0].id, "patient": morning.patient("Asha").id, "source": "online"},
        )

    def test_with_one_key_everybody_gets_the_first_answer(self) -> None:
        _, clients, body = self.booking()
        done = race([lambda client=client: self.post(client, body, "k-1") for client in clients])  # type: ignore[misc]
        assert not done.raised
        assert {answer.status_code for answer in done.returned} == {201}
        assert len({answer.content for answer in done.returned}) == 1
        assert sum("Idempotency-Replayed" in answer.headers for answer in done.returned) == 63
        assert Token.objects.count() == 1

    def test_control_without_a_key_the_others_are_told_that_the_patient_holds_one(self) -> None:
        _, clients, body = self.booking()
        done = race([lambda client=client: self.post(client, body, "") for client in clients])  # type: ignore[misc]
        assert sorted(answer.status_code for answer in done.returned) == [201] + [409] * 63
        assert Token.objects.count() == 1


class TestCancelAgainstRequest:
    def test_the_place_goes_to_the_one_who_asks_whoever_comes_first(self) -> None:
        morning = Morning(capacity=1, slots=8)
        for slot in range(8):
            first = morning.give("online", f"in {slot}", slot)
            done = race(
                [lambda first=first: morning.cancel(first), asking(morning, f"asks {slot}", slot=slot)]  # type: ignore[misc]
            )
            assert not done.raised
            assert morning.status(first, done.values[1].token.id) == ["cancelled", "confirmed"]
        assert broken_rules([morning.session.id], morning.now) == []

    def test_control_without_the_lock_somebody_waits_beside_a_free_place_or_is_refused(
        self, unlocked: WithoutLock
    ) -> None:
        morning = Morning(capacity=1)
        asha = morning.give("online", "Asha")
        unlocked.all_read_first(2)
        done = race([lambda: morning.cancel(asha), asking(morning, "Bala")])
        refused = bool(done.of(IntegrityError))
        beside = any("beside a free place" in rule for rule in broken_rules([morning.session.id], morning.now))
        assert refused or beside


class TestTwoCallNext:
    def ready(self) -> Morning:
        morning = Morning(capacity=4)
        morning.arrive(*morning.fill(0, "Asha", "Bala", "Chitra"))
        return morning

    def test_two_people_pressing_it_together_call_two_different_patients(self) -> None:
        morning = self.ready()
        done = race_of(2, lambda index: morning.call_next())
        assert len(set(done.returned)) == 2
        assert rows("SELECT call_count FROM tokens_token ORDER BY id") == [(1,), (1,), (0,)]

    def test_control_without_the_lock_a_constraint_refuses_the_second(self, unlocked: WithoutLock) -> None:
        morning = self.ready()
        unlocked.all_read_first(2)
        done = race_of(2, lambda index: morning.call_next())
        assert len(done.of(IntegrityError)) == 1

    def test_control_without_lock_and_constraint_one_patient_is_called_twice(self, unlocked: WithoutLock) -> None:
        morning = self.ready()
        unlocked.drop(STORY)
        unlocked.all_read_first(2)
        done = race_of(2, lambda index: morning.call_next())
        assert done.values[0] == done.values[1] is not None
        assert Event.objects.filter(kind="called").count() == 2
        assert broken_rules([morning.session.id])


class TestDisplacementAgainstCancel:
    def test_the_paid_one_gets_the_place_and_the_other_is_cancelled_whoever_comes_first(self) -> None:
        morning = Morning(capacity=1, slots=8)
        for slot in range(8):
            first = morning.give("walk_in", f"in {slot}", slot)
            done = race(
                [lambda first=first: morning.cancel(first), asking(morning, f"pays {slot}", "paid", slot)]  # type: ignore[misc]
            )
            assert not done.raised
            assert morning.status(first, done.values[1].token.id) == ["cancelled", "confirmed"]
        assert broken_rules([morning.session.id], morning.now) == []

    def test_control_without_the_lock_a_constraint_refuses_one_of_them(self, unlocked: WithoutLock) -> None:
        morning = Morning(capacity=1)
        asha = morning.give("walk_in", "Asha")
        unlocked.all_read_first(2)
        done = race([lambda: morning.cancel(asha), asking(morning, "Bala", "paid")])
        assert len(done.of(IntegrityError)) == 1

    def test_control_without_lock_and_constraint_the_story_is_told_twice(self, unlocked: WithoutLock) -> None:
        morning = Morning(capacity=1)
        asha = morning.give("walk_in", "Asha")
        with connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER frozen_once_used ON scheduling_session")
        unlocked.drop(STORY)
        unlocked.all_read_first(2)
        race([lambda: morning.cancel(asha), asking(morning, "Bala", "paid")])
        assert rows("SELECT kind FROM tokens_event WHERE token_id = %s AND seq = 3 ORDER BY kind", asha) == [
            ("cancelled",),
            ("displaced",),
        ]
        assert broken_rules([morning.session.id])


class TestLocksAreTakenInOrder:
    def test_moves_between_two_sessions_in_both_directions_never_block_each_other(self) -> None:
        morning = Morning(capacity=6)
        evening = morning.sitting(morning.rao, "17:00", capacity=6)
        morning.slots.append(evening.slots.get())
        early = morning.fill(0, "a", "b", "c", "d")
        late = morning.fill(4, "e", "f", "g", "h")
        moves = [(token, 4) for token in early] + [(token, 0) for token in late]
        done = race([lambda move=move: morning.move(*move) for move in moves])  # type: ignore[misc]
        assert not [e for e in done.raised if not isinstance(e, DomainError)]
        assert {e.code for e in done.raised if isinstance(e, DomainError)} <= {"slot_full"}
        assert broken_rules([morning.session.id, evening.id], morning.now) == []


class TestTwoThousandMixedRequests:
    """Forty slots of five, everything at once: nothing is oversold, nobody is passed, the events rebuild the state."""

    THREADS, REQUESTS = 16, 2000
    SOURCES = ("emergency", "paid", "follow_up", "online", "online", "walk_in", "walk_in")

    LOWER_KEEPS_A_PLACE = """
    SELECT w.number, o.number FROM tokens_token w JOIN tokens_token o
        ON o.slot_id = w.slot_id AND o.status = 'confirmed' AND o.call_count = 0 AND NOT o.overbooked
     WHERE w.status = 'waitlisted' AND o.source <> 'emergency' AND (w.source = 'emergency' OR o.score < w.score)"""

    def test_no_slot_oversold_no_inversion_and_replay_equals_state(self) -> None:
        morning = Morning(capacity=5)
        doctors = [morning.doctor(f"Dr {n}") for n in range(9)]
        sessions = [morning.session, *(morning.sitting(doctor, "09:00", capacity=[5] * 4) for doctor in doctors)]
        slots = [slot for session in sessions for slot in session.slots.order_by("starts_at")]
        patients = [morning.patient(f"patient {n}").id for n in range(600)]
        done = race_of(self.THREADS, lambda index: self.play(morning, index, slots, patients))
        assert not done.raised, done.raised[:3]
        assert sum(done.returned) >= self.REQUESTS
        ids = [session.id for session in sessions]
        assert broken_rules(ids, morning.now) == []
        assert rows(self.LOWER_KEEPS_A_PLACE) == []
        assert {"displaced", "promoted", "cancelled"} <= set(Event.objects.values_list("kind", flat=True))

    def play(self, morning: Morning, index: int, slots: list[Any], patients: list[int]) -> int:
        """One person's share; refusals by a rule are answers, anything else is not."""
        dice = random.Random(index)
        asked, mine = 0, []
        while asked < self.REQUESTS // self.THREADS:
            try:
                if mine and dice.random() < 0.2:
                    self.change(morning, dice, mine)
                    continue
                asked += 1
                slot = dice.choice(slots).id
                source, patient = dice.choice(self.SOURCES), dice.choice(patients)
                outcome = morning.act(allocation.request_token, patient_id=patient, slot_id=slot, source=source)
                mine.append(outcome.token.id)
            except DomainError as refused:
                if refused.code not in {"duplicate_token", "invalid_transition"}:
                    raise
        return asked

    def change(self, morning: Morning, dice: random.Random, mine: list[int]) -> None:
        token = dice.choice(mine)
        match dice.randrange(5):
            case 0 | 1:
                morning.cancel(token)
            case 2:
                morning.pay(token)
            case 3:
                morning.no_show(token)
            case _:
                morning.act(queueing.arrive, token_id=token)
