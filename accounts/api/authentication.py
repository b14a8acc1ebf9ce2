"""Who is asking: a device's token, checked in one query that brings the user and everything they may do."""

from hmac import compare_digest
from typing import TYPE_CHECKING, Any, Final

from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from knox.crypto import hash_token
from knox.settings import CONSTANTS
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts.models import Device, User
from accounts.queries import GRANTS_SQL, read_grants
from common.statements import ask

if TYPE_CHECKING:
    from drf_spectacular.openapi import AutoSchema

# In the order of the models' own fields, which is how from_db takes them; what is left out is loaded when asked for.
_DEVICE: Final = ("digest", "expiry", "user_id", "id")
_USER: Final = ("id", "username", "name", "email", "is_active", "is_superuser")
_SQL: Final = f"""
    SELECT {", ".join(f"d.{column}" for column in _DEVICE)}, {", ".join(f"u.{column}" for column in _USER)},
           ({GRANTS_SQL.format(user="u.id")})
    FROM accounts_device d JOIN accounts_user u ON u.id = d.user_id
    WHERE d.token_key = %s
"""  # noqa: S608 (columns are named here)


class DeviceAuthentication(BaseAuthentication):
    """``Authorization: Bearer <token>``: exactly one query and no write, for it precedes every request of a client.

    knox's own class asks for the token, then the user, then the user's other tokens, and deletes what has expired.
    """

    def authenticate(self, request: Request) -> tuple[User, Device] | None:
        """The user and the device.

        Raises:
            AuthenticationFailed: 401; no answer says whether the token is unknown, expired or its user switched off.
        """
        scheme, _, token = get_authorization_header(request).decode("latin-1").partition(" ")
        if scheme.lower() != "bearer":
            return None
        try:
            digest = hash_token(token.strip())
        except (ValueError, TypeError) as error:
            raise AuthenticationFailed("Invalid token.") from error
        for device in _devices(token.strip()):
            if compare_digest(device.digest, digest) and _is_valid(device):
                return device.user, device
        raise AuthenticationFailed("Invalid token.")

    def authenticate_header(self, request: Request) -> str:
        """What makes a refusal a 401 and not a 403."""
        return "Bearer"


def _devices(token: str) -> list[Device]:
    """The devices whose token begins so: one, but for a chance of nothing."""
    devices = []
    for row in ask(_SQL, [token[: CONSTANTS.TOKEN_KEY_LENGTH]]):
        device = Device.from_db("default", _DEVICE, row[: len(_DEVICE)])
        device.user = User.from_db("default", _USER, row[len(_DEVICE) : -1])
        device.user.grants = read_grants(row[-1])
        devices.append(device)
    return devices


def _is_valid(device: Device) -> bool:
    return device.user.is_active and (device.expiry is None or device.expiry > timezone.now())


class DeviceScheme(OpenApiAuthenticationExtension):
    """How the OpenAPI document describes it."""

    target_class = DeviceAuthentication
    name = "deviceToken"

    def get_security_definition(self, auto_schema: "AutoSchema") -> dict[str, Any]:
        """A bearer token."""
        return {"type": "http", "scheme": "bearer"}
