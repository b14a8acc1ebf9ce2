"""A session's queue as server-sent events: the whole state first, then the whole state after each change."""

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

from django.http import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.api.callers import caller
from common.streams import EventStream
from tokens import queries
from tokens.api.answers import queue_json, root_of
from tokens.errors import UnknownSession
from tokens.live import Frame, Watch, hub
from tokens.live.frames import event

KEPT_ALIVE: Final = 15.0
"""Seconds of silence after which a line is sent, by which a reader who has gone is noticed."""
RETRY: Final = 2000
"""Milliseconds after which a browser connects again."""


class StreamView(APIView):
    """Sign-in and permissions are those of every view; what comes after is sent by the event loop."""

    @extend_schema(responses={(200, "text/event-stream"): str})
    def get(self, request: Request, pk: str) -> HttpResponseBase:
        """The session's queue whenever it changes, within a second: events `queue`, whose data is that of `queue/`.

        Each event's id is the session's version. Who connects again is first sent the whole queue as it is then. Where
        somebody was held or delayed for a time that is over now, the queue comes again under the same version.
        """
        session = queries.get_session(session_id=int(pk), by=caller(request))
        watch = queue_watch(session.pk, root_of(request))
        return EventStream(lambda: _events(watch))


def queue_watch(session_id: int, root: str) -> Watch:
    """The queue of a session as clients read it."""

    def read() -> Frame | None:
        try:
            queue = queries.queue(session_id)
        except UnknownSession:
            return None
        data = json.dumps(queue_json(queue, root), separators=(",", ":"))
        return Frame(str(queue.session.version), {"queue": data})

    return Watch(key=("queue", session_id, root), read=read, session_ids=frozenset({session_id}))


async def _events(watch: Watch) -> AsyncGenerator[bytes, None]:
    """Events as they go over the wire."""
    yield f"retry: {RETRY}\n\n".encode()
    async with aclosing(hub().follow(watch, idle=KEPT_ALIVE)) as frames:
        async for frame in frames:
            yield b": still here\n\n" if frame is None else event("queue", frame.parts["queue"], frame.version)
