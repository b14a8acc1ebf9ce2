"""Cash into and out of a drawer in the middle of a shift. The caller opens the transaction (`common.transactions`)."""

from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop as _

from accounts.models import User
from accounts.permissions import reach, require
from billing.actions.shifts import lock_shift
from billing.changes import moved
from billing.desk import require_in_drawer, require_petty_spent
from billing.errors import ShiftIsClosed
from billing.ledger import post_movement
from billing.locking import be_patient
from billing.models import CashMovement
from billing.numbers import next_number
from billing.queries.shifts import may_see
from billing.reasons import reason_of
from billing.states import INTO_THE_DRAWER, PETTY, CounterKind, MovementKind
from billing.tenders import amount_of
from common.errors import BadInput


@transaction.atomic(savepoint=False)
def move_cash(
    *, shift_id: int, kind: str, amount: Decimal, reason: str = "", by: User, at: datetime | None = None
) -> CashMovement:
    """Carry cash from the drawer to the safe or back, or spend it, or bring back what was not spent.

    Nothing is ever changed or deleted: what was wrong is taken back by the opposite kind, which says so.

    Args:
        kind: one of `states.MovementKind`.
        reason: what petty cash is for, needed there; else a note.
        by: the cashier with `billing.take`, or who holds `billing.shifts`; for petty cash with `billing.petty` too.
        at: now, where none is given.

    Raises:
        UnknownShift: 404, also for a shift of a facility the caller has no part in, which is recorded.
        PermissionDenied: 403.
        BadInput, BadAmount, ReasonNeeded, ReasonTooLong: 400.
        ShiftIsClosed, NotInDrawer, PettyTooLarge: 409.
    """
    at, amount = at or timezone.now(), amount_of(amount)
    if kind not in MovementKind.values:
        raise BadInput(_("Say where the cash goes to, or comes from."), attr="kind")
    be_patient()
    shift = lock_shift(shift_id)
    reach(by, may_see(shift, by), shift)
    if kind in PETTY:
        require(by, "billing.petty", shift.facility_id)
    why = reason_of(reason, needed=kind in PETTY)
    if shift.closed_at is not None:
        raise ShiftIsClosed
    if kind not in INTO_THE_DRAWER:
        require_in_drawer(shift, amount, shift.facility.currency)
    elif kind in PETTY:
        require_petty_spent(shift.facility, amount)
    day = shift.facility.local_date(at)
    row = CashMovement(
        facility=shift.facility, shift=shift, kind=kind, amount=amount, reason=why, date=day, at=at, by=by
    )
    row.number = next_number(shift.facility_id, CounterKind.MOVEMENT, day)
    row.save(force_insert=True)
    post_movement(row)
    moved(shift.facility_id)
    return row
