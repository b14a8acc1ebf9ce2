"""What was billed in the period, and what was due at its end."""

from decimal import Decimal

from reports.queries.scope import Scope, ask
from reports.records import AGES, ZERO, Owed, Unpaid

# Due then is due now, with what moved since taken back: payments, refunds, credit notes. A bill that was voided since
# asked for its whole total then. Where the period is not over nothing has moved since, and this is what is due now.
# Most of what moved since is of bills issued since: they are left out before anything is added up.
_OWED = """
WITH moved AS (
    SELECT bill_id, amount FROM billing_payment
     WHERE facility_id = %(facility)s AND date > %(until)s AND bill_id IS NOT NULL
     UNION ALL
    SELECT bill_id, -amount FROM billing_refund
     WHERE facility_id = %(facility)s AND date > %(until)s AND bill_id IS NOT NULL
     UNION ALL
    SELECT bill_id, amount FROM billing_creditnote WHERE facility_id = %(facility)s AND date > %(until)s),
since AS (
    SELECT bill_id, sum(amount) AS amount FROM moved JOIN billing_bill b ON b.id = bill_id
     WHERE b.facility_id = %(facility)s AND b.date <= %(until)s GROUP BY bill_id),
candidates AS (
    SELECT id FROM billing_bill WHERE facility_id = %(facility)s AND status IN ('open', 'part_paid')
     UNION
    SELECT id FROM billing_bill WHERE facility_id = %(facility)s AND due < 0
     UNION
    SELECT bill_id FROM since
     UNION
    SELECT id FROM billing_bill
     WHERE facility_id = %(facility)s AND status = 'void' AND number IS NOT NULL AND voided_at >= %(end)s),
then_due AS (
    SELECT b.id, %(until)s::date - b.date AS age, b.due + coalesce(since.amount, 0) AS due
      FROM candidates JOIN billing_bill b USING (id) LEFT JOIN since ON since.bill_id = b.id
     WHERE b.date <= %(until)s AND (b.status <> 'void' OR b.voided_at >= %(end)s)),
{part},
owing AS (
    SELECT id, age, sum(due) AS due FROM part GROUP BY id, age HAVING sum(due) <> 0),
oldest AS (
    SELECT * FROM owing WHERE due > 0 ORDER BY age DESC, due DESC, id LIMIT %(most)s)
(SELECT CASE WHEN due < 0 THEN -1 ELSE width_bucket(age, ARRAY[{ages}]) END, count(*), sum(due), NULL AS bill,
        NULL AS patient, NULL AS name, NULL::date AS date, NULL::int AS days, NULL::numeric AS total
   FROM owing GROUP BY 1)
 UNION ALL
(SELECT NULL, 1, o.due, b.number, now.number, now.name, b.date, o.age, b.total
   FROM oldest o JOIN billing_bill b USING (id)
   JOIN patients_patient p ON p.id = b.patient_id
   JOIN patients_patient now ON now.id = coalesce(p.merged_into_id, p.id)
  ORDER BY o.age DESC, o.due DESC, o.id)"""

_WHOLE = "part AS (SELECT * FROM then_due)"

# Of a part of the house: what is due is spread over what the lines asked for then, by largest remainder, to the cent.
_PART = """
asked AS (
    SELECT d.id, d.age, d.due, l.position, l.department_id, l.doctor_id,
           l.total - coalesce((SELECT sum(c.amount) FROM billing_creditline c JOIN billing_creditnote n
                                   ON n.id = c.note_id WHERE c.line_id = l.id AND n.date <= %(until)s), 0) AS net
      FROM then_due d JOIN billing_line l ON l.bill_id = d.id WHERE d.due > 0),
weighed AS (
    SELECT *, (abs(due) * 100)::numeric(20, 0) AS pool, (net * 100)::numeric(20, 0) AS weight,
           (sum(net) OVER (PARTITION BY id) * 100)::numeric(20, 0) AS whole FROM asked),
whole AS (SELECT *, div(pool * weight, whole) AS cents, mod(pool * weight, whole) AS rest FROM weighed WHERE whole > 0),
shared AS (
    SELECT *, pool - sum(cents) OVER (PARTITION BY id) AS left_over,
           row_number() OVER (PARTITION BY id ORDER BY rest DESC, position) AS turn FROM whole),
part AS (
    SELECT s.id, s.age, (cents + (turn <= left_over)::int) / 100 AS due FROM shared s WHERE true{narrower})"""


def owed(scope: Scope, most: int | None = 0) -> Owed:
    """What was due at the end of the period, or is now, by age of the bill. One query.

    Of a part of the house only what is due: what is to be given back is a bill's, not a line's.

    Args:
        most: so many of the oldest bills are named; None: all of them.
    """
    part = _PART.format(narrower=scope.narrower("s")) if scope.narrowed else _WHOLE
    bounds = ", ".join(str(age + 1) for age in AGES)
    sql = _OWED.format(part=part, ages=bounds).replace(
        "%(end)s", "((%(until)s::date + 1)::timestamp AT TIME ZONE %(zone)s)"
    )
    ages, to_give_back, oldest = dict.fromkeys(range(len(AGES) + 1), (0, ZERO)), (0, ZERO), []
    for age, bills, due, number, patient, name, date, days, total in ask(scope, sql, most=most):
        if age is None:
            oldest.append(Unpaid(number, patient, name, date, days, total, due.quantize(ZERO)))
        elif age < 0:
            to_give_back = (bills, -due)
        else:
            ages[age] = (bills, due.quantize(ZERO))
    return Owed(ages, to_give_back, oldest)


_BILLED = """
SELECT count(DISTINCT b.id), coalesce(sum({amount}), 0)
  FROM billing_bill b{lines}
 WHERE b.facility_id = %(facility)s AND b.date BETWEEN %(first)s AND %(last)s{narrower}"""


def billed(scope: Scope) -> tuple[int, Decimal]:
    """How many bills were issued in the period, whatever became of them later, and their totals. One query."""
    lines = " JOIN billing_line l ON l.bill_id = b.id" if scope.narrowed else ""
    amount = "l.total" if scope.narrowed else "b.total"
    ((number, total),) = ask(scope, _BILLED.format(amount=amount, lines=lines, narrower=scope.narrower("l")))
    return number, total
