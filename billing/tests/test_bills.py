"""Bills: made, issued, changed while they are drafts, taken back, credited; and who may give how much away."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.errors import PermissionDenied
from accounts.models import AccessAttempt
from billing import actions, errors
from billing.changes import BillChange
from billing.models import Bill, CreditNote, LedgerTransaction, Line
from billing.rules import LineIn, Off
from billing.tests.house import House, lines, rows
from common.errors import BadInput, NotFound, PreconditionFailed
from common.transactions import outermost
from patients.actions import mark_merged

pytestmark = pytest.mark.django_db

CHANGES: list[BillChange] = []
LOCKED: list[list[int]] = []


def remember(change: BillChange) -> None:
    """A consequence in some other app."""
    CHANGES.append(change)


def lock_sessions(bill_ids: list[int]) -> None:
    """A lock that stands before bills."""
    LOCKED.append(list(bill_ids))


def refuse(change: BillChange) -> None:
    """An app that does not want it."""
    raise errors.BillIsVoid(number="B")


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def told(settings: Any) -> list[BillChange]:
    settings.OPD_BILL_CONSEQUENCES = [f"{__name__}.remember"]
    CHANGES.clear()
    return CHANGES


def get(bill_id: int) -> Bill:
    return Bill.objects.get(pk=bill_id)


def change(house: House, **arguments: Any) -> Bill:
    """Write a draft anew."""
    return outermost(lambda: actions.change_draft(**({"by": house.meena} | arguments)))


class TestCreating:
    def test_an_issued_bill_has_number_date_amounts_and_lines(self, house: House) -> None:
        department = house.departments[0]
        asked = [
            LineIn("Dr Rao", Decimal("500.00"), item_type="consultation", item_id=7, department_id=department.pk),
            LineIn("Bandage", Decimal("12.50"), Decimal("1.5"), tax_percent=Decimal(18)),
        ]
        bill = get(house.bill(lines=asked, billable_type="visit", billable_id=3, about="A-014, Dr Rao"))
        assert (bill.number, bill.status, bill.currency) == ("B-2031-000001", "open", "INR")
        assert (bill.date, bill.issued_at, bill.created_by) == (house.now.date(), house.now, None)
        assert (bill.gross, bill.discount, bill.tax, bill.total) == tuple(
            map(Decimal, ("518.75", "0", "3.38", "522.13"))
        )
        assert (bill.due, bill.owed, bill.to_give_back) == (bill.total, bill.total, 0)
        assert (bill.billable_type, bill.billable_id, bill.about) == ("visit", 3, "A-014, Dr Rao")
        first, second = bill.lines.all()
        assert (first.position, first.item_type, first.item_id, first.department) == (1, "consultation", 7, department)
        assert (second.gross, second.tax, second.total) == tuple(map(Decimal, ("18.75", "3.38", "22.13")))

    def test_the_answer_is_as_the_database_has_it(self, house: House) -> None:
        bill = house.act(
            actions.create_bill, facility_id=house.facility.pk, patient_id=house.patient.pk, lines=lines("9.99")
        )
        stored = get(bill.pk)
        for name in ("number", "status", "total", "paid", "credited", "due", "version", "date", "issued_at"):
            assert getattr(bill, name) == getattr(stored, name), name

    def test_a_bill_of_nothing_is_paid_and_posts_nothing(self, house: House) -> None:
        bill = get(house.bill("0.00"))
        assert (bill.status, bill.number) == ("paid", "B-2031-000001")
        assert not LedgerTransaction.objects.filter(bill=bill).exists()

    def test_a_bill_that_is_given_away_whole_is_paid_and_posted(self, house: House) -> None:
        bill = get(house.bill("100", discount=Off.parse("100%"), discount_reason="Follow-up within 7 days"))
        assert (bill.status, bill.total, bill.discount) == ("paid", 0, 100)
        assert LedgerTransaction.objects.filter(bill=bill, kind="issue").exists()

    def test_the_currency_is_the_facility_s(self, house: House) -> None:
        rows("UPDATE accounts_facility SET currency = 'AED' WHERE id = %s", house.facility.pk)
        assert get(house.bill("1")).currency == "AED"

    def test_a_bill_of_a_merged_record_is_that_of_the_record_that_goes_on(self, house: House) -> None:
        old = house.newcomer()
        mark_merged(patient_id=old.pk, into_id=house.patient.pk, by=None)
        assert get(house.bill("10", patient=old)).patient == house.patient

    @pytest.mark.parametrize(
        ("asked", "error"),
        [
            ([], errors.NoLines),
            (lines("-1"), errors.BadAmount),
            (lines("1.001"), errors.BadAmount),
            (lines("1000000000"), errors.BadAmount),
            ([LineIn("A", Decimal(1), quantity=Decimal(0))], errors.BadAmount),
            ([LineIn("  ", Decimal(1))], BadInput),
            ([LineIn("A", Decimal(1), off=Off.parse("2.00"), discount_reason="x")], errors.DiscountTooLarge),
            ([LineIn("A", Decimal(1), off=Off.parse("50%"))], errors.ReasonNeeded),
            (lines(*["1"] * 1001), BadInput),
        ],
    )
    def test_what_makes_no_bill(self, house: House, asked: list[LineIn], error: type[Exception]) -> None:
        with pytest.raises(error):
            house.act(
                actions.create_bill, facility_id=house.facility.pk, patient_id=house.patient.pk, lines=asked, by=None
            )
        assert not Bill.objects.exists()

    def test_a_patient_of_another_facility_is_not_there(self, house: House) -> None:
        with pytest.raises(NotFound):
            house.bill("10", patient=House().patient)

    def test_who_may_not_bill_does_not_and_who_has_no_part_in_the_facility_finds_nothing(self, house: House) -> None:
        with pytest.raises(PermissionDenied):
            house.bill("10", by=house.person("doctor"))
        with pytest.raises(NotFound):
            house.bill("10", by=House().meena)

    def test_it_takes_at_most_twelve_queries_from_begin_to_commit(self, house: House) -> None:
        asked = [LineIn("Dr Rao", Decimal(500), department_id=house.departments[0].pk), LineIn("Fee", Decimal(100))]
        given = {"discount": Off.parse("5%"), "discount_reason": "Staff"}
        house.bill(lines=asked, **given)  # from then on the accounts are there
        with CaptureQueriesContext(connection) as queries:
            house.bill(lines=asked, by=house.meena, **given)
        begin, *between, end = [query["sql"] for query in queries.captured_queries]
        assert (begin.split()[0], end.split()[0]) == ("SAVEPOINT", "RELEASE")  # in a test they stand for both ends
        assert len(between) + 2 <= 12

    def test_twenty_lines_take_as_many_queries_as_one(self, house: House) -> None:
        house.bill("1")
        with CaptureQueriesContext(connection) as one:
            house.bill("1")
        with CaptureQueriesContext(connection) as twenty:
            house.bill(*["1"] * 20)
        assert len(one) == len(twenty)


class TestDrafts:
    def test_a_draft_has_no_number_and_is_in_no_ledger(self, house: House) -> None:
        bill = get(house.bill("100", draft=True))
        assert (bill.number, bill.status, bill.date, bill.issued_at) == (None, "draft", None, None)
        assert not LedgerTransaction.objects.exists()

    def test_its_lines_are_written_anew(self, house: House) -> None:
        draft = house.bill("100", "50", draft=True)
        bill = change(house, bill_id=draft, lines=lines("7", tax_percent=Decimal(10)), about="B-2")
        assert (bill.total, bill.tax, bill.due, bill.about, bill.version) == (
            Decimal("7.70"),
            Decimal("0.70"),
            Decimal("7.70"),
            "B-2",
            2,
        )
        assert [line.total for line in get(draft).lines.all()] == [Decimal("7.70")]

    def test_it_is_issued_once(self, house: House) -> None:
        draft = house.bill("100", draft=True)
        house.later(hours=1)
        bill = house.act(actions.issue_bill, bill_id=draft)
        assert (bill.number, bill.status, bill.issued_at) == ("B-2031-000001", "open", house.now)
        with pytest.raises(errors.NotADraft, match="B-2031-000001"):
            house.act(actions.issue_bill, bill_id=draft)
        with pytest.raises(errors.NotADraft):
            change(house, bill_id=draft, lines=lines("1"))

    def test_it_is_laid_aside(self, house: House) -> None:
        bill = house.void(house.bill("100", draft=True))
        assert (bill.status, bill.number) == ("void", None)
        assert not LedgerTransaction.objects.exists()
        with pytest.raises(errors.BillIsVoid):
            house.act(actions.issue_bill, bill_id=bill.pk)
        with pytest.raises(errors.BillIsVoid):
            change(house, bill_id=bill.pk, lines=lines("1"))

    def test_a_change_by_somebody_else_meanwhile_is_not_overwritten(self, house: House) -> None:
        draft = house.bill("100", draft=True)
        change(house, bill_id=draft, lines=lines("1"), version=1)
        with pytest.raises(PreconditionFailed):
            change(house, bill_id=draft, lines=lines("2"), version=1)

    def test_the_limit_holds_for_drafts_too(self, house: House) -> None:
        cashier = house.person("billing-staff")
        draft = house.bill("100", draft=True)
        with pytest.raises(errors.DiscountLimitPassed):
            change(
                house, bill_id=draft, lines=lines("100"), discount=Off.parse("11%"),
                discount_reason="x", by=cashier,
            )  # fmt: skip


class TestVoiding:
    def test_it_is_taken_back_with_who_when_and_why(self, house: House) -> None:
        bill = house.void(house.bill("100"), reason="  Wrong patient ")
        stored = get(bill.pk)
        assert (stored.status, stored.voided_at, stored.voided_by, stored.void_reason) == (
            "void", house.now, house.meena, "Wrong patient",
        )  # fmt: skip
        assert (stored.number, stored.total) == ("B-2031-000001", 100)

    def test_all_it_posted_is_posted_back(self, house: House) -> None:
        bill = house.bill("100", "50", discount=Off.parse("10%"), discount_reason="Staff", by_rule=True)
        house.credit(bill, "20")
        house.void(bill)
        sums = rows("SELECT sum(amount) FROM billing_ledgerentry GROUP BY account_id")
        assert {amount for (amount,) in sums} == {0}

    def test_not_while_something_is_paid_on_it(self, house: House) -> None:
        house.open()
        bill = house.bill("100")
        receipt = house.pay(bill, "40")
        with pytest.raises(errors.BillIsPaid, match=r"₹40\.00"):
            house.void(bill)
        house.refund(receipt.payments.get(), "40")
        assert house.void(bill).status == "void"

    def test_once_and_with_a_reason(self, house: House) -> None:
        bill = house.bill("100")
        with pytest.raises(errors.ReasonNeeded):
            house.void(bill, reason=" ")
        house.void(bill)
        with pytest.raises(errors.BillIsVoid):
            house.void(bill)

    def test_what_somebody_read_before_a_change_is_refused(self, house: House) -> None:
        bill = house.bill("100")
        version = get(bill).version
        house.credit(bill, "1")
        with pytest.raises(PreconditionFailed):
            house.void(bill, version=version)

    def test_who_may_not_is_told_so_and_who_has_no_part_finds_nothing(self, house: House) -> None:
        bill = house.bill("100")
        with pytest.raises(PermissionDenied):
            house.void(bill, by=house.person("reception"))
        with pytest.raises(NotFound):
            house.void(bill, by=House().meena)
        with pytest.raises(errors.UnknownBill):
            house.void(0)
        assert get(bill).status == "open"
        assert not AccessAttempt.objects.exists()  # written once the refusal is told


class TestCrediting:
    def test_a_credit_note_takes_something_off_and_the_bill_stays_as_it_was_issued(self, house: House) -> None:
        bill = house.bill(lines=lines("100", "50", tax_percent=Decimal(18)))
        note = house.credit(bill, "88.50", reason="Half of it was done")
        stored = get(bill)
        assert (stored.total, stored.credited, stored.due, stored.status) == (
            177,
            Decimal("88.50"),
            Decimal("88.50"),
            "open",
        )
        assert (note.number, note.amount, note.tax, note.reason) == (
            "C-2031-000001", Decimal("88.50"), Decimal("13.50"), "Half of it was done",
        )  # fmt: skip
        assert [(each.amount, each.tax) for each in note.lines.order_by("id")] == [
            (59, 9),
            (Decimal("29.50"), Decimal("4.50")),
        ]

    def test_it_may_be_borne_by_some_lines_only(self, house: House) -> None:
        bill = house.bill("100", "50")
        first, second = Line.objects.filter(bill=bill)
        note = house.credit(bill, "50", line_ids=[second.pk])
        assert [each.line for each in note.lines.all()] == [second]
        with pytest.raises(errors.CreditTooLarge):
            house.credit(bill, "1", line_ids=[second.pk])
        with pytest.raises(errors.UnknownLine):
            house.credit(bill, "1", line_ids=[first.pk, 0])

    def test_many_credits_take_off_all_of_it_to_the_cent_and_no_more(self, house: House) -> None:
        bill = house.bill(lines=lines("33.33", "33.33", "0.01", tax_percent=Decimal("7.5")))
        total = get(bill).total
        for _ in range(7):
            house.credit(bill, "10.01")
        house.credit(bill, total - Decimal("70.07"))
        assert (get(bill).due, get(bill).status) == (0, "paid")
        assert sum(note.tax for note in CreditNote.objects.all()) == get(bill).tax
        with pytest.raises(errors.CreditTooLarge, match=r"₹0\.00"):
            house.credit(bill, "0.01")

    def test_what_was_paid_and_is_no_longer_owed_is_to_be_given_back(self, house: House) -> None:
        house.open()
        bill = house.bill("100")
        house.pay(bill, "100")
        house.credit(bill, "30")
        assert (get(bill).status, get(bill).due, get(bill).to_give_back, get(bill).owed) == ("paid", -30, 30, 0)

    @pytest.mark.parametrize(
        ("amount", "error"),
        [
            ("0", errors.BadAmount),
            ("-1", errors.BadAmount),
            ("0.001", errors.BadAmount),
            ("100.01", errors.CreditTooLarge),
        ],
    )
    def test_what_cannot_be_taken_off(self, house: House, amount: str, error: type[Exception]) -> None:
        with pytest.raises(error):
            house.credit(house.bill("100"), amount)

    def test_not_off_a_draft_nor_a_void_bill_nor_without_a_reason_or_permission(self, house: House) -> None:
        bill = house.bill("100")
        with pytest.raises(errors.ReasonNeeded):
            house.credit(bill, "1", reason="")
        with pytest.raises(PermissionDenied):
            house.credit(bill, "1", by=house.person("reception"))
        with pytest.raises(errors.NotIssued):
            house.credit(house.bill("1", draft=True), "1")
        house.void(bill)
        with pytest.raises(errors.BillIsVoid):
            house.credit(bill, "1")


class TestOtherApps:
    def test_they_learn_of_every_change_in_order(self, house: House, told: list[BillChange]) -> None:
        bill = house.bill("100")
        house.credit(bill, "1")
        house.void(bill)
        house.bill("5", draft=True)
        assert [(change.kind, change.bill.pk, change.bill.status) for change in told] == [
            ("issued", bill, "open"), ("credited", bill, "open"), ("voided", bill, "void"),
        ]  # fmt: skip
        assert (told[-1].by, told[-1].at) == (house.meena, get(bill).voided_at)

    def test_what_one_of_them_refuses_does_not_happen(self, house: House, settings: Any) -> None:
        bill = house.bill("100")
        settings.OPD_BILL_CONSEQUENCES = [f"{__name__}.refuse"]
        with pytest.raises(errors.BillIsVoid):
            house.void(bill)
        assert get(bill).status == "open"

    def test_they_lock_before_bills_are_locked(self, house: House, settings: Any) -> None:
        bill = house.bill("100")
        settings.OPD_BILL_LOCKS = [f"{__name__}.lock_sessions"]
        LOCKED.clear()
        with CaptureQueriesContext(connection) as queries:
            house.void(bill)
        assert [[bill]] == LOCKED
        assert any("FOR NO KEY UPDATE" in query["sql"] for query in queries.captured_queries)
