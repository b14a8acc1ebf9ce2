"""Whether every rule held on a played day, asked of the tables in SQL of its own and not through the engine.

What happened is rebuilt from the events: `HISTORY` gives each event the values that its token had after it.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

TOKENS = """
    SELECT t.*, s.facility_id FROM tokens_token t JOIN scheduling_session s ON s.id = t.session_id
     WHERE s.facility_id = %(facility)s"""

POLICIES = """
    SELECT s.id AS session_id, (
        SELECT policy.id FROM tokens_policyassignment a JOIN tokens_allocationpolicy policy ON policy.id = a.policy_id
         WHERE a.doctor_id = s.doctor_id OR a.department_id = s.department_id OR a.facility_id = s.facility_id
         ORDER BY a.doctor_id IS NULL, a.department_id IS NULL LIMIT 1) AS policy_id
      FROM scheduling_session s WHERE s.facility_id = %(facility)s"""

# A value stands until an event names it again: rows between two namings share a group, whose first row has it.
_STANDING = ("slot_id", "score", "source", "order_at", "arrived_at", "call_count", "overbooked")
_GROUPS = ", ".join(f"count(*) FILTER (WHERE e.changes ? '{name}') OVER token AS g_{name}" for name in _STANDING)
_VALUES = ", ".join(
    f"first_value(changes ->> '{name}') OVER (PARTITION BY token_id, g_{name} ORDER BY seq) AS {name}"
    for name in _STANDING
)
HISTORY = f"""
CREATE TEMPORARY TABLE played_history ON COMMIT DROP AS
SELECT id, token_id, seq, session_id, kind, status, at, reason, cause_token_id, cause_seq, {_VALUES},
       lag(status) OVER (PARTITION BY token_id ORDER BY seq) AS status_before,
       lag(id) OVER (PARTITION BY token_id ORDER BY seq) AS before_id,
       lead(id) OVER (PARTITION BY token_id ORDER BY seq) AS next_id
  FROM (SELECT e.*, {_GROUPS} FROM tokens_event e
          JOIN tokens_token t ON t.id = e.token_id JOIN scheduling_session s ON s.id = t.session_id
         WHERE s.facility_id = %(facility)s WINDOW token AS (PARTITION BY e.token_id ORDER BY e.seq)) AS grouped"""  # noqa: S608 - built from constants of this module


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule, and the query that finds what breaks it: one row a breach, told in its one column."""

    name: str
    breaches: str


@dataclass(frozen=True, slots=True)
class Breach:
    """A rule that does not hold, and where."""

    rule: str
    where: str


STANDING = (
    Rule(
        "no slot holds more than its capacity, beside those overbooked",
        f"""SELECT format('slot %%s: %%s of %%s', p.id, count(*), p.capacity)
              FROM ({TOKENS}) t JOIN scheduling_slot p ON p.id = t.slot_id
             WHERE t.status IN ('confirmed', 'in_progress', 'completed') AND NOT t.overbooked
             GROUP BY p.id HAVING count(*) > p.capacity""",  # noqa: S608
    ),
    Rule(
        "the counters of a slot are what counting gives",
        f"""SELECT format('slot %%s: %%s and %%s, counted %%s and %%s', p.id, p.used, p.overbooked,
                          count(t.id), count(t.id) FILTER (WHERE t.overbooked))
              FROM scheduling_slot p JOIN scheduling_session s ON s.id = p.session_id
              LEFT JOIN ({TOKENS}) t ON t.slot_id = p.id AND t.status IN ('confirmed', 'in_progress', 'completed')
             WHERE s.facility_id = %(facility)s
             GROUP BY p.id HAVING p.used <> count(t.id)
                                OR p.overbooked <> count(t.id) FILTER (WHERE t.overbooked)""",  # noqa: S608
    ),
    Rule(
        "a patient holds one active token in a session",
        f"""SELECT format('session %%s, patient %%s: %%s', session_id, patient_id, count(*)) FROM ({TOKENS}) t
             WHERE status IN ('confirmed', 'waitlisted', 'in_progress')
             GROUP BY session_id, patient_id HAVING count(*) > 1""",  # noqa: S608
    ),
    Rule(
        "one patient at most is with the doctor",
        f"""SELECT format('session %%s: %%s', session_id, count(*)) FROM ({TOKENS}) t
             WHERE status = 'in_progress' AND away_at IS NULL GROUP BY session_id HAVING count(*) > 1""",  # noqa: S608
    ),
    Rule(
        "nobody waits beside a free place that they wait for",
        f"""SELECT format('token %%s beside slot %%s', t.number, p.id)
              FROM ({TOKENS}) t JOIN scheduling_session s ON s.id = t.session_id
              JOIN scheduling_slot own ON own.id = t.slot_id
              JOIN scheduling_slot p ON p.session_id = t.session_id
              LEFT JOIN ({POLICIES}) AS chosen ON chosen.session_id = s.id
              LEFT JOIN tokens_allocationpolicy policy ON policy.id = chosen.policy_id
             WHERE t.status = 'waitlisted' AND s.status = 'open' AND p.status = 'open'
               AND p.capacity - p.used + p.overbooked > 0
               AND p.ends_at + make_interval(mins => s.delay_minutes) > %(now)s
               AND (p.id = own.id OR (own.starts_at < p.starts_at AND (t.source = 'emergency' OR own.status <> 'open'
                    OR own.ends_at + make_interval(mins => s.delay_minutes) <= %(now)s)))
               AND (NOT coalesce(policy.present_only, false) OR t.arrived_at IS NOT NULL
                    OR p.starts_at + make_interval(mins => s.delay_minutes) > %(now)s)""",  # noqa: S608
    ),
    Rule(
        "a number is given once in a session",
        f"""SELECT format('session %%s: %%s', session_id, number) FROM (
                SELECT session_id, number, id FROM ({TOKENS}) t
                 UNION SELECT f.session_id, f.number, f.token_id FROM tokens_formernumber f
                         JOIN scheduling_session s ON s.id = f.session_id WHERE s.facility_id = %(facility)s) AS given
             GROUP BY session_id, number HAVING count(DISTINCT id) > 1""",  # noqa: S608
    ),
    Rule(
        "overbooked is an emergency where the policy lets it, or somebody by a named person",
        f"""SELECT format('token %%s', t.number) FROM ({TOKENS}) t
              LEFT JOIN ({POLICIES}) AS chosen ON chosen.session_id = t.session_id
              LEFT JOIN tokens_allocationpolicy policy ON policy.id = chosen.policy_id
             WHERE t.overbooked AND t.overbooked_by_id IS NULL
               AND NOT (t.source = 'emergency' AND coalesce(policy.emergency, 'displace') = 'overbook')""",  # noqa: S608
    ),
)
"""What must hold at any moment; `%(now)s` is that moment."""

TOLD = (
    Rule(
        "the events of a token are numbered without a gap, and their times never go back",
        """SELECT format('token %%s, event %%s', token_id, seq) FROM (
               SELECT token_id, seq, row_number() OVER token AS counted, at, lag(at) OVER token AS before
                 FROM played_history WINDOW token AS (PARTITION BY token_id ORDER BY seq)) AS numbered
            WHERE seq <> counted OR at < before""",
    ),
    Rule(
        "the last event of a token has its status, and their number is its count",
        f"""SELECT format('token %%s', t.number) FROM ({TOKENS}) t
              LEFT JOIN played_history h ON h.token_id = t.id AND h.next_id IS NULL
             WHERE (h.seq, h.status) IS DISTINCT FROM (t.events, t.status::text)""",  # noqa: S608
    ),
    Rule(
        "a token lives by the table of transitions",
        """SELECT format('token %%s: %%s to %%s', token_id, status_before, status) FROM played_history
            WHERE status_before <> status AND kind <> 'undone' AND (status_before, status) NOT IN (
                  ('requested', 'confirmed'), ('requested', 'waitlisted'), ('requested', 'cancelled'),
                  ('confirmed', 'waitlisted'), ('confirmed', 'in_progress'), ('confirmed', 'cancelled'),
                  ('confirmed', 'no_show'), ('waitlisted', 'confirmed'), ('waitlisted', 'cancelled'),
                  ('in_progress', 'completed'), ('in_progress', 'cancelled'),
                  ('no_show', 'confirmed'), ('no_show', 'waitlisted'))""",
    ),
    Rule(
        "whoever lost a place lost it to an emergency or to a strictly higher one, in the slot that was lost",
        f"""SELECT format('token %%s, event %%s', lost.token_id, lost.seq)
              FROM played_history lost
              JOIN played_history had ON had.id = lost.before_id
              LEFT JOIN ({POLICIES}) AS chosen ON chosen.session_id = had.session_id
              LEFT JOIN tokens_allocationpolicy policy ON policy.id = chosen.policy_id
              LEFT JOIN LATERAL (
                   SELECT * FROM played_history w
                    WHERE w.id > lost.id AND w.kind IN ('confirmed', 'promoted')
                      AND (w.cause_token_id, w.cause_seq) = (lost.cause_token_id, lost.cause_seq)
                    ORDER BY w.id LIMIT 1) AS won ON true
             WHERE lost.kind = 'displaced' AND lost.cause_token_id IS NOT NULL
               AND (won.id IS NULL OR won.slot_id <> had.slot_id OR had.source = 'emergency'
                    OR had.status <> 'confirmed' OR had.call_count::int > 0 OR had.overbooked::boolean
                    OR (won.source <> 'emergency' AND (won.score::int <= had.score::int
                        OR coalesce(policy.displacement, 'any_higher') = 'emergency_only')))""",  # noqa: S608
    ),
    Rule(
        "whoever got a place that came free stood first among those who waited in the slot",
        f"""SELECT format('token %%s before %%s', won.token_id, other.token_id)
              FROM played_history won
              JOIN played_history waited ON waited.id = won.before_id
              JOIN played_history other ON other.session_id = won.session_id AND other.slot_id = won.slot_id
               AND other.status = 'waitlisted' AND other.token_id <> won.token_id
               AND other.id < won.id AND coalesce(other.next_id > won.id, true)
              LEFT JOIN ({POLICIES}) AS chosen ON chosen.session_id = won.session_id
              LEFT JOIN tokens_allocationpolicy policy ON policy.id = chosen.policy_id
             WHERE won.kind = 'promoted' AND NOT coalesce(policy.age_points > 0, false)
               AND (NOT coalesce(policy.present_only, false) OR other.arrived_at IS NOT NULL)
               AND (other.source <> 'emergency', -other.score::int, other.order_at::timestamptz, other.token_id)
                 < (won.source <> 'emergency', -won.score::int, won.order_at::timestamptz, won.token_id)""",  # noqa: S608
    ),
    Rule(
        "the events alone give every value of every token",
        f"""SELECT format('token %%s: %%s is %%s, by its events %%s', t.number, have.name, have.value, told.value)
              FROM ({TOKENS}) t
              CROSS JOIN LATERAL jsonb_each_text(to_jsonb(t) - 'id' - 'events' - 'facility_id') AS have(name, value)
              LEFT JOIN (SELECT DISTINCT ON (e.token_id, each.key) e.token_id, each.key, each.value
                           FROM played_history h JOIN tokens_event e ON e.id = h.id
                          CROSS JOIN LATERAL jsonb_each_text(e.changes) AS each
                          ORDER BY e.token_id, each.key, e.seq DESC) AS told
                ON told.token_id = t.id AND told.key = have.name
             WHERE CASE WHEN have.name LIKE '%%\\_at' OR have.name = 'held_until'
                        THEN have.value::timestamptz IS DISTINCT FROM told.value::timestamptz
                        ELSE have.value IS DISTINCT FROM told.value END""",  # noqa: S608
    ),
)
"""What the events must tell."""

RULES = (*STANDING, *TOLD)


def standing(facility_id: int, now: datetime) -> list[Breach]:
    """What breaks a rule at this moment of the played day."""
    return _ask(STANDING, {"facility": facility_id, "now": now})


def everything(facility_id: int, now: datetime) -> list[Breach]:
    """What breaks a rule at this moment, or has broken one at any time of the day. Inside a transaction only."""
    where: dict[str, int | datetime] = {"facility": facility_id, "now": now}
    with connection.cursor() as cursor:
        cursor.execute(HISTORY, where)
        for column in ("id", "session_id, slot_id", "cause_token_id, cause_seq"):
            cursor.execute(f"CREATE INDEX ON played_history ({column})")
        cursor.execute("ANALYZE played_history")
        breaches = _ask(RULES, where)
        cursor.execute("DROP TABLE played_history")
    return breaches


def _ask(rules: tuple[Rule, ...], where: dict[str, int | datetime]) -> list[Breach]:
    found = []
    with connection.cursor() as cursor:
        for rule in rules:
            cursor.execute(rule.breaches, where)
            found += [Breach(rule.name, row[0]) for row in cursor.fetchall()]
    return found
