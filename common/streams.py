"""Answers that stay open: server-sent events, made in the server's event loop after the head has gone out."""

from collections.abc import AsyncGenerator, Callable
from typing import Any

from django.http import HttpResponse

Events = Callable[[], AsyncGenerator[bytes, None]]


class EventStream(HttpResponse):
    """An ordinary answer of an ordinary view, so sign-in, permissions and errors are those of every page.

    `opd_engine.bridge` sees it and sends, instead of the body, what `events` yields, until the reader goes away. No
    thread and no connection of the pool is held meanwhile. A server without the bridge sends the body, which tells
    the reader to ask again in a minute.

    Args:
        events: makes the pieces of the body; called in the event loop.
        public: anybody may open it; such streams leave room for those of who has signed in.
    """

    def __init__(self, events: Events, *, public: bool = False, **kwargs: Any) -> None:
        super().__init__(b"retry: 60000\n\n", content_type="text/event-stream", **kwargs)
        self.events = events
        self.public = public
        self["Cache-Control"] = "no-store"
        self["X-Accel-Buffering"] = "no"  # nginx would keep events until it has a bufferful
