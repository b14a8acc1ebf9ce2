"""Reading what a decision needs, under the lock and in the same round trip as the lock."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from functools import cache, lru_cache

from common.transactions import RunAgain
from common.trips import Row, Trip
from scheduling import locking
from tokens import errors
from tokens.facts import DEFAULT_POLICY, PRESETS, Policy, SessionFacts, SlotFacts, TokenFacts

WAITERS_READ = 8
"""How many of a slot's waitlist are read at first; who needs more gets them all in a further trip.

Few, because a row costs some 15 us, a place that comes free seldom calls for more than one, and a long waitlist is
where requests come thickest: with 40 a full slot with a long waitlist took requests half as fast.
"""

TOKEN_COLUMNS = tuple(f.name for f in fields(TokenFacts))
_SLOT_COLUMNS = ("id", "session_id", "starts_at", "ends_at", "capacity", "status", "used", "overbooked")
_POLICY_FIELDS = frozenset(f.name for f in fields(Policy))

_SESSION_OF = {
    "pk": "%s::bigint",
    "slots": "(SELECT session_id FROM scheduling_slot WHERE id = %s)",
    "slots__tokens": "(SELECT session_id FROM tokens_token WHERE id = %s)",
}
"""How a session is found: by its id, by one of its slots, by one of its tokens."""

ASSIGNED = "a.doctor_id = s.doctor_id OR a.department_id = s.department_id OR a.facility_id = s.facility_id"
NEAREST = "a.doctor_id IS NULL, a.department_id IS NULL"
"""Which assignments `a` of policies reach a session `s`, and in which order they count: the first one decides."""

_UNKNOWN = {"pk": errors.UnknownSession, "slots": errors.UnknownSlot, "slots__tokens": errors.UnknownToken}


@dataclass(frozen=True, slots=True)
class Target:
    """A session to lock and read.

    Attributes:
        lookup: how it is found: "pk", "slots" (by a slot's id) or "slots__tokens" (by a token's id).
        value: that id.
        patient_id: the token which this patient holds there is read in any case; 0 for nobody.
        everything: read the whole waitlists, however long.
    """

    lookup: str
    value: int
    patient_id: int = 0
    everything: bool = False

    @property
    def token_id(self) -> int:
        """The token by which the session is found, 0 where it is found otherwise."""
        return self.value if self.lookup == "slots__tokens" else 0


@dataclass(slots=True)
class Snapshot:
    """What was read of one session, kept as rows so that a decision can be made again from the start.

    Attributes:
        clock: the database's clock, read after the lock.
        new_id: an id for the token that the decision may create.
        patient: (id, facility, active) of the patient asked about; None where there is no such patient.
    """

    target: Target
    session: Row
    policy: Policy
    slots: list[Row]
    tokens: list[Row]
    clock: datetime
    new_id: int
    patient: Row | None

    def build(self) -> SessionFacts:
        """Fresh facts from the rows."""
        facts = SessionFacts(*(*self.session, self.policy))
        facts.slots = [SlotFacts(*row) for row in self.slots]
        facts.tokens = {row[0]: TokenFacts(*row) for row in self.tokens}
        if not self.target.everything and not self.policy.ages and not self.policy.present_only:
            waiting = [token.slot_id for token in facts.tokens.values() if token.status == "waitlisted"]
            for slot in facts.slots:
                slot.waiters_cut = waiting.count(slot.id) >= WAITERS_READ
        return facts


@cache
def _read_sql(lookup: str) -> str:
    """One row for each slot and token of a session, each with the facts that stand once.

    The facts: the clock (read after the lock), an id for a new token, the nearest policy, the patient asked about. The
    tokens: who holds a place, who is overbooked (also when seen), who waits (the head of each waitlist), the token
    asked about, and what its patient or the patient asked about waits for. The whole waitlist is read where the order
    is not the stored one (ageing) or where some of it may not qualify (present_only).
    """
    token_columns = ", ".join(f"t.{name}" for name in TOKEN_COLUMNS)
    slot_columns = ", ".join(f"s.{name}" for name in _SLOT_COLUMNS)
    return f"""
WITH asked AS MATERIALIZED (SELECT {_SESSION_OF[lookup]} AS id),
nearest AS MATERIALIZED (
    SELECT p.* FROM asked JOIN scheduling_session s ON s.id = asked.id
      JOIN tokens_policyassignment a ON {ASSIGNED}
      JOIN tokens_allocationpolicy p ON p.id = a.policy_id
     ORDER BY {NEAREST} LIMIT 1),
facts AS MATERIALIZED (
    SELECT asked.id AS session_id, clock_timestamp() AS clock, nextval('tokens_token_id_seq') AS new_id,
           (SELECT row_to_json(nearest)::text FROM nearest) AS policy,
           CASE WHEN %s OR EXISTS (SELECT 1 FROM nearest WHERE present_only OR age_points > 0)
                THEN NULL ELSE {WAITERS_READ} END AS head,
           p.id AS patient_id, p.facility_id, p.is_active,
           (SELECT o.patient_id FROM tokens_token o WHERE o.id = %s) AS owner_id
      FROM asked LEFT JOIN patients_patient p ON p.id = %s)
SELECT facts.clock, facts.new_id, facts.policy, facts.patient_id, facts.facility_id, facts.is_active,
       {slot_columns}, {token_columns}
  FROM facts
  LEFT JOIN scheduling_slot s ON s.session_id = facts.session_id
  LEFT JOIN LATERAL (
       SELECT * FROM tokens_token h
        WHERE h.slot_id = s.id AND h.status IN ('confirmed', 'in_progress', 'completed')
          AND (h.status <> 'completed' OR h.overbooked)
       UNION ALL
       (SELECT * FROM tokens_token w WHERE w.slot_id = s.id AND w.status = 'waitlisted'
         ORDER BY CASE WHEN w.source = 'emergency' THEN 0 ELSE 1 END, w.score DESC, w.order_at, w.id
         LIMIT facts.head)
       UNION ALL
       SELECT * FROM tokens_token o
        WHERE o.slot_id = s.id AND (o.id = %s OR (
              o.status = 'waitlisted' AND o.patient_id IN (facts.patient_id, facts.owner_id)))
       ) t ON true
 ORDER BY s.starts_at, s.id"""  # noqa: S608 - built from constants of this module


_FACTS = 6
_SLOT = _FACTS + len(_SLOT_COLUMNS)


@lru_cache(maxsize=256)
def policy_of(text: str | None) -> Policy:
    """The policy from its row as JSON text; the default where none is set."""
    if text is None:
        return PRESETS[DEFAULT_POLICY]
    row = json.loads(text)
    return Policy(**{name: value for name, value in row.items() if name in _POLICY_FIELDS})


def read(targets: Sequence[Target], *, first: str = "") -> list[Snapshot]:
    """Lock sessions in the order given, and read them, all in one round trip.

    Caller's duty: targets come in the order of the sessions' start and id; a transaction is open.

    Args:
        first: a statement to send before the lock, such as a savepoint.

    Raises:
        UnknownSession, UnknownSlot, UnknownToken: what a target was found by does not exist.
        RunAgain: the token asked about went to another session while the lock was awaited.
    """
    trip = Trip()
    if first:
        trip.add(first)
    marks = []
    for target in targets:
        marks.append(locking.add_lock(trip, target.lookup, target.value))
        values = (target.value, target.everything, target.token_id, target.patient_id, target.token_id)
        trip.add(_read_sql(target.lookup), values)
    answers = trip.send()
    return [_snapshot(target, answers[mark], answers[mark + 1]) for target, mark in zip(targets, marks, strict=True)]


def _snapshot(target: Target, sessions: list[Row], rows: list[Row]) -> Snapshot:
    if not sessions:
        raise _UNKNOWN[target.lookup]
    session = sessions[0]
    clock, new_id, policy, *patient = rows[0][:_FACTS]
    slots = list({row[_FACTS]: row[_FACTS:_SLOT] for row in rows if row[_FACTS] is not None}.values())
    tokens = list({row[_SLOT]: row[_SLOT:] for row in rows if row[_SLOT] is not None}.values())
    # The lookup by token saw where it was before the wait, the read where it is now.
    if any(slot[1] != session[0] for slot in slots):
        raise RunAgain
    seen = tuple(patient) if patient[0] is not None else None
    return Snapshot(target, session, policy_of(policy), slots, tokens, clock, new_id, seen)
