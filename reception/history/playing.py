"""Plays a session of the past in memory, by the engine's own rules: no lock, no query, no clock.

What comes of it is what the engine would have written: tokens, their events, the session's own, in their order.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from typing import Any, NamedTuple

from tokens import queue_rules, rules
from tokens.facts import Draft, SessionFacts, SlotFacts, TokenFacts
from tokens.kinds import SupplyKind
from tokens.reading import TOKEN_COLUMNS
from tokens.simulation.script import GRACE, Visitor, comes_about, given_up
from tokens.states import ACTIVE, Source, Status
from tokens.storage import encode

TO_THE_DOOR = timedelta(seconds=30)
CLOSES_AFTER = timedelta(minutes=30)
_ASKED = tuple(name for name in TOKEN_COLUMNS if name not in ("id", "events"))
_GONE = frozenset({Status.COMPLETED, Status.CANCELLED, Status.NO_SHOW})
_INSIDE = frozenset({Status.CONFIRMED, Status.IN_PROGRESS})

Step = Callable[[Any, datetime], None]


class News(NamedTuple):
    """What others learn of a token, in the order of time.

    Attributes:
        what: "here" (arrived and confirmed, for the first time or again), "waits" (it was, and lost the place),
            "ends" (it was, and is cancelled), "seen".
        by_clinic: the clinic ended it, not the patient.
    """

    at: datetime
    what: str
    token: TokenFacts
    by_clinic: bool = False


@dataclass
class Played:
    """What came of a session.

    Attributes:
        events: rows of `tokens_event` in the order of `EVENT_COLUMNS`.
        supply_events: rows of `tokens_supplyevent` in the order of `SUPPLY_COLUMNS`.
    """

    session: SessionFacts
    tokens: dict[int, TokenFacts] = field(default_factory=dict)
    events: list[tuple[Any, ...]] = field(default_factory=list)
    supply_events: list[tuple[Any, ...]] = field(default_factory=list)
    news: list[News] = field(default_factory=list)


EVENT_COLUMNS = (
    "token_id", "seq", "session_id", "kind", "status", "changes", "actor_id", "at", "reason",
    "cause_token_id", "cause_seq",
)  # fmt: skip
SUPPLY_COLUMNS = ("session_id", "slot_id", "seq", "kind", "changes", "actor_id", "at", "reason")


class Play:
    """The clock of one session and everybody who acts by it.

    Args:
        session: without tokens; it is changed in place.
        ids, keys: of tokens that have not been given yet.
        desk, doctor: the ids of the users under whose names desk and doctor act; None is the clinic itself.
        calls_from: patients are called from then on.
    """

    def __init__(
        self,
        session: SessionFacts,
        visitors: Iterable[Visitor],
        *,
        ids: Iterator[int],
        keys: Iterator[str],
        desk: int | None,
        doctor: int | None,
        calls_from: datetime,
    ) -> None:
        self.session, self.played = session, Played(session)
        self._ids, self._keys, self._desk, self._doctor = ids, keys, desk, doctor
        self._calls_from, self._busy = calls_from, False
        self._visitors: dict[int, Visitor] = {}
        self._here: set[int] = set()
        self._order = count()
        self._agenda: list[tuple[datetime, int, Step, Any]] = []
        for visitor in visitors:
            self._at(visitor.asks_at, self._ask, visitor)

    def play(self) -> Played:
        """From the first request to the closing of the session."""
        while self._agenda:
            at, _, step, about = heappop(self._agenda)
            step(about, at)
        last = self.session.last_event_at or self.session.ends_at
        self._act(max(last, self.session.ends_at + CLOSES_AFTER), self._close, self._desk)
        return self.played

    def _at(self, at: datetime, step: Step, about: Any) -> None:
        heappush(self._agenda, (at, next(self._order), step, about))

    # The frame of every action, as `tokens.acting` has it

    def _act(self, at: datetime, rule: Callable[[Draft], object], actor: int | None) -> None:
        session = self.session
        draft = Draft([session], max(at, session.last_event_at) if session.last_event_at else at)
        self._settle(draft)
        rule(draft)
        self._settle(draft)
        if draft.events or draft.supply_events:
            session.version += 1
            session.last_event_at = draft.now
            self._keep(draft, actor)

    def _settle(self, draft: Draft) -> None:
        """Settling changes nothing where nobody waits or sits beyond the capacity: it is what costs most."""
        if any(t.status == Status.WAITLISTED or t.overbooked for t in self.session.tokens.values()):
            rules.settle(draft, cause=draft.events[-1] if draft.events else None)

    def _keep(self, draft: Draft, actor: int | None) -> None:
        for e in draft.events:
            cause = e.cause or (None, None)
            self.played.events.append(
                (
                    e.token_id,
                    e.seq,
                    e.session_id,
                    e.kind,
                    e.status,
                    encode(e.changes),
                    actor,
                    draft.now,
                    e.reason,
                    *cause,
                )
            )
        for s in draft.supply_events:
            self.played.supply_events.append(
                (s.session_id, s.slot_id, s.seq, s.kind, encode(s.changes), actor, draft.now, s.reason)
            )
        by_clinic = bool(draft.supply_events)
        for token_id in dict.fromkeys(e.token_id for e in draft.events):
            self._look_at(self.played.tokens.get(token_id) or draft.token(token_id), draft.now, by_clinic)

    def _look_at(self, token: TokenFacts, at: datetime, by_clinic: bool) -> None:
        """Remember the token, say what others want to know of it, and forget for the rules one who is gone."""
        self.played.tokens[token.id] = token
        here = token.arrived_at is not None and token.status in _INSIDE
        known = token.id in self._here
        if here and not known:
            self._here.add(token.id)
            self._tell(at, "here", token)
        elif known and not here:
            self._here.discard(token.id)
            what = {Status.WAITLISTED: "waits", Status.COMPLETED: "seen"}.get(Status(token.status), "ends")
            self._tell(at, what, token, by_clinic)
        elif token.status == Status.CANCELLED:
            self._tell(at, "ends", token, by_clinic)
        if token.status in _GONE and not token.overbooked:
            self.session.tokens.pop(token.id, None)
        if token.arrived_at and token.queued and not token.called_at:
            self._wake(at)

    def _tell(self, at: datetime, what: str, token: TokenFacts, by_clinic: bool = False) -> None:
        self.played.news.append(News(at, what, token, by_clinic))

    def _wake(self, at: datetime) -> None:
        """Let the doctor call, where somebody can be called."""
        if not self._busy:
            self._busy = True
            self._at(max(at, self._calls_from), self._call, None)

    # What visitors do

    def _slot_for(self, visitor: Visitor, draft: Draft) -> SlotFacts | None:
        """The slot asked for; who names none gets the first with a place, or waits in the first that is not over."""
        taking = [slot for slot in self.session.slots if rules.takes(slot, self.session, draft.now)]
        if visitor.slot_id is not None:
            return next((slot for slot in taking if slot.id == visitor.slot_id), None)
        return next((slot for slot in taking if slot.free), None) or next(iter(taking), None)

    def _ask(self, visitor: Visitor, at: datetime) -> None:
        def rule(draft: Draft) -> None:
            slot = self._slot_for(visitor, draft)
            if slot is None or rules.held_by(draft, self.session, visitor.patient_id):
                return
            token = self._token(visitor, slot, draft.now)
            rules.request(draft, token, slot, {name: getattr(token, name) for name in _ASKED})
            visitor.token_id = token.id
            self._visitors[token.id] = visitor

        online = visitor.source == Source.ONLINE
        self._act(at, rule, None if online else self._desk)
        if visitor.token_id is not None:
            self._expect(visitor)

    def _token(self, visitor: Visitor, slot: SlotFacts, now: datetime) -> TokenFacts:
        return TokenFacts(
            id=next(self._ids),
            session_id=self.session.id,
            slot_id=slot.id,
            patient_id=visitor.patient_id,
            status=Status.REQUESTED.value,
            source=visitor.source.value,
            paid=visitor.source == Source.PAID,
            score=rules.score(visitor.source, visitor.source == Source.PAID, self.session.policy),
            requested_at=now,
            order_at=now,
            arrived_at=now if visitor.here else None,
            key=next(self._keys),
        )

    def _expect(self, visitor: Visitor) -> None:
        token = self.played.tokens[visitor.token_id or 0]
        if token.status not in ACTIVE:
            return
        start = self.session.slot(token.slot_id).starts_at
        if visitor.cancels_at:
            self._at(max(visitor.asks_at, visitor.cancels_at), self._cancel, token)
        if visitor.comes and not visitor.here:
            self._at(comes_about(visitor, start), self._come, token)
        if not visitor.comes or visitor.late is not None:
            self._at(given_up(visitor, start), self._give_up, token)

    def _come(self, token: TokenFacts, at: datetime) -> None:
        if token.status == Status.NO_SHOW:
            self._act(at, lambda draft: self._return(draft, token), self._desk)
        elif token.status in ACTIVE and token.arrived_at is None:
            self._act(at, lambda draft: draft.change(token, "arrived", arrived_at=draft.now), self._desk)

    def _return(self, draft: Draft, token: TokenFacts) -> None:
        left = [slot for slot in self.session.slots if rules.takes(slot, self.session, draft.now)]
        if left and not rules.held_by(draft, self.session, token.patient_id):
            self.session.tokens[token.id] = token
            rules.late_return(draft, token, left[0])

    def _cancel(self, token: TokenFacts, at: datetime) -> None:
        if token.status in (Status.CONFIRMED, Status.WAITLISTED):
            self._act(at, lambda draft: rules.cancel(draft, token, "called off"), self._desk)

    def _give_up(self, token: TokenFacts, at: datetime) -> None:
        """Mark one who has not come; one whose slot is later by now, or who still waits, is looked at again."""
        if token.arrived_at or token.status not in (Status.CONFIRMED, Status.WAITLISTED):
            return
        start = self.session.slot(token.slot_id).starts_at
        if token.status == Status.CONFIRMED and at >= start:
            self._act(at, lambda draft: _missed(draft, token), self._desk)
        elif at < self.session.ends_at + GRACE:
            self._at(max(start, at + GRACE), self._give_up, token)

    # What the doctor does

    def _call(self, _: None, at: datetime) -> None:
        called: list[TokenFacts] = []

        def rule(draft: Draft) -> None:
            token = queue_rules.next_to_call(self.session, draft.now)
            if token is not None:
                queue_rules.called(draft, token)
                called.append(token)

        self._act(at, rule, self._doctor)
        if called:
            self._at(at + TO_THE_DOOR, self._start, called[0])
        else:
            self._busy = False

    def _start(self, token: TokenFacts, at: datetime) -> None:
        if token.status != Status.CONFIRMED:  # called off on the way to the door
            self._call(None, at)
            return
        self._act(at, lambda draft: queue_rules.started(draft, token), self._doctor)
        self._at(at + self._visitors[token.id].visit, self._complete, token)

    def _complete(self, token: TokenFacts, at: datetime) -> None:
        def rule(draft: Draft) -> None:
            draft.change(token, "completed", status=Status.COMPLETED.value, ended_at=draft.now)

        self._act(at, rule, self._doctor)
        self._call(None, at)

    def _close(self, draft: Draft) -> None:
        """Who never came is a no-show; who was not seen is cancelled by the clinic."""
        session = self.session
        draft.supply(session, None, SupplyKind.CLOSED, status="closed", closed_at=draft.now)
        left = sorted(session.tokens.values(), key=lambda t: (session.slot(t.slot_id).starts_at, rules.rank(t)))
        for token in left:
            if token.status == Status.CONFIRMED and token.arrived_at is None:
                _missed(draft, token)
        for token in left:
            if token.status in ACTIVE:
                rules.cancel(draft, token, rules.NOT_SERVED)


def _missed(draft: Draft, token: TokenFacts) -> None:
    draft.change(token, "no_show", status=Status.NO_SHOW.value, ended_at=draft.now, overbooked=False)
