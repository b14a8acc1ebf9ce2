"""A bad line at the cash desk: a lost answer is said, and pressed again there is one deed and its first answer."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from billing.models import Bill, CashMovement, CreditNote, Payment, Refund, Shift
from common.testing.browser import Browsing
from reception.tests.cashing import CashDesk

pytestmark = pytest.mark.django_db(transaction=True)

AGAIN = "No answer came. Press again: it is done once, however often it is sent."


@dataclass(frozen=True)
class Deed:
    """A form of the cash desk.

    Attributes:
        ready: makes what it is about, and says the address that asks.
        typed: what is filled in, by name.
        sent: where it goes.
        done: how often it was done.
        then: what the page shows when the answer came.
    """

    ready: Callable[[CashDesk], str]
    typed: dict[str, str]
    sent: str
    done: Callable[[], int]
    then: tuple[str, str]


def _paid(desk: CashDesk) -> str:
    return f"/cash/?do=refund&receipt={desk.pay(desk.owe('Sunita', '650'), '650').pk}"


def _new(desk: CashDesk) -> str:
    return f"/cash/?do=bill&patient={desk.patient('Sunita Deshpande').pk}"


def _credited(desk: CashDesk) -> str:
    bill = desk.owe("Sunita", "650")
    desk.pay(bill, "650")
    desk.credit(bill, "200")
    return f"/cash/?do=back&bill={bill.pk}"


DEEDS = {
    "a refund": Deed(
        _paid,
        {"reason": "Paid twice"},
        "**/payments/refund/",
        lambda: Refund.objects.count() + CreditNote.objects.count() - 1,
        ("#drawer", "Give to the patient"),
    ),
    "what goes back": Deed(_credited, {}, "**/bills/give-back/", Refund.objects.count, ("#drawer", "₹200.00")),
    "an advance": Deed(
        lambda desk: f"/cash/?do=advance&patient={desk.patient('Sunita Deshpande').pk}",
        {"amount": "500"},
        "**/cash/account/",
        Payment.objects.count,
        ("#drawer", "Taken. No change to give."),
    ),
    "a new bill": Deed(_new, {"price": "ECG, ₹350.00"}, "**/cash/bills/", Bill.objects.count, ("#drawer", "₹350.00")),
    "a void": Deed(
        lambda desk: f"/cash/?do=void&bill={desk.owe('Sunita', '650').pk}",
        {"reason": "Wrong patient"},
        "**/bills/void/",
        Bill.objects.filter(status="void").count,
        ("#toasts", "is void."),
    ),
    "cash that is moved": Deed(
        lambda desk: "/cash/?do=move",
        {"amount": "400"},
        "**/shifts/move/",
        CashMovement.objects.count,
        ("#cash-shift", "₹600.00"),
    ),
    "a shift that is closed": Deed(
        lambda desk: "/cash/?do=close",
        {"n_500": "2"},
        "**/shifts/close/",
        Shift.objects.exclude(closed_at=None).count,
        (".sheet", "Z report"),
    ),
}


def answered_by_nobody(route: Route) -> None:
    """The server does what it was asked, and nobody hears that it did."""
    route.fetch()
    route.abort()


def type_in(page: Page, typed: dict[str, str]) -> None:
    """Fill the form in."""
    for name, value in typed.items():
        field = page.locator(f"#drawer [name={name}]:visible")
        if name == "price":
            field.first.select_option(label=value)
        else:
            field.fill(value)


@pytest.mark.parametrize("deed", DEEDS.values(), ids=DEEDS.keys())
def test_an_answer_that_is_lost_is_said_and_comes_when_it_is_sent_again(browsing: Browsing, deed: Deed) -> None:
    desk = CashDesk()
    desk.open()
    page = browsing.open(deed.ready(desk), routed=True, user=desk.cashier)
    expect(page.locator("#live")).to_have_text("Live")
    notes, button = page.locator("#messages [role=alert]"), page.locator("#drawer form button[type=submit]")
    type_in(page, deed.typed)
    page.route(deed.sent, answered_by_nobody)
    button.click()
    expect(notes).to_contain_text(AGAIN)
    expect(button).to_be_enabled()
    assert deed.done() == 1
    assert _still(page, deed.typed)

    page.unroute(deed.sent)
    button.click()
    place, words = deed.then
    expect(page.locator(place)).to_contain_text(words)
    assert deed.done() == 1


def _still(page: Page, typed: dict[str, str]) -> Any:
    """Whether all that was filled in stands there still."""
    return page.evaluate(
        "(names) => names.every((name) => document.querySelector(`#drawer [name=${name}]`).value !== '')", list(typed)
    )
