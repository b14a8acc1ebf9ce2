"""What the database keeps about money, whoever writes and however: plain SQL, with no action in between."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import Error, IntegrityError, transaction

from billing import actions
from billing.actions.proofs import run_proof
from billing.models import Bill, CashMovement, LedgerAccount, LedgerTransaction, Payment, Price, Refund, Shift, TaxRate
from billing.tests.house import House, card, from_account, rows
from common.transactions import outermost
from scheduling.tests.factories import DepartmentFactory, DoctorFactory

pytestmark = pytest.mark.django_db

NEVER_DELETED = (
    "bill", "line", "creditnote", "creditline", "patientaccount", "receipt", "receiptprint", "payment", "refund",
    "shift", "cashmovement", "drawer", "counter", "ledgeraccount", "ledgertransaction", "ledgerentry", "proofrun",
)  # fmt: skip
APPEND_ONLY = {
    "creditnote": "amount = amount + 1", "creditline": "amount = amount + 1", "patientaccount": "patient_id = 1",
    "receipt": "change = change + 1", "receiptprint": "copy = copy + 1", "refund": "amount = amount + 1",
    "ledgeraccount": "name = 'x'", "ledgertransaction": "date = date + 1", "ledgerentry": "amount = amount + 1",
    "cashmovement": "amount = amount + 1", "proofrun": "balanced = NOT balanced",
}  # fmt: skip


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def busy(house: House) -> House:
    """A hospital with a row in every table of money."""
    shift = house.open()
    bill = house.bill("100", "50")
    house.pay(bill, "100", card("80"), keep_rest=True)
    house.credit(bill, "30")
    house.give_back(bill)
    house.pay(house.bill("20"), from_account("20"))
    receipt = house.deposit("5")
    outermost(lambda: actions.print_receipt(receipt_id=receipt.pk, by=house.meena))
    outermost(lambda: run_proof(facility_id=house.facility.pk))
    house.move(shift, "paid_out", "5")
    house.close(shift, "0", "Stolen")
    return house


class TestBills:
    @pytest.mark.parametrize(
        "change",
        [
            "total = total + 1, paid = 1", "discount = 1", "tax = 1", "gross = 0", "number = 'B-2031-000009'",
            "date = date + 1", "issued_at = now()", "currency = 'USD'", "billable_type = 'x'",
            "status = 'paid'", "status = 'part_paid'", "status = 'draft'", "status = 'void'", "status = 'nonsense'",
            "paid = -1", "paid = total + 1, status = 'paid'", "credited = total + 1, status = 'paid'",
        ],
    )  # fmt: skip
    def test_an_issued_bill_is_never_edited(self, house: House, change: str) -> None:
        bill = house.bill("100")
        with pytest.raises(IntegrityError):
            rows(f"UPDATE billing_bill SET {change} WHERE id = %s", bill)

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE billing_line SET description = 'x' WHERE bill_id = %s",
            "UPDATE billing_line SET total = 0, gross = 0 WHERE bill_id = %s",
            "DELETE FROM billing_line WHERE bill_id = %s",
            "INSERT INTO billing_line (bill_id, position, description, quantity, unit_price, gross, discount,"
            " discount_reason, tax_percent, tax_included, tax, total, item_type)"
            " VALUES (%s, 9, 'x', 1, 1, 1, 0, '', 0, false, 0, 1, '')",
        ],
    )
    def test_nor_are_its_lines(self, house: House, statement: str) -> None:
        bill = house.bill("100")
        with pytest.raises(IntegrityError):
            rows(statement, bill)

    def test_a_void_bill_stays_void(self, house: House) -> None:
        bill = house.void(house.bill("100"))
        with pytest.raises(IntegrityError):
            rows("UPDATE billing_bill SET void_reason = 'x' WHERE id = %s", bill.pk)

    def test_a_draft_whose_total_is_not_its_lines_is_not_issued(self, house: House) -> None:
        draft = house.bill("100", draft=True)
        rows("UPDATE billing_bill SET total = 99 WHERE id = %s", draft)
        with pytest.raises(IntegrityError, match="not the sum of its lines"):
            house.act(actions.issue_bill, bill_id=draft)

    @pytest.mark.parametrize(
        "change",
        ["discount = 1, total = 99", "discount = 101", "tax = 1", "total = 99", "quantity = 0", "unit_price = -1"],
    )
    def test_a_line_adds_up_and_a_discount_has_a_reason(self, house: House, change: str) -> None:
        draft = house.bill("100", draft=True)
        with pytest.raises(IntegrityError):
            rows(f"UPDATE billing_line SET {change} WHERE bill_id = %s", draft)


class TestNothingIsLost:
    @pytest.mark.parametrize("table", NEVER_DELETED)
    def test_a_row_of_money_is_never_deleted(self, busy: House, table: str) -> None:
        assert rows(f"SELECT count(*) FROM billing_{table}") != [(0,)]
        with pytest.raises(Error, match=r"Cannot .*delete|stay as they are"):
            rows(f"DELETE FROM billing_{table}")

    @pytest.mark.parametrize("table", NEVER_DELETED)
    def test_nor_is_a_table_emptied(self, table: str) -> None:
        with pytest.raises(IntegrityError, match="is never emptied"):
            rows(f"TRUNCATE billing_{table} CASCADE")

    @pytest.mark.parametrize("table", APPEND_ONLY)
    def test_what_is_append_only_never_changes(self, busy: House, table: str) -> None:
        with pytest.raises(Error, match="Cannot update"):
            rows(f"UPDATE billing_{table} SET {APPEND_ONLY[table]}")

    @pytest.mark.parametrize(
        "change",
        [
            "amount = amount + 1", "method = 'wallet'", "reference = 'x'", "shift_id = NULL", "bill_id = NULL",
            "at = now()", "by_id = NULL", "refunded = refunded - 0.01", "refunded = amount + 1",
        ],
    )  # fmt: skip
    def test_of_a_payment_only_what_was_refunded_grows(self, house: House, change: str) -> None:
        house.open()
        receipt = house.pay(house.bill("100"), "100")
        payment = receipt.payments.get()
        house.refund(payment, "10")
        with pytest.raises(IntegrityError):
            rows(f"UPDATE billing_payment SET {change} WHERE id = %s", payment.pk)


class TestLedger:
    """Balances are sums of entries that nobody changes, in transactions that sum to zero."""

    @pytest.mark.django_db(transaction=True)
    def test_a_transaction_that_does_not_sum_to_zero_is_not_committed(self, house: House) -> None:
        house.bill("100")
        before = rows("SELECT count(*) FROM billing_ledgerentry")
        with pytest.raises(IntegrityError, match="does not sum to zero"), transaction.atomic():
            post(house, "5.00", "-4.99")
        assert rows("SELECT count(*) FROM billing_ledgerentry") == before

    @pytest.mark.django_db(transaction=True)
    @pytest.mark.parametrize("amounts", [(), ("5.00",)])
    def test_nor_is_one_without_entries(self, house: House, amounts: tuple[str, ...]) -> None:
        house.bill("100")
        with pytest.raises(IntegrityError, match=r"has no entries|does not sum"), transaction.atomic():
            post(house, *amounts)

    @pytest.mark.django_db(transaction=True)
    def test_one_that_sums_to_zero_is(self, house: House) -> None:
        house.bill("100")
        with transaction.atomic():
            post(house, "5.00", "-2.00", "-3.00")

    @pytest.mark.django_db(transaction=True)
    def test_no_entry_is_ever_added_to_an_earlier_transaction(self, house: House) -> None:
        house.bill("100")
        earlier = LedgerTransaction.objects.get()
        with pytest.raises(IntegrityError, match="no entry is added to an earlier transaction"), transaction.atomic():
            enter(house, earlier.pk, "5.00", "-5.00")

    @pytest.mark.django_db(transaction=True)
    def test_not_even_by_one_who_says_it_is_of_this_moment(self, house: House) -> None:
        house.bill("100")
        with pytest.raises(Error, match="Cannot update"), transaction.atomic():
            rows("UPDATE billing_ledgertransaction SET xact = pg_current_xact_id()::text::bigint")

    def test_an_entry_of_nothing_is_none(self, house: House) -> None:
        house.bill("100")
        with pytest.raises(IntegrityError, match="ledger_entry_not_zero"):
            post(house, "0.00", "0.00")

    @pytest.mark.parametrize("kind", ["issue", "payment", "refund", "credit", "float", "movement", "close"])
    def test_the_same_is_posted_once(self, busy: House, kind: str) -> None:
        with pytest.raises(IntegrityError, match=r"posted_once"):
            rows(
                "INSERT INTO billing_ledgertransaction"
                " (facility_id, kind, date, at, bill_id, payment_id, refund_id, credit_note_id, movement_id, shift_id)"
                " SELECT facility_id, kind, date, at, bill_id, payment_id, refund_id, credit_note_id, movement_id,"
                " shift_id"
                " FROM billing_ledgertransaction WHERE kind = %s LIMIT 1",
                kind,
            )

    def test_balances_are_nowhere_stored(self) -> None:
        columns = {field.name for field in LedgerAccount._meta.fields}
        assert columns == {"id", "facility", "kind", "code", "name", "department", "drawer"}


class TestShifts:
    @pytest.mark.parametrize(
        "change", ["counted = counted + 1", "reason = 'x'", "closed_at = NULL", "float_amount = 0", "counts = '{}'"]
    )
    def test_a_closed_shift_never_changes_again(self, busy: House, change: str) -> None:
        with pytest.raises(IntegrityError, match="closed for ever"):
            rows(f"UPDATE billing_shift SET {change}")

    def test_no_money_moves_in_it(self, busy: House) -> None:
        with pytest.raises(IntegrityError, match="is closed"):
            rows(
                "INSERT INTO billing_payment (facility_id, receipt_id, patient_id, bill_id, method, amount, refunded,"
                " reference, shift_id, date, at) SELECT facility_id, receipt_id, patient_id, bill_id, method, amount,"
                " 0, '', shift_id, date, at FROM billing_payment WHERE method = 'cash' LIMIT 1"
            )

    def test_nor_is_cash_carried_in_or_out(self, busy: House) -> None:
        with pytest.raises(IntegrityError, match="is closed"):
            carry(Shift.objects.get())

    @pytest.mark.parametrize(
        ("change", "name"),
        [
            ({"amount": 0}, "movement_positive"),
            ({"amount": -1}, "movement_positive"),
            ({"kind": "stolen"}, "movement_kind_known"),
            ({"number": "R-2031-000009"}, "movement_number_form"),
            ({"kind": "paid_out", "reason": ""}, "petty_cash_has_a_reason"),
            ({"number": "M-2031-000001"}, "movement_number_once"),
        ],
    )
    def test_cash_that_is_carried_has_amount_kind_number_and_reason(
        self, house: House, change: dict[str, Any], name: str
    ) -> None:
        shift = house.open()
        house.move(shift, "from_safe", "10", "")
        with pytest.raises(IntegrityError, match=name):
            carry(shift, **change)

    @pytest.mark.parametrize("same", ["cashier", "drawer"])
    def test_a_cashier_and_a_drawer_have_one_open_shift(self, house: House, same: str) -> None:
        shift = house.open()
        with pytest.raises(IntegrityError, match=f"one_open_shift_a_{same}"):
            Shift.objects.create(
                facility=house.facility, drawer=house.drawers[same == "cashier"], date=shift.date, number=9,
                cashier=house.cashiers[same == "drawer"], opened_at=house.now, float_amount=0,
            )  # fmt: skip

    def test_a_difference_has_a_reason(self, house: House) -> None:
        shift = house.open()
        with pytest.raises(IntegrityError, match="shift_difference_has_a_reason"):
            rows(
                "UPDATE billing_shift SET closed_at = now(), closed_by_id = cashier_id, counted = 1, expected = 2"
                " WHERE id = %s",
                shift.pk,
            )

    def test_cash_moves_in_a_shift(self, house: House) -> None:
        house.open()
        receipt = house.pay(house.bill("100"), card("100"))
        with pytest.raises(IntegrityError, match="cash_payment_in_a_shift"):
            Payment.objects.create(
                facility=house.facility, receipt=receipt, patient=house.patient, method="cash", amount=1,
                date=house.now.date(), at=house.now,
            )  # fmt: skip

    @pytest.mark.parametrize("method", ["card", "account", "cash"])
    def test_whatever_goes_back_goes_out_of_a_shift_unless_the_clinic_itself_moves_it(
        self, house: House, method: str
    ) -> None:
        house.open()
        [payment] = house.pay(house.bill("100"), card("100")).payments.all()
        voucher = house.refund(payment, "1").receipt
        facts = {
            "facility": house.facility, "receipt": voucher, "payment": payment, "bill_id": payment.bill_id,
            "amount": 1, "reason": "x", "date": house.now.date(), "at": house.now, "method": method,
        }  # fmt: skip
        with pytest.raises(IntegrityError, match="_in_a_shift"), transaction.atomic():
            Refund.objects.create(**facts, by=house.meena)
        if method == "account":
            Refund.objects.create(**facts, by=None)
        else:
            with pytest.raises(IntegrityError, match="_in_a_shift"), transaction.atomic():
                Refund.objects.create(**facts, by=None)


class TestFacilities:
    """Nothing ties two facilities together."""

    @pytest.fixture
    def other(self, house: House) -> House:
        other = House()
        other.open()
        other.bill("1")
        return other

    def test_a_bill_has_a_patient_of_its_own_facility(self, house: House, other: House) -> None:
        with pytest.raises(IntegrityError, match="two facilities"):
            Bill.objects.create(facility=house.facility, patient=other.patient, currency="INR")

    def test_a_line_has_department_and_doctor_of_its_own(self, house: House, other: House) -> None:
        department = DepartmentFactory(facility=other.facility, name="Skin")
        doctor = DoctorFactory(department=department)
        draft = house.bill("1", draft=True)
        for column, key in (("department_id", department.pk), ("doctor_id", doctor.pk)):
            with pytest.raises(IntegrityError, match="two facilities"), transaction.atomic():
                rows(f"UPDATE billing_line SET {column} = %s WHERE bill_id = %s", key, draft)

    def test_a_shift_has_a_drawer_of_its_own(self, house: House, other: House) -> None:
        with pytest.raises(IntegrityError, match="two facilities"):
            Shift.objects.create(
                facility=house.facility, drawer=other.drawers[1], cashier=house.meena, date=house.now.date(), number=1,
                opened_at=house.now, float_amount=0,
            )  # fmt: skip

    @pytest.mark.parametrize("column", ["bill_id", "shift_id", "patient_id"])
    def test_a_payment_has_bill_patient_and_shift_of_its_own(self, house: House, other: House, column: str) -> None:
        house.open()
        payment = house.pay(house.bill("100"), "100").payments.get()
        theirs = {"bill_id": other.bill("5"), "shift_id": Shift.objects.get(cashier=other.meena).pk}
        values = {name: getattr(payment, name) for name in ("receipt_id", "patient_id", "bill_id", "shift_id")}
        values[column] = theirs.get(column, other.patient.pk)
        with pytest.raises(IntegrityError, match="two facilities"):
            Payment.objects.create(
                facility=house.facility, method="cash", amount=1, date=payment.date, at=payment.at, **values
            )

    def test_cash_is_carried_in_a_shift_of_its_own(self, house: House, other: House) -> None:
        with pytest.raises(IntegrityError, match="two facilities"):
            carry(Shift.objects.get(cashier=other.meena), facility=house.facility)

    def test_an_entry_stands_on_an_account_of_its_own(self, house: House, other: House) -> None:
        house.bill("1")
        with pytest.raises(IntegrityError, match="two facilities"):
            post(house, "1.00", "-1.00", account=LedgerAccount.objects.filter(facility=other.facility)[0])

    def test_a_price_has_department_and_tax_of_its_own(self, house: House, other: House) -> None:
        tax = TaxRate.objects.create(facility=other.facility, name="GST", percent=5, valid_from=house.now.date())
        common: dict[str, Any] = {"facility": house.facility, "amount": 1, "valid_from": house.now.date()}
        with pytest.raises(IntegrityError, match="two facilities"):
            Price.objects.create(code="x-ray", name="X-ray", item_type="test", tax=tax, **common)


class TestPrices:
    def test_one_price_of_a_code_and_one_tax_of_a_name_at_a_time(self, house: House) -> None:
        first = house.now.date()
        common: dict[str, Any] = {"facility": house.facility, "code": "ecg", "name": "ECG", "item_type": "test"}
        Price.objects.create(**common, amount=100, valid_from=first, valid_until=first + timedelta(days=9))
        Price.objects.create(**common, amount=120, valid_from=first + timedelta(days=10))
        with pytest.raises(IntegrityError, match="one_price_of_a_code"), transaction.atomic():
            Price.objects.create(**common, amount=110, valid_from=first + timedelta(days=9))
        TaxRate.objects.create(facility=house.facility, name="GST", percent=5, valid_from=first)
        with pytest.raises(IntegrityError, match="one_tax_of_a_name"):
            TaxRate.objects.create(facility=house.facility, name="GST", percent=12, valid_from=first)


def carry(shift: Shift, **more: Any) -> None:
    """Write that cash was carried, past the action."""
    row = {"facility": shift.facility, "shift": shift, "kind": "to_safe", "amount": 1, "number": "M-2031-000009"}
    moment = {"date": shift.date, "at": shift.opened_at, "by": shift.cashier}
    CashMovement.objects.create(**{**row, **moment, **more})


def post(house: House, *amounts: str, account: LedgerAccount | None = None) -> None:
    """A transaction by hand, with entries of these amounts."""
    [(pk,)] = rows(
        "INSERT INTO billing_ledgertransaction (facility_id, kind, date, at) VALUES (%s, 'payment', now(), now())"
        " RETURNING id",
        house.facility.pk,
    )
    enter(house, pk, *amounts, account=account)


def enter(house: House, pk: int, *amounts: str, account: LedgerAccount | None = None) -> None:
    account = account or LedgerAccount.objects.filter(facility=house.facility)[0]
    for amount in amounts:
        rows(
            "INSERT INTO billing_ledgerentry (transaction_id, account_id, amount) VALUES (%s, %s, %s)",
            pk, account.pk, Decimal(amount),
        )  # fmt: skip
