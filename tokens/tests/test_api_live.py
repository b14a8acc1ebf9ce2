"""The live queue: the whole state first, changes within a second across processes, nothing kept for who has gone."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import psycopg
import pytest
from django.db import connection, connections
from rest_framework.test import APIClient

from accounts.models import Device, UserRole
from accounts.tests.factories import UserFactory
from common.transactions import outermost
from tokens import live, queueing
from tokens.api.stream import queue_watch
from tokens.live import hearing, saying, sending
from tokens.tests.hall import API, Hall, code

pytestmark = pytest.mark.django_db(transaction=True)

SOON = 30.0


@pytest.fixture
def hall() -> Hall:
    return Hall()


class Reader:
    """A browser on the stream of a session."""

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self.chunks = chunks

    async def event(self) -> dict[str, Any]:
        """The data of the next event."""
        async with asyncio.timeout(SOON):
            while True:
                lines = (await anext(self.chunks)).decode().splitlines()
                data = [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]
                if data:
                    return json.loads(data[0])

    async def close(self) -> None:
        """Go away."""
        await self.chunks.aclose()  # type: ignore[attr-defined]
        del self.chunks


async def connect(hall: Hall, bearer: str) -> Reader:
    """Open the stream of the hall's session."""
    return (await connect_many(hall, bearer, 1))[0]


async def connect_many(hall: Hall, bearer: str, count: int) -> list[Reader]:
    """Open many; one admission is enough."""
    client = APIClient(headers={"Authorization": f"Bearer {bearer}"})
    response = await elsewhere(lambda: client.get(f"{API}sessions/{hall.session.pk}/stream/"))
    assert (response.status_code, response["Content-Type"]) == (200, "text/event-stream")
    return [Reader(response.events()) for _ in range(count)]


def bearer_of(hall: Hall) -> str:
    return Device.objects.create(user=hall.user("reception"))[1]


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    """Run a scenario in an event loop of its own, and leave no connection behind."""
    asyncio.run(scenario())


async def elsewhere(work: Callable[[], Any]) -> Any:
    """Do something in another thread, as another request would, with a connection of its own."""

    def done() -> Any:
        try:
            return work()
        finally:
            connections.close_all()

    return await asyncio.to_thread(done)


def test_the_whole_queue_first_then_each_change(hall: Hall) -> None:
    bearer, token = bearer_of(hall), hall.give("walk_in")
    by = hall.user("admin")

    async def scenario() -> None:
        reader = await connect(hall, bearer)
        first = await reader.event()
        assert [t["id"] for t in first["waiting"]] == [token["id"]]
        assert first["next"]["number"] == "A-001"
        await elsewhere(lambda: outermost(lambda: queueing.call_next(session_id=hall.session.pk, by=by)))
        then = await reader.event()
        assert then["version"] > first["version"]
        assert [t["id"] for t in then["called"]] == [token["id"]]
        again = await connect(hall, bearer)
        assert await again.event() == then
        await reader.close()
        await again.close()

    run(scenario)


def test_a_change_of_another_process_is_heard(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    bearer = bearer_of(hall)
    monkeypatch.setattr(hearing, "COMPARED", 60.0)
    parameters = {**saying.parameters(), "autocommit": True}

    async def scenario() -> None:
        reader = await connect(hall, bearer)
        first = await reader.event()
        await _listening(reader, hall)
        await elsewhere(lambda: _as_another_process(parameters, hall, hint=True))
        assert (await reader.event())["version"] == first["version"] + 1
        await reader.close()

    run(scenario)


def test_a_hint_that_was_lost_costs_a_second(hall: Hall) -> None:
    bearer = bearer_of(hall)
    parameters = {**saying.parameters(), "autocommit": True}

    async def scenario() -> None:
        reader = await connect(hall, bearer)
        first = await reader.event()
        await elsewhere(lambda: _as_another_process(parameters, hall, hint=False))
        assert (await reader.event())["version"] == first["version"] + 1
        await reader.close()

    run(scenario)


def test_it_hears_again_after_its_connection_was_cut(hall: Hall) -> None:
    bearer = bearer_of(hall)
    parameters = {**saying.parameters(), "autocommit": True}

    async def scenario() -> None:
        reader = await connect(hall, bearer)
        first = await reader.event()
        await _listening(reader, hall)
        await elsewhere(lambda: _cut_listeners(parameters))
        await elsewhere(lambda: _as_another_process(parameters, hall, hint=False))
        assert (await reader.event())["version"] == first["version"] + 1
        await reader.close()

    run(scenario)


def test_who_has_gone_leaves_nothing_behind(hall: Hall) -> None:
    bearer = bearer_of(hall)

    async def scenario() -> None:
        before = asyncio.all_tasks()
        readers = await connect_many(hall, bearer, 50)
        await asyncio.gather(*(reader.event() for reader in readers))
        hub = live.hub()
        assert [watched.readers for watched in hub._watched.values()] == [50]
        for reader in readers:
            await reader.close()
        async with asyncio.timeout(SOON):
            while asyncio.all_tasks() != before:
                await asyncio.sleep(0)
        assert hub.idle

    run(scenario)


def test_fifty_streams_hold_two_connections_at_most(hall: Hall) -> None:
    """One that listens, one that is lent for a read; this test's own and the notifier's are not counted."""
    bearer = bearer_of(hall)
    counted = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"

    def others() -> int:
        with connection.cursor() as cursor:
            cursor.execute(counted)
            return cursor.fetchone()[0]

    before = others()

    async def scenario() -> None:
        readers = await connect_many(hall, bearer, 50)
        await asyncio.gather(*(reader.event() for reader in readers))
        assert await asyncio.to_thread(_closing(others)) <= before + 3  # and the one that counts
        for reader in readers:
            await reader.close()

    run(scenario)


def test_a_quiet_stream_says_that_it_is_still_there(hall: Hall) -> None:
    async def scenario() -> None:
        queues = live.hub().follow(queue_watch(hall.session.pk, ""), idle=0.05)
        async with asyncio.timeout(SOON):
            while await anext(queues) is None:
                pass  # the first read may take longer than silence is borne
            while await anext(queues) is not None:
                pass  # what was done to make the hall may be heard late
        await queues.aclose()

    run(scenario)


def test_it_ends_when_the_device_is_signed_out_or_the_role_is_taken(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "ADMITTED", 0.0)
    monkeypatch.setattr(sending, "KEPT_ALIVE", 0.02)
    bearer, other = bearer_of(hall), Device.objects.create(user=hall.user("doctor"))[1]

    async def scenario() -> None:
        one, two = await connect(hall, bearer), await connect(hall, other)
        await one.event()
        await two.event()
        await elsewhere(lambda: Device.objects.filter(user=hall.user("reception")).delete())
        await elsewhere(lambda: UserRole.objects.filter(user=hall.user("doctor")).delete())
        for reader in (one, two):
            with pytest.raises(StopAsyncIteration):
                await reader.event()

    run(scenario)


def test_who_may_not_see_the_queue_gets_a_refusal_and_no_stream(hall: Hall) -> None:
    stranger = Hall(name="Other Hospital")
    url = f"{API}sessions/{hall.session.pk}/stream/"
    assert code(APIClient().get(url)) == "not_authenticated"
    assert (stranger.client().get(url)).status_code == 404
    assert hall.client("kiosk").get(url).status_code == 403
    nobody = UserFactory(username="nobody")
    assert nobody.grants == {}
    assert hall.client("reception").post(url).status_code == 405


def _closing(work: Callable[[], Any]) -> Callable[[], Any]:
    def done() -> Any:
        try:
            return work()
        finally:
            connections.close_all()

    return done


def _as_another_process(parameters: dict[str, Any], hall: Hall, *, hint: bool) -> None:
    with psycopg.connect(**parameters) as other:
        other.execute("UPDATE scheduling_session SET version = version + 1 WHERE id = %s", (hall.session.pk,))
        if hint:
            other.execute("SELECT pg_notify(%s, %s)", (saying.CHANNEL, f"{hall.facility.pk}.{hall.session.pk}"))


def _cut_listeners(parameters: dict[str, Any]) -> None:
    with psycopg.connect(**parameters) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = %s AND datname = current_database()",
            (hearing.LISTENER,),
        )


async def _listening(reader: Reader, hall: Hall) -> None:
    """Wait until the process listens: a hint before that is one that was lost."""

    def listens() -> bool:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE application_name = %s AND query LIKE 'SELECT %%' AND datname = current_database()",
                (hearing.LISTENER,),
            )
            return bool(cursor.fetchone()[0])

    async with asyncio.timeout(SOON):
        while not await asyncio.to_thread(_closing(listens)):
            pass
