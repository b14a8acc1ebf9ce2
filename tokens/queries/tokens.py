"""Tokens for lists and answers: one, many, where they stand, what happened to them, why one is before another."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from django.db.models import QuerySet

from accounts.models import User
from accounts.permissions import reach, require_anywhere, within
from common.errors import BadInput
from scheduling.models import Slot
from tokens import errors, queue_rules, rules
from tokens.facts import Policy, TokenFacts
from tokens.models import Event, Token
from tokens.queries.facts import policies_of, read_session, read_tokens
from tokens.reading import TOKEN_COLUMNS
from tokens.states import ACTIVE, Status

VIEW: Final = "tokens.view"
TOKEN_WITH: Final = ("session__facility",)
STANDING: Final = (Status.CONFIRMED.value, Status.WAITLISTED.value)
"""Statuses in which a token has a position."""


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
    one, two = (session.tokens.get(t.pk) or as_facts(t) for t in (token, other))
    return queue_rules.explain(one, two, session, now)


def as_facts(token: Token) -> TokenFacts:
    """A token's row as the rules see it."""
    return TokenFacts(*(getattr(token, name) for name in TOKEN_COLUMNS))


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
    policies, now = policies_of({t.session_id for t in standing})
    peers = read_tokens("slot_id = ANY(%s) AND status = ANY(%s)", [{t.slot_id for t in standing}, STANDING])
    return positions_in(peers, policies, now)


def positions_in(peers: Iterable[TokenFacts], policies: dict[int, Policy], now: datetime) -> dict[int, int]:
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
    policies, now = policies_of({slot.session_id})
    found = read_tokens("slot_id = ANY(%s)", [[slot.pk]])
    where = positions_in(found, policies, now)
    groups = {status: place for place, status in enumerate(STANDING)}
    found.sort(key=lambda t: (groups.get(t.status, len(groups)), where.get(t.id, 0), t.id))
    return found, where


def tokens_ahead(*, doctor_id: int, at: datetime) -> int:
    """How many active tokens, waiting ones among them, stand in sessions of a doctor that are not over. One query.

    Scheduling asks before a doctor is switched off (`OPD_BEFORE_DEACTIVATE`).
    """
    return Token.objects.filter(
        session__doctor=doctor_id, session__ends_at__gt=at, session__status="open", status__in=sorted(ACTIVE)
    ).count()
