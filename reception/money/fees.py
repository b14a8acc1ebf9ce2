"""What a consultation costs, line by line. Pure: no Django, no clock, no settings."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from billing.rules import HUNDRED, LineIn, Off

CONSULTATION: Final = "consultation"
HOSPITAL_FEE: Final = "hospital_fee"
PRIORITY: Final = "priority"
ABOUT_TOKENS: Final = (CONSULTATION, PRIORITY)
"""Types of lines whose item is a token."""
VISIT: Final = "visit"
TOKEN: Final = "token"  # noqa: S105 - a type of object
"""What a bill of priority alone is about, for there may be no visit yet."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What the facility decided (`billing.models.BillingSettings`)."""

    priority_fee: Decimal
    follow_up_free_days: int
    hospital_fee_once: bool
    refund_full_hours: int
    refund_later_percent: Decimal
    when_displaced: str


@dataclass(frozen=True, slots=True)
class Service:
    """Who is to be seen by whom.

    Attributes:
        hospital_fee_charged: the fee was charged in the same visit, and is asked for once.
        priority: the token has priority that is on no bill yet.
        free_days: a follow-up is free so many days after a consultation that was not; 0: this one is not free.
    """

    token_id: int
    doctor_id: int
    department_id: int
    doctor: str
    consultation_fee: Decimal
    hospital_fee: Decimal
    hospital_fee_charged: bool = False
    priority: bool = False
    free_days: int = 0


def free_days(*, follow_up: bool, last: date | None, on: date, days: int) -> int:
    """Within how many days a follow-up is free, where this one is; else 0.

    Args:
        last: the date of the patient's last consultation with the doctor that was not free.
        on: the date of this one.
        days: what the facility decided; 0: no follow-up is free.
    """
    if not follow_up or last is None:
        return 0
    return days if 0 <= (on - last).days <= days else 0


def lines(service: Service, rules: Rules) -> list[LineIn]:
    """The lines of a consultation bill; none where nothing costs anything."""
    return [*_visit_lines(service), *priority_lines(service, rules)]


def _visit_lines(service: Service) -> Iterator[LineIn]:
    fees = [(CONSULTATION, f"Consultation, {service.doctor}", service.consultation_fee)]
    if not service.hospital_fee_charged:
        fees.append((HOSPITAL_FEE, "Hospital fee", service.hospital_fee))
    off = Off(percent=HUNDRED) if service.free_days else None
    reason = f"Follow-up within {service.free_days} days" if off else ""
    for kind, description, fee in fees:
        if fee > 0:
            yield _line(service, kind, description, fee, off=off, discount_reason=reason)


def priority_lines(service: Service, rules: Rules) -> list[LineIn]:
    """The line of the priority fee, where it is owed and not free of charge."""
    if not service.priority or rules.priority_fee <= 0:
        return []
    return [_line(service, PRIORITY, "Priority fee", rules.priority_fee)]


def _line(
    service: Service, kind: str, description: str, fee: Decimal, *, off: Off | None = None, discount_reason: str = ""
) -> LineIn:
    return LineIn(
        description=description,
        unit_price=fee,
        off=off,
        discount_reason=discount_reason,
        item_type=kind,
        item_id=service.token_id,
        department_id=service.department_id,
        doctor_id=service.doctor_id,
    )
