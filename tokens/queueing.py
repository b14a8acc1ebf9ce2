"""Calls: who is called, started, completed, sent on. With `allocation` and `supply`, the only rooms that write tokens.

The same shape as `allocation`: each action locks the session, settles, decides, settles and writes in the transaction
of its caller. `by` and `at` are meant as there.
"""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from tokens import candidates, errors, queue_rules, rules
from tokens.acting import Attempt, act, of_token, own_token, require_status
from tokens.facts import TokenFacts
from tokens.outcome import Outcome
from tokens.reading import Target
from tokens.states import ACTIVE, Source, Status
from tokens.storage import Work
from tokens.wishes import Wish

if TYPE_CHECKING:
    from accounts.models import User


def _require_here(token: TokenFacts) -> None:
    """The token stands in the queue and its patient is here, not away.

    Raises:
        InvalidTransition, NotArrived
    """
    if not token.queued:
        status = "away" if token.away_at and token.status == Status.IN_PROGRESS else token.status
        raise errors.InvalidTransition(number=token.number, status=status)
    if token.arrived_at is None:
        raise errors.NotArrived(number=token.number)


def _require_room_free(work: Work, token: TokenFacts) -> None:
    """Nobody else is with the doctor.

    Raises:
        DoctorBusy: with the number of the one who is.
    """
    inside = queue_rules.in_room(t for t in work.draft.session_of(token).tokens.values() if t is not token)
    if inside:
        raise errors.DoctorBusy(number=inside.number, token=inside.id)


def arrive(*, token_id: int, by: "User | None", at: datetime | None = None) -> Outcome:
    """The patient is here: a time, not a status; a waiting patient can be here too.

    Raises:
        InvalidTransition: the token is over, or its patient has arrived already.
    """

    def rule(work: Work, token: TokenFacts) -> None:
        if token.status not in ACTIVE or token.arrived_at is not None:
            raise errors.InvalidTransition(
                number=token.number, status="here already" if token.status in ACTIVE else token.status
            )
        work.draft.change(token, "arrived", arrived_at=work.draft.now)

    return of_token(token_id, rule, permission="tokens.arrive", by=by, at=at)


def call_next(*, session_id: int, by: "User | None", at: datetime | None = None) -> Outcome:
    """Call the first who can be called; `Outcome.token` is None where nobody can.

    Two people pressing it together call two different patients: the second finds the first one called.

    Raises:
        SessionOver: the session is closed or cancelled.
    """

    def decide(work: Work) -> TokenFacts | None:
        if work.session.status != "open":
            raise errors.SessionOver
        token = queue_rules.next_to_call(work.session, work.draft.now)
        if token is not None:
            queue_rules.called(work.draft, token)
        return token

    return act([([Target("pk", session_id)], decide)], permission="tokens.call", by=by, at=at)


def call(*, token_id: int, by: "User | None", at: datetime | None = None) -> Outcome:
    """Call this one, whoever stands before it.

    Raises:
        NotArrived, InvalidTransition (also where it is called already: recall it).
    """

    def rule(work: Work, token: TokenFacts) -> None:
        _require_here(token)
        if token.called_at is not None:
            raise errors.InvalidTransition(number=token.number, status="called already")
        queue_rules.called(work.draft, token)

    return of_token(token_id, rule, permission="tokens.call", by=by, at=at)


def recall(*, token_id: int, by: "User | None", at: datetime | None = None) -> Outcome:
    """Call again one who was called and has not come in.

    Raises:
        NotCalled, InvalidTransition
    """

    def rule(work: Work, token: TokenFacts) -> None:
        _require_here(token)
        if token.called_at is None:
            raise errors.NotCalled(number=token.number)
        queue_rules.called(work.draft, token)

    return of_token(token_id, rule, permission="tokens.call", by=by, at=at)


def hold(*, token_id: int, minutes: int, by: "User | None", at: datetime | None = None) -> Outcome:
    """Pass over the token for so many minutes; it keeps its rank.

    Raises:
        NotArrived, InvalidTransition
    """

    def rule(work: Work, token: TokenFacts) -> None:
        _require_here(token)
        until = work.draft.now + timedelta(minutes=minutes)
        work.draft.change(token, "held", held_until=until, called_at=None, skipped_after=None)

    return of_token(token_id, rule, permission="tokens.call", by=by, at=at)


def skip(*, token_id: int, by: "User | None", at: datetime | None = None) -> Outcome:
    """Pass over the token until another has been called, or nobody else can be.

    Raises:
        NotArrived, InvalidTransition
    """

    def rule(work: Work, token: TokenFacts) -> None:
        _require_here(token)
        work.draft.change(
            token, "skipped", skipped_after=work.draft.session_of(token).calls, called_at=None, held_until=None
        )

    return of_token(token_id, rule, permission="tokens.call", by=by, at=at)


def start(*, token_id: int, by: "User | None", at: datetime | None = None) -> Outcome:
    """The visit begins, or goes on after a test. Starting implies that the patient is here.

    Raises:
        DoctorBusy: somebody else is with the doctor.
        InvalidTransition
    """

    def rule(work: Work, token: TokenFacts) -> None:
        if work.draft.session_of(token).status != "open":
            raise errors.SessionOver
        if token.status != Status.CONFIRMED and token.back_at is None:
            raise errors.InvalidTransition(number=token.number, status="away" if token.away_at else token.status)
        require_status(token, Status.CONFIRMED, Status.IN_PROGRESS)
        _require_room_free(work, token)
        queue_rules.started(work.draft, token)

    return of_token(token_id, rule, permission="tokens.consult", by=by, at=at)


def complete(*, token_id: int, by: "User | None", at: datetime | None = None) -> Outcome:
    """The visit is over; it used its place.

    Raises:
        InvalidTransition: it is not in progress.
    """

    def rule(work: Work, token: TokenFacts) -> None:
        require_status(token, Status.IN_PROGRESS)
        _completed(work, token)

    return of_token(token_id, rule, permission="tokens.consult", by=by, at=at)


def _completed(work: Work, token: TokenFacts, reason: str = "") -> None:
    work.draft.change(token, "completed", reason=reason, status=Status.COMPLETED.value, ended_at=work.draft.now)


def send_away(*, token_id: int, where: str, by: "User | None", at: datetime | None = None) -> Outcome:
    """In mid-visit to a test: the visit stays in progress, the doctor's room is free.

    Raises:
        InvalidTransition: it is not in the room.
    """

    def rule(work: Work, token: TokenFacts) -> None:
        if not token.in_room:
            raise errors.InvalidTransition(number=token.number, status="away" if token.away_at else token.status)
        work.draft.change(
            token, "sent_away", away_at=work.draft.now, away_to=where, back_at=None, called_at=None, held_until=None
        )

    return of_token(token_id, rule, permission="tokens.consult", by=by, at=at)


def back(*, token_id: int, by: "User | None", at: datetime | None = None) -> Outcome:
    """Back from the test, near the front of the same queue.

    Raises:
        InvalidTransition: the patient is not away.
    """

    def rule(work: Work, token: TokenFacts) -> None:
        if token.status != Status.IN_PROGRESS or token.away_at is None or token.back_at is not None:
            raise errors.InvalidTransition(number=token.number, status=token.status)
        work.draft.change(token, "back", back_at=work.draft.now, skipped_after=None)

    return of_token(token_id, rule, permission="tokens.back", by=by, at=at)


def send_on(
    *,
    token_id: int,
    doctor_id: int | None = None,
    department_id: int | None = None,
    reason: str,
    by: "User | None",
    at: datetime | None = None,
) -> Outcome:
    """Send the patient to another doctor, or to whoever is first free in a department, on the same date.

    The old token completes where it is in progress, else it is cancelled (`sent_on`); the new one is linked, keeps
    source and payment, and has arrived.

    Raises:
        InvalidTransition: the token is over.
        SlotFull: nothing there takes the patient today.
        NoOpenSlot, DuplicateToken
    """
    date, source = candidates.sent_from(token_id)
    found = candidates.slots_to_try(
        doctor_id=doctor_id, department_id=department_id, on=date, emergency=source == Source.EMERGENCY, at=at
    )
    attempts = (_sending(token_id, slot, reason, only_free=not last) for slot, last in found)
    return act(attempts, permission="tokens.send", by=by, at=at, several=True)


def _sending(token_id: int, slot_id: int, reason: str, *, only_free: bool) -> Attempt:
    """One slot to send the patient to, with what to lock: both sessions, in order."""

    def decide(work: Work) -> TokenFacts:
        old = own_token(work, token_id)
        require_status(old, *ACTIVE)
        if old.status == Status.IN_PROGRESS:
            _completed(work, old, rules.SENT_ON)
        else:
            rules.cancel(work.draft, old, rules.SENT_ON)
        wish = Wish(
            old.patient_id, Source(old.source), paid=old.paid, arrived=True, note=old.note, sent_from=old, reason=reason
        )
        new = wish.decide(work, slot_id, only_free=only_free)
        if new.status == Status.CANCELLED:
            raise errors.SlotFull
        return new

    return candidates.targets_of(token_id, slot_id), decide
