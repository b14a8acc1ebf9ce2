"""Django's WSGI application under an ASGI server: one hop to a thread and back for each request.

The body is read by the event loop before a thread is taken, so a slow sender holds no thread; the answer comes back
whole, unless it is long. That is what makes it about half as fast again as ``a2wsgi``, which crosses between thread
and loop four times a request (figures in ``docs/decisions/server.md``).

A view that answers with an `EventStream` lets its thread go: the events are made and sent in the loop.
"""

import asyncio
import contextlib
import logging
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import IO, Any

from common.streams import Events, EventStream

log = logging.getLogger("opd.serve")

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Environ = dict[str, Any]

# A longer body goes through a file; what is beyond the limit is read, so that the sender can hear why it is refused.
IN_MEMORY = 1024 * 1024
LONGEST_BODY = 32 * 1024 * 1024
# Longer answers (an export) are sent in pieces of this size while they are made.
PIECE = 256 * 1024

# Open streams of a process: where nobody raised it, it may have 1,024 files open, and pages must still be answered.
MOST_STREAMS = 800
# From here on only for people who have signed in: strangers at the board's address cannot shut the desks out.
MOST_PUBLIC = 600

TOO_LARGE = (
    b'{"type": "client_error", "errors": [{"code": "too_large", "detail": "The body is too large.", "attr": null}]}'
)


class WSGIBridge:
    """An ASGI application around a WSGI one.

    Args:
        application: the WSGI application.
        threads: how many requests it answers at once; the rest wait their turn.
    """

    def __init__(self, application: Callable[..., Iterable[bytes]], threads: int) -> None:
        self.application = application
        self.threads = ThreadPoolExecutor(threads, thread_name_prefix="request")
        self.streams: set[asyncio.Task[None]] = set()
        self.ending = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as body:
            length = await read_body(receive, body)
            if length is None:
                return  # the sender went away in the middle
            if length > LONGEST_BODY:
                await Answer(send).finish(413, [(b"content-type", b"application/json")], TOO_LARGE)
                return
            loop = asyncio.get_running_loop()
            answer = Answer(send, loop)
            environ = environ_of(scope, body, length)
            rest = await loop.run_in_executor(self.threads, answer.make, self.application, environ)
        if answer.events is None or scope["method"] != "GET":
            await answer.finish(answer.status, answer.headers, rest)
        elif len(self.streams) >= (MOST_PUBLIC if answer.public else MOST_STREAMS):
            await answer.finish(503, [(b"retry-after", b"10")], b"")
        else:
            await self.stream(answer, answer.events, receive)
            await answer.finish(answer.status, answer.headers, b"")

    async def stream(self, answer: "Answer", events: Events, receive: Receive) -> None:
        """Send events until there are no more, the reader goes away, or the server ends."""
        sending = asyncio.create_task(answer.send_all(events))
        leaving = asyncio.create_task(until_gone(receive))
        self.streams.add(sending)
        if self.ending:
            sending.cancel()
        try:
            await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.streams.discard(sending)
            for task in (sending, leaving):
                task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await sending

    def end_streams(self) -> None:
        """End every open stream in good order: the browser sees an end, not a broken line, and connects anew."""
        self.ending = True
        for sending in self.streams:
            sending.cancel()


class Answer:
    """One answer on its way from a thread to the loop."""

    def __init__(self, send: Send, loop: asyncio.AbstractEventLoop | None = None) -> None:
        self.send = send
        self.loop = loop
        self.begun = False
        self.events: Events | None = None
        self.public = False
        self.status = 500
        self.headers: list[tuple[bytes, bytes]] = []

    def make(self, application: Callable[..., Iterable[bytes]], environ: Environ) -> bytes:
        """In a thread: run the application. Returns the body, or its end where it was long."""
        chunks = application(environ, self.start)
        if isinstance(chunks, EventStream):
            self.events, self.public = chunks.events, chunks.public
        try:
            pieces: list[bytes] = []
            size = 0
            for chunk in chunks:
                pieces.append(chunk)
                size += len(chunk)
                if size > PIECE:
                    self.send_now(b"".join(pieces))
                    pieces, size = [], 0
            return b"".join(pieces)
        finally:
            # Django's answer gives the database connection back here, in the thread that took it.
            close = getattr(chunks, "close", None)
            if close:
                close()

    def start(self, status: str, headers: list[tuple[str, str]], exc_info: object = None) -> None:
        """WSGI's ``start_response``."""
        self.status = int(status.split(" ", 1)[0])
        self.headers = [(name.lower().encode("latin1"), value.encode("latin1")) for name, value in headers]

    def send_now(self, piece: bytes) -> None:
        """From the thread: hand a piece to the loop and wait until the server has taken it."""
        assert self.loop is not None
        asyncio.run_coroutine_threadsafe(self.pass_on(self.status, self.headers, piece, more=True), self.loop).result()

    async def send_all(self, events: Events) -> None:
        """In the loop: send pieces as they come."""
        headers = [(name, value) for name, value in self.headers if name != b"content-length"]
        try:
            async with contextlib.aclosing(events()) as pieces:
                await self.pass_on(self.status, headers, b"", more=True)
                async for piece in pieces:
                    await self.pass_on(self.status, headers, piece, more=True)
        except Exception:
            log.exception("A stream failed.")  # it ends; the reader connects anew

    async def finish(self, status: int, headers: list[tuple[bytes, bytes]], rest: bytes) -> None:
        """Send what is left, and the end."""
        await self.pass_on(status, headers, rest, more=False)

    async def pass_on(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes, *, more: bool) -> None:
        """Send a part of the body, after the head where that has not gone yet."""
        if not self.begun:
            self.begun = True
            await self.send({"type": "http.response.start", "status": status, "headers": headers})
        await self.send({"type": "http.response.body", "body": body, "more_body": more})


async def until_gone(receive: Receive) -> None:
    """Wait until the reader has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def read_body(receive: Receive, into: IO[bytes]) -> int | None:
    """Read the request's body. Returns its length in bytes, ``None`` where the sender broke off."""
    length = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        part = message.get("body", b"")
        length += len(part)
        if part and length <= LONGEST_BODY:
            into.write(part)
        if not message.get("more_body"):
            into.seek(0)
            return length


def environ_of(scope: Scope, body: IO[bytes], length: int) -> Environ:
    """WSGI's description of a request (PEP 3333): bytes travel as latin-1 text."""
    server = scope.get("server") or ("localhost", 80)
    client = scope.get("client") or ("", 0)
    environ: Environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": scope["path"].encode("utf-8", "surrogateescape").decode("latin1"),
        "QUERY_STRING": scope["query_string"].decode("latin1"),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1] or 0),
        "REMOTE_ADDR": client[0],
        "REMOTE_PORT": str(client[1]),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": body,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin1"), raw_value.decode("latin1")
        if "_" in name:
            continue  # `X_Forwarded_Proto` would pass for `X-Forwarded-Proto`
        key = "HTTP_" + name.upper().replace("-", "_")
        environ[key] = f"{environ[key]},{value}" if key in environ else value
    environ["CONTENT_TYPE"] = environ.pop("HTTP_CONTENT_TYPE", "")
    environ.pop("HTTP_CONTENT_LENGTH", None)
    environ["CONTENT_LENGTH"] = str(length)  # also of a body that came in chunks
    return environ
