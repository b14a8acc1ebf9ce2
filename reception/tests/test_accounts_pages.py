"""Signing in and out, one's own account, and the pages of last resort, all in the one frame."""

import pytest
from django.test import Client

from accounts.tests.factories import PASSWORD
from reception.demo.people import FACILITY
from reception.tests.factories import Hall, text

pytestmark = pytest.mark.django_db


class TestSignIn:
    def test_name_and_password_lead_to_the_desk(self):
        hall = Hall()
        user = hall.user("reception")
        response = Client().post("/accounts/login/", {"login": user.username, "password": PASSWORD}, follow=True)
        assert [path for path, _ in response.redirect_chain] == ["/desk/"]

    def test_a_wrong_password_is_said_and_the_name_stays(self):
        user = Hall().user("reception")
        response = Client().post("/accounts/login/", {"login": user.username, "password": "wrong"})
        assert 'role="alert"' in response.content.decode()
        assert f'value="{user.username}"' in response.content.decode()

    def test_who_can_sign_in_is_said_while_the_demo_is_loaded_only(self):
        hall = Hall()
        assert "demo hospital" not in text(Client().get("/accounts/login/"))
        hall.facility.slug = FACILITY
        hall.facility.save()
        from accounts.tests.factories import UserFactory

        UserFactory(username="asha", roles=["reception"], facility=hall.facility)
        page = text(Client().get("/accounts/login/"))
        assert "This is the demo hospital Every password is opd-demo" in page
        assert "asha reception" in page

    def test_signing_out_is_a_button(self):
        client = Hall().asha
        assert client.post("/accounts/logout/")["Location"] == "/accounts/login/"
        assert client.get("/desk/").status_code == 302


class TestOwnAccount:
    def test_the_bar_names_one_s_own_house_there_and_leads_to_its_board(self):
        first, second = Hall(), Hall()
        page = second.asha.get("/accounts/2fa/").content.decode()
        assert second.facility.name in page
        assert first.facility.name not in page
        assert f"/board/{second.facility.slug}/" in page

    @pytest.mark.parametrize("path", ["password/change/", "2fa/", "sessions/", "logout/"])
    def test_they_speak_as_the_other_pages_do(self, path):
        said = text(Hall().asha.get(f"/accounts/{path}", follow=True))
        assert [words for words in ("Change Password", "Two-Factor", "Sign Out", "Are you sure") if words in said] == []

    @pytest.mark.parametrize("path", ["password/change/", "2fa/", "sessions/", "logout/"])
    def test_pages_of_one_s_own_account_stand_in_the_frame(self, path):
        response = Hall().asha.get(f"/accounts/{path}", follow=True)
        assert response.status_code == 200
        page = response.content.decode()
        assert "css/tokens.css" in page
        assert 'class="bar"' in page


class TestFrame:
    @pytest.mark.parametrize("path", ["/desk/", "/accounts/login/", "/nowhere/"])
    def test_staff_read_the_language_of_the_house_whatever_their_browser_asks_for(self, path):
        client = Hall().asha if path != "/accounts/login/" else Client()
        page = client.get(path, headers={"Accept-Language": "ar"}).content.decode()
        assert '<html lang="en" dir="ltr"' in page

    def test_the_theme_that_was_chosen_is_in_the_page(self):
        client = Hall().asha
        client.cookies["theme"] = "dark"
        assert 'data-theme="dark"' in client.get("/desk/").content.decode()
        client.cookies["theme"] = '"><script>'
        assert "<script>" not in client.get("/desk/").content.decode()

    @pytest.mark.parametrize("path", ["/desk/", "/accounts/login/", "/nowhere/"])
    def test_no_script_or_style_stands_in_the_page_itself_and_nothing_comes_from_elsewhere(self, path):
        import re

        page = Hall().asha.get(path, follow=True).content.decode()
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", page)
        assert not re.search(r'(src|href)="(https?:)?//', page)

    def test_an_unknown_address_says_so_in_the_same_look(self):
        response = Hall().asha.get("/nowhere/")
        assert response.status_code == 404
        assert "There is nothing at this address." in text(response)
        assert "css/tokens.css" in response.content.decode()

    def test_the_desk_of_another_hospital_of_one_s_own_can_be_chosen(self):
        one, two = Hall(), Hall()
        from accounts.actions import give_role

        user = one.user("reception")
        give_role(user=user, role="reception", facility=two.facility)
        client = Client()
        client.force_login(user)
        client.post("/desk/facility/", {"facility": two.facility.pk})
        assert client.get("/desk/").context["facility"] == two.facility

    def test_and_no_other(self):
        here, there = Hall(), Hall()
        assert here.asha.post("/desk/facility/", {"facility": there.facility.pk}).status_code == 404
