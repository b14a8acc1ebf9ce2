"""What becomes of money is said before it is done, and done as it was said."""

from decimal import Decimal

import pytest

from common.transactions import outermost
from reception.money.queries import before_cancelling
from reception.tests.factories import text
from reception.tests.money import Till
from tokens import allocation
from tokens.models import Token

pytestmark = pytest.mark.django_db


def paid(till: Till, *, slot: int = 2, amount: int | None = None, method: str = "upi") -> Token:
    token = till.give("Ravi", slot=slot, arrived=True)
    till.pay(till.live(token), amount, method)
    return Token.objects.select_related("session").get(pk=token.pk)


class TestBeforeCancelling:
    """The last slot begins in an hour and a half."""

    @pytest.mark.parametrize(
        ("rules", "said", "back"),
        [
            ({"refund_full_hours": 1}, "₹600.00 goes back by UPI at the cash desk.", 600),
            (
                {"refund_full_hours": 2},
                "₹300.00 of ₹600.00 goes back by UPI at the cash desk: the slot begins in less than 2 hours.",
                300,
            ),
            (
                {"refund_full_hours": 2, "refund_later_percent": 0},
                "Nothing is given back: the slot begins in less than 2 hours.",
                0,
            ),
        ],
    )
    def test_it_is_done_as_it_was_said(self, rules: dict[str, int], said: str, back: int) -> None:
        till = Till(**rules)
        token = paid(till)
        assert before_cancelling(token) == [said]
        outermost(lambda: allocation.cancel_token(token_id=token.pk, reason="Patient asked", by=None))
        assert till.bills(token)[0].to_give_back == back

    def test_several_ways_are_named_each(self) -> None:
        till = Till(refund_full_hours=1)
        till.open_shift()
        token = paid(till, amount=200)
        till.pay(till.live(token), 400, "cash")
        assert before_cancelling(token) == ["₹600.00 goes back in cash (₹400.00), by UPI (₹200.00) at the cash desk."]

    def test_an_unpaid_bill_becomes_void(self) -> None:
        till = Till()
        token = till.give("Ravi")
        token = Token.objects.select_related("session").get(pk=token.pk)
        number = till.live(token).number
        assert before_cancelling(token) == [f"Bill {number} of ₹600.00 becomes void."]

    def test_who_was_not_billed_hears_nothing(self) -> None:
        till = Till()
        token = Token.objects.select_related("session").get(pk=till.give("Ravi", "online", arrived=False).pk)
        assert before_cancelling(token) == []


class TestOnTheDesk:
    def test_the_drawer_and_the_row_and_the_bar_say_it_to_who_may_see_money(self) -> None:
        till = Till()
        token = till.give("Ravi")
        drawer = till.asha.get(f"/desk/?token={token.pk}&do=cancel")
        assert "becomes void" in text(drawer)
        assert text(drawer).count("₹600 due") == 2  # the row and the bar
        page = till.asha.get(f"/desk/tokens/{token.pk}/")
        assert "₹600.00 due" in text(page)
        plain = till.client("doctor").get(f"/desk/?token={token.pk}")
        assert "₹600" not in text(plain)

    def test_who_takes_money_has_a_way_to_the_cash_desk(self) -> None:
        till = Till()
        token = till.give("Ravi")
        link = f"/cash/?token={token.pk}"
        assert link in till.client("billing-staff").get(f"/desk/tokens/{token.pk}/").content.decode()
        assert link not in till.asha.get(f"/desk/tokens/{token.pk}/").content.decode()

    def test_a_plan_says_what_goes_back(self) -> None:
        till = Till(capacity=3)
        paid(till)
        till.give("Sita", slot=2)
        page = till.asha.get(f"/desk/sessions/{till.session.pk}/?do=cancel")
        assert "₹600.00 of 1 paid bill goes back at the cash desk. 1 unpaid bill becomes void." in text(page)

    def test_paying_changes_the_row(self) -> None:
        till = Till()
        token = till.give("Ravi")
        assert "₹600 due" in text(till.asha.get("/desk/"))
        till.pay(till.live(token), 200)
        assert "₹400 due" in text(till.asha.get("/desk/"))
        till.pay(till.live(token))
        assert " due" not in text(till.asha.get("/desk/"))
        assert till.live(token).paid == Decimal(600)


class TestThePatientsPage:
    def test_says_what_goes_back(self) -> None:
        till = Till(refund_full_hours=1)
        token = till.give("Ravi", "online", slot=2, arrived=False)
        till.arrive(token)
        till.pay(till.live(token))
        key = Token.objects.get(pk=token.pk).key
        assert "₹600.00 goes back by UPI at the cash desk." in text(till.asha.get(f"/t/{key}/cancel/"))
