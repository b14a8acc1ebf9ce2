"""What all streams of a process share: one read a change of what they watch, and one who hears that it changed."""

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import AsyncGenerator, Callable, Hashable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from functools import partial
from typing import Final, Protocol, TypeVar
from weakref import WeakKeyDictionary

from tokens.live.frames import Frame, Known, Versions, Watch
from tokens.live.hearing import Database, expected
from tokens.live.saying import GATHERED, Hint

logger = logging.getLogger("opd.live")
T = TypeVar("T")

AGAIN: Final = 1.0
"""Seconds after which one listens again where it could not be done."""
DEAF: Final = 5
"""So often in a row it could not be done, and streams end: a screen must say that it is old."""
MINUTE: Final = 60.0
"""After each minute everything is read again: what is shown says how long somebody waits, or until when."""
SPREAD: Final = 5.0
"""Seconds over which the reads of a new minute are spread."""


class Source(Protocol):
    """Where news and frames come from."""

    def read(self, watch: Watch, woken: float) -> tuple[Versions, Frame | None]:
        """In the hub's thread: the frame, not older than that moment, and the versions from before it was read."""

    def hear(self, watches: Callable[[], Iterable[Watch]]) -> AsyncGenerator[Hint | Known, None]:
        """Hints as they come, and once a second the versions of what is watched; raises where the line is cut."""


class Watched:
    """Something that streams of this process watch: its last frame, and who waits for the next one."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self.frame: Frame | None = None
        self.versions: Versions | None = None  # those known before the read; None: it must be read again
        self.over = self.reading = False
        self.begun = self.done = 0  # reads
        self.readers = 0
        self.trouble = ""
        self.stale = asyncio.Event()
        self.wake()
        self.changed = asyncio.Condition()
        self.task: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """It is to be read again."""
        self.woken = time.monotonic()
        self.stale.set()

    def begin(self, seen: str) -> tuple[Frame | None, int]:
        """What a new reader has, and which read it waits for.

        A reader with another version than the last one read may be ahead of it: only what is read from now on is
        surely not older than what it shows.
        """
        if self.frame is not None and self.frame.version == seen:
            return self.frame, self.done
        self.wake()
        return None, self.begun + 1

    async def newer_than(self, had: Frame | None, read: int, idle: float) -> Frame | None:
        """The frame as soon as it is another than this one, and of at least that read; None after `idle` seconds."""

        def there() -> bool:
            return self.over or (self.done >= read and self.frame is not had)

        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(idle), self.changed:
                await self.changed.wait_for(there)
                return self.frame
        return None

    async def show(self, frame: Frame | None, read: int) -> None:
        """Tell everybody who waits; None says that it is gone. A frame that shows the same is the old one."""
        async with self.changed:
            self.done = read
            self.over = frame is None
            if frame != self.frame:
                self.frame = frame
            self.changed.notify_all()

    async def end(self) -> None:
        """Send everybody away."""
        async with self.changed:
            self.over = True
            self.changed.notify_all()


class Hub:
    """What all streams of an event loop share.

    Args:
        source: the database; tests have one of their own.
        gathered: seconds over which changes of a watch are one read.
        until_minute: seconds until everything is read again.
    """

    def __init__(
        self, source: Source, *, gathered: float = GATHERED, until_minute: Callable[[], float] | None = None
    ) -> None:
        self._source = source
        self._gathered = gathered
        self._until_minute = until_minute or _to_next_minute
        self._watched: dict[Hashable, Watched] = {}
        self._listener: asyncio.Task[None] | None = None
        # One thread reads for all streams, so the pool lends them one connection at most, and for the read only.
        self._reader: ThreadPoolExecutor | None = None

    @property
    def idle(self) -> bool:
        """Whether nothing is held: no watch, no task, no thread, no connection."""
        return not self._watched and self._listener is None and self._reader is None

    async def follow(self, watch: Watch, *, seen: str = "", idle: float) -> AsyncGenerator[Frame | None, None]:
        """The frame as it is now, unless the reader has seen that version; then each later one.

        It ends where the thing is gone, or where nothing can be heard of it any more.

        Args:
            idle: seconds of silence after which None is given.
        """
        watched = self._join(watch)
        try:
            had, read = watched.begin(seen)
            while True:
                frame = await watched.newer_than(had, read, idle)
                if watched.over:
                    return
                had = frame or had
                yield frame
        finally:
            self._leave(watched)

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Do something short in this hub's thread, while a stream is open; `in_time`, where it asks the database."""
        return await asyncio.get_running_loop().run_in_executor(self._reader, work)

    def _join(self, watch: Watch) -> Watched:
        if self._listener is None:
            self._reader = ThreadPoolExecutor(1, thread_name_prefix="live-reader")
            self._listener = asyncio.create_task(self._listen())
        watched = self._watched.get(watch.key)
        if watched is None or watched.over:  # a reader of the old one may be stuck, and leave much later
            watched = self._watched[watch.key] = Watched(watch)
            watched.task = asyncio.create_task(self._renew(watched))
        watched.readers += 1
        return watched

    def _leave(self, watched: Watched) -> None:
        """Forget a stream; with the last one of a watch its task ends, with the last of all listening and reading."""
        watched.readers -= 1
        if watched.readers:
            return
        if self._watched.get(watched.watch.key) is watched:
            del self._watched[watched.watch.key]
        if watched.task is not None:
            watched.task.cancel()
        if not self._watched and self._listener is not None and self._reader is not None:
            self._listener.cancel()
            self._reader.shutdown(wait=False)
            self._listener = self._reader = None

    async def _renew(self, watched: Watched) -> None:
        """Read each time that something is said to have changed, at most ten times a second, and each minute."""
        while not watched.over:
            if not await _until(watched.stale, self._until_minute()):
                watched.woken = time.monotonic() - SPREAD  # nobody said that anything changed
            watched.stale.clear()
            watched.begun += 1
            watched.reading = True
            try:
                watched.versions, frame = await self.in_thread(partial(self._source.read, watched.watch, watched.woken))
            except Exception as error:
                # The database restarts, or is busy: what was shown stays, the next comparison tries again.
                watched.versions = None
                _say_once(watched, error)
            else:
                watched.trouble = ""
                await watched.show(frame, watched.begun)
            finally:
                watched.reading = False
            await asyncio.sleep(self._gathered)

    async def _listen(self) -> None:
        """Wake what is said to have changed; where the line is cut, listen again."""
        broken = 0
        while True:
            try:
                async with aclosing(self._source.hear(self._watches)) as all_news:
                    async for news in all_news:
                        broken = 0
                        self._wake(news)
            except Exception as error:
                # Whatever it was: without this task no stream of the process hears anything any more.
                logger.info("not listening: %s", error)
            broken += 1
            if broken == DEAF:
                for watched in list(self._watched.values()):
                    await watched.end()
            await asyncio.sleep(AGAIN)

    def _watches(self) -> list[Watch]:
        return [watched.watch for watched in self._watched.values()]

    def _wake(self, news: Hint | Known) -> None:
        # What most look at is read first: fifty phones with a line each must not stand before the desks.
        for watched in sorted(self._watched.values(), key=lambda each: -each.readers):
            if isinstance(news, Known):
                # What is being read now is compared the next time.
                changed = not watched.reading and watched.versions != news.of(watched.watch)
            else:
                changed = watched.watch.concerns(*news)
            if changed:
                watched.wake()


async def _until(event: asyncio.Event, seconds: float) -> bool:
    """Wait for an event, so long at most; whether it came."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
    return event.is_set()


def _to_next_minute() -> float:
    return MINUTE - time.time() % MINUTE + random.uniform(0, SPREAD)


def _say_once(watched: Watched, error: Exception) -> None:
    """Log why something was not read, and not again each second until it is read."""
    if repr(error) != watched.trouble:
        watched.trouble = repr(error)
        fault = not expected(error)
        logger.log(logging.ERROR if fault else logging.INFO, "not read: %s", error, exc_info=fault)


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def hub() -> Hub:
    """The hub of the running event loop."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        _hubs[loop] = Hub(Database())
    return _hubs[loop]
