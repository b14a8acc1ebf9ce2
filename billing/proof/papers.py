"""Do receipts say what was due then, and are bills of the days of their moments?"""

from typing import Final

from django.utils.translation import gettext_noop as _

from billing.proof.checks import Check

PAPERS: Final = (
    Check(
        "receipt_due",
        _("What a receipt says was still due is not what the bill asked for then."),
        # A moment is taken before the bill's lock is waited for, so a credit note of about the same time may stand
        # before or after the receipt.
        """SELECT 'receipt', receipt.id, receipt.number, receipt.total - receipt.paid - credited.least,
            receipt.due_after
        FROM (
            SELECT r.id, r.number, r.at, r.due_after, r.bill_id, b.total,
                sum(coalesce(moved.amount, 0)) OVER (PARTITION BY r.bill_id ORDER BY r.id) AS paid
            FROM billing_receipt r JOIN billing_bill b ON b.id = r.bill_id LEFT JOIN (
                SELECT receipt_id, sum(amount) AS amount FROM (
                    SELECT receipt_id, amount FROM billing_payment WHERE bill_id IS NOT NULL
                    UNION ALL SELECT receipt_id, -amount FROM billing_refund WHERE bill_id IS NOT NULL) AS each
                GROUP BY 1) AS moved ON moved.receipt_id = r.id
            WHERE r.facility_id = %(facility)s) AS receipt
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(n.amount) FILTER (WHERE n.at < receipt.at - interval '10 seconds'), 0) AS least,
                   coalesce(sum(n.amount) FILTER (WHERE n.at <= receipt.at + interval '10 seconds'), 0) AS most
            FROM billing_creditnote n WHERE n.bill_id = receipt.bill_id) AS credited
        WHERE receipt.due_after NOT BETWEEN receipt.total - receipt.paid - credited.most
                                        AND receipt.total - receipt.paid - credited.least""",
    ),
    Check(
        "bill_dates",
        _("A bill's date is not that of the moment of its issue, or it was void before."),
        """SELECT 'bill', b.id, b.number, NULL::numeric, NULL::numeric FROM billing_bill b
        WHERE b.facility_id = %(facility)s AND b.issued_at IS NOT NULL
          AND (abs(b.date - b.issued_at::date) > 1 OR b.voided_at < b.issued_at - interval '10 seconds')""",
    ),
)
