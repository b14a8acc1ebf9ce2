"""Who may give away how much."""

from decimal import Decimal
from typing import Final

from django.db.models import Max, Q

from accounts.models import User
from accounts.permissions import require
from billing.errors import DiscountLimitPassed
from billing.models import DiscountLimit
from billing.rules import HUNDRED, ZERO, Totals

HALF_A_CENT: Final = Decimal("0.005")


def discount_limit(user: User | None, facility_id: int) -> Decimal:
    """How much of a bill somebody may give away here, in percent.

    The widest limit of the roles that are held, in this facility or everywhere, and switched on; a role without a
    limit gives nothing. The clinic itself (None) and whoever holds everything have no limit.
    """
    if user is None or user.is_superuser:
        return HUNDRED
    here = Q(role__user_roles__facility=None) | Q(role__user_roles__facility=facility_id)
    held = DiscountLimit.objects.filter(here, role__is_active=True, role__user_roles__user=user)
    return held.aggregate(widest=Max("percent"))["widest"] or ZERO


def require_discount(sums: Totals, *, by: User | None, facility_id: int) -> None:
    """Let pass who may give away this much, all discounts of the bill together.

    Raises:
        PermissionDenied: 403, no discount at all.
        DiscountLimitPassed: 403, not so much.
    """
    if by is None or not sums.discount:
        return
    require(by, "billing.discount", facility_id)
    limit = discount_limit(by, facility_id)
    # Compared without division. Ten percent of 83.35 are 8.34: each line may have been rounded up by half a cent.
    rounding = HALF_A_CENT * len(sums.lines) * HUNDRED
    if sums.discount * HUNDRED > limit * sums.gross + rounding:
        raise DiscountLimitPassed(limit=f"{limit.normalize():f}", percent=f"{sums.discount_percent.normalize():f}")
