"""The product's own server in a thread of the test: pages and streams as a browser meets them."""

import threading
from types import TracebackType
from typing import Any

import uvicorn
from django.test.utils import modify_settings

from opd_engine.asgi import Root
from opd_engine.serve import Server, configured, listen

SOON = 30.0


class Served:
    """A server on a port of its own, on the database of this test: what `live_server` is here."""

    def __init__(self) -> None:
        self.port = 0
        # pytest-django turns it on and off around each test that asks for `live_server`.
        self._live_server_modified_settings = modify_settings(ALLOWED_HOSTS={"append": "127.0.0.1"})

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Answer, on the same port as before."""
        self.root = Root()
        self.socket = listen("127.0.0.1", self.port)
        self.port = self.socket.getsockname()[1]
        self.server = _Server(configured(self.root))
        self.thread = threading.Thread(target=self.server.run, args=([self.socket],), name="served")
        self.thread.start()
        assert self.server.ready.wait(SOON)

    def stop(self) -> None:
        """End as the product does: streams in good order, then the rest."""
        self.server.should_exit = True
        self.thread.join(SOON)
        assert not self.thread.is_alive(), "the server did not end"
        self.root.bridge.threads.shutdown()
        self.socket.close()

    def __enter__(self) -> "Served":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class _Server(Server):
    """Says when it answers."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: Any = None) -> None:
        """Begin to listen."""
        await super().startup(sockets)
        self.ready.set()
