"""Signing in: who may make an account (nobody), and where people find themselves afterwards."""

from typing import cast

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache

from accounts.models import User
from accounts.permissions import facility_ids
from scheduling.models import Doctor


class StaffOnly(DefaultAccountAdapter):
    """allauth without its sign-up: accounts are given by an administrator."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Patients never sign in, and staff are entered by an administrator."""
        return False

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Where somebody who wanted no page in particular begins."""
        return home_of(cast("User", request.user))


def home_of(user: User) -> str:
    """Where a person's day begins: a doctor's at the console, a cashier's at the cash desk, a screen's at the kiosk, a
    manager's at the overview."""
    if Doctor.objects.filter(user=user, is_active=True).exists():
        return "/console/"
    if facility_ids(user, "billing.take") and not facility_ids(user, "tokens.arrive"):
        return "/cash/"
    if any(facility_ids(user, code) for code in ("tokens.arrive", "tokens.request_paid")):
        return "/desk/" if facility_ids(user, "tokens.view") else "/kiosk/"
    return "/overview/" if facility_ids(user, "tokens.supply") else "/desk/"


@never_cache
def home(request: HttpRequest) -> HttpResponse:
    """`/`: the first page of whoever asks."""
    return redirect(home_of(request.user) if request.user.is_authenticated else "account_login")
