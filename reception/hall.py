"""The hall as the desk shows it: columns of sessions, their slots, the tokens in call order. Pure: facts in, words out.

Times stay times here; the templates write them in the facility's own zone.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from statistics import median
from types import MappingProxyType
from typing import cast

from django.utils.translation import get_language, gettext, gettext_lazy, ngettext

from tokens import queue_rules, rules
from tokens.facts import SessionFacts, SlotFacts, TokenFacts
from tokens.states import Source, Status


@lru_cache(maxsize=400)
def _known(language: str | None, text: str) -> str:
    return gettext(text)


def _(text: str) -> str:
    """The text in the language of now; looked up once, for a desk says a thousand words."""
    return _known(get_language(), text)


_lazily = cast("Callable[[str], str]", gettext_lazy)

SOURCE_WORDS: dict[Source, str] = {
    Source.WALK_IN: _lazily("Walk-in"),
    Source.ONLINE: _lazily("Online"),
    Source.FOLLOW_UP: _lazily("Follow-up"),
    Source.PAID: _lazily("Paid"),
    Source.EMERGENCY: _lazily("Emergency"),
}
"""Sources in the order of their keys, 1 to 5."""

NOTHING: Mapping[int, str] = MappingProxyType({})

MOST_CELLS = 12
"""A slot with more places shows one bar instead of a cell for each."""


@dataclass(frozen=True, slots=True)
class Names:
    """What a session's ids stand for."""

    doctor: str
    department: str
    room: str
    doctor_user_id: int | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One token as a line. `mark` is the shape that tells its state, `state` the same in words.

    `due` is what is still to be paid, in words, for those who may see money.
    """

    id: int
    number: str
    name: str
    mark: str
    state: str
    note: str
    note_at: datetime | None = None
    kind: str = ""
    tone: str = ""
    due: str = ""


@dataclass(slots=True)
class SlotView:
    """A slot: its cells, its words, who holds a place in call order, who waits for one, and who is gone."""

    facts: SlotFacts
    past: bool
    words: str
    cells: list[str]
    share: int
    rows: list[Row]
    waiting: list[Row]
    gone: list[Row]
    hint: tuple[SlotFacts, Row] | None = None

    @property
    def opened(self) -> bool:
        """Whether it unfolds by itself: past slots and empty ones do not."""
        live = any(row.tone != "over" for row in self.rows)
        return bool(self.waiting) or live or (bool(self.rows) and not self.past)

    @property
    def waiting_words(self) -> str:
        """How many wait for a place."""
        count = len(self.waiting)
        return ngettext("%(n)d waits for a place", "%(n)d wait for a place", count) % {"n": count}


@dataclass(slots=True)
class Column:
    """A session of a doctor as a column of the desk."""

    session: SessionFacts
    names: Names
    state: str
    state_mark: str
    since: datetime | None
    punctual: str
    slots: list[SlotView]
    alerts: list[Row] = field(default_factory=list)
    phase: str = "now"
    overdue: bool = False
    next_free: SlotFacts | None = None
    free: int = 0

    @property
    def late(self) -> bool:
        """Whether the doctor is late."""
        return self.session.delay_minutes > 0

    @property
    def waiting(self) -> int:
        """How many wait for a place."""
        return sum(t.status == Status.WAITLISTED for t in _all(self.session))

    @property
    def here(self) -> int:
        """How many are here and have not been seen."""
        return sum(_is_here(t) for t in _all(self.session))

    @property
    def since_longest(self) -> datetime | None:
        """When the one came who has been here longest."""
        return min((t.arrived_at for t in _all(self.session) if _is_here(t) and t.arrived_at), default=None)


def phase_of(session: SessionFacts, now: datetime) -> str:
    """ "later" before the session, "now" while patients are seen, "over" afterwards."""
    if session.status != "open":
        return "over"
    if now < session.starts_at and session.calls == 0 and not any(t.status == "in_progress" for t in _all(session)):
        return "later"
    if now < session.ends_at + session.delay:
        return "now"
    return "now" if any(t.queued or t.status == Status.IN_PROGRESS for t in _all(session)) else "over"


def column(
    session: SessionFacts, names: Names, patients: dict[int, str], now: datetime, dues: Mapping[int, str] = NOTHING
) -> Column:
    """A session with everything that the desk says about it.

    Args:
        patients: names of the patients by token.
        dues: what is still to be paid, in words, by token.
    """
    state, mark, since = _state(session, now)
    by_slot: dict[int, list[TokenFacts]] = {}
    for token in in_order(session, now):
        by_slot.setdefault(token.slot_id, []).append(token)
    lines = {t.id: row(t, session, patients[t.id], now, dues.get(t.id, "")) for t in _all(session)}
    slots = [_slot(session, slot, by_slot.get(slot.id, []), lines, now) for slot in session.slots]
    _hint(session, slots, now)
    emergencies = [t for t in _all(session) if t.emergency and t.status == Status.WAITLISTED]
    open_slots = [slot for slot in session.slots if slot.free and rules.takes(slot, session, now)]
    return Column(
        session=session,
        names=names,
        state=state,
        state_mark=mark,
        since=since,
        punctual=_punctual(session, now),
        slots=slots,
        alerts=[lines[t.id] for t in sorted(emergencies, key=rules.rank)],
        phase=phase_of(session, now),
        overdue=_overdue(session, now),
        next_free=open_slots[0] if open_slots else None,
        free=sum(slot.free for slot in open_slots),
    )


def row(token: TokenFacts, session: SessionFacts, name: str, now: datetime, due: str = "") -> Row:
    """One token as a line of the desk."""
    mark, state, tone = _mark(token, session, now)
    note, at = _note(token, mark, now)
    kind = token.source if token.source in (Source.PAID, Source.EMERGENCY) else "paid" if token.paid else ""
    return Row(token.id, token.number, name, mark, state, note, at, kind, tone, due)


@dataclass(frozen=True, slots=True)
class Figures:
    """The numbers of the day. `median_wait` is in minutes, from the arrival to the doctor."""

    tokens: int
    seen: int
    here: int
    waiting: int
    no_show: int
    median_wait: int | None


def figures(sessions: Iterable[SessionFacts]) -> Figures:
    """Count the day's tokens."""
    tokens = [t for session in sessions for t in _all(session) if t.status != Status.CANCELLED]
    waits = [(t.started_at - t.arrived_at).total_seconds() / 60 for t in tokens if t.started_at and t.arrived_at]
    return Figures(
        tokens=len(tokens),
        seen=sum(t.status == Status.COMPLETED for t in tokens),
        here=sum(_is_here(t) for t in tokens),
        waiting=sum(t.status == Status.WAITLISTED for t in tokens),
        no_show=sum(t.status == Status.NO_SHOW for t in tokens),
        median_wait=round(median(waits)) if waits else None,
    )


def in_order(session: SessionFacts, now: datetime) -> list[TokenFacts]:
    """Everybody of the session: seen in the order of their end, with the doctor, in call order, waiting, gone."""
    groups = {Status.COMPLETED: 0, Status.IN_PROGRESS: 1, Status.CONFIRMED: 2, Status.WAITLISTED: 3}

    def key(token: TokenFacts) -> tuple[object, ...]:
        group = groups.get(Status(token.status), 4)
        if group in (0, 4):
            return (group, token.ended_at or token.order_at, token.id)
        return (group, queue_rules.call_key(token, session, now))

    return sorted(_all(session), key=key)


def _all(session: SessionFacts) -> Iterable[TokenFacts]:
    return session.tokens.values()


def _is_here(token: TokenFacts) -> bool:
    return token.arrived_at is not None and (token.queued or token.status == Status.WAITLISTED)


def _overdue(session: SessionFacts, now: datetime) -> bool:
    """Whether the doctor should have begun, said nothing of a delay, and has called nobody while somebody is here."""
    begun = session.calls or any(t.status in (Status.IN_PROGRESS, Status.COMPLETED) for t in _all(session))
    waited = now >= session.starts_at + session.delay and any(_is_here(t) for t in _all(session))
    return session.status == "open" and not session.paused_at and waited and not begun


def _slot(
    session: SessionFacts, slot: SlotFacts, tokens: list[TokenFacts], lines: Mapping[int, Row], now: datetime
) -> SlotView:
    """A slot with its tokens, which come in order."""
    holding = [t for t in tokens if t.uses_place]
    past = rules.over(slot, session, now)
    return SlotView(
        facts=slot,
        past=past,
        words=_slot_words(slot, holding, tokens, past),
        cells=_cells(slot, holding),
        share=min(100, round(100 * slot.used / slot.capacity)) if slot.capacity else 100,
        rows=[lines[t.id] for t in holding],
        waiting=[lines[t.id] for t in tokens if t.status == Status.WAITLISTED],
        gone=[lines[t.id] for t in tokens if t.status in (Status.CANCELLED, Status.NO_SHOW)],
    )


def _cells(slot: SlotFacts, holding: list[TokenFacts]) -> list[str]:
    """One cell for each place: seen, in the room, held, free or cut, over. Empty where one bar says it better."""
    if slot.capacity > MOST_CELLS:
        return []
    kinds = {Status.COMPLETED: "seen", Status.IN_PROGRESS: "now"}
    ordinary = [kinds.get(Status(t.status), "held") for t in holding if not t.overbooked]
    left = "free" if slot.status == "open" else "cut"
    return [*ordinary, *[left] * slot.free, *["over" for t in holding if t.overbooked]]


def _slot_words(slot: SlotFacts, holding: list[TokenFacts], tokens: list[TokenFacts], past: bool) -> str:
    if slot.status != "open":
        return {"blocked": _("blocked"), "cancelled": _("cancelled")}.get(slot.status, slot.status)
    if past:
        return _past_words(holding, tokens)
    taken = _("%(used)d of %(capacity)d") % {"used": slot.used, "capacity": slot.capacity}
    if slot.overbooked:
        return _("%(taken)s, %(n)d over") % {"taken": taken, "n": slot.overbooked}
    return _("%(n)d free") % {"n": slot.free} if slot.free else taken


def _past_words(holding: list[TokenFacts], tokens: list[TokenFacts]) -> str:
    still = sum(t.status != Status.COMPLETED for t in holding)
    everybody_came = all(t.arrived_at for t in holding)
    counts = [
        (sum(t.status == Status.COMPLETED for t in holding), _("%(n)d seen")),
        (still, _("%(n)d still here") if everybody_came else _("%(n)d left")),
        (sum(t.status == Status.NO_SHOW for t in tokens), _("%(n)d no show")),
    ]
    return ", ".join(words % {"n": count} for count, words in counts if count) or _("nobody came")


def _hint(session: SessionFacts, slots: list[SlotView], now: datetime) -> None:
    """Where somebody waits and a later slot of the session has a free place, say so."""
    for view in slots:
        waiting = [t for t in _all(session) if t.slot_id == view.facts.id and t.status == Status.WAITLISTED]
        later = [
            slot
            for slot in session.slots
            if slot.starts_at > view.facts.starts_at and slot.free and rules.takes(slot, session, now)
        ]
        if waiting and later:
            view.hint = (later[0], view.waiting[0])


def _mark(token: TokenFacts, session: SessionFacts, now: datetime) -> tuple[str, str, str]:
    """The shape, its words, and the tone of the line."""
    match token.status:
        case Status.COMPLETED:
            return "done", _("seen"), "over"
        case Status.CANCELLED:
            return "gone", _("cancelled"), "over"
        case Status.NO_SHOW:
            return "gone", _("did not come"), "over"
        case Status.WAITLISTED if token.arrived_at:
            return "wait-here", _("waits for a place, here"), ""
        case Status.WAITLISTED:
            return "wait", _("waits for a place, not here yet"), "absent"
        case Status.IN_PROGRESS if token.away_at is None:
            return "room", _("in the room"), "in-room"
        case Status.IN_PROGRESS if token.back_at is None:
            return "away", _("out for a test"), ""
    if token.arrived_at is None:
        return "absent", _("not here yet"), "absent"
    passed = queue_rules.passed_over(token, session, now)
    if passed in ("called", "held", "skipped"):
        return passed, {"called": _("called"), "held": _("held"), "skipped": _("skipped")}[passed], ""
    return ("here", _("back from a test"), "") if token.back_at else ("here", _("here"), "")


def _note(token: TokenFacts, mark: str, now: datetime) -> tuple[str, datetime | None]:
    """What stands at the end of the line, and the time that belongs to it."""
    match mark:
        case "done":
            return _("seen"), token.ended_at
        case "room":
            return _minutes(token.started_at, now), None
        case "called":
            return _("called"), token.called_at
        case "held":
            return _("held to"), token.held_until
        case "away":
            return token.away_to or _("test"), token.away_at
        case "gone":
            return (_("no show") if token.status == Status.NO_SHOW else _("cancelled")), None
    if token.back_at:
        return _("back"), token.back_at
    words = str(SOURCE_WORDS[Source(token.source)])
    paid = token.paid and token.source not in (Source.PAID, Source.EMERGENCY)
    return (_("%(source)s, paid") % {"source": words} if paid else words), None


def _state(session: SessionFacts, now: datetime) -> tuple[str, str, datetime | None]:
    """What the doctor is doing: words, shape, since when."""
    if session.status != "open":
        return (_("Closed") if session.status == "closed" else _("Cancelled")), "done", session.closed_at
    if session.paused_at:
        return _("Paused since"), "held", session.paused_at
    inside = queue_rules.in_room(_all(session))
    if inside:
        with_whom = {"number": inside.number, "minutes": _minutes(inside.started_at, now)}
        return _("With %(number)s, %(minutes)s") % with_whom, "room", None
    called = [t for t in _all(session) if t.called_at and t.queued]
    if called:
        last = max(called, key=lambda t: t.called_at or now)
        return _("Called %(number)s") % {"number": last.number}, "called", last.called_at
    if now < session.starts_at:
        return _("Starts"), "absent", session.starts_at
    here = sum(t.queued and t.arrived_at is not None for t in _all(session))
    if not here:
        return _("Nobody is waiting"), "absent", None
    return _("Nobody inside, %(n)d here") % {"n": here}, "here", None


def _minutes(since: datetime | None, now: datetime) -> str:
    return _("%(n)d min") % {"n": max(0, int((now - (since or now)).total_seconds() // 60))}


def _punctual(session: SessionFacts, now: datetime) -> str:
    if session.status != "open":
        return ""
    if session.delay_minutes:
        return _("%(n)d min late") % {"n": session.delay_minutes}
    if _overdue(session, now):
        return _("Not in yet")
    return ""
