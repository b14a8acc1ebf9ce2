"""The shifts of the day: who has which drawer, for whoever sees and closes those of others."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from billing.models import Shift
from reception.cash.shifts import rows_of
from reception.tests.cashing import CashDesk
from reception.tests.factories import text

pytestmark = pytest.mark.django_db(transaction=True)

MOST_QUERIES = 12


@pytest.fixture
def desk() -> CashDesk:
    return CashDesk()


@pytest.fixture
def vikram(desk: CashDesk) -> Client:
    """A manager, who takes no money and sees the shifts of all."""
    return desk.client("manager")


def test_a_manager_finds_the_way_there_and_lands_on_the_shifts(desk: CashDesk, vikram: Client) -> None:
    desk.open()
    farah = desk.another()
    desk.open(farah, drawer=1, amount="500")
    desk.pay(desk.owe("Sunita", "650"), "650", by=farah)
    assert 'href="/cash/"' in vikram.get("/overview/").content.decode()
    page = text(vikram.get("/cash/"))
    assert "2 shifts are open" in page
    assert "Shifts 2" in page
    assert "Farah Khan Drawer 2 Shift 2 Since" in page
    assert "Open ₹650.00" in page
    assert "Meena Pillai Drawer 1 Shift 1 Since" in page
    assert "Open ₹0.00" in page


def test_a_shift_is_read_and_closed_by_who_may(desk: CashDesk, vikram: Client) -> None:
    shift = desk.open()
    desk.pay(desk.owe("Sunita", "650"), "650")
    desk.pay(desk.owe("Abdul", "300"), "300", "upi", reference="U-1")
    page = text(vikram.get(f"/cash/?shift={shift.pk}"))
    for words in ("Cash 1 payment 650.00", "UPI 1 payment 300.00", "Float 1,000.00", "Cash expected ₹1,650.00"):
        assert words in page
    assert "X report X" in page
    assert "Close shift C" in page
    assert "Cash expected ₹1,650.00" in text(vikram.get(f"/cash/?do=close&shift={shift.pk}"))
    desk.send("/cash/shifts/close/", vikram, shift=shift.pk, n_500="3", n_100="1", reason="Miscounted change")
    shift.refresh_from_db()
    assert shift.closed_by != shift.cashier
    assert shift.difference == Decimal(-50)
    page = text(vikram.get("/cash/"))
    assert "₹50.00 short ₹950.00" in page
    closed = text(vikram.get(f"/cash/?shift={shift.pk}"))
    for words in ("Counted 1,600.00", "Difference −50.00", "Miscounted change", "Closed by", "Z report X"):
        assert words in closed
    assert "Close shift C" not in closed


def test_a_cashier_sees_the_own_shift_and_none_of_the_others(desk: CashDesk) -> None:
    shift, farah = desk.open(), desk.another()
    theirs = desk.open(farah, drawer=1)
    page = text(desk.meena.get("/cash/?tab=shifts"))
    assert "Shifts 2" not in page
    assert "Farah Khan" not in page
    assert "To pay 0" in page
    assert desk.meena.get(f"/cash/?shift={theirs.pk}").status_code == 403
    assert "Cash expected ₹1,000.00" in text(desk.meena.get(f"/cash/?shift={shift.pk}"))
    assert desk.meena.get("/cash/?shift=999999").status_code == 404


def test_a_shift_of_another_hospital_is_not_there(desk: CashDesk, vikram: Client) -> None:
    theirs = CashDesk().open()
    assert vikram.get(f"/cash/?shift={theirs.pk}").status_code in (403, 404)
    assert "No shift was opened today" in text(vikram.get("/cash/"))


def test_a_shift_that_was_closed_on_another_day_is_history(desk: CashDesk, vikram: Client) -> None:
    open_one = desk.open(desk.another(), drawer=1)
    old = desk.open()
    desk.send("/cash/shifts/close/", shift=old.pk, counted="1000")
    tomorrow = desk.facility.local_date().replace(year=desk.facility.local_date().year + 1)
    assert [row.name for row in rows_of(desk.facility, tomorrow)] == [f"shift-{open_one.pk}"]


def test_many_shifts_cost_few_queries(desk: CashDesk, vikram: Client) -> None:
    for _ in range(5):
        shift = desk.open()
        desk.pay(desk.owe("Sunita", "100"), "100")
        desk.send("/cash/shifts/close/", shift=shift.pk, counted="1100")
    shift = desk.open()
    assert Shift.objects.count() == 6
    for address in ("/cash/", f"/cash/?shift={shift.pk}"):
        vikram.get(address)
        with CaptureQueriesContext(connection) as asked:
            page = vikram.get(address)
        assert "₹100.00" in text(page)
        assert len(asked) <= MOST_QUERIES + 4 * ("shift=" in address), "\n".join(each["sql"][:150] for each in asked)
