"""A session's queue as server-sent events: the whole state first, then the whole state after each change."""

import json
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Final

from django.http import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.again import as_of_now
from accounts.api.callers import caller
from common.errors import DomainError
from common.streams import EventStream
from tokens import queries
from tokens.api.answers import queue_json, root_of
from tokens.errors import UnknownSession
from tokens.live import Frame, Watch
from tokens.live.frames import event
from tokens.live.sending import events

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
        watch = self.admit(request, pk)
        return EventStream(lambda: _events(watch, lambda: self.still(request, pk)))

    def admit(self, request: Request, pk: str) -> Watch:
        """What the caller may watch."""
        session = queries.get_session(session_id=int(pk), by=caller(request))
        return queue_watch(session.pk, root_of(request))

    def still(self, request: Request, pk: str) -> bool:
        """Whether the caller would be let in again: the device is signed in still, with the permission."""
        try:
            self.admit(self.initialize_request(as_of_now(request._request)), pk)
        except (DomainError, APIException):
            return False
        return True


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


async def _events(watch: Watch, allowed: Callable[[], bool]) -> AsyncGenerator[bytes, None]:
    """Events as they go over the wire."""

    def write(frame: Frame, seen: str) -> bytes:
        return event("queue", frame.parts["queue"], frame.version)

    yield f"retry: {RETRY}\n\n".encode()
    async with aclosing(events(watch, write, allowed=allowed)) as pieces:
        async for piece in pieces:
            yield piece
