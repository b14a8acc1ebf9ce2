"""Writes a day of the past: everything in one transaction, by COPY, past no trigger and no constraint.

The order is that of life: a bill is a draft until its lines are there, a shift is open until its money has moved, and
a slot counts its tokens itself.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from django.db import connection
from psycopg import sql
from psycopg.types.json import Jsonb

from billing.ledger import accounts
from reception.history.counting import Ids, Numbers
from reception.history.playing import EVENT_COLUMNS, SUPPLY_COLUMNS
from reception.history.records import Books, Owing, Row
from tokens.facts import SessionFacts
from tokens.reading import TOKEN_COLUMNS

SESSION = (
    "id", "facility_id", "department_id", "doctor_id", "room_id", "date", "starts_at", "ends_at", "status", "prefix",
    "last_number", "calls", "delay_minutes", "paused_at", "closed_at", "version", "events", "last_event_at",
)  # fmt: skip
COLUMNS: dict[str, Sequence[str]] = {
    "tokens_token": TOKEN_COLUMNS,
    "tokens_event": EVENT_COLUMNS,
    "tokens_supplyevent": SUPPLY_COLUMNS,
    "reception_visit": ("id", "facility_id", "patient_id", "date", "opened_at", "opened_by_id"),
    "reception_visittoken": ("visit_id", "token_id", "bill_id"),
    "billing_patientaccount": ("facility_id", "patient_id"),
    "billing_receipt": (
        "id", "facility_id", "kind", "number", "patient_id", "bill_id", "shift_id", "tendered", "change", "due_after",
        "at", "by_id",
    ),
    "billing_creditnote": (
        "id", "facility_id", "bill_id", "number", "amount", "tax", "reason", "date", "at", "by_id",
    ),
    "billing_creditline": ("note_id", "line_id", "amount", "tax"),
    "billing_refund": (
        "id", "facility_id", "receipt_id", "payment_id", "bill_id", "method", "amount", "reason", "reference",
        "shift_id", "date", "at", "by_id",
    ),
}  # fmt: skip
_BILL = (
    "id", "facility_id", "patient_id", "status", "currency", "billable_type", "billable_id", "about", "gross",
    "discount", "tax", "total", "credited", "paid", "created_at", "created_by_id", "void_reason", "version",
)  # fmt: skip
_LINE = (
    "id", "bill_id", "position", "description", "quantity", "unit_price", "gross", "discount", "discount_reason",
    "tax_percent", "tax_included", "tax", "total", "item_type", "item_id", "department_id", "doctor_id",
)  # fmt: skip
_SHIFT = (
    "id", "facility_id", "drawer_id", "cashier_id", "date", "number", "opened_at", "float_amount", "counts", "reason",
)  # fmt: skip
_PAYMENT = (
    "id", "facility_id", "receipt_id", "patient_id", "bill_id", "method", "amount", "refunded", "reference",
    "rest_of_id", "shift_id", "date", "at", "by_id",
)  # fmt: skip
_LEDGER = (
    "id", "facility_id", "kind", "date", "at", "by_id", "bill_id", "payment_id", "refund_id", "credit_note_id",
    "shift_id",
)  # fmt: skip
_ENTRY = ("transaction_id", "account_id", "amount", "bill_id", "patient_id")

_NOW = """
CREATE TEMPORARY TABLE history_bill (
    id bigint, number text, status text, date date, issued_at timestamptz, paid numeric, credited numeric,
    voided_at timestamptz, void_reason text, version int)
"""
_SETTLE = """
UPDATE billing_bill b SET number = n.number, status = n.status, date = n.date, issued_at = n.issued_at, paid = n.paid,
       credited = n.credited, voided_at = n.voided_at, void_reason = n.void_reason, version = n.version
  FROM history_bill n WHERE b.id = n.id
"""
_CLOSE = """
UPDATE billing_shift SET closed_at = %s, closed_by_id = %s, expected = %s, counted = %s, counts = %s, reason = %s
 WHERE id = %s
"""


def copy(table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
    """Send rows to a table, all triggers and constraints at work."""
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), names)
    with connection.cursor() as cursor, cursor.cursor.copy(statement) as stream:
        for row in rows:
            stream.write_row(row)


class Writer:
    """Writes the days of a facility, one after the other."""

    def __init__(self, facility_id: int, currency: str, *, ids: dict[str, Ids], numbers: Numbers) -> None:
        self._facility_id, self._currency = facility_id, currency
        self._ids, self._numbers = ids, numbers
        self._accounts: dict[str, int] = {}

    def write(self, day: date, sessions: Sequence[SessionFacts], books: Books) -> None:
        """Write a day. The caller opens the transaction, which holds the whole of it.

        Raises:
            SomebodyElse: numbers were given meanwhile.
        """
        self._numbers.draw()
        self._write_sessions(sessions)
        for table in ("tokens_token", "tokens_event", "tokens_supplyevent", "reception_visit"):
            self._write(table, books)
        self._write_bills(books)
        self._open_shifts(books)
        for table in ("billing_patientaccount", "billing_receipt"):
            self._write(table, books)
        self._write_payments(day, books)
        for table in ("billing_creditnote", "billing_creditline", "billing_refund", "reception_visittoken"):
            self._write(table, books)
        self._settle(books)
        self._close_shifts(books)
        self._post(books)

    def _write(self, table: str, books: Books) -> None:
        if rows := books.rows.get(table):
            copy(table, COLUMNS[table], rows)

    def _write_sessions(self, sessions: Sequence[SessionFacts]) -> None:
        copy("scheduling_session", SESSION, (tuple(getattr(one, name) for name in SESSION) for one in sessions))
        copy(
            "scheduling_slot",
            ("id", "session_id", "starts_at", "ends_at", "capacity", "status", "used", "overbooked"),
            (
                (slot.id, slot.session_id, slot.starts_at, slot.ends_at, slot.capacity, slot.status, 0, 0)
                for one in sessions
                for slot in one.slots
            ),
        )

    def _write_bills(self, books: Books) -> None:
        """As drafts, for only a draft takes lines."""
        copy("billing_bill", _BILL, (self._draft(bill) for bill in books.bills))
        copy("billing_line", _LINE, (row for bill in books.bills for row in _lines(bill)))

    def _draft(self, bill: Owing) -> Row:
        sums = bill.sums
        return (
            bill.id, self._facility_id, bill.patient_id, "draft", self._currency, bill.billable_type,
            bill.billable_id, bill.about, sums.gross, sums.discount, sums.tax, sums.total, 0, 0, bill.issued_at,
            bill.by, "", 1,
        )  # fmt: skip

    def _open_shifts(self, books: Books) -> None:
        copy(
            "billing_shift",
            _SHIFT,
            (
                (till.id, self._facility_id, till.drawer_id, till.cashier_id, till.date, till.number, till.opens,
                 till.float_amount, "{}", "")
                for till in books.tills
            ),
        )  # fmt: skip

    def _write_payments(self, day: date, books: Books) -> None:
        rows = (
            (paid.id, self._facility_id, receipt, paid.patient_id, paid.bill_id, paid.method.value, paid.amount,
             paid.refunded, reference, rest_of, shift, on, at, by)
            for paid, receipt, reference, rest_of, shift, on, at, by in books.rows.get("billing_payment", ())
        )  # fmt: skip
        copy("billing_payment", _PAYMENT, rows)
        with connection.cursor() as cursor:
            cursor.executemany(
                "UPDATE billing_payment SET refunded = %s WHERE id = %s AND date < %s",
                [(paid.refunded, paid.id, day) for paid in books.refunded.values()],
            )

    def _settle(self, books: Books) -> None:
        """Issue the drafts, and bring bills of earlier days to where they are now."""
        with connection.cursor() as cursor:
            cursor.execute(_NOW)
            columns = (
                "id", "number", "status", "date", "issued_at", "paid", "credited", "voided_at", "void_reason",
                "version",
            )  # fmt: skip
            copy("history_bill", columns, map(self._now, (*books.bills, *books.touched.values())))
            cursor.execute(_SETTLE)
            cursor.execute("DROP TABLE history_bill")

    def _now(self, bill: Owing) -> Row:
        return (
            bill.id, bill.number, bill.status, bill.date, bill.issued_at, bill.paid, bill.credited, bill.voided_at,
            bill.void_reason, bill.version,
        )  # fmt: skip

    def _close_shifts(self, books: Books) -> None:
        with connection.cursor() as cursor:
            for till in books.tills:
                counts: Any = Jsonb(till.counts)
                cursor.execute(
                    _CLOSE, [till.closes, till.cashier_id, till.cash, till.counted, counts, till.reason, till.id]
                )

    def _post(self, books: Books) -> None:
        wanted = {account for _, entries in books.posted for account, *_ in entries}
        missing = {account for account in wanted if account.code not in self._accounts}
        if missing:
            self._accounts |= accounts(self._facility_id, missing)
        ids = [next(self._ids["billing_ledgertransaction"]) for _ in books.posted]
        facility = self._facility_id
        copy(
            "billing_ledgertransaction",
            _LEDGER,
            ((number, facility, *row) for number, (row, _) in zip(ids, books.posted, strict=True)),
        )
        codes: dict[Any, int] = {account: self._accounts[account.code] for account in wanted}
        copy(
            "billing_ledgerentry",
            _ENTRY,
            (
                (number, codes[account], amount, bill, patient)
                for number, (_, entries) in zip(ids, books.posted, strict=True)
                for account, amount, bill, patient in entries
            ),
        )


def _lines(bill: Owing) -> Iterable[Row]:
    for position, (number, line, sums) in enumerate(bill.each(), start=1):
        yield (
            number, bill.id, position, line.description, line.quantity, line.unit_price, sums.gross, sums.discount,
            line.discount_reason, line.tax_percent, line.tax_included, sums.tax, sums.total, line.item_type,
            line.item_id, line.department_id, line.doctor_id,
        )  # fmt: skip
