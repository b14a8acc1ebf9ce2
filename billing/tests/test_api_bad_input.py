"""Whatever a client sends, it is told what is wrong with it, and where: never a 5xx, and nothing is written."""

from typing import Any

import pytest

from billing.models import Bill, Payment, Refund, Shift
from billing.tests.till import API, ECG, Till, code

pytestmark = pytest.mark.django_db

NOT_MONEY = [
    "-1.00", "-0.01", "NaN", "sNaN", "Infinity", "-Infinity", "1e5", "1E-7", "1_000", "1,000.00", "0.001", "650.005",
    "9" * 13, "9" * 500, "", " ", "x", "१०.००", "₹5", "0x10", True, False, None, [], {}, ["1.00"], {"amount": 1},
    650.005, -5, 10**15,
]  # fmt: skip
"""What is no amount above zero; 0 is none either where money moves."""
NOT_IDS = [0, -1, "x", "", "1.5", 1.5, True, [], {}, 2**63, "9" * 40, "1_0", "1e1", "١٢", "१"]
NO_DISCOUNT = [
    "-5", "101%", "-1%", "5%%", "%", "x", "1e1", "NaN", "NaN%", "0.001", "1.005%", True, [], {}, "9" * 12, "9" * 40,
]  # fmt: skip
NO_QUANTITY = ["x", "", "NaN", "1e3", "1_0", "١٢", "-0.5"]
UNKNOWN = 10**17
NOT_TEXT = [None, [], {}, True, "", "   ", "x" * 5000]


@pytest.fixture
def till() -> Till:
    return Till()


def refused(answer: Any, *, at: str = "", status: set[int] | None = None) -> None:
    """It was refused in the one shape, with a code, a sentence and where it may be the field to blame."""
    assert answer.status_code in (status or {400}), answer.content
    for error in answer.json()["errors"]:
        assert error["code"], error
        assert error["detail"], error
    if at:
        assert any((error["attr"] or "").startswith(at) for error in answer.json()["errors"]), answer.content


class TestMoney:
    def test_an_amount(self, till: Till) -> None:
        bill = till.bill()
        paid = till.paid(bill, "100.00", "card", reference="T-1")
        for amount in [*NOT_MONEY, "0", "0.00", 0]:
            refused(till.pay(bill, amount, "card", reference="T-2"), at="amount")
            refused(till.post(f"payments/{paid['id']}/refund/", {"amount": amount, "reason": "x"}), at="amount")
            refused(till.post(f"bills/{bill['id']}/credit/", {"amount": amount, "reason": "x"}), at="amount")
            more = {"patient": bill["patient"], "method": "card", "reference": "T-3"}
            refused(till.post("advances/", {"amount": amount, **more}), at="amount")
            tenders = [{"method": "card", "amount": amount, "reference": "T-4"}]
            refused(till.post(f"bills/{bill['id']}/payments/", {"tenders": tenders}), at="tenders.0.amount")
            assert (Payment.objects.count(), Refund.objects.count()) == (1, 0)
            assert till.shown(bill)["due"] == "550.00"

    def test_a_price_and_a_float(self, till: Till) -> None:
        for price in NOT_MONEY:
            refused(till.ask({**ECG, "unit_price": price}), at="lines.0.unit_price")
            refused(till.post("shifts/", {"float": price}), at="float")
            assert not Bill.objects.exists()
            assert not Shift.objects.exists()

    def test_a_quantity(self, till: Till) -> None:
        for quantity in [*NO_QUANTITY, "0", 0, -1, "0.0001", True, [], {}, "9" * 8, "9" * 400]:
            refused(till.ask({**ECG, "quantity": quantity}), at="lines.0.quantity")

    def test_a_discount(self, till: Till) -> None:
        for discount in NO_DISCOUNT:
            why = {"discount_reason": "Staff"}
            refused(till.ask({**ECG, "discount": discount, **why}), at="lines.0.discount")
            refused(till.ask(discount=discount, **why), at="discount")

    def test_a_discount_larger_than_what_it_is_taken_from(self, till: Till) -> None:
        answer = till.ask({**ECG, "discount": "650.01", "discount_reason": "Staff"}, role="admin")
        refused(answer)
        assert code(answer) == "discount_too_large"
        assert code(till.ask(discount="650.01", discount_reason="Staff", role="admin")) == "discount_too_large"

    def test_a_tax(self, till: Till) -> None:
        for percent in ["-1", "100.01", "1.234", "NaN", "x", True, [], "9" * 50]:
            refused(till.ask({**ECG, "tax_percent": percent}), at="lines.0.tax_percent")

    def test_a_line_larger_than_money_has_room_for(self, till: Till) -> None:
        refused(till.ask({**ECG, "unit_price": "999999999999.99", "quantity": "9999999"}))
        answer = till.ask(*[{**ECG, "unit_price": "999999999.99", "quantity": "9999"}] * 3)
        refused(answer, at="lines")
        assert "a line comes to 999999999.99 at most" in answer.json()["errors"][0]["detail"]

    def test_more_than_money_has_room_for_is_said_to_be_too_much(self, till: Till) -> None:
        bill = till.bill()
        for answer in (
            till.ask({**ECG, "unit_price": "1000000000.00"}),
            till.ask({**ECG, "quantity": "1000000.001"}),
            till.pay(bill, "1000000000.00", "card", reference="T-1"),
            till.post("shifts/", {"float": "1000000000.00"}),
        ):
            assert (answer.status_code, code(answer)) == (400, "max_value")

    @pytest.mark.parametrize("amount", [100, 100.5, "100", "100.5", " 100.50 "])
    def test_a_number_of_json_is_read_as_well(self, till: Till, amount: Any) -> None:
        bill = till.bill()
        assert till.pay(bill, amount, "card", reference="T-1").status_code == 201


class TestLists:
    @pytest.mark.parametrize(
        ("path", "name"),
        [("bills/", "owed"), ("bills/", "to_give_back"), ("payments/", "advance"), ("shifts/", "open")],
    )
    def test_what_is_neither_true_nor_false_is_refused(self, till: Till, path: str, name: str) -> None:
        for word in ("maybe", "2", "yes", "null"):
            refused(till.get(path, **{name: word}), at=name)
        for word in ("true", "FALSE", "1", "0", ""):
            assert till.get(path, **{name: word}).status_code == 200, word


class TestBodies:
    def test_lines(self, till: Till) -> None:
        for lines in [[], None, {}, "x", [1], [[]], ["x"], [None], [{}], [ECG, {}]]:
            answer = till.post("bills/", {"patient": till.patient().pk, "lines": lines})
            refused(answer, at="lines" if lines else "")
            assert not Bill.objects.exists()

    def test_a_hundred_lines_are_a_bill_and_too_many_are_not(self, till: Till) -> None:
        bill = till.bill(*[ECG] * 100, role="admin")
        assert (len(bill["lines"]), bill["total"]) == (100, "65000.00")
        refused(till.ask(*[ECG] * 201), at="lines")

    def test_ids(self, till: Till) -> None:
        for pk in NOT_IDS:
            refused(till.post("bills/", {"patient": pk, "lines": [ECG]}), at="patient" if pk != 2**63 else "")
            refused(till.ask({**ECG, "department": pk}), at="lines.0.department" if pk != 2**63 else "")
            refused(till.post("shifts/", {"float": "1.00", "drawer": pk}), at="drawer" if pk != 2**63 else "")
            more = {"method": "card", "amount": "1.00", "reference": "T-1"}
            refused(till.post("advances/", {"patient": pk, **more}), at="patient" if pk != 2**63 else "")

    def test_an_id_that_a_list_is_narrowed_by(self, till: Till) -> None:
        for pk in ("1_0", "١٢", "1e1", "x"):
            refused(till.get("bills/", patient=pk), at="patient")
        assert till.get("bills/", patient="").status_code == 200

    def test_ids_that_nobody_has(self, till: Till) -> None:
        card = {"method": "card", "amount": "1.00", "reference": "T-1"}
        why = {"amount": "1.00", "reason": "x"}
        for path, body in (
            ("bills/", {"patient": UNKNOWN, "lines": [ECG]}),
            ("advances/", {"patient": UNKNOWN, **card}),
            ("advances/refund/", {"patient": UNKNOWN, **why}),
            ("shifts/", {"float": "1.00", "drawer": UNKNOWN}),
            ("shifts/", {"float": "1.00", "facility": UNKNOWN}),
            (f"bills/{UNKNOWN}/payments/", card),
            (f"bills/{UNKNOWN}/void/", {"reason": "x"}),
            (f"bills/{UNKNOWN}/credit/", why),
            (f"bills/{UNKNOWN}/issue/", {}),
            (f"bills/{UNKNOWN}/give-back/", {"reason": "x"}),
            (f"payments/{UNKNOWN}/refund/", why),
            (f"receipts/{UNKNOWN}/print/", {}),
            (f"shifts/{UNKNOWN}/close/", {"counted": "1.00"}),
        ):
            answer = till.post(path, body)
            refused(answer, status={404})
            assert code(answer) == "not_found"

    @pytest.mark.parametrize("path", ["bills", "payments", "receipts", "shifts"])
    @pytest.mark.parametrize("pk", [UNKNOWN, "0", "x", "9" * 30, "-1", "1.5"])
    def test_addresses_of_nothing(self, till: Till, path: str, pk: Any) -> None:
        refused(till.client().get(f"{API}{path}/{pk}/"), status={404})

    def test_texts(self, till: Till) -> None:
        bill = till.bill()
        paid = till.paid(bill, "1.00", "card", reference="T-1")
        for text in NOT_TEXT:
            refused(till.ask({**ECG, "description": text}), at="lines.0.description")
            refused(till.post(f"bills/{bill['id']}/void/", {"reason": text}), at="reason")
            refused(till.post(f"bills/{bill['id']}/credit/", {"amount": "1", "reason": text}), at="reason")
            refused(till.post(f"payments/{paid['id']}/refund/", {"amount": "1", "reason": text}), at="reason")

    @pytest.mark.parametrize(
        "more",
        [
            {"draft": "perhaps"},
            {"about": "x" * 121},
            {"about": []},
            {"billable_type": "x" * 41},
            {"billable_id": "x"},
            {"discount_reason": "x" * 201},
        ],
        ids=str,
    )
    def test_what_else_a_bill_has(self, till: Till, more: dict[str, Any]) -> None:
        refused(till.ask(**more), at=next(iter(more)))

    @pytest.mark.parametrize("method", [None, "", "gold", "CASH", 1, [], {}])
    def test_ways_to_pay(self, till: Till, method: Any) -> None:
        refused(till.post(f"bills/{till.bill()['id']}/payments/", {"method": method, "amount": "1.00"}), at="method")

    @pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"null", b'{"lines": NaN}', b'{"a": 1, "a": 2}', b"\xff"])
    def test_what_is_no_object(self, till: Till, raw: bytes) -> None:
        for path in ("bills/", "shifts/", "advances/", f"bills/{till.bill()['id']}/payments/"):
            refused(till.client().post(f"{API}{path}", raw, content_type="application/json"))

    def test_text_that_cannot_be_stored(self, till: Till) -> None:
        bill = till.bill()
        for text in (rb"\ud800", rb"a\u0000b"):
            raw = b'{"reason": "' + text + b'", "amount": "1.00", "method": "card", "reference": "' + text + b'"}'
            for step in ("void", "credit", "payments", "give-back"):
                path = f"{API}bills/{bill['id']}/{step}/"
                refused(till.client().post(path, raw, content_type="application/json"))

    def test_lines_of_another_bill_bear_no_credit(self, till: Till) -> None:
        mine, other = till.bill(), till.bill()
        body = {"amount": "1.00", "reason": "x", "lines": [other["lines"][0]["id"]]}
        refused(till.post(f"bills/{mine['id']}/credit/", body), status={404})
        refused(till.post(f"bills/{mine['id']}/credit/", body | {"lines": []}), at="lines")
