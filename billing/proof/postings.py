"""Does the ledger have what the documents say, and nothing else?"""

from typing import Final

from django.utils.translation import gettext_noop as _

from billing.proof.checks import Check

# What a document must have posted: (document, account, bill, patient, amount), in the signs of `billing.ledger`.
_ISSUED: Final = """
    SELECT {doc}, 'receivable', b.id, NULL::bigint, {sign} b.total
    FROM billing_bill b WHERE b.facility_id = %(facility)s AND {which}
    UNION ALL SELECT {doc}, part.code, NULL, NULL, {sign} part.amount
    FROM billing_bill b JOIN billing_line l ON l.bill_id = b.id CROSS JOIN LATERAL (VALUES
        ('discount' || coalesce(':' || l.department_id, ''), l.discount),
        ('revenue' || coalesce(':' || l.department_id, ''), -(l.total - l.tax + l.discount)),
        ('tax', -l.tax)) AS part (code, amount)
    WHERE b.facility_id = %(facility)s AND {which}
"""
_CREDITED: Final = """
    SELECT {doc}, 'receivable', n.bill_id, NULL::bigint, {sign} -n.amount
    FROM billing_creditnote n JOIN billing_bill b ON b.id = n.bill_id
    WHERE n.facility_id = %(facility)s AND {which}
    UNION ALL SELECT {doc}, part.code, NULL, NULL, {sign} part.amount
    FROM billing_creditnote n JOIN billing_bill b ON b.id = n.bill_id
    JOIN billing_creditline c ON c.note_id = n.id JOIN billing_line l ON l.id = c.line_id CROSS JOIN LATERAL (VALUES
        ('refund' || coalesce(':' || l.department_id, ''), c.amount - c.tax), ('tax', c.tax)) AS part (code, amount)
    WHERE n.facility_id = %(facility)s AND {which}
"""
_WAY: Final = """CASE {row}.method WHEN 'account' THEN 'advance'
    WHEN 'cash' THEN 'cash:' || s.drawer_id ELSE 'bank:' || {row}.method END"""
_CLAIM: Final = "CASE WHEN {row}.bill_id IS NULL THEN 'advance' ELSE 'receivable' END"

EXPECTED: Final = {
    "issue": _ISSUED.format(doc="b.id", sign="", which="b.issued_at IS NOT NULL"),
    "credit": _CREDITED.format(doc="n.id", sign="", which="TRUE"),
    "void": _ISSUED.format(doc="b.id", sign="-", which="b.status = 'void' AND b.issued_at IS NOT NULL")
    + " UNION ALL "
    + _CREDITED.format(doc="b.id", sign="-", which="b.status = 'void'"),
    "payment": f"""
    SELECT p.id, {_WAY.format(row="p")}, NULL::bigint, CASE p.method WHEN 'account' THEN p.patient_id END, p.amount
    FROM billing_payment p LEFT JOIN billing_shift s ON s.id = p.shift_id WHERE p.facility_id = %(facility)s
    UNION ALL SELECT p.id, {_CLAIM.format(row="p")}, p.bill_id, CASE WHEN p.bill_id IS NULL THEN p.patient_id END,
        -p.amount
    FROM billing_payment p WHERE p.facility_id = %(facility)s""",  # noqa: S608
    "refund": f"""
    SELECT r.id, {_WAY.format(row="r")}, NULL::bigint, CASE r.method WHEN 'account' THEN p.patient_id END, -r.amount
    FROM billing_refund r JOIN billing_payment p ON p.id = r.payment_id LEFT JOIN billing_shift s ON s.id = r.shift_id
    WHERE r.facility_id = %(facility)s
    UNION ALL SELECT r.id, {_CLAIM.format(row="r")}, r.bill_id, CASE WHEN r.bill_id IS NULL THEN p.patient_id END,
        r.amount
    FROM billing_refund r JOIN billing_payment p ON p.id = r.payment_id
    WHERE r.facility_id = %(facility)s""",  # noqa: S608
    "float": """
    SELECT s.id, part.code, NULL::bigint, NULL::bigint, part.amount
    FROM billing_shift s CROSS JOIN LATERAL (VALUES ('cash:' || s.drawer_id, s.float_amount), ('safe', -s.float_amount))
        AS part (code, amount) WHERE s.facility_id = %(facility)s""",
    "movement": """
    SELECT m.id, part.code, NULL::bigint, NULL::bigint, part.amount
    FROM billing_cashmovement m JOIN billing_shift s ON s.id = m.shift_id
    CROSS JOIN LATERAL (SELECT CASE WHEN m.kind IN ('from_safe', 'came_back') THEN m.amount ELSE -m.amount END) AS way
        (added)
    CROSS JOIN LATERAL (VALUES ('cash:' || s.drawer_id, way.added),
        (CASE WHEN m.kind IN ('paid_out', 'came_back') THEN 'petty' ELSE 'safe' END, -way.added)) AS part (code, amount)
    WHERE m.facility_id = %(facility)s""",
    "close": """
    SELECT s.id, part.code, NULL::bigint, NULL::bigint, part.amount
    FROM billing_shift s CROSS JOIN LATERAL (VALUES ('safe', s.counted), ('cash:' || s.drawer_id, -s.expected),
        ('difference', s.expected - s.counted)) AS part (code, amount)
    WHERE s.facility_id = %(facility)s AND s.closed_at IS NOT NULL""",
}

_REFERENCE: Final = {
    "issue": "bill", "void": "bill", "credit": "credit_note", "payment": "payment", "refund": "refund",
    "float": "shift", "movement": "movement", "close": "shift",
}  # fmt: skip

_POSTED: Final = """
SELECT '{reference}', doc, code, sum(expected), sum(found) FROM (
    SELECT doc, code, bill_id, patient_id, amount AS expected, 0 AS found
    FROM ({expected}) AS due (doc, code, bill_id, patient_id, amount)
    UNION ALL
    SELECT t.{reference}_id, a.code, e.bill_id, e.patient_id, 0, e.amount
    FROM billing_ledgertransaction t JOIN billing_ledgerentry e ON e.transaction_id = t.id
    JOIN billing_ledgeraccount a ON a.id = e.account_id
    WHERE t.facility_id = %(facility)s AND t.kind = '{kind}'
) AS each GROUP BY doc, code, bill_id, patient_id HAVING sum(expected) <> sum(found)
"""

_SAYS: Final = {
    "issue": _("What the issue of a bill posted is not what its lines say."),
    "credit": _("What a credit note posted is not what it takes off."),
    "void": _("A void bill was not posted back, or one that is not void was."),
    "payment": _("What a payment posted is not what was paid."),
    "refund": _("What a refund posted is not what was given back."),
    "float": _("What the start of a shift posted is not its float."),
    "movement": _("What was posted of cash that was moved in a shift is not what was moved."),
    "close": _("What the close of a shift posted is not what was expected and counted."),
}

_DOCUMENT: Final = """CASE t.kind WHEN 'payment' THEN t.payment_id WHEN 'refund' THEN t.refund_id
    WHEN 'credit' THEN t.credit_note_id WHEN 'movement' THEN t.movement_id WHEN 'float' THEN t.shift_id
    WHEN 'close' THEN t.shift_id ELSE t.bill_id END"""

POSTINGS: Final = (
    *(
        Check(f"{kind}_posting", _SAYS[kind], _POSTED.format(kind=kind, reference=_REFERENCE[kind], expected=expected))
        for kind, expected in EXPECTED.items()
    ),
    Check(
        "transaction_sum",
        _("The entries of a transaction do not sum to zero."),
        """SELECT 'transaction', t.id, t.kind, 0::numeric, sum(e.amount)
        FROM billing_ledgertransaction t JOIN billing_ledgerentry e ON e.transaction_id = t.id
        WHERE t.facility_id = %(facility)s GROUP BY t.id HAVING sum(e.amount) <> 0""",
    ),
    Check(
        "transaction_empty",
        _("A transaction has no entries, or one alone."),
        """SELECT 'transaction', t.id, t.kind, NULL::numeric, NULL::numeric
        FROM billing_ledgertransaction t LEFT JOIN billing_ledgerentry e ON e.transaction_id = t.id
        WHERE t.facility_id = %(facility)s GROUP BY t.id HAVING count(e.id) < 2""",
    ),
    Check(
        "posting_doubled",
        _("The same was posted twice."),
        f"""SELECT t.kind, {_DOCUMENT}, t.kind, 1::numeric, count(*)::numeric
        FROM billing_ledgertransaction t WHERE t.facility_id = %(facility)s
        GROUP BY t.kind, {_DOCUMENT} HAVING count(*) > 1""",  # noqa: S608
    ),
    Check(
        "entry_doubled",
        _("A transaction has several entries on the same account for the same bill and patient."),
        """SELECT 'transaction', t.id, t.kind, NULL::numeric, NULL::numeric
        FROM billing_ledgertransaction t JOIN billing_ledgerentry e ON e.transaction_id = t.id
        WHERE t.facility_id = %(facility)s GROUP BY t.id, e.account_id, e.bill_id, e.patient_id HAVING count(*) > 1""",
    ),
    Check(
        "posting_particulars",
        _("A transaction has another date, bill or shift than what it stands for."),
        """SELECT 'transaction', t.id, t.kind, NULL::numeric, NULL::numeric
        FROM billing_ledgertransaction t
        LEFT JOIN billing_bill b ON b.id = t.bill_id AND t.kind IN ('issue', 'void')
        LEFT JOIN billing_creditnote n ON n.id = t.credit_note_id AND t.kind = 'credit'
        LEFT JOIN billing_payment p ON p.id = t.payment_id AND t.kind = 'payment'
        LEFT JOIN billing_refund r ON r.id = t.refund_id AND t.kind = 'refund'
        LEFT JOIN billing_cashmovement m ON m.id = t.movement_id AND t.kind = 'movement'
        LEFT JOIN billing_shift s ON s.id = t.shift_id AND t.kind IN ('float', 'close')
        WHERE t.facility_id = %(facility)s AND NOT coalesce(CASE t.kind
            WHEN 'issue' THEN t.date = b.date AND t.at = b.issued_at
            WHEN 'void' THEN t.at = b.voided_at AND abs(t.date - b.voided_at::date) <= 1
            WHEN 'credit' THEN (t.date, t.at, t.bill_id) = (n.date, n.at, n.bill_id)
            WHEN 'payment' THEN (t.date, t.at) = (p.date, p.at)
                AND (t.bill_id, t.shift_id) IS NOT DISTINCT FROM (p.bill_id, p.shift_id)
            WHEN 'refund' THEN (t.date, t.at) = (r.date, r.at)
                AND (t.bill_id, t.shift_id) IS NOT DISTINCT FROM (r.bill_id, r.shift_id)
            WHEN 'float' THEN (t.date, t.at) = (s.date, s.opened_at)
            WHEN 'movement' THEN (t.date, t.at, t.shift_id) = (m.date, m.at, m.shift_id) AND t.bill_id IS NULL
            WHEN 'close' THEN t.at = s.closed_at AND abs(t.date - s.closed_at::date) <= 1
            END, FALSE)""",
    ),
    Check(
        "account_form",
        _("An account of the ledger is not what its code says."),
        """SELECT 'account', a.id, a.code, NULL::numeric, NULL::numeric
        FROM billing_ledgeraccount a WHERE a.facility_id = %(facility)s AND a.code IS DISTINCT FROM CASE
            WHEN a.kind IN ('revenue', 'discount', 'refund') THEN a.kind || coalesce(':' || a.department_id, '')
            WHEN a.kind = 'cash' THEN 'cash:' || a.drawer_id
            WHEN a.kind = 'bank' THEN 'bank:' || split_part(a.code, ':', 2) ELSE a.kind END""",
    ),
    Check(
        "facilities_mixed",
        _("An entry stands in a transaction, or on a bill or patient, of another facility than its account."),
        """SELECT 'entry', e.id, a.code, NULL::numeric, NULL::numeric
        FROM billing_ledgerentry e JOIN billing_ledgertransaction t ON t.id = e.transaction_id
        JOIN billing_ledgeraccount a ON a.id = e.account_id LEFT JOIN billing_bill b ON b.id = e.bill_id
        LEFT JOIN patients_patient p ON p.id = e.patient_id
        WHERE (t.facility_id = %(facility)s OR a.facility_id = %(facility)s)
          AND (a.facility_id <> t.facility_id OR b.facility_id <> t.facility_id OR p.facility_id <> t.facility_id)""",
    ),
)
