"""Money that is sent for twice over a bad line moves once."""

from typing import Any

import pytest

from billing.models import Payment, Refund
from billing.tests.till import Till, code, made

pytestmark = pytest.mark.django_db

ONCE = [{"HTTP_IDEMPOTENCY_KEY": "press-1"}, {"HTTP_IF_MATCH": '"2"'}]


@pytest.fixture
def till() -> Till:
    one = Till()
    one.open()
    return one


def pay_in_cash(till: Till, bill: dict[str, Any], **headers: Any) -> Any:
    return till.post(f"bills/{bill['id']}/payments/", {"method": "cash", "amount": "100.00"}, **headers)


@pytest.mark.parametrize("headers", ONCE)
def test_a_part_in_cash(till: Till, headers: dict[str, str]) -> None:
    bill = till.bill()
    first, second = pay_in_cash(till, bill, **headers), pay_in_cash(till, bill, **headers)
    assert first.status_code == 201
    assert second.status_code in (201, 412)
    assert Payment.objects.count() == 1


def test_without_either_it_is_two_payments(till: Till) -> None:
    bill = till.bill()
    assert [pay_in_cash(till, bill).status_code for _ in range(2)] == [201, 201]
    assert till.shown(bill)["paid"] == "200.00"


@pytest.mark.parametrize("headers", [ONCE[0], {"HTTP_IF_MATCH": '"3"'}])
def test_a_part_given_back(till: Till, headers: dict[str, str]) -> None:
    bill = till.bill()
    payment = till.paid(bill, "650.00")["payments"][0]
    asked = {"amount": "100.00", "reason": "too much"}
    first, second = [till.post(f"payments/{payment['id']}/refund/", asked, **headers) for _ in range(2)]
    assert made(first)["refundable"] == "550.00"
    assert first.headers["ETag"] == '"4"'
    assert second.status_code in (201, 412)
    assert Refund.objects.count() == 1


@pytest.mark.parametrize("verb", ["credit", "give-back"])
def test_what_was_read_before_is_old(till: Till, verb: str) -> None:
    bill = till.bill()
    till.paid(bill, "650.00")
    made(till.post(f"bills/{bill['id']}/credit/", {"amount": "100.00", "reason": "not done"}, HTTP_IF_MATCH='"3"'))
    body = {"amount": "100.00", "reason": "not done"} if verb == "credit" else {"reason": "not done"}
    again = till.post(f"bills/{bill['id']}/{verb}/", body, HTTP_IF_MATCH='"3"')
    assert (again.status_code, code(again)) == (412, "precondition_failed")
    assert till.shown(bill)["due"] == "-100.00"


STEPS = [
    ("bills/{bill}/issue/", {}),
    ("bills/{bill}/payments/", {"method": "cash", "amount": "100.00"}),
    ("payments/{payment}/refund/", {"amount": "40.00", "reason": "too much"}),
    ("bills/{bill}/credit/", {"amount": "600.00", "reason": "not done"}),
    ("bills/{bill}/give-back/", {"reason": "not done"}),
]


def test_what_comes_again_is_the_first_answer_whole(till: Till) -> None:
    bill = till.ask(draft=True).json()["id"]
    payment, tags = 0, []
    for at, (path, body) in enumerate(STEPS):
        address = path.format(bill=bill, payment=payment)
        first, again = [till.post(address, body, HTTP_IDEMPOTENCY_KEY=f"step-{at}") for _ in range(2)]
        assert (again.status_code, again.content) == (first.status_code, first.content)
        assert dict(again.headers) == {**first.headers, "Idempotency-Replayed": "true"}
        payment = payment or first.json().get("payments", [{"id": 0}])[0]["id"]
        tags.append(again.headers["ETag"])
    assert tags == [f'"{version}"' for version in range(2, 7)]
