"""Reads for the console, each with a known number of queries; `pages.console.state` sums them up."""

import statistics
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts.models import User
from accounts.permissions import allows, facility_ids, reach, within
from consultations.errors import NoConsole, NotYours
from consultations.sheet import Person, Sheet, sheet
from patients.models import Patient
from reception.queries import visits
from scheduling.models import Doctor, Session, Slot
from tokens.errors import UnknownToken
from tokens.facts import TokenFacts
from tokens.kinds import EventKind
from tokens.models import Event, Token
from tokens.outcome import Outcome
from tokens.queries import free_now, session_facts, slot_facts
from tokens.queries.facts import policies_of
from tokens.reading import TOKEN_COLUMNS
from tokens.states import Status

ANY_DOCTOR: Final = "consultations.any_doctor"
VIEW: Final = "tokens.view"
SHOWN: Final = ("facility", "doctor", "room", "department")
_PATIENT: Final = ("id", "number", "name", "sex", "birth_date", "birth_year", "merged_into_id")


# Whose console


@dataclass(frozen=True)
class Seat:
    """The session whose console is open, and the others of the day that the same person may open.

    Attributes:
        session: None where the doctor has no session on that day.
        own: whether it is the person's own; else it is said whose it is.
    """

    session: Session | None
    others: list[Session]
    own: bool


def seat(user: User, session_id: int | None) -> Seat:
    """The console of a person: the doctor's session that runs, else the next one; or the one asked for. Two queries.

    Raises:
        NoConsole: 403, the person is no doctor and may open no doctor's console.
        NotYours: 404, the session is another doctor's, or there is none.
        OutOfReach, PermissionDenied: the doctor has no part in the facility any more.
    """
    found = [s for s in _near(Q(doctor__user=user)) if s.date == s.facility.local_date() or _runs(s)]
    for session in found:
        reach(user, VIEW, session)
    if session_id is not None:
        own = next((s for s in found if s.pk == session_id), None)
        return Seat(own, found, own=True) if own else _asked(user, session_id)
    if found:
        return Seat(_first(found), found, own=True)
    if not Doctor.objects.filter(user=user).exists() and not facility_ids(user, ANY_DOCTOR):
        raise NoConsole
    return Seat(None, [], own=True)


def _asked(user: User, session_id: int) -> Seat:
    session = opened(user, session_id)
    return Seat(session, [], own=session.doctor.user_id == user.pk)


def opened(user: User, session_id: int) -> Session:
    """A session whose console the person may open: one's own, or any with the permission for it. One query.

    Raises:
        NotYours: 404
        OutOfReach: 404 and recorded, it belongs to a facility the person has no part in.
    """
    session = Session.objects.select_related(*SHOWN).filter(pk=session_id).first()
    if session is None:
        raise NotYours
    reach(user, VIEW, session)
    if session.doctor.user_id != user.pk and not allows(user, ANY_DOCTOR, session.facility_id):
        raise NotYours
    return session


def choosable(user: User) -> list[Session]:
    """Today's sessions of every doctor whose console the person may open. One query."""
    found = _near(Q(within(facility_ids(user, ANY_DOCTOR))))
    return [session for session in found if session.date == session.facility.local_date()]


def next_session(user: User) -> Session | None:
    """A doctor's next session after today. One query."""
    ahead = Session.objects.filter(doctor__user=user, starts_at__gt=timezone.now(), status="open")
    return ahead.select_related(*SHOWN).order_by("starts_at").first()


def _near(whose: Q) -> QuerySet[Session]:
    """Sessions about today, in order of time, with whether somebody is in the room, out for a test or here."""
    now = timezone.now()
    busy = Token.objects.filter(
        Q(status=Status.IN_PROGRESS) | Q(status=Status.CONFIRMED, arrived_at__isnull=False), session=OuterRef("pk")
    )
    around = Q(starts_at__lt=now + timedelta(days=1), ends_at__gt=now - timedelta(days=1))
    found = Session.objects.filter(whose, around).exclude(status="cancelled").annotate(busy=Exists(busy))
    return found.select_related(*SHOWN).order_by("starts_at", "doctor__name")


def _runs(session: Session) -> bool:
    return session.starts_at <= timezone.now() < session.ends_at


def _first(today: list[Any]) -> Session | None:
    """The one that is not done with; where all are, the last."""
    now = timezone.now()
    late = {s.pk: timedelta(minutes=s.delay_minutes) for s in today}
    left = [s for s in today if s.status == "open" and (s.busy or s.ends_at + late[s.pk] > now)]
    return next(iter(left or today[-1:]), None)


# What it shows


def read(session: Session) -> Sheet:
    """A session's console, from its row as it was read. Three queries.

    The row with its version comes first, so a state is never older than the version that it carries; the slots last,
    so each token's slot is among them.
    """
    facts = session_facts(session)
    policies, now = policies_of({session.pk})
    facts.policy = policies[session.pk]
    patients = {}
    rows = Token.objects.filter(session_id=session.pk).order_by("id")
    for row in rows.values_list(*TOKEN_COLUMNS, *(f"patient__{name}" for name in _PATIENT)):
        token = TokenFacts(*row[: len(TOKEN_COLUMNS)])
        facts.tokens[token.id] = token
        patients[token.id] = Patient(**dict(zip(_PATIENT, row[len(TOKEN_COLUMNS) :], strict=True)))
    facts.slots = [slot_facts(slot) for slot in session.slots.order_by("starts_at", "id")]
    return sheet(facts, patients, now)


@dataclass(frozen=True, slots=True)
class Visit:
    """An earlier visit."""

    id: int
    date: date
    doctor: str
    department: str
    with_this: bool


@dataclass(frozen=True, slots=True)
class Before:
    """What was before this visit.

    Attributes:
        times: which visit with this doctor it is.
        sent_by: the doctor who sent the patient on, and why.
    """

    visits: list[Visit]
    times: int
    sent_by: str
    sent_why: str

    @property
    def last(self) -> Visit | None:
        """The last visit in the house."""
        return self.visits[0] if self.visits else None


def before(person: Person, session: Session) -> Before:
    """The patient's earlier visits, newest first. One query, two more for one who was sent here."""
    token = person.token
    found = visits(person.patient).filter(status=Status.COMPLETED).exclude(pk=token.id)
    found = found.filter(session__starts_at__lte=token.started_at or timezone.now())
    rows = found.values_list(*_VISIT)[:200]
    seen = [Visit(pk, on, who, where, doctor_id == session.doctor_id) for pk, on, who, where, doctor_id in rows]
    return Before(seen, 1 + sum(visit.with_this for visit in seen), *_sent(token))


_VISIT: Final = ("id", "session__date", "session__doctor__name", "session__department__name", "session__doctor_id")


def _sent(token: TokenFacts) -> tuple[str, str]:
    """By whom a patient was sent on, and why."""
    if token.sent_from_id is None:
        return "", ""
    by = Token.objects.filter(pk=token.sent_from_id).values_list("session__doctor__name", flat=True).first()
    why = Event.objects.filter(token_id=token.id, seq=1).values_list("reason", flat=True).first()
    return by or "", why or ""


_KEPT: Final = 300.0
_FEWEST: Final = 5
_usual: dict[int, tuple[float, int | None]] = {}


def usual(doctor_id: int) -> int | None:
    """The minutes that half of this doctor's consultations of two months stay under; None before there are some.

    One query, kept for five minutes: it changes by the week, and the page is read many times an hour.
    """
    known = _usual.get(doctor_id)
    if known is None or known[0] < time.monotonic():
        known = _usual[doctor_id] = (time.monotonic() + _KEPT, _median(doctor_id))
    return known[1]


def _median(doctor_id: int) -> int | None:
    since = timezone.now() - timedelta(days=60)
    done = Token.objects.filter(session__doctor_id=doctor_id, session__starts_at__gt=since, status=Status.COMPLETED)
    rows = done.filter(started_at__isnull=False).order_by("-ended_at").values_list("started_at", "ended_at")[:200]
    taken = [(ended - started).total_seconds() / 60 for started, ended in rows if started and ended]
    return max(1, round(statistics.median(taken))) if len(taken) >= _FEWEST else None


# What undo would take back

STEPS: Final = frozenset(
    {
        EventKind.CALLED,
        EventKind.HELD,
        EventKind.SKIPPED,
        EventKind.SENT_AWAY,
        EventKind.BACK,
        EventKind.STARTED,
        EventKind.COMPLETED,
    }
)
"""What a doctor does at the console."""


@dataclass(frozen=True, slots=True)
class Done:
    """A step that was taken: of which token, the number of its event, what and when."""

    token_id: int
    seq: int
    kind: str
    at: datetime
    number: str


def last_step(tokens: Iterable[TokenFacts], *, by_id: int) -> Done | None:
    """The last step of a person that still stands, where undo takes it back. One query.

    Steps that were undone are passed over together with their undoing.
    """
    known = {token.id: token for token in tokens}
    steps = Event.objects.filter(token_id__in=known, actor_id=by_id, kind__in=[*STEPS, EventKind.UNDONE])
    undone: dict[int, int] = {}
    for token_id, seq, kind, reason, at in steps.order_by("-id").values_list("token_id", "seq", "kind", "reason", "at")[
        :40
    ]:
        if kind == EventKind.UNDONE:
            undone[token_id] = undone.get(token_id, 0) + 1
        elif undone.get(token_id):
            undone[token_id] -= 1
        elif seq == known[token_id].events and not reason:
            return Done(token_id, seq, kind, at, known[token_id].number)
        else:
            return None
    return None


# Where a patient could go


def places_sent(session: Session) -> list[str]:
    """Where this doctor sent patients lately, the most frequent first. One query."""
    lately = Event.objects.filter(
        kind=EventKind.SENT_AWAY,
        token__session__doctor_id=session.doctor_id,
        token__session__starts_at__gt=timezone.now() - timedelta(days=60),
    )
    named = [place for place in lately.order_by("-id").values_list("changes__away_to", flat=True)[:100] if place]
    return sorted(set(named), key=lambda place: (-named.count(place), named.index(place)))[:6]


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A doctor, or a department, with free places today: when the first is, and how many there are."""

    value: str
    name: str
    detail: str
    at: datetime
    free: int


def elsewhere(session: Session) -> tuple[list[Elsewhere], list[Elsewhere]]:
    """Departments and doctors of the house with a free place on the session's date, the soonest first. One query."""
    slots = Slot.objects.filter(
        free_now(timezone.now()), session__facility_id=session.facility_id, session__date=session.date
    ).exclude(session__doctor_id=session.doctor_id)
    doctors: dict[int, list[Slot]] = {}
    departments: dict[int, list[Slot]] = {}
    for slot in slots.select_related("session__doctor", "session__department", "session__room").order_by(
        "starts_at", "id"
    ):
        doctors.setdefault(slot.session.doctor_id, []).append(slot)
        if slot.session.department_id != session.department_id:
            departments.setdefault(slot.session.department_id, []).append(slot)
    return (
        [_elsewhere(f"department-{i}", of[0].session.department.name, "", of) for i, of in departments.items()],
        [
            _elsewhere(f"doctor-{i}", of[0].session.doctor.name, of[0].session.department.name, of)
            for i, of in doctors.items()
        ],
    )


def _elsewhere(value: str, name: str, detail: str, slots: list[Slot]) -> Elsewhere:
    return Elsewhere(value, name, detail, slots[0].starts_at, sum(slot.free for slot in slots))


def token_of(session: Session, token_id: int) -> Token:
    """A token of the session. One query.

    Raises:
        UnknownToken
    """
    token = Token.objects.filter(pk=token_id, session_id=session.pk).first()
    if token is None:
        raise UnknownToken
    return token


def place_of(outcome: Outcome) -> Slot:
    """Where the token of an outcome is now: its slot with session, doctor and room. One query."""
    assert outcome.token is not None
    related = ("session__doctor", "session__room")
    return Slot.objects.select_related(*related).get(pk=outcome.token.slot_id)


def session_of(session_id: int) -> Session | None:
    """A session with its facility, doctor and room. One query."""
    return Session.objects.select_related(*SHOWN).filter(pk=session_id).first()


def step_of(token_id: int, seq: int) -> Done:
    """An event of a token as a step. One query."""
    row = Event.objects.values_list("kind", "at", "token__number").get(token_id=token_id, seq=seq)
    return Done(token_id, seq, *row)
