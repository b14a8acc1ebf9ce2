"""The admin opens for whoever may, shows no secrets, and offers nothing that a rule forbids."""

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from django.contrib import admin
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from accounts.models import AccessAttempt, Device, Facility, Role, User, UserRole
from accounts.tests.factories import FacilityFactory, RoleFactory, UserFactory, asha

pytestmark = pytest.mark.django_db

OURS = [model._meta.label_lower for model in admin.site._registry if model._meta.app_label in {"accounts", "patients"}]


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def page(label: str, view: str = "changelist", *args: object) -> str:
    return reverse(f"admin:{label.replace('.', '_')}_{view}", args=args)


@pytest.mark.parametrize("label", sorted(OURS))
def test_an_administrator_opens_every_list(label: str) -> None:
    device = Device.objects.create(user=asha())[0]
    AccessAttempt.objects.create(
        user=device.user, facility=FacilityFactory(), kind="patients.patient", object_id=1, method="GET", path="/"
    )
    answer = signed_in(UserFactory(roles=["admin"])).get(page(label))
    assert answer.status_code == 200


def test_who_may_not_enter_is_turned_away() -> None:
    assert signed_in(asha()).get("/admin/", follow=False).status_code == 302


def test_a_manager_of_one_facility_sees_no_accounts() -> None:
    client = signed_in(UserFactory(roles=["admin"], facility=FacilityFactory()))
    assert client.get("/admin/").status_code == 200
    assert client.get(page("accounts.user")).status_code == 403


def test_a_person_is_entered_with_a_role_in_a_facility() -> None:
    sunrise, client = FacilityFactory(), signed_in(UserFactory(roles=["admin"]))
    added = client.post(
        page("accounts.user", "add"),
        {
            "username": "lata",
            "name": "Lata",
            "usable_password": "true",
            "password1": "a-long-enough-one",
            "password2": "a-long-enough-one",
            "user_roles-TOTAL_FORMS": "0",
            "user_roles-INITIAL_FORMS": "0",
        },
    )
    assert added.status_code == 302, added.content
    lata = User.objects.get(username="lata")
    changed = client.post(
        page("accounts.user", "change", lata.pk),
        {
            "username": "lata",
            "name": "Lata Mehta",
            "email": "",
            "is_active": "on",
            "is_superuser": "on",
            "user_roles-TOTAL_FORMS": "1",
            "user_roles-INITIAL_FORMS": "0",
            "user_roles-0-role": Role.objects.get(slug="pharmacist").pk,
            "user_roles-0-facility": sunrise.pk,
            "user_roles-0-user": lata.pk,
        },
    )
    assert changed.status_code == 302, changed.content
    lata.refresh_from_db()
    assert (lata.name, lata.is_superuser) == ("Lata Mehta", False)
    assert UserRole.objects.filter(user=lata, role__slug="pharmacist", facility=sunrise).exists()


def test_a_superuser_is_changed_by_superusers_only() -> None:
    boss = User.objects.create_superuser("boss", "x")
    client = signed_in(UserFactory(roles=["admin"]))
    assert client.post(page("accounts.user", "change", boss.pk), {"username": "x"}).status_code == 403
    password = reverse("admin:auth_user_password_change", args=[boss.pk])
    assert client.post(password, {"password1": "y", "password2": "y"}).status_code == 403


def test_a_role_is_made_with_its_permissions() -> None:
    client = signed_in(UserFactory(roles=["admin"]))
    from accounts.models import Permission

    wanted = Permission.objects.filter(code__in=["patients.view", "patients.merge"])
    answer = client.post(
        page("accounts.role", "add"),
        {"name": "Records", "slug": "records", "is_active": "on", "allowed": [one.pk for one in wanted]},
    )
    assert answer.status_code == 302
    assert set(Role.objects.get(slug="records").permissions.all()) == set(wanted)


def test_a_system_role_keeps_its_name_and_stays() -> None:
    client = signed_in(UserFactory(roles=["admin"]))
    doctor = Role.objects.get(slug="doctor")
    client.post(page("accounts.role", "change", doctor.pk), {"name": "X", "slug": "x", "description": "Sees patients"})
    doctor.refresh_from_db()
    assert (doctor.name, doctor.slug, doctor.description) == ("Doctor", "doctor", "Sees patients")
    assert client.post(page("accounts.role", "delete", doctor.pk), {"post": "yes"}).status_code == 403
    other = RoleFactory()
    assert client.post(page("accounts.role", "delete", other.pk), {"post": "yes"}).status_code == 302
    assert not Role.objects.filter(pk=other.pk).exists()


def test_devices_are_ended_here_and_show_no_secret() -> None:
    device, token = Device.objects.create(user=asha(), name="Tablet 4")
    client = signed_in(UserFactory(roles=["admin"]))
    shown = client.get(page("accounts.device", "change", device.pk)).content.decode()
    assert "Tablet 4" in shown
    assert token not in shown
    assert client.post(page("accounts.device", "delete", device.pk), {"post": "yes"}).status_code == 302
    assert not Device.objects.exists()


def test_second_factors_show_no_secret() -> None:
    TOTP.activate(asha(), "JBSWY3DPEHPK3PXP")
    client = signed_in(UserFactory(roles=["admin"]))
    shown = client.get(page("mfa.authenticator", "change", Authenticator.objects.get().pk)).content.decode()
    assert "JBSWY3DPEHPK3PXP" not in shown
    assert "secret" not in shown.lower()


def test_a_facility_speaks_languages_in_an_order() -> None:
    sunrise, client = FacilityFactory(), signed_in(UserFactory(roles=["admin"]))
    address = page("accounts.facility", "change", sunrise.pk)
    form = client.get(address).context["adminform"].form
    fields = {name: value for name, value in form.initial.items() if name not in ("languages", "show_names_on_board")}

    def save(*languages: str) -> list[str]:
        answer = client.post(address, fields | {f"languages_{n}": code for n, code in enumerate(languages)})
        return [] if answer.status_code == 302 else answer.context["adminform"].form.errors["languages"]

    assert sunrise.languages == ["en"]
    assert save("hi", "", "en") == []
    sunrise.refresh_from_db()
    assert sunrise.languages == ["hi", "en"]
    assert save("hi", "hi", "") == ["Name each language once."]
    assert save("", "", "")
    assert save("xx", "", "")


def test_a_facility_without_a_language_is_refused_by_the_database() -> None:
    sunrise = FacilityFactory()
    with pytest.raises(IntegrityError), transaction.atomic():
        Facility.objects.filter(pk=sunrise.pk).update(languages=[])
