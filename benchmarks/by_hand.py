"""The bill of a consultation by hand: the same rows in one trip of prepared SQL, from BEGIN to COMMIT.

It reads what the decision needs (the patient, the facility, the accounts), writes the same rows with the same triggers
and constraints, and takes its number from the same counter. Nothing travels back, and no Python decides anything: so
it is what an application would take that costs nothing.
"""

from typing import Any

import psycopg
from django.db import connection

from scheduling.locking import LOCK_TIMEOUT, SET_TIMEOUT

BILL = """
INSERT INTO billing_bill (facility_id, patient_id, status, currency, billable_type, about, gross, discount, tax, total,
                          credited, paid, created_at, created_by_id, void_reason, version)
VALUES (%(facility)s, %(patient)s, 'draft', 'INR', 'visit', 'A-001', 600, 0, 0, 600, 0, 0, now(), %(by)s, '', 1)
"""
LINES = """
INSERT INTO billing_line (bill_id, position, description, quantity, unit_price, gross, discount, discount_reason,
                          tax_percent, tax_included, tax, total, item_type, item_id, department_id, doctor_id)
SELECT currval('billing_bill_id_seq'), position, description, 1, price, price, 0, '', 0, false, 0, price, 'service',
       NULL, %(department)s, %(doctor)s
  FROM (VALUES (1, 'Consultation', 500), (2, 'Hospital fee', 100)) AS given (position, description, price)
"""
LEDGER = """
INSERT INTO billing_ledgertransaction (facility_id, kind, date, at, by_id, bill_id)
VALUES (%(facility)s, 'issue', current_date, now(), %(by)s, currval('billing_bill_id_seq'))
"""
ENTRIES = """
INSERT INTO billing_ledgerentry (transaction_id, account_id, amount, bill_id)
SELECT currval('billing_ledgertransaction_id_seq'), a.id, given.amount,
       CASE WHEN given.code = 'receivable' THEN currval('billing_bill_id_seq') END
  FROM (VALUES ('receivable', 600), ('revenue:' || %(department)s::text, -600)) AS given (code, amount)
  JOIN billing_ledgeraccount a ON a.code = given.code AND a.facility_id = %(facility)s
"""
NUMBER = """
WITH drawn AS (
    INSERT INTO billing_counter AS c (facility_id, kind, year, last)
    VALUES (%(facility)s, 'B', extract(year FROM current_date), 1)
    ON CONFLICT (facility_id, kind, year) DO UPDATE SET last = c.last + 1 RETURNING year, last)
UPDATE billing_bill b
   SET number = 'B-' || drawn.year || '-' || lpad(drawn.last::text, 6, '0'), status = 'open', date = current_date,
       issued_at = now(), version = 2
  FROM drawn WHERE b.id = currval('billing_bill_id_seq')
"""
READS = (
    "SELECT p.id, p.facility_id, p.merged_into_id, f.currency, f.time_zone FROM patients_patient p"
    " JOIN accounts_facility f ON f.id = p.facility_id WHERE p.id = %(patient)s",
    "SELECT id, code FROM billing_ledgeraccount WHERE facility_id = %(facility)s"
    " AND code = ANY (ARRAY['receivable', 'revenue:' || %(department)s::text])",
)


class ByHand:
    """A connection of its own, and the values that stand in every bill."""

    def __init__(self, **values: int) -> None:
        self._values: dict[str, Any] = values
        parameters = connection.get_connection_params() | {"autocommit": True, "prepare_threshold": 0}
        for own in ("cursor_factory", "context"):
            parameters.pop(own, None)  # Django's
        self._connection = psycopg.connect(**parameters)
        self._connection.execute("SELECT set_config('pgtrigger.ignore', '{}', false)")

    def bill(self, patient: int) -> None:
        """Make and issue one."""
        values = {**self._values, "patient": patient}
        with self._connection.pipeline(), self._connection.transaction():
            self._connection.execute(SET_TIMEOUT, (LOCK_TIMEOUT,))
            for statement in (*READS, BILL, LINES, LEDGER, ENTRIES, NUMBER):
                self._connection.execute(statement, values)

    def close(self) -> None:
        """Done."""
        self._connection.close()
