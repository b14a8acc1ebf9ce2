"""Reads for sign-in, screens and answers, each with a known number of queries."""

import json

from django.db import connection

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
