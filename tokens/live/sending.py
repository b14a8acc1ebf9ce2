"""A stream as it goes over the wire: what changed, signs of life, and an end where the reader may not read on."""

import random
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from functools import partial
from typing import Final

from tokens.live.frames import Frame, Watch
from tokens.live.hearing import in_time
from tokens.live.sharing import hub

KEPT_ALIVE: Final = 8.0
"""Seconds of silence after which a line is sent: by it the server notices who has gone, and the reader a dead line."""
ADMITTED: Final = 35.0
"""Seconds after which it is asked anew whether the reader may read, and up to a fifth more: within a minute in all."""


async def events(
    watch: Watch, write: Callable[[Frame, str], bytes], *, allowed: Callable[[], bool], seen: str = ""
) -> AsyncGenerator[bytes, None]:
    """What a stream sends.

    Args:
        write: the event for a frame, given the version that was sent last; empty where it has nothing for this reader.
        allowed: in the hub's thread: whether the reader would be let in again, to the same.
        seen: the version that the reader has.
    """
    here = hub()
    asked = _later()
    async with aclosing(here.follow(watch, seen=seen, idle=KEPT_ALIVE)) as frames:
        async for frame in frames:
            if time.monotonic() > asked:
                if not await here.in_thread(partial(_in_time, allowed)):
                    return
                asked = _later()
            if frame is None:
                yield b": still here\n\n"
            elif written := write(frame, seen):
                seen = frame.version
                yield written
            else:
                seen = frame.version


def _in_time(allowed: Callable[[], bool]) -> bool:
    with in_time():
        return allowed()


def _later() -> float:
    return time.monotonic() + ADMITTED * random.uniform(1, 1.2)
