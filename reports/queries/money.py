"""Money that moved in the period: by method and cashier, by department and doctor, shift by shift, and why."""

from collections.abc import Iterable, Sequence
from typing import Any

from reports.queries.people import PERSON, told_apart
from reports.queries.scope import Scope, ask
from reports.records import NO_MONEY, Reason, Share, ShiftLine, Taken, Takings

ACCOUNT = "account"
"""The patient's own account: what is paid out of it came in before, what goes onto it has not left."""

_TAKINGS = f"""
WITH moved AS (
    SELECT p.date, p.by_id, p.method, p.bill_id IS NULL AS advance, 1 AS payments, p.amount AS paid, 0 AS refunds,
           0 AS given
      FROM billing_payment p WHERE p.facility_id = %(facility)s AND p.date BETWEEN %(first)s AND %(last)s
     UNION ALL
    SELECT r.date, r.by_id, r.method, r.bill_id IS NULL, 0, 0, 1, r.amount
      FROM billing_refund r WHERE r.facility_id = %(facility)s AND r.date BETWEEN %(first)s AND %(last)s)
SELECT {PERSON}, m.date, m.method, m.advance, sum(m.payments), sum(m.paid), sum(m.refunds), sum(m.given)
  FROM moved m LEFT JOIN accounts_user u ON u.id = m.by_id GROUP BY 1, 2, 3, 4, 5, 6"""  # noqa: S608 - our own words


def takings(scope: Scope) -> Takings:
    """Payments and refunds of the whole house by cashier and method, and by date. One query."""
    found = Takings({}, {}, NO_MONEY.net)
    to_accounts = NO_MONEY.net
    rows = ask(scope, _TAKINGS)
    names = _names(rows)
    for by, _name, _username, date, method, advance, *numbers in rows:
        taken, who = Taken(*numbers), names[by]
        if method == ACCOUNT:
            to_accounts -= taken.net
            continue
        to_accounts += taken.net if advance else NO_MONEY.net
        found.moved[who, method] = found.moved.get((who, method), NO_MONEY) + taken
        found.by_date[date] = found.by_date.get(date, NO_MONEY) + taken
    return Takings(found.moved, found.by_date, to_accounts)


def _names(rows: Iterable[Sequence[Any]]) -> dict[int | None, str]:
    """What those are called who begin the rows; nothing where it was the clinic itself."""
    return told_apart((row[0], row[1], row[2]) for row in rows)


# Each bill on which money moved is looked at twice: at its last movement before the period and at its last one in it.
# Each time what is paid by then stands for its lines: first for what the lines still ask for, then, as far as more is
# paid, for what credit notes have taken off and nobody has given back yet; each by largest remainder, to the cent.
# The difference is what the period took for each line; over periods it adds up, and a line is never paid twice.
_SHARES = """
WITH touched AS (
    SELECT bill_id FROM billing_payment
     WHERE facility_id = %(facility)s AND date BETWEEN %(first)s AND %(last)s AND bill_id IS NOT NULL
     UNION
    SELECT bill_id FROM billing_refund
     WHERE facility_id = %(facility)s AND date BETWEEN %(first)s AND %(last)s AND bill_id IS NOT NULL),
moves AS (
    SELECT p.bill_id, p.date, p.amount FROM touched JOIN billing_payment p USING (bill_id) WHERE p.date <= %(last)s
     UNION ALL
    SELECT r.bill_id, r.date, -r.amount FROM touched JOIN billing_refund r USING (bill_id) WHERE r.date <= %(last)s),
looks AS (
    SELECT bill_id, 1 AS sign, max(date) AS upto, sum(amount) AS paid FROM moves GROUP BY bill_id
     UNION ALL
    SELECT bill_id, -1, max(date), sum(amount) FROM moves WHERE date < %(first)s GROUP BY bill_id),
credited AS (
    SELECT k.bill_id, k.sign, c.line_id, sum(c.amount) AS amount
      FROM looks k JOIN billing_creditnote n ON n.bill_id = k.bill_id AND n.date <= k.upto
      JOIN billing_creditline c ON c.note_id = n.id GROUP BY 1, 2, 3),
asked AS (
    SELECT k.bill_id, k.sign, k.paid, l.position, l.department_id, l.doctor_id,
           l.total - coalesce(c.amount, 0) AS net, coalesce(c.amount, 0) AS off
      FROM looks k JOIN billing_line l ON l.bill_id = k.bill_id
      LEFT JOIN credited c ON c.bill_id = k.bill_id AND c.sign = k.sign AND c.line_id = l.id),
summed AS (
    SELECT *, sum(net) OVER bill AS all_net FROM asked WINDOW bill AS (PARTITION BY bill_id, sign)),
parts AS (
    SELECT bill_id, sign, 'net' AS part, position, department_id, doctor_id, (net * 100)::numeric(20, 0) AS weight,
           (least(paid, all_net) * 100)::numeric(20, 0) AS pool FROM summed
     UNION ALL
    SELECT bill_id, sign, 'off', position, department_id, doctor_id, (off * 100)::numeric(20, 0),
           ((paid - all_net) * 100)::numeric(20, 0) FROM summed WHERE paid > all_net),
weighed AS (
    SELECT *, sum(weight) OVER pot AS whole FROM parts WINDOW pot AS (PARTITION BY bill_id, sign, part)),
whole AS (
    SELECT *, div(pool * weight, whole) AS cents, mod(pool * weight, whole) AS rest FROM weighed WHERE whole > 0),
shared AS (
    SELECT *, pool - sum(cents) OVER pot AS left_over,
           row_number() OVER (PARTITION BY bill_id, sign, part ORDER BY rest DESC, position) AS turn
      FROM whole WINDOW pot AS (PARTITION BY bill_id, sign, part))
SELECT s.department_id, s.doctor_id, sum(sign * (cents + (turn <= left_over)::int)) / 100
  FROM shared s WHERE true{narrower}
 GROUP BY 1, 2 HAVING sum(sign * (cents + (turn <= left_over)::int)) <> 0"""


def shares(scope: Scope) -> list[Share]:
    """What was taken on bills, by department and doctor of their lines. One query."""
    rows = ask(scope, _SHARES.format(narrower=scope.narrower("s")))
    return [Share(department, doctor, amount.quantize(NO_MONEY.paid)) for department, doctor, amount in rows]


_SHIFTS = f"""
SELECT {PERSON}, s.date, s.number, d.name, s.opened_at AT TIME ZONE %(zone)s, s.closed_at AT TIME ZONE %(zone)s,
       s.float_amount, m.cash, m.carried,
       coalesce(s.expected, s.float_amount + m.cash + m.carried), s.counted, s.difference, s.reason
  FROM billing_shift s
  JOIN billing_drawer d ON d.id = s.drawer_id
  JOIN accounts_user u ON u.id = s.cashier_id
  CROSS JOIN LATERAL (
      SELECT coalesce((SELECT sum(p.amount) FROM billing_payment p WHERE p.shift_id = s.id AND p.method = 'cash'), 0)
           - coalesce((SELECT sum(r.amount) FROM billing_refund r WHERE r.shift_id = s.id AND r.method = 'cash'), 0)
             AS cash,
             coalesce((SELECT sum(c.added) FROM billing_cashmovement c WHERE c.shift_id = s.id), 0) AS carried) m
 WHERE s.facility_id = %(facility)s AND s.date BETWEEN %(first)s AND %(last)s
 ORDER BY s.date, s.number"""  # noqa: S608 - our own words


def shifts(scope: Scope) -> list[ShiftLine]:
    """The shifts that were opened in the period. One query."""
    rows = ask(scope, _SHIFTS)
    names = _names(rows)
    return [ShiftLine(date, number, names[by], *more) for by, _name, _username, date, number, *more in rows]


_REASONS = """
SELECT {who}, 'discount', l.discount_reason, count(DISTINCT b.id), sum(l.discount)
  FROM billing_bill b JOIN billing_line l ON l.bill_id = b.id AND l.discount > 0{of_line}
  LEFT JOIN accounts_user u ON u.id = b.created_by_id
 WHERE b.facility_id = %(facility)s AND b.date BETWEEN %(first)s AND %(last)s
 GROUP BY 1, 2, 3, 5
 UNION ALL
SELECT {who}, 'credit', n.reason, count(DISTINCT n.id), sum(c.amount)
  FROM billing_creditnote n JOIN billing_creditline c ON c.note_id = n.id
  JOIN billing_line l ON l.id = c.line_id{of_line}
  LEFT JOIN accounts_user u ON u.id = n.by_id
 WHERE n.facility_id = %(facility)s AND n.date BETWEEN %(first)s AND %(last)s
 GROUP BY 1, 2, 3, 5
 UNION ALL
SELECT {who}, 'void', b.void_reason, count(DISTINCT b.id),
       sum(l.total - coalesce((SELECT sum(c.amount) FROM billing_creditline c WHERE c.line_id = l.id), 0))
  FROM billing_bill b JOIN billing_line l ON l.bill_id = b.id{of_line}
  LEFT JOIN accounts_user u ON u.id = b.voided_by_id
 WHERE b.facility_id = %(facility)s AND b.status = 'void' AND b.number IS NOT NULL
   AND b.voided_at >= %(first)s::date::timestamp AT TIME ZONE %(zone)s
   AND b.voided_at < (%(last)s::date + 1)::timestamp AT TIME ZONE %(zone)s
 GROUP BY 1, 2, 3, 5
 UNION ALL
SELECT {who}, CASE WHEN r.method = 'account' THEN 'to_account' ELSE 'refund' END, r.reason, count(*), sum(r.amount)
  FROM billing_refund r LEFT JOIN accounts_user u ON u.id = r.by_id
 WHERE r.facility_id = %(facility)s AND r.date BETWEEN %(first)s AND %(last)s{whole}
 GROUP BY 1, 2, 3, 4, 5
 ORDER BY 4, 7 DESC, 5, 2, 1"""

KINDS = ("discount", "credit", "void", "refund", "to_account")


def reasons(scope: Scope) -> dict[str, list[Reason]]:
    """Why discounts were given, bills credited and voided, money given back: the largest amounts first. One query.

    Each counts on its own day, so no day changes afterwards: a bill that is void later had its discount all the same,
    and what its void takes off is what it still asked for, less what credit notes had taken off before.
    Money that went back onto a patient's account has not left the house, so it stands apart. A refund is of a whole
    payment and so of no department: where the scope is narrower, there are none.
    """
    sql = _REASONS.format(who=PERSON, of_line=scope.narrower("l"), whole=" AND false" if scope.narrowed else "")
    found: dict[str, list[Reason]] = {kind: [] for kind in KINDS}
    rows = ask(scope, sql)
    names = _names(rows)
    for by, _name, _username, kind, words, *numbers in rows:
        found[kind].append(Reason(words, names[by], *numbers))
    return found
