"""Reads about tokens and money for screens and answers, each with a known number of queries."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from billing.models import Bill, Line, Payment
from billing.queries.accounts import family
from billing.rules import ZERO
from billing.states import BillStatus
from billing.tenders import draw
from patients.models import Patient
from reception.models import Visit, VisitToken
from reception.money import plan_words, reading, words
from reception.money.deciding import Becomes, fates
from reception.money.fees import ABOUT_TOKENS, VISIT
from reception.money.reading import TokenMoney
from reception.money.refund_rules import Loss, loss_of
from tokens.models import Token
from tokens.states import Status

SEE = "billing.view"
TAKE = "billing.take"


# What is owed


def due_of(token: Token) -> Decimal:
    """What is due on the token's consultation bill. No query where it was read along (`of_visit__bill`)."""
    of_visit = getattr(token, "of_visit", None)
    return of_visit.bill.owed if of_visit and of_visit.bill else ZERO


def bills_of(token: Token) -> list[Bill]:
    """The bills about a token that count, the newest first. One query."""
    about = Line.objects.filter(item_type__in=ABOUT_TOKENS, item_id=token.pk).values("bill_id")
    counted = Bill.objects.filter(pk__in=about).exclude(status__in=[BillStatus.DRAFT, BillStatus.VOID])
    return list(counted.order_by("-pk"))


# What a step will do, before it is done


def before_cancelling(token: Token) -> list[str]:
    """What cancelling the token now would do with its bills, a sentence each. Two queries at most."""
    becomes = _becoming([token.pk], token.session.facility_id, {token.pk: Status.CANCELLED}, {})
    return words.all_told(becomes, _ways(becomes))


@dataclass(frozen=True, slots=True)
class PlanMoney:
    """What a plan would do with bills: in short, and how much goes back to the patient of each token."""

    sentences: Sequence[str] = ()
    back: Mapping[int, Decimal] = field(default_factory=dict)
    currency: str = ""


def before_displacing(after: Mapping[int, Status], facility_id: int) -> dict[int, list[str]]:
    """What would become of the bills of tokens that lose their place to another, a sentence each, by token.

    Two queries at most, none where nobody loses one.

    Args:
        after: their status then, on the same day with the same doctor.
    """
    hospital = {token_id for token_id, status in after.items() if status == Status.CANCELLED}
    becomes = _becoming(list(after), facility_id, after, {}, hospital)
    ways = _ways(becomes)
    said: dict[int, list[str]] = {}
    for each in becomes:
        said.setdefault(each.token.id, []).extend(words.all_told([each], ways))
    return said


def before_plan(
    effects: Sequence[Mapping[str, Any]], facility_id: int, dates: Mapping[int, tuple[datetime, dt.date]]
) -> PlanMoney:
    """What a plan would do with the bills of those whom it touches. Two queries at most.

    Args:
        effects: as the engine tells them.
        dates: when the slots begin in which the plan leaves them, and on which date.
    """
    after = {effect["token"]: Status(effect["after"]["status"]) for effect in effects}
    days = {effect["token"]: dates[effect["after"]["slot"]][1] for effect in effects}
    hospital = {token_id for token_id, status in after.items() if status == Status.CANCELLED}
    becomes = _becoming(list(after), facility_id, after, days, hospital)
    currency = becomes[0].token.currency if becomes else ""
    return PlanMoney(plan_words.summed(becomes, _ways(becomes)), plan_words.back_of_each(becomes), currency)


def _becoming(
    token_ids: Sequence[int],
    facility_id: int,
    after: Mapping[int, Status],
    days: Mapping[int, dt.date],
    hospital: Iterable[int] = (),
) -> list[Becomes]:
    """What becomes of the bills of tokens that will have another status, or be on another day."""
    if not token_ids or reading.never_bills(facility_id):
        return []
    with transaction.atomic():
        known = reading.read(token_ids, facility_id=facility_id, lock=False)
    now = timezone.now()
    found: list[Becomes] = []
    for token in known.values():
        how = _loss(token, after[token.id], days.get(token.id, token.date), by_hospital=token.id in hospital)
        found += fates(token, how, now)
    return sorted(found, key=lambda becomes: becomes.bill.id)


def _loss(token: TokenMoney, status: Status, day: dt.date, *, by_hospital: bool) -> Loss:
    how = loss_of(
        status=status,
        arrived=token.arrived and day == token.date,
        waited=token.status == Status.WAITLISTED,
        moved=token.live is not None and day != token.bill_date,
        other=token.other_patient,
    )
    return Loss.HOSPITAL if by_hospital and how == Loss.PERSON else how


def _ways(becomes: Iterable[Becomes]) -> dict[int, words.Ways]:
    """By which methods what goes back goes back, of each bill: the newest payments first. One query, or none."""
    wanted = {each.bill.id: each.fate.back for each in becomes if each.fate.back > 0}
    if not wanted:
        return {}
    paid: dict[int, list[tuple[str, Decimal]]] = {}
    rows = Payment.objects.filter(bill_id__in=wanted, refunded__lt=F("amount")).order_by("-pk")
    for bill_id, method, amount, refunded in rows.values_list("bill_id", "method", "amount", "refunded"):
        paid.setdefault(bill_id, []).append((method, amount - refunded))
    return {bill_id: _drawn(paid.get(bill_id, []), back) for bill_id, back in wanted.items()}


def _drawn(paid: Sequence[tuple[str, Decimal]], back: Decimal) -> words.Ways:
    """So much of each method, one entry a method."""
    sums: dict[str, Decimal] = {}
    for index, part in draw([(index, amount) for index, (_way, amount) in enumerate(paid)], back):
        sums[paid[index][0]] = sums.get(paid[index][0], ZERO) + part
    return list(sums.items())


# Visits


def visits_on(patient: Patient, dates: Iterable[dt.date]) -> list[Visit]:
    """What was opened for a patient on these days, the first first, each with `used`: whether it has a token of theirs.

    One is used a day; others were taken over by it, or opened for somebody else's token. One query.
    """
    records = family(patient.pk).values("pk")
    own = VisitToken.objects.filter(visit=OuterRef("pk"), token__patient__in=records)
    found = Visit.objects.filter(patient__in=records, date__in=list(dates)).annotate(used=Exists(own))
    return list(found.order_by("opened_at", "pk"))


def charged_twice(patient_id: int, on: dt.date | None = None) -> list[str]:
    """Where the hospital fee was charged more than once a day because records were merged, a sentence each.

    One query.

    Args:
        on: that day alone.
    """
    days = reading.fee_twice(patient_id, on)
    said = _("The hospital fee of %(day)s is on %(bills)s. A credit note on one of them takes it off.")
    return [
        said % {"day": date_format(day, "j M Y"), "bills": ", ".join(sorted(numbers))} for day, numbers in days.items()
    ]


def bills_on(visits: Iterable[Visit], token_ids: Iterable[int]) -> dict[int, list[Bill]]:
    """The bills of visits and of their tokens by the token, those about no token under 0; oldest first. Two queries.

    Whoever makes a bill says what it is about. So one of another patient or hospital is none of the visit, nor is one
    that was never issued: its lines were never looked at.
    """
    about = Line.objects.filter(item_type__in=ABOUT_TOKENS, item_id__in=list(token_ids))
    tokens = dict(about.values_list("bill_id", "item_id"))
    issued = Bill.objects.filter(issued_at__isnull=False)
    own = Visit.objects.alias(head=Coalesce("patient__merged_into", "patient")).filter(
        pk=OuterRef("billable_id"),
        facility=OuterRef("facility"),
        head=Coalesce(OuterRef("patient__merged_into"), OuterRef("patient")),
    )
    of_visits = issued.filter(Exists(own), billable_type=VISIT, billable_id__in=[visit.pk for visit in visits])
    found: dict[int, list[Bill]] = {}
    for bill in (of_visits | issued.filter(pk__in=tokens)).order_by("pk"):
        found.setdefault(tokens.get(bill.pk) or 0, []).append(bill)
    return found
