"""Bodies as mobile clients send them: every name there is, null where they have nothing to say."""

from typing import Any

import pytest

from billing.tests.till import Till, made

pytestmark = pytest.mark.django_db


@pytest.fixture
def till() -> Till:
    return Till()


NOTHING = {"discount": None, "discount_reason": None, "item_type": None, "item_id": None}


def test_a_bill_with_null_for_what_it_has_not(till: Till) -> None:
    line = {"description": "Dressing", "quantity": 1, "unit_price": "150.00", **NOTHING}
    about = {"discount": None, "discount_reason": None, "billable_type": None, "billable_id": None, "about": None}
    bill = made(till.post("bills/", {"patient": till.patient().pk, "lines": [line], **about}))
    assert (bill["total"], bill["billable_type"], bill["billable_id"], bill["about"]) == ("150.00", "", None, "")
    assert (bill["lines"][0]["item_type"], bill["lines"][0]["discount_reason"]) == ("", "")


def test_a_discount_needs_its_reason_all_the_same(till: Till) -> None:
    line = {"description": "Dressing", "quantity": 1, "unit_price": "150.00", **NOTHING, "discount": "10.00"}
    refused = till.post("bills/", {"patient": till.patient().pk, "lines": [line]})
    assert (refused.status_code, refused.json()["errors"][0]["attr"]) == (400, "discount_reason")


def test_cash_with_null_for_its_reference(till: Till) -> None:
    till.open()
    bill = till.bill()
    paid = made(till.pay(bill, "10.00", reference=None, tendered=None))
    assert (paid["reference"], paid["tendered"]) == ("", "10.00")
    several = [{"method": "cash", "amount": "5.00", "reference": None}]
    alone = {"method": None, "amount": None, "reference": None}
    refused = till.post(f"bills/{bill['id']}/payments/", {"tenders": several, **alone})
    assert [error["attr"] for error in refused.json()["errors"]] == ["method", "amount"]
    made(till.post(f"bills/{bill['id']}/payments/", {"tenders": several, "reference": None}))


@pytest.mark.parametrize(
    "body",
    [
        {"counted": "550.00"},
        {"counted": 550},
        {"counts": {"500": 1, "50": 1}},
        {"counted": {"500": 1, "50": 1}},
        {"counted": {"500": 1, "50": 1}, "counts": None, "reason": None},
        {"counted": "550.00", "counts": {"500": 1, "50": 1}},
    ],
)
def test_a_drawer_counted_as_an_amount_or_by_note_and_coin(till: Till, body: dict[str, Any]) -> None:
    shift = till.open(amount="550.00")
    closed = till.post(f"shifts/{shift['id']}/close/", body)
    assert closed.status_code == 200, closed.content
    by_note = any(isinstance(value, dict) for value in body.values())
    assert closed.json()["counts"] == ({"500": 1, "50": 1} if by_note else {})
    assert (closed.json()["counted"], closed.json()["difference"]) == ("550.00", "0.00")


@pytest.mark.parametrize("counted", [{}, {"500": -1}, {"note": 1}, {"500": "x"}, [500], {"300": 1}])
def test_a_count_that_is_none_is_refused(till: Till, counted: Any) -> None:
    shift = till.open(amount="500.00")
    refused = till.post(f"shifts/{shift['id']}/close/", {"counted": counted, "reason": "Counted"})
    assert refused.status_code == 400
