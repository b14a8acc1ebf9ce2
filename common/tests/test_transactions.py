"""The outermost transaction: run again when asked to, and never inside another."""

import pytest
from django.db import transaction

from common.errors import Busy
from common.transactions import ATTEMPTS, RunAgain, outermost


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
