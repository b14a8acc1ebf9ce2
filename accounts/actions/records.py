"""Writes that nobody asks for: the record of refused reaches, and forgetting what is kept for a while only."""

import datetime as dt

from django.utils import timezone

from accounts.models import AccessAttempt, Device, IdempotencyKey, SignInFailure


def record_attempt(
    *, user_id: int, facility_id: int, kind: str, object_id: int, address: str | None, method: str, path: str
) -> None:
    """Write down that somebody reached for a thing of a facility they have no part in.

    The caller has left the refused transaction, so that this stays.
    """
    AccessAttempt.objects.create(
        user_id=user_id,
        facility_id=facility_id,
        kind=kind,
        object_id=object_id,
        address=address,
        method=method,
        path=path[:250],
    )


def tidy(*, at: dt.datetime | None = None) -> None:
    """Forget answers and failures older than a day, and devices whose time is over."""
    now = at or timezone.now()
    yesterday = now - dt.timedelta(days=1)
    IdempotencyKey.objects.filter(created_at__lt=yesterday).delete()
    SignInFailure.objects.filter(since__lt=yesterday).delete()
    Device.objects.filter(expiry__lt=now).delete()
