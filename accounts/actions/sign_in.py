"""Signing a device in and out: password, second factor, and a limit on guessing.

Wrong sign-ins are counted in the database, by user name with address and by address alone, so that no number of
server processes helps a guesser. Right ones are not counted: a desk that signs in all its devices meets no limit.
"""

import datetime as dt
from typing import Final

from allauth.mfa.models import Authenticator
from django.contrib.auth import authenticate
from django.db import connection
from django.utils import timezone

from accounts.errors import InvalidCode, SecondFactorRequired, TooManySignIns, WrongCredentials
from accounts.models import Device, SignInFailure, User

WINDOW: Final = dt.timedelta(minutes=5)
PER_NAME: Final = 10
PER_ADDRESS: Final = 100


def sign_in(*, username: str, password: str, code: str, device: str, address: str | None) -> tuple[Device, str]:
    """Sign a device in; the device and its token, which is not kept and cannot be shown again.

    Args:
        code: of the second factor, from the app or a recovery code; empty where the account has none.
        device: what the device calls itself.
        address: where it calls from.

    Raises:
        TooManySignIns: 429, too many wrong ones in five minutes.
        WrongCredentials, SecondFactorRequired, InvalidCode: 401.
    """
    limits = _limits(username, address)
    _refuse_guessers(limits)
    user = authenticate(username=username, password=password)
    if not isinstance(user, User):
        _count_failure(limits)
        raise WrongCredentials
    if not _passes_second_factor(user, code):
        _count_failure(limits)
        raise InvalidCode
    SignInFailure.objects.filter(key=next(iter(limits))).delete()
    found: tuple[Device, str] = Device.objects.create(user=user, name=device[:120], address=address)
    return found


def sign_out(*, device: Device) -> None:
    """End one device's session."""
    device.delete()


def sign_out_everywhere(*, user: User) -> None:
    """End the sessions of all devices of a person."""
    Device.objects.filter(user=user).delete()


def _passes_second_factor(user: User, code: str) -> bool:
    """Whether the account asks for no code, or this is one of its codes. A code is good once.

    Raises:
        SecondFactorRequired: the account asks for a code, and none came.
    """
    kinds = Authenticator.Type
    factors = list(Authenticator.objects.filter(user=user, type__in=[kinds.TOTP, kinds.RECOVERY_CODES]))
    if not any(factor.type == kinds.TOTP for factor in factors):
        return True
    if not code:
        raise SecondFactorRequired
    return any(factor.wrap().validate_code(code) for factor in factors)


def _limits(username: str, address: str | None) -> dict[str, int]:
    """How many wrong sign-ins each counter allows; the one of this user name first."""
    return {f"{username.lower()[:150]}|{address}": PER_NAME, f"|{address}": PER_ADDRESS}


def _refuse_guessers(limits: dict[str, int]) -> None:
    now = timezone.now()
    for failure in SignInFailure.objects.filter(key__in=list(limits), since__gt=now - WINDOW):
        if failure.count >= limits[failure.key]:
            raise TooManySignIns(wait=max(1, round((failure.since + WINDOW - now).total_seconds())))


def _count_failure(limits: dict[str, int]) -> None:
    """Count, in one statement that many guessers at once cannot get around; a window that is over starts anew."""
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO accounts_signinfailure AS f (key, count, since)
            SELECT key, 1, %(now)s FROM unnest(%(keys)s::text[]) AS key ORDER BY key
            ON CONFLICT (key) DO UPDATE SET
                count = CASE WHEN f.since > %(start)s THEN f.count + 1 ELSE 1 END,
                since = CASE WHEN f.since > %(start)s THEN f.since ELSE excluded.since END
            """,
            {"now": now, "keys": list(limits), "start": now - WINDOW},
        )
