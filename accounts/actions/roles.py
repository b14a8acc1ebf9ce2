"""Writes about roles: what the apps declare, and who holds which."""

from django.db import transaction

from accounts.models import Facility, Permission, Role, RolePermission, User, UserRole
from accounts.permissions import ALL_POWERFUL, REGISTRY, SYSTEM_ROLES


@transaction.atomic
def sync_permissions() -> None:
    """Bring system roles and permissions into line with what the apps declare. Runs after each migrate; idempotent.

    A code that is new is given to the roles its app names. One that was there keeps the roles that administrators
    gave it or took it from; only the roles that hold everything always do.
    """
    Role.objects.bulk_create(
        [Role(slug=slug, name=name, is_system=True) for slug, name in SYSTEM_ROLES.items()], ignore_conflicts=True
    )
    known = dict(Permission.objects.values_list("code", "name"))
    Permission.objects.bulk_create(
        [Permission(code=one.code, name=one.name) for one in REGISTRY.values() if known.get(one.code) != one.name],
        update_conflicts=True,
        unique_fields=["code"],
        update_fields=["name"],
    )
    roles = dict(Role.objects.filter(is_system=True).values_list("slug", "id"))
    ids = dict(Permission.objects.values_list("code", "id"))
    RolePermission.objects.bulk_create(
        [
            RolePermission(role_id=roles[slug], permission_id=ids[one.code])
            for one in REGISTRY.values()
            for slug in (one.roles if one.code not in known else ALL_POWERFUL)
        ],
        ignore_conflicts=True,
    )


def give_role(*, user: User, role: str, facility: Facility | None = None) -> UserRole:
    """Give a role by its slug, in one facility or in all; giving it twice changes nothing.

    Raises:
        Role.DoesNotExist: no role has this slug.
    """
    given, _ = UserRole.objects.get_or_create(user=user, role=Role.objects.get(slug=role), facility=facility)
    user.__dict__.pop("grants", None)
    return given
