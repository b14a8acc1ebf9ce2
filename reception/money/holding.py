"""What stands before a bill in the order of locks: the sessions of the tokens that it is about."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from common.transactions import RunAgain
from common.trips import Trip
from scheduling.locking import LOCK_TIMEOUT, SET_TIMEOUT

_deciding: ContextVar[bool] = ContextVar("reception_money_deciding", default=False)

AHEAD: Final = 31
"""Days for which sessions of a doctor are locked where priority is paid: whom it displaces may go there."""

# A priority that is paid for may displace somebody into a later session of the doctor, which cannot be locked any
# more once the receipt has its number. So those are locked here.
_LOCK: Final = """
    SELECT s.id FROM scheduling_session s
     WHERE s.id IN (
        SELECT t.session_id FROM billing_line l JOIN tokens_token t ON t.id = l.item_id
         WHERE l.bill_id = ANY(%s) AND l.item_type IN ('consultation', 'priority')
        UNION
        SELECT later.id FROM billing_line l
          JOIN tokens_token t ON t.id = l.item_id
          JOIN scheduling_session own ON own.id = t.session_id
          JOIN scheduling_session later ON later.doctor_id = own.doctor_id AND later.starts_at > own.starts_at
               AND later.date <= own.date + %s::integer AND later.status = 'open'
         WHERE l.bill_id = ANY(%s) AND l.item_type = 'priority' AND NOT t.paid
           AND t.status IN ('confirmed', 'waitlisted', 'in_progress'))
     ORDER BY s.starts_at, s.id
       FOR NO KEY UPDATE"""

_SESSIONS: Final = """
    SELECT DISTINCT t.session_id FROM billing_line l JOIN tokens_token t ON t.id = l.item_id
     WHERE l.bill_id = ANY(%s) AND l.item_type IN ('consultation', 'priority')"""


_LOCK_AHEAD: Final = """
    SELECT s.id FROM scheduling_session s
      JOIN scheduling_session own ON own.doctor_id = s.doctor_id
      JOIN tokens_token t ON t.session_id = own.id
     WHERE t.id = %s AND (s.id = own.id OR s.starts_at > own.starts_at AND s.date <= own.date + %s::integer
           AND s.status = 'open')
     ORDER BY s.starts_at, s.id
       FOR NO KEY UPDATE OF s"""


@contextmanager
def deciding() -> Iterator[None]:
    """While the bills of tokens are changed because of what the engine decided: the sessions are locked already."""
    token = _deciding.set(True)
    try:
        yield
    finally:
        _deciding.reset(token)


def is_deciding() -> bool:
    """Whether bills are being changed because of what the engine decided."""
    return _deciding.get()


def sessions_of_bills(bill_ids: Sequence[int]) -> None:
    """Lock the sessions of the tokens that the bills are about, in their order (`settings.OPD_BILL_LOCKS`).

    One round trip; none while the engine's own decision is carried on, which holds the locks.

    Raises:
        RunAgain: a token went to another session while its lock was awaited.
    """
    if is_deciding():
        return
    ids = list(bill_ids)
    trip = Trip()
    trip.add(SET_TIMEOUT, (LOCK_TIMEOUT,))
    locked = trip.add(_LOCK, (ids, AHEAD, ids))
    now = trip.add(_SESSIONS, (ids,))
    answers = trip.send()
    if not {row[0] for row in answers[now]} <= {row[0] for row in answers[locked]}:
        raise RunAgain


def sessions_ahead(token_id: int) -> None:
    """Lock the token's session, and those of its doctor into which its priority may displace somebody.

    Raises:
        RunAgain: the token went to another session while the lock was awaited.
    """
    trip = Trip()
    trip.add(SET_TIMEOUT, (LOCK_TIMEOUT,))
    locked = trip.add(_LOCK_AHEAD, (token_id, AHEAD))
    now = trip.add("SELECT session_id FROM tokens_token WHERE id = %s", (token_id,))
    answers = trip.send()
    if not {row[0] for row in answers[now]} <= {row[0] for row in answers[locked]}:
        raise RunAgain
