"""Reads of the registry: one patient, tolerant search, possible duplicates. Search takes three queries at most."""

from typing import Any, Final

from django.db import connection
from django.db.models import QuerySet

from accounts.models import User
from accounts.permissions import ALL, reach, within
from common.errors import NotFound
from patients.models import Patient
from patients.rules import Search, read_search

# How much of a word's trigrams a name must share to be taken for a misspelling of it.
LIKENESS: Final = 0.55
# A misspelt word that thousands of names resemble names nobody: rank these and leave the others.
CANDIDATES: Final = 3_000


def get_patient(*, patient_id: int, by: User) -> Patient:
    """One patient with the facility.

    Raises:
        NotFound: 404; for a patient of a facility the caller has no part in, the attempt is recorded too.
        PermissionDenied: 403, the caller belongs there and may not see patients.
    """
    patient = Patient.objects.select_related("facility").filter(pk=patient_id).first()
    if patient is None:
        raise NotFound("There is no such patient.")
    reach(by, "patients.view", patient)
    return patient


def patients_of(facility_ids: frozenset[int]) -> QuerySet[Patient]:
    """Active patients, the newest first."""
    return Patient.objects.filter(within(facility_ids), is_active=True).select_related("facility")


def search_patients(*, facility_ids: frozenset[int], text: str, limit: int = 50) -> list[Patient]:
    """Active patients whom a search text may mean, the likeliest first.

    Words are parts of the name in any order and with any accents, misspelt where nobody has them as written; digits
    are any part of the phone number, or the number on the patient's card.

    Args:
        facility_ids: where to look; ``ALL`` for everywhere.
        text: what the receptionist typed.
        limit: how many at most.
    """
    asked = read_search(text)
    if not asked:
        return []
    found = _run(_as_written(asked), facility_ids, limit)
    if len(found) < limit and any(len(word) > 2 for word in asked.words):
        found += [pk for pk in _run(_misspelt(asked), facility_ids, limit) if pk not in found][: limit - len(found)]
    rows = {row.pk: row for row in Patient.objects.select_related("facility").filter(pk__in=found)} if found else {}
    return [rows[pk] for pk in found if pk in rows]


def possible_duplicates(patient: Patient, *, limit: int = 5) -> list[Patient]:
    """Active patients of the same facility who may be the same person.

    They share the phone number, or the name is alike while the year of birth is the same and the sex no other.
    """
    return list(
        Patient.objects.raw(
            """
            SELECT p.* FROM patients_patient p
            WHERE p.facility_id = %(facility)s AND p.is_active AND p.id <> %(id)s AND (
                (%(phone)s <> '' AND p.phone = %(phone)s)
                OR (p.birth_year = %(year)s AND similarity(p.search_sound, patients_sound(%(name)s)) > 0.5
                    AND (p.sex = %(sex)s OR 'unknown' IN (p.sex, %(sex)s)))
            )
            ORDER BY similarity(p.search_sound, patients_sound(%(name)s)) DESC, p.id DESC LIMIT %(limit)s
            """,
            {
                "facility": patient.facility_id,
                "id": patient.pk or 0,
                "phone": patient.phone,
                "year": patient.birth_year,
                "name": patient.name,
                "sex": patient.sex,
                "limit": limit,
            },
        )
    )


class _Conditions:
    """A WHERE clause and an ORDER BY with their parameters, in the order in which they stand in the statement."""

    def __init__(self) -> None:
        self.where: list[str] = []
        self.where_params: list[Any] = []
        self.order: list[str] = []
        self.order_params: list[Any] = []

    def also(self, sql: str, *params: Any) -> None:
        """A condition that must hold too."""
        self.where.append(sql)
        self.where_params += params

    def prefer(self, sql: str, *params: Any) -> None:
        """What comes first, among those that earlier preferences leave equal."""
        self.order.append(f"{sql} DESC")
        self.order_params += params


# Both sides are without accents and in lower case: the column by its trigger, the word here.
_WORD: Final = "lower(unaccent(%s))"
_SOUND: Final = "patients_sound(%s)"


def _as_written(asked: Search) -> _Conditions:
    """Everything asked for is there as it was typed."""
    sql = _Conditions()
    for word in asked.words:
        _starts_or_contains(sql, word)
    _numbers(sql, asked)
    if asked.words:
        # Whole words before parts of words: Ram before Ramesh.
        whole = " + ".join(f"(' ' || search_name || ' ' LIKE '%% ' || {_WORD} || ' %%')::int" for _ in asked.words)
        sql.prefer(whole, *asked.words)
        sql.prefer(f"search_name LIKE {_WORD} || '%%'", " ".join(asked.words))
    return sql


def _misspelt(asked: Search) -> _Conditions:
    """Each word sounds like a part of the name."""
    sql = _Conditions()
    long = [word for word in asked.words if len(word) > 2]
    for word in asked.words:
        if word in long:
            sql.also(f"{_SOUND} <%% search_sound", word)
        else:
            _starts_or_contains(sql, word)
    _numbers(sql, asked)
    sql.prefer(" + ".join(f"word_similarity({_SOUND}, search_sound)" for _ in long), *long)
    sql.prefer(f"similarity({_WORD}, search_name)", " ".join(asked.words))
    return sql


def _starts_or_contains(sql: _Conditions, word: str) -> None:
    """One or two letters begin a word of the name; three are looked for anywhere, which the trigrams can do."""
    if len(word) > 2:
        sql.also(f"search_name LIKE '%%' || {_WORD} || '%%'", word)
    else:
        sql.also(f"(search_name LIKE {_WORD} || '%%' OR search_name LIKE '%% ' || {_WORD} || '%%')", word, word)


def _numbers(sql: _Conditions, asked: Search) -> None:
    """The serial of a card, or a part of a phone number; alone, digits may be either."""
    either = []
    if asked.serial is not None:
        either.append("serial = %s")
        sql.where_params.append(asked.serial)
        sql.prefer("serial = %s", asked.serial)
    if asked.digits:
        either.append("phone LIKE '%%' || %s || '%%'")
        sql.where_params.append(asked.digits)
    if either:
        sql.where.append(f"({' OR '.join(either)})")


def _run(sql: _Conditions, facility_ids: frozenset[int], limit: int) -> list[int]:
    """The ids found, in order. One round trip: the likeness is set for the statement that goes with it."""
    if facility_ids is not ALL:
        sql.also("facility_id = ANY(%s)", list(facility_ids))
    statement = f"""
        SELECT set_config('pg_trgm.word_similarity_threshold', %s, true);
        SELECT id FROM (
            SELECT id, serial, search_name, search_sound FROM patients_patient
            WHERE is_active AND {" AND ".join(sql.where)} LIMIT %s
        ) likely
        ORDER BY {", ".join([*sql.order, "id DESC"])} LIMIT %s
    """  # noqa: S608 (put together from the texts of this file; what was typed goes in as parameters)
    with connection.cursor() as cursor:
        cursor.execute(statement, [str(LIKENESS), *sql.where_params, CANDIDATES, *sql.order_params, limit])
        cursor.nextset()
        return [row[0] for row in cursor.fetchall()]
