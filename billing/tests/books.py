"""What stands in the books: the database's and the model's, laid side by side. SQL of its own, nothing of `billing`."""

from decimal import Decimal
from typing import Any

from billing.tests.house import rows
from billing.tests.naive import Key, Naive


def whole(amount: Decimal) -> int:
    """An amount as cents."""
    assert amount == amount.quantize(Decimal("0.01"))
    return int(amount * 100)


def differences(model: Naive, facilities: list[int]) -> list[str]:
    """Everything in which the database and the model differ."""
    return [
        *_differ("bills", real_bills(facilities), told_bills(model)),
        *_differ("payments", real_payments(facilities), told_payments(model)),
        *_differ("shifts", real_shifts(facilities), told_shifts(model)),
        *_differ("movements", real_movements(facilities), told_movements(model)),
        *_differ("balances", real_balances(facilities), model.balances()),
        *_differ("claims", real_claims(facilities), model.claims()),
        *_differ("counters", real_counters(facilities), dict(model.counters)),
    ]


def real_bills(facilities: list[int]) -> dict[Any, Any]:
    """Number, state and amounts of every bill."""
    found = rows(
        """SELECT id, number, status, total, credited, paid, due FROM billing_bill WHERE facility_id = ANY(%s)""",
        facilities,
    )
    return {row[0]: (row[1], row[2], *map(whole, row[3:])) for row in found}


def told_bills(model: Naive) -> dict[Any, Any]:
    """The same of the model."""
    return {b.id: (b.number, b.status, b.total, b.credited, b.paid, b.due) for b in model.bills.values()}


def real_payments(facilities: list[int]) -> dict[Any, Any]:
    """Every payment, with what its refunds come to."""
    found = rows(
        """SELECT p.id, p.bill_id, p.method, p.shift_id, r.number, p.amount, p.refunded,
                  coalesce((SELECT sum(amount) FROM billing_refund WHERE payment_id = p.id), 0)
             FROM billing_payment p JOIN billing_receipt r ON r.id = p.receipt_id WHERE p.facility_id = ANY(%s)""",
        facilities,
    )
    return {row[0]: (*row[1:5], *map(whole, row[5:])) for row in found}


def told_payments(model: Naive) -> dict[Any, Any]:
    """The same of the model."""
    return {
        p.id: (p.bill, p.method, p.shift, p.receipt, p.amount, p.refunded, p.refunded + p.paid_out)
        for p in model.payments.values()
    }


def real_shifts(facilities: list[int]) -> dict[Any, Any]:
    """Every shift, and how it was counted."""
    found = rows(
        """SELECT id, number, date, float_amount, counted, expected, difference FROM billing_shift
            WHERE facility_id = ANY(%s)""",
        facilities,
    )
    return {row[0]: (row[1], row[2], *(None if one is None else whole(one) for one in row[3:])) for row in found}


def told_shifts(model: Naive) -> dict[Any, Any]:
    """The same of the model."""
    return {
        s.id: (
            s.number, s.day, s.start, s.counted, s.expected,
            None if s.counted is None or s.expected is None else s.counted - s.expected,
        )
        for s in model.shifts.values()
    }  # fmt: skip


def real_movements(facilities: list[int]) -> dict[Any, Any]:
    """What was carried into drawers and out of them, by its number."""
    found = rows(
        """SELECT m.facility_id, m.number, m.shift_id, m.kind, m.amount, m.added, m.reason
             FROM billing_cashmovement m WHERE m.facility_id = ANY(%s)""",
        facilities,
    )
    return {row[:2]: (*row[2:4], whole(row[4]), whole(row[5]), row[6]) for row in found}


def told_movements(model: Naive) -> dict[Any, Any]:
    """The same of the model."""
    sign = {"from_safe": 1, "came_back": 1, "to_safe": -1, "paid_out": -1}
    return {
        (model.shifts[m.shift].facility, m.number): (m.shift, m.kind, m.amount, sign[m.kind] * m.amount, m.reason)
        for m in model.movements
    }


def real_balances(facilities: list[int]) -> dict[Key, int]:
    """Every account that is not at zero; advances by patient."""
    found = rows(
        """SELECT a.facility_id, a.kind, coalesce(e.patient_id, a.department_id, a.drawer_id),
                  split_part(a.code, ':', 2), sum(e.amount)
             FROM billing_ledgerentry e JOIN billing_ledgeraccount a ON a.id = e.account_id
            WHERE a.facility_id = ANY(%s) GROUP BY 1, 2, 3, 4 HAVING sum(e.amount) <> 0""",
        facilities,
    )
    return {
        (facility, kind, of or (name if kind == "bank" else None)): whole(amount)
        for facility, kind, of, name, amount in found
    }


def real_claims(facilities: list[int]) -> dict[int, int]:
    """What the receivable says of each bill."""
    found = rows(
        """SELECT e.bill_id, sum(e.amount) FROM billing_ledgerentry e
             JOIN billing_ledgeraccount a ON a.id = e.account_id
            WHERE a.facility_id = ANY(%s) AND a.kind = 'receivable' GROUP BY 1 HAVING sum(e.amount) <> 0""",
        facilities,
    )
    return {bill_id: whole(amount) for bill_id, amount in found}


def real_counters(facilities: list[int]) -> dict[Any, int]:
    """The last number of each facility, kind and year."""
    found = rows("SELECT facility_id, kind, year, last FROM billing_counter WHERE facility_id = ANY(%s)", facilities)
    return {tuple(row[:3]): row[3] for row in found}


def _differ(what: str, real: dict[Any, Any], told: dict[Any, Any]) -> list[str]:
    return [
        f"{what} {key}: {real.get(key)} in the database, {told.get(key)} by the prose"
        for key in sorted(real.keys() | told.keys(), key=repr)
        if real.get(key) != told.get(key)
    ]
