"""What an accountant holds against a report: days that stay as they were, people who are told apart, who owes."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from accounts.tests.factories import UserFactory
from billing.models import Line, Shift
from billing.rules import LineIn, Off
from billing.tests.house import House
from patients.actions import mark_merged
from reports.queries import money, owed
from reports.report import report
from reports.tests.till import ZERO, scope
from scheduling.tests.factories import DoctorFactory

pytestmark = pytest.mark.django_db


def test_a_day_stays_as_it_was_when_its_bill_is_void_later(house: House) -> None:
    bill = house.bill("600", "50", discount=Off(percent=Decimal(10)), discount_reason="Camp", by_rule=True)
    house.bill("70")

    def day(text: str) -> tuple[Any, ...]:
        asked = scope(house, text, date(2031, 4, 5))
        found = {kind: [(r.words, f"{r.amount}") for r in rows] for kind, rows in money.reasons(asked).items()}
        return owed.billed(asked), found["discount"], found["void"], owed.owed(asked).all

    before = day("2031-03-03")
    assert before == ((2, Decimal("655.00")), [("Camp", "65.00")], [], (2, Decimal("655.00")))
    house.later(days=29)
    first = [Line.objects.get(bill=bill, position=1).pk]
    house.credit(bill, "85", line_ids=first)
    house.void(bill, reason="Wrong patient")
    assert day("2031-03-03") == before
    assert day("2031-04-01") == ((0, ZERO), [], [("Wrong patient", "500.00")], (1, Decimal("70.00")))
    assert day("2031-03")[2:] == ([], (2, Decimal("655.00")))


def test_two_of_one_name_are_two(house: House) -> None:
    """Cashiers and doctors who share a name are told apart, in takings, shifts, reasons and doctors' shares."""
    other = UserFactory(username="meena-2", name=house.meena.name, roles=["billing-staff"], facility=house.facility)
    first, second = (DoctorFactory(department=each, name="Dr Rao") for each in house.departments)
    bill = house.bill(
        lines=[
            LineIn(description="Visit", unit_price=Decimal(n), doctor_id=each.pk, department_id=each.department_id)
            for n, each in ((200, first), (300, second))
        ]
    )
    house.pay(bill, "200")
    house.open(other, drawer=1)
    house.pay(bill, "300", by=other)
    for one in house.payments(bill):
        house.refund(one, "10", by=house.meena if one.amount == 200 else other, reason="Too much")
    found = report(scope(house, "2031-03-03", house.now.date()), money=True)
    tables = {figure.key: figure.table for figure in found.figures}
    name = house.meena.name
    both = [f"{name} ({house.meena.username})", f"{name} (meena-2)"]
    assert sorted(row[0] for row in tables["takings"].rows) == sorted(both)
    assert [row[2] for row in tables["shifts"].rows] == both
    assert {row[1] for row in tables["refunds"].rows} == set(both)
    named = [f"Dr Rao ({each.name})" for each in house.departments]
    assert dict(row[:2] for row in tables["doctors"].rows) == dict(
        zip(named, (Decimal(192), Decimal(288)), strict=True)
    )
    assert {each.name for each in found.doctors} == set(named)


def test_a_merged_patient_owes_by_the_record_there_is_now(house: House) -> None:
    old, new = house.newcomer(), house.newcomer()
    house.bill("70", patient=old)
    mark_merged(patient_id=old.pk, into_id=new.pk, by=None)
    (owing,) = owed.owed(scope(house, "2031-03-03", house.now.date()), None).oldest
    assert (owing.patient, owing.name) == (new.number, new.name)


def test_cash_that_is_carried_is_not_taken_and_is_expected(house: House) -> None:
    """Of an open shift and of a closed one: float, cash taken and what was put in or out are what is expected."""
    shift = Shift.objects.get(cashier=house.meena)
    house.pay(house.bill("600"), "600")
    house.move(shift, "from_safe", "200")
    house.move(shift, "paid_out", "45.50")
    asked = scope(house, "2031-03-03", house.now.date())

    def line() -> tuple[Decimal, ...]:
        (found,) = money.shifts(asked)
        assert money.takings(asked).all.net == found.cash == Decimal(600)
        return found.float_amount, found.carried, found.expected

    before = line()
    assert before == (Decimal(1000), Decimal("154.50"), Decimal("1754.50"))
    house.close(shift, "1754.50")
    assert line() == before
    (shown,) = [figure for figure in report(asked, money=True).figures if figure.key == "shifts"]
    assert shown.table
    heads = [column.label for column in shown.table.columns]
    row = dict(zip(heads, shown.table.rows[0], strict=True))
    assert row["Expected"] == row["Float"] + row["Cash taken"] + row["Put in or out"]
