"""Places: who gets one, who loses one, who moves. With `queueing` and `supply`, the only rooms that write tokens.

Every action locks the session first, settles it, decides by `tokens.rules`, settles it again, and writes tokens and
events together. Open the transaction outside (`atomic(durable=True)` at the entry); the actions take no savepoint.
`by` is the person who acts (None: the clinic itself), whose permission is checked under the lock. `at` replaces the
database's clock in simulations.
"""

import secrets
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction

from accounts import permissions
from scheduling.models import Session
from tokens import candidates, errors, rules, storage
from tokens.facts import SlotFacts, TokenFacts
from tokens.outcome import Outcome, consequences, outcome_of
from tokens.states import ACTIVE, Source, Status
from tokens.storage import Target, Work

if TYPE_CHECKING:
    from accounts.models import User

REQUEST_PERMISSION = {source: f"tokens.request_{source}" for source in Source}

HERE_BY_NATURE = frozenset({Source.WALK_IN, Source.EMERGENCY})
"""Sources whose patients have arrived unless the request says otherwise."""


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
        storage.write(work, actor_id=by.pk if by else None)
        outcome = outcome_of(work, token)
        for consequence in consequences():
            consequence(outcome)
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


# Request


def request_token(
    *,
    patient_id: int,
    source: str,
    slot_id: int | None = None,
    doctor_id: int | None = None,
    department_id: int | None = None,
    on: date | None = None,
    paid: bool = False,
    arrived: bool | None = None,
    note: str = "",
    sent_from_id: int | None = None,
    by: "User | None",
    at: datetime | None = None,
) -> Outcome:
    """Ask for a place: in a slot, or in the first free one of a doctor or department on a date.

    Args:
        paid: priority paid for on top of the source (its own permission); `source=paid` implies it.
        arrived: whether the patient is here; None lets the source say.
        on: the facility's local date, with `doctor_id` or `department_id`.

    Raises:
        UnknownSlot, UnknownPatient, Forbidden, SlotClosed, SlotOver, DuplicateToken
    """
    wish = _Wish(patient_id, Source(source), paid or source == Source.PAID, arrived, note, sent_from_id)
    codes = [REQUEST_PERMISSION[wish.source]]
    if paid and source != Source.PAID:
        codes.append("tokens.mark_paid")
    if slot_id is not None:
        return act([wish.attempt(slot_id)], permission=codes, by=by, at=at)
    found = candidates.slots_to_try(
        doctor_id=doctor_id, department_id=department_id, on=on, emergency=wish.source == Source.EMERGENCY, at=at
    )
    attempts = (wish.attempt(slot, only_free=not last) for slot, last in found)
    return act(attempts, permission=codes, by=by, at=at, several=True)


class _Wish:
    """A request as it was made, to be decided once the session is locked."""

    def __init__(
        self, patient_id: int, source: Source, paid: bool, arrived: bool | None, note: str, sent_from_id: int | None
    ) -> None:
        self.patient_id, self.source, self.paid = patient_id, source, paid
        self.arrived = source in HERE_BY_NATURE if arrived is None else arrived
        self.note, self.sent_from_id = note, sent_from_id
        self.key = secrets.token_urlsafe(18)

    def attempt(self, slot_id: int, *, only_free: bool = False) -> Attempt:
        """The wish in one slot, with what to lock for it."""
        return [Target("slots", slot_id, self.patient_id)], lambda work: self.decide(work, slot_id, only_free=only_free)

    def decide(self, work: Work, slot_id: int, *, only_free: bool = False) -> TokenFacts:
        """Decide the wish in a slot; with `only_free`, refuse a slot whose last place has gone meanwhile.

        Raises:
            candidates.Gone: `only_free`, and the slot has no place for the patient.
        """
        self._check_patient(work)
        slot = open_slot(work, slot_id)
        held = rules.held_by(work.draft, work.session, self.patient_id)
        if held:
            return self._raise(work, held, slot)
        token = self._token(work, slot)
        if only_free and not (slot.free and rules.qualifies(token, slot, work.draft)):
            raise candidates.Gone
        values = {name: getattr(token, name) for name in storage.TOKEN_COLUMNS if name not in ("id", "events")}
        rules.request(work.draft, token, slot, values)
        return token

    def _check_patient(self, work: Work) -> None:
        patient = work.patient
        if patient is None or patient[1] != work.session.facility_id or not patient[2]:
            raise errors.UnknownPatient(attr="patient")

    def _raise(self, work: Work, held: TokenFacts, slot: SlotFacts) -> TokenFacts:
        if self.source != Source.EMERGENCY or held.emergency or held.status == Status.IN_PROGRESS:
            raise errors.DuplicateToken(number=held.number, token=held.id)
        rules.raise_to_emergency(work.draft, held, slot, work.draft.now if self.arrived else None)
        return held

    def _token(self, work: Work, slot: SlotFacts) -> TokenFacts:
        now = work.draft.now
        return TokenFacts(
            id=work.new_id,
            session_id=slot.session_id,
            slot_id=slot.id,
            patient_id=self.patient_id,
            status=Status.REQUESTED.value,
            source=self.source.value,
            paid=self.paid,
            score=rules.score(self.source, self.paid, work.session.policy),
            requested_at=now,
            order_at=now,
            arrived_at=now if self.arrived else None,
            note=self.note,
            key=self.key,
            sent_from_id=self.sent_from_id,
        )


# Changes of one token


def _of_token(
    token_id: int,
    rule: Callable[[Work, TokenFacts], None],
    *,
    permission: str,
    by: "User | None",
    at: datetime | None,
) -> Outcome:
    def decide(work: Work) -> TokenFacts:
        token = own_token(work, token_id)
        rule(work, token)
        return token

    return act([([Target("slots__tokens", token_id)], decide)], permission=permission, by=by, at=at)


def cancel_token(*, token_id: int, reason: str, by: "User | None", at: datetime | None = None) -> Outcome:
    """Cancel a token; its place goes to the best who waits.

    Raises:
        InvalidTransition: it is over already.
        ReservedReason: the reason is one of the engine's own words.
    """
    if reason in rules.RESERVED_REASONS:
        raise errors.ReservedReason(attr="reason")

    def rule(work: Work, token: TokenFacts) -> None:
        rules.cancel(work.draft, token, reason)

    return _of_token(token_id, rule, permission="tokens.cancel", by=by, at=at)


def mark_no_show(*, token_id: int, by: "User | None", at: datetime | None = None) -> Outcome:
    """The patient did not come; the place goes to the best who waits.

    Raises:
        InvalidTransition: the token is not confirmed.
        TooEarly: the policy waits for the slot's start (plus the doctor's delay).
        NotCalled: the policy wants a call first for one who has arrived.
    """

    def rule(work: Work, token: TokenFacts) -> None:
        require_status(token, Status.CONFIRMED)
        if work.session.policy.no_show == "after_start":
            if not rules.begun(work.draft.slot_of(token), work.session, work.draft.now):
                raise errors.TooEarly(number=token.number)
            if token.arrived_at is not None and token.call_count == 0:
                raise errors.NotCalled(number=token.number)
        work.draft.change(token, "no_show", status=Status.NO_SHOW.value, ended_at=work.draft.now, overbooked=False)

    return _of_token(token_id, rule, permission="tokens.no_show", by=by, at=at)


def return_late(*, token_id: int, by: "User | None", at: datetime | None = None) -> Outcome:
    """A no-show came after all: asks again for the session's first slot that is open and not over.

    Raises:
        InvalidTransition: the token is no no-show.
        DuplicateToken: the patient holds another token there by now.
        SessionOver: no slot is left.
    """

    def rule(work: Work, token: TokenFacts) -> None:
        require_status(token, Status.NO_SHOW)
        refuse_duplicate(work, token.session_id, token.patient_id)
        left = [s for s in work.session.slots if rules.takes(s, work.session, work.draft.now)]
        if not left:
            raise errors.SessionOver
        rules.late_return(work.draft, token, left[0])

    return _of_token(token_id, rule, permission="tokens.arrive", by=by, at=at)


def mark_paid(*, token_id: int, by: "User | None", at: datetime | None = None) -> Outcome:
    """Priority was paid for: rescore, and decide again at once if the token waits.

    Raises:
        InvalidTransition: the token is over, or paid already.
    """

    def rule(work: Work, token: TokenFacts) -> None:
        if token.paid or token.status not in ACTIVE:
            raise errors.InvalidTransition(number=token.number, status="paid" if token.paid else token.status)
        rules.pay(work.draft, token)

    return _of_token(token_id, rule, permission="tokens.mark_paid", by=by, at=at)


def overbook_token(*, token_id: int, reason: str, by: "User", at: datetime | None = None) -> Outcome:
    """A named person gives a waiting token a place beyond the capacity.

    Raises:
        InvalidTransition: the token does not wait for a place.
        SlotOver, SlotClosed: no place can be given there any more.
    """

    def rule(work: Work, token: TokenFacts) -> None:
        if token.status == Status.CONFIRMED and token.id in work.draft.before:
            return  # settling first already gave the place
        require_status(token, Status.WAITLISTED)
        slot = _slot_to_overbook(work, token)
        work.draft.change(
            token,
            "overbooked",
            reason=reason,
            status=Status.CONFIRMED.value,
            slot_id=slot.id,
            overbooked=True,
            overbooked_by_id=by.pk,
        )

    return _of_token(token_id, rule, permission="tokens.overbook", by=by, at=at)


def _slot_to_overbook(work: Work, token: TokenFacts) -> SlotFacts:
    """The token's own slot, or the first later one it waits for where its own is over or blocked."""
    for slot in work.session.slots:
        if rules.takes(slot, work.session, work.draft.now) and rules.waits_for(token, slot, work.draft):
            return slot
    return open_slot(work, token.slot_id)


def change_patient(
    *, token_id: int, patient_id: int, reason: str, by: "User | None", at: datetime | None = None
) -> Outcome:
    """The wrong record was chosen: the token belongs to another patient.

    Raises:
        UnknownPatient, DuplicateToken
    """

    def decide(work: Work) -> TokenFacts:
        token = own_token(work, token_id)
        if work.patient is None or work.patient[1] != work.session.facility_id or not work.patient[2]:
            raise errors.UnknownPatient(attr="patient")
        if token.status in ACTIVE:
            refuse_duplicate(work, token.session_id, patient_id, but=token.id)
        work.draft.change(token, "patient_changed", reason=reason, patient_id=patient_id)
        return token

    target = Target("slots__tokens", token_id, patient_id)
    return act([([target], decide)], permission="tokens.change_patient", by=by, at=at)


def move_token(*, token_id: int, slot_id: int, reason: str, by: "User | None", at: datetime | None = None) -> Outcome:
    """Move a token to another slot with a free place; nobody is displaced.

    Raises:
        SlotFull: no free place there for this patient; nothing changed.
        SlotClosed, SlotOver, DuplicateToken, InvalidTransition
    """

    def decide(work: Work) -> TokenFacts:
        token = own_token(work, token_id)
        if token.slot_id == slot_id and token.id in work.draft.before:
            return token  # settling first already gave what was asked
        require_status(token, Status.CONFIRMED, Status.WAITLISTED)
        slot = open_slot(work, slot_id)
        if token.status == Status.CONFIRMED and token.slot_id == slot.id:
            raise errors.InvalidTransition(number=token.number, status="in that slot already")
        refuse_duplicate(work, slot.session_id, token.patient_id, but=token.id)
        if not slot.free or not rules.qualifies(token, slot, work.draft):
            raise errors.SlotFull
        values: dict[str, Any] = rules.relocation(work.draft, token, slot)
        work.draft.change(token, "moved", reason=reason, status=Status.CONFIRMED.value, overbooked=False, **values)
        return token

    targets = candidates.targets_of(token_id, slot_id)
    return act([(targets, decide)], permission="tokens.move", by=by, at=at)


def settle_session(*, session_id: int, at: datetime | None = None) -> Outcome:
    """Settle a session because time has passed: what the minute's job does."""
    return act([([Target("pk", session_id)], lambda work: None)], permission=[], by=None, at=at)
