"""The outermost transaction: run again when asked to or cut off, and never inside another."""

import threading
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connection, transaction

from common.errors import Busy
from common.testing.races import PATIENCE, Outcomes, race
from common.transactions import ATTEMPTS, RunAgain, outermost

DEADLOCK, LOCK_NOT_AVAILABLE = "40P01", "55P03"


@pytest.mark.django_db(transaction=True)
def test_work_that_asks_for_it_is_run_again_from_the_start() -> None:
    runs = []

    def work() -> str:
        runs.append(1)
        if len(runs) < ATTEMPTS:
            raise RunAgain
        return "done"

    assert outermost(work) == "done"
    assert len(runs) == ATTEMPTS


@pytest.mark.django_db(transaction=True)
def test_work_that_never_settles_is_busy() -> None:
    def work() -> None:
        raise RunAgain

    with pytest.raises(Busy):
        outermost(work)


@pytest.mark.django_db(transaction=True)
def test_it_refuses_to_be_an_inner_one() -> None:
    with transaction.atomic(), pytest.raises(RuntimeError):
        outermost(lambda: None)


def refused(sqlstate: str) -> OperationalError:
    """What Django raises where PostgreSQL says this."""
    error = OperationalError(sqlstate)
    error.__cause__ = psycopg.errors.lookup(sqlstate)()
    return error


@pytest.mark.parametrize("sqlstate", [DEADLOCK, "40001"])
def test_who_is_cut_off_every_time_is_told_that_it_is_busy(transactional_db: None, sqlstate: str) -> None:
    runs = []

    def work() -> None:
        runs.append(1)
        raise refused(sqlstate)

    with pytest.raises(Busy):
        outermost(work)
    assert len(runs) == ATTEMPTS


@pytest.mark.parametrize("error", [refused(LOCK_NOT_AVAILABLE), OperationalError("the connection is lost")])
def test_a_lock_that_is_not_free_in_time_and_a_lost_connection_are_not_tried_again(
    transactional_db: None, error: OperationalError
) -> None:
    runs = []

    def work() -> None:
        runs.append(1)
        raise error

    with pytest.raises(OperationalError):
        outermost(work)
    assert len(runs) == 1


class TestTwoWhoWaitForEachOther:
    """Each holds what the other one wants, over two real connections."""

    def requests(self, **options: Any) -> Outcomes:
        with connection.cursor() as cursor:
            cursor.execute(
                "CREATE TABLE seats (id int PRIMARY KEY, taken int); INSERT INTO seats VALUES (1, 0), (2, 0)"
            )
        self.runs: list[int] = []
        self.followed: list[int] = []
        self.gate, self.finished = threading.Barrier(2, timeout=PATIENCE), threading.Event()
        try:
            done = race([lambda: self.both(1, 2), lambda: self.both(2, 1)], **options)
            with connection.cursor() as cursor:
                cursor.execute("SELECT taken FROM seats ORDER BY id")
                self.taken = [row[0] for row in cursor.fetchall()]
        finally:
            with connection.cursor() as cursor:
                cursor.execute("DROP TABLE seats")
        return done

    def both(self, first: int, second: int) -> int:
        def work() -> int:
            self.runs.append(first)
            transaction.on_commit(lambda: self.followed.append(first))
            if self.runs.count(first) > 1:
                self.finished.wait(PATIENCE)
            self.take(first)
            if self.runs.count(first) == 1:
                self.gate.wait()
            self.take(second)
            return first

        try:
            return outermost(work)
        finally:
            self.finished.set()

    def take(self, seat: int) -> None:
        with connection.cursor() as cursor:
            cursor.execute("UPDATE seats SET taken = taken + 1 WHERE id = %s", [seat])

    def test_are_both_done_once(self, transactional_db: None) -> None:
        done = self.requests(again=True)
        assert done.values == [1, 2], done.raised
        assert sorted(self.runs) in ([1, 1, 2], [1, 2, 2])
        assert self.taken == [2, 2]
        assert sorted(self.followed) == [1, 2]

    def test_control_where_nothing_is_run_again_one_fails(self, transactional_db: None) -> None:
        done = self.requests()
        assert [getattr(error.__cause__, "sqlstate", None) for error in done.raised] == [DEADLOCK]
        assert self.taken == [1, 1]
        assert self.followed == done.returned
