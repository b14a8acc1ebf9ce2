"""Shifts, prices and the ledger as clients see them; `shapes.py` describes the same for the OpenAPI document."""

from collections.abc import Sequence

from accounts.models import Facility
from billing.api.answers import JSON, NOTHING, clock, day, money
from billing.models import CashMovement, LedgerAccount, LedgerEntry, Price, Shift
from billing.proof import Proof
from billing.queries.shifts import ShiftReport, expected_cash, moved_cash


def shift_json(shift: Shift) -> JSON:
    """A shift; what was expected and counted once it is closed."""
    facility = shift.facility
    closed = shift.counted is not None and shift.expected is not None
    return {
        "id": shift.pk,
        "facility": shift.facility_id,
        "drawer": shift.drawer_id,
        "drawer_name": shift.drawer.name,
        "cashier": shift.cashier_id,
        "cashier_name": str(shift.cashier),
        "date": day(shift.date),
        "number": shift.number,
        "currency": facility.currency,
        "float": money(shift.float_amount),
        "after": shift.after_id,
        "opened_at": clock(shift.opened_at, facility.tz),
        "closed_at": clock(shift.closed_at, facility.tz),
        "closed_by": shift.closed_by_id,
        "expected": money(shift.expected),
        "counted": money(shift.counted),
        "counts": shift.counts,
        "difference": money(shift.counted - shift.expected) if closed else None,
        "reason": shift.reason,
    }


def open_json(shift: Shift) -> JSON:
    """An open shift with what lies in its drawer. Two queries."""
    came, went = moved_cash(shift)
    now = {"expected": money(expected_cash(shift)), "cash_in": money(came), "cash_out": money(went)}
    return {**shift_json(shift), **now}


def movement_json(row: CashMovement, shift: Shift) -> JSON:
    """Cash that was moved in a shift."""
    return {
        "id": row.pk,
        "number": row.number,
        "facility": row.facility_id,
        "shift": shift.pk,
        "drawer": shift.drawer_id,
        "kind": str(row.kind),
        "currency": shift.facility.currency,
        "amount": money(row.amount),
        "reason": row.reason,
        "date": day(row.date),
        "at": clock(row.at, shift.facility.tz),
        "by": row.by_id,
    }


def report_json(report: ShiftReport) -> JSON:
    """A shift with its figures."""
    return {
        **shift_json(report.shift),
        "kind": report.kind,
        "expected": money(report.expected),
        "methods": [
            {
                "method": each.method.value,
                "payments": each.payments,
                "taken": money(each.taken),
                "refunds": each.refunds,
                "given": money(each.given),
                "net": money(each.net),
            }
            for each in report.methods
        ],
        "moved": [{"kind": each.kind.value, "count": each.count, "added": money(each.added)} for each in report.moved],
        "cash_in": money(report.cash_in),
        "cash_out": money(report.cash_out),
        "payments": report.payments,
        "taken": money(report.taken),
        "refunds": report.refunds,
        "given": money(report.given),
        "net": money(report.net),
        "advances": money(report.advances),
        "receipts": report.receipts,
        "vouchers": report.vouchers,
        "first_receipt": report.first_receipt,
        "last_receipt": report.last_receipt,
    }


def price_json(price: Price, facility: Facility) -> JSON:
    """A price with its tax."""
    tax = price.tax
    return {
        "id": price.pk,
        "facility": price.facility_id,
        "code": price.code,
        "name": price.name,
        "item_type": price.item_type,
        "item_id": price.item_id,
        "department": price.department_id,
        "currency": facility.currency,
        "amount": money(price.amount),
        "tax": tax.name if tax else "",
        "tax_percent": money(tax.percent if tax else NOTHING),
        "tax_included": bool(tax and tax.included),
        "valid_from": day(price.valid_from),
        "valid_until": day(price.valid_until),
    }


def entry_json(entry: LedgerEntry) -> JSON:
    """A line of the ledger with what it belongs to."""
    posted, account = entry.transaction, entry.account
    facility = account.facility
    return {
        "id": entry.pk,
        "transaction": posted.pk,
        "kind": str(posted.kind),
        "date": day(posted.date),
        "at": clock(posted.at, facility.tz),
        "by": posted.by_id,
        "facility": facility.pk,
        "account": account.pk,
        "account_code": account.code,
        "account_name": account.name,
        "currency": facility.currency,
        "amount": money(entry.amount),
        "bill": posted.bill_id,
        "bill_number": posted.bill.number if posted.bill else None,
        "patient": entry.patient_id,
        "payment": posted.payment_id,
        "refund": posted.refund_id,
        "credit_note": posted.credit_note_id,
        "movement": posted.movement_id,
        "shift": posted.shift_id,
    }


def account_json(account: LedgerAccount) -> JSON:
    """An account of the ledger with its balance."""
    return {
        "id": account.pk,
        "facility": account.facility_id,
        "kind": str(account.kind),
        "code": account.code,
        "name": account.name,
        "department": account.department_id,
        "drawer": account.drawer_id,
        "currency": account.facility.currency,
        "balance": money(account.balance),  # type: ignore[attr-defined]  # `with_balances` adds it
    }


def proofs_json(proofs: Sequence[tuple[Facility, Proof]]) -> JSON:
    """Whether all money agrees, and what does not; in all facilities together, and in each."""
    currencies = {facility.currency for facility, _ in proofs}
    return {
        "balanced": all(proof.balanced for _, proof in proofs),
        "difference": money(sum((proof.difference for _, proof in proofs), NOTHING)),
        "currency": currencies.pop() if len(currencies) == 1 else None,
        "findings": [
            {"facility": facility.pk, **finding.as_json(), "says": finding.says}
            for facility, proof in proofs
            for finding in proof.findings
        ],
        "facilities": [_proof_json(facility, proof) for facility, proof in proofs],
    }


def _proof_json(facility: Facility, proof: Proof) -> JSON:
    return {
        "facility": facility.pk,
        "name": facility.name,
        "currency": facility.currency,
        "at": clock(proof.at, facility.tz),
        "balanced": proof.balanced,
        "difference": money(proof.difference),
        "transactions": proof.transactions,
        "debits": money(proof.debits),
        "credits": money(proof.credits),
        "counts": proof.counts,
    }
