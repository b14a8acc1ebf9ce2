"""Visits: opened once a patient and day, with the tokens that belong to them and the bills in force.

A visit is what its patient's tokens make it. One without any, because the wrong record was chosen or another visit
took them over, is none: it stands in no list, no token is billed in it, and where the patient comes after all it begins
then.
"""

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
    ON CONFLICT (patient_id, date, facility_id) DO UPDATE
       SET (opened_at, opened_by_id) = (
         SELECT CASE WHEN used THEN reception_visit.opened_at ELSE excluded.opened_at END,
                CASE WHEN used THEN reception_visit.opened_by_id ELSE excluded.opened_by_id END
           FROM (SELECT EXISTS (SELECT FROM reception_visittoken of
                                  JOIN tokens_token o ON o.id = of.token_id
                                  JOIN patients_patient p ON p.id = o.patient_id
                                 WHERE of.visit_id = reception_visit.id
                                   AND coalesce(p.merged_into_id, p.id) = reception_visit.patient_id) AS used) own)
    RETURNING patient_id, date, id"""

_JOIN: Final = """
    UPDATE reception_visittoken moved SET visit_id = day.first
      FROM (SELECT v.id, first_value(v.id) OVER (PARTITION BY v.facility_id, v.date ORDER BY v.opened_at, v.id) AS first
              FROM reception_visit v
             WHERE v.patient_id = ANY(%s)
               AND EXISTS (SELECT FROM reception_visittoken of JOIN tokens_token o ON o.id = of.token_id
                            WHERE of.visit_id = v.id AND o.patient_id = ANY(%s))) day
     WHERE moved.visit_id = day.id AND day.first <> day.id"""

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


def join(patient_ids: Iterable[int]) -> None:
    """The records of one patient have one visit a day: the tokens of later ones go to the one opened first. One query.

    Bills stay as they were issued: those of a visit that was taken over are found by the patient and the day.

    Args:
        patient_ids: all records of the patient.
    """
    ids = list(patient_ids)
    with connection.cursor() as cursor:
        cursor.execute(_JOIN, (ids, ids))


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
