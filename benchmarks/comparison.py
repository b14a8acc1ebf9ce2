"""Engine and reference in turn, on the same database, with the same requests."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection

from benchmarks import engine, reference
from benchmarks.engine import Result
from benchmarks.hospital import Ground, Hospital, Load

EVENTS = 2
"""Of every request: that it was made, and what came of it."""


class Unfair(Exception):
    """Something failed, or one side wrote other rows than the other."""


@dataclass(frozen=True)
class Pair:
    """Requests a second of both sides in one round."""

    engine: float
    pgbench: float

    @property
    def ratio(self) -> float:
        """What the engine reaches of what is possible."""
        return self.engine / self.pgbench

    def as_json(self) -> dict[str, float]:
        """As it stands in bench.json; the ratio is that of the rounded figures."""
        rps, pgbench = round(self.engine, 1), round(self.pgbench, 1)
        return {"rps": rps, "pgbench": pgbench, "ratio": round(rps / pgbench, 3)}


def compare(hospital: Hospital, load: Load, clients: int, seconds: float, rounds: int) -> Iterator[Pair]:
    """Measure both sides `rounds` times, one right after the other, each on an empty day of its own.

    Raises:
        Unfair: an error on either side, or rows that are not one token and two events for each request.
    """
    for _ in range(rounds):
        figures = []
        for side in (engine, reference):
            ground = hospital.open_day(load)
            result = side.measure(ground, clients=clients, seconds=seconds, by=hospital.receptionist)
            check(side.__name__, ground, result)
            figures.append(result.rps)
        yield Pair(*figures)


def median(pairs: list[Pair]) -> Pair:
    """The round with the middle ratio: its two rates belong together."""
    return sorted(pairs, key=lambda pair: pair.ratio)[len(pairs) // 2]


def check(name: str, ground: Ground, result: Result) -> None:
    """Hold a measurement to its rows: what it says it did is there, no more and no less.

    Raises:
        Unfair: it is not.
    """
    if result.failed:
        raise Unfair(f"{name}: {dict(result.failed)}")
    wanted = {"tokens": result.done, "events": EVENTS * result.done, "numbers": result.done}
    if (found := rows(ground)) != wanted:
        raise Unfair(f"{name} wrote {found}, not {wanted}")


def rows(ground: Ground) -> dict[str, Any]:
    """What stands in the tables for a measurement: tokens, their events, and the numbers its sessions gave."""
    slots = (ground.first_slot, ground.first_slot + ground.load.slots - 1)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH own AS (SELECT id FROM tokens_token WHERE slot_id BETWEEN %s AND %s)
            SELECT (SELECT count(*) FROM own),
                   (SELECT count(*) FROM tokens_event e JOIN own ON own.id = e.token_id),
                   (SELECT sum(x.last_number) FROM scheduling_session x JOIN scheduling_slot s ON s.session_id = x.id
                     WHERE s.id BETWEEN %s AND %s)""",
            slots * 2,
        )
        return dict(zip(("tokens", "events", "numbers"), cursor.fetchone(), strict=True))
