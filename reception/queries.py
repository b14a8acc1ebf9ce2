"""Reads for the desk, each with a known number of queries. A day is four, however many tokens it has."""

import datetime as dt
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property, partial
from typing import Any, Final

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts.models import Facility, User
from accounts.permissions import reach, require_anywhere, within
from common.amounts import brief
from common.errors import Busy, NotFound
from common.kept import Kept
from patients.models import Patient
from patients.queries import search_patients
from reception.hall import Column, Figures, Names, column, figures
from scheduling import locking
from scheduling.models import Session, Slot
from tokens.facts import DEFAULT_POLICY, PRESETS, Policy, SessionFacts, SlotFacts, TokenFacts
from tokens.kinds import TO_OTHERS, UNDOABLE
from tokens.models import AllocationPolicy, Event, PolicyAssignment, Token
from tokens.queries import free_now
from tokens.reading import TOKEN_COLUMNS
from tokens.rules import RESERVED_REASONS
from tokens.states import Status

VIEW: Final = "tokens.view"
_SLOT_COLUMNS: Final = ("id", "session_id", "starts_at", "ends_at", "capacity", "status", "used", "overbooked")
_NAMES: Final = ("doctor__name", "department__name", "room__name", "doctor__user_id")
_REACHED: Final = [(name, locking.COLUMNS.index(name)) for name in ("doctor_id", "department_id", "facility_id")]
_POLICY_FIELDS: Final = tuple(Policy.__dataclass_fields__)
_TOKEN_NUMBER: Final = re.compile(r"([a-z]{1,4})?\s*-?\s*(\d{1,5})", re.IGNORECASE)

_worked_out: Final[Kept[Column]] = Kept(seconds=60, most=200)
"""Columns by all that they were made of. Nobody changes one."""


def facilities_of(user: User) -> list[Facility]:
    """The facilities whose desk a person may see. One query.

    Raises:
        PermissionDenied: there is none.
    """
    return list(Facility.objects.filter(within(require_anywhere(user, VIEW), "pk"), is_active=True))


@dataclass
class Day:
    """The sessions of a facility on a date, as plain facts, with the names behind their ids."""

    facility: Facility
    date: dt.date
    now: datetime
    rows: dict[int, tuple[Any, ...]]
    names: dict[int, Names]
    slots: dict[int, list[tuple[Any, ...]]]
    tokens: dict[int, list[tuple[Any, ...]]]
    policies: list[PolicyAssignment]
    patients: dict[int, str] = field(default_factory=dict)
    dues: dict[int, str] = field(default_factory=dict)
    _columns: dict[str, list[Column]] = field(default_factory=dict, repr=False)

    @cached_property
    def is_today(self) -> bool:
        """Whether it is the facility's own date of now."""
        return self.date == self.facility.local_date(self.now)

    @property
    def yesterday(self) -> dt.date:
        """The day before."""
        return self.date - timedelta(days=1)

    @property
    def tomorrow(self) -> dt.date:
        """The day after."""
        return self.date + timedelta(days=1)

    def build(self, session_id: int) -> SessionFacts:
        """Fresh facts of a session, which the caller may change."""
        facts = SessionFacts(*(*self.rows[session_id], PRESETS[DEFAULT_POLICY]))
        facts.policy = self._policy_of(session_id)
        facts.slots = [SlotFacts(*row) for row in self.slots.get(session_id, [])]
        facts.tokens = {row[0]: TokenFacts(*row) for row in self.tokens.get(session_id, [])}
        return facts

    def read_of(self, session_id: int) -> tuple[Any, ...]:
        """All that was read of a session, and the minute: equal, and everything said of it is equal."""
        tokens = self.tokens.get(session_id, [])
        names = tuple(self.patients[row[0]] for row in tokens)
        minute = self.now.replace(second=0, microsecond=0)
        policy = repr(self._policy_of(session_id))
        slots = tuple(self.slots.get(session_id, []))
        dues = tuple(self.dues.get(row[0], "") for row in tokens) if self.dues else ()
        return (self.rows[session_id], self.names[session_id], slots, tuple(tokens), names, policy, minute, dues)

    def builders(self, *, doctor_id: int = 0, department_id: int = 0) -> list[Callable[[], SessionFacts]]:
        """Makers of facts of the sessions of a doctor or of a department."""
        wanted = [s for s in self.sessions if doctor_id == s.doctor_id or department_id == s.department_id]
        return [partial(self.build, facts.id) for facts in wanted]

    @cached_property
    def sessions(self) -> list[SessionFacts]:
        """Facts of every session, in order of time. They are read, never changed."""
        return [self.build(session_id) for session_id in self.rows]

    @property
    def columns(self) -> list[Column]:
        """Every session as a column of the desk, in order of time, in the language of now."""
        language = get_language() or ""
        if language not in self._columns:
            self._columns[language] = [self._column(facts, language) for facts in self.sessions]
        return self._columns[language]

    def _column(self, facts: SessionFacts, language: str) -> Column:
        """The column of what was read: worked out before, where all of it is equal."""
        return _worked_out.get((language, *self.read_of(facts.id)), partial(self.column, facts))

    def column(self, facts: SessionFacts) -> Column:
        """One session as a column."""
        return column(facts, self.names[facts.id], self.patients, self.now, self.dues)

    def figures(self) -> Figures:
        """The numbers of the day."""
        return figures(self.sessions)

    def _policy_of(self, session_id: int) -> Policy:
        """The nearest policy set: on the doctor, the department, the facility, else the default."""
        row = self.rows[session_id]
        for name, at in _REACHED:
            for assignment in self.policies:
                if getattr(assignment, name) == row[at]:
                    return _policy_facts(assignment.policy)
        return PRESETS[DEFAULT_POLICY]


def _policy_facts(model: AllocationPolicy) -> Policy:
    return Policy(**{name: getattr(model, name) for name in _POLICY_FIELDS})


def day(facility: Facility, on: dt.date, *, session_ids: Iterable[int] | None = None) -> Day:
    """The day of a facility. Four queries.

    Args:
        on: the facility's local date; sessions of the night before belong to it while they last.
        session_ids: only these sessions.
    """
    now = timezone.now()
    own = Q(date=on) | _of_the_night(facility, on, now)
    chosen = Q() if session_ids is None else Q(pk__in=session_ids)
    sessions = Session.objects.filter(own, chosen, facility=facility).order_by("starts_at", "doctor__name")
    rows = list(sessions.values_list(*locking.COLUMNS, *_NAMES))
    width = len(locking.COLUMNS)
    ids = [row[0] for row in rows]
    found = Day(
        facility=facility,
        date=on,
        now=now,
        rows={row[0]: row[:width] for row in rows},
        names={row[0]: Names(*row[width:]) for row in rows},
        slots=_grouped(Slot.objects.filter(session_id__in=ids).order_by("starts_at", "id").values_list(*_SLOT_COLUMNS)),
        tokens={},
        policies=_policies(facility),
    )
    _add_tokens(found, ids)
    return found


def _of_the_night(facility: Facility, on: dt.date, now: datetime) -> Q:
    """Sessions begun before midnight that belong to today while they last: until their end, with the delay, and longer
    while somebody is still here."""
    if on != facility.local_date(now):
        return Q(pk=None)
    waits = Token.objects.filter(session_id=OuterRef("pk"), status=Status.CONFIRMED, arrived_at__isnull=False)
    inside = Token.objects.filter(session_id=OuterRef("pk"), status=Status.IN_PROGRESS)
    lasts = Q(ends_at__gt=now - F("delay_minutes") * timedelta(minutes=1)) | Exists(waits) | Exists(inside)
    begun = Q(date=on - timedelta(days=1), starts_at__lte=now, status="open")
    # Only those that go beyond midnight: whoever was forgotten in a session of yesterday stays in yesterday.
    midnight = timezone.make_aware(datetime.combine(on, dt.time()), facility.tz)
    return begun & Q(ends_at__gt=midnight) & lasts


def _add_tokens(found: Day, ids: list[int]) -> None:
    of_day = Token.objects.filter(session_id__in=ids).order_by("id")
    for *row, name, due in of_day.values_list(*TOKEN_COLUMNS, "patient__name", "of_visit__bill__due"):
        found.tokens.setdefault(row[1], []).append(tuple(row))
        found.patients[row[0]] = name
        if due and due > 0:
            found.dues[row[0]] = brief(due, found.facility.currency)


def _grouped(rows: Iterable[tuple[Any, ...]]) -> dict[int, list[tuple[Any, ...]]]:
    """Rows by their session, which is their second value."""
    groups: dict[int, list[tuple[Any, ...]]] = {}
    for row in rows:
        groups.setdefault(row[1], []).append(row)
    return groups


def _policies(facility: Facility) -> list[PolicyAssignment]:
    of_facility = Q(facility=facility) | Q(department__facility=facility) | Q(doctor__facility=facility)
    return list(PolicyAssignment.objects.filter(of_facility).select_related("policy"))


# One token


def get_token(*, token_id: int, by: User, code: str = VIEW) -> Token:
    """One token with session, doctor, room, facility, slot, patient and its consultation bill. One query.

    Raises:
        NotFound: there is none; for one of another facility the attempt is recorded.
        PermissionDenied: the caller belongs there and lacks the permission.
    """
    related = (
        "session__facility", "session__doctor", "session__room", "session__department", "slot", "patient",
        "of_visit__bill",
    )  # fmt: skip
    # Not first(), which sorts: the order of one row would be looked for among a hundred columns.
    token = next(iter(Token.objects.select_related(*related).filter(pk=token_id).order_by()), None)
    if token is None:
        raise NotFound(_("There is no such token."))
    reach(by, code, token, facility_id=token.session.facility_id)
    return token


def history(token: Token) -> list[Event]:
    """What happened to a token, newest first, with who did it. One query."""
    return list(Event.objects.filter(token=token).select_related("actor").order_by("-seq"))


def undoable(events: list[Event]) -> bool:
    """Whether undo takes back the last event. `events` are newest first."""
    if not events:
        return False
    return events[0].kind in UNDOABLE and events[0].reason not in RESERVED_REASONS


def last_event(token_id: int) -> list[Event]:
    """The last event of a token, alone in a list. One query."""
    return list(Event.objects.filter(token_id=token_id).order_by("-seq")[:1])


@dataclass(frozen=True, slots=True)
class Effect:
    """What an action on a token did to another token."""

    kind: str
    token: Token


def effects(token: Token, *, at: datetime) -> list[Effect]:
    """Whom the token displaced, and who was promoted by it, in one action at that moment. One query."""
    caused = Event.objects.filter(cause_token_id=token.pk, at=at, kind__in=TO_OTHERS)
    rows = caused.exclude(token=token).select_related("token__patient", "token__slot", "token__session").order_by("id")
    return [Effect(event.kind, event.token) for event in rows]


def visits(patient: Patient) -> QuerySet[Token]:
    """A patient's tokens, of records merged into this one too, newest day first, with session, doctor and room."""
    # Asked of the patients' table alone: an OR over two tables would read every token there is.
    own = Q(patient__in=Patient.objects.filter(Q(pk=patient.pk) | Q(merged_into=patient)))
    rows = Token.objects.filter(own).select_related("session__doctor", "session__room", "session__department", "slot")
    return rows.order_by("-session__date", "-session__starts_at", "-id")


def visit_dates(patient: Patient) -> QuerySet[Token, dt.date]:
    """The days on which a patient held tokens, newest first."""
    return visits(patient).order_by("-session__date").values_list("session__date", flat=True).distinct()


def last_doctor(patient: Patient) -> int | None:
    """The doctor whom a patient asked for last. One query."""
    doctor_id: int | None = visits(patient).values_list("session__doctor_id", flat=True).first()
    return doctor_id


# Finding


@dataclass(frozen=True, slots=True)
class Found:
    """What a text typed into the command field may mean."""

    text: str
    patients: list[Patient]
    tokens: list[Token]


def find(facility: Facility, text: str, on: dt.date) -> Found:
    """Patients by name, phone or number, and tokens of the day by theirs. Five queries at most."""
    text = text.strip()[:200]
    if not text:
        return Found("", [], [])
    patients = search_patients(facility_ids=frozenset({facility.pk}), text=text, limit=8)
    return Found(text, patients, tokens_named(facility, text, on))


def tokens_named(facility: Facility, text: str, on: dt.date) -> list[Token]:
    """Tokens of a day and of the night before it by their number, such as A-017, a17 or 17. One query at most."""
    match = _TOKEN_NUMBER.fullmatch(text)
    if match is None:
        return []
    prefix, number = match[1], f"-{int(match[2]):03d}"
    wanted = Q(number__iexact=f"{prefix}{number}") if prefix else Q(number__endswith=number)
    near = Q(session__date__gte=on - timedelta(days=1), session__date__lte=on)
    rows = Token.objects.filter(wanted, near, session__facility=facility)
    return list(rows.select_related("patient", "session__doctor")[:5])


# Where a token could go, and where it stands


def free_places(token: Token, *, days: int = 7) -> list[Slot]:
    """Slots of the same doctor with a free place, from now on, a week ahead. One query."""
    now = timezone.now()
    until = token.session.date + timedelta(days=days)
    ahead = Slot.objects.filter(free_now(now), session__doctor_id=token.session.doctor_id, session__date__lte=until)
    if token.status == Status.CONFIRMED:
        ahead = ahead.exclude(pk=token.slot_id)
    return list(ahead.select_related("session__room").order_by("starts_at")[:40])


def line_of(token: Token) -> tuple[SessionFacts, dict[int, str], datetime]:
    """The session of a token as facts, with the names of everybody in it, and the time. Four queries.

    Raises:
        Busy: the token went to another session since it was read.
    """
    found = day(token.session.facility, token.session.date, session_ids=[token.session_id])
    if token.pk not in found.patients:
        raise Busy
    return found.build(token.session_id), found.patients, found.now
