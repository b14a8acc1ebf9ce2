"""Random operations against the real database, compared with a naive model and with the replay of the events.

Two days of Dr Rao and a morning of Dr Mehta, small slots, ten patients, a clock that moves: after every step the
engine and the model (`naive.py`) hold the same tokens with the same values, answered with the same code, told the same
story, and the database breaks none of its rules (`promises.py`). `OPD_STATEFUL_EXAMPLES` and `OPD_STATEFUL_STEPS`
play longer.
"""

import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from django.db import connection, transaction
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from common.errors import DomainError
from scheduling.models import Session, Slot
from tokens import allocation, planning, queueing, reading, supply, undoing
from tokens.facts import PRESETS, RANKED, WEIGHTED, Policy
from tokens.tests.factories import DAY, Morning, moment, refusal, rows
from tokens.tests.naive import ACTIVE, L, Naive, No, Plan, S, T
from tokens.tests.promises import broken_rules, inversions

pytestmark = pytest.mark.django_db

COMPARED = {
    "session": "session_id", "slot": "slot_id", "patient": "patient_id", "status": "status", "number": "number",
    "source": "source", "paid": "paid", "score": "score", "overbooked": "overbooked", "order": "order_at",
    "arrived": "arrived_at", "called": "called_at", "calls": "call_count", "held": "held_until",
    "skipped": "skipped_after", "away": "away_at", "back": "back_at", "started": "started_at", "ended": "ended_at",
}  # fmt: skip

SOURCES = ["emergency", "paid", "follow_up", "online", "walk_in"]

index = st.integers(0, 30)
wild = st.sampled_from([False, False, False, False, True])


def own_policies() -> st.SearchStrategy[Policy]:
    """Any policy that a facility could make for itself."""
    table = st.fixed_dictionaries({name: st.integers(0, 5).map(lambda n: n * 100) for name in SOURCES})
    return st.builds(
        Policy,
        name=st.just("own"),
        combine=st.sampled_from(["sum", "best"]),
        weights=st.one_of(st.just(WEIGHTED), st.just(RANKED), table),
        emergency=st.sampled_from(["displace", "overbook"]),
        displacement=st.sampled_from(["any_higher", "emergency_only"]),
        without_place=st.sampled_from(["waitlist", "next_slot"]),
        no_next_slot=st.sampled_from(["waitlist", "cancel"]),
        next_slot_days=st.sampled_from([0, 1, 7]),
        protect_arrived=st.booleans(),
        present_only=st.booleans(),
        no_show=st.sampled_from(["any_time", "after_start"]),
        age_points=st.sampled_from([0, 0, 60]),
        age_every=st.sampled_from([0, 10]),
        age_limit=st.just(200),
    )


class TwoDays(RuleBasedStateMachine):
    """The engine and the model, side by side."""

    policies: ClassVar[st.SearchStrategy[Any]]

    def __init__(self) -> None:
        super().__init__()
        self.block = transaction.atomic()
        self.block._from_testcase = True  # type: ignore[attr-defined]  # the actions open durable blocks inside
        self.block.__enter__()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.block.__exit__(None, None, None)

    @initialize(data=st.data(), sizes=st.lists(st.integers(1, 2), min_size=3, max_size=3))
    def open_the_house(self, data: st.DataObject, sizes: list[int]) -> None:
        policy = data.draw(type(self).policies, "policy")
        self.house = Morning(policy, capacity=sizes)
        self.policy = PRESETS[policy] if isinstance(policy, str) else policy
        mehta = self.house.doctor("Dr Mehta")
        self.doctors = [self.house.rao, mehta]
        self.house.sitting(self.house.rao, "17:00", capacity=[1])
        self.house.sitting(self.house.rao, "09:00", capacity=[1, 1], day=1)
        self.house.sitting(mehta, "09:30", capacity=[1, 2])
        self.by = self.house.person("reception", "doctor")
        self.patients = [self.house.patient(f"patient {n}").id for n in range(10)]
        self.naive = Naive(self.policy)
        self.ids: list[int] = []
        self.plans: list[Plan] = []
        self.seen = rows("SELECT coalesce(max(id), 0) FROM tokens_event")[0][0]
        for s in Session.objects.filter(facility=self.house.facility).order_by("starts_at", "id"):
            self.naive.sessions.append(S(s.id, s.doctor_id, s.date, s.starts_at, s.prefix))
            for p in s.slots.order_by("starts_at"):
                self.naive.slots.append(L(p.id, s.id, p.starts_at, p.ends_at, p.capacity))
        self.sessions = [s.id for s in self.naive.sessions]
        self.slots = [s.id for s in sorted(self.naive.slots, key=lambda s: (s.start, s.id))]
        self.settled: set[int] = set(self.sessions)
        self.naive.now = self.house.now = moment("08:30")

    # Both at once

    def both(
        self, engine: Callable[..., Any], action: str, locked: list[int], told: dict[str, Any], **asked: Any
    ) -> Any:
        """Do the same with both; the same refusal, or the same events."""
        asked.setdefault("by", self.by)
        answer: Any = None
        try:
            answer = self.house.act(engine, **asked)
            said = ""
        except DomainError as refused:
            said = refused.code
        try:
            self.naive.run(action, locked, **told)
            expected = ""
        except No as no:
            expected = str(no)
        assert said == expected, f"{action}{told}: the engine says {said or 'yes'!r}, the rules {expected or 'yes'!r}"
        if not said:
            self.settled |= set(locked)
            self.compare(action, getattr(answer, "outcome", answer))
        return None if said else answer

    def compare(self, action: str, outcome: Any) -> None:
        if outcome is not None and len(self.ids) < len(self.naive.tokens):
            self.ids.append(outcome.token.id)
        events = rows(
            "SELECT id, token_id, kind FROM tokens_event WHERE id > %s AND session_id = ANY(%s) ORDER BY id",
            self.seen,
            self.sessions,
        )
        self.seen = max([self.seen, *(row[0] for row in events)])
        told = [(self.mine(row[1]), row[2]) for row in events]
        log = self.naive.log
        if action in ("close", "undo_plan"):
            told, log = sorted(told), sorted(log)
        assert told == log, f"{action}: events {told}, expected {log}"
        if outcome is not None and outcome.token is not None:
            own = outcome.token.id
            for name in ("displaced", "promoted"):
                ids = [i for i in (self.theirs(i) for i in getattr(self.naive, name)) if i != own]
                kept = [i for i in getattr(outcome, name) if i != own]
                assert (name == "displaced" and action == "close") or kept == ids, f"{action}: {name} {kept} not {ids}"

    def mine(self, engine_id: int) -> int:
        return self.ids.index(engine_id) + 1

    def theirs(self, naive_id: int) -> int:
        return self.ids[naive_id - 1]

    def pick(self, n: int, wild: bool, *suits: Callable[[T], bool]) -> T | None:
        """A token for which the action makes sense; any token where it is to be wild."""
        fitting = [t for t in self.naive.tokens if all(suit(t) for suit in suits)]
        choice = fitting if fitting and not wild else self.naive.tokens
        return choice[n % len(choice)] if choice else None

    def on_token(self, t: T | None, engine: Callable[..., Any], action: str, **more: Any) -> Any:
        if t is None:
            return None
        told = {name: value for name, value in more.items() if name != "reason"} | {"token_id": t.id}
        return self.both(engine, action, [t.session], told, token_id=self.theirs(t.id), **more)

    # Time

    def job(self) -> None:
        """What the minute's job does, in every session."""
        for session_id in self.sessions:
            self.both(_settle, "idle", [session_id], {}, session_id=session_id)

    @rule(minutes=st.sampled_from([0, 1, 5, 11, 25, 30, 60, 95, 400]), job=st.booleans())
    def time_passes(self, minutes: int, job: bool) -> None:
        self.house.now = self.naive.now = self.house.now + timedelta(minutes=minutes)
        if minutes:
            self.settled = set()
        if job or self.policy.without_place == "next_slot":
            self.job()

    # Places

    @rule(who=index, where=index, source=st.sampled_from(SOURCES), paid=wild, here=st.sampled_from([None, True, False]))
    def request(self, who: int, where: int, source: str, paid: bool, here: bool | None) -> None:
        patient, slot = self.patients[who % len(self.patients)], self.slots[where % len(self.slots)]
        self.ask(patient, self.slots[(where % 10) % 3] if where < 20 else slot, source, paid, here)

    @rule(who=index, where=index, here=st.sampled_from([None, False]))
    def emergency_for_a_holder(self, who: int, where: int, here: bool | None) -> None:
        if t := self.pick(who, False, lambda t: t.status in ("confirmed", "waitlisted")):
            slots = self.naive.slots_of(t.session)
            self.ask(t.patient, slots[where % len(slots)].id, "emergency", False, here)

    def ask(self, patient: int, slot_id: int, source: str, paid: bool, here: bool | None) -> None:
        arrived = source in ("walk_in", "emergency") if here is None else here
        told = {"token_id": len(self.ids) + 1, "slot_id": slot_id, "patient": patient, "source": source, "paid": paid}
        session = self.naive.slot(slot_id).session
        answer = self.both(
            allocation.request_token, "request", [session], told | {"here": arrived},
            patient_id=patient, slot_id=slot_id, source=source, paid=paid, arrived=here,
        )  # fmt: skip
        if answer:
            self.no_inversion(answer.token.id)

    def no_inversion(self, token_id: int) -> None:
        t = self.naive.token(self.mine(token_id))
        broken = [] if self.policy.ages else inversions(
            token_id,
            any_higher=self.policy.displacement == "any_higher",
            protect_arrived=self.policy.protect_arrived,
            qualified=self.naive.gives(self.naive.slot(t.slot)) and self.naive.qualifies(t, self.naive.slot(t.slot)),
        )  # fmt: skip
        assert not broken, broken

    @rule(who=index, source=st.sampled_from(SOURCES), by_department=st.booleans(), day=st.sampled_from([0, 0, 1]))
    def request_without_a_slot(self, who: int, source: str, by_department: bool, day: int) -> None:
        self.job()
        patient = self.patients[who % len(self.patients)]
        doctors = [d.id for d in self.doctors] if by_department else [self.doctors[0].id]
        on = DAY + timedelta(days=day)
        slot = self.candidate(doctors, on, patient, source)
        where = {"department_id": self.house.department.id} if by_department else {"doctor_id": doctors[0]}
        asked = {"patient_id": patient, "source": source, "on": on, **where}
        if slot is None:
            assert refusal(self.house.act, allocation.request_token, **asked).code == "slot_closed"
            return
        here = source in ("walk_in", "emergency")
        told = {"token_id": len(self.ids) + 1, "slot_id": slot.id, "patient": patient, "source": source, "paid": False}
        self.both(allocation.request_token, "request", [slot.session], told | {"here": here}, **asked)

    def candidate(self, doctors: list[int], day: Any, patient: int, source: str) -> L | None:
        """The slot that a request without one is to ask."""
        naive = self.naive
        sessions = [s.id for s in naive.sessions if s.doctor in doctors and s.day == day]
        slots = [s for s in naive.slots if s.session in sessions and naive.gives(s)]
        if source == "emergency":
            running = [s for s in slots if naive.begun(s)]
            first = running or [s for s in slots if s.start + naive.delay(s) == min(_start(naive, s) for s in slots)]
            return min(first, key=lambda s: (naive.free(s) == 0, naive.used(s), s.id), default=None)
        probe = T(0, 0, 0, patient, source, False, 0, naive.now)
        probe.arrived = naive.now if source == "walk_in" else None
        may = [s for s in slots if naive.free(s) and (naive.held_by(patient, s.session) or naive.qualifies(probe, s))]
        if may:
            return min(may, key=lambda s: (s.start, naive.used(s), s.id))
        waiting = {s.id: len([t for t in naive.tokens if t.slot == s.id and t.status == "waitlisted"]) for s in slots}
        return min(slots, key=lambda s: (waiting[s.id], s.start, naive.used(s), s.id), default=None)

    @rule(n=index, wild=wild)
    def cancel(self, n: int, wild: bool) -> None:
        self.on_token(self.pick(n, wild, _active), allocation.cancel_token, "cancel", reason="why")

    @rule(n=index, wild=wild)
    def no_show(self, n: int, wild: bool) -> None:
        self.on_token(self.pick(n, wild, _is("confirmed")), allocation.mark_no_show, "no_show")

    @rule(n=index, wild=wild)
    def late_return(self, n: int, wild: bool) -> None:
        self.on_token(self.pick(n, wild, _is("no_show")), allocation.return_late, "come_late")

    @rule(n=index, wild=wild)
    def pay_later(self, n: int, wild: bool) -> None:
        t = self.pick(n, wild, _is("waitlisted"), lambda t: not t.paid)
        if self.on_token(t, allocation.mark_paid, "pay") and t and t.status == "waitlisted":
            self.no_inversion(self.theirs(t.id))

    @rule(n=index, wild=wild)
    def overbook(self, n: int, wild: bool) -> None:
        self.on_token(self.pick(n, wild, _is("waitlisted")), allocation.overbook_token, "overbook", reason="why")

    @rule(n=index, where=index, wild=wild)
    def move(self, n: int, where: int, wild: bool) -> None:
        if t := self.pick(n, wild, _active):
            slot = self.slots[where % len(self.slots)]
            locked = [t.session, self.naive.slot(slot).session]
            told = {"token_id": t.id, "slot_id": slot}
            asked = {"token_id": self.theirs(t.id), "slot_id": slot, "reason": "why"}
            self.both(allocation.move_token, "move", locked, told, **asked)

    @rule(n=index, who=index, wild=wild)
    def change_patient(self, n: int, who: int, wild: bool) -> None:
        if t := self.pick(n, wild, _active):
            patient = self.patients[who % len(self.patients)]
            told = {"token_id": t.id, "patient": patient}
            asked = {"token_id": self.theirs(t.id), "patient_id": patient, "reason": "why"}
            self.both(allocation.change_patient, "change_patient", [t.session], told, **asked)

    # The queue

    @rule(n=index, wild=wild)
    def arrive(self, n: int, wild: bool) -> None:
        self.on_token(self.pick(n, wild, _active, lambda t: not t.arrived), queueing.arrive, "arrive")

    @rule(n=index)
    def call_next(self, n: int) -> None:
        session = self.sessions[n % len(self.sessions) if n > 15 else 0]
        self.both(queueing.call_next, "call_next", [session], {"session_id": session}, session_id=session)

    @rule(n=index, wild=wild, what=st.sampled_from(["call", "recall", "skip"]))
    def call(self, n: int, wild: bool, what: str) -> None:
        t = self.pick(n, wild, self.naive.stands, lambda t: bool(t.arrived))
        self.on_token(t, getattr(queueing, what), what)

    @rule(n=index, wild=wild, minutes=st.sampled_from([5, 20]))
    def hold(self, n: int, wild: bool, minutes: int) -> None:
        t = self.pick(n, wild, self.naive.stands, lambda t: bool(t.arrived))
        self.on_token(t, queueing.hold, "hold", minutes=minutes)

    @rule(n=index, wild=wild)
    def start(self, n: int, wild: bool) -> None:
        self.on_token(self.pick(n, wild, self.naive.stands), queueing.start, "start")

    @rule(n=index, wild=wild)
    def complete(self, n: int, wild: bool) -> None:
        self.on_token(self.pick(n, wild, _is("in_progress")), queueing.complete, "complete")

    @rule(n=index, wild=wild)
    def away(self, n: int, wild: bool) -> None:
        if t := self.pick(n, wild, _is("in_progress")):
            asked = {"token_id": self.theirs(t.id), "where": "X-ray"}
            self.both(queueing.send_away, "send_away", [t.session], {"token_id": t.id}, **asked)

    @rule(n=index, wild=wild)
    def back(self, n: int, wild: bool) -> None:
        self.on_token(self.pick(n, wild, _is("in_progress"), lambda t: bool(t.away)), queueing.back, "come_back")

    @rule(n=index, to=st.booleans(), wild=wild)
    def send_on(self, n: int, to: bool, wild: bool) -> None:
        self.job()
        t = self.pick(n, wild, _active)
        if t is None:
            return
        doctor = self.doctors[to].id
        source, patient = t.source, t.patient
        slot = self.sending_candidate(t, doctor)
        asked = {"token_id": self.theirs(t.id), "doctor_id": doctor, "reason": "why"}
        if slot is None:
            return
        told = {"token_id": t.id, "new_id": len(self.ids) + 1, "slot_id": slot.id}
        self.both(queueing.send_on, "send_on", [t.session, slot.session], told, **asked)
        assert (source, patient) == (t.source, t.patient)

    def sending_candidate(self, t: T, doctor: int) -> L | None:
        """As `candidate`; the patient is here, and the token that is sent on is no obstacle."""
        naive = self.naive
        day = naive.session(t.session).day
        if t.source == "emergency":
            return self.candidate([doctor], day, t.patient, "emergency")
        sessions = [s.id for s in naive.sessions if s.doctor == doctor and s.day == day]
        slots = [s for s in naive.slots if s.session in sessions and naive.gives(s)]
        if may := [s for s in slots if naive.free(s)]:
            return min(may, key=lambda s: (s.start, naive.used(s), s.id))
        waiting = {s.id: len([o for o in naive.tokens if o.slot == s.id and o.status == "waitlisted"]) for s in slots}
        return min(slots, key=lambda s: (waiting[s.id], s.start, naive.used(s), s.id), default=None)

    @rule(n=index, wild=wild)
    def undo(self, n: int, wild: bool) -> None:
        if t := self.pick(n, wild, lambda t: bool(t.past) and t.past[-1][0] not in ("confirmed", "waitlisted")):
            locked = [t.session, t.past[-1][2]["session"] if t.past else t.session]
            self.both(undoing.undo_last, "undo", locked, {"token_id": t.id}, token_id=self.theirs(t.id))

    @rule(n=index, sources=st.sampled_from([("paid", "follow_up"), ("paid", "walk_in"), ("emergency", "paid")]))
    def a_call_by_mistake(self, n: int, sources: tuple[str, str]) -> None:
        """While one was called, another came and waited; when the call is taken back, nobody who waits is passed."""
        t = self.pick(n, False, _is("confirmed"), lambda t: not t.calls and not t.back)
        if t is None or t.status != "confirmed" or t.calls:
            return
        if not t.arrived:
            self.on_token(t, queueing.arrive, "arrive")
        self.on_token(t, queueing.call, "call")
        others = [p for p in self.patients if not self.naive.held_by(p, t.session)]
        for patient, source in zip(others, sources, strict=False):
            self.ask(patient, t.slot, source, False, True)
            if self.naive.token(t.id).past[-1][0] == "called":
                self.on_token(t, undoing.undo_last, "undo")

    # Supply

    @rule(n=index, minutes=st.sampled_from([0, 10, 45, 90]))
    def delay(self, n: int, minutes: int) -> None:
        session = self.sessions[n % len(self.sessions)]
        told = {"session_id": session, "minutes": minutes}
        self.both(supply.delay_session, "delay_by", [session], told, **told)
        if self.policy.without_place == "next_slot":
            self.job()

    def plan(self, engine: Callable[..., Any], action: str, session: int, told: dict[str, Any], **asked: Any) -> None:
        """Apply a plan with both, and keep what is needed to take it back."""
        self.job()
        before = {t.id: t.values() for t in self.naive.tokens}
        of_session = action == "close"
        where = session if of_session else asked["slot_id"]
        was = dict(vars(self.naive.session(where) if of_session else self.naive.slot(where)))
        result = self.both(engine, action, [session], told, **asked)
        if result:
            is_now = vars(self.naive.session(where) if of_session else self.naive.slot(where))
            supply_of = {"set_capacity": ["capacity"]}.get(action, ["status"])
            order = dict.fromkeys(token_id for token_id, _ in self.naive.log)
            self.plans.append(
                Plan(
                    result.plan["id"],
                    session,
                    where,
                    of_session,
                    {i: (len(self.naive.token(i).past), before[i]) for i in order},
                    {name: (was[name], is_now[name]) for name in supply_of},
                )
            )

    @rule(n=index)
    def undo_a_plan(self, n: int) -> None:
        if self.plans:
            self.job()
            plan = self.plans[-1 - n % len(self.plans)]
            sessions = {plan.session, *(self.naive.token(i).session for i in plan.touched)}
            if self.both(planning.undo_plan, "undo_plan", sorted(sessions), {"plan": plan}, plan_id=plan.id):
                plan.undone = True

    @rule(n=index, capacity=st.integers(0, 3))
    def capacity(self, n: int, capacity: int) -> None:
        slot = self.slots[n % len(self.slots)]
        asked = {"slot_id": slot, "capacity": capacity}
        self.plan(supply.change_capacity, "set_capacity", self.naive.slot(slot).session, asked, **asked)

    @rule(n=index, open_again=st.booleans())
    def block_or_unblock(self, n: int, open_again: bool) -> None:
        blocked = [s.id for s in self.naive.slots if s.status == "blocked"]
        choice = blocked if blocked and open_again else self.slots
        slot = choice[n % len(choice)]
        asked = {"slot_id": slot}
        engine, action = (supply.unblock_slot, "unblock") if open_again else (supply.block_slot, "block")
        self.plan(engine, action, self.naive.slot(slot).session, asked, **asked)

    @rule(n=index, move=st.booleans(), really=st.sampled_from([False, False, False, True]))
    def close(self, n: int, move: bool, really: bool) -> None:
        if really:
            session = self.sessions[n % len(self.sessions)]
            asked = {"session_id": session, "move": move}
            told = asked | {"days": supply.MOVE_DAYS}
            self.plan(supply.close_session, "close", session, told, **asked)

    # What holds after every step

    @invariant()
    def the_same_tokens(self) -> None:
        if not hasattr(self, "ids"):
            return
        columns = ", ".join(COMPARED.values())
        sql = f"SELECT id, {columns} FROM tokens_token WHERE session_id = ANY(%s) ORDER BY id"
        found = {row[0]: dict(zip(COMPARED, row[1:], strict=True)) for row in rows(sql, self.sessions)}
        assert sorted(found) == sorted(self.ids)
        for t in self.naive.tokens:
            real = found[self.theirs(t.id)]
            differing = {n: (real[n], getattr(t, n)) for n in COMPARED if real[n] != getattr(t, n)}
            assert not differing, f"token {t.id} ({t.number}): {{value: (engine, rules)}} = {differing}"

    @invariant()
    def the_same_house(self) -> None:
        if hasattr(self, "ids"):
            real = set(
                Session.objects.filter(id__in=self.sessions).values_list("id", "status", "delay_minutes", "calls")
            )
            assert real == {(s.id, s.status, s.delay, s.calls) for s in self.naive.sessions}
            slots = set(Slot.objects.filter(id__in=self.slots).values_list("id", "status", "capacity"))
            assert slots == {(s.id, s.status, s.capacity) for s in self.naive.slots}

    @invariant()
    def no_rule_is_broken(self) -> None:
        if hasattr(self, "ids"):
            broken = broken_rules(self.sessions) + broken_rules(list(self.settled), self.house.now)
            assert not broken, broken


def _settle(*, session_id: int, by: Any, at: Any) -> Any:
    return allocation.settle_session(session_id=session_id, at=at)


def _start(naive: Naive, slot: L) -> Any:
    return slot.start + naive.delay(slot)


def _active(t: T) -> bool:
    return t.status in ACTIVE


def _is(status: str) -> Callable[[T], bool]:
    return lambda t: t.status == status


EXAMPLES = int(os.environ.get("OPD_STATEFUL_EXAMPLES", 6))
STEPS = int(os.environ.get("OPD_STATEFUL_STEPS", 30))


def play(policies: st.SearchStrategy[Any]) -> None:
    machine = type("Played", (TwoDays,), {"policies": policies, "__module__": __name__})
    run_state_machine_as_test(machine, settings=settings(max_examples=EXAMPLES, stateful_step_count=STEPS))
    assert not connection.needs_rollback


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_a_preset_decides_as_the_rules_say(preset: str) -> None:
    play(st.just(preset))


def test_any_policy_decides_as_the_rules_say() -> None:
    play(own_policies())


def test_a_waitlist_of_which_only_the_head_was_read_decides_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "WAITERS_READ", 1)
    reading._read_sql.cache_clear()
    try:
        play(st.one_of(st.sampled_from(sorted(PRESETS)), own_policies()))
    finally:
        reading._read_sql.cache_clear()
