"""Tokens, slots, sessions and queues as clients see them: plain dictionaries, made without a further query.

What an action returns (`TokenFacts`, `SessionFacts`) and what a list reads (the models) have the same attribute
names, so one function serves both. `serializers.py` describes the same shapes for the OpenAPI document.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest
from django.urls import reverse
from rest_framework.request import Request
from rest_framework.response import Response

from scheduling.models import Session, Slot
from tokens import queries, rules, waits
from tokens.events import SENTENCES
from tokens.facts import SessionFacts, TokenFacts
from tokens.models import Event, Token
from tokens.outcome import Outcome
from tokens.queries import Board, Queue, Standing
from tokens.states import Status
from tokens.waits import Places, Wait

JSON = dict[str, Any]


def clock(moment: datetime | None, zone: ZoneInfo) -> str | None:
    """A moment as ISO 8601 with the facility's offset."""
    return None if moment is None else moment.astimezone(zone).isoformat()


@cache
def _status_path() -> str:
    """The address of a token's public status up to its key: looked up once, for it is in every answer."""
    return reverse("token-status", args=["k"]).removesuffix("k/")


def root_of(request: Request | HttpRequest) -> str:
    """What stands before the key in a `status_url`."""
    return f"{request.scheme}://{request.get_host()}{_status_path()}"


# Tokens


def token_json(
    token: Token | TokenFacts,
    *,
    position: int | None,
    zone: ZoneInfo,
    root: str,
    wait: Wait | None = None,
    displaced: Iterable[int] = (),
    promoted: Iterable[int] = (),
) -> JSON:
    """One token. Waits are null for who is not on the way to the doctor, and where nobody thinks in minutes yet."""
    return {
        "id": token.id,
        "number": token.number,
        "status": token.status,
        "source": token.source,
        "paid": token.paid,
        "score": token.score,
        "position": position,
        "slot": token.slot_id,
        "session": token.session_id,
        "patient": token.patient_id,
        "requested_at": clock(token.requested_at, zone),
        "arrived_at": clock(token.arrived_at, zone),
        "called_at": clock(token.called_at, zone),
        "started_at": clock(token.started_at, zone),
        "ended_at": clock(token.ended_at, zone),
        "wait_p50_minutes": wait.p50 if wait else None,
        "wait_p90_minutes": wait.p90 if wait else None,
        "status_url": f"{root}{token.key}/",
        "displaced": list(displaced),
        "promoted": list(promoted),
    }


def answer_token(request: Request, outcome: Outcome, *, status: int = 200) -> Response:
    """The token that an action was about, with whom it displaced and promoted; 204 where it was about nobody."""
    token = outcome.token
    if token is None:
        return Response(status=204)
    zone = queries.zone_of(outcome.session.facility_id)
    data = token_json(
        token,
        position=outcome.position,
        zone=zone,
        root=root_of(request),
        wait=waits.wait_after(outcome.session, token),
        displaced=outcome.displaced,
        promoted=outcome.promoted,
    )
    return Response(data, status=status)


def tokens_json(tokens: Iterable[Token], places: Places, root: str) -> list[JSON]:
    """Tokens that were read with their sessions and facilities."""
    return [
        token_json(
            token,
            position=places.positions.get(token.pk),
            wait=places.waits.get(token.pk),
            zone=token.session.facility.tz,
            root=root,
        )
        for token in tokens
    ]


def event_json(event: Event, zone: ZoneInfo) -> JSON:
    """One event; what it changed, as it was stored."""
    return {
        "seq": event.seq,
        "kind": event.kind,
        "sentence": SENTENCES[event.kind],
        "status": event.status,
        "changes": event.changes,
        "reason": event.reason,
        "actor": event.actor_id,
        "actor_name": str(event.actor) if event.actor else "",
        "at": clock(event.at, zone),
        "cause_token": event.cause_token_id,
        "cause_seq": event.cause_seq,
    }


def standing_json(standing: Standing, wait: Wait | None) -> JSON:
    """What the holder of a slip sees: no name, nothing that says why somebody comes."""
    token, session, zone = standing.token, standing.session, standing.zone
    return {
        "number": token.number,
        "status": token.status,
        "position": standing.position,
        "people_ahead": standing.people_ahead,
        "wait_p50_minutes": wait.p50 if wait else None,
        "wait_p90_minutes": wait.p90 if wait else None,
        "now_serving": standing.now_serving,
        "delay_minutes": session.delay_minutes,
        "paused": session.paused_at is not None,
        "room": standing.room,
        "slot_starts_at": clock(token.slot.starts_at, zone),
        "slot_ends_at": clock(token.slot.ends_at, zone),
        "arrived_at": clock(token.arrived_at, zone),
        "called_at": clock(token.called_at, zone),
    }


# Slots and sessions


def slot_json(
    slot: Slot, session: SessionFacts, zone: ZoneInfo, now: datetime, counts: Mapping[tuple[int, str], int]
) -> JSON:
    """One slot with how full it is."""
    facts = queries.slot_facts(slot)
    return {
        "id": slot.pk,
        "doctor": session.doctor_id,
        "session": slot.session_id,
        "room": session.room_id,
        "starts_at": clock(slot.starts_at, zone),
        "ends_at": clock(slot.ends_at, zone),
        "capacity": slot.capacity,
        "used": slot.used,
        "confirmed": counts.get((slot.pk, Status.CONFIRMED.value), 0),
        "waitlisted": counts.get((slot.pk, Status.WAITLISTED.value), 0),
        "overbooked": slot.overbooked,
        "free": facts.free,
        "status": _slot_status(slot, session, over=rules.over(facts, session, now)),
    }


def _slot_status(slot: Slot, session: SessionFacts, *, over: bool) -> str:
    if "cancelled" in (slot.status, session.status):
        return "cancelled"
    return "over" if over else slot.status


def slots_json(slots: Iterable[Slot], counts: Mapping[tuple[int, str], int], now: datetime) -> list[JSON]:
    """Slots that were read with their sessions and facilities."""
    return [
        slot_json(slot, queries.session_facts(slot.session), slot.session.facility.tz, now, counts) for slot in slots
    ]


def session_json(session: Session | SessionFacts, zone: ZoneInfo) -> JSON:
    """One session."""
    return {
        "id": session.id,
        "facility": session.facility_id,
        "department": session.department_id,
        "doctor": session.doctor_id,
        "room": session.room_id,
        "date": session.date.isoformat(),
        "starts_at": clock(session.starts_at, zone),
        "ends_at": clock(session.ends_at, zone),
        "status": str(session.status),
        "prefix": session.prefix,
        "delay_minutes": session.delay_minutes,
        "paused_at": clock(session.paused_at, zone),
        "closed_at": clock(session.closed_at, zone),
        "version": session.version,
    }


def answer_session(outcome: Outcome, **beside: Any) -> Response:
    """The session that an action was about."""
    session = outcome.session
    return Response({**session_json(session, queries.zone_of(session.facility_id)), **beside})


def queue_json(queue: Queue, root: str) -> JSON:
    """The whole queue of a session: what screens draw and what streams send."""
    session, zone = queue.session, queue.zone
    expected = waits.waits(session, queue.now)

    def shown(token: TokenFacts) -> JSON:
        position = queue.positions.get(token.id)
        return token_json(token, position=position, wait=expected.get(token.id), zone=zone, root=root)

    return {
        "session": session.id,
        "version": session.version,
        "status": session.status,
        "delay_minutes": session.delay_minutes,
        "paused_at": clock(session.paused_at, zone),
        "now_serving": shown(queue.now_serving) if queue.now_serving else None,
        "called": [shown(token) for token in queue.called],
        "next": shown(queue.next) if queue.next else None,
        "waiting": [shown(token) for token in queue.waiting],
        "away": [shown(token) for token in queue.away],
        "waitlisted": [shown(token) for token in queue.waitlisted],
        "passed_over": {str(token_id): why for token_id, why in queue.passed_over.items()},
    }


# The grid


def board_json(board: Board, now: datetime, root: str) -> JSON:
    """The calendar grid: who serves, where and when, and who holds what."""
    facts = board.facts
    expected = {i: wait for session in facts.values() for i, wait in waits.waits(session, now).items()}
    zones = {session.pk: session.facility.tz for session in board.sessions}
    return {
        "date_from": board.date_from.isoformat(),
        "date_to": board.date_to.isoformat(),
        "resources": {
            "doctors": [
                {"id": doctor.pk, "name": doctor.name, "department": doctor.department_id} for doctor in board.doctors
            ],
            "rooms": [{"id": room.pk, "name": room.name} for room in board.rooms],
        },
        "sessions": [session_json(session, zones[session.pk]) for session in board.sessions],
        "slots": [
            slot_json(slot, facts[slot.session_id], zones[slot.session_id], now, board.counts) for slot in board.slots
        ],
        "tokens": tokens_json(board.tokens, Places(board.positions, expected), root),
    }
