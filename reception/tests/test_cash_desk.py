"""The cash desk as a page: the list, a bill beside it, and money taken once."""

import re
from decimal import Decimal

import pytest

from billing.models import Payment
from reception.tests.cashing import CashDesk
from reception.tests.factories import text

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_list_says_who_owes_what_for_what() -> None:
    desk = CashDesk()
    desk.owe("Sunita Deshpande", "500", "100")
    page = text(desk.meena.get("/cash/"))
    assert "Sunita Deshpande A-014, Dr Rao B-" in page
    assert "Consultation, Dr Rao, Hospital fee Open ₹600.00" in page
    assert "To pay 1 Paid today 0 To give back 0 Void 0" in page
    assert "No shift is open" in page


def test_a_shift_is_opened_money_is_taken_and_the_change_is_said() -> None:
    desk = CashDesk()
    bill = desk.owe("Sunita Deshpande", "500", "150")
    answer = desk.send("/cash/shifts/", float="1,000", drawer=desk.drawers[0].pk)
    assert answer.status_code == 302
    assert "Shift 1, Drawer 1 Meena Pillai, open since" in text(desk.meena.get("/cash/"))
    answer = desk.send(f"/cash/bills/{bill.pk}/take/", method="cash", received="1,000.00", version=bill.version)
    assert re.fullmatch(r"/cash/\?receipt=\d+&taken=1", answer["Location"]), answer.content
    page = text(desk.meena.get(answer["Location"]))
    assert "₹650.00 taken. Give back ₹350.00" in page
    assert "is paid" in page
    assert "₹1,650.00 cash expected" in page.replace("cash expected ₹1,650.00", "₹1,650.00 cash expected")
    bill.refresh_from_db()
    assert (bill.status, bill.due) == ("paid", Decimal(0))
