"""What each movement of money is in the ledger: debit above zero, credit below."""

from decimal import Decimal

import pytest

from billing.models import Bill, LedgerAccount, LedgerTransaction
from billing.rules import LineIn, Off
from billing.tests.house import House, balance, card, from_account, rows

pytestmark = pytest.mark.django_db

Entries = dict[str, str]


@pytest.fixture
def house() -> House:
    return House()


def posted(house: House, kind: str) -> Entries:
    """The entries of the last transaction of a kind, by account; departments and drawers as a, b."""
    last = LedgerTransaction.objects.filter(facility=house.facility, kind=kind).latest("pk")
    return {_named(entry.account.code, house): str(entry.amount) for entry in last.entries.select_related("account")}


def _named(code: str, house: House) -> str:
    """`revenue:a` for the first department, `cash:1` for the first drawer."""
    kind, _, key = code.partition(":")
    if kind == "cash":
        return f"cash:{[str(each.pk) for each in house.drawers].index(key) + 1}"
    ids = [str(each.pk) for each in house.departments]
    return f"{kind}:{'ab'[ids.index(key)]}" if key in ids and kind in ("revenue", "discount", "refund") else code


def taxed(house: House) -> list[LineIn]:
    """90.00 and 18 % on it in one department, 105.00 with 5 % in it in the other."""
    one, other = (each.pk for each in house.departments)
    return [
        LineIn("Syrup", Decimal(100), off=Off.parse("10.00"), discount_reason="Old", tax_percent=Decimal(18),
               department_id=one),
        LineIn("Plaster", Decimal(105), tax_percent=Decimal(5), tax_included=True, department_id=other),
    ]  # fmt: skip


class TestBills:
    def test_a_bill_is_a_claim_against_revenue_by_department_discounts_and_tax(self, house: House) -> None:
        bill = house.bill(lines=taxed(house))
        assert posted(house, "issue") == {
            "receivable": "211.20", "discount:a": "10.00", "revenue:a": "-100.00", "revenue:b": "-100.00",
            "tax": "-21.20",
        }  # fmt: skip
        assert house.balance("receivable", bill=bill) == Bill.objects.get(pk=bill).due

    def test_lines_of_no_department_are_revenue_of_the_house(self, house: House) -> None:
        house.bill("10", "20")
        assert posted(house, "issue") == {"receivable": "30.00", "revenue": "-30.00"}

    def test_a_credit_note_takes_off_the_claim_and_its_tax_and_leaves_the_revenue(self, house: House) -> None:
        bill = house.bill(lines=taxed(house))
        house.credit(bill, "105.60")  # half of it
        assert posted(house, "credit") == {
            "receivable": "-105.60", "refund:a": "45.00", "refund:b": "50.00", "tax": "10.60",
        }  # fmt: skip
        assert house.balance("receivable", bill=bill) == Decimal("105.60")

    def test_a_void_bill_leaves_nothing_behind(self, house: House) -> None:
        bill = house.bill(lines=taxed(house))
        house.credit(bill, "105.60")
        house.void(bill)
        assert posted(house, "void") == {
            "receivable": "-105.60", "discount:a": "-10.00", "revenue:a": "100.00", "revenue:b": "100.00",
            "tax": "10.60", "refund:a": "-45.00", "refund:b": "-50.00",
        }  # fmt: skip
        assert house.balance("receivable") == house.balance("revenue") == house.balance("tax") == 0

    def test_a_transaction_says_what_when_by_whom_and_for_which_bill(self, house: House) -> None:
        bill = house.bill("10", by=house.meena)
        transaction = LedgerTransaction.objects.get()
        assert (transaction.kind, transaction.bill_id, transaction.by) == ("issue", bill, house.meena)
        assert (transaction.at, transaction.date) == (house.now, house.now.date())


class TestPayments:
    @pytest.fixture(autouse=True)
    def _open(self, house: House) -> None:
        house.open()

    def test_cash_goes_into_the_drawer(self, house: House) -> None:
        house.pay(house.bill("100"), "60")
        assert posted(house, "payment") == {"cash:1": "60.00", "receivable": "-60.00"}

    def test_a_card_goes_to_the_bank_by_its_method(self, house: House) -> None:
        house.pay(house.bill("100"), card("60"))
        assert posted(house, "payment") == {"bank:card": "60.00", "receivable": "-60.00"}

    def test_what_is_kept_is_an_advance_of_the_patient(self, house: House) -> None:
        house.pay(house.bill("100"), "150", keep_rest=True)
        assert posted(house, "payment") == {"cash:1": "50.00", "advance": "-50.00"}
        assert balance(house.facility.pk, "advance", patient=house.patient.pk) == -50

    def test_an_advance_pays_a_bill(self, house: House) -> None:
        house.deposit("80")
        bill = house.bill("100")
        house.pay(bill, from_account("80"))
        assert posted(house, "payment") == {"advance": "80.00", "receivable": "-80.00"}
        assert (house.balance("advance"), house.balance("receivable", bill=bill)) == (0, 20)

    def test_each_payment_of_a_receipt_is_a_transaction_of_its_own(self, house: House) -> None:
        house.pay(house.bill("100"), "50", card("50"))
        assert LedgerTransaction.objects.filter(kind="payment").count() == 2

    def test_a_refund_goes_back_by_its_method_and_the_claim_is_there_again(self, house: House) -> None:
        bill = house.bill("100")
        receipt = house.pay(bill, "100")
        house.refund(receipt.payments.get(), "30")
        assert posted(house, "refund") == {"receivable": "30.00", "cash:1": "-30.00"}
        assert house.balance("receivable", bill=bill) == Bill.objects.get(pk=bill).due == 30

    def test_a_refund_onto_the_account_moves_no_cash(self, house: House) -> None:
        receipt = house.pay(house.bill("100"), "100")
        house.refund(receipt.payments.get(), "30", to_account=True)
        assert posted(house, "refund") == {"receivable": "30.00", "advance": "-30.00"}

    def test_an_advance_is_given_back(self, house: House) -> None:
        house.deposit("80")
        house.refund_advance("30")
        assert posted(house, "refund") == {"advance": "30.00", "cash:1": "-30.00"}


class TestShifts:
    def test_the_float_comes_out_of_the_safe(self, house: House) -> None:
        house.open(float_amount="1000")
        assert posted(house, "float") == {"cash:1": "1000.00", "safe": "-1000.00"}

    def test_a_drawer_without_a_float_posts_nothing(self, house: House) -> None:
        house.open(float_amount="0")
        assert not LedgerTransaction.objects.exists()

    @pytest.mark.parametrize(
        ("counted", "entries"),
        [
            ("1100", {"safe": "1100.00", "cash:1": "-1100.00"}),
            ("1090", {"safe": "1090.00", "cash:1": "-1100.00", "difference": "10.00"}),
            ("1105", {"safe": "1105.00", "cash:1": "-1100.00", "difference": "-5.00"}),
            ("0", {"cash:1": "-1100.00", "difference": "1100.00"}),
        ],
    )
    def test_what_is_counted_goes_into_the_safe_and_the_drawer_is_empty(
        self, house: House, counted: str, entries: Entries
    ) -> None:
        shift = house.open(float_amount="1000")
        house.pay(house.bill("100"), "100")
        house.close(shift, counted, "Counted twice")
        assert posted(house, "close") == entries
        assert house.balance("cash") == 0


class TestAccounts:
    def test_they_are_made_when_they_are_first_needed_and_once(self, house: House) -> None:
        house.bill(lines=taxed(house))
        house.bill(lines=taxed(house))
        one, other = house.departments
        assert set(LedgerAccount.objects.values_list("code", "name")) == {
            ("receivable", "Receivable"), ("tax", "Tax"),
            (f"revenue:{one.pk}", f"Revenue: {one.name}"), (f"revenue:{other.pk}", f"Revenue: {other.name}"),
            (f"discount:{one.pk}", f"Discounts: {one.name}"),
        }  # fmt: skip

    def test_each_facility_has_its_own(self, house: House) -> None:
        other = House()
        house.bill("10")
        other.bill("20")
        assert (house.balance("receivable"), other.balance("receivable")) == (10, 20)

    def test_all_of_it_together_is_zero(self, house: House) -> None:
        shift = house.open()
        house.pay(house.bill(lines=taxed(house)), "200", keep_rest=True)
        house.close(shift, "1150", "Counted twice")
        assert rows("SELECT sum(amount) FROM billing_ledgerentry") == [(Decimal("0.00"),)]
