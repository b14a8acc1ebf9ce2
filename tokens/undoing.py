"""Undo: take back a token's last step, where nothing forbids it. The undo is an event itself."""

import json
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import connection

from common.transactions import RunAgain
from tokens import candidates, errors, queue_rules, rules
from tokens.acting import act, own_token, refuse_duplicate
from tokens.events import decode, fold
from tokens.facts import EventDraft, TokenFacts
from tokens.kinds import UNDOABLE
from tokens.outcome import Outcome
from tokens.states import ACTIVE, USED
from tokens.storage import Work

if TYPE_CHECKING:
    from accounts.models import User


def undo_last(*, token_id: int, by: "User | None", at: datetime | None = None) -> Outcome:
    """Take back the token's last event: the values from before it are restored, and the event `undone` says so.

    A token that comes back into a slot is never overbooked; whom a cancel promoted stays promoted.

    Raises:
        CannotUndo: the last event is of no kind that can be taken back, or the engine itself cancelled.
        PlaceTaken: it held a place and finds none.
        DuplicateToken, DoctorBusy, SessionOver
    """
    history = _history(token_id)
    before = fold(changes for _, _, _, changes in history[:-1])
    targets = candidates.targets_of(token_id, session_id=before.get("session_id", _session_of(token_id)))
    # Whom the token would belong to again may hold another one there, deep in a waitlist: that one must be read.
    targets = [replace(target, patient_id=before["patient_id"]) for target in targets]

    def decide(work: Work) -> TokenFacts:
        token = own_token(work, token_id)
        _refuse_kind(work, token, history)
        restored = {name: before[name] for name in decode(history[-1][3])}
        _restore(work, token, restored, history[-1])
        return token

    return act([(targets, decide)], permission="tokens.undo", by=by, at=at)


Step = tuple[int, str, str, dict[str, Any]]


def _history(token_id: int) -> list[Step]:
    """(number, kind, reason, changes) of each event of a token, oldest first.

    Raises:
        UnknownToken
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT seq, kind, reason, changes::text FROM tokens_event WHERE token_id = %s ORDER BY seq", (token_id,)
        )
        rows = cursor.fetchall()
    if not rows:
        raise errors.UnknownToken
    return [(seq, kind, reason, json.loads(changes)) for seq, kind, reason, changes in rows]


def _session_of(token_id: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT session_id FROM tokens_token WHERE id = %s", (token_id,))
        row = cursor.fetchone()
    if row is None:
        raise errors.UnknownToken
    return int(row[0])


def _refuse_kind(work: Work, token: TokenFacts, history: list[Step]) -> None:
    """Only a person's own step is taken back, and only while it is the last.

    Raises:
        RunAgain: another event came between the look and the lock.
        CannotUndo
    """
    seq, kind, reason, _ = history[-1]
    settled = [event.kind for event in work.draft.events if event.token_id == token.id]
    if token.events - len(settled) != seq:
        raise RunAgain
    if settled:
        raise errors.CannotUndo(what=settled[-1].capitalize())
    if kind not in UNDOABLE or (kind in ("cancelled", "completed") and reason in (rules.NO_PLACE, rules.SENT_ON)):
        raise errors.CannotUndo(what=kind.replace("_", " ").capitalize())


def _restore(work: Work, token: TokenFacts, values: dict[str, Any], step: Step) -> None:
    """Give the token its former values, where the rules still allow them.

    Raises:
        SessionOver, DuplicateToken, PlaceTaken, DoctorBusy
    """
    draft = work.draft
    after = {"status": token.status, "slot_id": token.slot_id, "session_id": token.session_id, **values}
    session = draft.sessions[after["session_id"]]
    if session.status != "open":
        raise errors.SessionOver
    if after["status"] in ACTIVE:
        refuse_duplicate(work, session.id, values.get("patient_id", token.patient_id), but=token.id)
    comes_in = after["status"] in USED and not (token.uses_place and token.slot_id == after["slot_id"])
    if comes_in:
        slot = session.slot(after["slot_id"])
        if slot.status != "open" or not slot.free:
            raise errors.PlaceTaken(number=token.number)
        values["overbooked"] = False
    if after["status"] == "in_progress" and values.get("away_at", token.away_at) is None:
        inside = queue_rules.in_room(t for t in session.tokens.values() if t is not token)
        if inside:
            raise errors.DoctorBusy(number=inside.number, token=inside.id)
    taken_back = EventDraft(token.id, step[0], token.session_id, step[1], token.status, {}, "", None)
    draft.change(token, "undone", undo=True, cause=taken_back, **values)
