"""Why something was done is kept, as far as the history has room: more is refused in words, and nothing happens."""

from collections.abc import Callable

import pytest

from billing.errors import ReasonNeeded, ReasonTooLong
from billing.models import Bill, CreditNote, Refund, Shift
from billing.reasons import LONGEST, reason_of
from billing.tests.house import House

pytestmark = pytest.mark.django_db

Deed = Callable[[House, str], object]


def void(house: House, reason: str) -> object:
    return house.void(house.bill("100"), reason=reason)


def credit(house: House, reason: str) -> object:
    return house.credit(house.bill("100"), "10", reason=reason)


def refund(house: House, reason: str) -> object:
    house.open()
    bill = house.bill("100")
    house.pay(bill, "100")
    return house.refund(house.payments(bill)[0], "10", reason=reason)


def close(house: House, reason: str) -> object:
    return house.close(house.open(), "990", reason)


@pytest.mark.parametrize("deed", [void, credit, refund, close])
def test_a_reason_without_room_is_refused_and_nothing_has_changed(deed: Deed) -> None:
    with pytest.raises(ReasonTooLong) as refusal:
        deed(House(), "x" * (LONGEST + 1))
    assert (refusal.value.code, refusal.value.status, refusal.value.attr) == ("max_length", 400, "reason")
    assert not Bill.objects.filter(status="void").exists()
    assert not CreditNote.objects.exists()
    assert not Refund.objects.exists()
    assert not Shift.objects.exclude(closed_at=None).exists()


@pytest.mark.parametrize("deed", [void, credit, refund, close])
def test_the_longest_reason_is_kept_without_the_spaces_around_it(deed: Deed) -> None:
    deed(House(), f"  {'x' * LONGEST}  ")
    kept = [*Bill.objects.values_list("void_reason", flat=True), *CreditNote.objects.values_list("reason", flat=True)]
    kept += [*Refund.objects.values_list("reason", flat=True), *Shift.objects.values_list("reason", flat=True)]
    assert "x" * LONGEST in kept


def test_a_reason_that_may_be_left_out() -> None:
    assert reason_of("  ", needed=False) == ""
    with pytest.raises(ReasonNeeded):
        reason_of("  ")
