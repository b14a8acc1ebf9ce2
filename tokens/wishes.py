"""A request for a place, from the asking to the decision under the lock."""

import secrets

from tokens import candidates, errors, rules
from tokens.acting import Attempt, open_slot
from tokens.facts import SlotFacts, TokenFacts
from tokens.reading import TOKEN_COLUMNS, Target
from tokens.states import Source, Status
from tokens.storage import Work

HERE_BY_NATURE = frozenset({Source.WALK_IN, Source.EMERGENCY})
"""Sources whose patients have arrived unless the request says otherwise."""


class Wish:
    """A request as it was made.

    Args:
        paid: priority paid for on top of the source; `source=paid` implies it.
        arrived: whether the patient is here; None lets the source say.
        sent_from: the token by which the patient was sent on.
        reason: why, for the event of the request.
    """

    def __init__(
        self,
        patient_id: int,
        source: Source,
        *,
        paid: bool = False,
        arrived: bool | None = None,
        note: str = "",
        sent_from: TokenFacts | None = None,
        reason: str = "",
    ) -> None:
        self.patient_id, self.source, self.note, self.sent_from = patient_id, source, note, sent_from
        self.reason = reason
        self.paid = paid or source == Source.PAID
        self.arrived = source in HERE_BY_NATURE if arrived is None else arrived
        self.key = secrets.token_urlsafe(18)

    def attempt(self, slot_id: int, *, only_free: bool = False) -> Attempt:
        """The wish in one slot, with what to lock for it."""
        return [Target("slots", slot_id, self.patient_id)], lambda work: self.decide(work, slot_id, only_free=only_free)

    def decide(self, work: Work, slot_id: int, *, only_free: bool = False) -> TokenFacts:
        """Decide the wish in a slot of the locked sessions.

        Args:
            only_free: refuse a slot whose last place has gone since it was chosen.

        Raises:
            UnknownPatient, UnknownSlot, SlotClosed, SlotOver, DuplicateToken
            candidates.Gone: `only_free`, and the slot has no place for the patient.
        """
        slot = open_slot(work, slot_id)
        session = work.draft.sessions[slot.session_id]
        self._check_patient(work)
        held = rules.held_by(work.draft, session, self.patient_id)
        if held:
            return self._raise(work, held, slot)
        token = self._token(work, slot)
        if only_free and not (slot.free and rules.qualifies(token, slot, work.draft)):
            raise candidates.Gone
        values = {name: getattr(token, name) for name in TOKEN_COLUMNS if name not in ("id", "events")}
        rules.request(work.draft, token, slot, values, self.reason)
        return token

    def _check_patient(self, work: Work) -> None:
        patient = work.patient
        if patient is None or patient[1] != work.session.facility_id or not patient[2]:
            raise errors.UnknownPatient(attr="patient")

    def _raise(self, work: Work, held: TokenFacts, slot: SlotFacts) -> TokenFacts:
        settled = self.source != Source.EMERGENCY or held.emergency or held.status == Status.IN_PROGRESS
        if settled or self.sent_from:
            raise errors.DuplicateToken(number=held.number, token=held.id)
        arrived_at = work.draft.now if self.arrived else None
        rules.raise_to_emergency(work.draft, held, slot, arrived_at=arrived_at, paid=self.paid)
        return held

    def _token(self, work: Work, slot: SlotFacts) -> TokenFacts:
        now = work.draft.now
        return TokenFacts(
            id=work.new_id,
            session_id=slot.session_id,
            slot_id=slot.id,
            patient_id=self.patient_id,
            status=Status.REQUESTED.value,
            source=self.source.value,
            paid=self.paid,
            score=rules.score(self.source, self.paid, work.draft.sessions[slot.session_id].policy),
            requested_at=now,
            order_at=now,
            arrived_at=now if self.arrived else None,
            note=self.note,
            key=self.key,
            sent_from_id=self.sent_from.id if self.sent_from else None,
        )
