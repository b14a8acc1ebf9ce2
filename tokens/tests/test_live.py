"""Frames and the hub by themselves: a source of the test's own, no database, no clock."""

import asyncio
import threading
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from datetime import date
from typing import Any

import pytest

from tokens.live import Frame, Hub, Watch, shared
from tokens.live.frames import Known, Versions, arranged, versions_query
from tokens.live.rounds import reading
from tokens.live.saying import Hint, Notifier

SOON = 30.0
TODAY = date(2026, 11, 21)


class World:
    """What the hub reads and hears: sessions of facility 1 with their versions, and news as the test sends them."""

    def __init__(self) -> None:
        self.versions = {7: 1}
        self.news: asyncio.Queue[Hint | Known | Exception] = asyncio.Queue()
        self.reads = 0
        self.fault: Exception | None = None
        self.gone = False
        self.may_read = threading.Event()
        self.may_read.set()
        self.heard_from = 0

    def read(self, watch: Watch, woken: float) -> tuple[Versions, Frame | None]:
        with reading(woken):
            found = self.known().of(watch), watch.read()
        self.reads += 1
        assert self.may_read.wait(SOON)
        if self.fault:
            raise self.fault
        return found

    async def hear(self, watches: Callable[[], Iterable[Watch]]) -> AsyncGenerator[Hint | Known, None]:
        self.heard_from += 1
        while True:
            news = await self.news.get()
            if isinstance(news, Exception):
                raise news
            yield news

    def known(self) -> Known:
        return Known([(key, 1, TODAY, version) for key, version in self.versions.items()], TODAY)

    def frame(self) -> Frame | None:
        return None if self.gone else Frame.of({f"s-{key}": f"v{value}" for key, value in self.versions.items()})

    def watch(self, **more: Any) -> Watch:
        return Watch(**{"key": "hall", "read": self.frame, "facility_id": 1, **more})


Scenario = Callable[[World, Hub], Awaitable[None]]


def play(scenario: Scenario, *, until_minute: Callable[[], float] = lambda: 3600.0) -> None:
    """Play it in an event loop of its own; afterwards the hub holds nothing."""

    async def whole() -> None:
        before = asyncio.all_tasks()
        world = World()
        hub = Hub(world, gathered=0, until_minute=until_minute)
        async with asyncio.timeout(SOON):
            await scenario(world, hub)
            assert hub.idle
            while asyncio.all_tasks() != before:
                await asyncio.sleep(0)

    asyncio.run(whole())
    for thread in [each for each in threading.enumerate() if each.name.startswith("live-reader")]:
        thread.join(SOON)
        assert not thread.is_alive()


async def shown(stream: AsyncGenerator[Frame | None, None]) -> dict[str, str]:
    frame = await anext(stream)
    assert frame is not None
    return dict(frame.parts)


def test_the_state_first_then_what_a_hint_tells() -> None:
    async def scenario(world: World, hub: Hub) -> None:
        stream = hub.follow(world.watch(), idle=SOON)
        assert await shown(stream) == {"s-7": "v1"}
        world.versions[7] = 2
        world.news.put_nowait((1, 7))
        assert await shown(stream) == {"s-7": "v2"}
        await stream.aclose()

    play(scenario)


def test_who_watches_the_same_shares_a_read() -> None:
    async def scenario(world: World, hub: Hub) -> None:
        world.may_read.clear()
        streams = [hub.follow(world.watch(), idle=SOON) for _ in range(100)]
        first = [asyncio.ensure_future(shown(stream)) for stream in streams]
        await asyncio.sleep(0)
        world.may_read.set()
        assert await asyncio.gather(*first) == [{"s-7": "v1"}] * 100
        assert world.reads <= 2
        for stream in streams:
            await stream.aclose()

    play(scenario)


def test_a_session_that_is_new_is_found_without_a_hint() -> None:
    async def scenario(world: World, hub: Hub) -> None:
        stream = hub.follow(world.watch(), idle=SOON)
        await shown(stream)
        world.versions[8] = 1
        world.news.put_nowait(world.known())
        assert await shown(stream) == {"s-7": "v1", "s-8": "v1"}
        del world.versions[7]
        world.news.put_nowait(world.known())
        assert await shown(stream) == {"s-8": "v1"}
        await stream.aclose()

    play(scenario)


@pytest.mark.parametrize("concerned", [{"facility_id": 2}, {"facility_id": None, "session_ids": frozenset({8})}])
def test_news_of_others_wake_nobody(concerned: dict[str, Any]) -> None:
    async def scenario(world: World, hub: Hub) -> None:
        stream = hub.follow(world.watch(**concerned), idle=SOON)
        await shown(stream)
        reads = world.reads
        world.news.put_nowait((1, 7))
        world.news.put_nowait(world.known())
        while not world.news.empty():
            await asyncio.sleep(0)
        assert world.reads == reads
        await stream.aclose()

    play(scenario)


def test_a_change_between_page_and_stream_is_delivered() -> None:
    """The page was written at version 1, another desk changed it before the stream began: nobody hints any more."""

    async def scenario(world: World, hub: Hub) -> None:
        page = world.frame()
        assert page is not None
        world.versions[7] = 2
        stream = hub.follow(world.watch(), seen=page.version, idle=SOON)
        assert await shown(stream) == {"s-7": "v2"}
        await stream.aclose()

    play(scenario)


def test_a_page_that_is_ahead_of_the_hub_never_goes_back() -> None:
    """A stream is open at version 1, the hint about 2 is on its way, a page was written at 2 meanwhile."""

    async def scenario(world: World, hub: Hub) -> None:
        older = hub.follow(world.watch(), idle=SOON)
        await shown(older)
        world.versions[7] = 2
        page = world.frame()
        assert page is not None
        newer = hub.follow(world.watch(), seen=page.version, idle=SOON)
        assert await shown(newer) == {"s-7": "v2"}
        assert await shown(older) == {"s-7": "v2"}
        await older.aclose()
        await newer.aclose()

    play(scenario)


def test_who_has_seen_it_hears_nothing_until_it_changes() -> None:
    async def scenario(world: World, hub: Hub) -> None:
        first = hub.follow(world.watch(), idle=SOON)
        frame = await anext(first)
        assert frame is not None
        again = hub.follow(world.watch(), seen=frame.version, idle=0)
        assert await anext(again) is None
        await first.aclose()
        await again.aclose()

    play(scenario)


def test_a_change_during_a_read_is_read_again() -> None:
    async def scenario(world: World, hub: Hub) -> None:
        world.may_read.clear()
        stream = hub.follow(world.watch(), idle=SOON)
        first = asyncio.ensure_future(shown(stream))
        while not world.reads:
            await asyncio.sleep(0)
        world.versions[7] = 2
        world.news.put_nowait((1, 7))
        while not world.news.empty():
            await asyncio.sleep(0)
        world.may_read.set()
        assert await first == {"s-7": "v1"}
        assert await shown(stream) == {"s-7": "v2"}
        await stream.aclose()

    play(scenario)


def test_watches_that_one_change_wakes_read_the_same_thing_once() -> None:
    async def scenario(world: World, hub: Hub) -> None:
        made = []

        def make() -> Frame | None:
            made.append(world.versions[7])
            return world.frame()

        def hall() -> Frame | None:
            return shared("hall", make)

        streams = [hub.follow(world.watch(key=key, read=hall), idle=SOON) for key in "abc"]
        await asyncio.gather(*map(shown, streams))
        made.clear()
        world.versions[7] = 2
        world.news.put_nowait((1, 7))
        assert await asyncio.gather(*map(shown, streams)) == [{"s-7": "v2"}] * 3
        assert made == [2]
        for stream in streams:
            await stream.aclose()

    play(scenario)


def test_what_most_look_at_is_read_first() -> None:
    async def scenario(world: World, hub: Hub) -> None:
        order: list[str] = []

        def phone() -> Frame | None:
            order.append("phone")
            return world.frame()

        def desk() -> Frame | None:
            order.append("desk")
            return world.frame()

        phones = [hub.follow(world.watch(key=f"phone {n}", read=phone), idle=SOON) for n in range(5)]
        desks = [hub.follow(world.watch(key="desk", read=desk), idle=SOON) for _ in range(2)]
        await asyncio.gather(*map(shown, phones + desks))
        order.clear()
        world.versions[7] = 2
        world.news.put_nowait((1, 7))
        await asyncio.gather(*map(shown, phones + desks))
        assert order[0] == "desk"
        for stream in phones + desks:
            await stream.aclose()

    play(scenario)


def test_what_was_read_before_the_change_serves_nobody_after_it() -> None:
    with reading(woken=0.0):
        assert shared("hall", lambda: "before") == "before"
        assert shared("hall", lambda: "again") == "before"
    with reading(woken=time.monotonic()):
        assert shared("hall", lambda: "after") == "after"
    assert shared("hall", lambda: "outside") == "outside"


def test_each_minute_it_is_read_again_and_only_a_difference_is_sent() -> None:
    async def scenario(world: World, hub: Hub) -> None:
        stream = hub.follow(world.watch(), idle=SOON)
        await shown(stream)
        following = asyncio.ensure_future(shown(stream))
        reads = world.reads
        while world.reads < reads + 3:
            await asyncio.sleep(0)
        assert not following.done()
        world.versions[7] = 2  # a minute has passed, nobody said anything
        assert await following == {"s-7": "v2"}
        await stream.aclose()

    play(scenario, until_minute=lambda: 0.0)


def test_what_could_not_be_read_is_read_at_the_next_comparison() -> None:
    async def scenario(world: World, hub: Hub) -> None:
        world.fault = RuntimeError("a template is broken")
        stream = hub.follow(world.watch(), idle=SOON)
        first = asyncio.ensure_future(shown(stream))
        while not world.reads:
            await asyncio.sleep(0)
        world.fault = None
        while not first.done():
            if world.news.empty():
                world.news.put_nowait(world.known())
            await asyncio.sleep(0)
        assert await first == {"s-7": "v1"}
        await stream.aclose()

    play(scenario)


def test_what_is_gone_ends_its_streams() -> None:
    async def scenario(world: World, hub: Hub) -> None:
        stream = hub.follow(world.watch(), idle=SOON)
        await shown(stream)
        world.gone = True
        world.news.put_nowait((1, 7))
        with pytest.raises(StopAsyncIteration):
            await anext(stream)

    play(scenario)


def test_it_listens_again_and_gives_up_when_nothing_can_be_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tokens.live.sharing.AGAIN", 0.0)

    async def scenario(world: World, hub: Hub) -> None:
        stream = hub.follow(world.watch(), idle=SOON)
        await shown(stream)
        world.news.put_nowait(OSError("cut"))
        world.versions[7] = 2
        world.news.put_nowait((1, 7))
        assert await shown(stream) == {"s-7": "v2"}
        assert world.heard_from == 2
        for _ in range(5):
            world.news.put_nowait(OSError("the database is away"))
        with pytest.raises(StopAsyncIteration):
            await anext(stream)

    play(scenario)


def test_who_does_not_read_keeps_nobody_else_away_after_the_database_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tokens.live.sharing.AGAIN", 0.0)

    async def scenario(world: World, hub: Hub) -> None:
        stuck, other = hub.follow(world.watch(), idle=SOON), hub.follow(world.watch(), idle=SOON)
        await shown(stuck)  # and never asks again: its reader takes nothing from the line
        await shown(other)
        for _ in range(5):
            world.news.put_nowait(OSError("the database is away"))
        with pytest.raises(StopAsyncIteration):
            await anext(other)
        again = hub.follow(world.watch(), idle=SOON)
        assert await shown(again) == {"s-7": "v1"}
        world.versions[7] = 2
        world.news.put_nowait((1, 7))
        assert await shown(again) == {"s-7": "v2"}
        await again.aclose()
        await stuck.aclose()

    play(scenario)


class TestFrame:
    def test_its_version_says_which_parts_a_browser_has(self) -> None:
        was, now = Frame.of({"a": "1", "b": "2", "c": "3"}), Frame.of({"a": "1", "b": "other", "d": "4"})
        assert now.unseen(now.version) == ()
        assert now.unseen(was.version) == ("b", "d")
        assert now.unseen("") == now.unseen("what we never sent") == ("a", "b", "d")

    def test_a_version_of_its_own_stands_for_the_whole(self) -> None:
        frame = Frame("12", {"a": "1", "b": "2"})
        assert frame.unseen("12") == ()
        assert frame.unseen("11") == ("a", "b")

    def test_an_event_is_made_once(self) -> None:
        frame = Frame.of({"a": "<p id=a>one\ntwo</p>", "b": "नमस्ते"})
        assert frame.event(("a", "b")) is frame.event(("a", "b"))
        lines = frame.event(("a", "b")).decode().splitlines()
        assert lines == [
            f"id: {frame.version}",
            "event: parts",
            'data: ["<p id=a>one\\ntwo</p>","नमस्ते"]',
            "",
        ]

    def test_children_in_order(self) -> None:
        assert arranged("columns", ["col-1", "col-2"]) == '<div id="columns" data-parts="col-1 col-2"></div>'


def test_a_facility_s_versions_are_those_of_its_day_and_the_nights_around() -> None:
    ours = Watch("hall", lambda: None, facility_id=1)
    assert ours.days(TODAY) == (date(2026, 11, 20), TODAY, date(2026, 11, 22))
    _, given = versions_query([ours, Watch("one", lambda: None, session_ids=frozenset({9}))], TODAY)
    assert [sorted(each) for each in given] == [[9], [1], list(ours.days(TODAY))]
    assert Watch("later", lambda: None, facility_id=1, date=TODAY).days(date(2026, 1, 1)) == (date(2026, 11, 20), TODAY)


def test_hints_are_gathered() -> None:
    """A thousand changes of a session while the notifier sleeps are one hint."""
    asleep, awake = threading.Event(), threading.Event()
    sent: list[list[str]] = []

    def pause(seconds: float) -> None:
        asleep.set()
        awake.wait(SOON)

    notifier = Notifier(pause)
    notifier.send = lambda hints: sent.append(sorted(hints))  # type: ignore[method-assign]
    notifier.add([(5, 1)])
    assert asleep.wait(SOON)
    asleep.clear()
    for _ in range(1000):
        notifier.add([(5, 7), (5, 8)])
    awake.set()
    assert asleep.wait(SOON)
    assert sent == [["5.1"], ["5.7", "5.8"]]
