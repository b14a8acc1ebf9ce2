"""The kiosk's own user: one for each facility, with no password, who signs in only where staff start a kiosk."""

from django.db import transaction

from accounts.actions.roles import give_role
from accounts.errors import NoKioskUser
from accounts.models import Facility, User

ROLE = "kiosk"


@transaction.atomic
def kiosk_user(*, facility: Facility) -> User:
    """The facility's kiosk user, made where there is none yet.

    Raises:
        NoKioskUser: the account was switched off, or is more than a kiosk's: nobody is to get its rights by this way.
    """
    user, made = User.objects.get_or_create(
        username=f"kiosk-{facility.slug}", defaults={"name": f"Kiosk, {facility.name}"[:150]}
    )
    if made:
        user.set_unusable_password()
        user.save(update_fields=["password"])
        give_role(user=user, role=ROLE, facility=facility)
    held = set(user.user_roles.values_list("role__slug", "facility_id"))
    if not user.is_active or user.is_superuser or user.has_usable_password() or held != {(ROLE, facility.pk)}:
        raise NoKioskUser(username=user.username)
    return user
