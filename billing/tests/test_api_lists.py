"""Lists after years: a page far down costs little more than the first, and what is looked for is found by an index."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.tests.till import Till
from common.testing.plans import whole

pytestmark = pytest.mark.django_db

LARGE = {f"billing_{name}" for name in ("bill", "line", "payment", "refund", "receipt", "ledgertransaction")} | {
    "billing_ledgerentry"
}

FOUND: dict[str, list[str]] = {
    "bills/": [
        "patient={patient}", "number={number}", "search={number}", "search=b-1", "search={name}", "token=7",
        "item_id=12", "item_type=test_order&item_id=12", "billable_type=visit&billable_id=3", "date={date}",
        "owed=true", "to_give_back=true", "status=open&patient={patient}",
    ],
    "payments/": [
        "bill={bill}", "patient={patient}", "shift={shift}", "receipt={receipt}", "cashier={cashier}", "date={date}",
        "reference=x",
    ],
    "refunds/": ["bill={bill}", "payment={payment}", "shift={shift}", "cashier={cashier}", "date={date}"],
    "receipts/": ["number={paper}", "bill={bill}", "patient={patient}", "shift={shift}"],
    "ledger/entries/": [
        "account=1", "transaction=1", "bill={bill}", "patient={patient}", "payment={payment}", "refund=1", "movement=1",
        "shift={shift}", "date={date}",
    ],
}  # fmt: skip


@pytest.fixture
def till() -> Till:
    one = Till()
    one.open()
    return one


def facts(till: Till) -> dict[str, Any]:
    """What a client may look for: of a bill that is paid in cash."""
    bill = till.bill()
    payment = till.paid(bill, "650.00")["payments"][0]
    return {
        "patient": bill["patient"], "name": bill["patient_name"],
        "number": bill["number"], "date": bill["date"], "bill": bill["id"],
        "shift": payment["shift"], "receipt": payment["receipt"], "cashier": payment["by"], "payment": payment["id"],
        "paper": payment["receipt_number"],
    }  # fmt: skip


@pytest.mark.parametrize(("path", "asked"), [(path, asked) for path, every in FOUND.items() for asked in every])
def test_what_is_looked_for_is_found_by_an_index(till: Till, path: str, asked: str) -> None:
    address = f"/api/v1/{path}?{asked.format(**facts(till))}"
    with CaptureQueriesContext(connection) as made:
        assert till.client("manager").get(address).status_code == 200
    counted = [each["sql"] for each in made.captured_queries if "COUNT(" in each["sql"]]
    assert counted
    assert [scan for sql in counted for scan in whole(sql, LARGE)] == []


def test_the_question_can_be_answered_no(till: Till) -> None:
    assert whole("SELECT count(*) FROM billing_bill WHERE about = 'x'", LARGE)


@pytest.mark.parametrize("path", ["bills/", "payments/", "receipts/", "ledger/entries/", "ledger/accounts/"])
@pytest.mark.parametrize("ordering", ["", "ordering=-id&", "ordering=id&"])
def test_pages_follow_each_other_and_skip_by_keys_alone(till: Till, path: str, ordering: str) -> None:
    for _ in range(3):
        till.paid(till.bill(), "650.00")
    client = till.client("manager")
    every = client.get(f"/api/v1/{path}?{ordering}page_size=200").json()["results"]
    assert len(every) >= 3
    for at, row in enumerate(every):
        with CaptureQueriesContext(connection) as made:
            answer = client.get(f"/api/v1/{path}?{ordering}page_size=1&page={at + 1}").json()
        assert (answer["count"], answer["results"]) == (len(every), [row])
        skipping = [each["sql"] for each in made.captured_queries if " OFFSET " in each["sql"]]
        assert len(skipping) == (at > 0)
        assert all(sql[: sql.index(" FROM ")].count(",") <= 1 for sql in skipping)


@pytest.mark.parametrize(
    "asked",
    [
        "bills/?status=open&status=paid", "payments/?method=cash&method=upi", "refunds/?method=cash",
        "ledger/entries/?kind=issue&account_kind=tax&account_kind=cash", "ledger/accounts/?kind=tax&kind=cash",
    ],
)  # fmt: skip
def test_one_of_several_words_makes_nothing_distinct(till: Till, asked: str) -> None:
    till.paid(till.bill(), "650.00")
    with CaptureQueriesContext(connection) as made:
        assert till.client("manager").get(f"/api/v1/{asked}").status_code == 200
    read = [each["sql"] for each in made.captured_queries if "billing_" in each["sql"]]
    assert read
    assert [sql for sql in read if "DISTINCT" in sql] == []
