"""The one root of the server: every request is answered in a thread by Django's WSGI side, streams stay in the loop.

A request computes, and Django computes fastest without a loop in between; a stream waits most of its life, and
hundreds of them cost nothing here.
"""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "opd_engine.settings")

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from opd_engine.bridge import Receive, Scope, Send, WSGIBridge


class Root:
    """The server's application."""

    def __init__(self) -> None:
        self.bridge = WSGIBridge(get_wsgi_application(), settings.OPD_THREADS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            raise ValueError(f"Only HTTP is spoken here, not {scope['type']}.")
        await self.bridge(scope, receive, send)

    def end_streams(self) -> None:
        """End every open stream, so that none of them holds up the end of the server."""
        self.bridge.end_streams()


application = Root()
