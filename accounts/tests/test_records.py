"""What is recorded beside the work, what it costs, and when it is forgotten."""

import datetime as dt

import pytest
from django.apps import apps
from django.db import DatabaseError, transaction
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from accounts.actions import give_role, tidy
from accounts.history import HistoryMiddleware
from accounts.models import AccessAttempt, Device, Facility, IdempotencyKey, Role, RolePermission, SignInFailure, User
from accounts.tests.factories import PASSWORD, FacilityFactory, RoleFactory, UserFactory, asha, device_client
from common.api.throttling import DeviceThrottle, Window

pytestmark = pytest.mark.django_db


def events(model: str, **of: object):
    return apps.get_model("accounts", f"{model}Event").objects.filter(**of).order_by("pgh_id")


class TestHistory:
    def test_a_persons_account_without_the_secrets(self) -> None:
        user = UserFactory(name="Lata")
        User.objects.filter(pk=user.pk).update(name="Lata Mehta")
        user.set_password("another")
        user.save(update_fields=["password"])
        history = events("User", pgh_obj_id=user.pk)
        assert [(event.pgh_label, event.name) for event in history] == [("insert", "Lata"), ("update", "Lata Mehta")]
        assert not hasattr(history[0], "password")

    def test_who_held_which_role_where(self) -> None:
        here = FacilityFactory()
        user = UserFactory()
        given = give_role(user=user, role="doctor", facility=here)
        given.delete()
        history = events("UserRole", user=user)
        assert [(event.pgh_label, event.facility_id) for event in history] == [("insert", here.pk), ("delete", here.pk)]

    def test_what_a_role_was_allowed(self) -> None:
        role = RoleFactory()
        role.permissions.add(*Role.objects.get(slug="reception").permissions.filter(code="patients.merge"))
        RolePermission.objects.filter(role=role).delete()
        assert [event.pgh_label for event in events("RolePermission", role=role)] == ["insert", "delete"]

    def test_facilities_and_roles(self) -> None:
        here, role = FacilityFactory(), RoleFactory()
        Facility.objects.filter(pk=here.pk).update(show_names_on_board=True)
        Role.objects.filter(pk=role.pk).update(is_active=False)
        assert [event.show_names_on_board for event in events("Facility", pgh_obj_id=here.pk)] == [False, True]
        assert [event.is_active for event in events("Role", pgh_obj_id=role.pk)] == [True, False]

    def test_history_is_not_rewritten(self) -> None:
        UserFactory()
        for rewrite in (lambda: events("User").update(name="X"), lambda: events("User").delete()):
            with pytest.raises(DatabaseError), transaction.atomic():
                rewrite()

    def test_a_change_in_the_admin_is_signed(self) -> None:
        client, boss = Client(), UserFactory(roles=["admin"])
        client.force_login(boss)
        here = FacilityFactory()
        fields = {"name": "Sunrise", "slug": here.slug, "time_zone": "Asia/Kolkata", "currency": "INR"}
        answer = client.post(
            reverse("admin:accounts_facility_change", args=[here.pk]),
            fields | {"phone_region": "IN", "is_active": "on", "languages_0": "en"},
        )
        assert answer.status_code == 302
        event = events("Facility", pgh_obj_id=here.pk).last()
        assert event is not None
        assert event.pgh_context.metadata["user"] == boss.pk

    @pytest.mark.parametrize(
        ("path", "signs"), [("/admin/x/", True), ("/accounts/x/", True), ("/api/v1/tokens/", False)]
    )
    def test_the_context_is_opened_only_where_people_edit(self, path: str, signs: bool) -> None:
        import pghistory.runtime

        seen = []

        def view(request: HttpRequest) -> HttpResponse:
            seen.append(hasattr(pghistory.runtime._tracker, "value"))
            return HttpResponse()

        HistoryMiddleware(view)(RequestFactory().post(path))
        assert seen == [signs]


def test_the_log_of_attempts_is_not_rewritten() -> None:
    AccessAttempt.objects.create(
        user=asha(), facility=FacilityFactory(), kind="patients.patient", object_id=1, method="GET", path="/"
    )
    for rewrite in (lambda: AccessAttempt.objects.update(path="/x"), lambda: AccessAttempt.objects.all().delete()):
        with pytest.raises(DatabaseError), transaction.atomic():
            rewrite()


def test_what_is_kept_for_a_day_is_then_forgotten() -> None:
    user, now = asha(), timezone.now()
    old, fresh = now - dt.timedelta(days=1, minutes=1), now - dt.timedelta(hours=23)
    for key, when in (("old", old), ("fresh", fresh)):
        IdempotencyKey.objects.create(user=user, key=key, fingerprint="", created_at=when)
        SignInFailure.objects.create(key=key, count=1, since=when)
        device, _ = Device.objects.create(user=user, name=key)
        Device.objects.filter(pk=device.pk).update(expiry=when + dt.timedelta(days=1))
    tidy(at=now)
    for model, field in ((IdempotencyKey, "key"), (SignInFailure, "key"), (Device, "name")):
        assert list(model.objects.values_list(field, flat=True)) == ["fresh"]


def test_a_device_in_a_loop_is_told_to_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DeviceThrottle, "window", Window(limit=3, seconds=60))
    user = asha()
    runaway, other = device_client(user), device_client(user)
    answers = [runaway.get("/api/v1/auth/me/") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 60
    assert answers[-1].json()["errors"][0]["code"] == "throttled"
    assert other.get("/api/v1/auth/me/").status_code == 200


def test_the_browser_signs_in_and_nobody_signs_up() -> None:
    asha()
    client = Client()
    assert client.get("/accounts/login/").status_code == 200
    answer = client.post("/accounts/login/", {"login": "asha", "password": PASSWORD})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/desk/")
    assert client.get("/api/v1/auth/me/").json()["username"] == "asha"
    assert client.get("/accounts/sessions/").status_code == 200
    assert client.get("/accounts/2fa/").status_code == 200
