"""What happened to the tokens of the period's sessions: how many, who came, how long they waited, who lost a place."""

from collections.abc import Sequence
from typing import Any

from reports.queries.people import told_apart
from reports.queries.scope import Scope, ask
from reports.records import FATES, Choice, Counts, Displaced, Kept, Tokens, Wait, Waits

_TOKENS = """
SELECT s.date, t.source, s.doctor_id, count(*),
       count(*) FILTER (WHERE t.status = 'completed'),
       count(*) FILTER (WHERE t.status IN ('in_progress', 'completed', 'no_show')
                           OR t.status = 'confirmed' AND (t.arrived_at IS NOT NULL OR p.starts_at <= %(now)s)),
       count(*) FILTER (WHERE t.status = 'no_show'),
       count(*) FILTER (WHERE t.arrived_at IS NOT NULL AND t.started_at IS NULL
                          AND (t.status IN ('cancelled', 'no_show')
                               OR s.date < %(today)s AND t.status IN ('confirmed', 'waitlisted'))
                          AND NOT EXISTS (SELECT FROM tokens_token n WHERE n.sent_from_id = t.id))
  FROM scheduling_session s
  JOIN tokens_token t ON t.session_id = s.id
  JOIN scheduling_slot p ON p.id = t.slot_id
 WHERE {tokens}
 GROUP BY GROUPING SETS ((s.date, t.source), (s.doctor_id))"""


def tokens(scope: Scope) -> Tokens:
    """Tokens by date and source, and by doctor. One query."""
    found = Tokens({}, {})
    for date, source, doctor_id, *numbers in ask(scope, _TOKENS.format(tokens=scope.tokens)):
        if doctor_id is None:
            found.by_source[date, source] = Counts(*numbers)
        else:
            found.by_doctor[doctor_id] = Counts(*numbers)
    return found


# Whoever was called again, held or skipped waited until the first call that was not taken back; whoever went in
# without a call, until then. Most were called once, and the token itself says when.
_WAITS = """
WITH came AS (
    SELECT t.source, s.doctor_id, t.arrived_at,
           CASE WHEN t.call_count = 1 AND t.called_at >= t.arrived_at THEN t.called_at
                ELSE coalesce((SELECT min(e.at) FROM tokens_event e
                                WHERE e.token_id = t.id AND e.kind = 'called' AND e.at >= t.arrived_at
                                  AND NOT EXISTS (SELECT FROM tokens_event u
                                                   WHERE u.token_id = t.id AND u.kind = 'undone'
                                                     AND u.cause_token_id = t.id AND u.cause_seq = e.seq)),
                              t.started_at) END AS called_at
      FROM scheduling_session s JOIN tokens_token t ON t.session_id = s.id
     WHERE {tokens} AND t.arrived_at IS NOT NULL AND (t.call_count > 0 OR t.started_at IS NOT NULL)),
waited AS (
    SELECT source, doctor_id, round(extract(epoch FROM called_at - arrived_at) / 60)::int AS minutes
      FROM came WHERE called_at >= arrived_at)
SELECT source, doctor_id, count(*),
       percentile_disc(ARRAY[0.1, 0.25, 0.5, 0.75, 0.9]) WITHIN GROUP (ORDER BY minutes), max(minutes), {each}
  FROM waited GROUP BY GROUPING SETS ((source), (doctor_id), ())"""


def waits(scope: Scope) -> Waits:
    """Waits of all, by source and by doctor. One query."""
    each = "array_agg(minutes ORDER BY minutes)" if scope.period.is_day else "NULL"
    found: dict[tuple[str | None, int | None], Wait] = {}
    for source, doctor_id, called, shares, longest, single in ask(scope, _WAITS.format(tokens=scope.tokens, each=each)):
        if called:
            found[source, doctor_id] = Wait(called, *(*shares, longest, tuple(single or ())))
    return Waits(
        all=found.pop((None, None), None),
        by_source={source: wait for (source, _), wait in found.items() if source is not None},
        by_doctor={doctor_id: wait for (_, doctor_id), wait in found.items() if doctor_id is not None},
    )


# A token that lost its place is in the session still, or left a number there; its events say what was before. Where
# the loss itself took it to another session, the event before it says in which one the place was.
# OFFSET 0: each token's events are looked up, so the cost follows the period and not all the losses there ever were.
_DISPLACED = """
WITH here AS (
    SELECT s.id, s.date FROM scheduling_session s WHERE {sessions}),
asked AS (
    SELECT t.id FROM tokens_token t JOIN here ON here.id = t.session_id
     UNION SELECT f.token_id FROM tokens_formernumber f JOIN here ON here.id = f.session_id),
lost AS (
    SELECT e.token_id, e.seq, e.cause_token_id, t.source, t.status, here.date
      FROM asked
      CROSS JOIN LATERAL (
          SELECT * FROM tokens_event e WHERE e.token_id = asked.id AND e.kind = 'displaced' OFFSET 0) e
      JOIN tokens_token t ON t.id = e.token_id{source}
      LEFT JOIN tokens_event b ON b.token_id = e.token_id AND b.seq = e.seq - 1 AND e.changes ? 'session_id'
      JOIN here ON here.id = coalesce(b.session_id, e.session_id)),
again AS (
    SELECT l.*, (SELECT array_agg(DISTINCT n.date = l.date)
                   FROM tokens_event g JOIN scheduling_session n ON n.id = g.session_id
                  WHERE g.token_id = l.token_id AND g.seq >= l.seq AND g.status = 'confirmed') AS places
      FROM lost l)
SELECT c.source, a.source,
       CASE WHEN true = ANY (a.places) THEN 'same_day' WHEN a.places IS NOT NULL THEN 'other_day'
            WHEN a.status = 'waitlisted' AND a.date >= %(today)s THEN 'waits' ELSE 'no_place' END AS fate, count(*)
  FROM again a LEFT JOIN tokens_token c ON c.id = a.cause_token_id
 GROUP BY 1, 2, 3"""


def displaced(scope: Scope) -> Displaced:
    """Places that were lost in the period's sessions. One query."""
    sql = _DISPLACED.format(sessions=scope.sessions, source=scope.of_source("t"))
    found = Displaced({}, 0, dict.fromkeys(FATES, 0), dict.fromkeys(FATES, 0))
    planned = 0
    for came, lost, fate, number in ask(scope, sql):
        if came is None:
            planned += number
            found.planned_fates[fate] += number
        else:
            found.pairs[came, lost] = found.pairs.get((came, lost), 0) + number
            found.fates[fate] += number
    return Displaced(found.pairs, planned, found.fates, found.planned_fates)


_ESTIMATES = """
SELECT s.doctor_id, count(*),
       count(*) FILTER (WHERE t.started_at <= w.given_at + w.p50_minutes * interval '1 minute'),
       count(*) FILTER (WHERE t.started_at <= w.given_at + w.p90_minutes * interval '1 minute')
  FROM scheduling_session s
  JOIN tokens_token t ON t.session_id = s.id
  JOIN tokens_waitestimate w ON w.token_id = t.id
 WHERE {tokens} AND t.started_at >= w.given_at
 GROUP BY s.doctor_id"""


def estimates(scope: Scope) -> dict[int, Kept]:
    """How the estimates given to the period's patients turned out, by doctor. One query."""
    return {doctor_id: Kept(*numbers) for doctor_id, *numbers in ask(scope, _ESTIMATES.format(tokens=scope.tokens))}


def choices(scope: Scope) -> tuple[Sequence[Choice], Sequence[Choice]]:
    """The departments and the doctors of the facility, past ones too, by name, which two never share. One query."""
    rows: list[tuple[Any, ...]] = ask(
        scope,
        """SELECT 0, id, name, NULL FROM scheduling_department WHERE facility_id = %(facility)s
            UNION ALL
           SELECT 1, id, name, department_id FROM scheduling_doctor WHERE facility_id = %(facility)s
            ORDER BY 1, 3, 2""",
    )
    departments = {pk: Choice(pk, name) for what, pk, name, _ in rows if what == 0}
    doctors = [(pk, name, department) for what, pk, name, department in rows if what == 1]
    names = told_apart((pk, name, departments[department].name) for pk, name, department in doctors)
    return list(departments.values()), [Choice(pk, names[pk], department) for pk, _name, department in doctors]
