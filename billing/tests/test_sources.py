"""Every rule of the source document that is about money, by name: a test a rule.

Where the product knowingly does otherwise, the test shows what it does and says so.
"""

from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.permissions import ALL
from billing import queries
from billing.changes import BillChange
from billing.models import Bill, LedgerAccount, LedgerTransaction, Line, Payment
from billing.prices import line_of
from billing.rules import LineIn, Off
from billing.states import OWED, BillStatus, Method
from billing.tests.house import House, card, from_account, lines, rows

pytestmark = pytest.mark.django_db

ORDERED: dict[int, str] = {}


def mark_ordered_tests(change: BillChange) -> None:
    """A laboratory that hears of paid bills, as an app above this one would."""
    if change.kind == "paid" and change.bill.status == BillStatus.PAID:
        for line in change.bill.lines.filter(item_type="test_order"):
            ORDERED[line.item_id or 0] = "billed"


@pytest.fixture
def house() -> House:
    house = House()
    house.open()
    return house


def get(bill_id: int) -> Bill:
    return Bill.objects.get(pk=bill_id)


class TestHmsDatabaseDesign:
    """HMS Database Design: polymorphic billing, workflows 2, 4 and 6, performance targets, indexes, checklist."""

    # 2. Polymorphic billing system

    @pytest.mark.parametrize("billable", ["visit", "test", "medicine", "surgery", "any-future-type"])
    def test_bill_anything_without_modifying_the_schema(self, house: House, billable: str) -> None:
        bill = get(house.bill("100", billable_type=billable, billable_id=7))
        assert (bill.billable_type, bill.billable_id, bill.status) == (billable, 7, "open")
        with CaptureQueriesContext(connection) as asked:
            house.bill("100", billable_type=f"{billable}-2", billable_id=8)
        assert not [query for query in asked.captured_queries if query["sql"].startswith(("ALTER", "CREATE"))]

    @pytest.mark.parametrize("item", ["consultation", "test", "medicine", "service", "room-charge"])
    def test_a_line_stands_for_any_item_by_type_and_id(self, house: House, item: str) -> None:
        bill = house.bill(lines=[LineIn("What it is", Decimal(5), item_type=item, item_id=3)])
        assert Line.objects.get(item_type=item, item_id=3).bill_id == bill

    def test_the_billing_logic_is_the_same_for_all_types(self, house: House) -> None:
        made = [get(house.bill("99.99", billable_type=each)) for each in ("visit", "surgery", "")]
        for bill in made:
            house.pay(bill.pk, "99.99")
        assert {(bill.total, get(bill.pk).status) for bill in made} == {(Decimal("99.99"), "paid")}

    def test_reporting_across_bill_types_is_one_query(self, house: House) -> None:
        house.bill("10", billable_type="visit")
        house.bill("20", billable_type="surgery")
        sums = rows("SELECT billable_type, sum(total) FROM billing_bill GROUP BY 1 ORDER BY 1")
        assert sums == [("surgery", Decimal(20)), ("visit", Decimal(10))]

    # Workflow 2: create visit and bill (what opens it is the reception's)

    def test_a_bill_has_number_patient_billable_total_due_and_date(self, house: House) -> None:
        bill = get(house.bill("600", billable_type="visit", billable_id=5))
        assert bill.number == "B-2031-000001"
        assert (bill.patient, bill.billable_type, bill.billable_id) == (house.patient, "visit", 5)
        assert (bill.total, bill.due, bill.date) == (600, 600, house.now.date())

    def test_numbers_have_six_digits_and_no_gap_instead_of_last_plus_one(self, house: House) -> None:
        """The document counts up from the last row, which gives a number twice; a counter under a lock does not."""
        assert [get(house.bill("1")).number for _ in range(3)] == [f"B-2031-00000{n}" for n in (1, 2, 3)]

    def test_fees_stand_on_lines_of_their_own_instead_of_one_sum(self, house: House) -> None:
        """The document adds doctor's and hospital's fee into one line; here each has its line and its revenue."""
        bill = get(house.bill(lines=[LineIn("Dr Rao", Decimal(500)), LineIn("Hospital fee", Decimal(100))]))
        assert [(line.description, line.total) for line in bill.lines.all()] == [("Dr Rao", 500), ("Hospital fee", 100)]
        assert bill.total == 600

    # Workflow 4: cash payment

    def test_cash_is_primary_and_there_are_several_methods(self, house: House) -> None:
        assert Method.values[0] == "cash"
        bill = house.bill("100")
        house.deposit("10")
        house.pay(bill, "50", card("40"), from_account("10"))
        assert sorted(Payment.objects.filter(bill=bill).values_list("method", flat=True)) == ["account", "card", "cash"]

    def test_partial_payments_pending_partial_paid(self, house: House) -> None:
        bill = house.bill("100")
        states = [(get(bill).status, get(bill).paid, get(bill).due)]
        for amount in ("40", "60"):
            house.pay(bill, amount)
            states.append((get(bill).status, get(bill).paid, get(bill).due))
        assert states == [("open", 0, 100), ("part_paid", 40, 60), ("paid", 100, 0)]

    def test_a_payment_says_who_received_it_when_and_for_which_bill(self, house: House) -> None:
        bill = house.bill("100")
        payment = house.pay(bill, "100").payments.get()
        assert (payment.by, payment.at, payment.bill_id, payment.amount) == (house.meena, house.now, bill, 100)

    def test_a_payment_makes_a_transaction_in_the_accounts(self, house: House) -> None:
        payment = house.pay(house.bill("100"), "100").payments.get()
        posted = LedgerTransaction.objects.get(payment=payment)
        assert (posted.kind, posted.bill_id) == ("payment", payment.bill_id)

    def test_balances_are_derived_and_revenue_is_earned_at_issue_instead_of_incremented_by_cash(
        self, house: House
    ) -> None:
        """The document adds each payment to a stored balance of revenue: paid twice, wrong for ever."""
        bill = house.bill("100")
        assert house.balance("revenue") == -100
        house.pay(bill, "100")
        assert (house.balance("revenue"), house.balance("receivable")) == (-100, 0)
        assert "balance" not in {field.name for field in LedgerAccount._meta.fields}

    # Workflow 6: order tests

    def test_a_test_bill_has_a_line_a_test_and_the_tests_are_billed_once_paid(
        self, house: House, settings: Any
    ) -> None:
        settings.OPD_BILL_CONSEQUENCES = [f"{__name__}.mark_ordered_tests"]
        ORDERED.clear()
        tests = [LineIn(name, Decimal(price), item_type="test_order", item_id=key) for key, name, price in
                 ((11, "Blood count", 300), (12, "ECG", 450))]  # fmt: skip
        bill = house.bill(lines=tests, billable_type="test")
        assert [line.quantity for line in get(bill).lines.all()] == [1, 1]
        house.pay(bill, "700")
        assert ORDERED == {}
        house.pay(bill, "50")
        assert ORDERED == {11: "billed", 12: "billed"}

    # Features of the tables

    def test_discount_support_and_quantity_tracking(self, house: House) -> None:
        asked = [LineIn("Strip", Decimal("12.50"), Decimal(3), off=Off.parse("10%"), discount_reason="Staff")]
        line = get(house.bill(lines=asked)).lines.get()
        assert (line.quantity, line.gross, line.discount, line.total) == tuple(
            map(Decimal, ("3", "37.5", "3.75", "33.75"))
        )

    def test_account_types_are_flexible(self, house: House) -> None:
        house.pay(house.bill("10"), "10")
        assert set(LedgerAccount.objects.values_list("kind", flat=True)) == {"cash", "safe", "receivable", "revenue"}

    def test_transactions_are_a_full_audit_trail(self, house: House) -> None:
        bill = house.bill("100")
        house.pay(bill, "100")
        house.credit(bill, "20")
        house.give_back(bill)
        trail = LedgerTransaction.objects.filter(bill=bill).order_by("pk")
        assert [(each.kind, each.by_id) for each in trail] == [
            ("issue", None), ("payment", house.meena.pk), ("credit", house.meena.pk), ("refund", house.meena.pk),
        ]  # fmt: skip

    # Performance targets and index strategy

    def test_bill_generation_is_a_handful_of_queries(self, house: House) -> None:
        """Under 200 ms in the document. What is counted here does not depend on the machine; docs/performance.md
        has the times."""
        house.bill("500", "100")
        with CaptureQueriesContext(connection) as asked:
            house.bill("500", "100")
        assert len(asked) <= 12

    @pytest.mark.parametrize(
        ("table", "columns"),
        [
            ("billing_bill", "(patient_id, status)"),  # a patient's pending bills
            ("billing_bill", "(facility_id, date)"),  # billing date
            ("billing_payment", "(facility_id, date)"),  # payment date
            ("billing_bill", "(billable_type, billable_id)"),
            ("billing_line", "(item_type, item_id)"),
        ],
    )
    def test_the_indexes_of_the_document_are_there(self, table: str, columns: str) -> None:
        indexes = [row[0] for row in rows("SELECT indexdef FROM pg_indexes WHERE tablename = %s", table)]
        assert any(columns in index for index in indexes)

    def test_a_patient_s_pending_bills_are_one_query(self, house: House, django_assert_num_queries: Any) -> None:
        house.bill("1")
        paid = house.bill("2")
        house.pay(paid, "2")
        with django_assert_num_queries(1):
            pending = list(queries.bills_of(ALL, patient_id=house.patient.pk, statuses=OWED))
        assert [bill.total for bill in pending] == [1]

    # Checklist

    def test_unique_constraints_and_foreign_keys_are_enforced_and_nothing_cascades(self, house: House) -> None:
        """The document lets deletes cascade; money is never deleted, and neither is whose it is."""
        house.bill("1")
        copy = Bill.objects.latest("pk")
        copy.pk = None
        with pytest.raises(IntegrityError, match="bill_number_once"), transaction.atomic():
            copy.save(force_insert=True)
        with pytest.raises(Exception, match="Cannot delete"), transaction.atomic():
            rows("DELETE FROM patients_patient")

    def test_a_price_list_is_data(self, house: House) -> None:
        price = house.facility.prices.create(
            code="cbc",
            name="Blood count",
            item_type="test",
            item_id=4,
            amount=Decimal(300),
            valid_from=house.now.date(),
        )
        bill = get(house.bill(lines=[line_of(price, Decimal(2), on=house.now.date())]))
        assert (bill.total, bill.lines.get().item_type, bill.lines.get().item_id) == (600, "test", 4)

    def test_any_billing_scenario_a_bill_of_a_thousand_lines(self, house: House) -> None:
        assert get(house.bill(lines=lines(*["0.99"] * 1000))).total == 990
