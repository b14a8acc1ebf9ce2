"""The one root of the server: streams stay in the event loop, everything else is answered in threads.

A stream waits most of its life, hundreds of them cost nothing here; a request computes, and Django computes fastest
without a loop in between.
"""

import asyncio
import contextlib
import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "opd_engine.settings")

from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application

from opd_engine.bridge import Receive, Scope, Send, WSGIBridge

_streaming = get_asgi_application()
_answering = WSGIBridge(get_wsgi_application(), settings.OPD_THREADS)
_streams: set["asyncio.Task[None]"] = set()


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Hand a request to the side that suits it."""
    if scope["type"] != "http":
        raise ValueError(f"Only HTTP is spoken here, not {scope['type']}.")
    if scope["path"].endswith("/stream/"):
        await _stream(scope, receive, send)
    else:
        await _answering(scope, receive, send)


async def _stream(scope: Scope, receive: Receive, send: Send) -> None:
    """Run a stream until its reader goes away or the server ends."""
    task = asyncio.ensure_future(_streaming(scope, receive, send))  # type: ignore[arg-type]
    _streams.add(task)
    try:
        await asyncio.wait([task])
        if not task.cancelled():
            task.result()
            return
        # Ended by `close_streams`: finish the answer in good order, and the browser connects anew elsewhere.
        with contextlib.suppress(Exception):
            await send({"type": "http.response.body", "body": b"", "more_body": False})
    finally:
        task.cancel()
        _streams.discard(task)


def close_streams() -> None:
    """End every open stream, so that none of them holds up the end of the server."""
    for task in _streams:
        task.cancel()
