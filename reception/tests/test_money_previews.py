"""What a change of supply would do with bills stands in its preview over REST, and is done as it was said."""

from typing import Any

import pytest

from accounts.models import Permission, Role
from reception.tests.money import Till
from tokens.models import Token

pytestmark = pytest.mark.django_db


def ask(till: Till, address: str, **body: Any) -> dict[str, Any]:
    """What the API answers to the desk."""
    answer = till.asha.post(f"/api/v1/{address}", body, content_type="application/json")
    assert answer.status_code == 200, answer.content
    return answer.json()


def of_dr_rao(till: Till, paid: int) -> list[Token]:
    """So many patients who paid by UPI, and one who did not yet."""
    tokens = [till.give(f"Patient {n}", slot=2) for n in range(paid + 1)]
    for token in tokens[:-1]:
        till.pay(till.live(token))
    return tokens


def test_the_doctor_leaves_and_six_have_paid() -> None:
    till = Till(capacity=7)
    *paid, unpaid = of_dr_rao(till, 6)
    address = f"sessions/{till.session.pk}/cancel/"
    plan = ask(till, address, reason="Dr Rao left", dry_run=True)["plan"]
    assert plan["money"] == {
        "currency": "INR",
        "back": "3600.00",
        "refunds": [{"token": token.pk, "amount": "600.00"} for token in paid],
        "sentences": [
            "₹3,600.00 of 6 paid bills goes back by UPI at the cash desk.",
            "1 unpaid bill becomes void.",
        ],
    }
    assert till.states(paid[0]) == [("paid", 600, 0, 600)]
    done = ask(till, address, reason="Dr Rao left", version=plan["version"])["plan"]
    assert done["applied"]
    assert "money" not in done
    assert {till.live(token) for token in paid} == {None}
    assert sum(till.bills(token)[0].to_give_back for token in paid) == 3600
    assert till.states(unpaid) == [("void", 600, 0, 0)]
    till.balanced()


def test_a_slot_that_is_cut_says_it_too() -> None:
    till = Till(capacity=2, when_displaced="credit")
    first, last = till.give("Ravi", slot=2), till.give("Sita", slot=2)
    for token in (first, last):
        till.pay(till.live(token))
    plan = ask(till, f"slots/{till.slots[2].pk}/capacity/", capacity=1, dry_run=True)
    assert plan["money"]["refunds"] == [{"token": last.pk, "amount": "600.00"}]


def test_who_may_not_see_bills_is_told_nothing_of_money() -> None:
    till = Till()
    of_dr_rao(till, 1)
    Role.objects.get(slug="reception").permissions.remove(Permission.objects.get(code="billing.view"))
    plan = ask(till, f"sessions/{till.session.pk}/cancel/", reason="Ill", dry_run=True)["plan"]
    assert len(plan["effects"]) == 2
    assert plan["money"] is None
