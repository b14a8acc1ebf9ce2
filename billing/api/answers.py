"""Bills, payments and refunds as clients see them: plain dictionaries, made of rows that were read whole.

`shapes.py` describes the same for the OpenAPI document. Amounts are strings with two decimals, and the currency stands
beside them; times carry the facility's offset.
"""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from accounts.models import Facility
from billing.models import (
    Bill,
    CreditNote,
    Line,
    Payment,
    Receipt,
    ReceiptPrint,
    Refund,
)
from billing.states import BillStatus
from patients.models import Patient

JSON = dict[str, Any]
CENT: Final = Decimal("0.01")
NOTHING: Final = Decimal(0)


def money(amount: Decimal | None) -> str | None:
    """An amount with two decimals."""
    return None if amount is None else f"{amount.quantize(CENT):f}"


def clock(moment: datetime | None, zone: ZoneInfo) -> str | None:
    """A moment as ISO 8601 with the facility's offset."""
    return None if moment is None else moment.astimezone(zone).isoformat()


def day(on: date | None) -> str | None:
    """A date of the facility."""
    return None if on is None else on.isoformat()


# Bills


def due_of(bill: Bill) -> Decimal:
    """What is due on it now, by the amounts in hand: the database's own column is as old as the row's last read."""
    if bill.status in (BillStatus.DRAFT, BillStatus.VOID):
        return NOTHING
    return bill.total - bill.credited - bill.paid


def bill_json(bill: Bill, lines: Iterable[Line]) -> JSON:
    """A bill with its lines."""
    zone, patient = bill.facility.tz, bill.patient
    return {
        "id": bill.pk,
        "number": bill.number,
        "status": str(bill.status),
        "facility": bill.facility_id,
        "patient": bill.patient_id,
        "patient_name": patient.name,
        "patient_number": patient.number,
        "currency": bill.currency,
        "gross": money(bill.gross),
        "discount": money(bill.discount),
        "tax": money(bill.tax),
        "total": money(bill.total),
        "credited": money(bill.credited),
        "paid": money(bill.paid),
        "due": money(due_of(bill)),
        "date": day(bill.date),
        "created_at": clock(bill.created_at, zone),
        "issued_at": clock(bill.issued_at, zone),
        "voided_at": clock(bill.voided_at, zone),
        "void_reason": bill.void_reason,
        "billable_type": bill.billable_type,
        "billable_id": bill.billable_id,
        "about": bill.about,
        "version": bill.version,
        "lines": [line_json(line) for line in lines],
    }


def line_json(line: Line) -> JSON:
    """A line of a bill."""
    return {
        "id": line.pk,
        "position": line.position,
        "description": line.description,
        "quantity": quantity(line.quantity),
        "unit_price": money(line.unit_price),
        "gross": money(line.gross),
        "discount": money(line.discount),
        "discount_reason": line.discount_reason,
        "tax_percent": money(line.tax_percent),
        "tax_included": line.tax_included,
        "tax": money(line.tax),
        "total": money(line.total),
        "item_type": line.item_type,
        "item_id": line.item_id,
        "department": line.department_id,
        "doctor": line.doctor_id,
    }


def quantity(number: Decimal) -> str:
    """How many, without needless zeros."""
    text = f"{Decimal(number):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def credit_note_json(note: CreditNote) -> JSON:
    """A credit note with what is due on its bill now."""
    bill, zone = note.bill, note.bill.facility.tz
    return {
        "id": note.pk,
        "number": note.number,
        "bill": note.bill_id,
        "bill_number": bill.number,
        "currency": bill.currency,
        "amount": money(note.amount),
        "tax": money(note.tax),
        "reason": note.reason,
        "date": day(note.date),
        "at": clock(note.at, zone),
        "by": note.by_id,
        "lines": [
            {"line": line.line_id, "amount": money(line.amount), "tax": money(line.tax)} for line in note.lines.all()
        ],
        "due": money(due_of(bill)),
    }


# Payments


def _moved_json(moved: Payment | Refund, receipt: Receipt, facility: Facility) -> JSON:
    """What payments and refunds have in common."""
    return {
        "id": moved.pk,
        "receipt": receipt.pk,
        "receipt_number": receipt.number,
        "bill": moved.bill_id,
        "method": str(moved.method),
        "currency": facility.currency,
        "amount": money(moved.amount),
        "reference": moved.reference,
        "shift": moved.shift_id,
        "date": day(moved.date),
        "at": clock(moved.at, facility.tz),
        "by": moved.by_id,
    }


def payment_json(payment: Payment, receipt: Receipt, bill: Bill | None, facility: Facility) -> JSON:
    """A payment. It is for the bill of its receipt, or an advance."""
    return {
        **_moved_json(payment, receipt, facility),
        "facility": payment.facility_id,
        "patient": payment.patient_id,
        "bill_number": bill.number if bill and payment.bill_id else None,
        "refunded": money(payment.refunded),
        "rest_of": payment.rest_of_id,
    }


def paid_json(receipt: Receipt, payments: list[Payment], bill: Bill | None, facility: Facility) -> JSON:
    """What was paid at once: the first payment, with what all of them left."""
    shown = [payment_json(payment, receipt, bill, facility) for payment in payments]
    kept = sum((payment.amount for payment in payments if payment.bill_id is None), NOTHING)
    return {
        **shown[0],
        "due": money(due_of(bill)) if bill else None,
        "bill_status": str(bill.status) if bill else None,
        "tendered": money(receipt.tendered),
        "change": money(receipt.change),
        "kept": money(kept),
        "payments": shown,
    }


def refund_json(refund: Refund, receipt: Receipt, facility: Facility) -> JSON:
    """A refund."""
    return {
        **_moved_json(refund, receipt, facility),
        "payment": refund.payment_id,
        "credit_note": refund.credit_note_id,
        "reason": refund.reason,
    }


def refunded_json(refund: Refund) -> JSON:
    """A refund just given, with what it left of its payment and on its bill."""
    bill = refund.bill
    return {
        **refund_json(refund, refund.receipt, refund.facility),
        "refundable": money(refund.payment.refundable),
        "due": money(due_of(bill)) if bill else None,
        "bill_status": str(bill.status) if bill else None,
    }


def receipt_json(receipt: Receipt) -> JSON:
    """A receipt with what is on it."""
    facility = receipt.facility
    payments, refunds = list(receipt.payments.all()), list(receipt.refunds.all())
    return {
        "id": receipt.pk,
        "number": receipt.number,
        "kind": str(receipt.kind),
        "facility": receipt.facility_id,
        "patient": receipt.patient_id,
        "bill": receipt.bill_id,
        "bill_number": receipt.bill.number if receipt.bill else None,
        "shift": receipt.shift_id,
        "currency": facility.currency,
        "amount": money(sum((each.amount for each in payments), sum((each.amount for each in refunds), NOTHING))),
        "tendered": money(receipt.tendered),
        "change": money(receipt.change),
        "due_after": money(receipt.due_after),
        "at": clock(receipt.at, facility.tz),
        "by": receipt.by_id,
        "payments": [payment_json(payment, receipt, receipt.bill, facility) for payment in payments],
        "refunds": [refund_json(refund, receipt, facility) for refund in refunds],
    }


def print_json(printed: ReceiptPrint, zone: ZoneInfo) -> JSON:
    """That a receipt left the printer."""
    return {
        "receipt": printed.receipt_id,
        "copy": printed.copy,
        "at": clock(printed.at, zone),
        "by": printed.by_id,
    }


def balance_json(patient: Patient, balance: Decimal | None) -> JSON:
    """What a patient has paid in advance."""
    facility = patient.facility
    return {
        "patient": patient.pk,
        "patient_name": patient.name,
        "patient_number": patient.number,
        "facility": facility.pk,
        "currency": facility.currency,
        "balance": money(balance or NOTHING),
    }
