"""The one place that says who may do what, for API, pages and admin; and the registry of what can be allowed.

Each app declares its codes in a ``permissions.py`` of its own, which is loaded when Django starts::

    from accounts.permissions import register

    register("tokens.mark_paid", "Mark a token as paid", roles=["reception", "billing-staff"])

After migrations the declarations become rows. From then on the rows decide, and administrators change them: the roles
named here are where a new code begins. Things of a facility that the caller has no part in are 404, never 403.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django.contrib.auth.models import AnonymousUser
from django.db.models import Model, Q

from accounts.errors import OutOfReach, PermissionDenied

if TYPE_CHECKING:
    from accounts.models import User

SYSTEM_ROLES: Final = {
    "super-admin": "Super admin",
    "admin": "Admin",
    "doctor": "Doctor",
    "reception": "Reception",
    "staff": "Staff",
    "lab-technician": "Lab technician",
    "billing-staff": "Billing staff",
    "pharmacist": "Pharmacist",
    "manager": "Manager",
    "kiosk": "Kiosk",
}
# Whoever may be given everything: a new code reaches these two without being named.
ALL_POWERFUL: Final = ("super-admin", "admin")

_CODE = re.compile(r"[a-z_]+\.[a-z_]+")


@dataclass(frozen=True)
class Declared:
    """A code as its app declares it."""

    code: str
    name: str
    roles: tuple[str, ...]


REGISTRY: dict[str, Declared] = {}


def register(code: str, name: str, *, roles: Iterable[str] = ()) -> None:
    """Declare a permission.

    Args:
        code: ``app.verb``.
        name: what it allows, as an administrator reads it.
        roles: slugs of the system roles that hold it in a new hospital, beside those that hold everything.

    Raises:
        ValueError: the code has another form, or a role is not a system role.
    """
    roles = tuple(roles)
    unknown = set(roles) - SYSTEM_ROLES.keys()
    if not _CODE.fullmatch(code) or unknown:
        raise ValueError(f"{code}: a code is app.verb, and these are no system roles: {sorted(unknown)}")
    REGISTRY[code] = Declared(code, name, (*ALL_POWERFUL, *roles))


class _Everywhere(frozenset[int]):
    """Every facility, present and future."""

    def __contains__(self, facility_id: object) -> bool:
        return True

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return "ALL"


ALL: Final = _Everywhere()


def allows(user: "User | AnonymousUser", code: str, facility_id: int | None) -> bool:
    """Whether a user may do something in a facility; with ``None``, in all of them."""
    if not user.is_active:
        return False
    if user.is_superuser:
        return True
    grants = user.grants
    return code in grants.get(None, ()) or (facility_id is not None and code in grants.get(facility_id, ()))


def require(user: "User | AnonymousUser", code: str, facility_id: int | None) -> None:
    """Let pass who may do this.

    Raises:
        PermissionDenied: 403 ``permission_denied``.
    """
    if not allows(user, code, facility_id):
        raise PermissionDenied(needed=code)


def facility_ids(user: "User | AnonymousUser", code: str) -> frozenset[int]:
    """The facilities in which a user may do something; ``ALL`` where no facility limits it."""
    if allows(user, code, None):
        return ALL
    if not user.is_active:
        return frozenset()
    return frozenset(key for key, codes in user.grants.items() if key and code in codes)


def within(ids: frozenset[int], field: str = "facility_id") -> Q:
    """The filter that keeps rows of these facilities: no condition at all for ``ALL``."""
    return Q() if ids is ALL else Q(**{f"{field}__in": ids})


def require_anywhere(user: "User | AnonymousUser", code: str) -> frozenset[int]:
    """Let pass who may do this in some facility, and say in which.

    Raises:
        PermissionDenied: nowhere.
    """
    ids = facility_ids(user, code)
    if not ids:
        raise PermissionDenied(needed=code)
    return ids


def reach(user: "User", code: str, thing: Model, *, facility_id: int | None = None) -> None:
    """Let pass who may do this with a thing of a facility (its ``facility_id``, where none is given).

    Raises:
        OutOfReach: 404, and recorded: the caller has no part in the thing's facility.
        PermissionDenied: the caller belongs there and lacks this permission.
    """
    where: int = facility_id if facility_id is not None else thing.facility_id  # type: ignore[attr-defined]
    if allows(user, code, where):
        return
    if user.grants.get(where) or user.grants.get(None):
        raise PermissionDenied(needed=code)
    raise OutOfReach(user_id=user.pk, facility_id=where, kind=thing._meta.label_lower, object_id=thing.pk)


# Django asks for <app>.<add|change|delete|view>_<model>; the hospital's own codes answer.
_DJANGO_VERBS: Final = {"add": "edit", "change": "edit", "delete": "edit", "view": "view"}
# Apps that came with the framework, and this one, are an administrator's business as a whole.
_MANAGED: Final = "accounts.manage"


def answers_django(user: "User", perm: str) -> bool:
    """Django's ``has_perm``: an own code is looked up as it is, Django's own codes are translated first.

    An app without ``edit`` and ``view`` codes of its own belongs to whoever manages accounts, and that in every
    facility: who manages one facility only must not be able to give away the others.
    """
    code = perm if perm in REGISTRY else _translate(perm)
    return allows(user, code, None) if code == _MANAGED else bool(facility_ids(user, code))


def answers_django_module(user: "User", app_label: str) -> bool:
    """Django's ``has_module_perms``: whether anything of the app may be seen."""
    return any(answers_django(user, f"{app_label}.{verb}_any") for verb in ("view", "change"))


def _translate(perm: str) -> str:
    app, _, name = perm.partition(".")
    own = f"{app}.{_DJANGO_VERBS.get(name.partition('_')[0], name)}"
    return own if own in REGISTRY else _MANAGED


def effective(user: "User") -> dict[str, Any]:
    """What a client needs to know to show only what works: codes held everywhere, and by facility."""
    everywhere = REGISTRY.keys() if user.is_superuser else user.grants.get(None, frozenset())
    return {
        "everywhere": sorted(everywhere),
        "facilities": {str(key): sorted(codes) for key, codes in user.grants.items() if key is not None},
    }


register("accounts.manage", "Manage people, roles, facilities and devices")
register("admin.enter", "Enter the admin site", roles=["manager"])
