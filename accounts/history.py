"""Who changed what: the context that the audit trail's triggers write beside each change.

The context costs a statement in each write, so it is opened where people edit, and not for every request.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pghistory
from django.http import HttpRequest, HttpResponseBase
from pghistory.middleware import HistoryMiddleware as EveryRequest

if TYPE_CHECKING:
    from accounts.models import User

EDITED_BY_HAND = ("/admin/", "/accounts/")


def signed(by: "User | None", **facts: str | int) -> pghistory.context:
    """The context manager under which changes are recorded as this person's.

    Args:
        by: who acts; nobody for commands and jobs.
        **facts: what else explains the change.
    """
    return pghistory.context(user=by.pk if by else None, **facts)


class HistoryMiddleware(EveryRequest):
    """Signs what is changed in the admin and on the account pages; actions sign the rest."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Open the context only under the addresses where people edit."""
        if request.path.startswith(EDITED_BY_HAND):
            return super().__call__(request)
        return self.get_response(request)
