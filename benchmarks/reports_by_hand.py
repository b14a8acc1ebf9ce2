"""Every figure of the reports by hand: SQL that was written from the prose of docs/reports.md, and not from the code.

It reads the rows of a whole house as they are (events rather than what tokens remember of them, tokens rather than the
places that slots count) and answers with the tables' rows: names, counts, amounts. So it says two things: whether the
page is right, and what the database alone needs for a day or a month.
"""

# ruff: noqa: S608 - statements are put together from our own words alone

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from billing.states import Method
from reports import words
from reports.figures.figure import Figure
from reports.queries.scope import Scope, ask
from reports.report import Report
from tokens.states import Source

_TOKENS: Final = """
WITH token AS (
    SELECT t.*, s.date AS day, d.name AS doctor, p.starts_at AS slot_begins
      FROM tokens_token t
      JOIN scheduling_session s ON s.id = t.session_id
      JOIN scheduling_doctor d ON d.id = s.doctor_id
      JOIN scheduling_slot p ON p.id = t.slot_id
     WHERE s.facility_id = %(facility)s AND s.date >= %(first)s AND s.date <= %(last)s)"""

_WAITED: Final = (
    _TOKENS
    + """,
called AS (
    SELECT e.token_id, min(e.at) AS at
      FROM tokens_event e JOIN token t ON t.id = e.token_id AND e.at >= t.arrived_at
      LEFT JOIN tokens_event back ON back.token_id = e.token_id AND back.kind = 'undone'
            AND back.cause_token_id = e.token_id AND back.cause_seq = e.seq
     WHERE e.kind = 'called' AND back.token_id IS NULL GROUP BY e.token_id),
waited AS (
    SELECT t.source, t.doctor, floor(extract(epoch FROM coalesce(c.at, t.started_at) - t.arrived_at) / 60 + 0.5) AS m
      FROM token t LEFT JOIN called c ON c.token_id = t.id WHERE coalesce(c.at, t.started_at) >= t.arrived_at),
ranked AS (
    SELECT {of} AS what, m, row_number() OVER (PARTITION BY {of} ORDER BY m) AS place,
           count(*) OVER (PARTITION BY {of}) AS n FROM waited)
SELECT what, max(n), min(m) FILTER (WHERE 4 * place >= n), min(m) FILTER (WHERE 2 * place >= n),
       min(m) FILTER (WHERE 4 * place >= 3 * n),
       min(m) FILTER (WHERE 10 * place >= 9 * n AND n >= 10), max(m)
  FROM ranked GROUP BY what"""
)

_CAPACITY: Final = """
WITH place AS (
    SELECT d.name AS doctor, p.starts_at AT TIME ZONE %(zone)s AS begins, p.capacity, p.status,
           count(t.id) AS taken, count(t.id) FILTER (WHERE t.overbooked) AS over
      FROM scheduling_session s
      JOIN scheduling_doctor d ON d.id = s.doctor_id
      JOIN scheduling_slot p ON p.session_id = s.id AND p.status <> 'cancelled'
      LEFT JOIN tokens_token t ON t.slot_id = p.id AND t.status IN ('confirmed', 'in_progress', 'completed')
     WHERE s.facility_id = %(facility)s AND s.date >= %(first)s AND s.date <= %(last)s AND s.status <> 'cancelled'
     GROUP BY d.name, p.id)
SELECT doctor, to_char(begins, {clock}), sum(offered), sum(taken), sum(over)
  FROM (SELECT *, CASE status WHEN 'open' THEN capacity ELSE least(capacity, taken - over) END AS offered FROM place) p
 GROUP BY 1, 2 {having}"""

_NO_SHOWS: Final = (
    _TOKENS
    + """
SELECT source, count(*), count(*) FILTER (WHERE status = 'no_show')
  FROM token
 WHERE status IN ('in_progress', 'completed', 'no_show')
    OR status = 'confirmed' AND (arrived_at IS NOT NULL OR slot_begins <= %(now)s)
 GROUP BY source"""
)

_SEEN: Final = (
    _TOKENS
    + """
SELECT doctor, count(*), count(*) FILTER (WHERE status = 'completed'), count(*) FILTER (WHERE status = 'no_show'),
       count(*) FILTER (WHERE arrived_at IS NOT NULL AND started_at IS NULL
             AND (status IN ('cancelled', 'no_show') OR day < %(today)s AND status IN ('confirmed', 'waitlisted'))
             AND id NOT IN (SELECT sent_from_id FROM tokens_token WHERE sent_from_id IS NOT NULL))
  FROM token GROUP BY doctor"""
)

_DISPLACED: Final = """
WITH lost AS (
    SELECT e.token_id, e.cause_token_id,
           coalesce((SELECT b.session_id FROM tokens_event b WHERE b.token_id = e.token_id AND b.seq < e.seq
                      ORDER BY b.seq DESC LIMIT 1), e.session_id) AS session_id
      FROM tokens_event e WHERE e.kind = 'displaced' AND e.token_id IN (
           SELECT t.id FROM tokens_token t JOIN scheduling_session s ON s.id = t.session_id
            WHERE s.facility_id = %(facility)s))
SELECT coalesce(came.source, 'hospital'), CASE WHEN came.id IS NOT NULL THEN loser.source ELSE '' END, count(*)
  FROM lost
  JOIN scheduling_session s ON s.id = lost.session_id
  JOIN tokens_token loser ON loser.id = lost.token_id
  LEFT JOIN tokens_token came ON came.id = lost.cause_token_id
 WHERE s.date >= %(first)s AND s.date <= %(last)s GROUP BY 1, 2"""

_ESTIMATES: Final = (
    _TOKENS
    + """
SELECT doctor, count(*)
  FROM token JOIN tokens_waitestimate w ON w.token_id = token.id AND started_at >= given_at GROUP BY doctor"""
)

_MOVED: Final = """
WITH moved AS (
    SELECT date, by_id, method, bill_id, 1 AS sign, amount FROM billing_payment
     WHERE facility_id = %(facility)s AND date >= %(first)s AND date <= %(last)s
     UNION ALL
    SELECT date, by_id, method, bill_id, -1, amount FROM billing_refund
     WHERE facility_id = %(facility)s AND date >= %(first)s AND date <= %(last)s)"""

_CASHIERS: Final = (
    _MOVED
    + """
SELECT coalesce(nullif(u.name, ''), u.username, ''), method, sum(sign * amount)
  FROM moved LEFT JOIN accounts_user u ON u.id = by_id WHERE method <> 'account' GROUP BY 1, 2"""
)

_METHODS: Final = (
    _MOVED
    + """
SELECT {of}, count(*) FILTER (WHERE sign = 1), coalesce(sum(amount) FILTER (WHERE sign = 1), 0),
       count(*) FILTER (WHERE sign = -1), coalesce(sum(amount) FILTER (WHERE sign = -1), 0)
  FROM moved WHERE method <> 'account' GROUP BY 1"""
)

# For each bill on which something moved, what is paid on it stands for its lines: at its last movement in the period
# and at the last one before. In cents; the largest remainders get the cents that are left.
_SHARES: Final = """
WITH move AS (
    SELECT bill_id, date, amount FROM billing_payment WHERE facility_id = %(facility)s AND bill_id IS NOT NULL
     UNION ALL
    SELECT bill_id, date, -amount FROM billing_refund WHERE facility_id = %(facility)s AND bill_id IS NOT NULL),
moment AS (
    SELECT bill_id, max(date) AS day, sum(amount) AS paid, 1 AS sign FROM move WHERE date <= %(last)s
     GROUP BY bill_id HAVING max(date) >= %(first)s
     UNION ALL
    SELECT m.bill_id, max(m.date), sum(m.amount), -1 FROM move m WHERE m.date < %(first)s AND EXISTS (
        SELECT FROM move n WHERE n.bill_id = m.bill_id AND n.date >= %(first)s AND n.date <= %(last)s)
     GROUP BY m.bill_id),
line AS (
    SELECT k.*, l.id AS line_id, l.position, l.department_id, l.doctor_id, l.total,
           coalesce((SELECT sum(c.amount) FROM billing_creditline c JOIN billing_creditnote n ON n.id = c.note_id
                      WHERE c.line_id = l.id AND n.date <= k.day), 0) AS off
      FROM moment k JOIN billing_line l USING (bill_id)),
bill AS (
    SELECT bill_id, sign, max(paid) AS paid, sum(total - off) AS asked, sum(off) AS off FROM line GROUP BY 1, 2),
pot AS (
    SELECT l.*, part.pool * 100 AS pool, part.weight / part.whole AS share, part.kind
      FROM line l JOIN bill b USING (bill_id, sign)
      CROSS JOIN LATERAL (VALUES ('asked', least(b.paid, b.asked), l.total - l.off, b.asked),
                                 ('off', greatest(b.paid - b.asked, 0), l.off, b.off)) part (kind, pool, weight, whole)
     WHERE part.whole > 0 AND part.pool > 0),
cent AS (
    SELECT *, floor(round(pool * share, 9)) AS cents, round(pool * share, 9) - floor(round(pool * share, 9)) AS rest
      FROM pot),
given AS (
    SELECT *, cents + (row_number() OVER (own ORDER BY rest DESC, position) <= pool - sum(cents) OVER own)::int AS got
      FROM cent WINDOW own AS (PARTITION BY bill_id, sign, kind))
SELECT coalesce({of}, ''), sum(sign * got) / 100
  FROM given g LEFT JOIN scheduling_department p ON p.id = g.department_id
  LEFT JOIN scheduling_doctor d ON d.id = g.doctor_id
 GROUP BY 1 HAVING sum(sign * got) <> 0"""

_DUE: Final = """
WITH then_due AS (
    SELECT b.*, %(until)s::date - b.date AS age, b.total
         - coalesce((SELECT sum(amount) FROM billing_creditnote WHERE bill_id = b.id AND date <= %(until)s), 0)
         - coalesce((SELECT sum(amount) FROM billing_payment WHERE bill_id = b.id AND date <= %(until)s), 0)
         + coalesce((SELECT sum(amount) FROM billing_refund WHERE bill_id = b.id AND date <= %(until)s), 0) AS owed
      FROM billing_bill b
     WHERE b.facility_id = %(facility)s AND b.number IS NOT NULL AND b.date <= %(until)s
       AND (b.voided_at IS NULL OR (b.voided_at AT TIME ZONE %(zone)s)::date > %(until)s))"""

_AGE: Final = """CASE WHEN age = 0 THEN 0 WHEN age <= 7 THEN 1 WHEN age <= 30 THEN 2 WHEN age <= 60 THEN 3
            WHEN age <= 90 THEN 4 ELSE 5 END"""

_OUTSTANDING: Final = f"{_DUE} SELECT {_AGE}, count(*), sum(owed) FROM then_due WHERE owed > 0 GROUP BY 1"

_UNPAID: Final = f"""{_DUE}
SELECT t.number, n.number, n.name, t.date, t.age,
       CASE {_AGE} WHEN 0 THEN 'Same day' WHEN 1 THEN '1 to 7 days' WHEN 2 THEN '8 to 30 days'
            WHEN 3 THEN '31 to 60 days' WHEN 4 THEN '61 to 90 days' ELSE 'Over 90 days' END, t.total, t.owed
  FROM then_due t JOIN patients_patient p ON p.id = t.patient_id
  JOIN patients_patient n ON n.id = coalesce(p.merged_into_id, p.id) WHERE owed > 0"""

_WHO: Final = "coalesce(nullif(u.name, ''), u.username, '')"

_DISCOUNTS: Final = f"""
SELECT l.discount_reason, {_WHO}, count(DISTINCT b.id), sum(l.discount)
  FROM billing_line l JOIN billing_bill b ON b.id = l.bill_id LEFT JOIN accounts_user u ON u.id = b.created_by_id
 WHERE b.facility_id = %(facility)s AND b.number IS NOT NULL AND l.discount <> 0
   AND b.date >= %(first)s AND b.date <= %(last)s GROUP BY 1, 2"""

_REFUNDS: Final = f"""
SELECT r.reason, {_WHO}, r.method = 'account', count(*), sum(r.amount)
  FROM billing_refund r LEFT JOIN accounts_user u ON u.id = r.by_id
 WHERE r.facility_id = %(facility)s AND r.date >= %(first)s AND r.date <= %(last)s GROUP BY 1, 2, 3"""

_CREDITS: Final = f"""
SELECT n.reason, {_WHO}, count(*), sum(n.amount)
  FROM billing_creditnote n LEFT JOIN accounts_user u ON u.id = n.by_id
 WHERE n.facility_id = %(facility)s AND n.date >= %(first)s AND n.date <= %(last)s GROUP BY 1, 2"""

_VOIDS: Final = f"""
SELECT b.void_reason, {_WHO}, count(*), sum(b.total - b.credited)
  FROM billing_bill b LEFT JOIN accounts_user u ON u.id = b.voided_by_id
 WHERE b.facility_id = %(facility)s AND b.number IS NOT NULL
   AND (b.voided_at AT TIME ZONE %(zone)s)::date BETWEEN %(first)s AND %(last)s GROUP BY 1, 2"""

_SHIFTS: Final = f"""
SELECT s.date, s.number, {_WHO}, s.float_amount, coalesce(sum(m.amount), 0),
       coalesce((SELECT sum(CASE WHEN c.kind IN ('from_safe', 'came_back') THEN c.amount ELSE -c.amount END)
                   FROM billing_cashmovement c WHERE c.shift_id = s.id), 0), s.counted, s.difference
  FROM billing_shift s JOIN accounts_user u ON u.id = s.cashier_id
  LEFT JOIN (SELECT shift_id, amount FROM billing_payment WHERE method = 'cash'
              UNION ALL SELECT shift_id, -amount FROM billing_refund WHERE method = 'cash') m ON m.shift_id = s.id
 WHERE s.facility_id = %(facility)s AND s.date >= %(first)s AND s.date <= %(last)s
 GROUP BY s.id, u.id"""


Rows = list[tuple[Any, ...]]


def statements(*, day: bool) -> Mapping[str, str]:
    """A statement for each figure, by its key."""
    clock, having = ("'HH24:MI'", "") if day else ("'HH24:00'", "HAVING sum(offered) > 0 OR sum(taken) > 0")
    return {
        "waits": _WAITED.format(of="source"),
        "waits-by-doctor": _WAITED.format(of="doctor"),
        "capacity": _CAPACITY.format(clock=clock, having=having),
        "no-shows": _NO_SHOWS,
        "displacements": _DISPLACED,
        "seen": _SEEN,
        "estimates": _ESTIMATES,
        "takings": _CASHIERS,
        "shifts": _SHIFTS,
        "methods": _METHODS.format(of="method"),
        "departments": _SHARES.format(of="p.name"),
        "doctors": _SHARES.format(of="d.name"),
        "outstanding": _OUTSTANDING,
        "unpaid": _UNPAID,
        "discounts": _DISCOUNTS,
        "refunds": _REFUNDS,
        "credit-notes": _CREDITS,
        "voids": _VOIDS,
    }


def by_hand(scope: Scope) -> dict[str, Rows]:
    """The rows of every figure of a whole house, a statement each."""
    return {key: ask(scope, sql) for key, sql in statements(day=scope.period.is_day).items()}


def differences(made: Report, rows: Mapping[str, Rows]) -> list[str]:
    """The figures that are not what they are by hand."""
    return [figure.key for figure in made.figures if _plain(_of_page(figure)) != _plain(rows[figure.key])]


def _plain(rows: Iterable[Sequence[Any]]) -> list[tuple[Any, ...]]:
    """Rows in one order; 12, 12.0 and 12.00 are the same."""
    same = (tuple(Decimal(each).normalize() + 0 if isinstance(each, int | Decimal) else each for each in row)
            for row in rows)  # fmt: skip
    return sorted(same, key=repr)


_SOURCES: Final = {words.source(source): Source(source).value for source in words.SOURCES}
_METHOD_OF: Final = {str(method.label): method.value for method in Method}
_NOBODY: Final = ("No doctor", "No department", "Nobody in person", "By rule")


def _of_page(figure: Figure) -> Rows:
    """The rows of a figure's table as the statements have them: without sums, shares and words."""
    if figure.table is None:
        return []
    rows = [tuple("" if value in _NOBODY else value for value in row) for row in figure.table.rows]
    heads = [column.label for column in figure.table.columns]
    match figure.key:
        case "waits":
            return [(_SOURCES[row[0]], *row[1:]) for row in rows]
        case "no-shows":
            return [(_SOURCES[row[0]], *row[1:3]) for row in rows if row[0] in _SOURCES]
        case "capacity":
            return [row[:-1] for row in rows if row[1] != "All"]
        case "displacements":
            return _pairs(rows, heads)
        case "seen":
            return [(row[0], *row[2:]) for row in rows]
        case "estimates":
            return [row[:2] for row in rows]
        case "takings":
            cells = ((row[0], _METHOD_OF[head], net) for row in rows for head, net in zip(heads, row, strict=True)
                     if head in _METHOD_OF)  # fmt: skip
            return [cell for cell in cells if cell[2] is not None]
        case "shifts":
            return [(*row[:3], *row[6:9], *row[10:12]) for row in rows]
        case "methods":
            return [(_METHOD_OF[row[0]], *row[1:5]) for row in rows if row[0] in _METHOD_OF]
        case "departments" | "doctors":
            return [row[:2] for row in rows if row[0] != "On patients’ accounts"]
        case "outstanding":
            return [(n, *row[1:]) for n, row in enumerate(rows) if row[1]]
        case "refunds":
            onto = " (onto the account)"
            return [(row[0].removesuffix(onto), row[1], row[0].endswith(onto), *row[2:]) for row in rows]
    return rows


def _pairs(rows: Rows, heads: Sequence[str]) -> Rows:
    """Who took a place from whom, a row a pair; what the hospital took back in one."""
    lost = {f"From {word.lower()}": source for word, source in _SOURCES.items()}
    found: Rows = []
    for row in rows:
        if row[0] in _SOURCES:
            pairs = zip(heads[1:-1], row[1:-1], strict=True)
            found += [(_SOURCES[row[0]], lost[head], number) for head, number in pairs if number]
        else:
            found.append(("hospital", "", row[-1]))
    return found
