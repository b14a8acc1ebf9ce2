"""What becomes of money is said before it is done, and done as it was said."""

from decimal import Decimal

import pytest

from accounts.models import Permission, Role
from common.transactions import outermost
from reception.money.queries import SEE, before_cancelling
from reception.tests.factories import text
from reception.tests.money import Till
from tokens import allocation, supply
from tokens.models import Token

pytestmark = pytest.mark.django_db


def paid(till: Till, *, slot: int = 2, amount: int | None = None, method: str = "upi") -> Token:
    token = till.give("Ravi", slot=slot, arrived=True)
    till.pay(till.live(token), amount, method)
    return Token.objects.select_related("session").get(pk=token.pk)


def keep_from_money(role: str) -> None:
    """Whoever has the role sees no bills any more."""
    Role.objects.get(slug=role).permissions.remove(Permission.objects.get(code=SEE))


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

    def test_a_plan_says_what_goes_back_in_all_and_to_whom(self) -> None:
        till = Till(capacity=4)
        till.open_shift()
        first = paid(till)
        for name, method in (("Mohan", "cash"), ("Lata", "upi")):
            till.pay(till.live(till.give(name, slot=2)), method=method)
        unpaid = till.give("Sita", slot=2)
        page = text(till.asha.get(f"/desk/sessions/{till.session.pk}/?do=cancel"))
        ways = "by UPI (₹1,200.00), in cash (₹600.00)"
        assert f"₹1,800.00 of 3 paid bills goes back {ways} at the cash desk. 1 unpaid bill becomes void." in page
        assert page.count("₹600.00 goes back") == 3
        assert "goes back" not in page[page.index(unpaid.number) :].split("↵")[0]
        keep_from_money("reception")
        plain = text(till.asha.get(f"/desk/sessions/{till.session.pk}/?do=cancel"))
        assert "Who loses the place" in plain
        assert "goes back" not in plain
        outermost(lambda: supply.cancel_session(session_id=till.session.pk, reason="Dr Rao left", by=None))
        assert [till.bills(token)[0].to_give_back for token in (first, unpaid)] == [600, 0]

    @pytest.mark.parametrize(
        ("when_displaced", "amount", "said", "then"),
        [
            ("credit", 600, "waits again. ₹600.00 goes back by UPI at the cash desk.", ("paid", 600, 600, 600)),
            ("keep", 600, "waits again.", ("paid", 600, 0, 600)),
            ("keep", 200, "waits again. ₹200.00 goes back by UPI at the cash desk.", ("paid", 600, 600, 200)),
            ("keep", 0, "waits again. Bill %s of ₹600.00 becomes void.", ("void", 600, 0, 0)),
        ],
    )
    def test_whose_place_a_new_token_takes_stands_beside_the_choice_with_what_becomes_of_the_money(
        self, when_displaced: str, amount: int, said: str, then: tuple[str, int, int, int]
    ) -> None:
        till = Till(capacity=1, when_displaced=when_displaced)
        token = till.give("Ravi", slot=2)
        bill = till.live(token)
        if amount:
            till.pay(bill, amount)
        sita = till.patient("Sita")
        drawer = text(till.asha.get(f"/desk/?patient={sita.pk}&source=emergency"))
        sentence = f"{token.number} {said.replace('%s', bill.number)}"
        assert sentence in drawer
        assert ("goes back" in drawer, "becomes void" in drawer) == ("goes back" in said, "becomes void" in said)
        keep_from_money("reception")
        plain = text(till.asha.get(f"/desk/?patient={sita.pk}&source=emergency"))
        assert f"{token.number} waits again." in plain
        assert ("goes back" in plain, "becomes void" in plain) == (False, False)
        wish = {"patient_id": sita.pk, "source": "emergency", "slot_id": till.slots[2].pk}
        outermost(lambda: allocation.request_token(**wish, by=None))
        assert till.states(token) == [then]

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
