"""Reads for the patient's own page and the kiosk, by the key on the slip."""

import datetime as dt
import re
from collections.abc import Hashable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from django.utils import timezone

from accounts.models import Facility
from common.kept import Kept
from reception.errors import NoSuchSlip
from reception.models import SelfService
from reception.phone import Standing, State, standing
from reception.self_service import BY_PATIENT
from scheduling.models import Session, Slot
from tokens.facts import SessionFacts, TokenFacts
from tokens.models import Event, Token
from tokens.queries import read_session
from tokens.reading import TOKEN_COLUMNS
from tokens.rules import NO_PLACE, NOT_SERVED, SENT_ON
from tokens.states import Status
from tokens.waits import Wait, waits

KEPT_FOR: Final = dt.timedelta(days=2)
"""How long after its day a key leads anywhere."""
RELATED: Final = ("slot", "session__facility", "session__doctor", "session__room")
KEY: Final = re.compile(r"[A-Za-z0-9_-]{16,32}")

_sessions: Kept[SessionFacts] = Kept(seconds=30)
_waits: Kept[dict[int, Wait]] = Kept(seconds=20)
_pasts: Kept[dict[str, Any]] = Kept(seconds=120, most=2_000)


@dataclass(frozen=True, slots=True)
class Own:
    """A visit, with what its page names.

    Attributes:
        moved_from: where the place was before it was moved: slot, with session and doctor.
        ended_by: who cancelled: "patient", "clinic" (the doctor did not come to it, or no place was left) or "desk".
        sent_to: the token with which the patient was sent on.
        now: in the facility's zone.
        wait: the estimate behind the standing.
    """

    token: Token
    standing: Standing
    now: datetime
    wait: Wait | None = None
    moved_from: Slot | None = None
    ended_by: str = ""
    sent_to: Token | None = None

    @property
    def facility(self) -> Facility:
        """Where it is."""
        return self.token.session.facility

    @property
    def shown(self) -> tuple[Hashable, ...]:
        """All that the page shows of it: where this is the same, the page is."""
        token, session, before, after = self.token, self.session, self.moved_from, self.sent_to
        return (
            (token.key, token.number, token.called_at, token.call_count, token.held_until, token.slot.starts_at),
            (self.facility.name, session.doctor.name, session.room.name, session.date, self.now.date()),
            self.standing,
            self.ended_by,
            before and (before.starts_at, before.session.date, before.session.doctor.name, before.session.room.name),
            after and (after.number, after.key, after.session.doctor.name, after.session.room.name),
        )

    @property
    def session(self) -> Session:
        """With whom, and where."""
        return self.token.session


def token_of(key: str) -> Token:
    """The token whose slip carries this key, with session, facility, doctor and room. One query.

    A key that was never given, one whose day is long over and one that is none are told apart by nothing.

    Raises:
        NoSuchSlip
    """
    since = timezone.now().date() - KEPT_FOR
    wanted = key if KEY.fullmatch(key) else ""
    token = Token.objects.select_related(*RELATED).filter(key=wanted, session__date__gte=since).first()
    if token is None:
        raise NoSuchSlip
    return token


def token_by_id(token_id: int) -> Token:
    """The same for a token that was found otherwise. One query."""
    return Token.objects.select_related(*RELATED).get(pk=token_id)


def own(token: Token) -> Own:
    """The visit of a token. Five queries at most, none where nothing of it changed since somebody looked."""
    session = _session(token)
    now = timezone.localtime(timezone.now(), token.session.facility.tz)
    facts = session.tokens.get(token.pk) or TokenFacts(*(getattr(token, name) for name in TOKEN_COLUMNS))
    wait = _wait(token, session, now)
    found = Own(token, standing(facts, session, now, now.date(), wait), now, wait)
    # What happened to a token is read again when something has happened to it: a hall full of phones asks often.
    key = (token.key, token.events, found.standing.state)
    return replace(found, **_pasts.get(key, lambda: _past(token, found.standing.state)))


def _session(token: Token) -> SessionFacts:
    """The session as facts, read once a version for everybody who looks: a phone costs a hall full of them little."""
    row = token.session
    key = (row.pk, row.version, row.last_event_at)
    return _sessions.get(key, lambda: read_session(row.pk)[0])


def _wait(token: Token, session: SessionFacts, now: datetime) -> Wait | None:
    """How long the patient will likely wait; worked out once for everybody in the session."""
    row = token.session
    key = (row.pk, row.version, row.last_event_at)
    return _waits.get(key, lambda: waits(session, now)).get(token.pk)


def _past(token: Token, state: State) -> dict[str, Any]:
    """What its events add: a place that was moved, who cancelled, where it was sent on. One query, or two."""
    events = list(Event.objects.filter(token=token).order_by("seq").values_list("kind", "changes", "reason"))
    if state in (State.CANCELLED, State.DONE):
        return _ended(token, state, events[-1][2] if events else "")
    places = [changes["slot_id"] for kind, changes, _ in events if "slot_id" in changes]
    if token.status not in (Status.CONFIRMED, Status.WAITLISTED) or len(places) < 2 or places[-2] == token.slot_id:
        return {}
    return {"moved_from": Slot.objects.select_related("session__doctor", "session__room").get(pk=places[-2])}


def _ended(token: Token, state: State, reason: str) -> dict[str, Any]:
    if reason == SENT_ON:
        next_one = Token.objects.select_related("session__doctor", "session__room", "slot").filter(sent_from=token)
        return {"sent_to": next_one.order_by("-id").first()}
    if state == State.DONE:
        return {}
    by = {BY_PATIENT: "patient", NOT_SERVED: "clinic", NO_PLACE: "clinic"}
    return {"ended_by": by.get(reason, "desk")}


def self_served(token: Token) -> set[tuple[datetime, str]]:
    """The moments at which the patient acted, each with the step: what the token's history signs so. One query."""
    return set(SelfService.objects.filter(token=token).values_list("at", "verb"))
