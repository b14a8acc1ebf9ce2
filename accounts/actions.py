"""Everything that writes about people: permissions and roles, devices, the record of refused reaches."""

from django.db import transaction

from accounts.models import AccessAttempt, Permission, Role, RolePermission
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


def record_attempt(
    *, user_id: int, facility_id: int, kind: str, object_id: int, address: str | None, method: str, path: str
) -> None:
    """Write down that somebody reached for a thing of a facility they have no part in.

    The caller has left the refused transaction, so that this stays.
    """
    AccessAttempt.objects.create(
        user_id=user_id,
        facility_id=facility_id,
        kind=kind,
        object_id=object_id,
        address=address,
        method=method,
        path=path[:250],
    )
