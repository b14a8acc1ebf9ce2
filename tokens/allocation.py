"""Places: who gets one, who loses one, who moves. With `queueing` and `supply`, the only rooms that write tokens.

Every action locks the session first, settles it, decides by `tokens.rules`, settles it again, and writes tokens and
events together. Open the transaction outside (`atomic(durable=True)` at the entry); the actions take no savepoint.
`by` is the person who acts (None: the clinic itself), whose permission is checked under the lock. `at` replaces the
database's clock in simulations.
"""

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from tokens import candidates, errors, rules
from tokens.acting import act, of_token, open_slot, own_token, refuse_duplicate, require_status
from tokens.facts import SlotFacts, TokenFacts
from tokens.outcome import Outcome
from tokens.reading import Target
from tokens.states import ACTIVE, Source, Status
from tokens.storage import Work
from tokens.wishes import Wish

if TYPE_CHECKING:
    from accounts.models import User

REQUEST_PERMISSION = {source: f"tokens.request_{source}" for source in Source}

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
    wish = Wish(patient_id, Source(source), paid=paid, arrived=arrived, note=note)
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


# Changes of one token


def cancel_token(*, token_id: int, reason: str, by: "User | None", at: datetime | None = None) -> Outcome:
    """Cancel a token; its place goes to the best who waits.

    Raises:
        InvalidTransition: it is over already.
        ReservedReason: the reason is one of the engine's own words.
    """
    if reason in rules.RESERVED_REASONS:
        raise errors.ReservedReason(attr="reason")

    def rule(work: Work, token: TokenFacts) -> None:
        require_status(token, *ACTIVE)
        rules.cancel(work.draft, token, reason)

    return of_token(token_id, rule, permission="tokens.cancel", by=by, at=at)


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

    return of_token(token_id, rule, permission="tokens.no_show", by=by, at=at)


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

    return of_token(token_id, rule, permission="tokens.arrive", by=by, at=at)


def mark_paid(*, token_id: int, by: "User | None", at: datetime | None = None) -> Outcome:
    """Priority was paid for: rescore, and decide again at once if the token waits.

    Raises:
        InvalidTransition: the token is over, or paid already.
    """

    def rule(work: Work, token: TokenFacts) -> None:
        if token.paid or token.status not in ACTIVE:
            raise errors.InvalidTransition(number=token.number, status="paid" if token.paid else token.status)
        rules.pay(work.draft, token)

    return of_token(token_id, rule, permission="tokens.mark_paid", by=by, at=at)


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

    return of_token(token_id, rule, permission="tokens.overbook", by=by, at=at)


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
