"""Trips: several statements in one round trip, inside the transaction that is open."""

import threading

import pytest
from django.db import DataError, IntegrityError, connection, connections, transaction
from django.db.transaction import TransactionManagementError

from common.testing.races import PATIENCE
from common.trips import Trip


def send(*statements: str) -> list[list[tuple[object, ...]]]:
    trip = Trip()
    for statement in statements:
        trip.add(statement)
    return trip.send()


@pytest.mark.django_db
class TestATrip:
    def test_it_answers_each_statement_in_its_order(self) -> None:
        trip = Trip()
        assert trip.add("SELECT %s::int + 1", (1,)) == 0
        assert trip.add("CREATE TEMP TABLE notes (id int)") == 1
        assert trip.add("INSERT INTO notes VALUES (%s), (%s)", (7, 8)) == 2
        assert trip.add("SELECT id FROM notes ORDER BY id") == 3
        assert trip.send() == [[(2,)], [], [], [(7,), (8,)]]

    def test_it_is_one_round_trip_however_many_statements(self) -> None:
        before = Trip.sent
        send(*["SELECT 1"] * 20)
        assert Trip.sent == before + 1

    def test_what_the_first_failing_statement_raised_is_raised_as_django_s_own(self) -> None:
        with pytest.raises(DataError), transaction.atomic():
            send("SELECT 1", "SELECT 1 / 0", "SELECT 2")
        assert send("SELECT 3") == [[(3,)]]

    def test_nothing_of_a_failed_trip_stays(self) -> None:
        send("CREATE TEMP TABLE once (id int PRIMARY KEY)")
        with pytest.raises(IntegrityError), transaction.atomic():
            send("INSERT INTO once VALUES (1)", "INSERT INTO once VALUES (1)")
        assert send("SELECT count(*) FROM once") == [[(0,)]]

    def test_a_statement_after_the_failed_one_is_not_done(self) -> None:
        send("CREATE SEQUENCE trip_probe")
        with pytest.raises(DataError), transaction.atomic():
            send("SELECT 1 / 0", "SELECT nextval('trip_probe')")
        assert send("SELECT is_called FROM trip_probe") == [[(False,)]]

    def test_the_same_statement_again_and_again_is_prepared_once(self) -> None:
        for number in range(5):
            trip = Trip()
            trip.add("SELECT %s::int AS trip_probe", (number,))
            assert trip.send() == [[(number,)]]
        found = send("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'SELECT $1%%probe'")
        assert found == [[(1,)]]


@pytest.mark.django_db(transaction=True)
class TestTripsAndTransactions:
    def test_without_a_transaction_it_is_refused(self) -> None:
        with pytest.raises(TransactionManagementError):
            Trip()

    def test_a_read_behind_a_lock_in_the_same_trip_sees_what_the_lock_made_it_wait_for(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE trip_counter (id int, value int)")
            cursor.execute("INSERT INTO trip_counter VALUES (1, 0)")
        try:
            self.wait_behind_the_lock()
        finally:
            with connection.cursor() as cursor:
                cursor.execute("DROP TABLE trip_counter")

    def wait_behind_the_lock(self) -> None:
        seen: list[object] = []

        def second() -> None:
            try:
                with transaction.atomic():
                    lock = "SELECT id FROM trip_counter WHERE id = 1 FOR NO KEY UPDATE"
                    seen.extend(send(lock, "SELECT value FROM trip_counter WHERE id = 1"))
            finally:
                connections.close_all()

        thread = threading.Thread(target=second, daemon=True)
        with transaction.atomic():
            send("SELECT id FROM trip_counter WHERE id = 1 FOR NO KEY UPDATE")
            thread.start()
            waiting = "SELECT 1 FROM pg_locks WHERE NOT granted AND pid <> pg_backend_pid() LIMIT 1"
            deadline = threading.Event()
            timer = threading.Timer(PATIENCE, deadline.set)
            timer.start()
            while not send(waiting)[0]:
                assert not deadline.is_set(), "nobody waits for the lock"
            timer.cancel()
            send("UPDATE trip_counter SET value = 42 WHERE id = 1")
        thread.join(PATIENCE)
        assert seen == [[(1,)], [(42,)]]
