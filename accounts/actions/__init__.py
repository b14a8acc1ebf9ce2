"""Everything that writes about people: roles, sign-in, and what is recorded beside."""

from accounts.actions.kiosk import kiosk_user
from accounts.actions.records import record_attempt, tidy
from accounts.actions.roles import give_role, sync_permissions
from accounts.actions.sign_in import sign_in, sign_out, sign_out_everywhere

__all__ = [
    "give_role",
    "kiosk_user",
    "record_attempt",
    "sign_in",
    "sign_out",
    "sign_out_everywhere",
    "sync_permissions",
    "tidy",
]
