"""What must hold after every action, asked of the database by SQL of its own and not through the engine."""

from collections.abc import Sequence
from datetime import datetime

from tokens.events import replay
from tokens.tests.factories import rows

PLACED = "('confirmed', 'in_progress', 'completed')"

COUNTED = f"""
SELECT p.id, p.used, p.overbooked, p.capacity, count(t.id), count(t.id) FILTER (WHERE t.overbooked)
  FROM scheduling_slot p LEFT JOIN tokens_token t ON t.slot_id = p.id AND t.status IN {PLACED}
 WHERE p.session_id = ANY(%s) GROUP BY p.id
HAVING p.used <> count(t.id) OR p.overbooked <> count(t.id) FILTER (WHERE t.overbooked)
    OR count(t.id) > p.capacity + count(t.id) FILTER (WHERE t.overbooked)"""

OVERBOOKED = """
SELECT id, number FROM tokens_token
 WHERE session_id = ANY(%s) AND overbooked AND source <> 'emergency' AND overbooked_by_id IS NULL"""

# A slot is the waiter's own, or a later one of the session where its own gives no places or it is an emergency.
BESIDE_A_FREE_PLACE = """
WITH slots AS (
    SELECT p.*, s.status = 'open' AND p.status = 'open'
                AND p.ends_at + make_interval(mins => s.delay_minutes) > %(now)s AS gives,
           p.starts_at + make_interval(mins => s.delay_minutes) <= %(now)s AS begun,
           greatest(0, p.capacity - (SELECT count(*) FROM tokens_token t WHERE t.slot_id = p.id AND NOT t.overbooked
                                        AND t.status IN ('confirmed', 'in_progress', 'completed'))) AS free,
           coalesce((SELECT policy.present_only FROM tokens_policyassignment a
                       JOIN tokens_allocationpolicy policy ON policy.id = a.policy_id
                      WHERE a.doctor_id = s.doctor_id OR a.department_id = s.department_id
                         OR a.facility_id = s.facility_id
                      ORDER BY a.doctor_id IS NULL, a.department_id IS NULL LIMIT 1), false) AS present_only
      FROM scheduling_slot p JOIN scheduling_session s ON s.id = p.session_id WHERE s.id = ANY(%(sessions)s))
SELECT t.id, t.number, p.id FROM tokens_token t JOIN slots own ON own.id = t.slot_id
  JOIN slots p ON p.session_id = t.session_id
   AND (p.id = own.id OR (p.starts_at > own.starts_at AND (t.source = 'emergency' OR NOT own.gives)))
 WHERE t.status = 'waitlisted' AND p.gives AND p.free > 0
   AND (NOT p.present_only OR NOT p.begun OR t.arrived_at IS NOT NULL)"""

NUMBER_TWICE = """
SELECT session_id, number, count(DISTINCT token_id) FROM (
    SELECT session_id, number, id AS token_id FROM tokens_token
    UNION ALL SELECT session_id, number, token_id FROM tokens_formernumber) AS given
 WHERE session_id = ANY(%s) GROUP BY session_id, number HAVING count(DISTINCT token_id) > 1"""

TWO_ACTIVE = """
SELECT session_id, patient_id FROM tokens_token
 WHERE session_id = ANY(%s) AND status IN ('confirmed', 'waitlisted', 'in_progress')
 GROUP BY session_id, patient_id HAVING count(*) > 1"""

TWO_IN_THE_ROOM = """
SELECT session_id FROM tokens_token WHERE session_id = ANY(%s) AND status = 'in_progress' AND away_at IS NULL
 GROUP BY session_id HAVING count(*) > 1"""

UNEXPLAINED = """
SELECT t.id, t.status, e.status, t.events, e.seq FROM tokens_token t
  LEFT JOIN LATERAL (SELECT status, seq FROM tokens_event e WHERE e.token_id = t.id ORDER BY seq DESC LIMIT 1) e ON true
 WHERE t.session_id = ANY(%s) AND (t.status, t.events) IS DISTINCT FROM (e.status, e.seq)"""

GAPS = """
SELECT e.token_id, count(*), max(e.seq) FROM tokens_event e JOIN tokens_token t ON t.id = e.token_id
 WHERE t.session_id = ANY(%s) GROUP BY e.token_id HAVING count(*) <> max(e.seq) OR min(e.seq) <> 1"""

TIME_GOES_BACK = """
SELECT session_id, token_id, seq FROM (
    SELECT session_id, token_id, seq, at, lag(at) OVER (PARTITION BY session_id ORDER BY id) AS before
      FROM tokens_event WHERE session_id = ANY(%s)) AS story
 WHERE at < before"""

RESTS_IN_REQUESTED = "SELECT id FROM tokens_token WHERE session_id = ANY(%s) AND status = 'requested'"

# Displacement compares stored scores; without ageing the order of the waitlist is the stored order too.
PASSED = """
SELECT w.id, w.number, t.number FROM tokens_token t
  JOIN tokens_token w ON w.slot_id = t.slot_id AND w.status = 'waitlisted' AND w.id <> t.id
 WHERE t.id = %s AND t.status = 'confirmed'
   AND (CASE WHEN w.source = 'emergency' THEN 0 ELSE 1 END, -w.score, w.order_at, w.id)
     < (CASE WHEN t.source = 'emergency' THEN 0 ELSE 1 END, -t.score, t.order_at, t.id)"""

REFUSED_A_LOWER_PLACE = """
SELECT o.id, o.number, t.number FROM tokens_token t
  JOIN tokens_token o ON o.slot_id = t.slot_id AND o.status = 'confirmed' AND o.call_count = 0 AND NOT o.overbooked
   AND o.source <> 'emergency'
 WHERE t.id = %s AND t.status IN ('waitlisted', 'cancelled')
   AND (t.source = 'emergency' OR (%s AND o.score < t.score AND NOT (%s AND o.arrived_at IS NOT NULL)))"""


def broken_rules(session_ids: Sequence[int], now: datetime | None = None) -> list[str]:
    """Every rule that is broken in these sessions, with the rows that break it; empty where all hold.

    Args:
        now: also look for waiters beside free places, at this time, in sessions that were settled at it.
    """
    ids = list(session_ids)
    found = []
    for name, sql in {
        "places are counted and never oversold": COUNTED,
        "overbooked as an emergency or by a named person": OVERBOOKED,
        "a number is never given twice": NUMBER_TWICE,
        "one active token a patient": TWO_ACTIVE,
        "one patient in the room": TWO_IN_THE_ROOM,
        "every status is explained by the last event": UNEXPLAINED,
        "events are numbered without a gap": GAPS,
        "time never goes back in a session": TIME_GOES_BACK,
        "no token rests in requested": RESTS_IN_REQUESTED,
    }.items():
        if bad := rows(sql, ids):
            found.append(f"{name}: {bad}")
    if now is not None and (bad := _beside(ids, now)):
        found.append(f"nobody waits beside a free place: {bad}")
    differences = replay(ids)[2]
    if differences:
        found.append(f"the events rebuild the state: {differences}")
    return found


def _beside(ids: list[int], now: datetime) -> list[tuple[int, ...]]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(BESIDE_A_FREE_PLACE, {"now": now, "sessions": ids})
        return cursor.fetchall()


def inversions(token_id: int, *, any_higher: bool, protect_arrived: bool, qualified: bool = True) -> list[str]:
    """After a request, a payment or a raise was decided: who was passed, and who kept a place that was refused."""
    found = []
    if bad := rows(PASSED, token_id):
        found.append(f"nobody who stood before was passed: {bad}")
    if qualified and (bad := rows(REFUSED_A_LOWER_PLACE, token_id, any_higher, protect_arrived)):
        found.append(f"no lower token kept a refused place: {bad}")
    return found
