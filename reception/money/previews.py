"""What a plan would do with bills, for clients (`OPD_PREVIEWS`)."""

from collections.abc import Mapping
from typing import Any

from accounts.models import User
from accounts.permissions import allows
from billing.rules import ZERO
from reception.money.queries import SEE, before_plan
from reception.plan_queries import starts_of
from scheduling.models import Session


def of_plan(plan: Mapping[str, Any], by: User) -> dict[str, Any]:
    """What would go back to whom, as `money`; null for who may not see bills. Four queries at most.

    Args:
        plan: as the engine tells it, not applied.
        by: who asks.
    """
    facility_id, currency = Session.objects.values_list("facility_id", "facility__currency").get(pk=plan["session"])
    if not allows(by, SEE, facility_id):
        return {"money": None}
    found = before_plan(plan["effects"], facility_id, starts_of(plan["effects"]))
    refunds = [{"token": token_id, "amount": f"{amount:.2f}"} for token_id, amount in found.back.items()]
    back = sum(found.back.values(), ZERO)
    return {"money": {"currency": currency, "back": f"{back:.2f}", "refunds": refunds, "sentences": found.sentences}}
