"""Dr Rao's morning and the people in it, so that a test of the engine reads like a sentence.

::

    morning = Morning("considerate", capacity=1)
    asha = morning.give("online", "Asha", slot=0)
    morning.clock("09:30")
    morning.cancel(asha, reason="ill")
    assert morning.status(asha) == "cancelled"

The clock is the test's own: every action is given the time `morning.now`, which moves only when the test says so.
"""

from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

from django.db import connection

from accounts.models import User
from accounts.tests.factories import FacilityFactory, UserFactory
from common.errors import DomainError
from common.transactions import outermost
from patients.models import Patient
from patients.tests.factories import PatientFactory
from scheduling.models import Doctor, Session
from scheduling.tests.factories import DepartmentFactory, DoctorFactory, RoomFactory, SessionFactory, SlotFactory
from tokens import allocation, queueing, supply, undoing
from tokens.facts import PRESETS, Policy
from tokens.models import AllocationPolicy, Event, PolicyAssignment, Token
from tokens.outcome import Outcome
from tokens.planning import undo_plan

DAY = date(2031, 3, 3)
"""A Monday far ahead, so that the real clock never interferes with the test's own."""

HOUR = timedelta(hours=1)

_serial = count(1)


def moment(clock: str, day: int = 0) -> datetime:
    """`HH:MM` of the first day (or so many days after it), in UTC, which is the wall of the test's hospital."""
    hours, minutes = clock.split(":")
    return datetime(DAY.year, DAY.month, DAY.day + day, int(hours), int(minutes), tzinfo=UTC)


class Morning:
    """Sunrise Hospital, General Medicine, Dr Rao, 09:00-13:00, in slots of an hour.

    Args:
        policy: the name of a preset, or a policy of the facility's own.
        capacity: places of each slot, or one number a slot.
        slots: how many hours.
    """

    def __init__(
        self, policy: str | Policy = "weighted-waitlist", *, capacity: int | list[int] = 2, slots: int = 4
    ) -> None:
        number = next(_serial)
        self.now = moment("08:00")
        self.facility = FacilityFactory(name=f"Sunrise {number}", time_zone="UTC")
        self.department = DepartmentFactory(facility=self.facility, name=f"Medicine {number}")
        self.rao = self.doctor("Dr Rao")
        self.set_policy(policy)
        self.by: User | None = None
        self.patients: dict[str, Patient] = {}
        self.session = self.sitting(self.rao, "09:00", slots=slots, capacity=capacity)
        self.slots = list(self.session.slots.order_by("starts_at"))

    # The house

    def doctor(self, name: str) -> Doctor:
        """Another doctor of the department."""
        return DoctorFactory(department=self.department, name=name)

    def sitting(
        self, doctor: Doctor, clock: str, *, slots: int = 1, capacity: int | list[int] = 2, day: int = 0
    ) -> Session:
        """A session of a doctor from a time on, in a room of its own."""
        sizes = capacity if isinstance(capacity, list) else [capacity] * slots
        start = moment(clock, day)
        session = SessionFactory(
            doctor=doctor,
            room=RoomFactory(facility=self.facility),
            date=start.date(),
            starts_at=start,
            ends_at=start + len(sizes) * HOUR,
            prefix=f"{next(_serial):x}"[-4:],
        )
        for index, size in enumerate(sizes):
            SlotFactory(session=session, starts_at=start + index * HOUR, capacity=size)
        return session

    def set_policy(self, policy: str | Policy, doctor: Doctor | None = None) -> None:
        """Let a policy decide from now on in the whole house, or for one doctor."""
        row = policy_row(policy, self.facility)
        place = {"doctor": doctor} if doctor else {"facility": self.facility}
        PolicyAssignment.objects.update_or_create(**place, defaults={"policy": row})

    def clock(self, clock: str, day: int = 0) -> None:
        """Move the clock."""
        self.now = moment(clock, day)

    def patient(self, name: str) -> Patient:
        """The patient of that name, registered when first named."""
        if name not in self.patients:
            self.patients[name] = PatientFactory(facility=self.facility, name=name)
        return self.patients[name]

    def person(self, *roles: str) -> User:
        """Somebody who works here, with these roles."""
        return UserFactory(username=f"person-{next(_serial)}", roles=list(roles), facility=self.facility)

    # Actions, each at the time of the clock

    def act(self, action: Callable[..., Any], **arguments: Any) -> Any:
        """Run an action of the engine as its own outermost transaction."""
        arguments = {"by": self.by, "at": self.now} | arguments
        return outermost(lambda: action(**arguments))

    def ask(self, source: str, name: str, slot: int | None = 0, **arguments: Any) -> Outcome:
        """Ask for a place for somebody; without a slot, `doctor_id` or `department_id` say where."""
        if slot is None:
            arguments.setdefault("on", DAY)
        else:
            arguments["slot_id"] = self.slots[slot].id
        return self.act(allocation.request_token, patient_id=self.patient(name).id, source=source, **arguments)

    def give(self, source: str, name: str, slot: int | None = 0, **arguments: Any) -> int:
        """The same, and only the token's id is of interest."""
        outcome = self.ask(source, name, slot, **arguments)
        assert outcome.token is not None
        return outcome.token.id

    def fill(self, slot: int, *names: str, source: str = "online", **arguments: Any) -> list[int]:
        """One token of a source for each name."""
        return [self.give(source, name, slot, **arguments) for name in names]

    def cancel(self, token_id: int, reason: str = "asked for it") -> Outcome:
        return self.act(allocation.cancel_token, token_id=token_id, reason=reason)

    def no_show(self, token_id: int) -> Outcome:
        return self.act(allocation.mark_no_show, token_id=token_id)

    def come_late(self, token_id: int) -> Outcome:
        return self.act(allocation.return_late, token_id=token_id)

    def pay(self, token_id: int) -> Outcome:
        return self.act(allocation.mark_paid, token_id=token_id)

    def overbook(self, token_id: int, by: User | None = None) -> Outcome:
        return self.act(
            allocation.overbook_token, token_id=token_id, reason="cannot wait", by=by or self.person("reception")
        )

    def move(self, token_id: int, slot: int, reason: str = "asked for it") -> Outcome:
        return self.act(allocation.move_token, token_id=token_id, slot_id=self.slots[slot].id, reason=reason)

    def change_patient(self, token_id: int, name: str) -> Outcome:
        return self.act(
            allocation.change_patient, token_id=token_id, patient_id=self.patient(name).id, reason="wrong record"
        )

    def settle(self) -> Outcome:
        return self.act(lambda by, **rest: allocation.settle_session(**rest), session_id=self.session.id)

    def arrive(self, *token_ids: int) -> None:
        for token_id in token_ids:
            self.act(queueing.arrive, token_id=token_id)

    def call_next(self) -> int | None:
        token = self.act(queueing.call_next, session_id=self.session.id).token
        return token.id if token else None

    def call(self, token_id: int) -> Outcome:
        return self.act(queueing.call, token_id=token_id)

    def recall(self, token_id: int) -> Outcome:
        return self.act(queueing.recall, token_id=token_id)

    def hold(self, token_id: int, minutes: int = 10) -> Outcome:
        return self.act(queueing.hold, token_id=token_id, minutes=minutes)

    def skip(self, token_id: int) -> Outcome:
        return self.act(queueing.skip, token_id=token_id)

    def start(self, token_id: int) -> Outcome:
        return self.act(queueing.start, token_id=token_id)

    def complete(self, token_id: int) -> Outcome:
        return self.act(queueing.complete, token_id=token_id)

    def see(self, *token_ids: int) -> None:
        """Start and complete the visits of these, one after the other."""
        for token_id in token_ids:
            self.start(token_id)
            self.complete(token_id)

    def send_away(self, token_id: int, where: str = "X-ray") -> Outcome:
        return self.act(queueing.send_away, token_id=token_id, where=where)

    def back(self, token_id: int) -> Outcome:
        return self.act(queueing.back, token_id=token_id)

    def send_on(self, token_id: int, doctor: Doctor, reason: str = "a case for a colleague") -> Outcome:
        return self.act(queueing.send_on, token_id=token_id, doctor_id=doctor.id, reason=reason)

    def undo(self, token_id: int) -> Outcome:
        return self.act(undoing.undo_last, token_id=token_id)

    def capacity(self, slot: int, capacity: int, **arguments: Any) -> supply.PlanResult:
        return self.act(supply.change_capacity, slot_id=self.slots[slot].id, capacity=capacity, **arguments)

    def block(self, slot: int, **arguments: Any) -> supply.PlanResult:
        return self.act(supply.block_slot, slot_id=self.slots[slot].id, **arguments)

    def unblock(self, slot: int, **arguments: Any) -> supply.PlanResult:
        return self.act(supply.unblock_slot, slot_id=self.slots[slot].id, **arguments)

    def close(self, **arguments: Any) -> supply.PlanResult:
        return self.act(supply.close_session, session_id=self.session.id, **arguments)

    def undo_plan(self, plan: supply.PlanResult) -> Outcome:
        return self.act(undo_plan, plan_id=plan.plan["id"])

    def delay(self, minutes: int) -> Outcome:
        return self.act(supply.delay_session, session_id=self.session.id, minutes=minutes)

    # What became of it

    def token(self, token_id: int) -> Token:
        return Token.objects.get(pk=token_id)

    def status(self, *token_ids: int) -> Any:
        """The status of one token, or the list of several."""
        found = [self.token(token_id).status for token_id in token_ids]
        return found[0] if len(found) == 1 else found

    def place(self, token_id: int) -> tuple[str, int | None]:
        """Status, and which hour of Dr Rao's morning (0 is the first; None elsewhere)."""
        token = self.token(token_id)
        ids = [slot.id for slot in self.slots]
        return token.status, ids.index(token.slot_id) if token.slot_id in ids else None

    def story(self, token_id: int) -> list[str]:
        """The kinds of the token's events, oldest first."""
        return list(Event.objects.filter(token=token_id).order_by("seq").values_list("kind", flat=True))

    def last(self, token_id: int) -> Event:
        """The token's last event."""
        return Event.objects.filter(token=token_id).latest("seq")

    def counted(self, slot: int) -> tuple[int, int]:
        """`used` and `overbooked` of a slot, as the database counts them."""
        row = self.slots[slot]
        row.refresh_from_db()
        return row.used, row.overbooked


def policy_row(policy: str | Policy, facility: Any) -> AllocationPolicy:
    """The preset of that name, or a row for a policy of the facility's own."""
    if isinstance(policy, str):
        return AllocationPolicy.objects.get(facility=None, name=policy)
    values = {name: value for name, value in asdict(policy).items() if name not in ("id", "name")}
    return AllocationPolicy.objects.create(facility=facility, name=f"own-{next(_serial)}", **values)


def own_policy(base: str = "weighted-waitlist", **changes: Any) -> Policy:
    """A copy of a preset that a facility changed."""
    return Policy(**asdict(PRESETS[base]) | {"name": "own"} | changes)


def refusal(action: Callable[..., Any], *arguments: Any, **named: Any) -> DomainError:
    """The refusal that an action answers with.

    Raises:
        AssertionError: it was not refused.
    """
    try:
        action(*arguments, **named)
    except DomainError as refused:
        return refused
    raise AssertionError("it was not refused")


def rows(sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
    """What the database itself says."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall()
