"""Events: how they are read back, what they say to people, and the replay that rebuilds every token from them."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from tokens.kinds import EventKind
from tokens.reading import TOKEN_COLUMNS

TIMES = frozenset(name for name in TOKEN_COLUMNS if name.endswith("_at") or name == "held_until")
"""Values that events keep as ISO 8601."""


def decode(changes: dict[str, Any]) -> dict[str, Any]:
    """The changes of a stored event as values of a token."""
    return {
        name: datetime.fromisoformat(value) if name in TIMES and value is not None else value
        for name, value in changes.items()
    }


def fold(changes: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """The values of a token after its events, oldest first; `events` is how many there were."""
    values: dict[str, Any] = {}
    count = 0
    for change in changes:
        values.update(decode(change))
        count += 1
    return {**values, "events": count}


@dataclass(frozen=True, slots=True)
class Difference:
    """A token that its events do not rebuild: which value, what the events say, what the table has."""

    token_id: int
    name: str
    from_events: Any
    in_table: Any


def replay(
    session_ids: list[int] | None = None, *, done: Callable[[], object] = lambda: None
) -> tuple[int, int, list[Difference]]:
    """Rebuild tokens from their events alone and compare them with the table.

    Args:
        session_ids: only tokens that are in these sessions now; None for all.
        done: called after each token.

    Returns:
        how many tokens and how many events were read, and every difference found.
    """
    tokens = events = 0
    differences: list[Difference] = []
    for token_id, row, changes in _stored(session_ids):
        tokens += 1
        events += len(changes)
        rebuilt = {"id": token_id, **fold(changes)}
        for name, value in zip(TOKEN_COLUMNS, row, strict=True):
            if rebuilt.get(name) != value:
                differences.append(Difference(token_id, name, rebuilt.get(name), value))
        done()
    return tokens, events, differences


def _stored(session_ids: list[int] | None) -> Iterator[tuple[int, tuple[Any, ...], list[dict[str, Any]]]]:
    """Tokens with their events, streamed, so that a year of tokens needs no memory."""
    columns = ", ".join(f"t.{name}" for name in TOKEN_COLUMNS)
    with connection.chunked_cursor() as cursor:
        cursor.execute(
            f"""
            SELECT {columns}, (SELECT coalesce(jsonb_agg(e.changes ORDER BY e.seq), '[]'::jsonb)::text
                                 FROM tokens_event e WHERE e.token_id = t.id)
              FROM tokens_token t WHERE %s::bigint[] IS NULL OR t.session_id = ANY(%s) ORDER BY t.id""",  # noqa: S608
            (session_ids, session_ids),
        )
        for row in cursor:
            yield row[0], row[:-1], json.loads(row[-1])


SENTENCES: dict[str, str] = {
    EventKind.REQUESTED: "Asked for a place.",
    EventKind.CONFIRMED: "Got a place.",
    EventKind.WAITLISTED: "Waits for a place.",
    EventKind.DISPLACED: "Gave up the place.",
    EventKind.PROMOTED: "Got a place that came free.",
    EventKind.MOVED: "Was moved to another slot.",
    EventKind.OVERBOOKED: "Got a place beyond the capacity.",
    EventKind.NORMALISED: "Has an ordinary place now.",
    EventKind.RESCORED: "Priority changed.",
    EventKind.ARRIVED: "Arrived.",
    EventKind.CALLED: "Was called.",
    EventKind.HELD: "Is held.",
    EventKind.SKIPPED: "Was skipped.",
    EventKind.SENT_AWAY: "Went to a test.",
    EventKind.BACK: "Came back from the test.",
    EventKind.STARTED: "Went in to the doctor.",
    EventKind.COMPLETED: "Was seen.",
    EventKind.CANCELLED: "Was cancelled.",
    EventKind.NO_SHOW: "Did not come.",
    EventKind.RETURNED: "Came back after all.",
    EventKind.PATIENT_CHANGED: "Belongs to another patient now.",
    EventKind.UNDONE: "The last step was undone.",
}
"""What each kind says to people; the one registry from kinds to sentences."""
