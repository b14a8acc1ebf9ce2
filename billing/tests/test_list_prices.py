"""Who may not choose prices bills what is in the price list, at its price and with its tax; the owner decides who."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import RolePermission
from billing.models import Bill, Price, TaxRate
from billing.tests.till import ECG, Till, code, made

pytestmark = pytest.mark.django_db

X_RAY = {"description": "X-ray, chest", "unit_price": "300.00", "item_type": "service"}
PILL = {"description": "Paracetamol 500", "unit_price": "2.50", "item_type": "medicine", "item_id": 7}
TAXED = {**PILL, "tax_percent": "12.00"}


@pytest.fixture
def till() -> Till:
    one = Till()
    RolePermission.objects.filter(role__slug="billing-staff", permission__code="billing.price").delete()
    listed(one, "x-ray", "X-ray, chest", "service", None, "300.00")
    listed(one, "ultrasound", "Ultrasound", "service", None, "900.00")
    return one


def listed(till: Till, key: str, name: str, item_type: str, item_id: int | None, amount: str, **more: Any) -> Price:
    begins = {"valid_from": till.facility.local_date() - timedelta(days=9)}
    what = {"code": key, "name": name, "item_type": item_type, "item_id": item_id, "amount": Decimal(amount)}
    return Price.objects.create(facility=till.facility, **begins | what | more)


def tax(till: Till, percent: str, **more: Any) -> TaxRate:
    begins = {"valid_from": till.facility.local_date() - timedelta(days=9)}
    return TaxRate.objects.create(facility=till.facility, name="GST", percent=Decimal(percent), **begins | more)


def refusal(answer: Any) -> tuple[int, str, str]:
    return answer.status_code, code(answer), answer.json()["errors"][0]["attr"]


def test_whoever_bills_chooses_prices_until_the_owner_takes_it_away(till: Till) -> None:
    assert [till.ask(ECG, role=role).status_code for role in ("reception", "admin", "super-admin")] == [201] * 3
    assert refusal(till.ask(ECG)) == (403, "not_in_price_list", "lines.0")


def test_a_line_at_the_price_of_the_list_is_billed(till: Till) -> None:
    assert till.bill({**X_RAY, "description": " X-ray, chest "}, {**X_RAY, "quantity": "2"})["total"] == "900.00"


@pytest.mark.parametrize("price", ["299.99", "0.00", "300.01"])
def test_another_price_is_refused_in_words(till: Till, price: str) -> None:
    answer = till.ask(X_RAY, {**X_RAY, "unit_price": price})
    assert refusal(answer) == (403, "not_the_list_price", "lines.1.unit_price")
    said = "X-ray, chest costs ₹300.00 in the price list, with 0 % tax. You bill at its prices only."
    assert answer.json()["errors"][0]["detail"] == said
    assert not Bill.objects.exists()


@pytest.mark.parametrize("quantity", ["0.001", "1.5"])
def test_a_part_of_a_thing_is_a_price_of_ones_own(till: Till, quantity: str) -> None:
    refused = till.ask(X_RAY, {**X_RAY, "quantity": quantity})
    assert refusal(refused) == (403, "not_the_list_price", "lines.1.quantity")
    assert refused.json()["errors"][0]["detail"].startswith("X-ray, chest is billed in whole numbers")
    assert till.bill({**X_RAY, "quantity": "2.000"})["total"] == "600.00"
    assert till.ask({**X_RAY, "quantity": quantity}, role="reception").status_code == 201


@pytest.mark.parametrize(
    "line",
    [
        {**X_RAY, "description": "X-ray, hand"},
        {**X_RAY, "item_type": "test"},
        {**X_RAY, "item_id": 4},
        {**X_RAY, "item_type": ""},
    ],
)
def test_what_the_list_does_not_know_is_refused(till: Till, line: dict[str, Any]) -> None:
    assert refusal(till.ask(line)) == (403, "not_in_price_list", "lines.0")


def test_a_dear_thing_is_not_billed_at_the_price_of_a_cheap_one_of_its_type(till: Till) -> None:
    assert code(till.ask({**X_RAY, "description": "Ultrasound"})) == "not_the_list_price"


def test_an_item_is_known_by_its_id_whatever_the_line_calls_it(till: Till) -> None:
    listed(till, "paracetamol", "Paracetamol 500 mg", "medicine", 7, "2.50")
    assert till.bill({**PILL, "quantity": "10"})["total"] == "25.00"
    assert code(till.ask({**PILL, "unit_price": "1.00"})) == "not_the_list_price"
    assert code(till.ask({**PILL, "item_id": 8})) == "not_in_price_list"


def test_a_thing_with_two_prices_is_billed_at_either(till: Till) -> None:
    listed(till, "scan", "Scan", "test", 3, "800.00")
    listed(till, "scan-night", "Scan at night", "test", 3, "1200.00")
    scan = {"description": "Scan at night", "item_type": "test", "item_id": 3}
    assert till.bill({**scan, "unit_price": "800.00"}, {**scan, "unit_price": "1200.00"})["total"] == "2000.00"
    refused = till.ask({**scan, "unit_price": "1000.00"}).json()["errors"][0]
    assert "Scan at night costs ₹1,200.00" in refused["detail"]


@pytest.mark.parametrize(("included", "total"), [(False, "2.80"), (True, "2.50")])
def test_the_tax_is_that_of_the_list_too(till: Till, included: bool, total: str) -> None:
    listed(till, "paracetamol", "Paracetamol", "medicine", 7, "2.50", tax=tax(till, "12", included=included))
    assert till.bill({**TAXED, "tax_included": included})["total"] == total
    for wrong in (PILL, {**TAXED, "tax_included": not included}, {**TAXED, "tax_percent": "5"}):
        refused = till.ask(wrong)
        assert (refused.status_code, code(refused)) == (403, "not_the_list_price")
        assert "with 12 % tax" in refused.json()["errors"][0]["detail"]


def test_a_tax_of_that_name_that_is_in_force_today_counts(till: Till) -> None:
    today = till.facility.local_date()
    old = tax(till, "12", valid_until=today - timedelta(days=1))
    tax(till, "18", valid_from=today)
    listed(till, "paracetamol", "Paracetamol", "medicine", 7, "2.50", tax=old)
    assert code(till.ask(TAXED)) == "not_the_list_price"
    assert till.bill({**TAXED, "tax_percent": "18"})["tax"] == "0.45"


def test_no_tax_is_no_tax_whether_or_not_it_is_said_to_be_included(till: Till) -> None:
    assert till.ask({**X_RAY, "tax_included": True}).status_code == 201


def test_a_price_that_is_over_or_of_another_hospital_does_not_count(till: Till) -> None:
    yesterday = till.facility.local_date() - timedelta(days=1)
    listed(till, "ecg", "ECG", "test_order", 12, "650.00", valid_until=yesterday)
    listed(Till(name="Other Hospital"), "ecg", "ECG", "test_order", 12, "650.00")
    assert code(till.ask(ECG)) == "not_in_price_list"


def test_a_draft_is_held_to_it_when_it_is_made_and_changed_but_not_issued(till: Till) -> None:
    assert code(till.ask(ECG, draft=True)) == "not_in_price_list"
    draft = till.bill(ECG, draft=True, role="admin")
    changed = till.patch(f"bills/{draft['id']}/", {"lines": [ECG]}, HTTP_IF_MATCH="*")
    assert (changed.status_code, code(changed)) == (403, "not_in_price_list")
    assert till.patch(f"bills/{draft['id']}/", {"lines": [X_RAY]}, HTTP_IF_MATCH="*").json()["total"] == "300.00"
    priced = till.bill(ECG, draft=True, role="admin")
    assert till.post(f"bills/{priced['id']}/issue/").json()["status"] == "open"


def test_a_discount_is_given_on_list_prices_within_its_limit(till: Till) -> None:
    less = {"discount": "20%", "discount_reason": "Staff"}
    assert made(till.ask(X_RAY, **less))["total"] == "240.00"
    assert code(till.ask(X_RAY, **{**less, "discount": "21%"})) == "discount_limit"


def test_many_lines_are_looked_up_at_once(till: Till, django_assert_max_num_queries: Any) -> None:
    rate = tax(till, "12", valid_until=till.facility.local_date() - timedelta(days=1))
    lines = []
    for n in range(30):
        listed(till, f"pill-{n}", f"Pill {n}", "medicine", n + 1, "2.50", tax=rate)
        lines.append({**PILL, "item_id": n + 1})
    patient = till.patient().pk
    till.ask(*lines, patient=patient)
    with django_assert_max_num_queries(16):
        assert till.ask(*lines, patient=patient).status_code == 201
