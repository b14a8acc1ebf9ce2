"""What happened on a played day, counted by SQL from tokens and events."""

from collections.abc import Sequence
from typing import Any

from django.db import connection

from tokens.states import Source

# Who is displaced and cancelled in one breath (no place anywhere) never waited.
EVENTS = """
SELECT source, count(*) FILTER (WHERE kind = 'confirmed' OR kind = 'overbooked' AND before = 'requested'),
       count(*) FILTER (WHERE kind = 'overbooked'),
       count(DISTINCT id) FILTER (WHERE status = 'waitlisted' AND next_reason IS DISTINCT FROM 'no_place'),
       count(*) FILTER (WHERE kind = 'displaced'), count(*) FILTER (WHERE kind = 'promoted'),
       count(*) FILTER (WHERE kind = 'returned'),
       count(*) FILTER (WHERE kind = 'cancelled' AND reason = 'no_place'),
       count(*) FILTER (WHERE kind = 'cancelled' AND reason NOT IN ('no_place', 'sent_on', 'not_served'))
  FROM (SELECT t.id, t.source, e.kind, e.status, e.reason, lag(e.status) OVER token AS before,
               lead(e.reason) OVER token AS next_reason
          FROM tokens_token t JOIN tokens_event e ON e.token_id = t.id WHERE t.session_id = ANY(%s)
        WINDOW token AS (PARTITION BY t.id ORDER BY e.seq)) AS told
 GROUP BY source"""

EVENT_FIGURES = (
    "confirmed_at_once", "overbooked", "waitlisted", "displacements", "promotions", "returned", "no_place",
    "cancellations",
)  # fmt: skip

STATES = """
SELECT source, count(*), count(*) FILTER (WHERE status = 'completed'),
       count(*) FILTER (WHERE status IN ('confirmed', 'in_progress')), count(*) FILTER (WHERE status = 'waitlisted'),
       count(*) FILTER (WHERE status = 'no_show'), count(*) FILTER (WHERE status = 'cancelled')
  FROM tokens_token WHERE session_id = ANY(%s) GROUP BY source"""

STATE_FIGURES = ("tokens", "seen", "holding", "waiting", "no_shows", "cancelled")

WAITS = """
SELECT source, count(*), avg(minutes), percentile_disc(0.5) WITHIN GROUP (ORDER BY minutes),
       percentile_disc(0.9) WITHIN GROUP (ORDER BY minutes)
  FROM (SELECT source, extract(epoch FROM started_at - arrived_at) / 60 AS minutes
          FROM tokens_token WHERE session_id = ANY(%s) AND started_at IS NOT NULL) AS waited
 GROUP BY source"""

VIOLATIONS = """
SELECT count(*) FROM (
    SELECT p.id FROM scheduling_slot p JOIN tokens_token t ON t.slot_id = p.id
     WHERE p.session_id = ANY(%s) AND t.status IN ('confirmed', 'in_progress', 'completed') AND NOT t.overbooked
     GROUP BY p.id HAVING count(*) > p.capacity) AS oversold"""

Figures = dict[str, dict[str, int]]


def by_source(session_ids: Sequence[int]) -> Figures:
    """For each source, how often each thing happened to tokens that are in these sessions now."""
    figures = {source.value: dict.fromkeys((*EVENT_FIGURES, *STATE_FIGURES), 0) for source in Source}
    for sql, names in ((EVENTS, EVENT_FIGURES), (STATES, STATE_FIGURES)):
        for source, *counts in _rows(sql, session_ids):
            figures[source] |= dict(zip(names, counts, strict=True))
    return figures


def totals(figures: Figures) -> dict[str, int]:
    """The figures of all sources together."""
    names = (*EVENT_FIGURES, *STATE_FIGURES)
    return {name: sum(figures[source][name] for source in figures) for name in names}


def waits(session_ids: Sequence[int]) -> dict[str, dict[str, float]]:
    """From being here to the start of the visit, in minutes, for those of each source who were seen."""
    return {
        source: {
            "seen": seen,
            "mean_minutes": round(float(mean), 1),
            "p50_minutes": round(float(half), 1),
            "p90_minutes": round(float(most), 1),
        }
        for source, seen, mean, half, most in sorted(_rows(WAITS, session_ids))
    }


def capacity_violations(session_ids: Sequence[int]) -> int:
    """In how many slots more patients hold an ordinary place than there are places, counted anew."""
    return int(_rows(VIOLATIONS, session_ids)[0][0])


def _rows(sql: str, session_ids: Sequence[int]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, [list(session_ids)])
        return cursor.fetchall()
