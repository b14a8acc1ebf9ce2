"""Visits: opened once a patient and day, with the tokens that belong to them and the bills in force."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from django.db import connection

from reception.money.reading import TokenMoney

_OPEN: Final = """
    INSERT INTO reception_visit (facility_id, patient_id, date, opened_at, opened_by_id)
    SELECT facility_id, patient_id, date, %s, %s
      FROM unnest(%s::bigint[], %s::bigint[], %s::date[]) AS wanted (facility_id, patient_id, date)
     ORDER BY patient_id
    ON CONFLICT (patient_id, date, facility_id) DO UPDATE SET opened_at = reception_visit.opened_at
    RETURNING patient_id, date, id"""

_LINK: Final = """
    INSERT INTO reception_visittoken (visit_id, token_id, bill_id)
    SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[])
    ON CONFLICT (token_id) DO UPDATE SET visit_id = excluded.visit_id, bill_id = excluded.bill_id"""


def open_visits(tokens: Iterable[TokenMoney], *, at: datetime, by_id: int | None) -> None:
    """Open the visits of the tokens' days, where they are not open; each token gets its `visit_id`.

    One query, none where all are open. Two desks that open the same one at once open one.
    """
    new = [token for token in tokens if token.visit_id is None]
    wanted = sorted({(token.facility_id, token.patient_id, token.date) for token in new})
    if not wanted:
        return
    facilities, patients, dates = (list(column) for column in zip(*wanted, strict=True))
    with connection.cursor() as cursor:
        cursor.execute(_OPEN, (at, by_id, facilities, patients, dates))
        opened = {(patient_id, date): pk for patient_id, date, pk in cursor.fetchall()}
    for token in new:
        token.visit_id = opened[token.patient_id, token.date]


def link(tokens: Iterable[TokenMoney], bills: Mapping[int, int | None]) -> None:
    """Say to which visit the tokens belong, and which consultation bill is in force. One query."""
    rows = [(token.visit_id, token.id, bills.get(token.id)) for token in tokens]
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(_LINK, [list(column) for column in zip(*rows, strict=True)])


def unlink(token_ids: Iterable[int]) -> None:
    """These tokens have no consultation bill in force any more. One query."""
    ids = list(token_ids)
    if ids:
        with connection.cursor() as cursor:
            cursor.execute("UPDATE reception_visittoken SET bill_id = NULL WHERE token_id = ANY(%s)", (ids,))


def release(bill_id: int) -> None:
    """A bill that somebody made void is in force for no token. One query."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE reception_visittoken SET bill_id = NULL WHERE bill_id = %s", (bill_id,))
