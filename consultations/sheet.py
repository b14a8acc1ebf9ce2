"""The console as the doctor sees it: who is here, who is next and why, who waits. Pure: facts in, words out.

Times stay times here; the templates write them in the facility's own zone.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from patients.models import Patient
from tokens import queue_rules
from tokens.facts import SessionFacts, TokenFacts
from tokens.states import Source, Status

SOURCES = {
    Source.WALK_IN: gettext_lazy("Walk-in"),
    Source.ONLINE: gettext_lazy("Online"),
    Source.FOLLOW_UP: gettext_lazy("Follow-up"),
    Source.PAID: gettext_lazy("Paid"),
    Source.EMERGENCY: gettext_lazy("Emergency"),
}

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Line:
    """One patient of the queue as a line. `mark` is the shape that tells the state, `state` the same in words."""

    id: int
    number: str
    name: str
    mark: str
    state: str
    note: str
    at: datetime | None = None
    emergency: bool = False


@dataclass(frozen=True, slots=True)
class Person:
    """A patient with the token that brought them here."""

    token: TokenFacts
    patient: Patient
    on: date
    now: datetime

    @property
    def described(self) -> str:
        """Age and sex, such as "47, male"."""
        age = self.patient.age(self.on)
        sex = self.patient.get_sex_display().lower() if self.patient.sex != "unknown" else ""
        return ", ".join(word for word in (_age(age), sex) if word)

    @property
    def source(self) -> str:
        """Where the token came from, and what was paid, in words."""
        return source_words(self.token)

    @property
    def waited(self) -> str:
        """How long the patient has been here, or was until the visit began."""
        if self.token.arrived_at is None:
            return _("Not here yet")
        return _("Here for %(minutes)s") % {"minutes": self.waited_words}

    @property
    def waited_words(self) -> str:
        """The same length alone."""
        until = self.token.started_at or self.now
        return minutes_words(until - (self.token.arrived_at or until))


@dataclass(frozen=True, slots=True)
class Sheet:
    """Everything that the console says of a session at a moment.

    Attributes:
        state: "now" with a patient in the room, "called" while one is on the way, "free", or "over".
        who: the patient in the room, else the one called last.
        next: whom `call next` calls; `why` says so where it is not simply the first.
        called: others who were called and have not come in.
        waiting: who is here and can be called, in call order.
        out: held, skipped, or out for a test.
        absent: holds a place and is not here yet.
        urgent: emergencies that wait for a place.
        waitlisted: how many wait for a place.
        last: who was seen last.
    """

    session: SessionFacts
    now: datetime
    state: str
    who: Person | None
    next: Person | None
    why: str
    called: list[Line]
    waiting: list[Line]
    out: list[Line]
    absent: list[Line]
    urgent: list[Line]
    waitlisted: int
    seen: int
    total: int
    last: TokenFacts | None
    patients: dict[int, Patient]

    def person(self, token: TokenFacts) -> Person:
        """A token of the session with its patient."""
        return Person(token, self.patients[token.id], self.session.date, self.now)

    def line(self, token: TokenFacts) -> Line:
        """A token of the session as a line."""
        return line(token, self.session, self.patients[token.id].name, self.now)

    @property
    def after(self) -> list[Line]:
        """Those who wait here behind the next one."""
        return [line for line in self.waiting if self.next is None or line.id != self.next.token.id]

    @property
    def took(self) -> str:
        """How long the visit before took."""
        if self.last is None or self.last.started_at is None or self.last.ended_at is None:
            return ""
        return minutes_words(self.last.ended_at - self.last.started_at)


def sheet(session: SessionFacts, patients: dict[int, Patient], now: datetime) -> Sheet:
    """A session with everything that the console says of it.

    Args:
        patients: whose each token is, by the token's id.
    """
    tokens = session.tokens.values()
    standing = queue_rules.queue(session, now)
    why = {t.id: queue_rules.passed_over(t, session, now) for t in standing}
    following = queue_rules.next_to_call(session, now)
    called = sorted((t for t in standing if why[t.id] == "called"), key=lambda t: t.called_at or now)
    inside = queue_rules.in_room(tokens)
    who = inside or (called[-1] if called else None)

    def person(token: TokenFacts | None) -> Person | None:
        return Person(token, patients[token.id], session.date, now) if token else None

    def lines(chosen: Iterable[TokenFacts]) -> list[Line]:
        return [line(t, session, patients[t.id].name, now) for t in chosen]

    away = [t for t in tokens if t.status == Status.IN_PROGRESS and t.away_at and t.back_at is None]
    waits = [t for t in tokens if t.status == Status.WAITLISTED]
    done = [t for t in tokens if t.status == Status.COMPLETED]
    return Sheet(
        session=session,
        now=now,
        state=_state(session, inside, who),
        who=person(who),
        next=person(following),
        why=_why(following, standing, why, patients),
        called=lines(t for t in called if t is not who),
        waiting=lines(t for t in standing if not why[t.id]),
        out=lines([*(t for t in standing if why[t.id] in ("held", "skipped")), *away]),
        absent=lines(t for t in standing if why[t.id] == "not_here"),
        urgent=lines(t for t in waits if t.emergency),
        waitlisted=len(waits),
        seen=len(done),
        total=sum(t.uses_place for t in tokens),
        last=max(done, key=lambda t: t.ended_at or now, default=None),
        patients=patients,
    )


def _state(session: SessionFacts, inside: TokenFacts | None, who: TokenFacts | None) -> str:
    if inside:
        return "now"
    if session.status != "open":
        return "over"
    return "called" if who else "free"


def _why(
    chosen: TokenFacts | None, standing: list[TokenFacts], why: dict[int, str], patients: dict[int, Patient]
) -> str:
    """Why the next one is not simply the first of the order."""
    if chosen is None:
        return ""
    if chosen.emergency:
        return _("An emergency stands before everybody.")
    if chosen.back_at is not None:
        return _("Back from a test in mid-visit.")
    if why[chosen.id] == "skipped":
        return _("Was skipped, and nobody else can be called.")
    before = [t.number for t in standing[: standing.index(chosen)] if why[t.id] != "called"]
    if not before:
        return ""
    reasons = {why[t.id] for t in standing[: standing.index(chosen)]} - {"called"}
    if reasons == {"not_here"}:
        words = ngettext(
            "%(numbers)s stands before and is not here yet.",
            "%(numbers)s stand before and are not here yet.",
            len(before),
        )
    else:
        words = ngettext(
            "%(numbers)s stands before and cannot be called now.",
            "%(numbers)s stand before and cannot be called now.",
            len(before),
        )
    return words % {"numbers": joined(before)}


def line(token: TokenFacts, session: SessionFacts, name: str, now: datetime) -> Line:
    """One token as a line of the queue."""
    mark, state, note, at = _line(token, session, now)
    return Line(token.id, token.number, name, mark, state, note, at, token.emergency)


def _line(token: TokenFacts, session: SessionFacts, now: datetime) -> tuple[str, str, str, datetime | None]:
    """Shape, state in words, what stands at the end of the line, and the time that belongs to it."""
    if token.status == Status.WAITLISTED:
        here = token.arrived_at is not None
        return ("wait-here" if here else "wait", _("waits for a place"), source_words(token), None)
    if token.status == Status.IN_PROGRESS and token.back_at is None:
        return "away", _("out for a test"), _("%(place)s since") % {"place": token.away_to or _("Test")}, token.away_at
    match queue_rules.passed_over(token, session, now):
        case "not_here":
            return "absent", _("not here yet"), _short(token), session.slot(token.slot_id).starts_at
        case "called":
            return "called", _("called"), _("Called"), token.called_at
        case "held":
            return "held", _("held"), _("Held until"), token.held_until
        case "skipped":
            return "skipped", _("skipped"), _("Skipped"), None
    since = token.back_at or token.arrived_at or now
    words = _("Back") if token.back_at else _short(token)
    return "here", _("here"), ", ".join(w for w in (words, minutes_words(now - since)) if w), None


def _short(token: TokenFacts) -> str:
    """The source, where it is not the usual one."""
    if token.source == Source.WALK_IN:
        return _("Paid") if token.paid else ""
    return source_words(token)


def source_words(token: TokenFacts) -> str:
    """Source and payment: "Follow-up, priority paid"."""
    words = str(SOURCES[Source(token.source)])
    return _("%(source)s, priority paid") % {"source": words} if token.paid and token.source != Source.PAID else words


def ahead_of(token: TokenFacts, sheet: Sheet) -> list[str]:
    """Numbers of those who are passed over where this one is called now: who is here and stands before."""
    own = queue_rules.call_key(token, sheet.session, sheet.now)
    ids = [line.id for line in sheet.waiting]
    before = [sheet.session.tokens[i] for i in ids if i != token.id]
    return [t.number for t in before if queue_rules.call_key(t, sheet.session, sheet.now) < own]


def minutes_words(length: timedelta) -> str:
    """A length in whole minutes."""
    return _("%(count)d min") % {"count": max(0, int(length / MINUTE))}


def joined(words: Iterable[str]) -> str:
    """A, B and C."""
    *first, last = words
    return _("%(some)s and %(last)s") % {"some": ", ".join(first), "last": last} if first else last


def _age(years: int | None) -> str:
    return "" if years is None else str(years)
