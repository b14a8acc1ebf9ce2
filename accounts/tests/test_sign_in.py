"""Devices sign in, are listed and revoked; guessers are slowed down, and desks are not."""

import datetime as dt

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from allauth.mfa.totp.internal.auth import yield_hotp_counters_from_time as counters
from django.core.cache import cache
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.actions.sign_in import PER_ADDRESS, PER_NAME, WINDOW
from accounts.models import Device, SignInFailure, User
from accounts.tests.factories import PASSWORD, FacilityFactory, UserFactory, asha, device_client, rao

pytestmark = pytest.mark.django_db

LOGIN = "/api/v1/auth/login/"
ME = "/api/v1/auth/me/"


def sign_in(address: str = "10.0.0.1", **body: str):
    return APIClient(REMOTE_ADDR=address).post(LOGIN, body, format="json")


def code_of(response) -> str:
    return response.json()["errors"][0]["code"]


class TestSignIn:
    def test_a_device_gets_a_token_that_works(self) -> None:
        sunrise = FacilityFactory()
        asha(sunrise)
        answer = sign_in(username="asha", password=PASSWORD, device="Tablet 4")
        assert answer.status_code == 200
        body = answer.json()
        assert body.keys() == {"token", "expiry", "user"}
        assert body["user"]["name"] == "Asha"
        client = APIClient(HTTP_AUTHORIZATION=f"Bearer {body['token']}")
        me = client.get(ME).json()
        assert me == body["user"]
        assert "patients.edit" in me["permissions"]["facilities"][str(sunrise.pk)]
        assert Device.objects.get().name == "Tablet 4"

    def test_the_token_is_kept_as_a_digest_only(self) -> None:
        asha()
        token = sign_in(username="asha", password=PASSWORD).json()["token"]
        device = Device.objects.get()
        assert token not in (device.digest, device.token_key)

    @pytest.mark.parametrize("body", [{"username": "asha", "password": "no"}, {"username": "x", "password": PASSWORD}])
    def test_wrong_and_unknown_get_the_same_answer(self, body: dict[str, str]) -> None:
        asha()
        answer = sign_in(**body)
        assert (answer.status_code, code_of(answer)) == (401, "invalid_credentials")

    def test_who_is_switched_off_gets_the_same_answer_too(self) -> None:
        UserFactory(username="gone", is_active=False)
        assert code_of(sign_in(username="gone", password=PASSWORD)) == "invalid_credentials"

    @pytest.mark.parametrize("body", [{}, {"username": "asha"}, {"username": "", "password": "x"}])
    def test_a_missing_field_is_named(self, body: dict[str, str]) -> None:
        answer = sign_in(**body)
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["attr"] in {"username", "password"}


class TestGuessing:
    def test_after_ten_wrong_ones_the_right_one_waits_too(self) -> None:
        asha()
        for _ in range(PER_NAME):
            assert sign_in(username="asha", password="guess").status_code == 401
        answer = sign_in(username="asha", password=PASSWORD)
        assert (answer.status_code, code_of(answer)) == (429, "throttled")
        assert 0 < int(answer.headers["Retry-After"]) <= WINDOW.total_seconds()

    def test_another_address_and_another_name_are_not_held_up(self) -> None:
        asha()
        rao()
        for _ in range(PER_NAME):
            sign_in(username="asha", password="guess")
        assert sign_in(username="asha", password=PASSWORD, address="10.0.0.2").status_code == 200
        assert sign_in(username="rao", password=PASSWORD).status_code == 200

    def test_one_address_that_tries_many_names_is_held_up(self) -> None:
        SignInFailure.objects.create(key="|10.0.0.9", count=PER_ADDRESS, since=timezone.now())
        assert sign_in(username="anybody", password="x", address="10.0.0.9").status_code == 429

    def test_the_window_passes(self) -> None:
        asha()
        for _ in range(PER_NAME):
            sign_in(username="asha", password="guess")
        SignInFailure.objects.update(since=timezone.now() - WINDOW)
        assert sign_in(username="asha", password="guess").status_code == 401
        assert set(SignInFailure.objects.values_list("count", flat=True)) == {1}

    def test_a_right_one_forgets_the_wrong_ones(self) -> None:
        asha()
        sign_in(username="asha", password="guess")
        sign_in(username="asha", password=PASSWORD)
        assert not SignInFailure.objects.filter(key__startswith="asha").exists()

    def test_a_busy_desk_signs_in_as_often_as_it_likes(self) -> None:
        asha()
        answers = [sign_in(username="asha", password=PASSWORD).status_code for _ in range(3 * PER_NAME)]
        assert set(answers) == {200}


class TestSecondFactor:
    @pytest.fixture
    def secret(self) -> str:
        cache.clear()  # where allauth remembers used codes
        secret = generate_totp_secret()
        TOTP.activate(asha(), secret)
        return secret

    def now(self, secret: str) -> str:
        return format_hotp_value(hotp_value(secret, next(iter(counters()))))

    def test_the_password_alone_is_not_enough(self, secret: str) -> None:
        answer = sign_in(username="asha", password=PASSWORD)
        assert (answer.status_code, code_of(answer)) == (401, "second_factor_required")
        assert not Device.objects.exists()

    def test_a_code_completes_it_once(self, secret: str) -> None:
        body = {"username": "asha", "password": PASSWORD, "code": self.now(secret)}
        assert sign_in(**body).status_code == 200
        assert code_of(sign_in(**body)) == "invalid_code"

    def test_wrong_codes_are_counted_like_wrong_passwords(self, secret: str) -> None:
        wrong = "000000" if self.now(secret) != "000000" else "111111"
        for _ in range(PER_NAME):
            assert code_of(sign_in(username="asha", password=PASSWORD, code=wrong)) == "invalid_code"
        assert sign_in(username="asha", password=PASSWORD, code=self.now(secret)).status_code == 429

    def test_a_recovery_code_opens_once(self, secret: str) -> None:
        user = User.objects.get(username="asha")
        code = RecoveryCodes.activate(user).get_unused_codes()[0]
        assert sign_in(username="asha", password=PASSWORD, code=code).status_code == 200
        assert code_of(sign_in(username="asha", password=PASSWORD, code=code)) == "invalid_code"
        assert Authenticator.objects.count() == 2


class TestTheTokenOfADevice:
    def test_it_costs_one_query_and_no_write(self, django_assert_num_queries) -> None:
        client = device_client(asha())
        with django_assert_num_queries(1) as captured:
            assert client.get(ME).status_code == 200
        assert captured[0]["sql"].strip().startswith("SELECT")

    @pytest.mark.parametrize(
        "header", ["Bearer", "Bearer ", "Bearer zz", "Bearer a b", "Bearer " + "0" * 64, "Bearer é", "Basic abc"]
    )
    def test_anything_else_is_401(self, header: str) -> None:
        answer = APIClient(HTTP_AUTHORIZATION=header).get(ME)
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")

    def test_the_right_beginning_is_not_enough(self) -> None:
        _, token = Device.objects.create(user=asha())
        forged = token[:15] + "0" * (len(token) - 15)
        assert APIClient(HTTP_AUTHORIZATION=f"Bearer {forged}").get(ME).status_code == 401

    def test_expired_is_401(self) -> None:
        client = device_client(asha())
        Device.objects.update(expiry=timezone.now() - dt.timedelta(seconds=1))
        assert client.get(ME).status_code == 401

    def test_switched_off_is_401(self) -> None:
        client = device_client(asha())
        User.objects.update(is_active=False)
        assert client.get(ME).status_code == 401

    def test_a_role_given_later_counts_at_once(self) -> None:
        user = UserFactory()
        client = device_client(user)
        assert client.get("/api/v1/patients/").status_code == 403
        from accounts.actions import give_role

        give_role(user=user, role="doctor")
        assert client.get("/api/v1/patients/").status_code == 200


class TestDevices:
    def test_one_sees_and_ends_ones_own(self) -> None:
        user = asha()
        here, there = device_client(user), device_client(user)
        device_client(rao())
        listed = here.get("/api/v1/auth/devices/").json()
        assert listed["count"] == 2
        (other,) = [one for one in listed["results"] if not one["current"]]
        assert "digest" not in other
        assert here.delete(f"/api/v1/auth/devices/{other['id']}/").status_code == 204
        assert there.get(ME).status_code == 401
        assert here.get(ME).status_code == 200

    def test_anothers_device_does_not_exist(self) -> None:
        device_client(rao())
        theirs = Device.objects.get()
        assert device_client(asha()).delete(f"/api/v1/auth/devices/{theirs.id}/").status_code == 404
        assert Device.objects.filter(user__username="rao").exists()

    def test_logout_ends_this_one(self) -> None:
        user = asha()
        here, there = device_client(user), device_client(user)
        assert here.post("/api/v1/auth/logout/").status_code == 204
        assert [client.get(ME).status_code for client in (here, there)] == [401, 200]

    def test_logoutall_ends_all_of_ones_own(self) -> None:
        user = asha()
        here, there, other = device_client(user), device_client(user), device_client(rao())
        assert here.post("/api/v1/auth/logoutall/").status_code == 204
        assert [client.get(ME).status_code for client in (here, there, other)] == [401, 401, 200]

    def test_the_browsers_session_works_too(self) -> None:
        client = APIClient()
        client.force_login(asha())
        assert client.get(ME).json()["username"] == "asha"


def test_nobody_signs_up() -> None:
    answer = APIClient().post("/accounts/signup/", {"username": "x", "password1": PASSWORD, "password2": PASSWORD})
    assert answer.status_code != 500
    assert not User.objects.exists()


def test_the_first_superuser_is_made_on_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
    call_command("createsuperuser", username="boss", interactive=False, verbosity=0)
    assert sign_in(username="boss", password=PASSWORD).status_code == 200
    assert User.objects.get().has_perm("anything.at_all")


def test_user_names_differ_by_more_than_capitals() -> None:
    asha()
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create_user("ASHA", "x")
