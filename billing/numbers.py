"""Numbers without gaps: a counter row for each facility, kind and year."""

import datetime as dt
from collections.abc import Sequence
from typing import Final

from django.db import connection

from billing.states import CounterKind
from scheduling.locking import LOCK_TIMEOUT

_NEXT: Final = """
SELECT set_config('lock_timeout', %s, true);
INSERT INTO billing_counter AS counter (facility_id, kind, year, last) VALUES (%s, %s, %s, 1)
ON CONFLICT (facility_id, kind, year) DO UPDATE SET last = counter.last + 1
RETURNING last
"""

_HOLD: Final = """
INSERT INTO billing_counter AS counter (facility_id, kind, year, last)
SELECT %s, kind, %s, 0 FROM unnest(%s::text[]) WITH ORDINALITY AS wanted (kind, place) ORDER BY place
ON CONFLICT (facility_id, kind, year) DO UPDATE SET last = counter.last
"""


def next_number(facility_id: int, kind: CounterKind, on: dt.date) -> str:
    """The next number, such as B-2026-000001. It locks the counter until the transaction ends.

    So it is called last, when nothing can be refused any more: everybody else who needs a number of this facility,
    kind and year waits for the commit, as long as one waits for locks here (set in the same trip), then 503. A
    rollback takes the number back, and the next one gets it: there is no gap.

    Args:
        on: the facility's date, which decides the year.
    """
    with connection.cursor() as cursor:
        cursor.execute(_NEXT, [LOCK_TIMEOUT, facility_id, CounterKind(kind).value, on.year])
        cursor.nextset()
        (last,) = cursor.fetchone()
    return f"{CounterKind(kind).value}-{on.year}-{last:06d}"


def hold_counters(facility_id: int, kinds: Sequence[CounterKind], on: dt.date) -> None:
    """Lock counters before their turn, for who may need their numbers after one that comes later in the order.

    The order is credit notes, refund vouchers, bills, receipts, cash moved in shifts. Whoever writes a bill, and in the
    same transaction perhaps a credit note for somebody else, would wait for who does the same the other way round.

    Args:
        kinds: in that order.
        on: the facility's date, which decides the year.
    """
    with connection.cursor() as cursor:
        cursor.execute(_HOLD, [facility_id, on.year, [kind.value for kind in kinds]])
