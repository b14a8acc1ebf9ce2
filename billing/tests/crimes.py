"""Crimes against the books, each with the code under which the proof finds it. `{facility}` is whose books they are."""

OF = "facility_id = {facility}"
PAID = f"(SELECT max(id) FROM billing_payment WHERE {OF} AND method = 'cash' AND bill_id IS NOT NULL)"
BY_CARD = f"(SELECT min(id) FROM billing_payment WHERE {OF} AND method = 'card' AND bill_id IS NOT NULL)"
PAID_BILL = f"(SELECT min(id) FROM billing_bill WHERE {OF} AND paid > 0)"
OPEN_BILL = f"(SELECT max(id) FROM billing_bill WHERE {OF} AND status = 'paid' AND total > 0)"
VOID = f"(SELECT max(id) FROM billing_bill WHERE {OF} AND status = 'void' AND number IS NOT NULL)"
GIVEN = f"(SELECT min(id) FROM billing_refund WHERE {OF} AND method = 'cash')"
BACK = f"(SELECT min(id) FROM billing_refund WHERE {OF} AND method = 'card')"
CLOSED = f"(SELECT min(id) FROM billing_shift WHERE {OF} AND closed_at IS NOT NULL)"
ADVANCE = f"(SELECT id FROM billing_ledgeraccount WHERE {OF} AND kind = 'advance')"
POSTED = "(SELECT id FROM billing_ledgertransaction WHERE payment_id = {})"
LINE = f"(SELECT min(id) FROM billing_line WHERE bill_id = {PAID_BILL})"
LAST = f"(SELECT max(id) FROM billing_ledgertransaction WHERE {OF})"
FIRST = f"(SELECT min(id) FROM billing_ledgertransaction WHERE payment_id = {BY_CARD})"
COPY = """INSERT INTO billing_ledgertransaction
    (facility_id, kind, date, at, by_id, bill_id, payment_id, refund_id, credit_note_id, movement_id, shift_id, xact)
    SELECT
     facility_id, kind, date, at, by_id, bill_id, payment_id, refund_id, credit_note_id, movement_id, shift_id, xact
      FROM billing_ledgertransaction WHERE id = {};
INSERT INTO billing_ledgerentry (transaction_id, account_id, amount, bill_id, patient_id)
    SELECT (SELECT max(id) FROM billing_ledgertransaction), account_id, amount, bill_id, patient_id
      FROM billing_ledgerentry WHERE transaction_id = {}"""


def change(table: str, what: str, row: str) -> str:
    """Set something in one row."""
    return f"UPDATE billing_{table} SET {what} WHERE id = {row}"


RECEIPT = f"(SELECT receipt_id FROM billing_payment WHERE id = {PAID})"
CARD_RECEIPT = f"(SELECT receipt_id FROM billing_payment WHERE id = {BY_CARD})"
CARRIED = f"(SELECT min(id) FROM billing_cashmovement WHERE {OF} AND kind = 'to_safe')"
SPENT = f"(SELECT max(id) FROM billing_cashmovement WHERE {OF} AND kind = 'paid_out')"
BROUGHT = f"(SELECT max(id) FROM billing_cashmovement WHERE {OF} AND kind = 'came_back')"
MOVED = f"(SELECT min(id) FROM billing_ledgertransaction WHERE {OF} AND movement_id = {CARRIED})"
LAST_BILL = f"(SELECT max(id) FROM billing_bill WHERE {OF})"
BYSTANDER = f"(SELECT max(id) FROM patients_patient WHERE {OF})"
ENTRY_OF_A_BILL = f"(SELECT min(id) FROM billing_ledgerentry WHERE bill_id = {PAID_BILL})"
ENTRIES = "SELECT transaction_id, account_id, amount, bill_id, patient_id FROM billing_ledgerentry"

CRIMES = {
    "an entry is lost": (
        f"DELETE FROM billing_ledgerentry WHERE id = {ENTRY_OF_A_BILL}",
        "transaction_sum",
    ),
    "a transaction is lost with its entries": (
        f"DELETE FROM billing_ledgerentry WHERE transaction_id = {POSTED.format(PAID)};\n"
        f"DELETE FROM billing_ledgertransaction WHERE payment_id = {PAID}",
        "payment_posting",
    ),
    "the entries of a transaction are lost, and it stays": (
        f"DELETE FROM billing_ledgerentry WHERE transaction_id = {POSTED.format(PAID)}",
        "transaction_empty",
    ),
    "a payment is made smaller": (change("payment", "amount = amount - 1", PAID), "payment_posting"),
    "a payment is made smaller together with its bill and its posting": (
        f"UPDATE billing_payment SET amount = amount - 1 WHERE id = {PAID};\n"
        f"UPDATE billing_bill SET paid = paid - 1 WHERE id = (SELECT bill_id FROM billing_payment WHERE id = {PAID});\n"
        f"UPDATE billing_ledgerentry SET amount = amount - sign(amount) WHERE transaction_id = {POSTED.format(PAID)}",
        "receipt_cash",
    ),
    "cash was a card": (change("payment", "method = 'card'", PAID), "payment_posting"),
    "a reference stands for two payments, written otherwise": (
        f"UPDATE billing_payment SET reference = (SELECT lower(reference) || ' ' FROM billing_payment WHERE id ="
        f" {BY_CARD}) WHERE id = (SELECT max(id) FROM billing_payment WHERE {OF} AND method = 'card'"
        " AND rest_of_id IS NULL)",
        "reference_twice",
    ),
    "a payment belongs to another bill": (
        f"UPDATE billing_payment SET bill_id = {OPEN_BILL} WHERE id = {BY_CARD}",
        "bill_paid",
    ),
    "a payment belongs to another shift": (
        f"UPDATE billing_payment SET shift_id = {CLOSED} WHERE id = {PAID}",
        "shift_expected",
    ),
    "a payment belongs to no shift": (change("payment", "shift_id = NULL", PAID), "cash_without_shift"),
    "a refund by card is of no shift, in all that is written": (
        "UPDATE billing_receipt SET shift_id = NULL"
        f" WHERE id = (SELECT receipt_id FROM billing_refund WHERE id = {BACK});\n"
        f"UPDATE billing_ledgertransaction SET shift_id = NULL WHERE refund_id = {BACK};\n"
        + change("refund", "shift_id = NULL", BACK),
        "refund_without_shift",
    ),
    "a payment came after the close": (
        change("shift", "closed_at = closed_at - interval '1 day'", CLOSED),
        "moved_after_close",
    ),
    "a payment says less was given back": (
        change("payment", "refunded = 0", f"(SELECT payment_id FROM billing_refund WHERE id = {GIVEN})"),
        "payment_refunded",
    ),
    "a bill says another total": (change("bill", "total = total + 1", PAID_BILL), "bill_total"),
    "a bill says that more was paid": (change("bill", "paid = paid + 1", PAID_BILL), "bill_paid"),
    "a bill says that more was taken off": (
        change("bill", "credited = credited + 1", PAID_BILL),
        "bill_credited",
    ),
    "a bill says that it is open": (change("bill", "status = 'open'", PAID_BILL), "bill_status"),
    "a paid bill is another patient's": (
        change("bill", f"patient_id = {BYSTANDER}", PAID_BILL),
        "patient_mixed",
    ),
    "a void bill is owed again": (
        change("bill", "status = 'open', voided_at = NULL", VOID),
        "void_posting",
    ),
    "a line costs less, in all that is written on the bill": (
        f"UPDATE billing_line SET unit_price = 1, gross = 1, discount = 0, total = 1 WHERE id = {LINE};\n"
        "UPDATE billing_bill b SET (gross, discount, total) = (SELECT sum(gross), sum(discount), sum(total)"
        f" FROM billing_line WHERE bill_id = b.id) WHERE id = {PAID_BILL}",
        "issue_posting",
    ),
    "a line is not what its price says": (change("line", "quantity = 2", LINE), "line_sum"),
    "a line is another department's": (
        change("line", f"department_id = (SELECT max(id) FROM scheduling_department WHERE {OF})", LINE),
        "issue_posting",
    ),
    "a credit note takes off more": (
        f"UPDATE billing_creditnote SET amount = amount + 1 WHERE {OF}",
        "credit_note_lines",
    ),
    "a credit note takes off more, with its lines and its bill": (
        f"UPDATE billing_creditnote SET amount = amount + 1 WHERE {OF} AND bill_id = {PAID_BILL};\n"
        "UPDATE billing_creditline SET amount = amount + 1 WHERE id = (SELECT min(c.id) FROM billing_creditline c"
        f" JOIN billing_creditnote n ON n.id = c.note_id WHERE bill_id = {PAID_BILL});\n"
        + change("bill", "credited = credited + 1", PAID_BILL),
        "credit_posting",
    ),
    "more is taken off a line than it has": (
        "UPDATE billing_creditline SET amount = amount + 9000 WHERE id = (SELECT min(c.id) FROM billing_creditline c"
        f" JOIN billing_creditnote n ON n.id = c.note_id WHERE {OF})",
        "line_credited",
    ),
    "a refund is made larger": (change("refund", "amount = amount + 1", GIVEN), "refund_posting"),
    "a refund went onto the account": (
        change("refund", "method = 'account'", GIVEN),
        "refund_posting",
    ),
    "a refund went another way than the money came": (
        change("refund", "method = 'upi'", GIVEN),
        "refund_way",
    ),
    "what was paid out of an account is larger than what came onto it": (
        f"UPDATE billing_refund SET amount = amount + 900 WHERE {OF} AND bill_id IS NULL"
        " AND payment_id IN (SELECT id FROM billing_payment WHERE bill_id IS NOT NULL)",
        "paid_out_twice",
    ),
    "a receipt is lost": (
        f"DELETE FROM billing_receipt WHERE id = {RECEIPT}",
        "number_gap",
    ),
    "a receipt stands for another bill": (
        change("receipt", f"bill_id = {OPEN_BILL}", CARD_RECEIPT),
        "receipt_content",
    ),
    "a receipt says that more was handed over": (
        change("receipt", "tendered = tendered + 1", RECEIPT),
        "receipt_cash",
    ),
    "a receipt says that less was due": (change("receipt", "due_after = due_after + 1", RECEIPT), "receipt_due"),
    "a bill was issued another day": (
        change("bill", "issued_at = issued_at - interval '3 days', created_at = created_at", LAST_BILL),
        "bill_dates",
    ),
    "a shift is left out": (change("shift", "number = number + 1", CLOSED), "shift_sequence"),
    "a number is left out": (
        f"UPDATE billing_counter SET last = last + 1 WHERE {OF} AND kind = 'B' AND year = 2031",
        "number_gap",
    ),
    "a number is beyond its counter": (
        f"UPDATE billing_counter SET last = last - 1 WHERE {OF} AND kind = 'B' AND year = 2031",
        "number_beyond",
    ),
    "a number is of another year": (
        change("bill", "date = date - 365", LAST_BILL),
        "number_beyond",
    ),
    "a number is given twice": (
        f"UPDATE billing_bill SET number = 'B-2030-000001' WHERE {OF} AND number = 'B-2030-000002'",
        "number_twice",
    ),
    "an entry moves to another account with the same sum": (
        "UPDATE billing_ledgerentry SET account_id = (SELECT id FROM billing_ledgeraccount"
        f" WHERE {OF} AND code = 'bank:card') WHERE transaction_id = {POSTED.format(PAID)} AND bill_id IS NULL",
        "drawer_balance",
    ),
    "an entry moves to another bill": (
        f"UPDATE billing_ledgerentry SET bill_id = {OPEN_BILL} WHERE transaction_id = {POSTED.format(BY_CARD)}"
        " AND bill_id IS NOT NULL",
        "bill_due",
    ),
    "two bills change their claims": (
        f"UPDATE billing_ledgerentry SET bill_id = CASE bill_id WHEN {PAID_BILL} THEN {VOID} ELSE {PAID_BILL} END"
        f" WHERE bill_id IN ({PAID_BILL}, {VOID})",
        "issue_posting",
    ),
    "an entry is made twice, and half as large": (
        f"UPDATE billing_ledgerentry SET amount = amount / 2 WHERE transaction_id = {POSTED.format(PAID)};\n"
        "INSERT INTO billing_ledgerentry (transaction_id, account_id, amount, bill_id, patient_id)"
        f" {ENTRIES} WHERE transaction_id = {POSTED.format(PAID)}",
        "entry_doubled",
    ),
    "a posting is doubled": (COPY.format(FIRST, FIRST), "posting_doubled"),
    "a posting stands for nothing": (
        COPY.format(FIRST, FIRST)
        + ";\n"
        + change("ledgertransaction", "payment_id = NULL, bill_id = NULL, kind = 'issue'", LAST),
        "issue_posting",
    ),
    "a posting is of another day": (change("ledgertransaction", "date = date - 1", LAST), "posting_particulars"),
    "an account is called otherwise": (
        f"UPDATE billing_ledgeraccount SET code = 'cash:0' WHERE {OF} AND code = 'bank:card'",
        "account_form",
    ),
    "an entry stands on the account of another facility": (
        "UPDATE billing_ledgerentry SET account_id = (SELECT min(id) FROM billing_ledgeraccount"
        f" WHERE facility_id <> {{facility}} AND kind = 'receivable')"
        f" WHERE transaction_id = {POSTED.format(BY_CARD)} AND bill_id IS NOT NULL",
        "facilities_mixed",
    ),
    "an advance is overdrawn": (
        f"UPDATE billing_ledgerentry SET amount = amount + 90000 WHERE amount > 0 AND account_id = {ADVANCE}",
        "advance_below_zero",
    ),
    "an advance is another patient's": (
        f"UPDATE billing_ledgerentry SET patient_id = (SELECT max(id) FROM patients_patient WHERE {OF} AND id NOT IN"
        f" (SELECT patient_id FROM billing_patientaccount)) WHERE account_id = {ADVANCE} AND amount < -100",
        "advance_of_nobody",
    ),
    "a closed shift counted less": (change("shift", "counted = counted - 1", CLOSED), "close_posting"),
    "a closed shift counted less, and expected less": (
        change("shift", "counted = counted - 1, expected = expected - 1", CLOSED),
        "shift_expected",
    ),
    "a shift counted other notes": (
        f"""UPDATE billing_shift SET counts = '{{"500": 77}}' WHERE id = {CLOSED}""",
        "shift_counted",
    ),
    "cash that was carried away was less": (change("cashmovement", "amount = amount - 1", CARRIED), "movement_posting"),
    "cash that was carried away was less, with its posting": (
        change("cashmovement", "amount = amount - 1", CARRIED)
        + f";\nUPDATE billing_ledgerentry SET amount = amount - sign(amount) WHERE transaction_id = {MOVED}",
        "shift_expected",
    ),
    "cash that was carried to the safe was spent": (
        change("cashmovement", "kind = 'paid_out', reason = 'tea'", CARRIED),
        "movement_posting",
    ),
    "cash was carried out of another drawer": (
        change("cashmovement", f"shift_id = (SELECT max(id) FROM billing_shift WHERE {OF})", SPENT),
        "drawer_balance",
    ),
    "cash was carried away on another day": (change("cashmovement", "date = date - 1", SPENT), "posting_particulars"),
    "cash was carried away after the close": (
        change("cashmovement", "at = at + interval '1 day'", CARRIED),
        "moved_after_close",
    ),
    "cash that was carried away is forgotten": (
        f"DELETE FROM billing_cashmovement WHERE id = {CARRIED}",
        "movement_posting",
    ),
    "cash that was carried away is forgotten with its posting": (
        f"DELETE FROM billing_ledgerentry WHERE transaction_id = {MOVED};\n"
        f"DELETE FROM billing_ledgertransaction WHERE id = {MOVED};\n"
        f"DELETE FROM billing_cashmovement WHERE id = {CARRIED}",
        "number_gap",
    ),
    "cash that was carried away has no posting": (
        f"DELETE FROM billing_ledgerentry WHERE transaction_id = {MOVED};\n"
        f"DELETE FROM billing_ledgertransaction WHERE id = {MOVED}",
        "movement_posting",
    ),
    "what was posted of cash that was carried away is doubled": (COPY.format(MOVED, MOVED), "posting_doubled"),
    "more was carried away than was there, in all that is written": (
        change("cashmovement", "amount = amount + 90000", SPENT)
        + ";\nUPDATE billing_ledgerentry SET amount = amount + sign(amount) * 90000 WHERE transaction_id ="
        f" (SELECT id FROM billing_ledgertransaction WHERE movement_id = {SPENT})",
        "drawer_below_zero",
    ),
    "more petty cash was brought back than was spent, in all that is written": (
        change("cashmovement", "amount = amount + 90", BROUGHT)
        + ";\nUPDATE billing_ledgerentry SET amount = amount + sign(amount) * 90 WHERE transaction_id ="
        f" (SELECT id FROM billing_ledgertransaction WHERE movement_id = {BROUGHT})",
        "petty_below_zero",
    ),
    "a shift began with less": (change("shift", "float_amount = float_amount - 1", CLOSED), "float_posting"),
    "a closed shift is open again": (
        change("shift", "closed_at = NULL, counted = NULL, expected = NULL", CLOSED),
        "close_posting",
    ),
}
"""What is done, and the code under which it is found (others may find it too)."""
