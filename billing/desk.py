"""What taking money and giving it back have in common: locks, numbers, and where it goes.

The order of locks is the shift, bills, accounts, counters; docs/locking.md tells why.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final

from django.contrib.postgres.expressions import ArraySubquery
from django.db import connection
from django.utils.translation import gettext_noop as _

from accounts.models import Facility, User
from accounts.permissions import reach
from billing.errors import NotInDrawer, PettyTooLarge, RefundNeedsShift, ShiftClosed
from billing.ledger import Account
from billing.models import LedgerAccount, PatientAccount, Payment, Receipt, Refund, Shift
from billing.numbers import next_number
from billing.queries.accounts import balance_on, family
from billing.queries.shifts import expected_cash, petty_spent
from billing.states import AccountKind, CounterKind, Method, ReceiptKind
from common.amounts import said
from common.errors import NotFound
from common.transactions import RunAgain
from patients.models import Patient

_COUNTERS: Final = {ReceiptKind.PAYMENT: CounterKind.RECEIPT, ReceiptKind.REFUND: CounterKind.VOUCHER}

# One trip for both, because every payment needs both. The shift was locked before anything else (`be_patient`). One
# that was opened since is taken where nobody has it, and never waited for: its place in the order of locks has passed.
_RESERVE: Final = """
SELECT nextval('billing_receipt_id_seq'), shift.id, shift.drawer_id, shift.float_amount, EXISTS (
    SELECT FROM billing_shift WHERE cashier_id = %s AND facility_id = %s AND closed_at IS NULL)
FROM (SELECT 1) AS always LEFT JOIN LATERAL (
    SELECT id, drawer_id, float_amount FROM billing_shift
    WHERE cashier_id = %s AND facility_id = %s AND closed_at IS NULL FOR NO KEY UPDATE SKIP LOCKED
) AS shift ON TRUE
"""


def lock_accounts(facility_id: int, patient_id: int) -> Decimal:
    """Lock a patient's account, with those of records merged with theirs, and return what lies on them together."""
    return balance_on(facility_id, lock_records(patient_id))


def lock_records(patient_id: int) -> list[int]:
    """Lock a patient's account, with those of records merged with theirs, and return the records that belong together.

    A record without an account has nothing on it: the row is made when money first comes. Which records belong together
    is read with the lock, and no second time: where two are merged at this moment, the money of the one that was not
    locked is not counted, for somebody else may be spending it. None, where no record had an account.
    """
    same = family(patient_id).values("pk")
    rows = PatientAccount.objects.select_for_update(no_key=True).order_by("patient_id")
    locked = list(rows.filter(patient__in=same).values_list(ArraySubquery(same), flat=True))
    return locked[0] if locked else []


def account_holder(facility_id: int, patient_id: int, by: User | None, code: str) -> Patient:
    """The patient on whose account money comes or goes, with the facility.

    Args:
        by: who moves it, with the permission `code`; None for the clinic itself.

    Raises:
        NotFound: 404, there is no such patient in this facility.
        OutOfReach: 404, and recorded: `by` has no part in the patient's facility.
        PermissionDenied: 403.
    """
    patient = Patient.objects.select_related("facility").filter(pk=patient_id).first()
    if patient is None:
        raise NotFound(_("There is no such patient here."))
    if by is not None:
        reach(by, code, patient)
    if patient.facility_id != facility_id:
        raise NotFound(_("There is no such patient here."))
    return patient


def open_account(facility_id: int, patient_id: int) -> None:
    """Make the row that those lock who take money off the account. Whoever adds to it needs no lock."""
    row = PatientAccount(facility_id=facility_id, patient_id=patient_id)
    PatientAccount.objects.bulk_create([row], ignore_conflicts=True)


def reserve(facility_id: int, by: User | None, *, needed: type[ShiftClosed] | None = None) -> tuple[int, Shift | None]:
    """The id of the receipt to be, and the cashier's open shift in this facility, locked.

    The receipt itself is written last, with its number; what stands on it needs the id before.

    Args:
        by: who takes or gives the money; None for the clinic itself, which has no drawer.
        needed: what is said where there is no shift and there must be one; None where it may be missing.

    Raises:
        ShiftClosed: 409, as `needed` says.
        RunAgain: it was opened meanwhile, and is in use.
    """
    with connection.cursor() as cursor:
        cursor.execute(_RESERVE, [by.pk if by else None, facility_id] * 2)
        receipt_id, shift_id, drawer_id, float_amount, is_open = cursor.fetchone()
    if shift_id is None:
        if is_open:
            raise RunAgain
        if needed:
            raise needed
        return receipt_id, None
    return receipt_id, Shift(pk=shift_id, facility_id=facility_id, drawer_id=drawer_id, float_amount=float_amount)


def reserve_refund(receipt: Receipt, refunds: Sequence[Refund]) -> None:
    """Give a voucher its id and the shift that it is paid from, which is locked. The one place that says which.

    Whoever gives money back has an open shift here, by whatever way it goes, onto the patient's account too; the
    drawer gives no more cash than it holds. The clinic itself has no shift: it moves money onto accounts, and pays
    nothing out.

    Raises:
        RefundNeedsShift: 409.
        NotInDrawer: 409.
        RunAgain: the shift was opened meanwhile, and is in use.
    """
    by_itself = receipt.by is None and all(row.method == Method.ACCOUNT for row in refunds)
    receipt.pk, receipt.shift = reserve(receipt.facility_id, receipt.by, needed=None if by_itself else RefundNeedsShift)
    cash = cash_in(refunds)
    if cash and receipt.shift:
        require_in_drawer(receipt.shift, cash, receipt.facility.currency)


def require_in_drawer(shift: Shift, amount: Decimal, currency: str) -> None:
    """Let pass what the drawer can give. The caller holds the shift's lock.

    Raises:
        NotInDrawer: 409.
    """
    holds = expected_cash(shift)
    if amount > holds:
        raise NotInDrawer(expected=said(holds, currency))


def require_petty_spent(facility: Facility, amount: Decimal) -> None:
    """Let pass what may be brought back of petty cash: no more than was spent, in all shifts of the facility.

    Whoever brings some back locks the account of petty cash first, so that two do so one after the other. Who spends
    need not wait: it only grows by that.

    Raises:
        PettyTooLarge: 409.
    """
    code = Account(AccountKind.PETTY).code
    list(LedgerAccount.objects.select_for_update(no_key=True).filter(facility=facility, code=code).values_list("pk"))
    left = petty_spent(facility.pk)
    if amount > left:
        raise PettyTooLarge(left=said(left, facility.currency), amount=said(amount, facility.currency))


def cash_in(rows: Iterable[Payment | Refund]) -> Decimal:
    """What of it is cash."""
    return sum((row.amount for row in rows if row.method == Method.CASH), Decimal("0.00"))


def number_receipt(receipt: Receipt) -> Receipt:
    """Number a receipt and write it: the last that is done, for the counter is locked until the commit.

    Args:
        receipt: with the id that was reserved.
    """
    day = receipt.facility.local_date(receipt.at)
    receipt.number = next_number(receipt.facility_id, _COUNTERS[ReceiptKind(receipt.kind)], day)
    receipt.save(force_insert=True)
    return receipt
