"""Plays a recorded day again under another policy, and sets the two side by side."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from accounts.models import Facility
from common.errors import BadInput
from scheduling.models import Session
from scheduling.states import SessionStatus
from tokens import rules
from tokens.events import decode
from tokens.facts import PRESETS
from tokens.models import Event, FormerNumber, Token
from tokens.simulation import world
from tokens.simulation.made_up import Summary, rolled_back, simulated_facility, summary
from tokens.simulation.player import Player
from tokens.simulation.script import Visitor
from tokens.states import Source

USUAL_VISIT = timedelta(minutes=8)
AFTER_HOURS = timedelta(hours=4)


def replay_day(facility: Facility, day: date, policy: str) -> Summary:
    """A past day of a facility as it was, and as it would have been: the same people ask, come, call off, stay away.

    Priority that was paid for later counts from the request on, and a doctor's delay from the start.

    Returns:
        `recorded` and `replayed`, with the same figures each.

    Raises:
        BadInput: the day is not over, or there is no such preset.
        Busy: another day is being simulated.
    """
    if policy not in PRESETS:
        raise BadInput(f"policy is one of {', '.join(PRESETS)}.", attr="policy")
    if day >= facility.local_date():
        raise BadInput("Only a day that is over can be played again.", attr="date")
    return rolled_back(lambda: _compare(facility, day, policy))


def _compare(facility: Facility, day: date, policy: str) -> Summary:
    sessions = list(
        Session.objects.filter(facility=facility, date=day)
        .exclude(status=SessionStatus.CANCELLED)
        .select_related("doctor")
        .prefetch_related("slots")
    )
    ids = [session.pk for session in sessions]
    return {
        "date": day.isoformat(),
        "facility": facility.pk,
        "policy": policy,
        "recorded": summary(ids),
        "replayed": _replayed(facility, sessions, policy) if sessions else summary([]),
    }


def _replayed(facility: Facility, sessions: list[Session], policy: str) -> Summary:
    copy = simulated_facility(policy, facility.time_zone)
    plans = [_plan(session) for session in sessions]
    copies = world.open_sessions(copy, plans)
    slots = _paired(sessions, copies)
    asking = _visitors(copy, sessions, slots)
    player = Player(asking, [one.pk for one in copies], settles=True)
    player.play(until=max(session.ends_at for session in sessions) + AFTER_HOURS)
    return summary([one.pk for one in copies])


def _plan(session: Session) -> world.SessionPlan:
    slots = [world.SlotPlan(slot.starts_at, slot.ends_at, slot.capacity, slot.status) for slot in session.slots.all()]
    return world.SessionPlan(f"{session.doctor_id}", session.date, slots, session.delay_minutes)


def _paired(sessions: list[Session], copies: list[Session]) -> dict[int, int]:
    """The copy of each slot, by id."""
    pairs: dict[int, int] = {}
    for session, copy in zip(sessions, copies, strict=True):
        pairs |= {old.pk: new.pk for old, new in zip(session.slots.all(), copy.slots.all(), strict=True)}
    return pairs


def _visitors(copy: Facility, sessions: list[Session], slots: dict[int, int]) -> list[Visitor]:
    """Everybody who asked for a place in these sessions, also those who hold one on another day by now."""
    ids = [session.pk for session in sessions]
    left = FormerNumber.objects.filter(session__in=ids).values("token")
    tokens = (Token.objects.filter(session__in=ids) | Token.objects.filter(pk__in=left)).order_by("requested_at", "id")
    told: dict[int, list[Event]] = defaultdict(list)
    for event in Event.objects.filter(token__in=tokens.values("pk")).order_by("token", "seq"):
        told[event.token_id].append(event)
    asking = [(token, decode(told[token.pk][0].changes)) for token in tokens]
    asking = [(token, asked) for token, asked in asking if asked["slot_id"] in slots]
    people = list(dict.fromkeys(asked["patient_id"] for _, asked in asking))
    first = min((token.requested_at for token, _ in asking), default=sessions[0].starts_at)
    plans = [world.PersonPlan(f"Patient {n + 1}") for n in range(len(people))]
    patients = dict(zip(people, world.enter_patients(copy, plans, at=first), strict=True))
    return [_visitor(token, asked, told[token.pk], patients, slots) for token, asked in asking]


def _visitor(
    token: Token, asked: dict[str, Any], told: list[Event], patients: dict[int, int], slots: dict[int, int]
) -> Visitor:
    """One of them, who does what the events tell."""
    seen = token.started_at is not None and token.ended_at is not None
    called_off = [e for e in told if e.kind == "cancelled" and e.reason not in rules.RESERVED_REASONS]
    here = asked["arrived_at"] is not None
    came = _moment(told, "arrived") or _moment(told, "returned") or token.arrived_at
    return Visitor(
        name=token.number,
        patient_id=patients[asked["patient_id"]],
        source=Source(asked["source"]),
        asks_at=token.requested_at,
        visit=token.ended_at - token.started_at if seen else USUAL_VISIT,  # type: ignore[operator]
        slot_id=slots[asked["slot_id"]],
        paid=token.paid,
        here=here,
        comes=here or came is not None,
        comes_at=came,
        gone_at=_moment(told, "no_show"),
        cancels_at=called_off[-1].at if called_off and token.status == "cancelled" else None,
    )


def _moment(told: Iterable[Event], kind: str) -> datetime | None:
    return next((event.at for event in told if event.kind == kind), None)
