"""What is asked before a step: where to, how late; and one patient of the queue. It opens under the patient."""

from collections.abc import Callable, Mapping
from typing import Any

from common.errors import DomainError
from consultations import queries
from consultations.sheet import Person, Sheet, ahead_of
from scheduling.models import Session
from tokens.facts import TokenFacts
from tokens.states import ACTIVE, Status

DELAYS = (0, 5, 10, 15, 20, 30, 45, 60, 90)
"""Minutes that are offered; any other number can be typed."""


def panel(
    asked: Mapping[str, str],
    session: Session,
    sheet: Sheet,
    codes: frozenset[str],
    *,
    error: DomainError | None = None,
) -> dict[str, Any] | None:
    """The panel that an address (or a refused form) asks for; None where it asks for none, or for what cannot be.

    One query at most.
    """
    kind = asked.get("do", "")
    about = _about(asked.get("token", ""), sheet)
    makers: dict[str, Callable[[], dict[str, Any] | None]] = {
        "test": lambda: _test(session, about or sheet.who) if "tokens.consult" in codes else None,
        "send": lambda: _send(session, about or sheet.who) if "tokens.send" in codes else None,
        "delay": lambda: {"delays": DELAYS, "about": None} if "tokens.delay" in codes else None,
        "token": lambda: _token(sheet, about, codes),
    }
    maker = makers.get(kind or ("token" if about else ""))
    found = maker() if maker else None
    if found is None:
        return None
    return {"kind": kind or "token", "error": error, "sent": asked, **found}


def _about(text: str, sheet: Sheet) -> Person | None:
    token = sheet.session.tokens.get(int(text)) if text.isdecimal() and len(text) < 19 else None
    return sheet.person(token) if token else None


def _test(session: Session, about: Person | None) -> dict[str, Any] | None:
    if about is None or not about.token.in_room:
        return None
    return {"about": about, "places": queries.places_sent(session)}


def _send(session: Session, about: Person | None) -> dict[str, Any] | None:
    if about is None or about.token.status not in ACTIVE:
        return None
    departments, doctors = queries.elsewhere(session)
    return {"about": about, "departments": departments, "doctors": doctors}


def _token(sheet: Sheet, about: Person | None, codes: frozenset[str]) -> dict[str, Any] | None:
    """One patient of the queue, and what the doctor can do with this one."""
    if about is None:
        return None
    token = about.token
    return {
        "about": about,
        "line": sheet.line(token),
        "passes": ahead_of(token, sheet) if token.queued else [],
        "verbs": [verb for verb, code, rule in _VERBS if rule(token, sheet) and code in codes],
    }


def _callable(token: TokenFacts, sheet: Sheet) -> bool:
    return token.queued and token.arrived_at is not None and token.called_at is None and sheet.session.status == "open"


def _startable(token: TokenFacts, sheet: Sheet) -> bool:
    return token.queued and sheet.state != "now" and sheet.session.status == "open"


def _away(token: TokenFacts, sheet: Sheet) -> bool:
    return token.status == Status.IN_PROGRESS and token.away_at is not None and token.back_at is None


def _on_the_way(token: TokenFacts, sheet: Sheet) -> bool:
    return token.queued and token.arrived_at is not None and token.called_at is not None


_VERBS = (
    ("call", "tokens.call", _callable),
    ("back", "tokens.back", _away),
    ("recall", "tokens.call", _on_the_way),
    ("start", "tokens.consult", _startable),
    ("hold", "tokens.call", lambda token, sheet: _callable(token, sheet) or _on_the_way(token, sheet)),
    ("skip", "tokens.call", _on_the_way),
    ("send", "tokens.send", lambda token, sheet: token.status in (Status.CONFIRMED, Status.WAITLISTED)),
    ("overbook", "tokens.overbook", lambda token, sheet: token.status == Status.WAITLISTED),
)
