"""What lists of bills, payments, shifts and the ledger can be narrowed by."""

import re
from typing import Any, Final

from django.db.models import Exists, OuterRef, QuerySet
from django_filters import rest_framework as filters

from accounts.permissions import facility_ids
from billing.models import Bill, Counter, Line, Payment, Receipt
from billing.models.fields import NormalReference
from billing.queries.accounts import family, records_of
from billing.queries.bills import of_item
from billing.references import normal
from billing.states import OWED, AccountKind, BillStatus, CounterKind, LedgerKind, Method, ReceiptKind
from common.api.filters import DatedFilter, YesNoFilter
from patients.queries import search_patients
from scheduling.api.filters import IdFilter

LONGEST: Final = 200
"""Characters of a search that are read."""
MOST_PEOPLE: Final = 50
NUMBER: Final = re.compile(r"b\s*-\s*(?:([0-9]{4})\s*-\s*)?([0-9]{1,12})", re.IGNORECASE)

OF_TOKENS: Final = ("consultation", "priority")
"""Types of lines that stand for a token, by its id."""


class Several(filters.MultipleChoiceFilter):
    """One of several words of a column. A row has one of them, so none comes twice and nothing is made distinct."""

    def __init__(self, **options: Any) -> None:
        super().__init__(distinct=False, **options)


class BillFilter(DatedFilter):
    """By whom, what, when and how far it is; several statuses as ``?status=open&status=part_paid``."""

    facility = IdFilter(field_name="facility_id")
    patient = IdFilter(method="of_patient")
    status = Several(choices=BillStatus.choices)
    number = filters.CharFilter(field_name="number", method="numbered")
    search = filters.CharFilter(method="searched", label="A bill's number, or a patient's name, phone or number.")
    token = IdFilter(method="of_token", label="The id of a token whose consultation or priority it has a line for.")
    item_type = filters.CharFilter(method="of_item", label="With lines of this type; with item_id, for this object.")
    item_id = IdFilter(method="of_item")
    billable_type = filters.CharFilter()
    billable_id = IdFilter()
    owed = YesNoFilter(method="only_owed", label="Something is due on it.")
    to_give_back = YesNoFilter(method="only_to_give_back", label="More was paid than is owed.")

    def of_patient(self, bills: QuerySet[Bill], name: str, value: int) -> QuerySet[Bill]:
        """The patient's, and those of all records that were merged with the patient's."""
        return bills.filter(patient__in=family(value).values("pk"))

    def searched(self, bills: QuerySet[Bill], name: str, value: str) -> QuerySet[Bill]:
        """By the bill's number, with its year or without, else by whatever finds a patient."""
        text = value.strip()[:LONGEST]
        number = NUMBER.fullmatch(text)
        if number:
            year, serial = number.groups()
            # Whole numbers, for an index knows how a number begins, and not how it ends.
            given = Counter.objects.filter(kind=CounterKind.BILL).values_list("year", flat=True).distinct()
            years = [year] if year else list(given)
            return bills.filter(number__in=[f"B-{each}-{int(serial):06d}" for each in years])
        ids = facility_ids(self.request.user, "billing.view")
        people = [person.pk for person in search_patients(facility_ids=ids, text=text, limit=MOST_PEOPLE)]
        return bills.filter(patient__in=records_of(people).values("pk")) if text else bills

    def numbered(self, bills: QuerySet[Bill], name: str, value: str) -> QuerySet[Bill]:
        """The bill of that number, however it was typed."""
        return bills.filter(number=value.strip().upper())

    def of_token(self, bills: QuerySet[Bill], name: str, value: int) -> QuerySet[Bill]:
        """Bills with a line for the token."""
        return of_item(bills, OF_TOKENS, value)

    def of_item(self, bills: QuerySet[Bill], name: str, value: object) -> QuerySet[Bill]:
        """Bills with one line that is of the type and for the object."""
        asked = self.form.cleaned_data
        wanted = {key: asked[key] for key in ("item_type", "item_id") if asked.get(key)}
        return bills.filter(Exists(Line.objects.filter(bill=OuterRef("pk"), **wanted)))

    def only_owed(self, bills: QuerySet[Bill], name: str, value: bool) -> QuerySet[Bill]:
        """Bills on which something is due, or the others."""
        return bills.filter(status__in=OWED) if value else bills.exclude(status__in=OWED)

    def only_to_give_back(self, bills: QuerySet[Bill], name: str, value: bool) -> QuerySet[Bill]:
        """Bills of which something is to be given back, or the others."""
        return bills.filter(due__lt=0) if value else bills.filter(due__gte=0)


class MovedFilter(DatedFilter):
    """By bill, shift, who moved the money, how and when."""

    facility = IdFilter(field_name="facility_id")
    bill = IdFilter(field_name="bill_id")
    shift = IdFilter(field_name="shift_id")
    cashier = IdFilter(field_name="by_id")
    method = Several(choices=Method.choices)


class PaymentFilter(MovedFilter):
    """Also by patient, receipt and reference; advances alone, or none."""

    patient = IdFilter(field_name="patient_id")
    receipt = IdFilter(field_name="receipt_id")
    reference = filters.CharFilter(method="written", help_text="However it is written: ab12 finds AB 12.")
    advance = YesNoFilter(field_name="bill", lookup_expr="isnull", label="Paid onto the patient's account.")

    def written(self, payments: QuerySet[Payment], name: str, value: str) -> QuerySet[Payment]:
        """The payments with that reference, as payments are compared by it."""
        return payments.exclude(reference="").alias(normal=NormalReference("reference")).filter(normal=normal(value))


class RefundFilter(MovedFilter):
    """Also by patient and payment."""

    patient = IdFilter(field_name="payment__patient_id")
    payment = IdFilter(field_name="payment_id")


class ReceiptFilter(filters.FilterSet):
    """By number, kind, bill, patient and shift."""

    facility = IdFilter(field_name="facility_id")
    patient = IdFilter(field_name="patient_id")
    bill = IdFilter(field_name="bill_id")
    shift = IdFilter(field_name="shift_id")
    kind = filters.ChoiceFilter(choices=ReceiptKind.choices)
    number = filters.CharFilter(method="numbered")

    def numbered(self, receipts: QuerySet[Receipt], name: str, value: str) -> QuerySet[Receipt]:
        """The receipt of that number, however it was typed."""
        return receipts.filter(number=value.strip().upper())


class ShiftFilter(DatedFilter):
    """By cashier, drawer and day; open or closed."""

    facility = IdFilter(field_name="facility_id")
    cashier = IdFilter(field_name="cashier_id")
    drawer = IdFilter(field_name="drawer_id")
    open = YesNoFilter(field_name="closed_at", lookup_expr="isnull")


class EntryFilter(filters.FilterSet):
    """By account, what it is about, and when."""

    facility = IdFilter(field_name="account__facility_id")
    account = IdFilter(field_name="account_id")
    account_kind = Several(field_name="account__kind", choices=AccountKind.choices)
    account_code = filters.CharFilter(field_name="account__code")
    kind = Several(field_name="transaction__kind", choices=LedgerKind.choices)
    transaction = IdFilter(field_name="transaction_id")
    bill = IdFilter(field_name="transaction__bill_id")
    patient = IdFilter(field_name="patient_id")
    payment = IdFilter(field_name="transaction__payment_id")
    refund = IdFilter(field_name="transaction__refund_id")
    movement = IdFilter(field_name="transaction__movement_id")
    shift = IdFilter(field_name="transaction__shift_id")
    date = filters.DateFilter(field_name="transaction__date")
    date_from = filters.DateFilter(field_name="transaction__date", lookup_expr="gte")
    date_to = filters.DateFilter(field_name="transaction__date", lookup_expr="lte")


class AccountFilter(filters.FilterSet):
    """By kind, code, department and drawer."""

    facility = IdFilter(field_name="facility_id")
    kind = Several(choices=AccountKind.choices)
    code = filters.CharFilter()
    department = IdFilter(field_name="department_id")
    drawer = IdFilter(field_name="drawer_id")
