"""Steps that the console adds to the engine's own: guarded against a page that is out of date. The caller has opened
the transaction.

Two windows of one doctor, or the doctor and the desk, may press at the same moment. What a button was read beside (how
many calls had been made, which event was the last) is compared under the session's lock; who comes second is told.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from common.errors import DomainError
from consultations.errors import NobodyToCall, Overtaken
from scheduling.locking import lock_sessions
from tokens import queueing, undoing
from tokens.models import Token
from tokens.outcome import Outcome


@transaction.atomic(savepoint=False)
def call_next(*, session_id: int, calls: int | None, by: User, at: datetime | None = None) -> Outcome:
    """Call the first who can be called, where nobody has been called since the page was read.

    Args:
        calls: how many calls of the session the page knew of; None asks no such thing.

    Raises:
        Overtaken: somebody was called meanwhile.
        NobodyToCall, SessionOver
    """
    for session in lock_sessions([session_id]):
        if calls is not None and session.calls != calls:
            raise Overtaken(what=_("%(number)s was called meanwhile.") % {"number": _last_called(session_id)})
    outcome = queueing.call_next(session_id=session_id, by=by, at=at)
    if outcome.token is None:
        # Refused and not answered: the answer of a key is kept, and a held patient may be free a minute later.
        raise NobodyToCall
    return outcome


def _last_called(session_id: int) -> str:
    called = Token.objects.filter(session_id=session_id, called_at__isnull=False).order_by("-called_at")
    return called.values_list("number", flat=True).first() or ""


@dataclass(frozen=True, slots=True)
class Completed:
    """What one press did: the visit that ended; whom it called, or why it called nobody."""

    visit: Outcome
    called: Outcome | None
    refused: DomainError | None


@transaction.atomic(savepoint=False)
def complete_and_call_next(*, token_id: int, by: User, at: datetime | None = None) -> Completed:
    """The visit is over, and the next is called, in one transaction. Where the call is refused the visit is over still.

    Nobody is called where somebody is on the way already, or the session pauses.

    Raises:
        InvalidTransition: it is not in progress, or no longer.
    """
    visit = queueing.complete(token_id=token_id, by=by, at=at)
    on_the_way = any(t.queued and t.called_at for t in visit.session.tokens.values())
    if on_the_way or visit.session.paused_at:
        return Completed(visit, None, None)
    try:
        with transaction.atomic():
            return Completed(visit, call_next(session_id=visit.session.id, calls=None, by=by, at=at), None)
    except DomainError as error:
        return Completed(visit, None, error)


@transaction.atomic(savepoint=False)
def undo(*, session_id: int, token_id: int, seq: int, by: User) -> Outcome:
    """Take back the step that the page named, where it still is the token's last.

    Raises:
        Overtaken: something else happened to the token since.
        CannotUndo, PlaceTaken, DoctorBusy, SessionOver
    """
    lock_sessions([session_id])
    token = Token.objects.filter(pk=token_id).values_list("number", "events").first()
    if token and token[1] != seq:
        raise Overtaken(what=_("something else happened to %(number)s meanwhile.") % {"number": token[0]})
    return undoing.undo_last(token_id=token_id, by=by)
