"""Opening and closing a cashier's shift. The caller opens the transaction (`common.transactions`)."""

from datetime import datetime
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext_noop as _

from accounts.models import Facility, User
from accounts.permissions import allows, reach
from billing.changes import moved
from billing.errors import (
    DifferenceUnexplained,
    DrawerTaken,
    NoDrawer,
    ShiftIsClosed,
    ShiftOpen,
    UnknownShift,
)
from billing.ledger import post_close, post_float
from billing.locking import be_patient
from billing.models import BillingSettings, Drawer, Shift
from billing.models.setup import indian_notes
from billing.queries.shifts import expected_cash, may_see
from billing.reasons import reason_of
from billing.rules import rounded
from billing.tenders import amount_of, counted_of
from common.amounts import said
from common.errors import BadInput, NotFound
from common.transactions import RunAgain


@transaction.atomic(savepoint=False)
def open_shift(
    *, facility_id: int, float_amount: Decimal, drawer_id: int | None = None, by: User, at: datetime | None = None
) -> Shift:
    """Begin a shift at a drawer, with what lies in it at the start.

    Args:
        float_amount: in the facility's currency; 0 for an empty drawer.
        drawer_id: None takes the first that is free, by name.
        by: the cashier; needs `billing.take`.
        at: now, where none is given.

    Raises:
        NotFound: 404, no such facility or drawer, or one the caller has no part in (which is recorded).
        ShiftOpen: 409, the cashier has an open shift already.
        DrawerTaken, NoDrawer: 409.
        BadAmount: 400.
    """
    facility = Facility.objects.filter(pk=facility_id).first()
    if facility is None:
        raise NotFound
    reach(by, "billing.take", facility, facility_id=facility.pk)
    amount = amount_of(float_amount, attr="float", zero=True)
    be_patient()
    # All drawers of the facility, so that numbers of shifts run on: shifts are opened a few times a day.
    drawers = list(
        Drawer.objects.select_for_update(no_key=True).filter(facility_id=facility_id, is_active=True).order_by("pk")
    )
    _refuse_second_shift(by)
    drawer = _choose(drawers, drawer_id)
    return _begin(facility, drawer, by, amount, at or timezone.now())


def _refuse_second_shift(cashier: User) -> None:
    busy = Shift.objects.select_related("drawer").filter(cashier=cashier, closed_at=None).first()
    if busy is not None:
        raise ShiftOpen(cashier=str(cashier), drawer=busy.drawer.name, shift=busy.pk)


def _choose(drawers: list[Drawer], drawer_id: int | None) -> Drawer:
    """The drawer that was asked for, or the first free one. The caller holds the locks of all."""
    taken = {
        shift.drawer_id: shift
        for shift in Shift.objects.select_related("cashier").filter(drawer__in=drawers, closed_at=None)
    }
    if drawer_id is None:
        free = sorted((each for each in drawers if each.pk not in taken), key=lambda each: (each.name, each.pk))
        if not free:
            raise NoDrawer
        return free[0]
    drawer = next((each for each in drawers if each.pk == drawer_id), None)
    if drawer is None:
        raise NotFound(_("There is no such drawer here."))
    if drawer.pk in taken:
        raise DrawerTaken(drawer=drawer.name, cashier=str(taken[drawer.pk].cashier))
    return drawer


def _begin(
    facility: Facility, drawer: Drawer, cashier: User, amount: Decimal, at: datetime, *, after: Shift | None = None
) -> Shift:
    """Write the shift and post its float. The caller has made sure that cashier and drawer are free."""
    day = facility.local_date(at)
    last = Shift.objects.filter(facility=facility, date=day).order_by().aggregate(last=Max("number"))["last"] or 0
    shift = Shift(
        facility=facility, drawer=drawer, cashier=cashier, date=day, number=last + 1, opened_at=at, float_amount=amount
    )
    shift.after = after
    try:
        shift.save(force_insert=True)
    except IntegrityError as error:
        raise RunAgain from error  # somebody opened one meanwhile: read again, then refuse in words
    if amount:
        post_float(shift=shift, by=cashier, at=at)
    moved(facility.pk)
    return shift


@transaction.atomic(savepoint=False)
def close_shift(
    *,
    shift_id: int,
    counts: dict[str, int] | None = None,
    counted: Decimal | None = None,
    reason: str = "",
    hand_to_id: int | None = None,
    hand_float: Decimal | None = None,
    by: User,
    at: datetime | None = None,
) -> Shift:
    """Count the drawer and close the shift, for ever.

    Args:
        counts: how many of each note and coin, such as {"500": 12}; or
        counted: what lies in the drawer in all. Where both are given they must agree.
        reason: why the count is not what was expected; needed where it is not.
        hand_to_id: the cashier who goes on at the same drawer; their shift opens in the same transaction.
        hand_float: what they begin with; what was counted, where none is given.
        by: the cashier, or who holds `billing.shifts`.
        at: now, where none is given.

    Raises:
        UnknownShift: 404, also for a shift of a facility the caller has no part in, which is recorded.
        ShiftIsClosed: 409, it was closed before.
        DifferenceUnexplained, BadInput, BadAmount: 400.
        ShiftOpen: 409, who takes over has an open shift already.
    """
    be_patient()
    shift = lock_shift(shift_id)
    reach(by, may_see(shift, by), shift)
    if shift.closed_at is not None:
        raise ShiftIsClosed
    notes, found = _count(shift, counts, counted)
    expected = expected_cash(shift)
    if found != expected and not reason.strip():
        currency = shift.facility.currency
        raise DifferenceUnexplained(attr="reason", counted=said(found, currency), expected=said(expected, currency))
    why = reason_of(reason, needed=False)
    shift.closed_at, shift.closed_by, shift.reason = at or timezone.now(), by, why
    shift.counts, shift.counted, shift.expected = notes, found, expected
    shift.save(update_fields=["closed_at", "closed_by", "reason", "counts", "counted", "expected"])
    shift.difference = found - expected  # as the database has reckoned it
    post_close(shift=shift, by=by, at=shift.closed_at)
    moved(shift.facility_id)
    if hand_to_id is not None:
        _hand_over(shift, hand_to_id, found if hand_float is None else amount_of(hand_float, attr="float", zero=True))
    return shift


def lock_shift(shift_id: int) -> Shift:
    """Lock a shift and return it as it is now, with its facility, drawer and cashier.

    Raises:
        UnknownShift: 404.
    """
    rows = Shift.objects.select_for_update(of=("self",), no_key=True)
    shift = rows.select_related("facility", "drawer", "cashier").filter(pk=shift_id).first()
    if shift is None:
        raise UnknownShift
    return shift


def _count(shift: Shift, counts: dict[str, int] | None, counted: Decimal | None) -> tuple[dict[str, int], Decimal]:
    """What was counted, by note and in all."""
    if counts is None and counted is None:
        raise BadInput(_("Count the drawer: notes and coins, or the amount."), attr="counted")
    if counts is None:
        assert counted is not None
        return {}, amount_of(counted, attr="counted", zero=True)
    rules = BillingSettings.objects.filter(pk=shift.facility_id).first()
    notes, found = counted_of(counts, rules.denominations if rules else indian_notes())
    if counted is not None and counted != found:
        raise BadInput(
            _("The notes and coins come to {found}."), attr="counted", found=said(found, shift.facility.currency)
        )
    return notes, rounded(found)


def _hand_over(shift: Shift, cashier_id: int, amount: Decimal) -> None:
    """Open the next shift at the same drawer. The caller holds the lock of the closed one, so the drawer is free."""
    cashier = User.objects.filter(pk=cashier_id, is_active=True).first()
    if cashier is None or not allows(cashier, "billing.take", shift.facility_id):
        raise BadInput(_("Choose somebody who takes payments here."), attr="hand_to")
    _refuse_second_shift(cashier)
    assert shift.closed_at is not None
    _begin(shift.facility, shift.drawer, cashier, amount, shift.closed_at, after=shift)
