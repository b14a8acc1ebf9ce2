"""Does each drawer hold what went through its shifts?"""

from typing import Final

from django.utils.translation import gettext_noop as _

from billing.proof.checks import Check

# What a shift's drawer must hold: float and cash taken less cash given back, and what was carried in and out, in it.
_SHOULD: Final = """s.float_amount
    + coalesce((SELECT sum(p.amount) FROM billing_payment p WHERE p.shift_id = s.id AND p.method = 'cash'), 0)
    - coalesce((SELECT sum(r.amount) FROM billing_refund r WHERE r.shift_id = s.id AND r.method = 'cash'), 0)
    + coalesce((SELECT sum(CASE WHEN m.kind IN ('from_safe', 'came_back') THEN m.amount ELSE -m.amount END)
        FROM billing_cashmovement m WHERE m.shift_id = s.id), 0)"""

DRAWERS: Final = (
    Check(
        "shift_expected",
        _("What was expected at the close of a shift is not what went through its drawer."),
        f"""SELECT 'shift', s.id, s.date || ' ' || s.number, {_SHOULD}, s.expected FROM billing_shift s
        WHERE s.facility_id = %(facility)s AND s.closed_at IS NOT NULL AND s.expected <> {_SHOULD}""",  # noqa: S608
    ),
    Check(
        "drawer_balance",
        _("The ledger has another amount in a drawer than its open shift; none where it has no open shift."),
        f"""SELECT 'drawer', d.id, d.name, should.amount, coalesce(has.amount, 0) FROM billing_drawer d
        LEFT JOIN (SELECT a.code, sum(e.amount) AS amount FROM billing_ledgeraccount a
            JOIN billing_ledgerentry e ON e.account_id = a.id
            WHERE a.facility_id = %(facility)s AND a.kind = 'cash' GROUP BY 1) AS has ON has.code = 'cash:' || d.id
        CROSS JOIN LATERAL (SELECT coalesce(sum({_SHOULD}), 0) AS amount FROM billing_shift s
            WHERE s.drawer_id = d.id AND s.closed_at IS NULL) AS should
        WHERE d.facility_id = %(facility)s AND should.amount <> coalesce(has.amount, 0)""",  # noqa: S608
    ),
    Check(
        "drawer_below_zero",
        _("More went out of a drawer in a shift than it held."),
        # What a closed shift expected is compared with what went through its drawer above.
        f"""SELECT 'shift', s.id, s.date || ' ' || s.number, 0::numeric, held.amount FROM billing_shift s
        CROSS JOIN LATERAL (SELECT coalesce(s.expected, {_SHOULD}) AS amount) AS held
        WHERE s.facility_id = %(facility)s AND held.amount < 0""",  # noqa: S608
    ),
    Check(
        "petty_below_zero",
        _("More petty cash was brought back than was spent."),
        """SELECT 'account', a.id, a.code, 0::numeric, sum(e.amount) FROM billing_ledgeraccount a
        JOIN billing_ledgerentry e ON e.account_id = a.id WHERE a.facility_id = %(facility)s AND a.kind = 'petty'
        GROUP BY a.id HAVING sum(e.amount) < 0""",
    ),
    Check(
        "moved_after_close",
        _("Money moved in a shift after its close, or in a shift of another facility."),
        """SELECT moved.kind, moved.id, s.date || ' ' || s.number, 0::numeric, moved.amount FROM (
            SELECT 'payment' AS kind, id, facility_id, shift_id, amount, at FROM billing_payment
            UNION ALL SELECT 'refund', id, facility_id, shift_id, amount, at FROM billing_refund
            UNION ALL SELECT 'movement', id, facility_id, shift_id, amount, at FROM billing_cashmovement) AS moved
        JOIN billing_shift s ON s.id = moved.shift_id
        WHERE moved.facility_id = %(facility)s AND (moved.at > s.closed_at OR s.facility_id <> moved.facility_id)""",
    ),
    Check(
        "cash_without_shift",
        _("Cash moved in no shift."),
        """SELECT moved.kind, moved.id, '', 0::numeric, moved.amount FROM (
            SELECT 'payment' AS kind, id, facility_id, shift_id, amount, method FROM billing_payment
            UNION ALL SELECT 'refund', id, facility_id, shift_id, amount, method FROM billing_refund) AS moved
        WHERE moved.facility_id = %(facility)s AND moved.method = 'cash' AND moved.shift_id IS NULL""",
    ),
    Check(
        "refund_without_shift",
        _("Money was given back out of no shift."),
        # Before the migration that brought the rule it was cash alone that needed one.
        """SELECT 'refund', r.id, r.method, 0::numeric, r.amount FROM billing_refund r
        WHERE r.facility_id = %(facility)s AND r.shift_id IS NULL AND (r.by_id IS NOT NULL OR r.method <> 'account')
          AND r.at >= coalesce((SELECT applied FROM django_migrations
            WHERE (app, name) = ('billing', '0007_refunds_in_a_shift')), '-infinity')""",
    ),
    Check(
        "shift_counted",
        _("What a shift counted is not what its notes and coins come to."),
        """SELECT 'shift', s.id, s.date || ' ' || s.number, sum(note.key::numeric * note.value::numeric), s.counted
        FROM billing_shift s CROSS JOIN LATERAL jsonb_each_text(s.counts) AS note
        WHERE s.facility_id = %(facility)s AND s.closed_at IS NOT NULL
        GROUP BY s.id HAVING s.counted <> sum(note.key::numeric * note.value::numeric)""",
    ),
    Check(
        "shift_sequence",
        _("The shifts of a day are not numbered one after another, or one was handed a drawer that was not given up."),
        """SELECT 'shift', s.id, s.date || ' ' || s.number, s.should::numeric, s.number::numeric
        FROM (SELECT *, row_number() OVER (PARTITION BY date ORDER BY number) AS should
            FROM billing_shift WHERE facility_id = %(facility)s) AS s
        LEFT JOIN billing_shift before ON before.id = s.after_id
        WHERE s.number <> s.should OR before.drawer_id <> s.drawer_id
           OR (s.after_id IS NOT NULL AND before.closed_at IS DISTINCT FROM s.opened_at)""",
    ),
)
