"""What somebody with the keys of the database could do to money, and that the proof finds it.

After a day on which everything happened that can, triggers and constraints are taken away. Then every row is lost once,
doubled once, and changed once in every column: the proof finds each, or the column is named here as one that says
nothing about money. Beside that, the crimes that have a name.
"""

import os
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection, transaction

from billing.models import Shift
from billing.proof import CHECKS, prove
from billing.rules import LineIn, Off
from billing.tests.crimes import BACK, CRIMES, change
from billing.tests.house import House, card, from_account, rows
from common.transactions import outermost
from patients.actions import mark_merged

pytestmark = pytest.mark.django_db

TABLES = (
    "bill", "line", "creditnote", "creditline", "receipt", "payment", "refund", "shift", "cashmovement",
    "ledgertransaction", "ledgerentry", "ledgeraccount", "counter", "patientaccount",
)  # fmt: skip

DOCUMENTS = TABLES[:-3]
"""What stands for money; accounts and counters have none by themselves."""

SILENT = {
    # what people call it, and why
    "bill.about", "bill.billable_type", "bill.billable_id", "bill.currency", "bill.void_reason", "line.description",
    "line.discount_reason", "line.item_type", "line.item_id", "line.position", "creditnote.reason", "refund.reason",
    "shift.reason", "shift.counts", "cashmovement.reason", "payment.reference", "payment.reference_doubled",
    "refund.reference", "ledgeraccount.name",
    # who did it, whose it is beside the department
    "bill.created_by_id", "bill.voided_by_id", "line.doctor_id", "creditnote.by_id", "receipt.by_id", "payment.by_id",
    "refund.by_id", "shift.cashier_id", "shift.closed_by_id", "cashmovement.by_id", "ledgertransaction.by_id",
    # when it was written down, and the versions of what was read
    "bill.created_at", "bill.version", "receipt.at", "ledgertransaction.xact",
    # what belongs together beside the amounts
    "refund.credit_note_id",
    # of a bill on which nothing was paid; of a line without tax
    "bill.patient_id", "line.tax_included",
    # a row that is only there to be locked
    "patientaccount.facility_id", "patientaccount.patient_id",
}  # fmt: skip
"""Columns that may say something else without money being wrong."""


def taxed(house: House) -> list[LineIn]:
    """Two lines of two departments: a tax that is added, and one that is in the price."""
    one, other = house.departments
    return [
        LineIn("Syrup", Decimal("33.33"), Decimal(3), tax_percent=Decimal(18), department_id=one.id),
        LineIn("Plaster", Decimal("9.99"), Decimal("1.5"), None, "", Decimal(5), True, department_id=other.id),
    ]


def a_day(house: House) -> None:
    """Everything that can happen to money, over New Year."""
    house.now, house.pace = datetime(2030, 12, 31, 20, tzinfo=UTC), timedelta(minutes=1)
    shift = house.open()
    first = house.bill("600", "50.05", discount=Off.parse("10%"), discount_reason="Staff", by_rule=True)
    house.pay(first, "300")
    house.pay(first, card("400"), keep_rest=True)
    house.credit(first, "100.01")
    house.give_back(first)
    house.void(house.bill(lines=taxed(house)))
    partly = house.bill(lines=taxed(house))
    house.credit(partly, "20")
    house.void(partly)
    house.void(house.bill("75", draft=True))
    house.bill("75", draft=True)
    house.bill(lines=[LineIn("Nothing is asked for this", Decimal(0))])
    house.move(shift, "to_safe", "400")
    house.move(shift, "paid_out", "35.50", "tea for the night shift")
    house.close(shift, "600", "Some is missing", hand_to_id=house.farah.id, hand_float=Decimal(200))
    house.later(hours=6)
    advances(house)
    carried(house)
    house.later(hours=3)
    house.open(house.meena, drawer=1)
    house.pay(house.bill(lines=taxed(house)), "50", "60.01", keep_rest=True)
    house.newcomer()  # who has nothing to do with it


def carried(house: House) -> None:
    """Cash in and out of a drawer, with what was wrong taken back."""
    shift = Shift.objects.get(cashier=house.farah, closed_at=None)
    house.move(shift, "from_safe", "150", "")
    house.move(shift, "to_safe", "90", "")
    house.move(shift, "from_safe", "90", "it was not carried after all")
    house.move(shift, "paid_out", "60", "courier")
    house.move(shift, "came_back", "12", "courier was cheaper")


def advances(house: House) -> None:
    """What lies on patients' accounts: paid in, spent, given back onto it, paid out; one patient in two records."""
    by = house.farah
    house.deposit("500", card("90"), by=by)
    spent = house.bill("520")
    house.pay(spent, from_account("450"), "70", by=by)
    house.refund(house.payments(spent)[0], "20", by=by)
    house.refund(house.payments(spent)[1], "70", by=by, to_account=True)
    house.refund_advance("100", by=by)
    house.refund(house.payments(spent)[0], "100", by=by, credit=True)
    again = house.newcomer()
    house.deposit("40", patient=again, by=by)
    outermost(lambda: mark_merged(patient_id=again.id, into_id=house.patient.id, by=None))
    house.pay(house.bill("130"), from_account("130"), by=by)  # more than the record itself brought


def broken(*houses: House) -> set[str]:
    """The codes of what the proof finds, in all of them."""
    return {finding.code for house in houses for finding in prove(house.facility).findings}


class Ground:
    """A hospital after that day, beside another one, in a database that refuses nothing any more."""

    def __init__(self) -> None:
        self.house, self.other = House(), House()
        self.other.open()
        self.other.pay(self.other.bill("600"), "600")
        a_day(self.house)
        rows("SET CONSTRAINTS ALL IMMEDIATE")
        for table in TABLES:
            self.unguard(f"billing_{table}")
        rows("SET LOCAL session_replication_role = replica")

    def unguard(self, table: str) -> None:
        """Take everything away that refuses a row, but for its key."""
        for (name,) in rows(
            "SELECT conname FROM pg_constraint WHERE conrelid = %s::regclass AND contype IN ('c', 'u', 'x')", table
        ):
            rows(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        for (name,) in rows(
            """SELECT i.indexrelid::regclass::text FROM pg_index i
                WHERE i.indrelid = %s::regclass AND i.indisunique AND NOT i.indisprimary""",
            table,
        ):
            rows(f"DROP INDEX {name}")

    def after(self, statement: str) -> set[str]:
        """What the proof finds after a crime, which is undone again.

        Raises:
            AssertionError: nothing was changed, so there was no crime.
        """
        with transaction.atomic(), connection.cursor() as cursor:
            for part in statement.split(";\n"):
                cursor.execute(part.replace("{facility}", str(self.house.facility.id)))
                assert cursor.rowcount > 0, part
            found = broken(self.house)
            transaction.set_rollback(True)
        return found

    def mine(self, table: str) -> str:
        """Which rows of a table belong to this hospital."""
        through = {
            "line": "bill_id IN (SELECT id FROM billing_bill WHERE OURS AND number IS NOT NULL)",
            "creditline": "note_id IN (SELECT id FROM billing_creditnote WHERE OURS)",
            "ledgerentry": "transaction_id IN (SELECT id FROM billing_ledgertransaction WHERE OURS)",
            "bill": "OURS AND number IS NOT NULL",
        }
        return through.get(table, "OURS").replace("OURS", f"facility_id = {self.house.facility.id}")

    def ids(self, table: str, condition: str = "TRUE") -> list[int]:
        """The rows of a table that belong to this hospital."""
        found = rows(f"SELECT id FROM billing_{table} WHERE {self.mine(table)} AND {condition} ORDER BY id")
        return [row_id for (row_id,) in found]


@pytest.fixture
def ground() -> Ground:
    return Ground()


class Column:
    """A column of a table of money, and what else it could hold."""

    def __init__(self, table: str, name: str, kind: str, nullable: str) -> None:
        self.table, self.name, self.kind, self.nullable = table, name, kind, nullable == "YES"

    def __str__(self) -> str:
        return f"{self.table}.{self.name}"

    def otherwise(self, refers_to: str | None) -> str:
        """An expression for another value than the one it has."""
        if refers_to:
            return f"(SELECT min(id) FROM {refers_to} WHERE id IS DISTINCT FROM {self.name})"
        name = self.name
        words = {
            "status": "CASE status WHEN 'void' THEN 'open' ELSE 'void' END",
            "method": "CASE method WHEN 'upi' THEN 'bank' ELSE 'upi' END",
            "number": "overlay(number placing '999999' from 8)",
            "kind": f"(SELECT min(other.kind) FROM billing_{self.table} AS other WHERE other.kind <> mine.kind)",
            "code": "'safe:1'",
            "currency": "'USD'",
        }
        by_kind = {
            "numeric": f"coalesce({name}, 0) + 1",
            "date": f"{name} + 1",
            "timestamp with time zone": f"coalesce({name}, now()) + interval '3 days'",
            "boolean": f"NOT {name}",
            "jsonb": """'{"500": 1}'""",
            "character varying": words.get(name, f"'x' || left({name}, 10)"),
        }
        return by_kind.get(self.kind, f"coalesce({name}, 0) + 1")


def columns() -> list[Column]:
    """Every column that can be written, of every table of money."""
    found = rows(
        """SELECT substr(table_name, 9), column_name, data_type, is_nullable
             FROM information_schema.columns
            WHERE table_name = ANY(%s) AND is_generated = 'NEVER' AND column_name <> 'id'
            ORDER BY 1, ordinal_position""",
        [f"billing_{table}" for table in TABLES],
    )
    return [Column(*row) for row in found]


def references() -> dict[tuple[str, str], str]:
    """Which table a column refers to."""
    found = rows(
        """SELECT substr(c.conrelid::regclass::text, 9), a.attname, c.confrelid::regclass::text FROM pg_constraint c
             JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
            WHERE c.contype = 'f' AND c.conrelid::regclass::text LIKE 'billing_%%'"""
    )
    return {(table, column): there for table, column, there in found}


THOROUGH = bool(os.environ.get("OPD_CORRUPTIONS"))
"""Try several rows for each column, not one: a minute more."""


def some(ids: list[int], thorough: bool = True) -> list[int]:
    """The first, one in the middle, and the last; or that one alone."""
    if not ids:
        return []
    middle = ids[len(ids) // 2]
    return sorted({ids[0], middle, ids[-1]}) if thorough else [middle]


def test_the_clean_state_has_no_finding(ground: Ground) -> None:
    assert broken(ground.house, ground.other) == set()


def test_every_row_that_is_lost_is_missed(ground: Ground) -> None:
    missed = [
        f"{table} {row_id}"
        for table in DOCUMENTS
        for row_id in some(ground.ids(table))
        if not ground.after(f"DELETE FROM billing_{table} WHERE id = {row_id}")
    ]
    assert missed == []


def test_every_row_that_is_doubled_is_found(ground: Ground) -> None:
    names: dict[str, list[str]] = {}
    for column in columns():
        names.setdefault(column.table, []).append(column.name)
    missed = []
    for table in DOCUMENTS:
        copied = ", ".join(names[table])
        for row_id in some(ground.ids(table)):
            copy = f"INSERT INTO billing_{table} ({copied}) SELECT {copied} FROM billing_{table} WHERE id = {row_id}"
            if not ground.after(copy):
                missed.append(f"{table} {row_id}")
    assert missed == []


def test_every_column_that_is_changed_is_found_or_says_nothing_about_money(ground: Ground) -> None:
    there, silent = references(), set()
    for column in columns():
        of = f"billing_{column.table}"
        known = f"{column.name} IS NOT NULL"
        for row_id in some(ground.ids(column.table, known) or ground.ids(column.table), THOROUGH):
            value = column.otherwise(there.get((column.table, column.name)))
            if not ground.after(f"UPDATE {of} AS mine SET {column.name} = {value} WHERE id = {row_id}"):
                silent.add(str(column))
    assert silent <= SILENT, sorted(silent - SILENT)


def test_every_crime_that_has_a_name_is_found_under_its_code(ground: Ground) -> None:
    found = {name: ground.after(statement) for name, (statement, _) in CRIMES.items()}
    missed = [(name, code, sorted(found[name])) for name, (_, code) in CRIMES.items() if code not in found[name]]
    assert missed == []


def test_what_was_given_back_by_card_before_the_rule_needed_no_shift(ground: Ground) -> None:
    crime, code = CRIMES["a refund by card is of no shift, in all that is written"]
    assert code in ground.after(crime)
    assert code not in ground.after(crime + ";\n" + change("refund", "at = '2020-01-01'", BACK))


def test_every_check_of_the_proof_is_tried_above() -> None:
    assert {code for _, code in CRIMES.values()} == {check.code for check in CHECKS}
