"""Numbers at the cash desk in the loose forms in which people say and type them."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing import actions
from billing.models import Bill, Receipt
from billing.tenders import Tender
from common.transactions import outermost
from reception.cash.finding import Found, find
from reception.tests.cashing import CashDesk
from reception.tests.factories import text

pytestmark = pytest.mark.django_db(transaction=True)

MOST_QUERIES = 12


@pytest.fixture
def desk() -> CashDesk:
    return CashDesk()


def years_ago(desk: CashDesk, years: int) -> dt.datetime:
    """Noon on the first of July of an earlier year."""
    return dt.datetime(desk.facility.local_date().year - years, 7, 1, 12, tzinfo=desk.facility.tz)


def found(desk: CashDesk, said: str) -> Found:
    return find(desk.facility, said, desk.facility.local_date())


def numbers(rows: list) -> list[str]:
    return [row.number for row in rows]


def second_bills(desk: CashDesk) -> tuple[Bill, Bill]:
    """Bills with the number 2, of last year and of this one."""
    [_first, old] = [desk.owe("Sunita", "500", at=years_ago(desk, 1)) for _ in range(2)]
    [_first, new] = [desk.owe("Abdul", "600") for _ in range(2)]
    return old, new


@pytest.mark.parametrize(
    "form",
    ["b{n}", "B{n}", "B-{n}", "b 00000{n}", "bill {n}", "Bill #{n}", "b.{n}", " b{n} ", "{n}", "#{n}", "00000{n}"],
)
def test_without_a_year_the_newest_is_first(desk: CashDesk, form: str) -> None:
    old, new = second_bills(desk)
    assert numbers(found(desk, form.format(n=2)).bills)[:2] == [new.number, old.number]


@pytest.mark.parametrize("form", ["B-{y}-{n}", "b {y} 00000{n}", "b{y}-{n}", "bill {y}/{n}", "b{y}00000{n}", "{y}-{n}"])
def test_with_its_year_it_is_that_one_alone(desk: CashDesk, form: str) -> None:
    old, new = second_bills(desk)
    for bill in (old, new):
        year = str(bill.number).split("-")[1]
        assert numbers(found(desk, form.format(y=year, n=2)).bills) == [bill.number]


def test_receipts_vouchers_and_credit_notes_have_numbers_too(desk: CashDesk) -> None:
    desk.open()
    bill = desk.owe("Sunita", "500")
    receipt = desk.pay(bill, "500")
    desk.credit(bill, "200")
    desk.send("/cash/bills/give-back/", bill=bill.pk, reason="Cancelled in time", to="way")
    year = desk.facility.local_date().year
    assert numbers(found(desk, "r1").receipts) == [receipt.number]
    assert numbers(found(desk, f"receipt {year} 1").receipts) == [receipt.number]
    assert numbers(found(desk, "v 1").receipts) == [f"V-{year}-000001"]
    assert numbers(found(desk, f"c-{year}-1").bills) == [bill.number]
    both = found(desk, "1")
    assert (numbers(both.bills), numbers(both.receipts)) == ([bill.number], [receipt.number])


def test_a_receipt_of_the_newest_year_is_first(desk: CashDesk) -> None:
    bill = desk.owe("Sunita", "500", at=years_ago(desk, 3))
    old = [receipt_of(desk, bill, years) for years in (2, 1)]
    new = desk.pay(bill, "100", "card", reference="T-0")
    assert numbers(found(desk, "R-1").receipts) == [new.number, old[1].number, old[0].number]


def receipt_of(desk: CashDesk, bill: Bill, years: int) -> Receipt:
    """A hundred paid by card in an earlier year."""
    tender = Tender("card", Decimal(100), reference=f"T-{years}")
    at = years_ago(desk, years)
    receipt: Receipt = outermost(lambda: actions.pay(bill_id=bill.pk, tenders=[tender], by=desk.cashier, at=at))
    return receipt


def test_what_a_patient_who_is_here_owes_comes_before_what_was_paid_long_ago(desk: CashDesk) -> None:
    desk.open()
    desk.rao.consultation_fee = 400
    desk.rao.save()
    paid = desk.owe("Sunita", "500")
    desk.pay(paid, "500")
    token = desk.give("Ravi", "walk_in")
    letter, figure = token.number.split("-")
    assert int(figure) == 1
    owed = Bill.objects.get(patient=token.patient)
    for said in ("1", token.number, token.number.lower().replace("-", "")):
        assert numbers(found(desk, said).bills)[0] == owed.number, said
    assert paid.number in numbers(found(desk, "b1").bills)
    assert [each.pk for each in found(desk, f"{letter}1").tokens] == [token.pk]


def test_a_number_that_was_never_given_is_looked_for_among_people(desk: CashDesk) -> None:
    sunita = desk.patient("Sunita", phone="+919845011213")
    bill = desk.owe(sunita, "500")
    assert [each.pk for each in found(desk, "9845011213").patients] == [sunita.pk]
    assert bill.number in numbers(found(desk, "45011213").bills)
    for said in ("b999999", "0", "b0", "B-2031-000001", "b" * 200, "b123456789012"):
        assert not found(desk, said).bills, said


def test_who_owes_is_found_among_many_of_the_same_name(desk: CashDesk) -> None:
    patients = [desk.patient(f"Kumar {chr(65 + n)}ni") for n in range(12)]
    desk.owe(patients[0], "500")
    desk.owe(patients[11], "700")
    assert len(found(desk, "kumar").bills) == 2
    assert len(found(desk, "kumar").patients) == 6


@pytest.mark.parametrize("said", ["1", "b1", "b001", "r1", "c1", "B-{y}-1", "sunita"])
def test_finding_costs_few_queries_whatever_was_typed(desk: CashDesk, said: str) -> None:
    desk.open()
    for years in (3, 2, 1, 0):
        for _ in range(2):
            desk.owe("Sunita", "500", at=years_ago(desk, years))
    bill = desk.owe("Sunita", "500")
    desk.pay(bill, "100")
    desk.credit(bill, "50")
    desk.give("Sunita", "online")
    with CaptureQueriesContext(connection) as asked:
        answer = desk.meena.get("/cash/find/", {"q": said.format(y=desk.facility.local_date().year)})
    assert "Sunita" in text(answer)
    assert len(asked) <= MOST_QUERIES, "\n".join(each["sql"][:150] for each in asked)
