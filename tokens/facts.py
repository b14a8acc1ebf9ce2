"""What the rules know: plain records of policy, slots, tokens and sessions, and the draft of a change.

Pure: no Django, no clock, no settings. The rules read and change these records; `tokens.storage` fills them from the
database under the session's lock and writes the difference.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from tokens.states import USED, Source, Status, may_become


@dataclass(frozen=True, slots=True)
class Policy:
    """How places are decided. One policy decides for a slot; see docs/allocation.md for each setting.

    `combine` is "sum" (weighted: source's weight plus the paid weight) or "best" (ranked: the better of the two).
    `age_every` and the slot's times are compared in minutes.
    """

    name: str
    combine: str
    weights: dict[str, int]
    emergency: str = "displace"
    displacement: str = "any_higher"
    without_place: str = "waitlist"
    no_next_slot: str = "waitlist"
    next_slot_days: int = 0
    protect_arrived: bool = False
    present_only: bool = False
    no_show: str = "any_time"
    age_points: int = 0
    age_every: int = 0
    age_limit: int = 0
    id: int | None = None

    @property
    def ages(self) -> bool:
        """Whether waiting earns points."""
        return self.age_points > 0 and self.age_every > 0


WEIGHTED = {"emergency": 1000, "paid": 300, "follow_up": 200, "walk_in": 100, "online": 50}
RANKED = {"emergency": 500, "paid": 400, "follow_up": 300, "walk_in": 100, "online": 200}

PRESETS: dict[str, Policy] = {
    policy.name: policy
    for policy in (
        Policy("weighted-waitlist", "sum", WEIGHTED),
        Policy("ranked-overbook", "best", RANKED, emergency="overbook"),
        Policy("ranked-next-slot", "best", RANKED, without_place="next_slot", no_next_slot="cancel", next_slot_days=7),
        Policy(
            "considerate",
            "sum",
            WEIGHTED,
            displacement="emergency_only",
            protect_arrived=True,
            present_only=True,
            no_show="after_start",
        ),
    )
}
"""The four systems that ship as data; a facility may copy and change them."""

DEFAULT_POLICY = "weighted-waitlist"


@dataclass(slots=True)
class SlotFacts:
    """A slot as it stands. `waiters_cut`: more people wait for it than were read."""

    id: int
    session_id: int
    starts_at: datetime
    ends_at: datetime
    capacity: int
    status: str
    used: int
    overbooked: int
    waiters_cut: bool = False

    @property
    def free(self) -> int:
        """Free places: capacity - (used - overbooked), never below 0."""
        return max(0, self.capacity - self.used + self.overbooked)


@dataclass(slots=True)
class TokenFacts:
    """Every stored value of a token; the names are those of the table's columns."""

    id: int
    session_id: int
    slot_id: int
    patient_id: int
    status: str
    source: str
    requested_at: datetime
    order_at: datetime
    number: str = ""
    paid: bool = False
    score: int = 0
    overbooked: bool = False
    overbooked_by_id: int | None = None
    arrived_at: datetime | None = None
    called_at: datetime | None = None
    call_count: int = 0
    held_until: datetime | None = None
    skipped_after: int | None = None
    away_at: datetime | None = None
    away_to: str = ""
    back_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    note: str = ""
    key: str = ""
    sent_from_id: int | None = None
    events: int = 0

    @property
    def emergency(self) -> bool:
        """Whether its source is an emergency."""
        return self.source == Source.EMERGENCY

    @property
    def uses_place(self) -> bool:
        """Whether it uses a place of its slot: confirmed, in progress or completed."""
        return self.status in USED

    @property
    def queued(self) -> bool:
        """Whether the token stands in the queue: it holds a place, or is back from a test in mid-visit."""
        return self.status == Status.CONFIRMED or (self.status == Status.IN_PROGRESS and self.back_at is not None)

    @property
    def in_room(self) -> bool:
        """In progress and not away: at most one patient of a session."""
        return self.status == Status.IN_PROGRESS and self.away_at is None


@dataclass(slots=True)
class SessionFacts:
    """A session as it stands under its lock, with its slots in time order and the tokens that matter."""

    id: int
    facility_id: int
    department_id: int
    doctor_id: int
    room_id: int
    date: date
    starts_at: datetime
    ends_at: datetime
    status: str
    prefix: str
    last_number: int
    calls: int
    delay_minutes: int
    paused_at: datetime | None
    closed_at: datetime | None
    version: int
    events: int
    last_event_at: datetime | None
    policy: Policy
    slots: list[SlotFacts] = field(default_factory=list)
    tokens: dict[int, TokenFacts] = field(default_factory=dict)

    def slot(self, slot_id: int) -> SlotFacts:
        """The slot with that id.

        Raises:
            KeyError: the session has no such slot.
        """
        for slot in self.slots:
            if slot.id == slot_id:
                return slot
        raise KeyError(slot_id)

    @property
    def delay(self) -> timedelta:
        """How late the doctor is."""
        return timedelta(minutes=self.delay_minutes)


@dataclass(slots=True)
class EventDraft:
    """One event to append: what happened to a token, and why. `cause` is a token's id and its event's number."""

    token_id: int
    seq: int
    session_id: int
    kind: str
    status: str
    changes: dict[str, Any]
    reason: str
    cause: tuple[int, int] | None

    @property
    def name(self) -> tuple[int, int]:
        """What another event names as its cause."""
        return (self.token_id, self.seq)


@dataclass(slots=True)
class SupplyEventDraft:
    """One event of a session or of one of its slots."""

    session_id: int
    slot_id: int | None
    seq: int
    kind: str
    changes: dict[str, Any]
    before: dict[str, Any]
    reason: str


class NeedLater(Exception):
    """The rules must look into the next session of a session's doctor; lock it, read it and decide again."""

    def __init__(self, session_id: int) -> None:
        super().__init__(session_id)
        self.session_id = session_id


class NeedAll(Exception):
    """More people wait than were read; read them all and decide again."""


class NotAllowed(Exception):
    """A change of status outside the table of transitions."""

    def __init__(self, token: TokenFacts, status: str) -> None:
        super().__init__(f"{token.number}: {token.status} -> {status}")
        self.token, self.status = token, status


class Draft:
    """A change being decided: the facts, changed in place, and the events that tell how.

    Args:
        sessions: what is locked and read, in time order.
        now: the clock read after the lock.
        may_extend: the doctor has later sessions that were not read yet (`next_slot` may ask for them).
    """

    def __init__(self, sessions: list[SessionFacts], now: datetime, *, may_extend: bool = False) -> None:
        self.sessions = {session.id: session for session in sessions}
        self.now = now
        self.may_extend = may_extend
        self.events: list[EventDraft] = []
        self.supply_events: list[SupplyEventDraft] = []
        self.before: dict[int, dict[str, Any]] = {}
        self.new: set[int] = set()
        self.former: list[tuple[int, str, int]] = []

    def tokens(self) -> Iterator[TokenFacts]:
        """Every token that was read, of all sessions."""
        for session in self.sessions.values():
            yield from session.tokens.values()

    def token(self, token_id: int) -> TokenFacts:
        """The token with that id, wherever it is.

        Raises:
            KeyError: no session that was read holds it.
        """
        for session in self.sessions.values():
            if token_id in session.tokens:
                return session.tokens[token_id]
        raise KeyError(token_id)

    def session_of(self, token: TokenFacts) -> SessionFacts:
        """The session the token is in now."""
        return self.sessions[token.session_id]

    def slot_of(self, token: TokenFacts) -> SlotFacts:
        """The slot the token is in now."""
        return self.session_of(token).slot(token.slot_id)

    def add(self, token: TokenFacts) -> None:
        """Take in a new token; its first event is to follow."""
        self.sessions[token.session_id].tokens[token.id] = token
        self.new.add(token.id)

    def next_number(self, session: SessionFacts) -> str:
        """The session's next token number, such as A-017; never given twice."""
        session.last_number += 1
        return f"{session.prefix}-{session.last_number:03d}"

    def change(
        self,
        token: TokenFacts,
        kind: str,
        *,
        reason: str = "",
        cause: EventDraft | None = None,
        undo: bool = False,
        **values: Any,
    ) -> EventDraft:
        """Give a token new values and append the event that says so.

        Only values that differ go into the event; places are counted along. This is the one function that assigns
        a token's fields.

        Raises:
            NotAllowed: the status may not become the new one (undo may restore any).
        """
        status = values.get("status", token.status)
        if not undo and not may_become(token.status, status):
            raise NotAllowed(token, status)
        changed = {name: value for name, value in values.items() if getattr(token, name) != value}
        self._count(token, -1)
        if token.id not in self.new:
            kept = self.before.setdefault(token.id, {})
            for name in changed:
                kept.setdefault(name, getattr(token, name))
        if "session_id" in changed:
            self._carry(token, changed["session_id"])
        for name, value in changed.items():
            setattr(token, name, value)
        self._count(token, +1)
        return self._append(token, kind, changed, reason, cause)

    def _append(
        self, token: TokenFacts, kind: str, changed: dict[str, Any], reason: str, cause: EventDraft | None
    ) -> EventDraft:
        token.events += 1
        event = EventDraft(
            token.id,
            token.events,
            token.session_id,
            kind,
            token.status,
            changed,
            reason,
            cause.name if cause else None,
        )
        self.events.append(event)
        return event

    def record(self, token: TokenFacts, kind: str, values: dict[str, Any], reason: str = "") -> EventDraft:
        """Append the first event of a new token: all its values, whatever they are."""
        return self._append(token, kind, values, reason, None)

    def supply(
        self, session: SessionFacts, slot: SlotFacts | None, kind: str, *, reason: str = "", **values: Any
    ) -> SupplyEventDraft:
        """Give a session, or one of its slots, new values and append the event that says so."""
        subject = slot or session
        before = {name: getattr(subject, name) for name in values}
        for name, value in values.items():
            setattr(subject, name, value)
        session.events += 1
        event = SupplyEventDraft(session.id, slot.id if slot else None, session.events, kind, values, before, reason)
        self.supply_events.append(event)
        return event

    def _carry(self, token: TokenFacts, session_id: int) -> None:
        """Move the record to its new session; the old number still finds it."""
        if token.number and token.id not in self.new:
            self.former.append((token.session_id, token.number, token.id))
        del self.sessions[token.session_id].tokens[token.id]
        self.sessions[session_id].tokens[token.id] = token

    def _count(self, token: TokenFacts, sign: int) -> None:
        if token.uses_place:
            slot = self.slot_of(token)
            slot.used += sign
            slot.overbooked += sign * token.overbooked
