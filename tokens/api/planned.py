"""Changes of supply over REST: applied, or previewed with what they mean in other apps."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from accounts.models import User
from tokens.supply import PlanResult


def planned(change: Callable[..., PlanResult], *, by: User, **wish: Any) -> PlanResult:
    """Apply a change of supply, or preview it.

    A preview has what the functions say that `OPD_PREVIEWS` names: each is given the plan and who asks, and returns
    what stands beside it.

    Raises:
        What the change raises.
    """
    result = change(**wish, by=by)
    if result.outcome is not None:
        return result
    beside: dict[str, Any] = {}
    for path in settings.OPD_PREVIEWS:
        beside |= import_string(path)(result.plan, by)
    return PlanResult({**result.plan, **beside}, None)
