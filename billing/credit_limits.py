"""Who may take how much off issued bills by credit notes."""

from decimal import Decimal

from django.db.models import OuterRef, Q, Subquery, Sum

from accounts.models import Role, User
from billing.errors import CreditLimitPassed
from billing.models import Bill, CreditLimit, CreditNote
from billing.rules import HALF_A_CENT, HUNDRED, ZERO, rounded

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


def require_credit(bill: Bill, amount: Decimal, *, by: User | None) -> None:
    """Let pass who may take this much off a bill, together with what people took off it before.

    What the clinic took off by a rule, such as after a cancellation, counts for nobody. The caller holds the bill's
    lock, and has asked for the permission.

    Args:
        amount: of the credit note to be, taxes included.

    Raises:
        CreditLimitPassed: 403.
    """
    limit = credit_limit(by, bill.facility_id)
    if limit is None:
        return
    before = CreditNote.objects.filter(bill=bill, by__isnull=False).aggregate(sum=Sum("amount"))["sum"] or ZERO
    off = before + amount
    # Compared without division; half a cent more, for a percentage of the bill may have been rounded up.
    if (off - HALF_A_CENT) * HUNDRED > limit * bill.total:
        percent = rounded(off * HUNDRED / bill.total) if bill.total else HUNDRED
        raise CreditLimitPassed(
            attr="amount", limit=f"{limit.normalize():f}", percent=f"{percent.normalize():f}", number=bill.number
        )
