"""Payments, refunds, advances and receipts through their real addresses."""

from contextlib import nullcontext
from datetime import datetime
from typing import Any

import pytest

from billing.models import Payment, Receipt, Refund
from billing.tests.till import ECG, Till, code, made

pytestmark = pytest.mark.django_db


@pytest.fixture
def till() -> Till:
    return Till()


def ids(answer: Any) -> list[int]:
    assert answer.status_code == 200, answer.content
    return [row["id"] for row in answer.json()["results"]]


class TestPay:
    def test_the_answer_is_the_payment_with_the_bill_s_new_due(self, till: Till) -> None:
        bill, shift = till.bill(), till.open()
        answer = till.pay(bill, "200.00")
        paid = made(answer)
        assert (paid["method"], paid["amount"], paid["currency"], paid["due"]) == ("cash", "200.00", "INR", "450.00")
        assert (paid["bill"], paid["bill_number"], paid["bill_status"]) == (bill["id"], bill["number"], "part_paid")
        assert (paid["shift"], paid["receipt_number"]) == (shift["id"], f"R-{till.year}-000001")
        assert (paid["change"], paid["kept"], paid["refunded"]) == ("0.00", "0.00", "0.00")
        assert datetime.fromisoformat(paid["at"]).utcoffset() == datetime.now(till.facility.tz).utcoffset()
        now = till.shown(bill)
        assert (now["paid"], now["due"], now["status"]) == ("200.00", "450.00", "part_paid")
        assert answer.headers["ETag"] == f'"{now["version"]}"'
        assert till.paid(bill, "450.00")["bill_status"] == "paid"

    def test_it_is_shown_and_listed_as_it_was_taken(self, till: Till) -> None:
        bill = till.bill()
        paid = till.paid(bill, "200.00", "upi", reference="UPI-1")
        shown = till.get(f"payments/{paid['id']}/").json()
        assert shown == {name: paid[name] for name in shown} == paid["payments"][0]
        assert till.get("payments/", bill=bill["id"]).json()["results"] == [shown]

    def test_change_is_told(self, till: Till) -> None:
        bill, _ = till.bill(), till.open()
        paid = till.paid(bill, "650.00", tendered="700.00")
        assert (paid["amount"], paid["tendered"], paid["change"], paid["due"]) == ("650.00", "700.00", "50.00", "0.00")
        assert code(till.pay(till.bill(), "650.00", tendered="600.00")) == "bad_amount"

    def test_several_ways_at_once(self, till: Till) -> None:
        bill, _ = till.bill(), till.open()
        tenders = [{"method": "card", "amount": "400.00", "reference": "T-1"}, {"method": "cash", "amount": "250.00"}]
        paid = made(till.post(f"bills/{bill['id']}/payments/", {"tenders": tenders}))
        assert [(each["method"], each["amount"]) for each in paid["payments"]] == [
            ("card", "400.00"),
            ("cash", "250.00"),
        ]
        assert len({each["receipt"] for each in paid["payments"]}) == 1
        assert (paid["id"], paid["due"], paid["bill_status"]) == (paid["payments"][0]["id"], "0.00", "paid")

    def test_cash_needs_an_open_shift(self, till: Till) -> None:
        bill = till.bill()
        refused = till.pay(bill, "1.00")
        assert (refused.status_code, code(refused)) == (409, "shift_closed")
        assert till.shown(bill) == bill

    def test_more_than_is_due_is_refused_or_kept_as_the_cashier_says(self, till: Till) -> None:
        bill, _ = till.bill(), till.open()
        refused = till.pay(bill, "700.00")
        assert (refused.status_code, code(refused)) == (409, "overpayment")
        paid = till.paid(bill, "700.00", keep_rest=True)
        assert (paid["amount"], paid["kept"], paid["due"]) == ("650.00", "50.00", "0.00")
        rest = paid["payments"][1]
        assert (rest["bill"], rest["bill_number"], rest["rest_of"], rest["amount"]) == (None, None, paid["id"], "50.00")
        assert balance(till, bill["patient"]) == "50.00"

    def test_it_is_paid_from_the_account(self, till: Till) -> None:
        bill = till.bill()
        advance(till, bill["patient"], "300.00")
        refused = till.pay(bill, "301.00", "account")
        assert (refused.status_code, code(refused)) == (409, "advance_too_small")
        assert till.paid(bill, "300.00", "account")["due"] == "350.00"
        assert balance(till, bill["patient"]) == "0.00"

    def test_a_reference_is_used_once_and_its_repetition_is_the_same_payment(self, till: Till) -> None:
        bill, other = till.bill(), till.bill()
        first = till.paid(bill, "100.00", "card", reference="T-1")
        again = till.paid(bill, "100.00", "card", reference="T-1")
        assert (again["id"], again["due"]) == (first["id"], "550.00")
        for wrong in (
            till.pay(bill, "99.00", "card", reference="T-1"),
            till.pay(other, "1.00", "card", reference="T-1"),
        ):
            assert (wrong.status_code, code(wrong)) == (409, "reference_used")
        assert Payment.objects.count() == 1

    def test_a_reference_whose_payment_went_back_is_told_so_and_not_given_the_old_receipt(self, till: Till) -> None:
        till.open()
        bill = till.bill()
        first = till.paid(bill, "650.00", "card", reference="T-1")
        made(till.post(f"payments/{first['id']}/refund/", {"amount": "650.00", "reason": "Wrong card"}))
        again = till.pay(bill, "650.00", "card", reference="T-1")
        assert (again.status_code, code(again)) == (409, "reference_used")
        assert till.paid(bill, "650.00", "card", reference="T-2")["due"] == "0.00"

    def test_what_leaves_a_trace_elsewhere_has_a_reference(self, till: Till) -> None:
        for method in ("card", "bank", "upi", "wallet"):
            refused = till.pay(till.bill(), "1.00", method, reference="  ")
            assert (refused.status_code, code(refused)) == (400, "reference_required")
            assert refused.json()["errors"][0]["attr"]

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"method": "cash"},
            {"amount": "1.00"},
            {"method": "shells", "amount": "1.00"},
            {"tenders": []},
            {"tenders": [{"method": "cash"}]},
            {"tenders": {"method": "cash", "amount": "1.00"}},
            {"method": "cash", "amount": "1.00", "tenders": [{"method": "cash", "amount": "1.00"}]},
            {"tenders": [{"method": "cash", "amount": "1.00"}] * 11},
        ],
    )
    def test_how_it_is_paid_is_said_in_one_way(self, till: Till, body: dict[str, Any]) -> None:
        bill, _ = till.bill(), till.open()
        refused = till.post(f"bills/{bill['id']}/payments/", body)
        assert refused.status_code == 400, refused.content
        assert code(refused)
        assert refused.json()["errors"][0]["attr"].split(".")[0] in ("method", "amount", "tenders")


class TestRefund:
    def test_the_bill_asks_for_it_again(self, till: Till) -> None:
        bill, _ = till.bill(), till.open()
        paid = till.paid(bill, "650.00")
        refund = made(till.post(f"payments/{paid['id']}/refund/", {"amount": "50.00", "reason": "Too much"}))
        assert (refund["amount"], refund["method"], refund["currency"]) == ("50.00", "cash", "INR")
        assert (refund["refundable"], refund["due"], refund["bill_status"]) == ("600.00", "50.00", "part_paid")
        assert (refund["receipt_number"], refund["reason"]) == (f"V-{till.year}-000001", "Too much")
        assert till.get(f"payments/{paid['id']}/").json()["refunded"] == "50.00"
        listed = till.get("refunds/", bill=bill["id"]).json()["results"]
        assert listed == [{name: refund[name] for name in listed[0]}]

    def test_what_was_not_given_is_not_asked_for_again(self, till: Till) -> None:
        bill, _ = till.bill(), till.open()
        paid = till.paid(bill, "650.00")
        asked = {"amount": "650.00", "reason": "No doctor", "credit": True}
        refund = made(till.post(f"payments/{paid['id']}/refund/", asked))
        assert (refund["due"], refund["refundable"], refund["bill_status"]) == ("0.00", "0.00", "paid")
        assert refund["credit_note"]

    def test_it_goes_onto_the_account(self, till: Till) -> None:
        bill, _ = till.bill(), till.open()
        paid = till.paid(bill, "650.00", "card", reference="T-1")
        asked = {"amount": "50.00", "reason": "Wanted so", "to_account": True}
        assert made(till.post(f"payments/{paid['id']}/refund/", asked))["method"] == "account"
        assert balance(till, bill["patient"]) == "50.00"

    def test_never_more_than_was_paid_and_only_from_an_open_shift(self, till: Till) -> None:
        bill, shift = till.bill(), till.open(amount="1000.00")
        paid = till.paid(bill, "650.00")
        path = f"payments/{paid['id']}/refund/"
        made(till.post(path, {"amount": "600.00", "reason": "Too much"}))
        refused = till.post(path, {"amount": "50.01", "reason": "Too much"})
        assert (refused.status_code, code(refused)) == (409, "refund_too_large")
        counted = till.get(f"shifts/{shift['id']}/").json()["expected"]
        assert till.post(f"shifts/{shift['id']}/close/", {"counted": counted}).status_code == 200
        refused = till.post(path, {"amount": "1.00", "reason": "Too much"})
        assert (refused.status_code, code(refused)) == (409, "shift_closed")
        assert Refund.objects.count() == 1

    @pytest.mark.parametrize("to_account", [False, True])
    def test_by_any_way_only_from_an_open_shift(self, till: Till, to_account: bool) -> None:
        paid = till.paid(till.bill(), "650.00", "card", reference="T-1")
        path, asked = f"payments/{paid['id']}/refund/", {"amount": "50.00", "reason": "x", "to_account": to_account}
        refused = till.post(path, asked)
        assert (refused.status_code, code(refused)) == (409, "shift_closed")
        shift = till.open(amount="0.00")
        assert made(till.post(path, asked))["shift"] == shift["id"]

    @pytest.mark.parametrize("body", [{"amount": "1.00"}, {"amount": "1.00", "reason": " "}, {"reason": "x"}])
    def test_it_has_an_amount_and_a_reason(self, till: Till, body: dict[str, Any]) -> None:
        paid = till.paid(till.bill(), "650.00", "card", reference="T-1")
        refused = till.post(f"payments/{paid['id']}/refund/", body)
        assert refused.status_code == 400
        assert refused.json()["errors"][0]["attr"] in ("reason", "amount")


class TestAdvances:
    def test_one_is_taken_shown_and_given_back(self, till: Till) -> None:
        patient, _ = till.patient(), till.open()
        paid = advance(till, patient.pk, "500.00")
        assert (paid["bill"], paid["due"], paid["kept"], paid["amount"]) == (None, None, "500.00", "500.00")
        assert balance(till, patient.pk) == "500.00"
        asked = {"patient": patient.pk, "amount": "120.00", "reason": "Asked for it"}
        voucher = made(till.post("advances/refund/", asked))
        assert (voucher["kind"], voucher["amount"], voucher["bill"]) == ("refund", "120.00", None)
        assert [(refund["method"], refund["payment"]) for refund in voucher["refunds"]] == [("card", paid["id"])]
        assert balance(till, patient.pk) == "380.00"
        refused = till.post("advances/refund/", asked | {"amount": "380.01"})
        assert (refused.status_code, code(refused)) == (409, "advance_too_small")

    def test_not_from_the_account_itself(self, till: Till) -> None:
        refused = till.post("advances/", {"patient": till.patient().pk, "method": "account", "amount": "1.00"})
        assert (refused.status_code, refused.json()["errors"][0]["attr"]) == (400, "method")

    def test_balances_of_all_who_paid_in_advance(self, till: Till, django_assert_num_queries: Any) -> None:
        people = [till.patient() for _ in range(3)]
        for number, patient in enumerate(people[:2]):
            advance(till, patient.pk, f"{number + 1}00.00")
        assert till.get("accounts/", patient=people[2].pk).json()["results"][0]["balance"] == "0.00"
        with django_assert_num_queries(5):  # the device, the count, the page, the people, their balances
            listed = till.get("accounts/").json()["results"]
        assert [(row["patient"], row["balance"], row["currency"]) for row in listed] == [
            (people[1].pk, "200.00", "INR"),
            (people[0].pk, "100.00", "INR"),
        ]

    def test_what_was_paid_under_a_merged_record_is_the_patient_s(self, till: Till) -> None:
        goes_on, merged = till.patient(), till.patient()
        for patient in (goes_on, merged):
            advance(till, patient.pk, "100.00")
        merged.is_active, merged.merged_into = False, goes_on
        merged.save(update_fields=["is_active", "merged_into"])
        assert balance(till, goes_on.pk) == balance(till, merged.pk) == "200.00"
        assert [row["patient"] for row in till.get("accounts/").json()["results"]] == [goes_on.pk]


class TestReceipts:
    def test_one_shows_what_is_on_it(self, till: Till) -> None:
        bill, _ = till.bill(), till.open()
        paid = till.paid(bill, "100.00", tendered="200.00")
        receipt = till.get(f"receipts/{paid['receipt']}/").json()
        assert (receipt["number"], receipt["kind"], receipt["amount"]) == (paid["receipt_number"], "payment", "100.00")
        assert (receipt["tendered"], receipt["change"], receipt["due_after"]) == ("200.00", "100.00", "550.00")
        assert receipt["payments"] == paid["payments"]
        assert till.get("receipts/", number=receipt["number"]).json()["results"] == [receipt]

    def test_the_second_print_is_a_copy(self, till: Till) -> None:
        paid = till.paid(till.bill(), "100.00", "card", reference="T-1")
        prints = [made(till.post(f"receipts/{paid['receipt']}/print/"))["copy"] for _ in range(3)]
        assert prints == [0, 1, 2]

    def test_lists_cost_the_same_however_long_they_are(self, till: Till, django_assert_num_queries: Any) -> None:
        till.open()
        for length in (1, 3):
            while Receipt.objects.count() < 2 * length:
                paid = till.paid(till.bill(), "9.00", "card", reference=f"T-{Receipt.objects.count()}")
                asked = {"amount": "1.00", "reason": "Too much"}
                made(till.post(f"payments/{paid['id']}/refund/", asked))
            for path, queries in (("payments/", 3), ("refunds/", 3), ("receipts/", 5)):
                with django_assert_num_queries(queries):
                    assert ids(till.get(path))

    def test_lists_are_narrowed(self, till: Till) -> None:
        shift, bill = till.open(), till.bill()
        cash, card = till.paid(bill, "10.00"), till.paid(bill, "20.00", "card", reference="T-1")
        given = advance(till, bill["patient"], "30.00")
        assert ids(till.get("payments/")) == [given["id"], card["id"], cash["id"]]
        assert ids(till.get("payments/", method="card", bill=bill["id"])) == [card["id"]]
        assert ids(till.get("payments/", reference="T-1")) == [card["id"]]
        assert ids(till.get("payments/", advance=True)) == [given["id"]]
        assert len(ids(till.get("payments/", shift=shift["id"]))) == 3
        assert ids(till.get("receipts/", kind="refund")) == []


class TestAgain:
    """The same request sent twice is done once."""

    def test_a_bill_a_payment_and_a_refund(self, till: Till) -> None:
        till.open()
        bill = self.twice(
            till, "bills/", {"patient": till.patient().pk, "lines": [{"description": "X", "unit_price": "9"}]}
        )
        paid = self.twice(till, f"bills/{bill['id']}/payments/", {"method": "cash", "amount": "9.00"})
        self.twice(till, f"payments/{paid['id']}/refund/", {"amount": "9.00", "reason": "Not given"})
        assert till.shown(bill)["due"] == "9.00"
        assert (Payment.objects.count(), Refund.objects.count()) == (1, 1)

    def twice(self, till: Till, path: str, body: dict[str, Any]) -> dict[str, Any]:
        key = {"HTTP_IDEMPOTENCY_KEY": path}
        first, second = till.post(path, body, **key), till.post(path, body, **key)
        assert (second.status_code, second.json()) == (first.status_code, made(first))
        assert second.headers["Idempotency-Replayed"] == "true"
        other = till.post(path, body | {"about": "another"}, **key)
        assert (other.status_code, code(other)) == (422, "idempotency_conflict")
        return first.json()

    def test_a_shift(self, till: Till) -> None:
        shift = self.twice(till, "shifts/", {"float": "100.00"})
        key = {"HTTP_IDEMPOTENCY_KEY": "close"}
        closed = [till.post(f"shifts/{shift['id']}/close/", {"counted": "100.00"}, **key) for _ in range(2)]
        assert [answer.status_code for answer in closed] == [200, 200]
        assert closed[0].json() == closed[1].json()

    def test_a_refusal_is_decided_anew(self, till: Till) -> None:
        bill, key = till.bill(), {"HTTP_IDEMPOTENCY_KEY": "k"}
        body = {"method": "cash", "amount": "9.00"}
        assert till.post(f"bills/{bill['id']}/payments/", body, **key).status_code == 409
        till.open()
        assert till.post(f"bills/{bill['id']}/payments/", body, **key).status_code == 201

    def test_without_a_key_it_is_done_twice(self, till: Till) -> None:
        bill, _ = till.bill(), till.open()
        assert [till.paid(bill, "9.00")["due"] for _ in range(2)] == ["641.00", "632.00"]


def advance(till: Till, patient: int, amount: str) -> dict[str, Any]:
    """Money on a patient's account."""
    reference = f"A-{Payment.objects.count()}"
    return made(
        till.post("advances/", {"patient": patient, "method": "card", "amount": amount, "reference": reference})
    )


def balance(till: Till, patient: int) -> str:
    """What lies on a patient's account."""
    [row] = till.get("accounts/", patient=patient).json()["results"]
    return row["balance"]


class TestCost:
    """How many statements a call needs with a key, the device that signs in and the two of the test's own savepoint."""

    def test_what_moves_money(self, till: Till, django_assert_max_num_queries: Any) -> None:
        till.open()
        self.go(till, lambda most: nullcontext())  # accounts of the ledger are made when they are first needed
        self.go(till, django_assert_max_num_queries)

    def go(self, till: Till, most: Any) -> None:
        patient, number = till.patient().pk, Payment.objects.count()
        with most(14):
            bill = self.post(till, number, "bills/", {"patient": patient, "lines": [ECG, ECG]})
        with most(16):
            paid = self.post(till, number, f"bills/{bill['id']}/payments/", {"method": "cash", "amount": "9.00"})
        body = {"amount": "1.00", "reason": "Too much"}
        with most(21):
            self.post(till, number, f"payments/{paid['id']}/refund/", body)
        with most(17):
            self.post(till, number, f"bills/{bill['id']}/credit/", body)

    def post(self, till: Till, number: int, path: str, body: dict[str, Any]) -> dict[str, Any]:
        return made(till.post(path, body, HTTP_IDEMPOTENCY_KEY=f"{number} {path}"))
