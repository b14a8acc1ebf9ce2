"""Each figure of money equals the same worked out by hand over all rows, and the ledger's own sums."""

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from billing.models import LedgerEntry, Line, Shift
from billing.rules import LineIn
from billing.tests.house import House, card, from_account
from reports.queries import money, owed
from reports.queries.scope import Scope
from reports.records import AGES, Owed, Share
from reports.tests.till import ZERO, Months, NaiveTill, cash_of, scope
from scheduling.tests.factories import DoctorFactory

pytestmark = pytest.mark.django_db

Both = tuple[Scope, NaiveTill]

PERIODS = ["2031-02", "2031-03", "2031-04", "2031-03-04", "2031-03-05", "2031-01"]
NARROWER: list[dict[str, int]] = [{}, {"doctor": 0}, {"department": 1}, {"department": 0, "doctor": 2}]


@pytest.fixture(scope="module")
def months(django_db_setup: None, django_db_blocker: Any) -> Any:
    """A month of days, played once for the file beside another hospital's; taken back at the end."""
    with django_db_blocker.unblock():
        outer = transaction.atomic()
        outer.__enter__()
        played = Months()
        Months(seed=6, days=10, zone="Asia/Kolkata")
        yield played
        transaction.set_rollback(True)
        outer.__exit__(None, None, None)


@pytest.fixture(params=PERIODS)
def whole(request: Any, months: Months) -> Both:
    """A period of the whole house, and the same by hand."""
    asked = scope(months, request.param)
    return asked, NaiveTill(asked, months.books)


@pytest.fixture(params=[(p, n) for p in PERIODS for n in NARROWER], ids=str)
def any_part(request: Any, months: Months) -> Both:
    """A period of the house or of a part of it, and the same by hand."""
    text, asked = request.param
    chosen = {"doctor_id": months.doctors[asked["doctor"]].pk} if "doctor" in asked else {}
    if "department" in asked:
        chosen["department_id"] = months.departments[asked["department"]].pk
    asked = scope(months, text, **chosen)
    return asked, NaiveTill(asked, months.books)


def test_takings_by_cashier_method_and_date(whole: Both) -> None:
    asked, naive = whole
    found = money.takings(asked)
    names = {user.pk: user.name or user.username for user in User.objects.all()} | {None: ""}
    net: dict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
    days: dict[date, Decimal] = defaultdict(lambda: ZERO)
    for sign, rows in ((1, naive.within(naive.payments)), (-1, naive.within(naive.refunds))):
        for row in rows:
            if row.method != "account":
                net[names[row.by_id], row.method] += sign * row.amount
                days[row.date] += sign * row.amount
    assert {key: taken.net for key, taken in found.moved.items()} == dict(net)
    assert {key: taken.net for key, taken in found.by_date.items()} == dict(days)
    assert found.all.payments == sum(row.method != "account" for row in naive.within(naive.payments))
    assert found.all.refunds == sum(row.method != "account" for row in naive.within(naive.refunds))


def posted(asked: Scope, *kinds: str, of: tuple[str, ...] = ("payment", "refund")) -> Decimal:
    """What the ledger says moved on accounts of some kinds."""
    rows = LedgerEntry.objects.filter(
        account__facility=asked.facility_id, account__kind__in=kinds, transaction__kind__in=of,
        transaction__date__range=(asked.period.first, asked.period.last),
    )  # fmt: skip
    return sum(rows.values_list("amount", flat=True), ZERO)


def test_takings_agree_with_the_ledger_and_with_each_other(whole: Both) -> None:
    asked, _naive = whole
    found, shares = money.takings(asked), money.shares(asked)
    assert found.all.net == posted(asked, "cash", "bank")
    assert found.to_accounts == -posted(asked, "advance")
    assert sum((share.amount for share in shares), ZERO) == -posted(asked, "receivable")
    assert sum((share.amount for share in shares), found.to_accounts) == found.all.net
    assert sum((taken.net for taken in found.by_date.values()), ZERO) == found.all.net


def test_takings_by_department_and_doctor(any_part: Both) -> None:
    asked, naive = any_part
    found = {(share.department_id, share.doctor_id): share.amount for share in money.shares(asked)}
    assert found == naive.shares()


def test_days_add_up_to_the_month(months: Months) -> None:
    found: dict[Any, Decimal] = defaultdict(lambda: ZERO)
    for day in range(31):
        for share in money.shares(scope(months, f"{date(2031, 3, 1) + timedelta(days=day)}")):
            found[share.department_id, share.doctor_id] += share.amount
    month = {(share.department_id, share.doctor_id): share.amount for share in money.shares(scope(months, "2031-03"))}
    assert {key: amount for key, amount in found.items() if amount} == month


def test_what_was_due_by_age(any_part: Both) -> None:
    asked, naive = any_part
    found = owed.owed(asked)
    day = min(asked.period.last, asked.period.today)
    ages: dict[int, list[Any]] = {n: [0, ZERO] for n in range(len(AGES) + 1)}
    back = [0, ZERO]
    for bill in naive.bills.values():
        due = naive.due_then(bill, day)
        if due > 0 and asked.narrowed:
            parts = naive.line_due(bill, day)
            due = sum((parts[line.pk] for line in naive.lines[bill.pk] if naive.wanted(line)), ZERO)
        if due > 0:
            age = (day - bill.date).days
            place = ages[next((n for n, oldest in enumerate(AGES) if age <= oldest), len(AGES))]
            place[0], place[1] = place[0] + 1, place[1] + due
        if due < 0 and not asked.narrowed:
            back = [back[0] + 1, back[1] - due]
    assert found.ages == {n: tuple(values) for n, values in ages.items()}
    assert found.to_give_back == tuple(back)


def test_what_was_due_is_the_receivable_of_the_ledger(whole: Both) -> None:
    asked, _naive = whole
    entries = LedgerEntry.objects.filter(account__facility=asked.facility_id, account__kind="receivable")
    then = sum(entries.filter(transaction__date__lte=asked.period.last).values_list("amount", flat=True), ZERO)
    found = owed.owed(asked)
    assert found.all[1] - found.to_give_back[1] == then


def test_the_unpaid_bills_one_by_one(any_part: Both) -> None:
    asked, naive = any_part
    day = min(asked.period.last, asked.period.today)
    owing = {}
    for bill in naive.bills.values():
        parts = naive.line_due(bill, day) if naive.due_then(bill, day) > 0 else {}
        due = sum((parts[line.pk] for line in naive.lines[bill.pk] if naive.wanted(line) and parts), ZERO)
        if due:
            owing[bill.number] = (
                bill.patient.number,
                bill.patient.name,
                bill.date,
                (day - bill.date).days,
                bill.total,
                due,
            )
    found = owed.owed(asked, None)
    assert {one.bill: (one.patient, one.name, one.date, one.days, one.total, one.due) for one in found.oldest} == owing
    assert len(found.oldest) == len(owing) == found.all[0]
    order = [(one.days, one.due) for one in found.oldest]
    assert order == sorted(order, reverse=True)
    assert owed.owed(asked, 2) == Owed(found.ages, found.to_give_back, found.oldest[:2])
    assert owed.owed(asked).oldest == []


def test_what_was_billed_and_what_came_off_is_what_the_ledger_says(whole: Both) -> None:
    asked, _naive = whole
    found = money.reasons(asked)
    came_off = {kind: sum((reason.amount for reason in found[kind]), ZERO) for kind in ("void", "credit", "discount")}
    assert owed.billed(asked)[1] == posted(asked, "receivable", of=("issue",))
    assert came_off["void"] == -posted(asked, "receivable", of=("void",))
    assert came_off["credit"] == -posted(asked, "receivable", of=("credit",))
    assert came_off["discount"] == posted(asked, "discount", of=("issue",))


def test_what_is_outstanding_follows_from_what_was_before(months: Months) -> None:
    """Billed, less what voids and credit notes took off, less what was paid, is what the month added."""
    asked = scope(months, "2031-03")
    before, after = owed.owed(scope(months, "2031-02")), owed.owed(asked)
    reasons = money.reasons(asked)
    off = sum((reason.amount for kind in ("void", "credit") for reason in reasons[kind]), ZERO)
    paid = sum((share.amount for share in money.shares(asked)), ZERO)
    added = after.all[1] - after.to_give_back[1] - before.all[1] + before.to_give_back[1]
    assert added == owed.billed(asked)[1] - off - paid


def test_reasons_of_discounts_credits_voids_and_refunds(any_part: Both) -> None:
    asked, naive = any_part
    found = money.reasons(asked)
    names = {user.pk: user.name or user.username for user in User.objects.all()} | {None: ""}
    expected: dict[str, dict[tuple[str, str], list[Any]]] = {kind: {} for kind in money.KINDS}

    def add(kind: str, reason: str, by: int | None, thing: object, amount: Decimal) -> None:
        place = expected[kind].setdefault((reason, names[by]), [set(), ZERO])
        place[0].add(thing)
        place[1] += amount

    lines = {line.pk: line for own in naive.lines.values() for line in own if naive.wanted(line)}
    for bill in naive.within(naive.bills.values()):
        for line in naive.lines[bill.pk]:
            if line.discount and line.pk in lines:
                add("discount", line.discount_reason, bill.created_by_id, bill.pk, line.discount)
    for note in naive.within(naive.notes):
        for part in note.lines.all():
            if part.line_id in lines:
                add("credit", note.reason, note.by_id, note.pk, part.amount)
    for bill in naive.bills.values():
        day = naive.voided_on(bill)
        if day is not None and naive.first <= day <= naive.last:
            for line in naive.lines[bill.pk]:
                if line.pk in lines:
                    add("void", bill.void_reason, bill.voided_by_id, bill.pk, naive.asks(line, day))
    if not asked.narrowed:
        for refund in naive.within(naive.refunds):
            kind = "to_account" if refund.method == "account" else "refund"
            add(kind, refund.reason, refund.by_id, refund.pk, refund.amount)
    for kind in money.KINDS:
        shown = {(reason.words, reason.by): (reason.number, reason.amount) for reason in found[kind]}
        assert shown == {key: (len(things), amount) for key, (things, amount) in expected[kind].items()}, kind
        amounts = [reason.amount for reason in found[kind]]
        assert amounts == sorted(amounts, reverse=True)


def test_what_was_billed(any_part: Both) -> None:
    asked, naive = any_part
    lines = [line for bill in naive.within(naive.bills.values()) for line in naive.lines[bill.pk] if naive.wanted(line)]
    assert owed.billed(asked) == (len({line.bill_id for line in lines}), sum((line.total for line in lines), ZERO))


def test_shifts(whole: Both) -> None:
    asked, naive = whole
    found = money.shifts(asked)
    rows = naive.within(Shift.objects.filter(facility=asked.facility_id).order_by("date", "number"))
    assert [(s.date, s.number, s.cashier) for s in found] == [(r.date, r.number, r.cashier.name) for r in rows]
    assert [(s.cash, s.counted, s.difference) for s in found] == [(cash_of(r), r.counted, r.difference) for r in rows]
    assert all(s.expected == s.float_amount + s.cash + s.carried for s in found)


def test_the_months_have_every_case(months: Months) -> None:
    asked = scope(months, "2031-03")
    naive, found = NaiveTill(asked, months.books), money.reasons(asked)
    assert all(found.values()), found
    assert {row.method for row in naive.payments} == {"cash", "card", "account"}
    assert {row.method for row in naive.refunds} >= {"cash", "card", "account"}
    assert any(row.bill_id is None for row in naive.refunds)
    assert any(row.rest_of_id for row in naive.payments)
    assert any(owed.owed(scope(months, text)).to_give_back[0] for text in PERIODS)
    assert any(shift.difference for shift in money.shifts(asked))
    assert any(bill.status == "void" and bill.number is None for bill in naive.bills.values()), "a draft laid aside"
    assert any(share.doctor_id is None for share in money.shares(asked))
    assert any(row.date > row.shift.date for row in naive.payments if row.shift), "taken after midnight"
    assert any(row.date > row.shift.date for row in naive.refunds if row.shift)
    assert any(naive.voided_on(bill) and bill.credited for bill in naive.bills.values()), "void with a credit note"
    assert any((naive.voided_on(bill) or bill.date) != bill.date for bill in naive.bills.values()), "void another day"


def test_every_figure_is_one_query(months: Months) -> None:
    asked = scope(months, "2031-03")
    for read in (money.takings, money.shares, money.shifts, money.reasons, owed.owed, owed.billed):
        with CaptureQueriesContext(connection) as asked_for:
            read(asked)
        assert len(asked_for) == 1, read


# What is meant by "takings by doctor", in single cases


def fees(house: House) -> int:
    """Dr Rao's fee of 500, the hospital's of 100, and priority for 300."""
    rao = DoctorFactory(department=house.departments[0], name="Dr Rao")
    asked = [
        LineIn(description="Consultation", unit_price=Decimal(500), doctor_id=rao.pk, department_id=rao.department_id),
        LineIn(description="Hospital", unit_price=Decimal(100), department_id=rao.department_id),
        LineIn(description="Priority", unit_price=Decimal(300)),
    ]
    return house.bill(lines=asked)


def taken(house: House, text: str = "2031-03-03") -> dict[str, str]:
    """Whose share is how much: Dr Rao's, the department's own, nobody's."""
    shares = money.shares(scope(house, text, house.now.date()))
    whose = {True: "rao", False: "department"}
    return {whose[bool(s.doctor_id)] if s.department_id else "nobody": f"{s.amount}" for s in shares}


def test_a_payment_is_spread_by_the_lines_totals_to_the_cent(house: House) -> None:
    bill = fees(house)
    house.pay(bill, "100")
    assert taken(house) == {"rao": "55.56", "department": "11.11", "nobody": "33.33"}


def test_a_bill_paid_in_parts_by_several_methods_gives_each_line_its_own(house: House) -> None:
    bill = fees(house)
    house.pay(bill, "100.01", card("333.33"))
    house.pay(bill, "466.66")
    assert taken(house) == {"rao": "500.00", "department": "100.00", "nobody": "300.00"}


def test_what_is_given_back_after_a_credit_note_is_taken_from_the_lines_it_names(house: House) -> None:
    bill = fees(house)
    house.pay(bill, "900")
    house.later(days=1)
    house.credit(bill, "300", line_ids=[lines_of(bill)[2]])
    house.give_back(bill, to_account=True)
    assert taken(house) == {"rao": "500.00", "department": "100.00", "nobody": "300.00"}
    assert taken(house, "2031-03-04") == {"nobody": "-300.00"}
    assert taken(house, "2031-03") == {"rao": "500.00", "department": "100.00"}


def test_until_it_is_given_back_it_stands_for_what_was_credited(house: House) -> None:
    bill = fees(house)
    house.pay(bill, "800")
    house.credit(bill, "300", line_ids=[lines_of(bill)[2]])
    assert house.due(bill) == Decimal(-200)
    assert taken(house) == {"rao": "500.00", "department": "100.00", "nobody": "200.00"}


def lines_of(bill_id: int) -> list[int]:
    return list(Line.objects.filter(bill=bill_id).order_by("position").values_list("pk", flat=True))


def test_an_advance_is_nobodys_until_it_pays_a_bill(house: House) -> None:
    house.deposit("200")
    asked = scope(house, "2031-03-03", house.now.date())
    assert money.shares(asked) == []
    assert (money.takings(asked).all.net, money.takings(asked).to_accounts) == (Decimal(200), Decimal(200))
    house.later(days=1)
    bill = house.bill("200")
    house.pay(bill, from_account("200"))
    asked = scope(house, "2031-03-04", house.now.date())
    assert money.shares(asked) == [Share(None, None, Decimal("200.00"))]
    assert (money.takings(asked).all.net, money.takings(asked).to_accounts) == (ZERO, Decimal(-200))
