"""What is owed, the oldest first: by pages, with the age of each bill and the sum of all."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from billing import actions
from billing.models import Bill
from common.transactions import outermost
from reception.cash import listing
from reception.cash.listing import UNPAID, listed
from reception.tests.cashing import CashDesk
from reception.tests.factories import text

pytestmark = pytest.mark.django_db(transaction=True)

MOST_QUERIES = 12


@pytest.fixture
def desk() -> CashDesk:
    return CashDesk()


def owe_since(desk: CashDesk, days: int, *prices: str) -> Bill:
    """A bill that was issued so many days ago."""
    return desk.owe(f"Patient {days}", *prices, at=timezone.now() - dt.timedelta(days=days))


def test_the_oldest_is_first_with_its_age_and_the_sum_is_said(desk: CashDesk) -> None:
    desk.open()
    bills = [owe_since(desk, days, "500", "150") for days in (40, 1, 0)]
    desk.pay(bills[1], "200")
    desk.pay(desk.owe("Paid", "100"), "100")
    page = text(desk.meena.get("/cash/?tab=unpaid"))
    assert "₹1,750.00 are due on 3 bills." in page
    at = [page.index(str(bill.number)) for bill in bills]
    assert at == sorted(at)
    assert "40 days ₹650.00" in page
    assert "1 day, part paid ₹450.00" in page
    assert "Today ₹650.00" in page
    assert "Paid today" in page
    assert "To pay 3" in page


def test_each_order_leads_to_the_other(desk: CashDesk) -> None:
    desk.owe("Sunita", "500")
    newest = desk.meena.get("/cash/").content.decode()
    assert 'aria-sort="descending"' in newest
    assert 'href="?tab=unpaid"' in newest
    oldest = desk.meena.get("/cash/?tab=unpaid").content.decode()
    assert 'aria-sort="ascending"' in oldest
    assert 'href="?tab=pay"' in oldest
    assert "are due on" not in text(desk.meena.get("/cash/"))


def test_it_is_turned_over_by_pages_that_miss_nothing(desk: CashDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "MOST", 2)
    numbers = [desk.owe(f"Patient {n}", "10").number for n in range(5)]
    today = desk.facility.local_date()
    pages = [listed(desk.facility, today, UNPAID, page).rows for page in (1, 2, 3)]
    seen = [row.number for page in pages for row in page]
    assert seen == numbers
    first = desk.meena.get("/cash/?tab=unpaid")
    assert "1 to 2 of 5" in text(first)
    assert 'rel="prev"' not in first.content.decode()
    last = desk.meena.get("/cash/?tab=unpaid&page=3")
    assert "5 to 5 of 5" in text(last)
    assert 'rel="next"' not in last.content.decode()
    assert f'href="?tab=unpaid&amp;page=3&amp;bill={Bill.objects.latest("id").pk}"' in last.content.decode()


@pytest.mark.parametrize("page", ["0", "-1", "two", "9" * 30, "999999", ""])
def test_a_page_that_is_none_is_the_first_or_the_last(desk: CashDesk, page: str) -> None:
    bill = desk.owe("Sunita", "500")
    answer = desk.meena.get("/cash/", {"tab": "unpaid", "page": page})
    assert str(bill.number) in text(answer)


def test_a_draft_stands_where_it_was_issued_and_is_as_old_as_its_issue(
    desk: CashDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = desk.owe("Sunita", "500", draft=True, at=timezone.now() - dt.timedelta(days=40))
    old, young = owe_since(desk, 9, "500"), owe_since(desk, 1, "500")
    issued = outermost(lambda: actions.issue_bill(bill_id=draft.pk, by=desk.user("billing-staff")))
    numbers = [bill.number for bill in (old, young, issued)]
    today = desk.facility.local_date()
    oldest = listed(desk.facility, today, UNPAID).rows
    assert [row.number for row in oldest] == numbers
    assert [row.status for row in oldest] == ["9 days", "1 day", "Today"]
    assert [row.number for row in listed(desk.facility, today, "pay").rows] == numbers[::-1]
    monkeypatch.setattr(listing, "MOST", 1)
    assert [listed(desk.facility, today, UNPAID, page).rows[0].number for page in (1, 2, 3)] == numbers
    assert listed(desk.facility, today, "pay").rows[0].number == issued.number


def test_where_nothing_is_owed_it_says_so(desk: CashDesk) -> None:
    page = text(desk.meena.get("/cash/?tab=unpaid"))
    assert "Nothing is owed" in page
    assert "are due on" not in page


def test_it_costs_few_queries_and_walks_the_index(desk: CashDesk) -> None:
    for n in range(8):
        owe_since(desk, n, "500")
    desk.open()
    desk.meena.get("/cash/?tab=unpaid")
    with CaptureQueriesContext(connection) as asked:
        desk.meena.get("/cash/?tab=unpaid")
    assert len(asked) <= MOST_QUERIES, "\n".join(each["sql"][:150] for each in asked)
    found = listed(desk.facility, desk.facility.local_date(), UNPAID)
    assert found.owed == Decimal(4000)
