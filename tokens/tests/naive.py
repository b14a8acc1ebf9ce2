"""The rules of allocation once more: naive, slow, with lists, written from the prose and not from the engine.

The stateful test plays the same operations through the engine and through this model and compares everything. Nothing
of `tokens.rules` is used here, on purpose; where the two differ, one of them has misread the prose.
"""

from copy import deepcopy
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from tokens.facts import Policy


class No(Exception):
    """The model refuses, with the code that the engine should give."""


@dataclass
class T:
    """A token."""

    id: int
    session: int
    slot: int
    patient: int
    source: str
    paid: bool
    score: int
    order: datetime
    status: str = "requested"
    number: str = ""
    overbooked: bool = False
    arrived: datetime | None = None
    called: datetime | None = None
    calls: int = 0
    held: datetime | None = None
    skipped: int | None = None
    away: datetime | None = None
    back: datetime | None = None
    started: datetime | None = None
    ended: datetime | None = None
    past: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)

    def values(self) -> dict[str, Any]:
        """Everything but the history."""
        return {name: value for name, value in vars(self).items() if name != "past"}


@dataclass
class L:
    """A slot."""

    id: int
    session: int
    start: datetime
    end: datetime
    capacity: int
    status: str = "open"


@dataclass
class S:
    """A session."""

    id: int
    doctor: int
    day: date
    start: datetime
    prefix: str
    delay: int = 0
    status: str = "open"
    numbers: int = 0
    calls: int = 0


ACTIVE = ("confirmed", "waitlisted", "in_progress")
PLACED = ("confirmed", "in_progress", "completed")
UNDOABLE = (
    "arrived", "called", "held", "skipped", "sent_away", "back", "started", "completed", "cancelled", "no_show",
    "moved", "patient_changed",
)  # fmt: skip


class Naive:
    """One hospital under one policy. `run` does an action wholly, or raises `No` and changes nothing."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.now = datetime.min
        self.sessions: list[S] = []
        self.slots: list[L] = []
        self.tokens: list[T] = []
        self.log: list[tuple[int, str]] = []
        self.displaced: list[int] = []
        self.promoted: list[int] = []
        self.locked: list[int] = []

    # Reading

    def token(self, token_id: int) -> T:
        return next(t for t in self.tokens if t.id == token_id)

    def slot(self, slot_id: int) -> L:
        return next(s for s in self.slots if s.id == slot_id)

    def session(self, session_id: int) -> S:
        return next(s for s in self.sessions if s.id == session_id)

    def slots_of(self, session_id: int) -> list[L]:
        return sorted((s for s in self.slots if s.session == session_id), key=lambda s: s.start)

    def used(self, slot: L) -> int:
        return len([t for t in self.tokens if t.slot == slot.id and t.status in PLACED])

    def overbooked(self, slot: L) -> int:
        return len([t for t in self.tokens if t.slot == slot.id and t.status in PLACED and t.overbooked])

    def free(self, slot: L) -> int:
        return max(0, slot.capacity - (self.used(slot) - self.overbooked(slot)))

    def delay(self, slot: L) -> timedelta:
        return timedelta(minutes=self.session(slot.session).delay)

    def begun(self, slot: L) -> bool:
        return self.now >= slot.start + self.delay(slot)

    def over(self, slot: L) -> bool:
        return self.session(slot.session).status != "open" or self.now >= slot.end + self.delay(slot)

    def gives(self, slot: L) -> bool:
        return slot.status == "open" and not self.over(slot)

    def qualifies(self, t: T, slot: L) -> bool:
        return not (self.policy.present_only and self.begun(slot) and t.arrived is None)

    def weight(self, source: str, paid: bool) -> int:
        table = self.policy.weights
        if self.policy.combine == "best":
            return max([table[source]] + ([table["paid"]] if paid else []))
        return table[source] + (table["paid"] if paid and source != "paid" else 0)

    def points(self, t: T) -> int:
        p = self.policy
        if not p.age_points or not p.age_every or t.arrived is None or self.now < t.arrived:
            return t.score
        steps = 0
        while t.arrived + (steps + 1) * timedelta(minutes=p.age_every) <= self.now:
            steps += 1
        return t.score + min(p.age_limit, steps * p.age_points)

    def order(self, t: T, stored: bool = False) -> tuple[Any, ...]:
        points = t.score if stored else self.points(t)
        return (0 if t.source == "emergency" else 1, -points, t.order, t.id)

    def waits_for(self, t: T, slot: L) -> bool:
        if t.status != "waitlisted" or t.session != slot.session:
            return False
        own = self.slot(t.slot)
        return own is slot or (own.start < slot.start and (t.source == "emergency" or not self.gives(own)))

    def waiting(self, slot: L) -> list[T]:
        found = [t for t in self.tokens if self.waits_for(t, slot) and self.qualifies(t, slot)]
        return sorted(found, key=self.order)

    def held_by(self, patient: int, session: int, but: int = -1) -> T | None:
        for t in self.tokens:
            if t.patient == patient and t.session == session and t.status in ACTIVE and t.id != but:
                return t
        return None

    # Changing

    def change(self, t: T, kind: str, reason: str = "", **values: Any) -> None:
        t.past.append((kind, reason, t.values()))
        for name, value in values.items():
            setattr(t, name, value)
        self.log.append((t.id, kind))

    def number(self, session_id: int) -> str:
        session = self.session(session_id)
        session.numbers += 1
        return f"{session.prefix}-{session.numbers:03d}"

    def go(self, t: T, slot: L) -> dict[str, Any]:
        if slot.session == t.session:
            return {"slot": slot.id}
        fresh = {"number": self.number(slot.session), "called": None, "calls": 0, "held": None, "skipped": None}
        if self.session(slot.session).day != self.session(t.session).day:
            fresh["arrived"] = None
        return {"slot": slot.id, "session": slot.session, **fresh}

    def confirm(self, t: T, slot: L, overbooked: bool = False) -> None:
        kind = "overbooked" if overbooked else "confirmed" if t.status == "requested" else "promoted"
        values = self.go(t, slot)
        if not t.number and "number" not in values:
            values["number"] = self.number(slot.session)
        if kind == "promoted":
            self.promoted.append(t.id)
        self.change(t, kind, status="confirmed", overbooked=overbooked, **values)

    def settle(self) -> None:
        for session in sorted(self.sessions, key=lambda s: (s.start, s.id)):
            for slot in self.slots_of(session.id) if session.id in self.locked else []:
                over_capacity = [t for t in self.tokens if t.slot == slot.id and t.overbooked and t.status in PLACED]
                for t in sorted(over_capacity, key=lambda t: self.order(t, stored=True)):
                    if self.free(slot):
                        self.change(t, "normalised", overbooked=False)
                while self.gives(slot) and self.free(slot) and self.waiting(slot):
                    self.confirm(self.waiting(slot)[0], slot)

    # Deciding: steps 2 to 5

    def ask(self, t: T, slot: L) -> bool:
        for other in self.waiting(slot):
            if other is not t and self.order(other) < self.order(t):
                self.place(other, slot)
        return self.place(t, slot)

    def place(self, t: T, slot: L) -> bool:
        if not self.qualifies(t, slot):
            return False
        if self.free(slot):
            self.confirm(t, slot)
            return True
        if t.source == "emergency" and self.policy.emergency == "overbook":
            self.confirm(t, slot, overbooked=True)
            return True
        losers = [o for o in self.tokens if o.slot == slot.id and o is not t and self.can_lose(o, t)]
        if not losers:
            return False
        if self.policy.protect_arrived and any(o.arrived is None for o in losers):
            losers = [o for o in losers if o.arrived is None]
        self.displace(max(losers, key=lambda o: self.order(o, stored=True)))
        self.confirm(t, slot)
        return True

    def movable(self, t: T) -> bool:
        return t.status == "confirmed" and t.calls == 0 and not t.overbooked

    def can_lose(self, t: T, to: T) -> bool:
        if not self.movable(t) or t.source == "emergency":
            return False
        if to.source == "emergency":
            return True
        protected = self.policy.protect_arrived and t.arrived is not None
        return self.policy.displacement == "any_higher" and not protected and t.score < to.score

    def next_slot(self, t: T, slot: L, days: int) -> L | None:
        """The first later slot of the same doctor with a free place."""
        home = self.session(slot.session)
        for session in sorted(self.sessions, key=lambda s: (s.start, s.id)):
            if session.doctor != home.doctor or session.start < home.start or session.status != "open":
                continue
            if (session.day - home.day).days > days:
                continue
            if session.id != t.session and self.held_by(t.patient, session.id):
                continue
            for other in self.slots_of(session.id):
                if other.start > slot.start and self.gives(other) and self.free(other) and self.qualifies(t, other):
                    return other
        return None

    def displace(self, t: T, reason: str = "") -> None:
        slot = self.slot(t.slot)
        p = self.policy
        kept = p.protect_arrived and t.arrived is not None
        self.displaced.append(t.id)
        if p.without_place == "next_slot":
            other = self.next_slot(t, slot, 0 if kept else p.next_slot_days)
            if other:
                self.change(t, "displaced", reason, **self.go(t, other))
                return
        self.change(t, "displaced", reason, status="waitlisted", overbooked=False)
        if p.without_place == "next_slot" and p.no_next_slot == "cancel" and not kept and t.source != "emergency":
            self.end(t, "no_place")

    def end(self, t: T, reason: str) -> None:
        number = t.number or self.number(t.session)
        self.change(t, "cancelled", reason, status="cancelled", ended=self.now, overbooked=False, number=number)

    def turned_away(self, t: T, slot: L) -> None:
        p = self.policy
        if p.without_place == "next_slot" and t.source != "emergency":
            other = self.next_slot(t, slot, p.next_slot_days)
            if other:
                self.confirm(t, other)
                return
            if p.no_next_slot == "cancel":
                self.end(t, "no_place")
                return
        self.change(t, "waitlisted", status="waitlisted", number=t.number or self.number(slot.session))

    def later(self, slot: L) -> list[L]:
        return [s for s in self.slots_of(slot.session) if s.start > slot.start and self.gives(s)]

    # Actions

    def run(self, action: str, locked: list[int], **arguments: Any) -> None:
        """Do an action under the lock of these sessions, wholly or not at all."""
        kept = deepcopy((self.sessions, self.slots, self.tokens))
        self.log, self.displaced, self.promoted, self.locked = [], [], [], locked
        try:
            self.settle()
            getattr(self, action)(**arguments)
            self.settle()
        except No:
            self.sessions, self.slots, self.tokens = kept
            raise

    def idle(self) -> None:
        """Only time has passed."""

    def open_slot(self, slot: L) -> None:
        if self.over(slot):
            raise No("slot_over")
        if slot.status != "open":
            raise No("slot_closed")

    def request(
        self, token_id: int, slot_id: int, patient: int, source: str, paid: bool, here: bool, sent: bool = False
    ) -> T:
        slot = self.slot(slot_id)
        self.open_slot(slot)
        held = self.held_by(patient, slot.session)
        if held:
            if sent or source != "emergency" or held.source == "emergency" or held.status == "in_progress":
                raise No("duplicate_token")
            self.raise_(held, slot, paid, here)
            return held
        paid = paid or source == "paid"
        t = T(token_id, slot.session, slot.id, patient, source, paid, self.weight(source, paid), self.now)
        t.arrived = self.now if here else None
        self.tokens.append(t)
        self.log.append((t.id, "requested"))
        wanted = [slot] + (self.later(slot) if source == "emergency" else [])
        if not any(self.ask(t, s) for s in wanted):
            self.turned_away(t, slot)
        return t

    def raise_(self, t: T, slot: L, paid: bool, here: bool) -> None:
        arrived = t.arrived or (self.now if here else None)
        paid = t.paid or paid
        score = self.weight("emergency", paid)
        self.change(t, "rescored", source="emergency", score=score, paid=paid, arrived=arrived)
        if t.status == "waitlisted":
            wanted = [slot, *self.later(slot)]
            own = [s for s in self.slots_of(t.session) if self.gives(s) and self.waits_for(t, s)]
            any(self.ask(t, s) for s in [*wanted, *(s for s in own if s not in wanted)])

    def cancel(self, token_id: int) -> None:
        t = self.token(token_id)
        if t.status not in ACTIVE:
            raise No("invalid_transition")
        self.end(t, "why")

    def no_show(self, token_id: int) -> None:
        t = self.token(token_id)
        if t.status != "confirmed":
            raise No("invalid_transition")
        if self.policy.no_show == "after_start":
            if not self.begun(self.slot(t.slot)):
                raise No("too_early")
            if t.arrived and not t.calls:
                raise No("not_called")
        self.change(t, "no_show", status="no_show", ended=self.now, overbooked=False)

    def come_late(self, token_id: int) -> None:
        t = self.token(token_id)
        if t.status != "no_show":
            raise No("invalid_transition")
        if self.held_by(t.patient, t.session):
            raise No("duplicate_token")
        left = [s for s in self.slots_of(t.session) if self.gives(s)]
        if not left:
            raise No("session_over")
        fresh = {"order": self.now, "arrived": self.now, "called": None, "calls": 0, "held": None, "skipped": None}
        places = left if self.policy.without_place == "next_slot" else left[:1]
        place = next((s for s in places if self.free(s)), None)
        status = "confirmed" if place else "waitlisted"
        self.change(t, "returned", status=status, slot=(place or left[0]).id, ended=None, **fresh)

    def pay(self, token_id: int) -> None:
        t = self.token(token_id)
        if t.paid or t.status not in ACTIVE:
            raise No("invalid_transition")
        self.change(t, "rescored", paid=True, score=self.weight(t.source, True))
        if t.status == "waitlisted":
            wanted = [s for s in self.slots_of(t.session) if self.waits_for(t, s) and self.gives(s)]
            any(self.ask(t, s) for s in wanted)

    def overbook(self, token_id: int) -> None:
        t = self.token(token_id)
        if (token_id, "promoted") in self.log:
            return
        if t.status != "waitlisted":
            raise No("invalid_transition")
        places = [s for s in self.slots_of(t.session) if self.gives(s) and self.waits_for(t, s)]
        if not places:
            self.open_slot(self.slot(t.slot))
        self.change(t, "overbooked", status="confirmed", slot=places[0].id, overbooked=True)

    def move(self, token_id: int, slot_id: int) -> None:
        t, slot = self.token(token_id), self.slot(slot_id)
        if t.slot == slot_id and (token_id, "promoted") in self.log:
            return
        if t.slot == slot_id and (token_id, "normalised") in self.log:
            return
        if t.status not in ("confirmed", "waitlisted"):
            raise No("invalid_transition")
        self.open_slot(slot)
        if t.status == "confirmed" and t.slot == slot_id:
            raise No("invalid_transition")
        if self.held_by(t.patient, slot.session, but=t.id):
            raise No("duplicate_token")
        if not self.free(slot) or not self.qualifies(t, slot):
            raise No("slot_full")
        self.change(t, "moved", status="confirmed", overbooked=False, **self.go(t, slot))

    def change_patient(self, token_id: int, patient: int) -> None:
        t = self.token(token_id)
        if t.status in ACTIVE and self.held_by(patient, t.session, but=t.id):
            raise No("duplicate_token")
        self.change(t, "patient_changed", patient=patient)

    # The queue

    def arrive(self, token_id: int) -> None:
        t = self.token(token_id)
        if t.status not in ACTIVE or t.arrived:
            raise No("invalid_transition")
        self.change(t, "arrived", arrived=self.now)

    def stands(self, t: T) -> bool:
        return t.status == "confirmed" or (t.status == "in_progress" and t.back is not None)

    def line(self, session_id: int) -> list[T]:
        def key(t: T) -> tuple[Any, ...]:
            if t.source == "emergency":
                return (0, self.order(t))
            if t.back:
                return (1, t.back, self.order(t))
            return (2, self.slot(t.slot).start, self.order(t))

        return sorted((t for t in self.tokens if t.session == session_id and self.stands(t)), key=key)

    def call_next(self, session_id: int) -> None:
        session = self.session(session_id)
        if session.status != "open":
            raise No("session_over")
        here = [t for t in self.line(session_id) if t.arrived and not t.called]
        here = [t for t in here if not (t.held and t.held > self.now)]
        unskipped = [t for t in here if t.skipped is None or session.calls > t.skipped]
        for t in (unskipped or here)[:1]:
            self.do_call(t)

    def do_call(self, t: T) -> None:
        self.session(t.session).calls += 1
        self.change(t, "called", called=self.now, calls=t.calls + 1, held=None, skipped=None)

    def standing(self, token_id: int) -> T:
        t = self.token(token_id)
        if not self.stands(t):
            raise No("invalid_transition")
        if not t.arrived:
            raise No("not_arrived")
        return t

    def call(self, token_id: int) -> None:
        t = self.standing(token_id)
        if t.called:
            raise No("invalid_transition")
        self.do_call(t)

    def recall(self, token_id: int) -> None:
        t = self.standing(token_id)
        if not t.called:
            raise No("not_called")
        self.do_call(t)

    def hold(self, token_id: int, minutes: int) -> None:
        t = self.standing(token_id)
        self.change(t, "held", held=self.now + timedelta(minutes=minutes), called=None, skipped=None)

    def skip(self, token_id: int) -> None:
        t = self.standing(token_id)
        self.change(t, "skipped", skipped=self.session(t.session).calls, called=None, held=None)

    def room_is_free(self, t: T) -> None:
        for o in self.tokens:
            if o is not t and o.session == t.session and o.status == "in_progress" and o.away is None:
                raise No("doctor_busy")

    def start(self, token_id: int) -> None:
        t = self.token(token_id)
        if self.session(t.session).status != "open":
            raise No("session_over")
        if not self.stands(t):
            raise No("invalid_transition")
        self.room_is_free(t)
        values: dict[str, Any] = {"held": None, "skipped": None, "arrived": t.arrived or self.now}
        if t.status == "in_progress":
            values |= {"away": None, "back": None}
        else:
            values |= {"status": "in_progress", "started": self.now}
        self.change(t, "started", **values)

    def complete(self, token_id: int) -> None:
        t = self.token(token_id)
        if t.status != "in_progress":
            raise No("invalid_transition")
        self.change(t, "completed", status="completed", ended=self.now)

    def send_away(self, token_id: int) -> None:
        t = self.token(token_id)
        if t.status != "in_progress" or t.away is not None:
            raise No("invalid_transition")
        self.change(t, "sent_away", away=self.now, back=None, called=None, held=None)

    def come_back(self, token_id: int) -> None:
        t = self.token(token_id)
        if t.status != "in_progress" or t.away is None or t.back is not None:
            raise No("invalid_transition")
        self.change(t, "back", back=self.now, skipped=None)

    def send_on(self, token_id: int, new_id: int, slot_id: int) -> None:
        t = self.token(token_id)
        if t.status not in ACTIVE:
            raise No("invalid_transition")
        if t.status == "in_progress":
            self.change(t, "completed", "sent_on", status="completed", ended=self.now)
        else:
            self.end(t, "sent_on")
        new = self.request(new_id, slot_id, t.patient, t.source, t.paid, here=True, sent=True)
        if new.status == "cancelled":
            raise No("slot_full")

    # Taking back

    def undo(self, token_id: int) -> None:
        t = self.token(token_id)
        kind, reason, before = t.past[-1] if t.past else ("requested", "", {})
        if kind not in UNDOABLE or reason in ("no_place", "sent_on"):
            raise No("invalid_transition")
        session = self.session(before["session"])
        if session.status != "open":
            raise No("session_over")
        if before["status"] in ACTIVE and self.held_by(before["patient"], session.id, but=t.id):
            raise No("duplicate_token")
        slot = self.slot(before["slot"])
        restored = dict(before)
        if before["status"] in PLACED and not (t.status in PLACED and t.slot == slot.id):
            if slot.status != "open" or not self.free(slot):
                raise No("place_taken")
            restored["overbooked"] = False
        if before["status"] == "in_progress" and before["away"] is None:
            was, t.session = t.session, session.id
            self.room_is_free(t)
            t.session = was
        self.change(t, "undone", **restored)

    # Supply

    def delay_by(self, session_id: int, minutes: int) -> None:
        if self.session(session_id).status != "open":
            raise No("session_over")
        self.session(session_id).delay = minutes

    def supply_slot(self, slot_id: int) -> L:
        slot = self.slot(slot_id)
        if self.over(slot):
            raise No("slot_over")
        return slot

    def take_places(self, slot: L, how_many: int) -> None:
        mine = [t for t in self.tokens if t.slot == slot.id and self.movable(t)]
        absent_first = sorted(mine, key=lambda t: self.order(t, stored=True), reverse=True)
        absent_first.sort(key=lambda t: t.arrived is not None)
        for t in absent_first[:how_many]:
            self.displace(t)

    def set_capacity(self, slot_id: int, capacity: int) -> None:
        slot = self.supply_slot(slot_id)
        placed = self.used(slot) - self.overbooked(slot)
        fixed = placed - len([t for t in self.tokens if t.slot == slot.id and self.movable(t)])
        if capacity < fixed:
            raise No("capacity_too_low")
        slot.capacity = capacity
        self.take_places(slot, placed - capacity if placed > capacity else 0)

    def block(self, slot_id: int) -> None:
        slot = self.supply_slot(slot_id)
        if slot.status != "open":
            raise No("slot_closed")
        slot.status = "blocked"
        self.take_places(slot, len(self.tokens))

    def unblock(self, slot_id: int) -> None:
        slot = self.supply_slot(slot_id)
        if slot.status != "blocked":
            raise No("slot_closed")
        slot.status = "open"

    def close(self, session_id: int, move: bool, days: int) -> None:
        session = self.session(session_id)
        if session.status != "open":
            raise No("session_over")
        mine = [t for t in self.tokens if t.session == session_id]
        if any(t.status == "in_progress" for t in mine):
            raise No("doctor_busy")
        absent = [t for t in mine if t.status == "confirmed" and not t.arrived and self.begun(self.slot(t.slot))]
        session.status = "closed"
        for t in absent:
            self.change(t, "no_show", status="no_show", ended=self.now, overbooked=False)
        left = [t for t in mine if t.status in ACTIVE]
        for t in sorted(left, key=lambda t: (self.slot(t.slot).start, self.order(t, stored=True))):
            other = self.next_slot(t, self.slot(t.slot), days) if move else None
            if other is None:
                self.end(t, "not_served")
            else:
                self.change(t, "moved", status="confirmed", overbooked=False, **self.go(t, other))

    def undo_plan(self, plan: "Plan") -> None:
        if plan.undone or any(len(self.token(i).past) != count for i, (count, _) in plan.touched.items()):
            raise No("invalid_transition")
        place = self.session(plan.where) if plan.of_session else self.slot(plan.where)
        if any(getattr(place, name) != after for name, (_, after) in plan.supply.items()):
            raise No("invalid_transition")
        for name, (before, _) in plan.supply.items():
            setattr(place, name, before)
        for i, (_, before) in plan.touched.items():
            self.change(self.token(i), "undone", **before)
        for slot in self.slots:
            if self.used(slot) > slot.capacity + self.overbooked(slot):
                raise No("place_taken")
        for i in plan.touched:
            t = self.token(i)
            if t.status in ACTIVE and self.held_by(t.patient, t.session, but=i):
                raise No("duplicate_token")


@dataclass
class Plan:
    """A change of supply that was applied: whom it touched, in order, and what was before."""

    id: int
    session: int
    where: int
    of_session: bool
    touched: dict[int, tuple[int, dict[str, Any]]]
    supply: dict[str, tuple[Any, Any]]
    undone: bool = False
