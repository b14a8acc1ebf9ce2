"""The proof over REST: a small hospital is proved while one waits, a large one shows the last night's."""

from typing import Any

import pytest

from billing.actions.proofs import run_proof
from billing.models import ProofRun
from billing.queries import proofs
from billing.tests.house import rows
from billing.tests.till import Till

pytestmark = pytest.mark.django_db


@pytest.fixture
def till(monkeypatch: pytest.MonkeyPatch) -> Till:
    """A hospital with one movement of money more than are proved at once."""
    one = Till()
    for _ in range(3):
        one.bill()
    monkeypatch.setattr(proofs, "MOST_AT_ONCE", 2)
    return one


def shown(till: Till, **query: Any) -> dict[str, Any]:
    return till.get("ledger/proof/", role="manager", **query).json()


def break_something() -> None:
    rows("UPDATE billing_counter SET last = last + 1")


def test_a_large_hospital_is_told_what_was_found_last_night(till: Till) -> None:
    run = run_proof(facility_id=till.facility.pk)
    break_something()
    last, now = shown(till), shown(till, now="true")
    assert (last["balanced"], now["balanced"]) == (True, False)
    assert last["facilities"][0]["at"] == run.at.astimezone(till.facility.tz).isoformat()
    assert last["facilities"][0]["transactions"] == now["facilities"][0]["transactions"] == 3


def test_what_was_found_is_the_same_as_when_it_was_found(till: Till) -> None:
    break_something()
    found = shown(till, now="true")
    run_proof(facility_id=till.facility.pk)
    kept = shown(till)
    for answer in (found, kept):
        answer["facilities"][0].pop("at")
    assert kept == found


def test_a_large_hospital_without_a_night_is_proved_now(till: Till) -> None:
    break_something()
    assert not shown(till)["balanced"]
    assert not ProofRun.objects.exists()


def test_a_small_hospital_is_proved_now(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proofs, "MOST_AT_ONCE", 3)
    run_proof(facility_id=till.facility.pk)
    break_something()
    assert not shown(till)["balanced"]
