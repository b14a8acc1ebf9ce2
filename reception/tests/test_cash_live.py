"""What an open cash desk hears: the list that all share, and one's own shift."""

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from reception.tests.cashing import CashDesk
from reception.tests.factories import text

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def desk() -> CashDesk:
    return CashDesk()


def parts(client: Client, tab: str = "pay") -> Any:
    """What the stream of an open page sends."""
    return client.get(f"/cash/stream/?tab={tab}").watch.read().parts  # type: ignore[attr-defined]


def test_the_page_begins_with_what_its_stream_sends(desk: CashDesk) -> None:
    bill = desk.owe("Sunita", "650")
    page = desk.meena.get("/cash/").content.decode()
    watch = desk.meena.get("/cash/stream/?tab=pay").watch  # type: ignore[attr-defined]
    assert f'data-seen="{watch.read().version}"' in page
    found = watch.read().parts
    assert f"bill-{bill.pk}" in found["cash-rows"]
    assert found[f"bill-{bill.pk}"] in page


def test_a_payment_moves_the_row_the_tabs_and_the_cashier_s_own_head_alone(desk: CashDesk) -> None:
    farah = desk.another()
    desk.open()
    desk.open(farah, drawer=1, amount="500")
    bill = desk.owe("Sunita", "650")
    before, of_farah = parts(desk.meena), parts(desk.browser_of(farah))
    desk.pay(bill, "650")
    after, then = parts(desk.meena), parts(desk.browser_of(farah))
    assert f"bill-{bill.pk}" in before
    assert f"bill-{bill.pk}" not in after
    assert "₹1,650.00" in after["cash-shift"]
    assert of_farah["cash-shift"] == then["cash-shift"]
    assert "Paid today <span>1</span>" in then["cash-tabs"]


def test_two_cashiers_share_one_list_and_nobody_else_s_head(desk: CashDesk) -> None:
    desk.open()
    watches = [
        client.get("/cash/stream/?tab=pay").watch  # type: ignore[attr-defined]
        for client in (desk.meena, desk.meena, desk.browser_of(desk.another()))
    ]
    assert watches[0].key == watches[1].key
    assert watches[0].key != watches[2].key


def test_a_day_that_is_over_asks_the_page_to_open_anew(desk: CashDesk) -> None:
    assert desk.meena.get("/cash/stream/?tab=pay&today=2020-01-01").status_code == 410


def test_a_manager_sees_the_open_shifts_and_closes_one_that_was_forgotten(desk: CashDesk) -> None:
    shift = desk.open()
    manager = desk.client("manager")
    page = text(manager.get("/cash/"))
    assert "Meena Pillai Drawer 1 Shift 1 Since" in page
    assert "Cash expected ₹1,000.00" in text(manager.get(f"/cash/?do=close&shift={shift.pk}"))
    answer = desk.send("/cash/shifts/close/", manager, shift=shift.pk, n_500="2")
    assert "Z report" in text(manager.get(answer["Location"]))
    shift.refresh_from_db()
    assert shift.difference == Decimal(0)


def test_who_takes_money_finds_the_way_there_and_others_do_not(desk: CashDesk) -> None:
    link = 'href="/cash/"'
    assert link in desk.meena.get("/desk/").content.decode()
    assert link not in desk.client("doctor").get("/desk/").content.decode()
