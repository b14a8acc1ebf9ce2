"""Reads for sign-in, screens and answers, each with a known number of queries."""

import json
from uuid import UUID

from django.db import connection
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import Device, Facility, User
from accounts.permissions import require_anywhere, within
from common.errors import BadInput, NotFound

Grants = dict[int | None, frozenset[str]]

# One row a facility that the user holds roles in, with every code that these roles hold there. Shared with device
# sign-in, which asks for the user in the same query.
GRANTS_SQL = """
    SELECT coalesce(json_agg(json_build_array(held.facility_id, held.codes)), '[]')::text
    FROM (
        SELECT ur.facility_id, array_agg(DISTINCT p.code) AS codes
        FROM accounts_userrole ur
        JOIN accounts_role r ON r.id = ur.role_id AND r.is_active
        JOIN accounts_rolepermission rp ON rp.role_id = r.id
        JOIN accounts_permission p ON p.id = rp.permission_id
        WHERE ur.user_id = {user}
        GROUP BY ur.facility_id
    ) held
"""


def read_grants(raw: str) -> Grants:
    """Grants as ``GRANTS_SQL`` writes them."""
    return {facility_id: frozenset(codes) for facility_id, codes in json.loads(raw)}


def grants_of(user_id: int) -> Grants:
    """Permission codes of a user by facility, ``None`` for those held everywhere. One query."""
    with connection.cursor() as cursor:
        cursor.execute(GRANTS_SQL.format(user="%s"), [user_id])
        return read_grants(cursor.fetchone()[0])


def devices_of(user_id: int) -> QuerySet[Device]:
    """The devices a person is signed in on, newest first."""
    return Device.objects.filter(Q(expiry__isnull=True) | Q(expiry__gt=timezone.now()), user_id=user_id)


def device_of(user_id: int, device_id: UUID) -> Device:
    """One of them.

    Raises:
        NotFound: there is none, or it is another's.
    """
    device = devices_of(user_id).filter(id=device_id).first()
    if device is None:
        raise NotFound("You are not signed in on this device.")
    return device


def only_facility(user: User, code: str) -> Facility:
    """The facility in which a person may do something, where there is just one.

    Raises:
        PermissionDenied: 403, there is none.
        BadInput: 400, there are several, so the request must name one.
    """
    found = list(Facility.objects.filter(within(require_anywhere(user, code), "pk"), is_active=True)[:2])
    if len(found) != 1:
        raise BadInput("Say in which facility.", attr="facility")
    return found[0]
