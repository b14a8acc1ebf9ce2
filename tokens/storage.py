"""Between the rules and the tables: decide on what was read under the lock, write what was decided.

Three round trips from lock to commit: the lock together with the read that follows it (`tokens.reading`), all writes
together, the commit. This is the only module that writes tokens, their events and what the engine owns of sessions
and slots; only `allocation`, `queueing` and `supply` (with `undoing` and `planning`) call it.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from typing import Any, TypeVar

from django.db import connection

from common.transactions import RunAgain
from common.trips import Row, Trip
from scheduling import locking
from tokens import errors
from tokens.facts import Draft, NeedAll, NeedLater, NotAllowed, SessionFacts, SupplyEventDraft, TokenFacts
from tokens.reading import TOKEN_COLUMNS, Snapshot, Target, read

T = TypeVar("T")


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
    later: list[_Start] | None = None
    while True:
        work = _work(snapshots, at, may_extend=later is None or bool(later))
        try:
            return work, rule(work)
        except NotAllowed as refusal:
            raise errors.InvalidTransition(number=refusal.token.number, status=refusal.token.status) from refusal
        except NeedAll:
            whole = [Target("pk", s.session[0], s.target.patient_id, everything=True) for s in snapshots]
            snapshots = _merge(snapshots, read(whole))
        except NeedLater as need:
            later = _later_sessions(work, need.session_id, days) if later is None else later
            if later:
                snapshots = _extended(snapshots, later.pop(0))


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


_Start = tuple[datetime, int]
"""When a session starts, and its id: the order in which sessions are locked."""

_STARTS_AT = locking.COLUMNS.index("starts_at")


def _extended(snapshots: list[Snapshot], later: _Start) -> list[Snapshot]:
    """Lock and read one more session. One that starts before another that is locked cannot be locked after it: the
    locks are given back, and all are taken anew in their order."""
    here = snapshots[0].target
    more = Target("pk", later[1], here.patient_id, everything=True)
    starts = [(s.session[_STARTS_AT], s.session[0]) for s in snapshots]
    if later > max(starts):
        return [*snapshots, *read([more])]
    ordered = sorted(
        [*zip(starts, (s.target for s in snapshots), strict=True), (later, more)], key=lambda pair: pair[0]
    )
    return read([target for _, target in ordered], first="ROLLBACK TO SAVEPOINT attempt")


def _later_sessions(work: Work, session_id: int, days: int | None) -> list[_Start]:
    """The later sessions of a session's doctor with a free place, in time order, as far as the policy looks ahead.

    Read without a lock; what is found is locked and looked at again.
    """
    session = work.draft.sessions[session_id]
    ahead = session.policy.next_slot_days if days is None else days
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT s.starts_at, s.id FROM scheduling_session s
             WHERE s.doctor_id = %s AND (s.starts_at, s.id) > (%s, %s) AND s.status = 'open'
               AND s.date <= %s::date + %s AND s.id <> ALL(%s)
               AND EXISTS (SELECT 1 FROM scheduling_slot p WHERE p.session_id = s.id AND p.status = 'open'
                              AND p.used - p.overbooked < p.capacity)
             ORDER BY s.starts_at, s.id""",
            (session.doctor_id, session.starts_at, session.id, session.date, ahead, list(work.draft.sessions)),
        )
        return cursor.fetchall()


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
_EVENT_COLUMNS = (
    "token_id", "seq", "session_id", "kind", "status", "changes", "actor_id", "at", "reason",
    "cause_token_id", "cause_seq",
)  # fmt: skip
_SESSION_VALUES = ("last_number", "calls", "delay_minutes", "paused_at", "closed_at", "status", "events")
_UPDATE_SESSION = (
    f"UPDATE scheduling_session SET {', '.join(f'{name} = %s' for name in _SESSION_VALUES)},"  # noqa: S608
    " version = version + 1, last_event_at = %s WHERE id = %s"
)


@lru_cache(maxsize=512)
def _update_token(names: tuple[str, ...]) -> str:
    return f"UPDATE tokens_token SET {', '.join(f'{name} = %s' for name in names)} WHERE id = %s"  # noqa: S608


@lru_cache(maxsize=64)
def _append(new: bool, events: int) -> str:
    """The new token, the events and the session in one statement; gives a row where the token was inserted."""
    row = f"({', '.join(['%s'] * len(_EVENT_COLUMNS))})"
    parts = [f"token AS ({_INSERT_TOKEN})"] if new else []
    if events:
        rows = ", ".join([row] * events)
        parts.append(f"event AS (INSERT INTO tokens_event ({', '.join(_EVENT_COLUMNS)}) VALUES {rows})")  # noqa: S608
    parts.append(f"session AS ({_UPDATE_SESSION})")
    return f"WITH {', '.join(parts)} SELECT {'id FROM token' if new else '1'}"  # noqa: S608


def plain(value: Any) -> Any:
    """A value as the events keep it: times as ISO 8601 with microseconds."""
    return value.isoformat() if isinstance(value, datetime | date) else value


def encode(changes: dict[str, Any]) -> str:
    """The changes of an event as JSON text."""
    return json.dumps(changes, default=plain, separators=(",", ":"))


def write(work: Work, *, actor_id: int | None, about: TokenFacts | None = None) -> int | None:
    """Write everything the draft says in one round trip: losers before winners, events beside every change.

    Args:
        about: the token whose position is asked for, where it waits behind more than were read.

    Returns:
        That position, counted in the same trip; None where it was not asked for.

    Raises:
        DuplicateToken: the database found another active token of the patient in the session.
    """
    draft = work.draft
    if not draft.events and not draft.supply_events:
        return None
    trip = Trip()
    _add_slots(trip, draft, growing=True)
    _add_updates(trip, draft)
    appended = _add_appended(trip, draft, actor_id)
    _add_slots(trip, draft, growing=False)
    counted = _add_count(trip, draft, about) if about else None
    answers = trip.send()
    if draft.new and not answers[appended]:
        raise _held(draft)
    return None if counted is None else int(answers[counted][0][0])


def _add_count(trip: Trip, draft: Draft, token: TokenFacts) -> int | None:
    """Count a waiting token's position where the waitlist was not read whole (so never with ageing)."""
    if token.status != "waitlisted" or not draft.slot_of(token).waiters_cut:
        return None
    return trip.add(
        "SELECT 1 + count(*) FROM tokens_token WHERE slot_id = %s AND status = 'waitlisted'"
        " AND (CASE WHEN source = 'emergency' THEN 0 ELSE 1 END, -score, order_at, id) < (%s, %s, %s, %s)",
        (token.slot_id, 0 if token.emergency else 1, -token.score, token.order_at, token.id),
    )


def _add_appended(trip: Trip, draft: Draft, actor_id: int | None) -> int:
    """Add the new token, the events and the sessions touched; returns the index of the new token's answer."""
    touched = [session for session in draft.sessions.values() if _touches(draft, session.id)]
    values: list[Any] = []
    for token_id in draft.new:
        token = draft.token(token_id)
        values += [getattr(token, name) for name in TOKEN_COLUMNS]
    values += _event_values(draft, actor_id)
    values += _session_values(draft, touched[0])
    index = trip.add(_append(bool(draft.new), len(draft.events)), values)
    for session in touched[1:]:
        trip.add(_UPDATE_SESSION, _session_values(draft, session))
    for row in draft.former:
        trip.add(
            "INSERT INTO tokens_formernumber (session_id, number, token_id) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
            row,
        )
    for event in draft.supply_events:
        _add_supply_event(trip, draft, event, actor_id)
    return index


def _touches(draft: Draft, session_id: int) -> bool:
    return (
        any(event.session_id == session_id for event in draft.events)
        or any(event.session_id == session_id for event in draft.supply_events)
        or any(left == session_id for left, _, _ in draft.former)
    )


def _session_values(draft: Draft, session: SessionFacts) -> list[Any]:
    """The values of a session's update; its version goes on."""
    session.version += 1
    session.last_event_at = draft.now
    return [*(getattr(session, name) for name in _SESSION_VALUES), draft.now, session.id]


def _event_values(draft: Draft, actor_id: int | None) -> list[Any]:
    values: list[Any] = []
    for e in draft.events:
        values += (e.token_id, e.seq, e.session_id, e.kind, e.status, encode(e.changes), actor_id, draft.now, e.reason)
        values += e.cause or (None, None)
    return values


def _add_supply_event(trip: Trip, draft: Draft, event: SupplyEventDraft, actor_id: int | None) -> None:
    trip.add(
        "INSERT INTO tokens_supplyevent (session_id, slot_id, seq, kind, changes, actor_id, at, reason)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
        (
            event.session_id,
            event.slot_id,
            event.seq,
            event.kind,
            encode(event.changes),
            actor_id,
            draft.now,
            event.reason,
        ),
    )


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


def _add_updates(trip: Trip, draft: Draft) -> None:
    """Add the changed tokens: the counters of a slot carry a CHECK, which cannot wait.

    So those who leave an ordinary place come first, also for one beyond the capacity (undo does that), then the others
    in the order of their last events; last those who stay and get an ordinary place, which one who moved may have left.
    """
    if not draft.before:
        return
    last = {event.token_id: index for index, event in enumerate(draft.events)}
    for token_id in sorted(draft.before, key=lambda i: (_turn(draft.token(i), draft.before[i]), last[i])):
        token = draft.token(token_id)
        names = (*sorted(draft.before[token_id]), "events")
        trip.add(_update_token(names), [*(getattr(token, name) for name in names), token_id])


def _turn(token: TokenFacts, before: dict[str, Any]) -> int:
    if not (token.uses_place and not token.overbooked):
        return 0
    return 2 if "overbooked" in before and "slot_id" not in before else 1


def _add_slots(trip: Trip, draft: Draft, *, growing: bool) -> None:
    """Add changed slots: capacity that grows before anybody gets a place, capacity that shrinks after all have left."""
    for event in draft.supply_events:
        if event.slot_id is None:
            continue
        slot = draft.sessions[event.session_id].slot(event.slot_id)
        if growing == (slot.capacity >= event.before.get("capacity", slot.capacity)):
            trip.add(
                "UPDATE scheduling_slot SET capacity = %s, status = %s WHERE id = %s",
                (slot.capacity, slot.status, slot.id),
            )
