"""Do bills, lines, credit notes, payments, refunds and receipts agree with each other, and with the balances?"""

from typing import Final

from django.utils.translation import gettext_noop as _

from billing.proof.checks import Check

DOCUMENTS: Final = (
    Check(
        "line_sum",
        _("A line is not quantity by price, less its discount, with its tax."),
        """SELECT 'line', id, description, right_total, total FROM (
            SELECT l.*, round(quantity * unit_price, 2) AS right_gross,
                CASE WHEN tax_included THEN round((l.gross - l.discount) * tax_percent / (100 + tax_percent), 2)
                     ELSE round((l.gross - l.discount) * tax_percent / 100, 2) END AS right_tax,
                l.gross - l.discount + CASE WHEN tax_included THEN 0 ELSE l.tax END AS right_total
            FROM billing_line l JOIN billing_bill b ON b.id = l.bill_id WHERE b.facility_id = %(facility)s) AS reckoned
        WHERE gross <> right_gross OR tax <> right_tax OR total <> right_total""",
    ),
    Check(
        "bill_total",
        _("A bill is not the sum of its lines."),
        """SELECT 'bill', b.id, coalesce(b.number, ''), coalesce(sum(l.total), 0), b.total
        FROM billing_bill b LEFT JOIN billing_line l ON l.bill_id = b.id WHERE b.facility_id = %(facility)s
        GROUP BY b.id HAVING (b.gross, b.discount, b.tax, b.total) IS DISTINCT FROM (coalesce(sum(l.gross), 0),
            coalesce(sum(l.discount), 0), coalesce(sum(l.tax), 0), coalesce(sum(l.total), 0))""",
    ),
    Check(
        "bill_paid",
        _("What a bill says was paid is not its payments less its refunds."),
        """SELECT 'bill', b.id, coalesce(b.number, ''), coalesce(p.paid, 0) - coalesce(r.refunded, 0), b.paid
        FROM billing_bill b
        LEFT JOIN (SELECT bill_id, sum(amount) AS paid FROM billing_payment GROUP BY 1) p ON p.bill_id = b.id
        LEFT JOIN (SELECT bill_id, sum(amount) AS refunded FROM billing_refund GROUP BY 1) r ON r.bill_id = b.id
        WHERE b.facility_id = %(facility)s AND b.paid <> coalesce(p.paid, 0) - coalesce(r.refunded, 0)""",
    ),
    Check(
        "bill_credited",
        _("What a bill says was credited is not the sum of its credit notes."),
        """SELECT 'bill', b.id, coalesce(b.number, ''), coalesce(sum(n.amount), 0), b.credited
        FROM billing_bill b LEFT JOIN billing_creditnote n ON n.bill_id = b.id WHERE b.facility_id = %(facility)s
        GROUP BY b.id HAVING b.credited <> coalesce(sum(n.amount), 0)""",
    ),
    Check(
        "bill_due",
        _("What is due on a bill is not what the ledger has on it."),
        """SELECT 'bill', b.id, coalesce(b.number, ''),
            CASE WHEN b.status IN ('draft', 'void') THEN 0 ELSE b.due END, coalesce(sum(e.amount), 0)
        FROM billing_bill b LEFT JOIN (billing_ledgerentry e
            JOIN billing_ledgeraccount a ON a.id = e.account_id AND a.kind = 'receivable') ON e.bill_id = b.id
        WHERE b.facility_id = %(facility)s GROUP BY b.id
        HAVING coalesce(sum(e.amount), 0) <> CASE WHEN b.status IN ('draft', 'void') THEN 0 ELSE b.due END""",
    ),
    Check(
        "bill_status",
        _("The state of a bill does not follow from its amounts."),
        """SELECT 'bill', b.id, coalesce(b.number, ''), NULL::numeric, NULL::numeric FROM billing_bill b
        WHERE b.facility_id = %(facility)s AND b.status IS DISTINCT FROM CASE
            WHEN b.voided_at IS NOT NULL THEN 'void' WHEN b.issued_at IS NULL THEN 'draft'
            WHEN b.total - b.credited - b.paid <= 0 THEN 'paid' WHEN b.paid > 0 THEN 'part_paid' ELSE 'open' END""",
    ),
    Check(
        "credit_note_lines",
        _("A credit note is not the sum of what its lines bear."),
        """SELECT 'credit_note', n.id, n.number, coalesce(sum(c.amount), 0), n.amount
        FROM billing_creditnote n LEFT JOIN billing_creditline c ON c.note_id = n.id
        WHERE n.facility_id = %(facility)s GROUP BY n.id
        HAVING (n.amount, n.tax) IS DISTINCT FROM (coalesce(sum(c.amount), 0), coalesce(sum(c.tax), 0))""",
    ),
    Check(
        "line_credited",
        _("More was taken off a line than it adds to the bill, or more or less tax than goes with it."),
        """SELECT 'line', l.id, l.description, l.total, sum(c.amount)
        FROM billing_creditnote n JOIN billing_creditline c ON c.note_id = n.id JOIN billing_line l ON l.id = c.line_id
        WHERE n.facility_id = %(facility)s GROUP BY l.id
        HAVING sum(c.amount) > l.total OR bool_or(l.bill_id <> n.bill_id)
            OR sum(c.tax) <> round(l.tax * sum(c.amount) / nullif(l.total, 0), 2)""",
    ),
    Check(
        "payment_refunded",
        _("What a payment says was given back is not the sum of its refunds, or is more than was paid."),
        """SELECT 'payment', p.id, p.method, coalesce(sum(r.amount), 0), p.refunded
        FROM billing_payment p LEFT JOIN billing_refund r
            ON r.payment_id = p.id AND r.bill_id IS NOT DISTINCT FROM p.bill_id
        WHERE p.facility_id = %(facility)s GROUP BY p.id
        HAVING p.refunded <> coalesce(sum(r.amount), 0) OR p.refunded > p.amount""",
    ),
    Check(
        "paid_out_twice",
        _("More was paid out of a patient's account than a payment brought onto it when it was given back."),
        """SELECT 'payment', p.id, p.method, coalesce(sum(r.amount) FILTER (WHERE r.method = 'account'), 0),
            sum(r.amount) FILTER (WHERE r.bill_id IS NULL)
        FROM billing_payment p JOIN billing_refund r ON r.payment_id = p.id
        WHERE p.facility_id = %(facility)s AND p.bill_id IS NOT NULL GROUP BY p.id
        HAVING sum(r.amount) FILTER (WHERE r.bill_id IS NULL)
             > coalesce(sum(r.amount) FILTER (WHERE r.method = 'account'), 0)""",
    ),
    Check(
        "refund_way",
        _("A refund is of another bill, or went another way, than its payment."),
        """SELECT 'refund', r.id, r.method, NULL::numeric, NULL::numeric
        FROM billing_refund r JOIN billing_payment p ON p.id = r.payment_id
        WHERE r.facility_id = %(facility)s AND (r.bill_id <> p.bill_id OR (r.bill_id IS NOT NULL AND p.bill_id IS NULL)
            OR r.facility_id <> p.facility_id
            OR r.method NOT IN (p.method, 'account') OR (r.bill_id IS NULL AND r.method = 'account'))""",
    ),
    Check(
        "receipt_content",
        _("A receipt stands for nothing, or for payments of another bill, shift, moment or kind."),
        """SELECT 'receipt', r.id, r.number, NULL::numeric, NULL::numeric
        FROM billing_receipt r LEFT JOIN (
            SELECT p.receipt_id, 'payment' AS kind, CASE WHEN p.rest_of_id IS NULL THEN p.bill_id ELSE main.bill_id END
                AS bill_id, p.shift_id, p.facility_id, p.at
            FROM billing_payment p LEFT JOIN billing_payment main ON main.id = p.rest_of_id
            UNION ALL SELECT receipt_id, 'refund', bill_id, shift_id, facility_id, at
            FROM billing_refund) AS each ON each.receipt_id = r.id
        WHERE r.facility_id = %(facility)s GROUP BY r.id
        HAVING bool_or((each.kind, each.facility_id) IS DISTINCT FROM (r.kind::text, r.facility_id)
            OR each.shift_id IS DISTINCT FROM r.shift_id OR each.bill_id <> r.bill_id OR each.at <> r.at
            OR (each.bill_id IS NULL) <> (r.bill_id IS NULL) AND (each.kind = 'refund' OR r.bill_id IS NULL))""",
    ),
    Check(
        "patient_mixed",
        _("A bill, its receipts and its payments are not of the same patient."),
        """SELECT each.kind, each.id, one.number, NULL::numeric, NULL::numeric FROM (
            SELECT 'payment' AS kind, p.id, p.facility_id, p.patient_id, r.patient_id AS other_id
            FROM billing_payment p JOIN billing_receipt r ON r.id = p.receipt_id
            UNION ALL SELECT 'refund', g.id, g.facility_id, p.patient_id, r.patient_id
            FROM billing_refund g JOIN billing_receipt r ON r.id = g.receipt_id
            JOIN billing_payment p ON p.id = g.payment_id
            UNION ALL SELECT 'receipt', r.id, r.facility_id, r.patient_id, b.patient_id
            FROM billing_receipt r JOIN billing_bill b ON b.id = r.bill_id) AS each
        JOIN patients_patient one ON one.id = each.patient_id JOIN patients_patient other ON other.id = each.other_id
        WHERE each.facility_id = %(facility)s
          AND coalesce(one.merged_into_id, one.id) <> coalesce(other.merged_into_id, other.id)""",
    ),
    Check(
        "receipt_cash",
        _("What was handed over less the change is not the cash of the receipt."),
        """SELECT 'receipt', r.id, r.number, coalesce(sum(p.amount), 0), r.tendered - r.change
        FROM billing_receipt r LEFT JOIN billing_payment p ON p.receipt_id = r.id AND p.method = 'cash'
        WHERE r.facility_id = %(facility)s GROUP BY r.id HAVING r.tendered - r.change <> coalesce(sum(p.amount), 0)""",
    ),
    Check(
        "advance_below_zero",
        _("A patient's account holds less than nothing."),
        """SELECT 'patient', head.id, head.number, 0::numeric, -sum(e.amount)
        FROM billing_ledgerentry e JOIN billing_ledgeraccount a ON a.id = e.account_id AND a.kind = 'advance'
        JOIN patients_patient p ON p.id = e.patient_id JOIN patients_patient head
            ON head.id = coalesce(p.merged_into_id, p.id)
        WHERE a.facility_id = %(facility)s GROUP BY head.id HAVING sum(e.amount) > 0""",
    ),
    Check(
        "advance_of_nobody",
        _("An advance is not on the account of a patient."),
        """SELECT 'entry', e.id, a.code, NULL::numeric, NULL::numeric
        FROM billing_ledgerentry e JOIN billing_ledgeraccount a ON a.id = e.account_id AND a.kind = 'advance'
        WHERE a.facility_id = %(facility)s AND NOT EXISTS (
            SELECT FROM billing_patientaccount k JOIN patients_patient p ON p.id = k.patient_id
            JOIN patients_patient own ON own.id = e.patient_id
            WHERE coalesce(p.merged_into_id, p.id) = coalesce(own.merged_into_id, own.id))""",
    ),
)
