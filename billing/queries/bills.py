"""Bills: one, in full, lists of them, and finding them by whatever somebody has in hand."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Final

from django.db.models import Case, Count, Exists, IntegerField, OuterRef, Q, QuerySet, When

from accounts.models import User
from accounts.permissions import reach, within
from billing.errors import UnknownBill
from billing.models import Bill, Counter, CreditNote, Line, Payment, Receipt, Refund
from billing.queries.accounts import family, records_of
from billing.states import OWED, BillStatus, CounterKind
from patients.queries import search_patients

_NUMBER: Final = re.compile(r"\s*([BRVC])\s*-\s*(?:(\d{4})\s*-\s*)?(\d{1,12})\s*", re.IGNORECASE)


def _bills() -> QuerySet[Bill]:
    return Bill.objects.select_related("facility", "patient")


def get_bill(bill_id: int, by: User) -> Bill:
    """One bill with its patient and lines. Two queries.

    Raises:
        UnknownBill: 404.
        OutOfReach: 404, and recorded: it is a bill of a facility the caller has no part in.
        PermissionDenied: 403.
    """
    bill = _bills().prefetch_related("lines").filter(pk=bill_id).first()
    if bill is None:
        raise UnknownBill
    reach(by, "billing.view", bill)
    return bill


def of_item(bills: QuerySet[Bill], item_types: tuple[str, ...], item_id: int) -> QuerySet[Bill]:
    """Those with a line that stands for an object, such as ("consultation", "priority") and a token's id."""
    lines = Line.objects.filter(bill=OuterRef("pk"), item_type__in=item_types, item_id=item_id)
    return bills.filter(Exists(lines))


def bills_of(
    facility_ids: frozenset[int],
    *,
    patient_id: int | None = None,
    statuses: tuple[str, ...] = (),
    number: str = "",
    on: date | None = None,
    with_lines: bool = False,
) -> QuerySet[Bill]:
    """Bills with their patients, the newest first. One query, two with lines.

    Args:
        facility_ids: ``ALL`` for everywhere.
        patient_id: those of one patient and of all records merged with theirs.
        statuses: only these.
        number: only the one with this number, in any case.
        on: only those issued on this date of their facility.
    """
    bills = _bills().filter(within(facility_ids)).order_by("-pk")
    if patient_id is not None:
        bills = bills.filter(patient__in=family(patient_id).values("pk"))
    if statuses:
        bills = bills.filter(status__in=statuses)
    if number:
        bills = bills.filter(number=number.strip().upper())
    if on is not None:
        bills = bills.filter(date=on)
    return bills.prefetch_related("lines") if with_lines else bills


def to_pay(facility_id: int) -> QuerySet[Bill]:
    """Bills on which something is due, the newest first, with lines. Two queries."""
    return bills_of(frozenset({facility_id}), statuses=OWED, with_lines=True)


def to_give_back(facility_id: int) -> QuerySet[Bill]:
    """Bills of which more was paid than is owed, the newest first, with lines. Two queries."""
    return bills_of(frozenset({facility_id}), with_lines=True).filter(due__lt=0)


def paid_on(facility_id: int, on: date) -> QuerySet[Bill]:
    """Bills for which money came on a date, the newest first, with lines. Two queries."""
    came = Payment.objects.filter(facility_id=facility_id, date=on, bill=OuterRef("pk"))
    return bills_of(frozenset({facility_id}), with_lines=True).filter(Exists(came))


def void_on(facility_id: int, on: date) -> QuerySet[Bill]:
    """Issued bills of a date that are void, the newest first, with lines. Two queries."""
    return bills_of(frozenset({facility_id}), statuses=(BillStatus.VOID,), on=on, with_lines=True)


@dataclass(frozen=True, slots=True)
class DayCounts:
    """How many bills each list of the cash desk has."""

    to_pay: int
    to_give_back: int
    paid: int
    refunds: int
    void: int


def counts_of_day(facility_id: int, on: date) -> DayCounts:
    """How many bills wait, and what happened on a date. Four queries, each over an index of its own."""
    here = Bill.objects.filter(facility_id=facility_id).order_by()
    standing = here.filter(Q(status__in=OWED) | Q(due__lt=0)).aggregate(
        to_pay=Count("pk", filter=Q(status__in=OWED)), to_give_back=Count("pk", filter=Q(due__lt=0))
    )
    paid = Payment.objects.filter(facility_id=facility_id, date=on, bill__isnull=False).order_by()
    return DayCounts(
        **standing,
        paid=paid.aggregate(count=Count("bill", distinct=True))["count"],
        void=here.filter(date=on, status=BillStatus.VOID).count(),
        refunds=Refund.objects.filter(facility_id=facility_id, date=on).count(),
    )


def find_bills(facility_id: int, text: str, *, limit: int = 30) -> list[Bill]:
    """Bills that somebody may mean: by the number of the bill, of a receipt, voucher or credit note, or by patient.

    By patient, those on which something is due come first, then the newest. Two queries with lines, one more for a
    number without its year, three more for patients.

    Args:
        text: such as B-2026-004127, b-4127, R-2026-003981, or what finds a patient: name, phone, number.
        limit: how many at most.
    """
    bills = bills_of(frozenset({facility_id}), with_lines=True)
    named = _NUMBER.fullmatch(text)
    if named:
        return list(bills.filter(_by_number(facility_id, *named.groups()))[:limit])
    people = search_patients(facility_ids=frozenset({facility_id}), text=text, limit=limit)
    if not people:
        return []
    ids = [person.pk for person in people]
    mine = bills.filter(patient__in=records_of(ids).values("pk")).exclude(status=BillStatus.DRAFT)
    rank = {pk: place for place, pk in enumerate(ids)}
    owed_first = Case(When(status__in=OWED, then=0), default=1, output_field=IntegerField())
    found = list(mine.order_by(owed_first, "-pk")[: limit * 4])
    found.sort(key=lambda bill: (bill.status not in OWED, rank.get(bill.patient_id, limit), -bill.pk))
    return found[:limit]


def _by_number(facility_id: int, letter: str, year: str | None, serial: str) -> Q:
    """The condition on a bill that a number gives; without a year it is that of any in which numbers were given."""
    kind, digits = CounterKind(letter.upper()), f"{int(serial):06d}"
    given = Counter.objects.filter(facility_id=facility_id, kind=kind).values_list("year", flat=True)
    numbers = [f"{kind.value}-{each}-{digits}" for each in ([year] if year else given)]
    if kind == CounterKind.BILL:
        return Q(number__in=numbers)
    rows: QuerySet = CreditNote.objects if kind == CounterKind.CREDIT_NOTE else Receipt.objects  # type: ignore[assignment]
    papers = rows.filter(facility_id=facility_id, number__in=numbers, bill__isnull=False)
    return Q(pk__in=papers.order_by().values("bill"))


@dataclass(frozen=True, slots=True)
class BillInFull:
    """A bill with everything that happened to it, each in the order in which it did."""

    bill: Bill
    lines: tuple[Line, ...]
    payments: tuple[Payment, ...]
    refunds: tuple[Refund, ...]
    credit_notes: tuple[CreditNote, ...]
    receipts: tuple[Receipt, ...]


def bill_in_full(bill_id: int, by: User) -> BillInFull:
    """One bill with lines, payments, refunds, credit notes and receipts. Six queries.

    Raises:
        As `get_bill`.
    """
    bill = get_bill(bill_id, by)
    return BillInFull(
        bill=bill,
        lines=tuple(bill.lines.all()),
        payments=tuple(bill.payments.select_related("receipt", "by").order_by("pk")),
        refunds=tuple(bill.refunds.select_related("payment", "receipt", "by").order_by("pk")),
        credit_notes=tuple(bill.credit_notes.select_related("by").order_by("pk")),
        receipts=tuple(bill.receipts.order_by("pk")),
    )
