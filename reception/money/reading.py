"""What the consequences for money need to know of tokens, read and locked in one round trip.

The caller holds the locks of the tokens' sessions. The bills about the tokens are locked here, in the order of their
ids, so that nobody pays one of them while it is decided what becomes of it.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from django.db import connection

from common.kept import Kept
from common.trips import Trip
from reception.money.fees import CONSULTATION, Rules, Service
from reception.money.refund_rules import BillNow

ABSENT_FOR: Final = 5.0
"""Seconds for which a facility without billing settings is not asked about again: simulations play whole days."""

_absent: Final[Kept[bool]] = Kept(seconds=ABSENT_FOR, most=1000)

_RULES: Final = ", ".join(f"b.{name}" for name in Rules.__dataclass_fields__)

_TOKENS: Final = f"""
    SELECT t.id, t.number, t.status, t.source, t.paid, t.arrived_at IS NOT NULL, coalesce(p.merged_into_id, p.id),
           s.facility_id, s.date, s.doctor_id, s.department_id, d.name, d.consultation_fee, d.hospital_fee,
           slot.starts_at, v.bill_id, own.date, coalesce(op.merged_into_id, op.id), today.id, f.currency, {_RULES}
      FROM tokens_token t
      JOIN scheduling_session s ON s.id = t.session_id
      JOIN billing_billingsettings b ON b.facility_id = s.facility_id
      JOIN accounts_facility f ON f.id = s.facility_id
      JOIN scheduling_doctor d ON d.id = s.doctor_id
      JOIN scheduling_slot slot ON slot.id = t.slot_id
      JOIN patients_patient p ON p.id = t.patient_id
      LEFT JOIN reception_visittoken v ON v.token_id = t.id
      LEFT JOIN reception_visit own ON own.id = v.visit_id
      LEFT JOIN patients_patient op ON op.id = own.patient_id
      LEFT JOIN LATERAL (
        SELECT v.id FROM reception_visit v
          CROSS JOIN LATERAL (
            SELECT ARRAY(SELECT same.id FROM patients_patient same
                          WHERE same.id = coalesce(p.merged_into_id, p.id)
                             OR same.merged_into_id = coalesce(p.merged_into_id, p.id)) AS ids) records
         WHERE v.patient_id = ANY(records.ids) AND v.date = s.date AND v.facility_id = s.facility_id
           AND EXISTS (SELECT FROM reception_visittoken of JOIN tokens_token o ON o.id = of.token_id
                        WHERE of.visit_id = v.id AND o.patient_id = ANY(records.ids))
         ORDER BY v.opened_at, v.id LIMIT 1) today ON true
     WHERE t.id = ANY(%s)"""  # noqa: S608 - of constants

# Whose bills are this token's: its own, and those of the tokens from which the patient was sent on.
_BILLS: Final = """
    WITH RECURSIVE chain (token_id, id) AS (
        SELECT id, id FROM tokens_token WHERE id = ANY(%s)
        UNION SELECT c.token_id, t.sent_from_id FROM chain c JOIN tokens_token t ON t.id = c.id
               WHERE t.sent_from_id IS NOT NULL)
    SELECT c.token_id, l.item_id, l.item_type, l.doctor_id, b.id, b.number, coalesce(p.merged_into_id, p.id),
           b.total, b.credited, b.paid, EXISTS (SELECT FROM reception_visittoken v WHERE v.bill_id = b.id)
      FROM chain c
      JOIN billing_line l ON l.item_id = c.id AND l.item_type IN ('consultation', 'priority')
      JOIN billing_bill b ON b.id = l.bill_id
      JOIN patients_patient p ON p.id = b.patient_id
     WHERE b.status NOT IN ('draft', 'void')
     ORDER BY b.id"""


@dataclass(slots=True)
class BillOf:
    """An issued bill about tokens, as it is while its fate is decided and carried out.

    Attributes:
        patient_id: the record that is in use.
        in_force: it is the consultation bill of some token.
        tokens: those that its lines are about.
        doctor_id: of its consultation.
    """

    id: int
    number: str
    patient_id: int
    total: Decimal
    credited: Decimal
    paid: Decimal
    in_force: bool
    consultation: bool = False
    priority: bool = False
    doctor_id: int | None = None
    void: bool = False
    tokens: set[int] = field(default_factory=set)

    def now(self, *, offered: bool) -> BillNow:
        """What the rules know of it."""
        return BillNow(self.total, self.credited, self.paid, not self.consultation, offered)


@dataclass(slots=True)
class TokenMoney:
    """A token as money sees it, with the bills about it. Only those of facilities with billing settings.

    Attributes:
        patient_id: the record that is in use.
        live_id: the consultation bill in force.
        bill_date, bill_patient_id: the day and the patient of the visit of that bill.
        visit_id: the patient's visit of the token's day, where it is open.
    """

    id: int
    number: str
    status: str
    source: str
    paid: bool
    arrived: bool
    patient_id: int
    facility_id: int
    date: dt.date
    doctor_id: int
    department_id: int
    doctor: str
    consultation_fee: Decimal
    hospital_fee: Decimal
    starts_at: datetime
    live_id: int | None
    bill_date: dt.date | None
    bill_patient_id: int | None
    visit_id: int | None
    currency: str
    rules: Rules
    bills: list[BillOf] = field(default_factory=list)

    @property
    def live(self) -> BillOf | None:
        """The consultation bill in force."""
        return next((bill for bill in self.bills if bill.id == self.live_id), None)

    @property
    def in_use(self) -> list[BillOf]:
        """What it is billed for: the consultation bill in force, and its bills for priority alone."""
        return [*([self.live] if self.live else []), *self.alone]

    @property
    def alone(self) -> list[BillOf]:
        """Its bills for priority alone, also of the tokens before it."""
        return [bill for bill in self.bills if not bill.consultation]

    @property
    def foreign(self) -> list[BillOf]:
        """Its bills of another patient, whose token it was taken for."""
        return [bill for bill in self.bills if self.id in bill.tokens and bill.patient_id != self.patient_id]

    @property
    def former(self) -> list[BillOf]:
        """Bills of the same patient that are in force no more and on which something is paid."""
        spent = [bill for bill in self.bills if not bill.in_force and (bill.consultation or bill.credited > 0)]
        return [bill for bill in spent if bill.paid > 0 and bill.patient_id == self.patient_id]

    @property
    def may_carry(self) -> bool:
        """Whether something was paid that may pay a new bill: on a bill that is in force no more, or will not be."""
        spent = (bill for bill in self.bills if bill.paid > 0 and (bill.consultation or bill.credited > 0))
        return any(bill.id != self.live_id or self.moved for bill in spent)

    @property
    def has_priority_bill(self) -> bool:
        """Whether its priority is on a bill that counts: one that was credited was for a place that is lost."""
        counted = (bill for bill in self.bills if bill.priority and not bill.void)
        return any(bill.in_force or (not bill.consultation and not bill.credited) for bill in counted)

    @property
    def moved(self) -> bool:
        """Whether the bill in force is of another doctor or of another day."""
        live = self.live
        return live is not None and (live.doctor_id != self.doctor_id or self.bill_date != self.date)

    @property
    def other_patient(self) -> bool:
        """Whether the bill in force is another patient's; a record that was merged is the same patient."""
        return self.live_id is not None and self.bill_patient_id != self.patient_id

    @property
    def about(self) -> str:
        """What people call its bills by."""
        return f"{self.number}, {self.doctor}"

    def service(self, *, priority: bool, free_days: int = 0, hospital_fee_charged: bool = False) -> Service:
        """What it is billed for."""
        return Service(
            token_id=self.id,
            doctor_id=self.doctor_id,
            department_id=self.department_id,
            doctor=self.doctor,
            consultation_fee=self.consultation_fee,
            hospital_fee=self.hospital_fee,
            hospital_fee_charged=hospital_fee_charged,
            priority=priority,
            free_days=free_days,
        )

    def left(self, at: datetime) -> timedelta:
        """From that moment to the begin of its slot."""
        return self.starts_at - at


def never_bills(facility_id: int) -> bool:
    """Whether the facility is known to have no billing settings. No query."""
    return _absent.known(facility_id) is not None


def forget() -> None:
    """Ask anew which facilities have billing settings."""
    _absent.clear()


def read(token_ids: Sequence[int], *, facility_id: int, lock: bool = True) -> dict[int, TokenMoney]:
    """Tokens with the bills about them, by id; nothing where the facility has no billing settings. One round trip.

    Args:
        lock: lock the bills, for something is to be done to them.

    Raises:
        TransactionManagementError: no transaction is open.
    """
    trip = Trip()
    ids = list(token_ids)
    trip.add(_TOKENS, (ids,))
    trip.add(_BILLS + (" FOR NO KEY UPDATE OF b" if lock else ""), (ids,))
    rows, bills = trip.send()
    if not rows:
        _absent.get(facility_id, lambda: True)
        return {}
    width = len(Rules.__dataclass_fields__)
    values = [(*row[:-width], Rules(*row[-width:])) for row in rows]
    found = {row[0]: TokenMoney(*row) for row in values}
    known: dict[int, BillOf] = {}
    for token_id, item_id, kind, doctor_id, *about in bills:
        bill = known.setdefault(about[0], BillOf(*about))
        bill.tokens.add(item_id)
        if kind == CONSULTATION:
            bill.consultation, bill.doctor_id = True, doctor_id
        else:
            bill.priority = True
        if token_id in found and bill not in found[token_id].bills:
            found[token_id].bills.append(bill)
    return found


# What only some bills need

# The day counts on which the patient was to be seen, not that of the bill: who comes to a night's session after
# midnight, or pays the day before, has as many free days as anybody.
_LAST_SEEN: Final = """
    SELECT t.id, max(coalesce(seen.date, b.date))
      FROM tokens_token t
      JOIN scheduling_session s ON s.id = t.session_id
      JOIN patients_patient p ON p.id = t.patient_id
      JOIN patients_patient same ON coalesce(same.merged_into_id, same.id) = coalesce(p.merged_into_id, p.id)
      JOIN billing_bill b ON b.patient_id = same.id AND b.status NOT IN ('draft', 'void')
      JOIN billing_line l ON l.bill_id = b.id
      LEFT JOIN tokens_token o ON o.id = l.item_id
      LEFT JOIN scheduling_session seen ON seen.id = o.session_id
     WHERE t.id = ANY(%s) AND b.facility_id = s.facility_id
       AND coalesce(seen.date, b.date) BETWEEN s.date - %s AND s.date
       AND l.item_type = 'consultation' AND l.doctor_id = s.doctor_id AND l.total > 0
       AND l.item_id IS DISTINCT FROM t.id AND (o.id IS NULL OR o.status NOT IN ('cancelled', 'no_show'))
       AND l.total > (SELECT coalesce(sum(c.amount), 0) FROM billing_creditline c WHERE c.line_id = l.id)
     GROUP BY t.id"""

# Of all records of the patient, for what was charged before a merge was charged to the same patient.
_CHARGED: Final = """
      FROM reception_visit v
      JOIN patients_patient own ON own.id = v.patient_id
      CROSS JOIN LATERAL (
        SELECT ARRAY(SELECT same.id FROM patients_patient same
                      WHERE same.id = coalesce(own.merged_into_id, own.id)
                         OR same.merged_into_id = coalesce(own.merged_into_id, own.id)) AS ids) records
      JOIN reception_visit d ON d.patient_id = ANY(records.ids) AND d.date = v.date AND d.facility_id = v.facility_id
      JOIN billing_bill b ON b.billable_type = 'visit' AND b.billable_id = d.id AND b.facility_id = d.facility_id
           AND b.patient_id = ANY(records.ids) AND b.status NOT IN ('draft', 'void')
      JOIN billing_line l ON l.bill_id = b.id AND l.item_type = 'hospital_fee' AND l.total > 0
           AND l.total > (SELECT coalesce(sum(c.amount), 0) FROM billing_creditline c WHERE c.line_id = l.id)"""

_FEE_CHARGED: Final = f"SELECT DISTINCT v.id {_CHARGED} WHERE v.id = ANY(%s)"

_FEE_TWICE: Final = f"""
    SELECT v.date, array_agg(DISTINCT b.number) {_CHARGED}
      JOIN billing_billingsettings rules ON rules.facility_id = v.facility_id AND rules.hospital_fee_once
     WHERE v.patient_id = ANY(ARRAY(SELECT same.id FROM patients_patient one
                                      JOIN patients_patient same
                                        ON same.id = coalesce(one.merged_into_id, one.id)
                                        OR same.merged_into_id = coalesce(one.merged_into_id, one.id)
                                     WHERE one.id = %s))
       AND (%s::date IS NULL OR v.date = %s::date)
     GROUP BY v.facility_id, v.date HAVING count(DISTINCT b.id) > 1 ORDER BY v.date"""  # noqa: S608 - of constants


def last_consultations(token_ids: Sequence[int], days: int) -> dict[int, dt.date]:
    """When the patient last had a consultation with the doctor that was not free, by token; so many days back.

    One query. Whoever was merged into the patient is the patient.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LAST_SEEN, (list(token_ids), days))
        return dict(cursor.fetchall())


def fee_charged(visit_ids: Sequence[int]) -> set[int]:
    """The visits in which the hospital fee was charged to their patient. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_FEE_CHARGED, (list(visit_ids),))
        return {row[0] for row in cursor.fetchall()}


def fee_twice(patient_id: int, on: dt.date | None = None) -> dict[dt.date, list[str]]:
    """The days on which a patient was charged the hospital fee more than once where it is asked for once a visit.

    That comes of a merge: each record had its visit. One query.

    Args:
        patient_id: any record of the patient.
        on: only that day.

    Returns:
        the numbers of the bills, by day.
    """
    with connection.cursor() as cursor:
        cursor.execute(_FEE_TWICE, (patient_id, on, on))
        return dict(cursor.fetchall())
