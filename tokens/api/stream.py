"""A session's queue as server-sent events: the whole state first, then the whole state after each change."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Any, Final

from asgiref.sync import sync_to_async
from django.db import connections
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.callers import caller
from tokens import live, queries
from tokens.api.answers import queue_json, root_of
from tokens.queries import Queue

KEPT_ALIVE: Final = 15.0
"""Seconds of silence after which a line is sent, by which a reader who has gone is noticed."""
RETRY: Final = 2000
"""Milliseconds after which a browser connects again."""


class StreamView(APIView):
    """The stream's sign-in and permissions, which are those of every view; the streaming itself is `stream`."""

    @extend_schema(responses={(200, "text/event-stream"): str})
    def get(self, request: Request, pk: str) -> Response:
        """The session's queue whenever it changes, within a second: events `queue`, whose data is that of `queue/`.

        Each event's id is the session's version. Who connects again is first sent the whole queue as it is then.
        """
        session = queries.get_session(session_id=int(pk), by=caller(request))
        return Response({"session": session.pk})


async def stream(request: HttpRequest, pk: str) -> HttpResponseBase:
    """Let the reader in, then send what the hub of this process hears. No connection of the pool is held meanwhile."""
    admitted = await sync_to_async(_admit)(request, pk)
    if admitted.status_code != 200 or request.method != "GET":
        return admitted
    response = StreamingHttpResponse(_events(int(pk), root_of(request)), content_type="text/event-stream")
    response["Cache-Control"] = "no-store"
    response["X-Accel-Buffering"] = "no"
    return response


# So the schema finds the view behind the function, and Django exempts it from what is asked of forms.
stream.cls = StreamView  # type: ignore[attr-defined]
stream.initkwargs = {}  # type: ignore[attr-defined]
stream.csrf_exempt = True  # type: ignore[attr-defined]

_answer: Callable[..., Any] = StreamView.as_view()


def _admit(request: HttpRequest, pk: str) -> HttpResponseBase:
    """The answer of the ordinary view; its connection goes back to the pool."""
    try:
        return _answer(request, pk=pk).render()
    finally:
        connections.close_all()


async def _events(session_id: int, root: str) -> AsyncIterator[bytes]:
    """Events as they go over the wire."""
    yield f"retry: {RETRY}\n\n".encode()
    async with aclosing(live.hub().watch(session_id, idle=KEPT_ALIVE)) as queues:
        async for queue in queues:
            yield b": still here\n\n" if queue is None else event(queue, root)


def event(queue: Queue, root: str) -> bytes:
    """One event: the queue, under its version."""
    data = json.dumps(queue_json(queue, root), separators=(",", ":"))
    return f"id: {queue.session.version}\nevent: queue\ndata: {data}\n\n".encode()
