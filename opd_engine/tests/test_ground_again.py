"""What a test that committed leaves behind is taken away, so that the next one finds what the migrations left."""

from typing import Any

import pytest
from django.db import DatabaseError, connection

from accounts.models import Facility
from accounts.tests.factories import FacilityFactory

pytestmark = pytest.mark.django_db(transaction=True)

CONTENT = """
    SELECT name::text, ground.content(name) FROM ground.tables
    UNION ALL SELECT name::text, pg_sequence_last_value(name) FROM ground.sequences
"""
PLENTY = 10_000_000


def rows(statement: str, *values: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall() if cursor.description else []


def facility() -> Any:
    return FacilityFactory()


def restored(most_bytes: int = PLENTY) -> bool:
    return bool(rows("SELECT ground.restore(%s)", most_bytes)[0][0])


def test_rows_written_changed_and_removed_are_as_before_and_ids_begin_anew() -> None:
    before = sorted(rows(CONTENT), key=str)
    first = facility().pk
    rows("SET session_replication_role TO replica")
    rows("DELETE FROM accounts_rolepermission")
    rows("UPDATE accounts_permission SET name = name || '!'")
    rows("INSERT INTO django_content_type (app_label, model) VALUES ('of a', 'test')")
    rows("SET session_replication_role TO origin")
    assert sorted(rows(CONTENT), key=str) != before

    assert restored()

    assert sorted(rows(CONTENT), key=str) == before
    assert not Facility.objects.exists()
    assert facility().pk == first


def test_rows_that_a_trigger_keeps_go_too_and_triggers_are_on_afterwards() -> None:
    for _ in range(2):
        FacilityFactory()
        with pytest.raises(DatabaseError):
            rows("DELETE FROM accounts_facilityevent")
        assert restored()
        assert rows("SELECT FROM accounts_facilityevent") == []


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE tokens_event DROP CONSTRAINT event_number_once_a_token",
        "ALTER TABLE billing_bill DISABLE TRIGGER ALL",
        "DROP TRIGGER frozen_once_used ON scheduling_session",
        "CREATE TABLE of_a_test (id int)",
        "ALTER TABLE accounts_facility ADD COLUMN of_a_test int",
        "CREATE INDEX of_a_test ON accounts_facility (name)",
        "CREATE OR REPLACE FUNCTION of_a_test() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "ANALYZE accounts_role",
    ],
)
def test_only_a_copy_helps_after_a_change_of_the_structure(change: str) -> None:
    assert restored()
    rows(change)
    assert not restored()


def test_only_a_copy_helps_after_much_was_written() -> None:
    FacilityFactory()
    assert not restored(most_bytes=1)
    assert Facility.objects.exists()
    assert restored()


@pytest.mark.parametrize("number", [1, 2])
def test_between_tests_it_is_done_by_itself(number: int) -> None:
    assert not Facility.objects.exists(), number
    FacilityFactory()
