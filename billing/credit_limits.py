"""Who may take how much off issued bills by credit notes."""

from decimal import Decimal

from django.db.models import OuterRef, Q, Subquery, Sum

from accounts.models import Role, User
from billing.errors import CreditLimitPassed
from billing.models import Bill, CreditLimit, CreditNote
from billing.rules import HUNDRED, ZERO, rounded

CREDIT = "billing.credit"


def credit_limit(user: User | None, facility_id: int) -> Decimal | None:
    """How much of a bill somebody may take off it here, in percent; None where there is no limit. One query.

    The widest of the roles that are held, in this facility or everywhere, are switched on, and allow credit notes: a
    role without a limit is one of any width. The clinic itself (None) and whoever holds everything have no limit.
    """
    if user is None or user.is_superuser:
        return None
    here = Q(user_roles__facility=None) | Q(user_roles__facility=facility_id)
    held = Role.objects.filter(here, user_roles__user=user, is_active=True, permissions__code=CREDIT)
    limits = CreditLimit.objects.filter(role=OuterRef("pk")).values("percent")
    widths = list(held.order_by().values_list(Subquery(limits), flat=True))
    return None if None in widths else max(widths, default=None)


def most_to_credit(bill: Bill, by: User | None) -> Decimal:
    """How much somebody may take off a bill now: what is left of it, within their limit. Two queries at most.

    The limit is for all that people took off it together. What the clinic took off by a rule, such as after a
    cancellation, counts for nobody.
    """
    left, limit = bill.total - bill.credited, credit_limit(by, bill.facility_id)
    if limit is None:
        return left
    return max(min(left, _allowed(bill, limit) - _taken_off(bill)), ZERO)


def _allowed(bill: Bill, limit: Decimal) -> Decimal:
    """What a limit in percent comes to, of the bill's total."""
    return rounded(limit * bill.total / HUNDRED)


def _taken_off(bill: Bill) -> Decimal:
    """What people took off it before."""
    return CreditNote.objects.filter(bill=bill, by__isnull=False).aggregate(sum=Sum("amount"))["sum"] or ZERO


def require_credit(bill: Bill, amount: Decimal, *, by: User | None) -> None:
    """Let pass who may take this much off a bill. The caller holds its lock, and has asked for the permission.

    Args:
        amount: of the credit note to be, taxes included.

    Raises:
        CreditLimitPassed: 403. What is more than is left of the bill is not refused here.
    """
    limit = credit_limit(by, bill.facility_id)
    if limit is None:
        return
    off = _taken_off(bill) + amount
    if off > _allowed(bill, limit):
        percent = rounded(off * HUNDRED / bill.total) if bill.total else HUNDRED
        raise CreditLimitPassed(
            attr="amount", limit=f"{limit.normalize():f}", percent=f"{percent.normalize():f}", number=bill.number
        )
