"""Who may do what: roles add up, each in its facility, and one function answers for everybody."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import DatabaseError, transaction

from accounts import permissions
from accounts.actions import give_role, sync_permissions
from accounts.errors import OutOfReach, PermissionDenied
from accounts.models import Facility, Permission, Role, RolePermission, User
from accounts.permissions import ALL, REGISTRY, allows, facility_ids, reach, register, require, within
from accounts.tests.factories import FacilityFactory, RoleFactory, UserFactory, asha

pytestmark = pytest.mark.django_db


def fresh(user: User) -> User:
    return User.objects.get(pk=user.pk)


def custom_role(*codes: str) -> Role:
    role = RoleFactory()
    role.permissions.set(Permission.objects.filter(code__in=codes))
    return role


class TestAllows:
    def test_a_role_in_one_facility_gives_nothing_in_another(self) -> None:
        sunrise, lakeside = FacilityFactory(), FacilityFactory(name="Lakeside Clinic")
        user = asha(sunrise)
        assert allows(user, "patients.edit", sunrise.pk)
        assert not allows(user, "patients.edit", lakeside.pk)
        assert not allows(user, "patients.edit", None)
        assert facility_ids(user, "patients.edit") == {sunrise.pk}

    def test_a_role_without_a_facility_holds_in_all_also_in_new_ones(self) -> None:
        user = UserFactory(roles=["reception"])
        later = FacilityFactory(name="Opened later")
        assert allows(user, "patients.edit", later.pk)
        assert allows(user, "patients.edit", None)
        assert facility_ids(user, "patients.edit") is ALL

    def test_roles_add_up(self) -> None:
        sunrise, lakeside = FacilityFactory(), FacilityFactory(name="Lakeside Clinic")
        user = asha(sunrise)
        give_role(user=user, role="doctor", facility=lakeside)
        give_role(user=user, role="lab-technician")
        assert facility_ids(user, "patients.edit") == {sunrise.pk}
        assert facility_ids(user, "patients.view") is ALL

    def test_a_role_that_a_hospital_made_works_like_any_other(self) -> None:
        sunrise = FacilityFactory()
        role = custom_role("patients.merge")
        user = UserFactory(roles=[role.slug], facility=sunrise)
        assert user.grants == {sunrise.pk: frozenset({"patients.merge"})}
        Role.objects.filter(pk=role.pk).update(is_active=False)
        assert fresh(user).grants == {}

    def test_who_is_switched_off_may_nothing(self) -> None:
        user = UserFactory(roles=["super-admin"], is_active=False)
        assert not allows(user, "patients.view", None)
        assert facility_ids(user, "patients.view") == frozenset()

    def test_nobody_is_allowed_nothing(self) -> None:
        assert not allows(AnonymousUser(), "patients.view", 1)
        assert facility_ids(AnonymousUser(), "patients.view") == frozenset()

    def test_a_superuser_needs_no_role(self) -> None:
        boss = User.objects.create_superuser("boss", "x")
        assert allows(boss, "anything.at_all", 5)
        assert facility_ids(boss, "anything.at_all") is ALL

    def test_the_super_admin_role_holds_everything_declared(self) -> None:
        assert UserFactory(roles=["super-admin"]).grants[None] == REGISTRY.keys()

    def test_grants_cost_one_query(self, django_assert_num_queries) -> None:
        user = fresh(asha())
        with django_assert_num_queries(1):
            assert facility_ids(user, "patients.view")
            assert facility_ids(user, "patients.edit")


class TestRequireAndReach:
    def test_require_names_what_is_missing(self) -> None:
        with pytest.raises(PermissionDenied, match=r"patients\.merge"):
            require(UserFactory(), "patients.merge", 1)

    def test_a_thing_of_ones_own_facility_is_forbidden_openly(self) -> None:
        sunrise = FacilityFactory()
        user = UserFactory(roles=["billing-staff"], facility=sunrise)
        with pytest.raises(PermissionDenied):
            reach(user, "patients.edit", sunrise, facility_id=sunrise.pk)

    def test_a_thing_of_another_facility_does_not_exist(self) -> None:
        lakeside = FacilityFactory(name="Lakeside Clinic")
        with pytest.raises(OutOfReach) as raised:
            reach(asha(), "patients.view", lakeside, facility_id=lakeside.pk)
        assert (raised.value.status, raised.value.code) == (404, "not_found")

    def test_lists_are_limited_by_facility(self) -> None:
        sunrise, lakeside = FacilityFactory(), FacilityFactory(name="Lakeside Clinic")
        mine = facility_ids(asha(sunrise), "patients.view")
        assert list(Facility.objects.filter(within(mine, "pk"))) == [sunrise]
        assert set(Facility.objects.filter(within(ALL, "pk"))) == {sunrise, lakeside}


class TestDjangoAsksTheSameFunction:
    @pytest.mark.parametrize(
        ("role", "perm", "answer"),
        [
            ("reception", "patients.view_patient", True),
            ("reception", "patients.change_patient", True),
            ("doctor", "patients.view_patient", True),
            ("doctor", "patients.change_patient", False),
            ("doctor", "patients.delete_patient", False),
            ("reception", "accounts.view_user", False),
            ("admin", "accounts.change_user", True),
            ("admin", "procrastinate.view_procrastinatejob", True),
            ("manager", "admin.enter", True),
            ("doctor", "admin.enter", False),
            ("doctor", "patients.view", True),
        ],
    )
    def test_has_perm(self, role: str, perm: str, answer: bool) -> None:
        assert UserFactory(roles=[role]).has_perm(perm) is answer

    def test_who_manages_one_facility_manages_no_accounts(self) -> None:
        user = UserFactory(roles=["admin"], facility=FacilityFactory())
        assert user.has_perm("patients.change_patient")
        assert not user.has_perm("accounts.change_user")

    def test_only_who_may_enter_is_staff(self) -> None:
        assert UserFactory(roles=["manager"]).is_staff
        assert not asha().is_staff


class TestDeclarations:
    def test_what_is_declared_is_in_the_database(self) -> None:
        assert set(Permission.objects.values_list("code", flat=True)) == REGISTRY.keys()

    @pytest.mark.parametrize(("code", "roles"), [("no dot", []), ("Patients.View", []), ("a.b", ["no-such-role"])])
    def test_a_mistake_in_a_declaration_is_found_at_the_start(self, code: str, roles: list[str]) -> None:
        with pytest.raises(ValueError, match=r"app\.verb"):
            register(code, "A mistake", roles=roles)

    def test_what_an_administrator_took_away_stays_away(self) -> None:
        held = RolePermission.objects.filter(role__slug="reception", permission__code="patients.merge")
        held.delete()
        sync_permissions()
        assert not held.exists()

    def test_whoever_holds_everything_always_does(self) -> None:
        RolePermission.objects.filter(role__slug="super-admin").delete()
        sync_permissions()
        assert UserFactory(roles=["super-admin"]).grants[None] == REGISTRY.keys()

    def test_a_new_code_reaches_the_roles_its_app_names(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(permissions, "REGISTRY", REGISTRY)
        monkeypatch.setitem(REGISTRY, "x.new", permissions.Declared("x.new", "New", ("super-admin", "doctor")))
        sync_permissions()
        assert set(Role.objects.filter(permissions__code="x.new").values_list("slug", flat=True)) == {
            "super-admin",
            "admin",
            "doctor",
        } - {"admin"}

    def test_a_second_run_writes_nothing(self) -> None:
        before = RolePermission.objects.count()
        sync_permissions()
        assert RolePermission.objects.count() == before


class TestSystemRolesAreProtectedByTheDatabase:
    @pytest.mark.parametrize("change", [{"name": "X"}, {"slug": "x"}, {"is_system": False}, {"is_active": False}])
    def test_they_are_not_changed(self, change: dict[str, object]) -> None:
        with pytest.raises(DatabaseError, match="system role"), transaction.atomic():
            Role.objects.filter(slug="doctor").update(**change)

    def test_they_are_not_deleted(self) -> None:
        with pytest.raises(DatabaseError, match="system role"), transaction.atomic():
            Role.objects.get(slug="doctor").delete()

    def test_their_description_and_permissions_may_change(self) -> None:
        Role.objects.filter(slug="doctor").update(description="Sees patients")
        Role.objects.get(slug="doctor").permissions.clear()

    def test_other_roles_come_and_go(self) -> None:
        role = RoleFactory()
        Role.objects.filter(pk=role.pk).update(name="Senior nurse")
        role.delete()


def test_a_role_is_held_once_a_facility_and_once_everywhere() -> None:
    sunrise = FacilityFactory()
    user = asha(sunrise)
    give_role(user=user, role="reception", facility=sunrise)
    give_role(user=user, role="reception")
    give_role(user=user, role="reception")
    assert user.user_roles.count() == 2


def test_users_and_facilities_are_never_deleted() -> None:
    user = asha()
    user.user_roles.all().delete()
    for thing in (user, FacilityFactory(name="Lakeside Clinic")):
        with pytest.raises(DatabaseError, match="Cannot delete"), transaction.atomic():
            type(thing).objects.filter(pk=thing.pk)._raw_delete("default")
