"""What every action of the engine has in common: lock, check, settle, decide, settle, write, tell."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction

from accounts import permissions
from scheduling.models import Session
from tokens import candidates, errors, live, rules, storage
from tokens.facts import SlotFacts, TokenFacts
from tokens.outcome import Outcome, consequences, outcome_of
from tokens.reading import Target
from tokens.states import Status
from tokens.storage import Work

if TYPE_CHECKING:
    from accounts.models import User

Attempt = tuple[Sequence[Target], Callable[[Work], TokenFacts | None]]


def act(
    attempts: Iterable[Attempt],
    *,
    permission: str | Sequence[str],
    by: "User | None",
    at: datetime | None,
    several: bool = False,
) -> Outcome:
    """Run one action: lock, check the permission, settle, decide, settle, write, tell the consequences.

    Args:
        attempts: what to lock and the rule to decide by. Where a rule raises `Gone`, its locks are given back and
            the next attempt is made.
        permission: the code or codes that the person must hold in the facility.
        several: there may be a next attempt, for which a savepoint is set.

    Raises:
        NotFound: the session belongs to a facility the person may not see.
        PermissionDenied: the person lacks the permission there.
    """
    codes = [permission] if isinstance(permission, str) else permission
    with transaction.atomic(savepoint=False):
        work, token = _first_that_holds(attempts, codes, by, at, several)
        return finish(work, token, by)


def finish(work: Work, token: TokenFacts | None, by: "User | None") -> Outcome:
    """Write a decision and tell what it means in other apps, in the same transaction."""
    actor_id = by.pk if by else None
    counted = storage.write(work, actor_id=actor_id, about=token)
    outcome = outcome_of(work, token, counted, actor_id=actor_id)
    for consequence in consequences():
        consequence(outcome)
    if outcome.touched or work.draft.supply_events:
        live.announce(outcome.session.facility_id, outcome.session_ids)
    return outcome


def _first_that_holds(
    attempts: Iterable[Attempt], codes: Sequence[str], by: "User | None", at: datetime | None, several: bool
) -> tuple[Work, TokenFacts | None]:
    first = "SAVEPOINT attempt" if several else ""
    for targets, rule in attempts:
        try:
            return storage.decide(targets, _wrapped(rule, codes, by), at=at, first=first)
        except candidates.Gone:
            first = "ROLLBACK TO SAVEPOINT attempt"
    raise errors.NoOpenSlot


def _wrapped(
    rule: Callable[[Work], TokenFacts | None], codes: Sequence[str], by: "User | None"
) -> Callable[[Work], TokenFacts | None]:
    """The rule with what every action does before and after it."""

    def decide(work: Work) -> TokenFacts | None:
        check(work, codes, by)
        rules.settle(work.draft)
        token = rule(work)
        rules.settle(work.draft, cause=work.draft.events[-1] if work.draft.events else None)
        return token

    return decide


def check(work: Work, codes: Iterable[str], by: "User | None") -> None:
    """Let pass who may do this in the facilities of the locked sessions; the clinic itself always may.

    Raises:
        OutOfReach: the person has no part in the facility (404, and recorded).
        PermissionDenied: the person lacks the permission there.
    """
    if by is None:
        return
    for session in work.draft.sessions.values():
        for code in codes:
            if not permissions.allows(by, code, session.facility_id):
                permissions.reach(by, code, Session(pk=session.id, facility_id=session.facility_id))


def own_token(work: Work, token_id: int) -> TokenFacts:
    """The token an action is about, in the locked sessions.

    Raises:
        UnknownToken: there is none.
    """
    try:
        return work.draft.token(token_id)
    except KeyError:
        raise errors.UnknownToken from None


def require_status(token: TokenFacts, *allowed: Status) -> None:
    """Refuse an action on a token of another status.

    Raises:
        InvalidTransition: the status is none of the allowed ones.
    """
    if token.status not in allowed:
        raise errors.InvalidTransition(number=token.number, status=token.status)


def open_slot(work: Work, slot_id: int) -> SlotFacts:
    """A slot of the locked sessions in which places can be given.

    Raises:
        UnknownSlot, SlotClosed, SlotOver
    """
    for session in work.draft.sessions.values():
        for slot in session.slots:
            if slot.id == slot_id:
                if rules.over(slot, session, work.draft.now):
                    raise errors.SlotOver
                if slot.status != "open":
                    raise errors.SlotClosed(status=slot.status)
                return slot
    raise errors.UnknownSlot


def refuse_duplicate(work: Work, session_id: int, patient_id: int, but: int = 0) -> None:
    """A patient holds at most one active token in a session.

    Raises:
        DuplicateToken: with the id and number of the one held.
    """
    held = rules.held_by(work.draft, work.draft.sessions[session_id], patient_id, but)
    if held:
        raise errors.DuplicateToken(number=held.number, token=held.id)


def of_token(
    token_id: int,
    rule: Callable[[Work, TokenFacts], None],
    *,
    permission: str,
    by: "User | None",
    at: datetime | None,
) -> Outcome:
    """Run an action on one token in its own session."""

    def decide(work: Work) -> TokenFacts:
        token = own_token(work, token_id)
        rule(work, token)
        return token

    return act([([Target("slots__tokens", token_id)], decide)], permission=permission, by=by, at=at)
