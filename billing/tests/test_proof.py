"""The proof: nothing where all agrees, a finding where something does not, and who runs it."""

import re
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from billing.jobs import prove_ledgers
from billing.models import Bill, LedgerAccount, ProofRun
from billing.proof import CHECKS, MOST_NAMED, prove
from billing.rules import LineIn, Off
from billing.tests.house import House, card, from_account

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def house() -> House:
    """A hospital after a day on which everything happened to money that can."""
    house = House()
    shift = house.open()
    bill = house.bill("600", "50.05", discount=Off.parse("10%"), discount_reason="Staff", by_rule=True)
    house.pay(bill, "300")
    house.pay(bill, card("400"), keep_rest=True)
    house.credit(bill, "100.01")
    house.give_back(bill)
    house.void(house.bill(lines=taxed(house)))
    partly = house.bill(lines=taxed(house))
    house.credit(partly, "20")
    house.void(partly)
    house.deposit("500")
    other = house.bill("520")
    house.pay(other, from_account("450"), "70")
    house.refund(house.payments(other)[0], "20")
    house.refund_advance("30")
    house.bill("75", draft=True)
    house.bill("40", lines=[LineIn("Nothing is asked for this", Decimal(0))])
    house.close(shift, "1000", "Some is missing")
    house.later(hours=1)
    house.open(house.farah, drawer=1)
    house.pay(house.bill("12.50"), "12.50", by=house.farah)
    return house


def taxed(house: House) -> list[LineIn]:
    first, second = house.departments
    return [
        LineIn("Syrup", Decimal("33.33"), Decimal(3), tax_percent=Decimal(18), department_id=first.id),
        LineIn("Plaster", Decimal("9.99"), tax_percent=Decimal(5), tax_included=True, department_id=second.id),
    ]


def corrupt(statement: str, *parameters: object) -> None:
    """What somebody does who may switch the triggers off."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(statement, parameters)
        cursor.execute("SET session_replication_role = origin")


def codes(house: House) -> set[str]:
    return {finding.code for finding in prove(house.facility).findings}


def test_where_everything_was_done_through_the_actions_everything_agrees(house: House) -> None:
    proof = prove(house.facility)
    assert (proof.findings, proof.balanced, proof.difference) == ((), True, Decimal("0.00"))
    assert proof.transactions > 15
    assert proof.debits == proof.credits > 0


def test_a_lost_entry_is_found(house: House) -> None:
    corrupt("DELETE FROM billing_ledgerentry WHERE id = (SELECT max(id) FROM billing_ledgerentry)")
    assert {"transaction_sum", "transaction_empty", "payment_posting"} <= codes(house)


def test_an_altered_payment_is_found(house: House) -> None:
    corrupt("UPDATE billing_payment SET amount = amount + 1 WHERE id = (SELECT max(id) FROM billing_payment)")
    proof = prove(house.facility)
    assert {"payment_posting", "bill_paid", "drawer_balance"} <= {finding.code for finding in proof.findings}
    found = next(finding for finding in proof.findings if finding.code == "bill_paid")
    assert (found.kind, found.expected, found.found) == ("bill", Decimal("13.50"), Decimal("12.50"))
    assert proof.difference >= 1


def test_a_wrong_total_is_found(house: House) -> None:
    bill = Bill.objects.filter(status="paid").earliest("id")
    corrupt("UPDATE billing_bill SET total = total + 5, paid = paid + 5 WHERE id = %s", bill.pk)
    assert {"bill_total", "bill_paid", "issue_posting"} <= codes(house)


def test_money_that_was_moved_to_another_department_is_found_though_all_sums_agree(house: House) -> None:
    bill = house.bill(lines=taxed(house))
    revenue = LedgerAccount.objects.filter(kind="revenue").order_by("id")
    one, other = (row.pk for row in revenue.filter(department__isnull=False))
    corrupt(
        "UPDATE billing_ledgerentry e SET account_id = CASE account_id WHEN %s THEN %s ELSE %s END"
        " FROM billing_ledgertransaction t WHERE t.id = e.transaction_id AND t.bill_id = %s AND account_id IN (%s, %s)",
        one, other, one, bill, one, other,
    )  # fmt: skip
    assert codes(house) == {"issue_posting"}


def test_a_bill_that_vanished_leaves_a_gap(house: House) -> None:
    bill = house.bill("5")
    corrupt("DELETE FROM billing_ledgerentry WHERE bill_id = %s", bill)
    corrupt("DELETE FROM billing_ledgertransaction WHERE bill_id = %s", bill)
    corrupt("DELETE FROM billing_line WHERE bill_id = %s", bill)
    number = Bill.objects.get(pk=bill).number
    corrupt("DELETE FROM billing_bill WHERE id = %s", bill)
    assert ("number_gap", number) in {(finding.code, finding.about) for finding in prove(house.facility).findings}


def test_a_proof_looks_at_one_facility_and_may_look_at_some_checks_only(house: House) -> None:
    corrupt("UPDATE billing_payment SET amount = amount + 1 WHERE id = (SELECT max(id) FROM billing_payment)")
    assert prove(House().facility).balanced
    assert {finding.code for finding in prove(house.facility, codes=["bill_paid"]).findings} == {"bill_paid"}


def test_all_findings_count_though_not_all_are_named(house: House) -> None:
    corrupt("UPDATE billing_counter SET last = last + 1000 WHERE kind = 'C'")
    proof = prove(house.facility)
    assert (len(proof.findings), proof.counts) == (MOST_NAMED, {"number_gap": 1000})


def test_the_night_s_proof_is_kept_whatever_it_finds(house: House, caplog: pytest.LogCaptureFixture) -> None:
    prove_ledgers(timestamp=0)
    corrupt("UPDATE billing_payment SET amount = amount + 1 WHERE id = (SELECT max(id) FROM billing_payment)")
    prove_ledgers(timestamp=0)
    after, before = ProofRun.objects.filter(facility=house.facility)
    assert (before.balanced, before.findings) == (True, [])
    assert (after.balanced, after.difference >= 1) == (False, True)
    assert {"code": "bill_paid", "kind": "bill"}.items() <= next(
        each.items() for each in after.findings if each["code"] == "bill_paid"
    )
    assert "does not agree" in caplog.text


def test_the_command_says_what_does_not_agree(house: House) -> None:
    out, err = StringIO(), StringIO()
    call_command("prove_ledger", "--check", stdout=out, stderr=err, verbosity=0)
    assert "all agree" in out.getvalue()
    corrupt("UPDATE billing_payment SET amount = amount + 1 WHERE id = (SELECT max(id) FROM billing_payment)")
    with pytest.raises(SystemExit):
        call_command("prove_ledger", "--check", "--keep", stdout=out, stderr=err, verbosity=0)
    assert "bill_paid: bill" in err.getvalue()
    assert not ProofRun.objects.get().balanced


def test_every_code_is_documented() -> None:
    text = (Path(settings.BASE_DIR) / "docs" / "billing.md").read_text().partition("## The proof")[2]
    documented = re.findall(r"^\| `([a-z_]+)` \|", text, re.MULTILINE)
    assert [check.code for check in CHECKS] == documented
