"""What the database keeps by itself, whatever wrote the row: no code of ours stands between these tests and it."""

from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from tokens.models import Token
from tokens.tests.factories import Morning, rows

pytestmark = pytest.mark.django_db


def write(sql: str, *parameters: Any) -> None:
    """Write past every rule, as a person with psql would, and let what waits for the commit be checked at once."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def refused(because: str, sql: str, *parameters: Any) -> None:
    """The database refuses, and says why."""
    with pytest.raises(IntegrityError, match=because):
        write(sql, *parameters)


COPY = """INSERT INTO tokens_token (session_id, slot_id, patient_id, number, status, source, paid, score, overbooked,
    requested_at, order_at, call_count, away_to, note, key, events)
    SELECT session_id, slot_id, %s, %s, status, source, paid, score, overbooked, requested_at, order_at,
           0, '', '', %s, 0 FROM tokens_token WHERE id = %s"""


@pytest.fixture
def morning() -> Morning:
    return Morning(capacity=1)


class TestPlaces:
    def test_a_raw_update_that_oversells_is_refused(self, morning: Morning) -> None:
        morning.give("online", "Asha")
        waiting = morning.give("online", "Bala")
        refused("slot_never_oversold", "UPDATE tokens_token SET status = 'confirmed' WHERE id = %s", waiting)

    def test_a_raw_insert_that_oversells_is_refused(self, morning: Morning) -> None:
        asha = morning.give("online", "Asha")
        refused("slot_never_oversold", COPY, morning.patient("Bala").id, "X-1", "k1", asha)

    def test_a_raw_move_into_a_full_slot_is_refused(self, morning: Morning) -> None:
        asha = morning.give("online", "Asha", 0)
        morning.give("online", "Bala", 1)
        refused("slot_never_oversold", "UPDATE tokens_token SET slot_id = %s WHERE id = %s", morning.slots[1].id, asha)

    def test_a_cut_below_those_who_hold_places_is_refused(self, morning: Morning) -> None:
        morning.give("online", "Asha")
        refused("slot_never_oversold", "UPDATE scheduling_slot SET capacity = 0 WHERE id = %s", morning.slots[0].id)

    @pytest.mark.parametrize("column", ["used", "overbooked"])
    def test_the_counters_cannot_be_set(self, morning: Morning, column: str) -> None:
        morning.give("online", "Asha")
        refused("never set", f"UPDATE scheduling_slot SET {column} = {column} + 1 WHERE id = %s", morning.slots[0].id)

    def test_a_new_slot_is_empty(self, morning: Morning) -> None:
        refused(
            "a new slot is empty",
            "INSERT INTO scheduling_slot (session_id, starts_at, ends_at, capacity, status, used, overbooked)"
            " SELECT session_id, starts_at + interval '9 hours', ends_at + interval '9 hours', 3, 'open', 1, 0"
            "   FROM scheduling_slot WHERE id = %s",
            morning.slots[0].id,
        )

    def test_the_counters_follow_raw_changes(self, morning: Morning) -> None:
        asha = morning.give("online", "Asha")
        assert morning.counted(0) == (1, 0)
        write("UPDATE tokens_token SET slot_id = %s WHERE id = %s", morning.slots[2].id, asha)
        assert (morning.counted(0), morning.counted(2)) == ((0, 0), (1, 0))
        write("UPDATE tokens_token SET overbooked = true, source = 'emergency' WHERE id = %s", asha)
        assert morning.counted(2) == (1, 1)
        write("UPDATE tokens_token SET status = 'completed' WHERE id = %s", asha)
        assert morning.counted(2) == (1, 1)
        write("UPDATE tokens_token SET status = 'cancelled' WHERE id = %s", asha)
        assert morning.counted(2) == (0, 0)

    def test_a_token_s_slot_is_of_its_session(self, morning: Morning) -> None:
        asha = morning.give("online", "Asha")
        elsewhere = morning.sitting(morning.rao, "17:00").slots.get()
        refused("token_slot_of_session", "UPDATE tokens_token SET slot_id = %s WHERE id = %s", elsewhere.id, asha)

    def test_a_token_s_slot_exists(self, morning: Morning) -> None:
        asha = morning.give("online", "Asha")
        morning.cancel(asha)
        refused("token_slot_of_session", "UPDATE tokens_token SET slot_id = 0 WHERE id = %s", asha)


class TestTokens:
    def test_overbooked_by_nobody_is_refused(self, morning: Morning) -> None:
        asha = morning.give("online", "Asha")
        refused("overbooked_as_emergency_or_by_name", "UPDATE tokens_token SET overbooked = true WHERE id = %s", asha)

    def test_overbooked_by_a_named_person_is_not(self, morning: Morning) -> None:
        asha, person = morning.give("online", "Asha"), morning.person("reception")
        write("UPDATE tokens_token SET overbooked = true, overbooked_by_id = %s WHERE id = %s", person.id, asha)
        assert morning.counted(0) == (1, 1)

    def test_a_second_active_token_of_a_patient_in_a_session_is_refused(self, morning: Morning) -> None:
        asha = morning.give("online", "Asha", 0)
        bala = morning.give("online", "Bala", 1)
        patient = morning.token(asha).patient_id
        refused("one_active_token_a_session", "UPDATE tokens_token SET patient_id = %s WHERE id = %s", patient, bala)

    def test_a_number_is_given_once_in_a_session(self, morning: Morning) -> None:
        asha, bala = morning.give("online", "Asha", 0), morning.give("online", "Bala", 1)
        number = morning.token(asha).number
        refused("number_once_a_session", "UPDATE tokens_token SET number = %s WHERE id = %s", number, bala)

    def test_a_number_is_never_given_again_even_after_its_token_moved_away(self, morning: Morning) -> None:
        asha, bala = morning.give("online", "Asha", 0), morning.give("online", "Bala", 1)
        number = morning.token(asha).number
        evening = morning.sitting(morning.rao, "17:00").slots.get()
        morning.slots.append(evening)
        morning.move(asha, 4)
        assert rows("SELECT token_id FROM tokens_formernumber WHERE number = %s", number) == [(asha,)]
        refused("was given before", "UPDATE tokens_token SET number = %s WHERE id = %s", number, bala)
        refused("was given before", COPY, morning.patient("Chitra").id, number, "k2", bala)

    def test_two_in_the_room_are_refused(self, morning: Morning) -> None:
        asha, bala = morning.give("online", "Asha", 0), morning.give("online", "Bala", 1)
        morning.start(asha)
        refused("one_patient_with_the_doctor", "UPDATE tokens_token SET status = 'in_progress' WHERE id = %s", bala)

    def test_one_in_the_room_and_one_at_a_test_are_not(self, morning: Morning) -> None:
        asha, bala = morning.give("online", "Asha", 0), morning.give("online", "Bala", 1)
        morning.start(asha)
        morning.send_away(asha)
        write("UPDATE tokens_token SET status = 'in_progress' WHERE id = %s", bala)
        assert morning.status(asha, bala) == ["in_progress", "in_progress"]

    def test_two_slips_never_share_a_key(self, morning: Morning) -> None:
        asha, bala = morning.give("online", "Asha", 0), morning.give("online", "Bala", 1)
        key = morning.token(asha).key
        refused("token_key_once", "UPDATE tokens_token SET key = %s WHERE id = %s", key, bala)

    @pytest.mark.parametrize(("column", "value"), [("status", "lost"), ("source", "friend")])
    def test_words_that_nobody_knows_are_refused(self, morning: Morning, column: str, value: str) -> None:
        asha = morning.give("online", "Asha")
        refused(f"token_{column}_known", f"UPDATE tokens_token SET {column} = %s WHERE id = %s", value, asha)

    def test_the_source_paid_is_paid(self, morning: Morning) -> None:
        asha = morning.give("paid", "Asha")
        refused("source_paid_implies_paid", "UPDATE tokens_token SET paid = false WHERE id = %s", asha)


class TestHistory:
    @pytest.mark.parametrize("table", ["tokens_event", "tokens_supplyevent", "tokens_formernumber"])
    @pytest.mark.parametrize("verb", ["UPDATE {} SET id = id", "DELETE FROM {}"])
    def test_it_is_append_only(self, morning: Morning, table: str, verb: str) -> None:
        asha = morning.give("online", "Asha")
        morning.delay(10)
        morning.slots.append(morning.sitting(morning.rao, "17:00").slots.get())
        morning.move(asha, 4)
        assert rows(f"SELECT count(*) FROM {table}")[0][0] > 0
        refused("append-only", verb.format(table))

    def test_an_event_s_number_within_its_token_is_given_once(self, morning: Morning) -> None:
        asha = morning.give("online", "Asha")
        refused(
            "event_number_once_a_token",
            "INSERT INTO tokens_event (token_id, seq, session_id, kind, status, changes, at, reason)"
            " SELECT token_id, 1, session_id, kind, status, changes, at, '' FROM tokens_event"
            " WHERE token_id = %s LIMIT 1",
            asha,
        )

    def test_a_token_with_a_history_is_never_deleted(self, morning: Morning) -> None:
        asha = morning.give("online", "Asha")
        with pytest.raises(IntegrityError), transaction.atomic():
            Token.objects.filter(pk=asha).delete()

    def test_the_session_s_numbers_version_and_clock_never_go_back(self, morning: Morning) -> None:
        morning.give("online", "Asha")
        for change in ("last_number = 0", "version = 0", "last_event_at = last_event_at - interval '1 second'"):
            refused("never go back", f"UPDATE scheduling_session SET {change} WHERE id = %s", morning.session.id)

    @pytest.mark.parametrize("column", ["starts_at = starts_at - interval '1 hour'", "prefix = 'Z'", "date = date + 1"])
    def test_what_orders_locks_and_numbers_is_frozen_once_tokens_exist(self, morning: Morning, column: str) -> None:
        morning.give("online", "Asha")
        refused("frozen", f"UPDATE scheduling_session SET {column} WHERE id = %s", morning.session.id)
