"""What screens and answers read: lists, finding, accounts and prices, each in a known number of queries."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.errors import OutOfReach, PermissionDenied
from accounts.permissions import ALL
from accounts.tests.factories import FacilityFactory, UserFactory
from billing.errors import UnknownBill, UnknownPayment
from billing.models import Price, Shift, TaxRate
from billing.queries import (
    advance_balance,
    bill_in_full,
    bills_of,
    counts_of_day,
    current_shift,
    find_bills,
    free_drawers,
    get_bill,
    get_payment,
    of_item,
    payments_of,
    price_list,
    refunds_of,
    shift_report,
    shifts_of,
    statement,
    tax_rates,
)
from billing.queries.bills import paid_on, to_give_back, to_pay, void_on
from billing.queries.shifts import expected_cash, moved_cash, movements_of
from billing.tenders import Tender
from billing.tests.house import D, House, card, from_account, lines
from patients.actions import mark_merged
from patients.tests.factories import PatientFactory


@pytest.fixture
def house(db: None) -> House:
    house = House()
    house.open()
    assert house.meena.grants  # they come with the sign-in
    return house


def here(house: House) -> frozenset[int]:
    return frozenset({house.facility.pk})


def ids(bills: Any) -> list[int]:
    return [bill.pk for bill in bills]


class TestBills:
    def test_a_patient_s_bills_include_those_of_records_merged_into_theirs(self, house: House) -> None:
        known_as, other = house.newcomer(), house.newcomer()
        mine = [house.bill("5", patient=known_as), house.bill("6")]
        house.bill("7", patient=other)
        mark_merged(patient_id=known_as.pk, into_id=house.patient.pk, by=None)
        for patient in (known_as, house.patient):
            assert ids(bills_of(here(house), patient_id=patient.pk)) == mine[::-1]

    def test_lists_can_be_narrowed(self, house: House) -> None:
        draft, open_, part, void = house.bill("5", draft=True), house.bill("5"), house.bill("5"), house.bill("5")
        house.pay(part, "2")
        house.void(void)
        assert ids(bills_of(here(house))) == [void, part, open_, draft]
        assert ids(bills_of(here(house), statuses=("draft", "void"))) == [void, draft]
        assert ids(bills_of(here(house), number=" b-2031-000002 ")) == [part]
        assert ids(bills_of(here(house), on=house.now.date())) == [void, part, open_]
        assert ids(bills_of(ALL)) == ids(bills_of(here(house)))
        assert ids(bills_of(frozenset())) == []

    def test_those_with_a_line_for_an_object(self, house: House) -> None:
        one = house.bill(lines=lines("5", "6", item_type="consultation", item_id=81))
        house.bill(lines=lines("5", item_type="test_order", item_id=81))
        assert ids(of_item(bills_of(here(house)), ("consultation", "priority"), 81)) == [one]

    def test_the_lists_of_the_cash_desk(self, house: House) -> None:
        to_be_paid, part, paid, back, void = (house.bill("500") for _ in range(5))
        house.pay(part, "100")
        house.pay(paid, "500")
        house.pay(back, card("500"))
        house.credit(back, "200")
        house.void(void)
        house.refund(house.payments(paid)[0], "50", credit=True)
        House().bill("5")
        facility, today = house.facility.pk, house.now.date()
        assert ids(to_pay(facility)) == [part, to_be_paid]
        assert ids(to_give_back(facility)) == [back]
        assert ids(paid_on(facility, today)) == [back, paid, part]
        assert ids(void_on(facility, today)) == [void]
        counts = counts_of_day(facility, today)
        assert (counts.to_pay, counts.to_give_back, counts.paid, counts.refunds, counts.void) == (2, 1, 3, 1, 1)
        tomorrow = counts_of_day(facility, today + timedelta(days=1))
        assert (tomorrow.to_pay, tomorrow.to_give_back, tomorrow.paid, tomorrow.refunds) == (2, 1, 0, 0)

    def test_one_bill_in_full(self, house: House) -> None:
        bill = house.bill("500", "150")
        house.pay(bill, "600", card("50"))
        house.refund(house.payments(bill)[0], "100", credit=True)
        full = bill_in_full(bill, house.meena)
        assert [line.total for line in full.lines] == [D(500), D(150)]
        assert [(one.method, one.refunded) for one in full.payments] == [("cash", D(100)), ("card", D(0))]
        assert [one.amount for one in full.refunds] == [one.amount for one in full.credit_notes] == [D(100)]
        assert [one.kind for one in full.receipts] == ["payment", "refund"]

    def test_another_facility_s_are_not_there(self, house: House) -> None:
        bill = house.bill("500")
        payment = house.pay(bill, "5").payments.get()
        stranger = UserFactory(username="stranger", roles=["billing-staff"], facility=FacilityFactory(name="Elsewhere"))
        with pytest.raises(OutOfReach) as refused:
            get_bill(bill, stranger)
        assert (refused.value.attempt["kind"], refused.value.attempt["object_id"]) == ("billing.bill", bill)
        with pytest.raises(OutOfReach):
            get_payment(payment.pk, stranger)
        with pytest.raises(PermissionDenied):
            get_bill(bill, house.person("doctor"))
        for look, error in ((get_bill, UnknownBill), (get_payment, UnknownPayment)):
            with pytest.raises(error):
                look(0, house.meena)  # type: ignore[operator]


class TestFinding:
    def test_by_the_number_of_the_bill_with_and_without_the_year(self, house: House) -> None:
        bill = [house.bill("5") for _ in range(3)][1]
        for text in ("B-2031-000002", " b-2031-2 ", "B-2", "b - 2"):
            assert ids(find_bills(house.facility.pk, text)) == [bill]
        assert find_bills(house.facility.pk, "B-2030-000002") == []

    def test_by_receipt_voucher_and_credit_note(self, house: House) -> None:
        house.bill("5")
        bill = house.bill("500")
        receipt = house.pay(bill, "500")
        refund = house.refund(receipt.payments.get(), "100", credit=True)
        house.deposit("5")  # a receipt without a bill
        for number in (receipt.number, refund.receipt.number, refund.credit_note.number):
            assert ids(find_bills(house.facility.pk, number)) == [bill]
        assert find_bills(house.facility.pk, "R-2031-000002") == []

    def test_by_the_patient_those_that_are_owed_first(self, house: House) -> None:
        sunita = PatientFactory(facility=house.facility, name="Sunita Deshpande", phone="+919812345678")
        known_as = PatientFactory(facility=house.facility, name="S. Deshpande")
        owed = house.bill("5", patient=known_as)
        paid = house.bill("5", patient=sunita)
        house.pay(paid, "5")
        newer = house.bill("5", patient=sunita)
        house.bill("5", patient=sunita, draft=True)
        house.bill("5")
        mark_merged(patient_id=known_as.pk, into_id=sunita.pk, by=None)
        for text in ("sunita desh", "98123 45678", sunita.number):
            found = ids(find_bills(house.facility.pk, text))
            assert sorted(found[:2]) == sorted([newer, owed])
            assert found[2:] == [paid]

    @pytest.mark.parametrize("text", ["", "  ", "nobody of this name", "B-", "X-2031-000001", "%"])
    def test_nothing(self, house: House, text: str) -> None:
        house.bill("5")
        assert find_bills(house.facility.pk, text) == []

    def test_only_here(self, house: House) -> None:
        house.bill("5")
        assert find_bills(FacilityFactory(name="Elsewhere").pk, "B-2031-000001") == []

    def test_an_old_bill_that_is_owed_comes_before_many_that_are_paid(self, house: House) -> None:
        owed = house.bill("100")
        for _ in range(5):
            house.bill("0")
        assert ids(find_bills(house.facility.pk, house.patient.number, limit=1)) == [owed]


class TestAccounts:
    def test_a_statement_says_what_came_and_went_and_what_lay_there_then(self, house: House) -> None:
        house.deposit("500")
        bill = house.bill("650")
        house.pay(bill, from_account("300"))
        house.refund(house.payments(bill)[0], "100")
        house.refund_advance("250")
        rows = statement(house.facility.pk, house.patient.pk)
        assert [(row.kind, row.amount, row.balance, row.number) for row in rows] == [
            ("refund", D(-250), D(50), "V-2031-000002"),
            ("refund", D(100), D(300), "V-2031-000001"),
            ("payment", D(-300), D(200), "R-2031-000002"),
            ("payment", D(500), D(500), "R-2031-000001"),
        ]

    def test_of_who_never_paid_in_nothing(self, house: House) -> None:
        assert advance_balance(house.facility.pk, house.patient.pk) == 0
        assert statement(house.facility.pk, house.patient.pk) == []


class TestPrices:
    def test_those_in_force_on_a_day(self, house: House) -> None:
        monday = date(2031, 3, 3)
        day = timedelta(days=1)
        tax = TaxRate.objects.create(facility=house.facility, name="GST", percent=D(12), valid_from=monday - 9 * day)
        TaxRate.objects.create(facility=house.facility, name="Cess", percent=D(1), valid_from=monday + day)

        def price(code: str, start: date, end: date | None = None, **more: Any) -> Price:
            arguments = {"facility": house.facility, "name": code.upper(), "item_type": "test", "amount": D(5)} | more
            return Price.objects.create(code=code, valid_from=start, valid_until=end, **arguments)

        price("ecg", monday - 5 * day, monday - day)
        today = price("ecg", monday, monday, tax=tax)
        price("ecg", monday + day)
        always = price("a-dressing", monday - 5 * day, item_type="service")
        price("other", monday, facility=FacilityFactory(name="Elsewhere"))
        assert list(price_list(house.facility.pk, monday)) == [always, today]
        assert list(price_list(house.facility.pk, monday, text="CG")) == [today]
        assert list(price_list(house.facility.pk, monday, item_type="service")) == [always]
        assert list(tax_rates(house.facility.pk, monday)) == [tax]


class TestHowMany:
    """The number of queries does not grow with the rows."""

    @pytest.mark.parametrize("count", [1, 6])
    def test_each(self, house: House, count: int, django_assert_num_queries: Any) -> None:
        facility, today = house.facility.pk, house.now.date()
        for _ in range(count):
            bill = house.bill(*["100"] * 3, patient=house.newcomer())
            house.pay(bill, "100", card("50"))
            house.refund(house.payments(bill)[0], "20", credit=True)
            house.deposit("10")
            house.move(Shift.objects.get(cashier=house.meena), "to_safe", "1")
        shift = current_shift(house.meena, facility)
        assert shift is not None
        advance = house.payments(None)[0]
        reads: list[tuple[int, Any]] = [
            (2, lambda: get_bill(bill, house.meena).lines.all()[0].total),
            (6, lambda: bill_in_full(bill, house.meena).receipts),
            (1, lambda: [(one.patient.name, one.facility.name) for one in bills_of(here(house))]),
            (2, lambda: [(one.patient.name, len(one.lines.all())) for one in to_pay(facility)]),
            (2, lambda: list(paid_on(facility, today))),
            (4, lambda: counts_of_day(facility, today)),
            (3, lambda: find_bills(facility, "B-1")),
            (1, lambda: [(one.patient.name, one.receipt.number, one.by) for one in payments_of(here(house))]),
            (1, lambda: [(one.payment.patient.name, one.receipt.number) for one in refunds_of(here(house), on=today)]),
            (1, lambda: get_payment(advance.pk, house.meena)),
            (1, lambda: advance_balance(facility, house.patient.pk)),
            (1, lambda: statement(facility, house.patient.pk)),
            (1, lambda: current_shift(house.meena, facility)),
            (3, lambda: shift_report(shift)),
            (1, lambda: expected_cash(shift)),
            (1, lambda: moved_cash(shift)),
            (1, lambda: [one.by.name for one in movements_of(shift)]),
            (1, lambda: [(one.cashier.name, one.drawer.name) for one in shifts_of(here(house), house.meena)]),
            (1, lambda: list(free_drawers(facility))),
            (1, lambda: list(price_list(facility, today))),
        ]
        for most, read in reads:
            with django_assert_num_queries(most):
                read()


def statements(work: Callable[[], object]) -> list[str]:
    """What is sent to the database, without the transaction's own."""
    with CaptureQueriesContext(connection) as captured:
        work()
    own = ("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT")
    return [query["sql"] for query in captured.captured_queries if not query["sql"].startswith(own)]


class TestAPaymentCosts:
    """A payment is at most 12 statements, however many lines the bill has."""

    @pytest.mark.parametrize(
        ("most", "ways"),
        [
            (10, ["200"]),
            (11, [card("200")]),
            (12, [from_account("200")]),
            (11, [card("200"), Tender("upi", Decimal(100), "U-1"), "300"]),
        ],
    )
    def test_by_its_ways(self, house: House, most: int, ways: list[Any]) -> None:
        house.deposit("1000", card("5"), Tender("upi", Decimal(5), "U-0"))  # the accounts of the ledger are there
        house.pay(house.bill("5"), from_account("5"))
        bill = house.bill(*["100"] * 9)
        assert house.meena.grants  # they come with the sign-in
        sent = statements(lambda: house.pay(bill, *ways))
        assert len(sent) == most <= 12
