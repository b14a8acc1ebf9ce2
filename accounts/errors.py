"""What sign-in and permissions refuse."""

from typing import Any

from django.utils.translation import gettext_noop as _

from common.errors import BadInput, Forbidden, NotFound, Refused, TooManyRequests


class PermissionDenied(Forbidden):
    """The caller lacks the permission ``needed`` in this facility."""

    sentence = _("You do not have permission to do this ({needed}).")


class OutOfReach(NotFound):
    """A thing of a facility the caller has no part in: for them it does not exist, and the attempt is recorded."""

    def __init__(self, *, user_id: int, facility_id: int, kind: str, object_id: int) -> None:
        super().__init__()
        self.attempt: dict[str, Any] = {
            "user_id": user_id,
            "facility_id": facility_id,
            "kind": kind,
            "object_id": object_id,
        }

    def aftermath(self, *, address: str | None, method: str, path: str) -> None:
        """Write the attempt down, now that the refused transaction is gone."""
        from accounts.actions.records import record_attempt

        record_attempt(**self.attempt, address=address, method=method, path=path)


class WrongCredentials(BadInput):
    """User name and password do not belong together, or the account is switched off: no answer says which."""

    code = "invalid_credentials"
    status = 401
    sentence = _("The user name and the password do not belong together.")


class SecondFactorRequired(BadInput):
    """The password is right, and the account asks for a code too."""

    code = "second_factor_required"
    status = 401
    sentence = _("This account has a second factor: send the code from the authenticator app too.")


class InvalidCode(BadInput):
    """The code of the second factor is wrong or was used before."""

    code = "invalid_code"
    status = 401
    sentence = _("This code is wrong or was used before.")


class TooManySignIns(TooManyRequests):
    """Too many wrong sign-ins."""

    sentence = _("Too many wrong sign-ins. Try again in {wait} seconds.")


class SystemRole(Refused):
    """A system role is asked to change what it must keep."""

    code = "system_role"
    sentence = _("{role} is a system role: it cannot be deleted, renamed or switched off.")


class NoKioskUser(Refused):
    """The facility's kiosk account was switched off, or has more rights than a kiosk."""

    code = "no_kiosk_user"
    sentence = _("{username} cannot be used for a kiosk: it is switched off, or has other roles or a password.")
