"""Places that were offered, and how many of them were taken."""

from reports.queries.scope import Scope, ask
from reports.records import Block

# Places count in their slot whatever the source, but for one source alone they are counted anew.
_TAKEN = """
  FROM (SELECT s.doctor_id, p.starts_at, p.ends_at, p.status,
               (p.starts_at AT TIME ZONE %(zone)s - s.date::timestamp) AS since,
               CASE WHEN p.status = 'open' THEN p.capacity ELSE least(p.capacity, p.used - p.overbooked) END AS offered,
               {taken} AS taken, {over} AS over
          FROM scheduling_session s JOIN scheduling_slot p ON p.session_id = s.id
         WHERE {sessions} AND s.status <> 'cancelled' AND p.status <> 'cancelled') AS slot"""

_OF_A_SOURCE = """(SELECT count(*) FROM tokens_token t WHERE t.slot_id = p.id AND t.source = %(source)s
                  AND t.status IN ('confirmed', 'in_progress', 'completed'){more})"""

_DAY = """
SELECT doctor_id, floor(extract(epoch FROM since) / 3600)::int, extract(epoch FROM since)::float / 3600,
       extract(epoch FROM ends_at - starts_at)::float / 3600, offered, taken, over, status = 'blocked', starts_at
{slots} ORDER BY doctor_id, starts_at"""

_MONTH = """
SELECT doctor_id, floor(extract(epoch FROM since) / 3600)::int AS hour, 0, 1,
       sum(offered)::int, sum(taken)::int, sum(over)::int
{slots} GROUP BY 1, 2 HAVING sum(offered) > 0 OR sum(taken) > 0 ORDER BY 1, 2"""


def blocks(scope: Scope) -> list[Block]:
    """A day's slots, or a month's hours, by doctor. One query."""
    if scope.source:
        taken = _OF_A_SOURCE.format(more="")
        over = _OF_A_SOURCE.format(more=" AND t.overbooked")
    else:
        taken, over = "p.used", "p.overbooked"
    slots = _TAKEN.format(sessions=scope.sessions, taken=taken, over=over)
    rows = ask(scope, (_DAY if scope.period.is_day else _MONTH).format(slots=slots))
    if scope.period.is_day:
        return [Block(*row) for row in rows]
    return [Block(doctor, hour, hour, size, *numbers) for doctor, hour, _, size, *numbers in rows]
