"""Reads of tokens, slots and queues for screens and answers, each with a known number of queries, none under a lock.

Order and position come from `tokens.rules` and `tokens.queue_rules`, over the same records that decisions are made of.
"""

import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, cast
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import DateTimeField, DurationField, ExpressionWrapper, F, Model, Prefetch, Q, QuerySet, Value
from django.utils import timezone

from accounts.models import Facility, User
from accounts.permissions import reach, require_anywhere, within
from common.errors import BadInput, NotFound
from scheduling.locking import COLUMNS as SESSION_COLUMNS
from scheduling.models import Department, Doctor, Room, Session, Slot
from scheduling.states import SessionStatus, SlotStatus
from tokens import errors, queue_rules, rules
from tokens.facts import DEFAULT_POLICY, PRESETS, Policy, SessionFacts, SlotFacts, TokenFacts
from tokens.models import Event, Token
from tokens.reading import TOKEN_COLUMNS, policy_of
from tokens.states import Status

VIEW: Final = "tokens.view"
TOKEN_WITH: Final = ("session__facility",)
STANDING: Final = (Status.CONFIRMED.value, Status.WAITLISTED.value)
"""Statuses in which a token has a position."""

_NEAREST_POLICY: Final = """
    SELECT p.* FROM tokens_policyassignment a JOIN tokens_allocationpolicy p ON p.id = a.policy_id
     WHERE a.doctor_id = s.doctor_id OR a.department_id = s.department_id OR a.facility_id = s.facility_id
     ORDER BY a.doctor_id IS NULL, a.department_id IS NULL LIMIT 1"""

NEAR: Final = timedelta(minutes=15)
"""How long before its start and after its end a session is looked after every minute."""

# One token


def get_token(*, token_id: int, by: User, code: str = VIEW) -> Token:
    """One token with its session and facility. One query.

    Raises:
        UnknownToken: 404.
        OutOfReach: 404 and recorded, it belongs to a facility the person has no part in.
        PermissionDenied: 403.
    """
    token = Token.objects.select_related(*TOKEN_WITH).filter(pk=token_id).first()
    if token is None:
        raise errors.UnknownToken
    reach(by, code, token, facility_id=token.session.facility_id)
    return token


def events_of(token: Token) -> QuerySet[Event]:
    """What happened to a token, oldest first, with who did it."""
    return token.history.select_related("actor").order_by("seq")


def explain(*, token: Token, than_id: int, by: User) -> tuple[str, dict[str, Any]]:
    """Why one of two tokens of a session stands before the other: a sentence and its facts. Five queries.

    Raises:
        BadInput: the other token is of another session, or the same one.
        UnknownToken, OutOfReach, PermissionDenied
    """
    other = get_token(token_id=than_id, by=by)
    if other.session_id != token.session_id or other.pk == token.pk:
        raise BadInput("Compare two tokens of one session.", attr="than")
    session, now = read_session(token.session_id)
    one, two = (session.tokens.get(t.pk) or _as_facts(t) for t in (token, other))
    return queue_rules.explain(one, two, session, now)


def _as_facts(token: Token) -> TokenFacts:
    return TokenFacts(*(getattr(token, name) for name in TOKEN_COLUMNS))


# Lists of tokens and where they stand


def tokens(user: User) -> QuerySet[Token]:
    """The tokens that a user may see, with session and facility.

    Raises:
        PermissionDenied: the user may see tokens nowhere.
    """
    seen = within(require_anywhere(user, VIEW), "session__facility_id")
    return Token.objects.filter(seen).select_related(*TOKEN_WITH)


def positions(listed: Iterable[Token | TokenFacts]) -> dict[int, int]:
    """Where tokens stand in their slots, by id; those that stand in no order are left out. Two queries, or none."""
    standing = [t for t in listed if t.status in STANDING]
    if not standing:
        return {}
    policies, now = _policies({t.session_id for t in standing})
    peers = _read_tokens("slot_id = ANY(%s) AND status = ANY(%s)", [{t.slot_id for t in standing}, STANDING])
    return _positions(peers, policies, now)


def _positions(peers: Iterable[TokenFacts], policies: dict[int, Policy], now: datetime) -> dict[int, int]:
    """The positions of all tokens of some slots: among the confirmed, and in the waitlist."""
    lines: dict[tuple[int, str], list[TokenFacts]] = defaultdict(list)
    for token in peers:
        if token.status in STANDING:
            lines[token.slot_id, token.status].append(token)
    found = {}
    for line in lines.values():
        policy = policies[line[0].session_id]
        for place, token in enumerate(sorted(line, key=lambda t: rules.aged_rank(t, policy, now)), start=1):
            found[token.id] = place
    return found


def in_slot(slot: Slot) -> tuple[list[TokenFacts], dict[int, int]]:
    """All tokens of a slot: confirmed in order, then waitlisted in order, then the rest; and positions. Two queries."""
    policies, now = _policies({slot.session_id})
    found = _read_tokens("slot_id = ANY(%s)", [[slot.pk]])
    where = _positions(found, policies, now)
    groups = {status: place for place, status in enumerate(STANDING)}
    found.sort(key=lambda t: (groups.get(t.status, len(groups)), where.get(t.id, 0), t.id))
    return found, where


# Sessions as facts


def read_sessions(ids: Iterable[int]) -> tuple[dict[int, SessionFacts], datetime]:
    """Sessions with slots and everybody on the way to the doctor, as the rules see them, and the time. Three queries.

    The version is read first, so a state is never older than the version that it carries.
    """
    wanted = list(ids)
    found, now = _session_rows(wanted)
    for row in _rows(
        "SELECT id, session_id, starts_at, ends_at, capacity, status, used, overbooked"
        " FROM scheduling_slot WHERE session_id = ANY(%s) ORDER BY starts_at, id",
        (wanted,),
    ):
        slot = SlotFacts(*row)
        found[slot.session_id].slots.append(slot)
    # Statuses by name, not as a parameter: so the partial index of active tokens serves.
    for token in _read_tokens(
        "session_id = ANY(%s) AND status IN ('confirmed', 'in_progress', 'waitlisted')", [wanted]
    ):
        found[token.session_id].tokens[token.id] = token
    return found, now


def read_session(session_id: int) -> tuple[SessionFacts, datetime]:
    """One of them.

    Raises:
        UnknownSession
    """
    found, now = read_sessions([session_id])
    if session_id not in found:
        raise errors.UnknownSession
    return found[session_id], now


def _session_rows(ids: Sequence[int]) -> tuple[dict[int, SessionFacts], datetime]:
    """Sessions with their policies, without slots and tokens, and the time. One query."""
    columns = ", ".join(f"s.{name}" for name in SESSION_COLUMNS)
    rows = _rows(
        f"""SELECT clock_timestamp(), row_to_json(nearest)::text, {columns} FROM scheduling_session s
              LEFT JOIN LATERAL ({_NEAREST_POLICY}) nearest ON true WHERE s.id = ANY(%s)""",  # noqa: S608
        (list(ids),),
    )
    found = [SessionFacts(*(*row[2:], policy_of(row[1]))) for row in rows]
    return {session.id: session for session in found}, rows[0][0] if rows else timezone.now()


def _policies(ids: Iterable[int]) -> tuple[dict[int, Policy], datetime]:
    """The policy of each session, and the time. One query."""
    sessions, now = _session_rows(list(ids))
    return {session.id: session.policy for session in sessions.values()}, now


def _read_tokens(where: str, params: Sequence[Iterable[Any]]) -> list[TokenFacts]:
    columns = ", ".join(TOKEN_COLUMNS)
    sql = f"SELECT {columns} FROM tokens_token WHERE {where} ORDER BY id"  # noqa: S608 (constants of this module)
    return [TokenFacts(*row) for row in _rows(sql, [list(param) for param in params])]


def _rows(sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cast("list[tuple[Any, ...]]", cursor.fetchall())


# The queue


@dataclass(frozen=True, slots=True)
class Queue:
    """A session's queue at a moment, in the terms of the screens that show it.

    Attributes:
        inside: who is with the doctor.
        called: who was called and has not come in yet, in call order.
        next: whom `call next` calls.
        waiting: everybody else who stands in the queue, here or expected, in call order; `next` is among them.
        passed_over: why somebody in it cannot be called now, by token: "not_here", "held" or "skipped".
        away: in mid-visit at a test.
        waitlisted: who waits for a place, slot by slot, in order.
        positions: where each stands in its slot.
    """

    session: SessionFacts
    now: datetime
    zone: ZoneInfo
    inside: TokenFacts | None
    called: list[TokenFacts]
    next: TokenFacts | None
    waiting: list[TokenFacts]
    passed_over: dict[int, str]
    away: list[TokenFacts]
    waitlisted: list[TokenFacts]
    positions: dict[int, int]

    @property
    def now_serving(self) -> TokenFacts | None:
        """Whose number the hall sees: who is with the doctor, else who was called last."""
        return self.inside or max(self.called, key=lambda t: cast("datetime", t.called_at), default=None)


def queue(session_id: int) -> Queue:
    """The queue of a session. Three queries, and the facility's zone once a minute.

    Raises:
        UnknownSession
    """
    session, now = read_session(session_id)
    return queue_of(session, now)


def queue_of(session: SessionFacts, now: datetime) -> Queue:
    """The queue, from facts that were read."""
    standing = queue_rules.queue(session, now)
    why = {t.id: queue_rules.passed_over(t, session, now) for t in standing}
    tokens = session.tokens.values()
    waiting = [t for t in standing if why[t.id] != "called"]
    return Queue(
        session=session,
        now=now,
        zone=zone_of(session.facility_id),
        inside=queue_rules.in_room(tokens),
        called=[t for t in standing if why[t.id] == "called"],
        next=queue_rules.next_to_call(session, now),
        waiting=waiting,
        passed_over={t.id: why[t.id] for t in waiting if why[t.id]},
        away=[t for t in tokens if t.status == Status.IN_PROGRESS and t.away_at and t.back_at is None],
        waitlisted=sorted(
            (t for t in tokens if t.status == Status.WAITLISTED),
            key=lambda t: (session.slot(t.slot_id).starts_at, rules.aged_rank(t, session.policy, now)),
        ),
        positions=_positions(tokens, {session.id: session.policy}, now),
    )


@dataclass(frozen=True, slots=True)
class Standing:
    """What the holder of a slip may know without signing in."""

    token: Token
    session: SessionFacts
    zone: ZoneInfo
    room: str
    position: int | None
    people_ahead: int | None
    now_serving: str | None


def standing(key: str) -> Standing:
    """Where the token stands whose slip carries this key. Four queries.

    Raises:
        UnknownToken
    """
    token = Token.objects.select_related(*TOKEN_WITH, "slot", "session__room").filter(key=key).first()
    if token is None:
        raise errors.UnknownToken
    session, now = read_session(token.session_id)
    line = queue_of(session, now)
    facts = session.tokens.get(token.pk)
    return Standing(
        token=token,
        session=session,
        zone=token.session.facility.tz,
        room=token.session.room.name,
        position=line.positions.get(token.pk),
        people_ahead=queue_rules.people_ahead(facts, session, now) if facts else None,
        now_serving=line.now_serving.number if line.now_serving else None,
    )


# Slots and sessions


def get_slot(*, slot_id: int, by: User, code: str = "scheduling.view") -> Slot:
    """One slot with session and facility. One query.

    Raises:
        UnknownSlot, OutOfReach, PermissionDenied
    """
    slot = Slot.objects.select_related("session__facility").filter(pk=slot_id).first()
    if slot is None:
        raise errors.UnknownSlot
    reach(by, code, slot, facility_id=slot.session.facility_id)
    return slot


def get_session(*, session_id: int, by: User, code: str = VIEW) -> Session:
    """One session with its facility. One query.

    Raises:
        UnknownSession, OutOfReach, PermissionDenied
    """
    session = Session.objects.select_related("facility").filter(pk=session_id).first()
    if session is None:
        raise errors.UnknownSession
    reach(by, code, session)
    return session


def sessions_to_settle() -> list[int]:
    """Open sessions that run or are about to, in which somebody waits for a place or is overbooked. One query."""
    rows = _rows(
        """
        SELECT s.id FROM scheduling_session s
         WHERE s.status = 'open' AND s.starts_at < clock_timestamp() + %s AND s.date >= current_date - 2
           AND s.ends_at + make_interval(mins => s.delay_minutes) > clock_timestamp() - %s
           AND EXISTS (SELECT 1 FROM scheduling_slot p JOIN tokens_token t ON t.slot_id = p.id
                        WHERE p.session_id = s.id AND (t.status = 'waitlisted' OR t.overbooked))
         ORDER BY s.starts_at, s.id""",
        (NEAR, NEAR),
    )
    return [row[0] for row in rows]


def free_now(now: datetime) -> Q:
    """Slots with a free place that can still be given."""
    late = ExpressionWrapper(Value(timedelta(minutes=1)) * F("session__delay_minutes"), DurationField())
    return Q(
        status=SlotStatus.OPEN,
        session__status=SessionStatus.OPEN,
        capacity__gt=F("used") - F("overbooked"),
        ends_at__gt=Value(now, DateTimeField()) - late,
    )


def counts(slots: Iterable[Slot]) -> dict[tuple[int, str], int]:
    """How many of each slot are confirmed and waitlisted, by slot and status. One query."""
    return {
        (slot_id, status): count
        for slot_id, status, count in _rows(
            "SELECT slot_id, status, count(*) FROM tokens_token WHERE slot_id = ANY(%s) AND status = ANY(%s)"
            " GROUP BY slot_id, status",
            ([slot.pk for slot in slots], list(STANDING)),
        )
    }


def session_facts(session: Session) -> SessionFacts:
    """A session's row as the rules see it, without its policy, slots and tokens."""
    return SessionFacts(*[getattr(session, name) for name in SESSION_COLUMNS] + [PRESETS[DEFAULT_POLICY]])


def slot_facts(slot: Slot) -> SlotFacts:
    """A slot's row as the rules see it."""
    values = ("id", "session_id", "starts_at", "ends_at", "capacity", "status", "used", "overbooked")
    return SlotFacts(*(getattr(slot, name) for name in values))


# The calendar grid


@dataclass(frozen=True, slots=True)
class Board:
    """The whole grid: who serves, where and when, and who holds what."""

    date_from: date
    date_to: date
    doctors: list[Doctor]
    rooms: list[Room]
    sessions: list[Session]
    tokens: list[Token]
    counts: dict[tuple[int, str], int]
    positions: dict[int, int]

    @property
    def slots(self) -> list[Slot]:
        """All slots, session by session in order of time."""
        return [slot for session in self.sessions for slot in session.slots.all()]


def board(
    user: User,
    *,
    doctor_id: int | None = None,
    department_id: int | None = None,
    room_id: int | None = None,
    date_from: date | None = None,
    date_to: date | None = None,
) -> Board:
    """The grid of some days, today where none are named. Eight queries, however many rows.

    Raises:
        PermissionDenied: the user may see tokens nowhere.
    """
    ids = require_anywhere(user, VIEW)
    today = {facility.local_date() for facility in Facility.objects.filter(within(ids, "pk"))}
    first = date_from or date_to or min(today, default=timezone.localdate())
    last = date_to or date_from or max(today, default=first)
    chosen = {"doctor_id": doctor_id, "department_id": department_id, "room_id": room_id}
    where = Q(within(ids), date__range=(first, last), **{k: v for k, v in chosen.items() if v is not None})
    slots = Prefetch("slots", Slot.objects.order_by("starts_at", "id"))
    sessions = list(Session.objects.filter(where).select_related("facility").prefetch_related(slots))
    rows = _tokens_of(sessions)
    return Board(
        date_from=first,
        date_to=last,
        doctors=_resources(Doctor, ids, sessions, pk=doctor_id, department_id=department_id),
        rooms=_resources(Room, ids, sessions, pk=room_id),
        sessions=sessions,
        tokens=rows,
        counts=_count(rows),
        positions=positions(rows),
    )


def _tokens_of(sessions: list[Session]) -> list[Token]:
    """All tokens of the sessions, each knowing its session. One query."""
    known = {session.pk: session for session in sessions}
    rows = list(Token.objects.filter(session__in=known).order_by("id"))
    for row in rows:
        row.session = known[row.session_id]
    return rows


def _count(rows: list[Token]) -> dict[tuple[int, str], int]:
    found: dict[tuple[int, str], int] = defaultdict(int)
    for row in rows:
        found[row.slot_id, row.status] += 1
    return found


def _resources(model: type[Any], ids: frozenset[int], sessions: list[Session], **only: int | None) -> list[Any]:
    """Those in use, and those that have sessions on these days though they are not any more."""
    name = model._meta.model_name
    busy = {getattr(session, f"{name}_id") for session in sessions}
    chosen = Q(within(ids), **{k: v for k, v in only.items() if v is not None})
    return list(model.objects.filter(chosen & (Q(is_active=True) | Q(pk__in=busy))))


# Where and when


def asked_place(*, doctor_id: int | None, department_id: int | None, by: User, code: str) -> Facility:
    """The facility of the doctor or department that a request without a slot names. One query.

    Raises:
        NotFound: there is none, or it is of a facility the person has no part in (recorded).
        PermissionDenied: the person may not ask for this there.
    """
    model: type[Doctor] | type[Department] = Doctor if doctor_id is not None else Department
    pk = doctor_id if doctor_id is not None else department_id
    thing: Any = model.objects.select_related("facility").filter(pk=pk or 0).first()
    if thing is None:
        raise NotFound(f"No such {model._meta.verbose_name} here.", attr=model._meta.model_name)
    reach(by, code, cast("Model", thing))
    return cast("Facility", thing.facility)


_ZONE_KEPT: Final = 60.0
_zones: dict[int, tuple[float, ZoneInfo]] = {}


def zone_of(facility_id: int) -> ZoneInfo:
    """The facility's time zone. Asked for in every answer and changed once in a lifetime: kept for a minute."""
    known = _zones.get(facility_id)
    if known is None or known[0] < time.monotonic():
        name = Facility.objects.values_list("time_zone", flat=True).get(pk=facility_id)
        known = _zones[facility_id] = (time.monotonic() + _ZONE_KEPT, ZoneInfo(name))
    return known[1]


def forget_zones() -> None:
    """Forget what `zone_of` keeps."""
    _zones.clear()
