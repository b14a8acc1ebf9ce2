"""Plays a day: visitors ask, come, are called and seen through the real actions, in the order of a simulated clock."""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING, Any

from django.db import transaction

from common.errors import DomainError
from scheduling.models import Slot
from tokens import allocation, queueing
from tokens.facts import TokenFacts
from tokens.outcome import Outcome
from tokens.simulation.script import GRACE, Visitor, comes_about, given_up
from tokens.states import ACTIVE, Status

if TYPE_CHECKING:
    from accounts.models import User


def settle_session(*, session_id: int, by: "User | None", at: datetime) -> Outcome:
    """What the clinic's minute job does; nobody's name stands under it."""
    return allocation.settle_session(session_id=session_id, at=at)


TO_THE_DOOR = timedelta(seconds=30)
"""From the call to the start of the visit."""

Step = Callable[[Any, datetime], None]
Told = Callable[[datetime, str, Outcome | str], None]


class Player:
    """The clock and everybody who acts by it. Nobody else may touch the sessions of the visitors meanwhile.

    The caller opens the transaction, which may hold many actions: savepoints would double the round trips.

    Args:
        session_ids: the sessions that are played; whoever is sent on to another one has left the day.
        told: called after each action with the moment, its name and its outcome, or the code of its refusal.
        desk, doctor: whose names stand under what desk and doctor do; None is the clinic itself.
        settles: as time passes, sessions are settled at the end of each of their slots.
        calls_from: patients are called from then on, even before a session's start.
    """

    def __init__(
        self,
        visitors: Iterable[Visitor],
        session_ids: Iterable[int],
        *,
        told: Told | None = None,
        desk: "User | None" = None,
        doctor: "User | None" = None,
        settles: bool = False,
        calls_from: datetime | None = None,
    ) -> None:
        self.tokens: dict[int, TokenFacts] = {}
        self.refusals: Counter[str] = Counter()
        self.actions = 0
        self._told = told
        self._people = {"call": doctor, "start": doctor, "complete": doctor}
        self._desk = desk
        self._calls_from = calls_from
        slots = Slot.objects.filter(session_id__in=list(session_ids)).select_related("session")
        self._starts = {slot.pk: slot.starts_at for slot in slots}
        self._hours = {slot.session_id: (slot.session.starts_at, slot.session.ends_at) for slot in slots}
        self._delays = {slot.session_id: timedelta(minutes=slot.session.delay_minutes) for slot in slots}
        self._by_token: dict[int, Visitor] = {}
        self._busy: set[int] = set()
        self._order = count()
        self._agenda: list[tuple[datetime, int, Step, Any]] = []
        for slot in slots if settles else ():
            self._at(slot.ends_at, self._settle, slot.session_id)
        for visitor in visitors:
            self._at(visitor.asks_at, self._ask, visitor)

    def expect(self, visitor: Visitor, token: TokenFacts, at: datetime) -> None:
        """Take in somebody who holds a token of the played sessions already, and from `at` on does what visitors do."""
        visitor.token_id = token.id
        self._by_token[token.id] = visitor
        self._remember(token, at)
        if token.status in ACTIVE:
            self._expect(visitor, token)

    @property
    def next_at(self) -> datetime | None:
        """The moment of the next step; None when the day is over."""
        return self._agenda[0][0] if self._agenda else None

    def play(self, *, until: datetime | None = None, steps: int | None = None) -> bool:
        """Play on, up to a moment or for so many steps.

        Returns:
            whether there is more to play up to that moment.
        """
        while self._agenda and (until is None or self._agenda[0][0] <= until):
            if steps is not None:
                if not steps:
                    return True
                steps -= 1
            at, _, step, about = heappop(self._agenda)
            step(about, at)
        return False

    def _at(self, at: datetime, step: Step, about: Any) -> None:
        heappush(self._agenda, (at, next(self._order), step, about))

    def _do(self, at: datetime, name: str, action: Callable[..., Outcome], **wish: Any) -> Outcome | str:
        """Do one action; returns its outcome, or the code of its refusal."""
        self.actions += 1
        try:
            outcome = action(by=self._people.get(name, self._desk), at=at, **wish)
        except DomainError as refusal:
            # Actions decide before they write: a refusal leaves nothing to roll back, and the day goes on.
            transaction.set_rollback(False)
            self.refusals[f"{name}: {refusal.code}"] += 1
            return self._tell(at, name, refusal.code)
        self._learn(outcome, at)
        return self._tell(at, name, outcome)

    def _tell(self, at: datetime, name: str, came: Outcome | str) -> Outcome | str:
        if self._told:
            self._told(at, name, came)
        return came

    def _learn(self, outcome: Outcome, at: datetime) -> None:
        """Remember where everybody stands now, and let a doctor call who has somebody to call."""
        self._delays[outcome.session.id] = outcome.session.delay
        for touched in outcome.touched:
            self._remember(touched.after, at)

    def _remember(self, token: TokenFacts, at: datetime) -> None:
        self.tokens[token.id] = token
        callable_now = token.queued and token.arrived_at and not token.called_at
        if callable_now and token.session_id in self._hours and token.session_id not in self._busy:
            self._busy.add(token.session_id)
            opens = self._calls_from or self._hours[token.session_id][0]
            self._at(max(at, opens), self._call, token.session_id)

    def _slot_start(self, token: TokenFacts) -> datetime:
        """When the token's slot begins, the doctor's delay included."""
        return self._starts[token.slot_id] + self._delays[token.session_id]

    def _settle(self, session_id: int, at: datetime) -> None:
        self._do(at, "settle", settle_session, session_id=session_id)

    # What visitors do

    def _ask(self, visitor: Visitor, at: datetime) -> None:
        place = {"slot_id": visitor.slot_id, "doctor_id": visitor.doctor_id, "on": visitor.on}
        outcome = self._do(
            at,
            "request",
            allocation.request_token,
            patient_id=visitor.patient_id,
            source=visitor.source.value,
            paid=visitor.paid,
            arrived=visitor.here,
            **place,
        )
        if isinstance(outcome, str):
            visitor.refusal = outcome
            return
        token = outcome.token
        assert token is not None
        own = next(touched for touched in outcome.touched if touched.after is token)
        visitor.given = token.status if own.before is None else "raised"
        visitor.token_id = token.id
        self._by_token.setdefault(token.id, visitor)
        if token.status in ACTIVE and token.slot_id in self._starts:
            self._expect(visitor, token)

    def _expect(self, visitor: Visitor, token: TokenFacts) -> None:
        """Plan when one who got a token comes, calls it off, or is given up."""
        start = self._slot_start(token)
        if visitor.cancels_at:
            self._at(max(visitor.asks_at, visitor.cancels_at), self._cancel, visitor)
        if visitor.comes and not visitor.here:
            self._at(comes_about(visitor, start), self._come, visitor)
        if not visitor.comes or visitor.late is not None:
            self._at(given_up(visitor, start), self._give_up, visitor)

    def _come(self, visitor: Visitor, at: datetime) -> None:
        token = self.tokens[visitor.token_id or 0]
        if token.slot_id not in self._starts:
            return
        if token.status == Status.NO_SHOW:
            self._do(at, "return", allocation.return_late, token_id=token.id)
        elif token.status in ACTIVE and token.arrived_at is None:
            self._do(at, "arrive", queueing.arrive, token_id=token.id)

    def _cancel(self, visitor: Visitor, at: datetime) -> None:
        token = self.tokens[visitor.token_id or 0]
        if token.status in (Status.CONFIRMED, Status.WAITLISTED):
            self._do(at, "cancel", allocation.cancel_token, token_id=token.id, reason="called off")

    def _give_up(self, visitor: Visitor, at: datetime) -> None:
        """Mark one who has not come; one whose slot is later by now, or who still waits, is looked at again."""
        token = self.tokens[visitor.token_id or 0]
        expected = token.status in (Status.CONFIRMED, Status.WAITLISTED) and token.slot_id in self._starts
        if token.arrived_at or not expected:
            return
        start = self._slot_start(token)
        if token.status == Status.CONFIRMED and at >= start:
            self._do(at, "no_show", allocation.mark_no_show, token_id=token.id)
        elif at < self._hours[token.session_id][1] + self._delays[token.session_id] + GRACE:
            self._at(max(start, at + GRACE), self._give_up, visitor)

    # What doctors do

    def _call(self, session_id: int, at: datetime) -> None:
        outcome = self._do(at, "call", queueing.call_next, session_id=session_id)
        if isinstance(outcome, str) or outcome.token is None:
            self._busy.discard(session_id)
        else:
            self._at(at + TO_THE_DOOR, self._start, outcome.token.id)

    def _start(self, token_id: int, at: datetime) -> None:
        token = self.tokens[token_id]
        if isinstance(self._do(at, "start", queueing.start, token_id=token_id), str):
            self._call(token.session_id, at)  # called off on the way to the door
        else:
            visit = self._by_token[token_id].visit
            self._at(at + visit, self._complete, token_id)

    def _complete(self, token_id: int, at: datetime) -> None:
        self._do(at, "complete", queueing.complete, token_id=token_id)
        self._call(self.tokens[token_id].session_id, at)
