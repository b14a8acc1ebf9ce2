"""What this process knows of doctors: kept for minutes, and read anew by a thread of its own, never by who asks.

Who asks for a doctor that is not known yet gets an estimate from the plan, and the next one a better one.
"""

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connections
from django.utils import timezone

from tokens.facts import SessionFacts
from tokens.queries.facts import zone_of
from tokens.waits import history, learning, log
from tokens.waits.estimate import NOTHING, Known

logger = logging.getLogger("opd.waits")

FRESH: Final = 300.0
"""Seconds after which a doctor is read again, where somebody asked meanwhile."""
ROUND: Final = 5.0
"""Seconds between two rounds of the thread."""

Doctor = tuple[int, int, int]
"""Facility, department, doctor."""


def learn(doctor: Doctor, now: datetime | None = None) -> Known:
    """Read the database and learn all there is about a doctor. Five queries, and the zone once a minute."""
    facility_id, department_id, doctor_id = doctor
    zone = zone_of(facility_id)
    today = (now or timezone.now()).astimezone(zone).date()
    return learning.known(
        history.consultations(doctor_id, today),
        history.visits(doctor_id, today),
        history.house(facility_id, department_id, doctor_id, today),
        history.outcomes(doctor_id, today),
        zone,
        today,
    )


class Keeper:
    """Keeps what is known, and a thread that keeps it fresh and writes the log.

    Args:
        wait: how the thread waits; a test's own does not.
    """

    def __init__(self, wait: Callable[[float], Any] | None = None) -> None:
        self._known: dict[Doctor, tuple[float, Known]] = {}
        self._asked: set[Doctor] = set()
        self._guard = threading.Lock()
        self._thread: threading.Thread | None = None
        self._pause = wait or threading.Event().wait

    def known(self, doctor: Doctor) -> Known:
        """What is known now; asks for more where that is nothing, or old."""
        until, found = self._known.get(doctor, (0.0, NOTHING))
        if until < time.monotonic():
            self._asked.add(doctor)
            self.wake()
        return found

    def wake(self) -> None:
        """See to it that the thread runs; a fork takes it away."""
        if (self._thread is None or not self._thread.is_alive()) and settings.OPD_WAITS_LEARN:
            with self._guard:
                if self._thread is None or not self._thread.is_alive():
                    self._thread = threading.Thread(target=self._run, name="waits", daemon=True)
                    self._thread.start()

    def _run(self) -> None:
        while True:
            try:
                self.round()
            except Exception:
                # The database restarts, or is busy: what was known stays, the next round tries again.
                logger.info("waits were not learned", exc_info=True)
            finally:
                connections.close_all()
            self._pause(ROUND)

    def round(self) -> None:
        """Learn about everybody who was asked for, and write what was given."""
        log.flush()
        while self._asked:
            doctor = next(iter(self._asked))
            try:
                self.learn(doctor)
            except (DatabaseError, InterfaceError):
                raise
            except Exception:
                # A fault of ours with this doctor's past: the others' are learned, and it is tried again later.
                logger.exception("nothing was learned of doctor %s", doctor[2])
                self._known[doctor] = (time.monotonic() + FRESH, self._known.get(doctor, (0.0, NOTHING))[1])
                self._asked.discard(doctor)

    def learn(self, doctor: Doctor, now: datetime | None = None) -> Known:
        """Learn about a doctor now."""
        found = learn(doctor, now)
        self._known[doctor] = (time.monotonic() + FRESH, found)
        self._asked.discard(doctor)
        return found

    def forget(self) -> None:
        """Forget everything."""
        self._known.clear()
        self._asked.clear()


keeper = Keeper()


def known_of(session: SessionFacts) -> Known:
    """What is known of a session's doctor now. No query."""
    return keeper.known(doctor_of(session))


def doctor_of(session: SessionFacts) -> Doctor:
    """Whose session it is, and where."""
    return (session.facility_id, session.department_id, session.doctor_id)
