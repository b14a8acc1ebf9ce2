"""A screen that is a kiosk: who starts and ends it, and that nothing else can be reached from it."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.actions import give_role, kiosk_user
from accounts.errors import NoKioskUser
from accounts.models import User
from accounts.tests.factories import PASSWORD
from common.transactions import outermost
from reception import self_service
from reception.models import SelfService
from reception.tests.factories import Hall, text
from reception.tests.holder import scan, screen, unhurried

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("unhurried")]
__all__ = ["unhurried"]


def addresses(patterns: list[Any], before: str = "/") -> list[str]:
    """Every address of the site, its blanks filled in."""
    found = []
    for pattern in patterns:
        path = before + re.sub(r"<(?:int:)?\w+>|<\w+:\w+>|\(\?P<\w+>[^)]*\)", "1", str(pattern.pattern))
        if isinstance(pattern, URLResolver):
            found += addresses(pattern.url_patterns, path)
        elif isinstance(pattern, URLPattern):
            found.append(path.replace("^", "").replace("$", "").replace("\\Z", ""))
    return found


class TestTheScreen:
    def test_asha_starts_it_and_is_signed_out(self):
        hall = Hall()
        client = hall.asha
        assert "Start the kiosk on this screen" in text(client.get("/kiosk/"))
        client.post("/kiosk/begin/")
        assert User.objects.get(pk=client.session["_auth_user_id"]).username == f"kiosk-hospital-{hall.serial}"
        assert client.session.get_expiry_age() > 29 * 24 * 3600
        assert "Welcome. Choose one." in text(client.get("/kiosk/"))

    def test_who_may_not_start_it_does_not(self):
        hall = Hall()
        client = hall.client("doctor")
        assert client.get("/kiosk/").status_code == 403
        assert client.post("/kiosk/begin/").status_code == 403
        assert Client().get("/kiosk/").status_code == 302

    def test_from_it_nothing_else_can_be_reached(self):
        hall = Hall()
        client = screen(hall)
        site = addresses(get_resolver().url_patterns)
        elsewhere = [path for path in site if not path.startswith(("/kiosk/", "/static/"))]
        assert len(elsewhere) > 60
        reached = {path: client.get(path).status_code for path in elsewhere if path != "/"}
        assert {path: status for path, status in reached.items() if status != 404} == {}
        assert client.get("/")["Location"] == "/kiosk/"

    def test_nor_with_a_post(self):
        hall = Hall()
        token = hall.give("Ravi", "online", slot=0)
        client = screen(hall)
        for path in (f"/desk/tokens/{token.pk}/arrive/", f"/api/v1/tokens/{token.pk}/arrive/", "/accounts/logout/"):
            assert client.post(path).status_code == 404
        token.refresh_from_db()
        assert token.arrived_at is None

    @pytest.mark.parametrize("path", ["/desk/", "/desk/find/?q=ravi", "/desk/tokens/{}/", "/desk/tokens/{}/slip/"])
    def test_the_kiosk_s_role_sees_no_desk_even_without_the_screen(self, path):
        hall = Hall()
        token = hall.give("Ravi")
        client = Client()
        client.force_login(kiosk_user(facility=hall.facility))
        assert client.get(path.replace("{}", str(token.pk))).status_code in (403, 404)

    def test_its_account_has_no_password_and_is_used_again(self):
        hall = Hall()
        user = kiosk_user(facility=hall.facility)
        assert not user.has_usable_password()
        assert kiosk_user(facility=hall.facility) == user

    @pytest.mark.parametrize("how", ["off", "role", "password"])
    def test_an_account_that_is_more_than_a_kiosk_s_starts_none(self, how):
        hall = Hall()
        user = kiosk_user(facility=hall.facility)
        if how == "role":
            give_role(user=user, role="manager", facility=hall.facility)
        elif how == "password":
            user.set_password("known")
        else:
            user.is_active = False
        user.save()
        with pytest.raises(NoKioskUser):
            kiosk_user(facility=hall.facility)
        assert hall.asha.post("/kiosk/begin/").status_code == 409

    def test_switched_off_it_ends(self):
        hall = Hall()
        client = screen(hall)
        User.objects.filter(username__startswith="kiosk-").update(is_active=False)
        assert client.get("/kiosk/find/").status_code == 302

    def test_staff_end_it_with_their_password_and_nobody_is_signed_in(self):
        hall = Hall()
        client = screen(hall)
        name = hall.user("manager").username
        assert client.post("/kiosk/end/", {"username": name, "password": "wrong"}).status_code == 200
        assert "_auth_user_id" in client.session
        assert client.post("/kiosk/end/", {"username": name, "password": PASSWORD})["Location"] == "/kiosk/"
        assert "_auth_user_id" not in client.session

    def test_who_may_not_start_one_does_not_end_one(self):
        hall = Hall()
        client = screen(hall)
        sent = {"username": hall.user("doctor").username, "password": PASSWORD}
        assert "somebody who may end the kiosk" in text(client.post("/kiosk/end/", sent))

    def test_no_other_site_presses_its_buttons(self):
        hall = Hall()
        strict = Client(enforce_csrf_checks=True)
        strict.cookies = screen(hall).cookies
        assert strict.post("/kiosk/find/", {"phone": "1", "year": "2"}).status_code == 403

    def test_each_page_costs_what_it_costs(self, django_assert_max_num_queries):
        hall = Hall(capacity=4)
        tokens = [hall.give(f"P{n}", slot=0) for n in range(4)]
        client = screen(hall)
        for path, most in (("/kiosk/", 6), ("/kiosk/find/", 9), ("/kiosk/departments/", 9)):
            with django_assert_max_num_queries(most):
                client.get(path)
        scan(client, tokens[0].key)
        with django_assert_max_num_queries(13):
            client.get("/kiosk/answer/")


def test_the_action_says_who_it_was_in_the_same_transaction(monkeypatch):
    hall = Hall()
    token = hall.give("Ravi", "online", slot=0)

    def fail(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(SelfService.objects, "create", fail)
    with pytest.raises(RuntimeError):
        outermost(lambda: self_service.say_here(token_id=token.pk, where=self_service.Where("link", None)))
    token.refresh_from_db()
    assert token.arrived_at is None
