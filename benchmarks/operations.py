"""What each operation costs: statements, and round trips to the database from the first to the commit."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection
from django.test import Client

from accounts.models import Device
from benchmarks.hospital import Ground, Hospital, Load, session_of
from common import trips
from common.transactions import outermost
from tokens import allocation, queueing
from tokens.outcome import Outcome

TINY = Load("operations", 3, 1)


@dataclass
class Cost:
    """Statements sent, and round trips made; the commit is one of each."""

    statements: int = 1
    trips: int = 1

    def as_json(self) -> dict[str, int]:
        """As it stands in bench.json."""
        return {"statements": self.statements, "round_trips": self.trips}


@contextmanager
def counted() -> Iterator[Cost]:
    """Count what goes to the database within one transaction."""
    cost = Cost()
    exchange = trips._exchange  # below both trips and single prepared statements

    def counting(raw: Any, statements: Any) -> Any:
        cost.statements += len(statements)
        cost.trips += 1
        return exchange(raw, statements)

    def query(execute: Callable[..., Any], *arguments: Any) -> Any:
        cost.statements += 1
        cost.trips += 1
        return execute(*arguments)

    trips._exchange = counting
    try:
        with connection.execute_wrapper(query):
            yield cost
    finally:
        trips._exchange = exchange


class Costs:
    """The costs of operations by their names, in the order in which they were done."""

    def __init__(self, by: Any) -> None:
        self.by = by
        self.found: dict[str, dict[str, int]] = {}

    def do(self, name: str, action: Callable[..., Outcome], **arguments: Any) -> int:
        """Run an action as a transaction of its own; returns the id of its token."""
        with counted() as cost:
            outcome = outermost(lambda: action(by=self.by, **arguments))
        self.found[name] = cost.as_json()
        assert outcome.token is not None
        return outcome.token.id


def measure(hospital: Hospital) -> dict[str, dict[str, int]]:
    """A small day, one operation after the other."""
    ground = hospital.open_day(TINY)
    slot, other = ground.first_slot, ground.first_slot + 1
    costs = Costs(hospital.receptionist)
    _ = hospital.receptionist.grants  # a device brings them along when it signs in

    # Somebody who is here: by it a process learns, for some seconds, that this facility makes no bills.
    here = {"patient_id": ground.patient(6), "source": "walk_in", "slot_id": ground.first_slot + 2}
    outermost(lambda: allocation.request_token(**here, by=hospital.receptionist))  # type: ignore[arg-type]

    def ask(name: str, patient: int, source: str) -> int:
        return costs.do(name, allocation.request_token, patient_id=ground.patient(patient), source=source, slot_id=slot)

    first = ask("request, a free place", 1, "online")
    ask("request, waits", 2, "online")
    urgent = ask("request, displaces somebody", 3, "emergency")
    costs.do("cancel, promotes somebody", allocation.cancel_token, token_id=urgent, reason="")
    costs.do("move to another session", allocation.move_token, token_id=first, slot_id=other, reason="")
    costs.do("arrive", queueing.arrive, token_id=first)
    session = session_of(other)
    costs.do("call next", queueing.call_next, session_id=session)
    costs.do("start", queueing.start, token_id=first)
    costs.do("complete", queueing.complete, token_id=first)
    costs.found["POST tokens/, with sign-in"] = over_http(hospital, ground)
    return costs.found


def over_http(hospital: Hospital, ground: Ground) -> dict[str, int]:
    """A request with a device's token, through all of the site but the network.

    Raises:
        RuntimeError: the answer was no token.
    """
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # else whitenoise complains
    _, token = Device.objects.create(user=hospital.receptionist)
    client = Client(headers={"authorization": f"Bearer {token}"})
    for number in (4, 5):  # the first finds out what a process remembers, such as the facility's time zone
        with counted() as cost:
            body = {"slot": ground.first_slot, "patient": ground.patient(number), "source": "online"}
            answer = client.post("/api/v1/tokens/", body, content_type="application/json")
        if answer.status_code != 201:
            raise RuntimeError(f"POST tokens/ answered {answer.status_code}: {answer.content[:500]!r}")
    return cost.as_json()
