"""Who may make an account from the sign-in pages: nobody. Accounts are given by an administrator."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class StaffOnly(DefaultAccountAdapter):
    """allauth without its sign-up."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Patients never sign in, and staff are entered by an administrator."""
        return False
