"""Plays a made-up day through the real actions, tells what happened, and leaves nothing behind."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import uuid4

from django.db import connection, transaction

from accounts.models import Facility
from common.errors import BadInput, Busy
from scheduling.models import Session
from tokens.facts import PRESETS
from tokens.outcome import Outcome
from tokens.simulation import checks, figures, world
from tokens.simulation.day import BOUNDS, DAY, SLOT, Plan, visitors
from tokens.simulation.player import Player
from tokens.simulation.script import Visitor

_ONE_AT_A_TIME = 20262
Summary = dict[str, Any]


def simulate(plan: Plan, *, done: Callable[[], object] = lambda: None) -> Summary:
    """Play one day in a transaction of its own that is always rolled back.

    The same plan gives the same answer. Sequences go on counting; nothing else of it stays.

    Args:
        done: called after each request.

    Raises:
        BadInput: a size out of its bounds, or no such preset.
        Busy: another day is being simulated.
    """
    refuse_senseless(plan)
    return rolled_back(lambda: _play(plan, done))


def rolled_back(play: Callable[[], Summary]) -> Summary:
    """Run it in a transaction that is rolled back whatever happens; one at a time, for it is long work.

    Raises:
        Busy
    """
    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_ONE_AT_A_TIME])
            if not cursor.fetchone()[0]:
                raise Busy("Another day is being simulated; try again in a moment.")
        try:
            return play()
        finally:
            transaction.set_rollback(True)


def refuse_senseless(plan: Plan) -> None:
    """Refuse what is out of bounds.

    Raises:
        BadInput
    """
    for name, (least, most) in BOUNDS.items():
        if not least <= getattr(plan, name) <= most:
            raise BadInput(f"{name} lies between {least} and {most}.", attr=name)
    if plan.policy not in PRESETS:
        raise BadInput(f"policy is one of {', '.join(PRESETS)}.", attr="policy")


def simulated_facility(policy: str, time_zone: str = "UTC") -> Facility:
    """A facility for a day that will be rolled back, with a name that no other can be waiting for."""
    return world.open_facility(
        slug=f"simulated-{uuid4().hex}", name="Simulated", time_zone=time_zone, policy=world.preset(policy)
    )


def _play(plan: Plan, done: Callable[[], object]) -> Summary:
    facility = simulated_facility(plan.policy)
    hours = [(DAY + SLOT * n, DAY + SLOT * (n + 1)) for n in range(plan.slots_per_doctor)]
    slots = [world.SlotPlan(start, end, plan.capacity) for start, end in hours]
    sessions = world.open_sessions(
        facility, [world.SessionPlan(f"Doctor {n + 1}", DAY.date(), slots) for n in range(plan.doctors)]
    )
    people = [world.PersonPlan(f"Patient {n + 1}") for n in range(plan.requests)]
    patients = world.enter_patients(facility, people, at=DAY)
    of_doctors = [[slot.pk for slot in session.slots.all()] for session in sessions]
    asking = visitors(plan, patients, of_doctors, [session.doctor_id for session in sessions])
    timeline = Timeline(sessions, done)
    player = Player(asking, [session.pk for session in sessions], told=timeline.tell, settles=True)
    player.play()
    return {
        "doctors": plan.doctors,
        "slots_created": plan.doctors * plan.slots_per_doctor,
        **{key: value for key, value in asdict(plan).items() if key not in ("doctors", "slots_per_doctor")},
        **summary([session.pk for session in sessions]),
        "refused": _refused(asking),
        "rules_broken": [breach.rule for breach in checks.everything(facility.pk, DAY + SLOT * 24)],
        "timeline": timeline.entries,
    }


def _refused(asking: list[Visitor]) -> dict[str, int]:
    """How many requests were refused, by code."""
    codes = sorted(visitor.refusal for visitor in asking if visitor.refusal)
    return {code: codes.count(code) for code in dict.fromkeys(codes)}


def summary(session_ids: list[int]) -> Summary:
    """The figures of a day, in the words of the API."""
    sources = figures.by_source(session_ids)
    total = figures.totals(sources)
    return {
        "tokens_booked": total["tokens"],
        "emergencies": sources["emergency"]["tokens"],
        "cancellations": total["cancellations"],
        "no_place": total["no_place"],
        "no_shows": total["no_shows"],
        "seen": total["seen"],
        "displacements": total["displacements"],
        "promotions": total["promotions"],
        "overbooked": total["overbooked"],
        "waitlisted": total["waitlisted"],
        "waitlisted_remaining": total["waiting"],
        "capacity_violations": figures.capacity_violations(session_ids),
        "wait_by_source": figures.waits(session_ids),
    }


class Timeline:
    """Everything that happened, in order, by numbers and times: no id that another run would not give."""

    def __init__(self, sessions: list[Session], done: Callable[[], object]) -> None:
        self.entries: list[Summary] = []
        self._doctors = {session.pk: session.doctor.name for session in sessions}
        self._numbers: dict[int, str] = {}
        self._done = done

    def tell(self, at: datetime, name: str, came: Outcome | str) -> None:
        """Write down one action and whom it touched; a call that found nobody is no news."""
        if name == "request":
            self._done()
        if isinstance(came, str):
            self.entries.append({"at": at.isoformat(), "action": name, "refused": came})
            return
        self._numbers |= {touched.after.id: touched.after.number for touched in came.touched}
        if came.touched:
            self.entries.append(self._entry(at, name, came))

    def _entry(self, at: datetime, name: str, came: Outcome) -> Summary:
        entry: Summary = {"at": at.isoformat(), "action": name, "doctor": self._doctors[came.session.id]}
        if came.token:
            entry |= {"token": came.token.number, "source": came.token.source, "status": came.token.status}
        moved = {"displaced": came.displaced, "promoted": came.promoted}
        return entry | {what: [self._numbers[one] for one in ids] for what, ids in moved.items() if ids}
