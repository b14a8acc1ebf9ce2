"""Between the rules and the tables: read what a decision needs under the lock, write what it decided.

Three round trips from lock to commit: the lock together with the reads that follow it, all writes together, the
commit. This is the only module that writes tokens, their events and what the engine owns of sessions and slots; only
`allocation`, `queueing` and `supply` call it.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from functools import cache, lru_cache
from typing import Any, TypeVar

from django.db import connection

from common.transactions import RunAgain
from common.trips import Row, Trip
from scheduling import locking
from tokens import errors
from tokens.facts import (
    DEFAULT_POLICY,
    PRESETS,
    Draft,
    NeedAll,
    NeedLater,
    NotAllowed,
    Policy,
    SessionFacts,
    SlotFacts,
    TokenFacts,
)

T = TypeVar("T")

WAITERS_READ = 40
"""How many of a slot's waitlist are read at first; who needs more gets them all in a further trip."""

TOKEN_COLUMNS = tuple(f.name for f in fields(TokenFacts))
_POLICY_FIELDS = frozenset(f.name for f in fields(Policy))

SESSION_OF = {
    "pk": "%s::bigint",
    "slots": "(SELECT session_id FROM scheduling_slot WHERE id = %s)",
    "slots__tokens": "(SELECT session_id FROM tokens_token WHERE id = %s)",
}
"""How a session is found: by its id, by one of its slots, by one of its tokens."""


@dataclass(frozen=True, slots=True)
class Target:
    """A session to lock and read: found by `lookup` and `value`; `patient_id` adds the token held by that patient."""

    lookup: str
    value: int
    patient_id: int = 0
    everything: bool = False

    @property
    def token_id(self) -> int:
        return self.value if self.lookup == "slots__tokens" else 0


@dataclass(slots=True)
class Snapshot:
    """What was read of one session, kept as rows so that a decision can be made again from the start."""

    target: Target
    session: Row
    policy: Policy
    slots: list[Row]
    tokens: list[Row]
    clock: datetime
    new_id: int
    patient: Row | None

    def build(self) -> SessionFacts:
        """Fresh facts from the rows."""
        facts = SessionFacts(*self.session, policy=self.policy)
        facts.slots = [SlotFacts(*row) for row in self.slots]
        facts.tokens = {row[0]: TokenFacts(*row) for row in self.tokens}
        if not self.target.everything and not self.policy.ages and not self.policy.present_only:
            for slot in facts.slots:
                waiting = sum(t.slot_id == slot.id and t.status == "waitlisted" for t in facts.tokens.values())
                slot.waiters_cut = waiting >= WAITERS_READ
        return facts


# Reading


_NEAREST_POLICY = """
SELECT policy.* FROM scheduling_session s
  JOIN tokens_policyassignment a
    ON a.doctor_id = s.doctor_id OR a.department_id = s.department_id OR a.facility_id = s.facility_id
  JOIN tokens_allocationpolicy policy ON policy.id = a.policy_id
 WHERE s.id = {session} ORDER BY a.doctor_id IS NULL, a.department_id IS NULL LIMIT 1"""


@cache
def _facts_sql(lookup: str) -> str:
    """Clock (read after the lock), an id for a new token, the nearest policy, and the patient asked about."""
    nearest = _NEAREST_POLICY.format(session=SESSION_OF[lookup])
    return f"""
SELECT clock_timestamp(), nextval('tokens_token_id_seq'),
       (SELECT row_to_json(nearest)::text FROM ({nearest}) AS nearest), p.id, p.facility_id, p.is_active
  FROM (SELECT 1) AS one LEFT JOIN patients_patient p ON p.id = %s"""  # noqa: S608 - built from constants


@cache
def _slots_sql(lookup: str) -> str:
    return f"""
SELECT id, session_id, starts_at, ends_at, capacity, status, used, overbooked
  FROM scheduling_slot WHERE session_id = {SESSION_OF[lookup]} ORDER BY starts_at, id"""  # noqa: S608


@cache
def _tokens_sql(lookup: str) -> str:
    """Who holds a place and may lose it, who waits (the head of each waitlist), and the token asked about.

    Completed tokens matter only while they are overbooked. The whole waitlist is read where the order is not the
    stored one (ageing) or where some of it may not qualify (present_only).
    """
    columns = ", ".join(f"t.{name}" for name in TOKEN_COLUMNS)
    return f"""
SELECT {columns} FROM tokens_token t
 WHERE t.session_id = {SESSION_OF[lookup]}
   AND (t.status IN ('confirmed', 'in_progress') OR (t.status = 'completed' AND t.overbooked))
UNION ALL
SELECT {columns} FROM scheduling_slot s CROSS JOIN LATERAL (
       SELECT * FROM tokens_token w WHERE w.slot_id = s.id AND w.status = 'waitlisted'
        ORDER BY CASE WHEN w.source = 'emergency' THEN 0 ELSE 1 END, w.score DESC, w.order_at, w.id
        LIMIT CASE WHEN %s OR EXISTS (
              SELECT 1 FROM ({_NEAREST_POLICY.format(session=SESSION_OF[lookup])}) AS nearest
               WHERE nearest.present_only OR nearest.age_points > 0) THEN NULL ELSE {WAITERS_READ} END) t
 WHERE s.session_id = {SESSION_OF[lookup]}
UNION ALL
SELECT {columns} FROM tokens_token t
 WHERE t.id = %s OR (t.patient_id = %s AND t.session_id = {SESSION_OF[lookup]} AND t.status = 'waitlisted')
"""  # noqa: S608


@lru_cache(maxsize=256)
def policy_of(text: str | None) -> Policy:
    """The policy from its row as JSON text; the default where none is set."""
    if text is None:
        return PRESETS[DEFAULT_POLICY]
    row = json.loads(text)
    return Policy(**{name: value for name, value in row.items() if name in _POLICY_FIELDS})


def read(targets: Sequence[Target], *, first: str = "") -> list[Snapshot]:
    """Lock sessions in the order given, and read them, all in one round trip.

    Caller's duty: targets come in the order of the sessions' start and id; a transaction is open.

    Args:
        first: a statement to send before the lock, such as a savepoint.

    Raises:
        UnknownSession: one of them does not exist.
        RunAgain: the token asked about went to another session while the lock was awaited.
    """
    trip = Trip()
    marks = []
    if first:
        trip.add(first)
    for target in targets:
        locked = locking.add_lock(trip, target.lookup, target.value)
        trip.add(_facts_sql(target.lookup), (target.value, target.patient_id))
        trip.add(_slots_sql(target.lookup), (target.value,))
        trip.add(
            _tokens_sql(target.lookup),
            (
                target.value,
                target.everything,
                target.value,
                target.value,
                target.token_id,
                target.patient_id,
                target.value,
            ),
        )
        marks.append(locked)
    answers = trip.send()
    return [_snapshot(target, answers[mark : mark + 4]) for target, mark in zip(targets, marks, strict=True)]


def _snapshot(target: Target, answers: list[list[Row]]) -> Snapshot:
    sessions, facts, slots, tokens = answers
    if not sessions:
        raise _UNKNOWN[target.lookup]
    if any(row[1] != sessions[0][0] for row in slots) or any(row[1] != sessions[0][0] for row in tokens):
        raise RunAgain
    clock, new_id, policy, *patient = facts[0]
    return Snapshot(
        target, sessions[0], policy_of(policy), slots, tokens, clock, new_id, tuple(patient) if patient[0] else None
    )


_UNKNOWN = {"pk": errors.UnknownSession, "slots": errors.UnknownSlot, "slots__tokens": errors.UnknownToken}


# Deciding


@dataclass(slots=True)
class Work:
    """A decision under way: what is locked, and the draft of what changes."""

    snapshots: list[Snapshot]
    draft: Draft
    session: SessionFacts = field(init=False)

    def __post_init__(self) -> None:
        self.session = next(iter(self.draft.sessions.values()))

    @property
    def patient(self) -> Row | None:
        """(id, facility, active) of the patient asked about, as read under the lock."""
        return self.snapshots[0].patient

    @property
    def version_read(self) -> int:
        """The version of the first session as it was read, before this decision."""
        return int(self.snapshots[0].session[locking.COLUMNS.index("version")])

    @property
    def new_id(self) -> int:
        """The id for the token that this decision creates."""
        return self.snapshots[0].new_id


def decide(
    targets: Sequence[Target],
    rule: Callable[[Work], T],
    *,
    at: datetime | None = None,
    first: str = "",
    days: int | None = None,
) -> tuple[Work, T]:
    """Lock and read, then decide by a pure function; read more and decide again where it asks for more.

    Args:
        targets: the sessions, in the order of their start and id; the first is the one decided about.
        rule: gets the work with a fresh draft; may be called several times.
        at: the time to use instead of the database's clock (simulation); time never goes back in a session.
        first: a statement to send before the lock.
        days: how far ahead later sessions are looked for; None takes the policy's word.

    Raises:
        InvalidTransition: the token may not become what the rule wanted.
    """
    snapshots = read(targets, first=first)
    later: list[int] | None = None if len(targets) == 1 else []
    while True:
        work = _work(snapshots, at, may_extend=later is None or bool(later))
        try:
            return work, rule(work)
        except NotAllowed as refusal:
            raise errors.InvalidTransition(number=refusal.token.number, status=refusal.token.status) from refusal
        except NeedAll:
            whole = [Target("pk", s.session[0], s.target.patient_id, everything=True) for s in snapshots]
            snapshots = _merge(snapshots, read(whole))
        except NeedLater:
            later = _later_sessions(work, days) if later is None else later
            if later:
                snapshots = [*snapshots, *read([Target("pk", later.pop(0), everything=True)])]


def _work(snapshots: list[Snapshot], at: datetime | None, *, may_extend: bool) -> Work:
    sessions = [snapshot.build() for snapshot in snapshots]
    past = [session.last_event_at for session in sessions if session.last_event_at]
    return Work(snapshots, Draft(sessions, max([at or snapshots[-1].clock, *past]), may_extend=may_extend))


def _merge(old: list[Snapshot], new: list[Snapshot]) -> list[Snapshot]:
    """The whole sessions, with the token that was asked about even where it is no longer active."""
    for before, after in zip(old, new, strict=True):
        known = {row[0] for row in after.tokens}
        after.tokens += [row for row in before.tokens if row[0] not in known and row[0] == before.target.token_id]
        after.new_id = before.new_id
    return new


def _later_sessions(work: Work, days: int | None) -> list[int]:
    """Ids of the doctor's later sessions with a free place, in time order, as far as the policy looks ahead.

    Read without a lock; what is found is locked and looked at again.
    """
    session = work.session
    ahead = session.policy.next_slot_days if days is None else days
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT s.id FROM scheduling_session s
             WHERE s.doctor_id = %s AND (s.starts_at, s.id) > (%s, %s) AND s.status = 'open'
               AND s.date <= %s::date + %s
               AND EXISTS (SELECT 1 FROM scheduling_slot p WHERE p.session_id = s.id AND p.status = 'open'
                              AND p.used - p.overbooked < p.capacity)
             ORDER BY s.starts_at, s.id""",
            (session.doctor_id, session.starts_at, session.id, session.date, ahead),
        )
        return [row[0] for row in cursor.fetchall()]


def tokens_by_id(work: Work, ids: Sequence[int]) -> dict[int, TokenFacts]:
    """Tokens of the locked sessions, whatever their status; those not read yet are read and taken in.

    Raises:
        RunAgain: one of them went to a session that is not locked.
    """
    known = {token.id: token for token in work.draft.tokens()}
    trip = Trip()
    trip.add(f"SELECT {', '.join(TOKEN_COLUMNS)} FROM tokens_token WHERE id = ANY(%s)", (list(ids),))  # noqa: S608
    for row in trip.send()[0]:
        token = known.get(row[0]) or TokenFacts(*row)
        if token.session_id not in work.draft.sessions:
            raise RunAgain
        work.draft.sessions[token.session_id].tokens[token.id] = token
    return {token.id: token for token in work.draft.tokens() if token.id in set(ids)}


# Writing


_MUTABLE = tuple(name for name in TOKEN_COLUMNS if name != "id")
_INSERT_TOKEN = (
    f"INSERT INTO tokens_token ({', '.join(TOKEN_COLUMNS)}) VALUES ({', '.join(['%s'] * len(TOKEN_COLUMNS))})"  # noqa: S608
    " ON CONFLICT (session_id, patient_id) WHERE status IN ('confirmed', 'in_progress', 'waitlisted')"
    " DO NOTHING RETURNING id"
)
_SESSION_VALUES = ("last_number", "calls", "delay_minutes", "paused_at", "closed_at", "status", "events")
_UPDATE_SESSION = (
    f"UPDATE scheduling_session SET {', '.join(f'{name} = %s' for name in _SESSION_VALUES)},"  # noqa: S608
    " version = version + 1, last_event_at = %s WHERE id = %s"
)


@lru_cache(maxsize=512)
def _update_token(names: tuple[str, ...]) -> str:
    return f"UPDATE tokens_token SET {', '.join(f'{name} = %s' for name in names)} WHERE id = %s"  # noqa: S608


@lru_cache(maxsize=64)
def _insert_events(count: int) -> str:
    row = "(" + ", ".join(["%s"] * 11) + ")"
    return (
        "INSERT INTO tokens_event (token_id, seq, session_id, kind, status, changes, actor_id, at, reason,"
        f" cause_token_id, cause_seq) VALUES {', '.join([row] * count)}"
    )


def plain(value: Any) -> Any:
    """A value as the events keep it: times as ISO 8601 with microseconds."""
    return value.isoformat() if isinstance(value, datetime | date) else value


def encode(changes: dict[str, Any]) -> str:
    """The changes of an event as JSON text."""
    return json.dumps(changes, default=plain, separators=(",", ":"))


def write(work: Work, *, actor_id: int | None) -> None:
    """Write everything the draft says in one round trip: losers before winners, events beside every change.

    Raises:
        DuplicateToken: the database found another active token of the patient in the session.
    """
    draft = work.draft
    if not draft.events and not draft.supply_events:
        return
    trip = Trip()
    inserted = _add_tokens(trip, draft)
    _add_events(trip, draft, actor_id)
    for session in draft.sessions.values():
        touched = any(e.session_id == session.id for e in (*draft.events, *draft.supply_events))
        if touched or any(session.id == left for left, _, _ in draft.former):
            values = [getattr(session, name) for name in _SESSION_VALUES]
            trip.add(_UPDATE_SESSION, (*values, draft.now, session.id))
            session.version += 1
            session.last_event_at = draft.now
    answers = trip.send()
    if any(not answers[index] for index in inserted):
        raise _held(draft)


def _held(draft: Draft) -> errors.DuplicateToken:
    """The refusal that names the token which the database found held."""
    new = [draft.token(token_id) for token_id in draft.new]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, number FROM tokens_token WHERE session_id = %s AND patient_id = %s"
            " AND status IN ('confirmed', 'in_progress', 'waitlisted')",
            (new[0].session_id, new[0].patient_id),
        )
        held = cursor.fetchone() or (None, "a token")
    return errors.DuplicateToken(number=held[1], token=held[0])


def _add_tokens(trip: Trip, draft: Draft) -> list[int]:
    """Add the writes of tokens, slots and former numbers; returns the indexes of the inserts.

    The counters of a slot carry a CHECK, which cannot wait: capacity that grows comes first, then those who leave a
    place, then the others in the order of their events, then capacity that shrinks.
    """
    last = {event.token_id: index for index, event in enumerate(draft.events)}
    changed = sorted(draft.before, key=lambda token_id: last[token_id])
    _add_slots(trip, draft, growing=True)
    for token_id in changed:
        if not draft.token(token_id).uses_place:
            _add_update(trip, draft, token_id)
    for token_id in changed:
        if draft.token(token_id).uses_place:
            _add_update(trip, draft, token_id)
    inserted = []
    for token_id in draft.new:
        token = draft.token(token_id)
        inserted.append(trip.add(_INSERT_TOKEN, [getattr(token, name) for name in TOKEN_COLUMNS]))
    for row in draft.former:
        trip.add(
            "INSERT INTO tokens_formernumber (session_id, number, token_id) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
            row,
        )
    _add_slots(trip, draft, growing=False)
    return inserted


def _add_update(trip: Trip, draft: Draft, token_id: int) -> None:
    token = draft.token(token_id)
    names = (*sorted(draft.before[token_id]), "events")
    trip.add(_update_token(names), [*(getattr(token, name) for name in names), token_id])


def _add_slots(trip: Trip, draft: Draft, *, growing: bool) -> None:
    for event in draft.supply_events:
        if event.slot_id is None:
            continue
        slot = draft.sessions[event.session_id].slot(event.slot_id)
        grows = slot.capacity >= event.before.get("capacity", slot.capacity)
        if grows == growing:
            trip.add(
                "UPDATE scheduling_slot SET capacity = %s, status = %s WHERE id = %s",
                (slot.capacity, slot.status, slot.id),
            )


def _add_events(trip: Trip, draft: Draft, actor_id: int | None) -> None:
    rows: list[Any] = []
    for e in draft.events:
        cause = e.cause or (None, None)
        rows += [e.token_id, e.seq, e.session_id, e.kind, e.status, encode(e.changes), actor_id, draft.now, e.reason]
        rows += cause
    if draft.events:
        trip.add(_insert_events(len(draft.events)), rows)
    for s in draft.supply_events:
        trip.add(
            "INSERT INTO tokens_supplyevent (session_id, slot_id, seq, kind, changes, actor_id, at, reason)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
            (s.session_id, s.slot_id, s.seq, s.kind, encode(s.changes), actor_id, draft.now, s.reason),
        )
