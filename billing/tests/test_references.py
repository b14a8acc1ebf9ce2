"""An outside reference stands for one payment, however it is written: large or small, with blanks or without."""

from decimal import Decimal
from importlib import import_module

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import Value
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Facility
from billing.errors import ReferenceGivenBack, ReferenceNeeded, ReferenceUsed
from billing.models import Payment
from billing.models.fields import NormalReference
from billing.proof import prove
from billing.references import BLANKS, LARGE, SMALL, normal
from billing.tenders import Tender, checked
from billing.tests.house import D, House, card, cash, rows
from billing.tests.till import Till
from common.errors import BadInput
from patients.actions import mark_merged

ALIKE = ["ab12", "AB12", "Ab 12", " aB1 2 ", "a\u00a0b\t1\u200b2"]


@pytest.fixture
def house(db: None) -> House:
    house = House()
    house.open()
    return house


class TestWhatIsTheSame:
    def test_letters_large_or_small_and_any_blanks(self) -> None:
        assert {normal(each) for each in ALIKE} == {"AB12"}

    def test_any_other_sign_makes_another_reference(self) -> None:
        others = ["AB12", "AB-12", "AB120", "A812", "ÄB12", "äB12", "\uff21B12"]
        assert len({normal(each) for each in others}) == len(others)

    @given(st.text(alphabet=st.sampled_from(SMALL + LARGE + BLANKS + "0189-/_.äß\uff21"), max_size=30))
    def test_compared_once_more_it_stays_as_it_is(self, text: str) -> None:
        assert normal(normal(text)) == normal(text)
        assert not set(normal(text)) & set(SMALL + BLANKS)

    @pytest.mark.django_db
    @pytest.mark.parametrize("text", [*ALIKE, SMALL + BLANKS + LARGE, "äÄß\uff41 -'\\_%x", ""])
    def test_the_database_compares_in_the_same_way(self, text: str) -> None:
        facility = Facility.objects.filter(pk=House().facility.pk)
        assert facility.values_list(NormalReference(Value(text)), flat=True).get() == normal(text)

    @pytest.mark.django_db
    def test_it_does_so_with_every_sign_there_is(self) -> None:
        signs = [chr(code) for code in range(1, 0x110000) if not 0xD800 <= code < 0xE000]
        form = NormalReference.template % {"expressions": "sign"}
        found = rows(f"SELECT sign FROM unnest(%s::text[]) AS sign WHERE {form} <> sign", signs)
        assert sorted(sign for (sign,) in found) == sorted(sign for sign in signs if normal(sign) != sign)
        assert sorted(rows(f"SELECT sign, {form} FROM unnest(%s::text[]) AS sign", list(SMALL + BLANKS))) == sorted(
            (sign, normal(sign)) for sign in SMALL + BLANKS
        )

    def test_two_of_one_paper_are_one(self) -> None:
        with pytest.raises(BadInput):
            checked([card("5", "ab 12"), card("5", "AB12")])

    def test_blanks_alone_are_none(self) -> None:
        with pytest.raises(ReferenceNeeded):
            checked([Tender("upi", Decimal(5), "\u200b \u00a0")])


class TestPaid:
    @pytest.mark.parametrize("written", ALIKE)
    def test_the_same_payment_again_is_the_first_receipt_and_the_reference_stays_as_it_was_given(
        self, house: House, written: str
    ) -> None:
        bill = house.bill("650")
        first = house.pay(bill, card("200", "Ab 12"))
        assert house.pay(bill, card("200", written)) == first
        assert house.deposit(card("90", "x 1")) == house.deposit(card("90", "X1"))
        assert [each.reference for each in house.payments(bill)] == ["Ab 12"]

    def test_an_advance_again_is_the_first_receipt_also_when_the_record_was_merged_meanwhile(
        self, house: House
    ) -> None:
        kept, stranger = house.newcomer(), house.newcomer()
        first = house.deposit(card("90", "x 1"))
        mark_merged(patient_id=house.patient.pk, into_id=kept.pk, by=None)
        assert [house.deposit(card("90", "X1"), patient=each) for each in (house.patient, kept)] == [first, first]
        with pytest.raises(ReferenceUsed):
            house.deposit(card("90", "X1"), patient=stranger)

    @pytest.mark.parametrize("written", ALIKE)
    def test_for_anything_else_it_is_refused_by_the_name_it_has(self, house: House, written: str) -> None:
        house.pay(house.bill("650"), card("200", "Ab 12"))
        with pytest.raises(ReferenceUsed) as refused:
            house.pay(house.bill("200"), card("200", written))
        assert str(refused.value) == "Ab 12 was used for another payment already."

    def test_the_database_refuses_it_whoever_writes(self, house: House) -> None:
        receipt = house.pay(house.bill("650"), card("200", "Ab 12"))
        with pytest.raises(IntegrityError, match="payment_reference_once_however_written"), transaction.atomic():
            raw(house, receipt.pk, " aB12")

    def test_over_rest_it_is_found_and_refused_however_it_is_written(self, db: None) -> None:
        till = Till()
        bill = till.bill()
        first = till.paid(bill, "100.00", "card", reference="Ab 12")
        assert till.paid(bill, "100.00", "card", reference="AB12")["id"] == first["id"]
        till.open()
        till.paid(bill, "5.00")
        found = till.get("payments/", reference="ab12").json()["results"]
        assert [(each["id"], each["reference"]) for each in found] == [(first["id"], "Ab 12")]
        assert till.get("payments/", reference="\u200b").json()["results"] == []


class TestGivenBack:
    """The receipt of a payment that went back says what is not so any more: it is no answer to a new payment."""

    @pytest.mark.parametrize("back", ["650", "0.01"])
    @pytest.mark.parametrize("to_account", [False, True])
    def test_it_is_used_up_once_something_was_given_back(self, house: House, back: str, to_account: bool) -> None:
        bill = house.bill("650")
        house.pay(bill, card("650", "T-1"))
        house.refund(house.payments(bill)[0], back, to_account=to_account)
        with pytest.raises(ReferenceGivenBack):
            house.pay(bill, card("650", "T-1"))
        assert house.due(bill) == D(back)
        house.pay(bill, card(back, "T-2"))
        assert house.due(bill) == 0

    def test_it_is_used_up_where_the_cash_beside_it_was_given_back(self, house: House) -> None:
        bill, tenders = house.bill("650"), (card("600", "T-1"), cash("50"))
        house.pay(bill, *tenders)
        house.refund(next(each for each in house.payments(bill) if each.method == "cash"), "10")
        with pytest.raises(ReferenceGivenBack):
            house.pay(bill, *tenders)
        assert house.due(bill) == 10

    def test_that_of_an_advance_is_used_up_too(self, house: House) -> None:
        house.deposit(card("200", "T-1"))
        house.refund_advance("50")
        with pytest.raises(ReferenceGivenBack):
            house.deposit(card("200", "T-1"))
        assert len(house.payments(None)) == 1


def raw(house: House, receipt_id: int, reference: str, amount: int = 1) -> Payment:
    """A payment as no action writes it."""
    return Payment.objects.create(
        facility=house.facility, receipt_id=receipt_id, patient=house.patient, method="card", amount=amount,
        reference=reference, date=house.now.date(), at=house.now,
    )  # fmt: skip


def checked_now() -> None:
    """What waits for the commit is checked at once, so that indexes may come and go."""
    rows("SET CONSTRAINTS ALL IMMEDIATE")
    rows("SET CONSTRAINTS ALL DEFERRED")


class TestFromBeforeTheRule:
    """Near duplicates that were taken before stay, and are marked; the first of them stands for their form."""

    @pytest.fixture
    def former(self, house: House) -> list[Payment]:
        """Three payments of one form, made where the index was not yet, then the step that brings it."""
        step = import_module("billing.migrations.0009_references_however_written")
        checked_now()
        rows(f"DROP INDEX {step.INDEX}")
        receipts = [house.pay(house.bill("50"), card("50", written)) for written in ("Q9", "ab 12")]
        receipt = receipts[1]
        later = [raw(house, receipt.pk, written, 50) for written in ("AB12", "aB1 2")]
        checked_now()
        with connection.cursor() as cursor:
            with pytest.raises(IntegrityError, match=step.INDEX), transaction.atomic():
                cursor.execute(step.BUILD.replace("CONCURRENTLY", ""))
            assert step.mark() == 2
            checked_now()
            cursor.execute(step.BUILD.replace("CONCURRENTLY", ""))
            assert step.mark() == 0
        return [receipt.payments.order_by("pk")[0], *later]

    def test_all_but_the_first_are_marked_and_nothing_else_of_them_changes(
        self, house: House, former: list[Payment]
    ) -> None:
        now = list(Payment.objects.order_by("pk"))
        assert [each.reference_doubled for each in now] == [False, False, True, True]
        assert [each.reference for each in now] == ["Q9", "ab 12", "AB12", "aB1 2"]
        assert "reference_twice" not in prove(house.facility, codes=["reference_twice"]).counts

    def test_the_trigger_stands_guard_again(self, house: House, former: list[Payment]) -> None:
        with pytest.raises(IntegrityError, match="stays as it was taken"):
            rows("UPDATE billing_payment SET reference_doubled = FALSE WHERE id = %s", former[1].pk)

    @pytest.mark.parametrize("written", ["Ab12", "AB12", "ab 12"])
    def test_a_new_payment_is_refused(self, house: House, former: list[Payment], written: str) -> None:
        with pytest.raises(ReferenceUsed):
            house.pay(house.bill("7"), card("7", written))
        with pytest.raises(IntegrityError), transaction.atomic():
            raw(house, former[0].receipt_id, written)
