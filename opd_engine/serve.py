"""The product as a family of processes: one parent, the servers, the jobs' worker.

The parent loads Django once and forks, so a child that was killed is back at once. Children have process groups of
their own: Ctrl-C reaches the parent alone, which ends them in order. A child whose parent was killed sees the end of
a pipe and ends too.
"""

import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import NoReturn, cast

import uvicorn
from django.conf import settings
from django.db import connections
from procrastinate.contrib.django import app
from procrastinate.contrib.django.django_connector import DjangoConnector

from opd_engine.asgi import Root, application

log = logging.getLogger("opd.serve")

# All of it has to be over in five seconds, open streams and running jobs included.
GRACE_SECONDS = 3
KILL_SECONDS = 4


class Family:
    """The parent's view.

    Args:
        listener: the bound socket that all servers share.
        servers: how many server processes.
    """

    def __init__(self, listener: socket.socket, servers: int) -> None:
        self.listener = listener
        self.members: list[Callable[[], None]] = [self.serve] * servers + [work]
        self.children: dict[int, tuple[Callable[[], None], float]] = {}
        self.stopping = False
        # Nobody ever writes: reading ends when the last holder of the other end, the parent, is gone.
        self.life, self.parent_end = os.pipe()

    def run(self) -> None:
        """Start everybody, replace whoever dies, return when all have ended after SIGINT or SIGTERM."""
        signal.signal(signal.SIGALRM, lambda *_: self.signal_all(signal.SIGKILL))
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self.stop)
        for member in self.members:
            self.start(member)
        while self.children:
            pid, status = os.waitpid(-1, 0)
            if pid not in self.children or self.stopping:
                self.children.pop(pid, None)
                continue
            member, began = self.children.pop(pid)
            log.warning("%s ended (%s); starting another.", name_of(member), os.waitstatus_to_exitcode(status))
            if time.monotonic() - began < 1:
                time.sleep(1)  # one that dies at once must not take the machine with it
            if not self.stopping:
                self.start(member)

    def start(self, member: Callable[[], None]) -> None:
        """Fork a child that does one thing until it is told to stop."""
        connections.close_all()
        sys.stdout.flush()
        sys.stderr.flush()
        signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        # Held back over the fork: the child must not run the parent's handler, nor the parent miss the child.
        signal.pthread_sigmask(signal.SIG_BLOCK, signals)
        pid = os.fork()
        if pid == 0:
            self.live(member)
        self.children[pid] = (member, time.monotonic())
        signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)

    def live(self, member: Callable[[], None]) -> NoReturn:
        """A child's whole life."""
        code = 1
        try:
            os.setpgid(0, 0)
            os.close(self.parent_end)
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM):
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
            threading.Thread(target=end_with_parent, args=(self.life,), daemon=True).start()
            member()
            code = 0
        except Exception:
            log.exception("%s failed.", name_of(member))
        finally:
            # Without Python's own clean-up: it belongs to the parent, whose registrations fork has copied.
            os._exit(code)

    def stop(self, number: int, frame: FrameType | None) -> None:
        """Ask every child to end; whoever has not after a while is killed. A second Ctrl-C changes nothing."""
        if not self.stopping:
            self.stopping = True
            signal.alarm(KILL_SECONDS)
            self.signal_all(signal.SIGTERM)

    def signal_all(self, number: int) -> None:
        """Send a signal to every child."""
        for pid in list(self.children):
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                continue

    def serve(self) -> None:
        """A child's work: answer requests, with connections from a pool."""
        connections.settings["default"]["OPTIONS"]["pool"] = settings.OPD_POOL
        Server(configured(application)).run(sockets=[self.listener])


def configured(root: Root) -> uvicorn.Config:
    """How uvicorn serves us."""
    return uvicorn.Config(
        root,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


class Server(uvicorn.Server):
    """uvicorn, which on its way out ends the streams first: they would never end by themselves."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening, end streams, wait for running requests."""
        cast("Root", self.config.app).end_streams()
        await super().shutdown(sockets)


def work() -> None:
    """A child's work: the jobs."""
    connector = cast(DjangoConnector, app.connector).get_worker_connector()
    with app.replace_connector(connector) as worker:
        worker.run_worker(shutdown_graceful_timeout=GRACE_SECONDS)


def end_with_parent(life: int) -> None:
    """Wait for the parent's end, then end like after SIGTERM."""
    os.read(life, 1)
    os.kill(os.getpid(), signal.SIGTERM)


def name_of(member: Callable[[], None]) -> str:
    """What the log calls a child."""
    return "The jobs' worker" if member is work else "A server process"


def listen(host: str, port: int) -> socket.socket:
    """The bound socket.

    Raises:
        OSError: the address is taken, or not ours.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family, backlog=1024)
    listener.set_inheritable(True)
    return listener
