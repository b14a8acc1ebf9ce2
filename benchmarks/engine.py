"""The engine as it is: worker processes with a connection each, every request a transaction of its own."""

import multiprocessing
import random
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier

from django.db import connections

from accounts.models import User
from benchmarks.hospital import Ground
from common.transactions import outermost
from tokens import allocation
from tokens.live import saying

WARM_UP = 8
"""Requests of a worker before its clock starts: a connection's statements are prepared by then."""


@dataclass
class Result:
    """What one measurement gave.

    Attributes:
        rps: requests a second.
        done: requests committed, those before the clock started too.
        failed: kinds of errors and how often each came; empty where all is well.
    """

    rps: float = 0.0
    done: int = 0
    failed: Counter[str] = field(default_factory=Counter)


def measure(ground: Ground, *, clients: int, seconds: float, by: User) -> Result:
    """Ask for tokens from `clients` processes at once, for `seconds`."""
    connections.close_all()  # a connection must not be shared with a fork
    context = multiprocessing.get_context("fork")
    barrier = context.Barrier(clients)
    readers, workers = [], []
    for number in range(clients):
        reader, writer = context.Pipe(duplex=False)
        arguments = (Worker(ground, number, clients, by), barrier, seconds, writer)
        workers.append(context.Process(target=_main, args=arguments))
        readers.append(reader)
        workers[-1].start()
        writer.close()
    total = Result()
    for reader in readers:
        one: Result = reader.recv()
        total.rps += one.rps
        total.done += one.done
        total.failed += one.failed
    for worker in workers:
        worker.join()
    return total


def _main(worker: "Worker", barrier: Barrier, seconds: float, answer: Connection) -> None:
    """A worker's whole life.

    It sends no hints to live screens: they come after the commit, the reference sends none either, and 32 processes
    would send sixteen times as many as the server's two. The load over HTTP has them.
    """
    saying.Notifier.add = _no_hints  # type: ignore[method-assign, assignment]
    try:
        for _ in range(WARM_UP):
            worker.request()
        barrier.wait()
        answer.send(worker.run(seconds))
    except BaseException:
        barrier.abort()
        raise
    finally:
        connections.close_all()


def _no_hints(notifier: saying.Notifier, session_ids: Iterable[int]) -> None:
    """Instead of `Notifier.add`, in the worker's process."""


class Worker:
    """One client of the engine.

    Args:
        number: which one it is, from 0, of `clients`.
    """

    def __init__(self, ground: Ground, number: int, clients: int, by: User) -> None:
        self.ground, self.number, self.clients, self.by = ground, number, clients, by
        self.random = random.Random(number)
        self.made = 0
        self.result = Result()

    def run(self, seconds: float) -> Result:
        """Make requests, one after the other, for as long as that."""
        began = time.perf_counter()
        before = self.result.done
        while (elapsed := time.perf_counter() - began) < seconds:
            self.request()
        self.result.rps = (self.result.done - before) / elapsed
        return self.result

    def request(self) -> None:
        """One request for a token, committed."""
        patient = self.ground.patient(self.made * self.clients + self.number)
        slot = self.ground.first_slot + self.random.randrange(self.ground.load.slots)
        self.made += 1
        try:
            outermost(lambda: allocation.request_token(patient_id=patient, source="online", slot_id=slot, by=self.by))
        except Exception as error:  # whatever it is, it is counted and told
            self.result.failed[f"{type(error).__name__}: {error}"] += 1
        else:
            self.result.done += 1
