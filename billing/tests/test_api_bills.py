"""Bills through their real addresses: the shape of the contract, lists, drafts, voiding, crediting."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from billing.models import Bill, Line
from billing.tests.till import ECG, Till, code, made

pytestmark = pytest.mark.django_db

CONTRACT = ["id", "number", "status", "currency", "total", "paid", "due", "lines"]
LINE = ["description", "quantity", "unit_price", "discount", "item_type", "item_id"]


@pytest.fixture
def till() -> Till:
    return Till()


def ids(answer: Any) -> list[int]:
    assert answer.status_code == 200, answer.content
    return [row["id"] for row in answer.json()["results"]]


class TestTheBill:
    def test_it_has_the_shape_of_the_contract(self, till: Till) -> None:
        answer = till.ask(
            {**ECG, "quantity": "2", "discount": "50.00", "discount_reason": "Staff"},
            {"description": "Dressing", "unit_price": "33.33", "quantity": "0.5"},
            billable_type="visit",
            billable_id=77,
            about="A-014, Dr Rao",
        )
        bill = made(answer)
        assert [name for name in CONTRACT if name not in bill] == []
        assert [name for name in LINE if name not in bill["lines"][0]] == []
        assert (bill["status"], bill["currency"], bill["number"]) == ("open", "INR", f"B-{till.year}-000001")
        assert (bill["total"], bill["paid"], bill["due"]) == ("1266.67", "0.00", "1266.67")
        assert (bill["gross"], bill["discount"], bill["tax"]) == ("1316.67", "50.00", "0.00")
        assert [line["total"] for line in bill["lines"]] == ["1250.00", "16.67"]
        assert [line["quantity"] for line in bill["lines"]] == ["2", "0.5"]
        assert (bill["billable_type"], bill["billable_id"], bill["about"]) == ("visit", 77, "A-014, Dr Rao")
        assert bill == till.shown(bill)
        assert bill == till.get("bills/").json()["results"][0]
        assert answer.headers["ETag"] == f'"{bill["version"]}"'

    def test_times_carry_the_offset_of_the_facility_and_dates_are_its_own(self, till: Till) -> None:
        bill = till.bill()
        issued = datetime.fromisoformat(bill["issued_at"])
        assert issued.utcoffset() == datetime.now(till.facility.tz).utcoffset()
        assert bill["date"] == till.facility.local_date().isoformat() == issued.date().isoformat()

    def test_numbers_run_on_without_a_gap_also_after_a_refusal(self, till: Till) -> None:
        first = till.bill()
        assert till.ask({**ECG, "discount": "90%", "discount_reason": "Friend"}).status_code == 403
        assert till.ask({**ECG, "unit_price": "-1"}).status_code == 400
        assert [first["number"][-6:], till.bill()["number"][-6:]] == ["000001", "000002"]

    @pytest.mark.parametrize(
        ("discount", "off"),
        [("50.00", "50.00"), ("10%", "65.00"), ("10 %", "65.00"), ("12.5%", "81.25"), (50, "50.00")],
    )
    def test_a_discount_is_an_amount_or_a_share(self, till: Till, discount: Any, off: str) -> None:
        on_line = till.bill({**ECG, "discount": discount, "discount_reason": "Staff"})
        on_bill = till.bill(discount=discount, discount_reason="Staff")
        assert on_line["discount"] == on_bill["discount"] == off
        assert on_bill["lines"][0]["discount_reason"] == "Staff"

    def test_a_discount_on_the_bill_is_shared_out_to_the_cent(self, till: Till) -> None:
        lines = [{"description": f"Test {n}", "unit_price": "33.33"} for n in range(3)]
        bill = till.bill(*lines, discount="10.00", discount_reason="Camp")
        assert sorted(line["discount"] for line in bill["lines"]) == ["3.33", "3.33", "3.34"]
        assert (bill["discount"], bill["total"]) == ("10.00", "89.99")

    def test_taxes_are_added_or_are_in_the_price(self, till: Till) -> None:
        bill = till.bill({**ECG, "tax_percent": "12"}, {**ECG, "tax_percent": "12.00", "tax_included": True})
        assert [(line["tax"], line["total"]) for line in bill["lines"]] == [("78.00", "728.00"), ("69.64", "650.00")]
        assert (bill["tax"], bill["total"]) == ("147.64", "1378.00")

    def test_a_discount_needs_a_reason_and_the_limit_of_the_role(self, till: Till) -> None:
        assert code(till.ask(discount="10%")) == "required"
        refused = till.ask(discount="21%", discount_reason="Friend")
        assert (refused.status_code, code(refused)) == (403, "discount_limit")
        assert till.bill(discount="20%", discount_reason="Staff")["total"] == "520.00"

    def test_what_costs_nothing_is_paid(self, till: Till) -> None:
        bill = till.bill({**ECG, "unit_price": "0"})
        assert (bill["status"], bill["total"], bill["due"]) == ("paid", "0.00", "0.00")

    def test_a_bill_of_a_merged_record_is_that_of_the_patient(self, till: Till) -> None:
        goes_on, merged = till.patient(), till.patient()
        merged.is_active, merged.merged_into = False, goes_on
        merged.save(update_fields=["is_active", "merged_into"])
        assert till.bill(patient=merged.pk)["patient"] == goes_on.pk

    def test_a_stranger_learns_nothing_from_a_department(self, till: Till) -> None:
        stranger, line = Till(name="Other Hospital"), {**ECG, "department": till.department.pk}
        for patient in (till.patient().pk, 10**15):
            assert stranger.ask({**line, "department": 10**15}, patient=patient).status_code == 404
            assert stranger.ask(line, patient=patient).status_code == 404

    def test_departments_and_doctors_are_those_of_the_house(self, till: Till) -> None:
        mine = {"department": till.department.pk, "doctor": till.rao.pk}
        line = till.bill({**ECG, **mine})["lines"][0]
        assert {name: line[name] for name in mine} == mine
        other = Till(name="Other Hospital")
        for wrong in ({"department": other.department.pk}, {"doctor": other.rao.pk}, {"doctor": 10**17}):
            refused = till.ask({**ECG, **wrong})
            assert refused.status_code in (400, 404), refused.content
            assert code(refused)


class TestList:
    def test_it_is_narrowed_by_patient_status_and_number(self, till: Till) -> None:
        first, second, draft = till.bill(), till.bill(), till.bill(draft=True)
        till.paid(second, "10.00", "card", reference="T-1")
        assert ids(till.get("bills/")) == [draft["id"], second["id"], first["id"]]
        assert ids(till.get("bills/", patient=second["patient"])) == [second["id"]]
        assert ids(till.get("bills/", status="open")) == [first["id"]]
        assert ids(till.get("bills/", status=["open", "draft"])) == [draft["id"], first["id"]]
        assert ids(till.get("bills/", number=first["number"].lower())) == [first["id"]]
        assert ids(till.get("bills/", owed=True)) == [second["id"], first["id"]]
        by_total = till.get("bills/", ordering="total,id")
        assert ids(by_total) == [first["id"], second["id"], draft["id"]]

    def test_it_is_found_by_the_token_it_is_for(self, till: Till) -> None:
        lines = [{"description": "Fee", "unit_price": "600", "item_type": kind, "item_id": 5} for kind in
                 ("consultation", "priority", "test_order")]  # fmt: skip
        visit, priority, test = [till.bill(line) for line in lines]
        till.bill({**lines[0], "item_id": 6})
        assert ids(till.get("bills/", token=5)) == [priority["id"], visit["id"]]
        assert ids(till.get("bills/", item_type="test_order", item_id=5)) == [test["id"]]
        assert ids(till.get("bills/", item_type="test_order", item_id=6)) == []

    def test_a_patient_s_bills_are_also_those_of_merged_records(self, till: Till) -> None:
        goes_on, merged = till.patient(), till.patient()
        bills = [till.bill(patient=one.pk)["id"] for one in (goes_on, merged)]
        merged.is_active, merged.merged_into = False, goes_on
        merged.save(update_fields=["is_active", "merged_into"])
        assert ids(till.get("bills/", patient=goes_on.pk)) == bills[::-1]

    @pytest.mark.parametrize("text", ["B-{year}-000002", "b-2", "B - {year} - 2", "{name}", "{phone}", "{card}"])
    def test_a_search_finds_it_by_number_or_patient(self, till: Till, text: str) -> None:
        till.bill()
        meant = till.patient()
        meant.name, meant.phone = "Lakshmi Narayanan", "+919812345678"
        meant.save(update_fields=["name", "phone"])
        bill = till.bill(patient=meant.pk)
        text = text.format(year=till.year, name="laxmi", phone="9812345678", card=meant.number)
        assert ids(till.get("bills/", search=text)) == [bill["id"]]

    @pytest.mark.parametrize(
        "query", ["patient=x", "status=lost", "token=1e9", "date=2026-13-01", "owed=maybe", "item_id=", "patient=-1"]
    )
    def test_what_makes_no_sense_is_400_or_finds_nothing(self, till: Till, query: str) -> None:
        till.bill()
        answer = till.client().get(f"/api/v1/bills/?{query}")
        assert answer.status_code in (200, 400)
        if answer.status_code == 400:
            assert answer.json()["errors"][0]["attr"] == query.partition("=")[0]

    def test_days(self, till: Till) -> None:
        bill = till.bill()
        today = timezone.localdate(timezone=till.facility.tz)
        assert ids(till.get("bills/", date=today)) == ids(till.get("bills/", date_to=today)) == [bill["id"]]
        assert ids(till.get("bills/", date_from=today + timedelta(days=1))) == []

    def test_a_page_costs_the_same_however_long_it_is(self, till: Till, django_assert_num_queries: Any) -> None:
        for length in (1, 4):
            while Bill.objects.count() < length:
                till.bill(ECG, ECG)
            with django_assert_num_queries(4):  # the device, the count, the page, the lines
                assert till.get("bills/").json()["count"] == length


class TestDraft:
    def test_it_has_no_number_and_owes_nothing_until_it_is_issued(self, till: Till) -> None:
        draft = till.bill(draft=True)
        assert (draft["number"], draft["status"], draft["total"], draft["due"]) == (None, "draft", "650.00", "0.00")
        assert (draft["date"], draft["issued_at"]) == (None, None)
        issued = till.post(f"bills/{draft['id']}/issue/").json()
        assert (issued["status"], issued["number"], issued["due"]) == ("open", f"B-{till.year}-000001", "650.00")
        assert code(till.post(f"bills/{draft['id']}/issue/")) == "bill_issued"

    def test_its_lines_are_written_anew(self, till: Till) -> None:
        draft = till.bill(ECG, ECG, draft=True)
        changed = till.patch(
            f"bills/{draft['id']}/",
            {"lines": [{**ECG, "quantity": 3}], "discount": "150", "discount_reason": "Camp"},
            HTTP_IF_MATCH=f'"{draft["version"]}"',
        )
        assert changed.status_code == 200
        assert changed.headers["ETag"] == f'"{draft["version"] + 1}"'
        body = changed.json()
        assert (body["total"], len(body["lines"]), body["version"]) == ("1800.00", 1, draft["version"] + 1)
        assert body == till.shown(draft)
        assert Line.objects.count() == 1

    def test_a_change_says_what_it_read(self, till: Till) -> None:
        draft = till.bill(draft=True)
        path, lines = f"bills/{draft['id']}/", {"lines": [ECG]}
        assert (till.patch(path, lines).status_code, code(till.patch(path, lines))) == (428, "precondition_required")
        for header in ('"7"', "x", 'W/"1"'):
            stale = till.patch(path, lines, HTTP_IF_MATCH=header)
            assert (stale.status_code, code(stale)) == (412, "precondition_failed")
        assert till.shown(draft)["version"] == draft["version"]
        assert till.patch(path, lines, HTTP_IF_MATCH="*").status_code == 200

    def test_an_issued_bill_is_never_edited(self, till: Till) -> None:
        bill = till.bill()
        refused = till.patch(f"bills/{bill['id']}/", {"lines": [ECG, ECG]}, HTTP_IF_MATCH="*")
        assert (refused.status_code, code(refused)) == (409, "bill_issued")
        assert till.shown(bill) == bill


class TestVoid:
    def test_it_takes_a_bill_back(self, till: Till) -> None:
        bill = till.bill()
        answer = till.post(f"bills/{bill['id']}/void/", {"reason": "Twice"}, HTTP_IF_MATCH=f'"{bill["version"]}"')
        body = answer.json()
        assert (answer.status_code, answer.headers["ETag"]) == (200, f'"{bill["version"] + 1}"')
        assert (body["status"], body["due"], body["void_reason"]) == ("void", "0.00", "Twice")
        assert body["number"] == bill["number"]
        assert body == till.shown(bill)

    def test_who_read_something_else_does_not_take_it_back(self, till: Till) -> None:
        bill = till.bill()
        stale = till.post(f"bills/{bill['id']}/void/", {"reason": "Twice"}, HTTP_IF_MATCH='"1"')
        assert (stale.status_code, code(stale)) == (412, "precondition_failed")
        assert stale.json()["errors"][0]["version"] == bill["version"]
        assert till.post(f"bills/{bill['id']}/void/", {"reason": "Twice"}).status_code == 200

    def test_what_refuses_it(self, till: Till) -> None:
        paid, void = till.bill(), till.bill()
        till.paid(paid, "1.00", "card", reference="T-1")
        refused = till.post(f"bills/{paid['id']}/void/", {"reason": "Twice"})
        assert (refused.status_code, code(refused)) == (409, "bill_has_payments")
        assert code(till.post(f"bills/{void['id']}/void/", {"reason": "  "})) in ("blank", "required")
        assert till.post(f"bills/{void['id']}/void/", {"reason": "Twice"}).status_code == 200
        again = till.post(f"bills/{void['id']}/void/", {"reason": "Twice"})
        assert (again.status_code, code(again)) == (409, "bill_void")
        assert code(till.pay(void, "1.00", "card", reference="T-2")) == "bill_not_open"


class TestCredit:
    def test_it_takes_something_off(self, till: Till) -> None:
        bill = till.bill({**ECG, "tax_percent": "10"}, {**ECG, "unit_price": "350"})
        answer = till.post(f"bills/{bill['id']}/credit/", {"amount": "100.00", "reason": "Not given"})
        note = made(answer)
        assert (note["number"], note["amount"], note["due"]) == (f"C-{till.year}-000001", "100.00", "965.00")
        assert note["bill_number"] == bill["number"]
        assert sum(float(line["amount"]) for line in note["lines"]) == 100
        now = till.shown(bill)
        assert (now["credited"], now["due"], now["total"]) == ("100.00", "965.00", "1065.00")
        assert answer.headers["ETag"] == f'"{now["version"]}"'

    def test_it_takes_it_off_the_lines_that_are_named(self, till: Till) -> None:
        bill = till.bill(ECG, ECG)
        line = bill["lines"][1]["id"]
        note = made(till.post(f"bills/{bill['id']}/credit/", {"amount": "50", "reason": "Broken", "lines": [line]}))
        assert [(part["line"], part["amount"]) for part in note["lines"]] == [(line, "50.00")]
        unknown = till.post(f"bills/{bill['id']}/credit/", {"amount": "1", "reason": "Broken", "lines": [10**15]})
        assert unknown.status_code == 404

    def test_not_more_than_there_is_nor_off_a_draft(self, till: Till) -> None:
        bill, draft = till.bill(), till.bill(draft=True)
        too_much = till.post(f"bills/{bill['id']}/credit/", {"amount": "650.01", "reason": "Not given"})
        assert (too_much.status_code, code(too_much)) == (409, "credit_too_large")
        assert till.post(f"bills/{draft['id']}/credit/", {"amount": "1", "reason": "Not given"}).status_code == 409

    def test_what_was_paid_is_then_given_back(self, till: Till) -> None:
        bill = till.bill()
        till.open()
        till.paid(bill, "650.00")
        note = made(till.post(f"bills/{bill['id']}/credit/", {"amount": "50.00", "reason": "Not given"}))
        assert note["due"] == "-50.00"
        assert ids(till.get("bills/", to_give_back=True)) == [bill["id"]]
        voucher = made(till.post(f"bills/{bill['id']}/give-back/", {"reason": "Not given"}))
        assert (voucher["kind"], voucher["amount"], voucher["due"]) == ("refund", "50.00", "0.00")
        assert [(refund["method"], refund["amount"]) for refund in voucher["refunds"]] == [("cash", "50.00")]
        assert till.shown(bill)["due"] == "0.00"
        assert till.post(f"bills/{bill['id']}/give-back/", {"reason": "Not given"}).status_code == 409


def test_a_price_of_nothing_has_no_sign(till: Till) -> None:
    (line,) = till.bill({**ECG, "unit_price": "-0.00", "tax_percent": "-0"})["lines"]
    assert (line["unit_price"], line["tax_percent"], line["total"]) == ("0.00", "0.00", "0.00")
