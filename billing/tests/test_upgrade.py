"""A hospital from before the rules on references and refunds is brought up to date, also where a step fails."""

from importlib import import_module
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError

from billing.tests.house import House, card, rows

REFERENCES = import_module("billing.migrations.0009_references_however_written")


def taken_before(reference: str) -> None:
    """The payment "ab 12" once more, written otherwise, as nothing hindered it then."""
    found = rows("SELECT column_name FROM information_schema.columns WHERE table_name = 'billing_payment'")
    names = [name for (name,) in found if name not in ("id", "reference")]
    rows(
        f"INSERT INTO billing_payment (reference, {', '.join(names)})"
        f" SELECT %s, {', '.join(names)} FROM billing_payment WHERE reference = 'ab 12'",
        reference,
    )


@pytest.mark.django_db(transaction=True)
def test_a_near_duplicate_between_mark_and_index_is_marked_when_it_runs_again(monkeypatch: pytest.MonkeyPatch) -> None:
    house = House()
    house.pay(house.bill("650"), card("50", "ab 12"))
    call_command("migrate", "billing", "0006", verbosity=0)
    taken_before("AB12")
    marking, marks = REFERENCES.Migration.operations[0], REFERENCES.mark

    def while_the_desk_goes_on(*state: Any) -> None:
        marks(*state)
        taken_before("Ab1 2")

    with monkeypatch.context() as patched:
        patched.setattr(marking, "code", while_the_desk_goes_on)
        with pytest.raises(IntegrityError, match=REFERENCES.INDEX):
            call_command("migrate", verbosity=0)
    call_command("migrate", verbosity=0)
    assert rows("SELECT indisvalid FROM pg_index WHERE indexrelid = %s::regclass", REFERENCES.INDEX) == [(True,)]
    marked = rows("SELECT reference, reference_doubled FROM billing_payment ORDER BY id")
    assert marked == [("ab 12", False), ("AB12", True), ("Ab1 2", True)]
