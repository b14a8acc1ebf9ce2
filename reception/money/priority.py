"""Taking the fee of priority: bill, payment, and the token's better place, in one transaction."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from accounts.models import Facility, User
from billing.actions import create_bill, pay
from billing.desk import lock_accounts
from billing.locking import be_patient
from billing.models import Receipt
from billing.numbers import hold_counters
from billing.states import CounterKind, Method
from billing.tenders import Tender
from reception.errors import PriorityNotSold
from reception.money import fees, reading
from reception.money.holding import AHEAD, sessions_ahead
from reception.money.reading import TokenMoney
from reception.queries import get_token
from tokens.errors import InvalidTransition
from tokens.models import Token
from tokens.states import ACTIVE


@transaction.atomic(savepoint=False)
def take_priority_fee(*, token_id: int, tenders: Sequence[Tender], by: User, at: datetime | None = None) -> Receipt:
    """Take the priority fee: the token is scored anew and decided again at once, if it waits.

    The fee goes on the open bill for priority that the token has, else on a new one. A part of it is taken too; the
    priority comes with the rest.

    Args:
        tenders: how it is paid, as `billing.actions.pay` takes it.

    Returns:
        the receipt.

    Raises:
        NotFound, PermissionDenied
        PriorityNotSold: 409, priority has no price here.
        InvalidTransition: 409, the token is over, or has its priority.
        What `billing.actions.pay` raises.
    """
    at = at or timezone.now()
    get_token(token_id=token_id, by=by)
    be_patient(by)
    sessions_ahead(token_id)
    token = _with_price(get_token(token_id=token_id, by=by).session.facility_id, token_id)
    if token.paid or token.status not in ACTIVE:
        raise InvalidTransition(number=token.number, status="paid" if token.paid else token.status)
    offered = next((bill for bill in token.alone if not bill.credited and bill.total > bill.paid), None)
    _lock_ahead(token, tenders)
    bill_id = offered.id if offered else _create(token, by, at)
    return pay(bill_id=bill_id, tenders=tenders, by=by, at=at)


def _with_price(facility_id: int, token_id: int) -> TokenMoney:
    token = reading.read([token_id], facility_id=facility_id).get(token_id)
    if token is None or token.rules.priority_fee <= 0:
        raise PriorityNotSold
    return token


def _lock_ahead(token: TokenMoney, tenders: Sequence[Tender]) -> None:
    """Lock bills and accounts of everybody whom the priority may displace: they stand before the bill's number.

    The caller holds their sessions.
    """
    until = token.date + timedelta(days=AHEAD)
    there = Token.objects.filter(session__doctor=token.doctor_id, session__date__range=(token.date, until))
    ids = list(there.filter(status__in=ACTIVE).order_by().values_list("pk", flat=True))
    others = reading.read(ids, facility_id=token.facility_id).values()
    moving = [other for other in others if any(bill.paid > 0 for bill in other.bills)]
    if any(tender.method == Method.ACCOUNT for tender in tenders):
        moving.append(token)
    for facility_id, patient_id in sorted({(other.facility_id, other.patient_id) for other in moving}):
        lock_accounts(facility_id, patient_id)


def _create(token: TokenMoney, by: User, at: datetime) -> int:
    lines = fees.priority_lines(token.service(priority=True), token.rules)
    # Who is displaced by the priority may get a credit note, whose number comes before that of the bill.
    facility = Facility.objects.get(pk=token.facility_id)
    hold_counters(facility.pk, (CounterKind.CREDIT_NOTE, CounterKind.VOUCHER), facility.local_date(at))
    return create_bill(
        facility_id=token.facility_id,
        patient_id=token.patient_id,
        lines=lines,
        billable_type=fees.TOKEN,
        billable_id=token.id,
        about=token.about,
        by_rule=True,
        by=by,
        at=at,
    ).pk
