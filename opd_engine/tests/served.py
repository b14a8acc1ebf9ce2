"""The product's own server in a thread of the test: pages and streams as a browser meets them."""

import threading
from types import TracebackType

import uvicorn
from django.test.utils import modify_settings

from opd_engine.asgi import Root
from opd_engine.serve import Server, configured, listen


class Served:
    """A server on a port of its own, on the database of this test. What stands in for it in tests: `live_server`."""

    def __init__(self) -> None:
        self.root = Root()
        self.socket = listen("127.0.0.1", 0)
        self.server = _Server(configured(self.root))
        self.thread = threading.Thread(target=self.server.run, args=([self.socket],), name="served")
        # pytest-django turns it on and off around each test that asks for `live_server`.
        self._live_server_modified_settings = modify_settings(ALLOWED_HOSTS={"append": "127.0.0.1"})

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.socket.getsockname()[1]}"

    def __enter__(self) -> "Served":
        self.thread.start()
        assert self.server.ready.wait(20)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.server.should_exit = True
        self.thread.join(20)
        assert not self.thread.is_alive(), "the server did not end"
        self.root.bridge.threads.shutdown()
        self.socket.close()


class _Server(Server):
    """Says when it answers."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        """Begin to listen."""
        await super().startup(sockets)  # type: ignore[arg-type]
        self.ready.set()
