"""The priority fee at the cash desk: whether a token can still have priority, and what it costs."""

from decimal import Decimal

from billing.models import BillingSettings
from tokens.models import Token
from tokens.states import Status


def priority_of(token: Token) -> Decimal | None:
    """What priority costs for a token that may still have it; nothing where it cannot be had. One query."""
    if token.paid or token.status not in (Status.CONFIRMED, Status.WAITLISTED) or token.called_at is not None:
        return None
    fee = BillingSettings.objects.filter(pk=token.session.facility_id).values_list("priority_fee", flat=True).first()
    return fee or None
