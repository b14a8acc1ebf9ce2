"""The one root of the server: streams stay in the event loop, everything else is answered in threads.

A stream waits most of its life, hundreds of them cost nothing here; a request computes, and Django computes fastest
without a loop in between.
"""

import asyncio
import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "opd_engine.settings")

from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application

from opd_engine.bridge import Message, Receive, Scope, Send, WSGIBridge

_streaming = get_asgi_application()
_answering = WSGIBridge(get_wsgi_application(), settings.OPD_THREADS)
_closing = asyncio.Event()


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Hand a request to the side that suits it."""
    if scope["type"] != "http":
        raise ValueError(f"Only HTTP is spoken here, not {scope['type']}.")
    if scope["path"].endswith("/stream/"):
        await _stream(scope, receive, send)
    else:
        await _answering(scope, receive, send)


async def _stream(scope: Scope, receive: Receive, send: Send) -> None:
    """Run a stream until its reader goes away or the server ends, and finish the answer in good order."""
    open_ended = False

    async def until_closing() -> Message:
        """What comes from the reader; when the server ends, the same as if the reader had gone."""
        heard, closing = asyncio.ensure_future(receive()), asyncio.ensure_future(_closing.wait())
        try:
            await asyncio.wait({heard, closing}, return_when=asyncio.FIRST_COMPLETED)
            return heard.result() if heard.done() else {"type": "http.disconnect"}
        finally:
            heard.cancel()
            closing.cancel()

    async def watched(message: Message) -> None:
        nonlocal open_ended
        open_ended = message["type"] == "http.response.start" or message.get("more_body", False)
        await send(message)

    await _streaming(scope, until_closing, watched)  # type: ignore[arg-type]
    if open_ended:
        # The browser sees an end, not a broken line, and connects anew.
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def close_streams() -> None:
    """End every open stream, so that none of them holds up the end of the server."""
    _closing.set()
