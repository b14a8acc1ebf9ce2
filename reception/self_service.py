"""What patients do themselves, from the slip's link and at the kiosk. The caller has opened the transaction.

The engine acts for nobody (`by=None`), so its event has no actor; beside it, in the same transaction, a row of
`SelfService` says that it was the patient, from where, and when.
"""

import datetime as dt
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from common.transactions import RunAgain
from reception.errors import AnotherDay, NotForYou
from reception.models import SelfService, SlipPrint
from scheduling.locking import lock_sessions
from tokens import allocation, queueing
from tokens.models import Event, Token
from tokens.outcome import Outcome
from tokens.states import ACTIVE, Source, Status

BY_PATIENT = "by the patient"
"""The reason of a cancellation that the patient made."""

Verb = SelfService.Verb
Via = SelfService.Via


@dataclass(frozen=True, slots=True)
class Where:
    """From where a patient acts.

    Attributes:
        via: the slip's link, or the kiosk.
        address: of the network.
    """

    via: str
    address: str | None


@transaction.atomic(savepoint=False)
def say_here(*, token_id: int, where: Where) -> Outcome:
    """The patient is here.

    Raises:
        AnotherDay: the desk has moved the token to a later day since the page was read.
        InvalidTransition: the token is over, or its patient has arrived already.
    """
    session = _locked(token_id).session
    if session.date > session.facility.local_date():
        raise AnotherDay
    return _recorded(queueing.arrive(token_id=token_id, by=None), Verb.ARRIVE, where)


@transaction.atomic(savepoint=False)
def cancel(*, token_id: int, where: Where) -> Outcome:
    """The patient gives the token back.

    The session is locked before the engine locks it again: a visit that has begun is not the patient's to cancel, and
    whether it has begun is decided by whoever comes first to the lock.

    Raises:
        NotForYou: the visit has begun.
        InvalidTransition: the token is over.
    """
    token = _locked(token_id)
    if token.status == Status.IN_PROGRESS:
        raise NotForYou
    return _recorded(allocation.cancel_token(token_id=token_id, reason=BY_PATIENT, by=None), Verb.CANCEL, where)


@transaction.atomic(savepoint=False)
def come_in(*, token_id: int, where: Where) -> Outcome | None:
    """The patient stands at the kiosk: arrives, is back from a test, or comes after all. None where none is needed.

    Raises:
        AnotherDay: the desk has moved the token to a later day meanwhile.
        SessionOver: came after all, and no slot is left.
        DuplicateToken: came after all, and holds another token there by now.
    """
    token = _locked(token_id)
    if token.status == Status.NO_SHOW:
        return _recorded(allocation.return_late(token_id=token_id, by=None), Verb.RETURN, where)
    if token.status == Status.IN_PROGRESS and token.away_at is not None and token.back_at is None:
        return _recorded(queueing.back(token_id=token_id, by=None), Verb.BACK, where)
    if token.status in (Status.CONFIRMED, Status.WAITLISTED) and token.arrived_at is None:
        return say_here(token_id=token_id, where=where)
    return None


@transaction.atomic(savepoint=False)
def take_token(*, patient_id: int, department_id: int, on: dt.date, where: Where) -> int:
    """A patient who walks in asks for the first free place of a department. Returns the token's id.

    Raises:
        UnknownPatient, NoOpenSlot, DuplicateToken
    """
    outcome = allocation.request_token(
        patient_id=patient_id, source=Source.WALK_IN, department_id=department_id, on=on, by=None
    )
    _recorded(outcome, Verb.REQUEST, where)
    assert outcome.token is not None  # a request gives one, or refuses
    return outcome.token.id


@transaction.atomic(savepoint=False)
def print_first_slip(*, token_id: int, by: User) -> SlipPrint | None:
    """The kiosk prints the slip of a token that has none yet; a copy is the desk's business. None where it does not.

    Args:
        by: the kiosk's own user.
    """
    # The token's row orders two who print at once.
    token = Token.objects.select_for_update(no_key=True).get(pk=token_id)
    if token.status not in ACTIVE or SlipPrint.objects.filter(token_id=token_id).exists():
        return None
    return SlipPrint.objects.create(token_id=token_id, copy=0, at=timezone.now(), by=by)


def _locked(token_id: int) -> Token:
    """The token, while its session is locked.

    Raises:
        RunAgain: it went to another session meanwhile.
    """
    session_id = Token.objects.values_list("session_id", flat=True).get(pk=token_id)
    lock_sessions([session_id])
    token = Token.objects.select_related("session__facility").get(pk=token_id)
    if token.session_id != session_id:
        raise RunAgain
    return token


KINDS = {
    Verb.REQUEST: "requested",
    Verb.ARRIVE: "arrived",
    Verb.BACK: "back",
    Verb.RETURN: "returned",
    Verb.CANCEL: "cancelled",
}
"""The kind of the event that each step leaves."""


def _recorded(outcome: Outcome, verb: Verb, where: Where) -> Outcome:
    """Write who it was, with the moment of the event."""
    assert outcome.token is not None  # every step here is about a token
    last = Event.objects.filter(token_id=outcome.token.id, kind=KINDS[verb]).order_by("-seq")
    SelfService.objects.create(
        token_id=outcome.token.id,
        verb=verb,
        at=last.values_list("at", flat=True)[0],
        via=where.via,
        address=where.address,
    )
    return outcome
