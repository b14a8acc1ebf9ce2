"""Shifts, their drawers, and the figures of the X and the Z report."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Count, Max, Min, Q, QuerySet, Sum, Value

from accounts.models import User
from accounts.permissions import allows, reach, within
from billing.errors import UnknownShift
from billing.models import CashMovement, Drawer, Payment, Receipt, Refund, Shift
from billing.states import PETTY, Method, MovementKind, ReceiptKind

ZERO = Decimal("0.00")


def _with_people() -> QuerySet[Shift]:
    return Shift.objects.select_related("facility", "drawer", "cashier", "closed_by")


def current_shift(user: User, facility_id: int) -> Shift | None:
    """The open shift of a cashier in a facility, with its drawer. One query."""
    return _with_people().filter(cashier=user, facility_id=facility_id, closed_at=None).first()


def get_shift(shift_id: int, by: User) -> Shift:
    """One shift: one's own, or anybody's for who may see the shifts of others. One query.

    Raises:
        UnknownShift: 404.
        OutOfReach: 404, and recorded: it is a shift of a facility the caller has no part in.
        PermissionDenied: 403.
    """
    shift = _with_people().filter(pk=shift_id).first()
    if shift is None:
        raise UnknownShift
    reach(by, may_see(shift, by), shift)
    return shift


def may_see(shift: Shift, by: User) -> str:
    """The permission that opens a shift to somebody: the cashier's own, or that for the shifts of others."""
    return "billing.take" if shift.cashier_id == by.pk else "billing.shifts"


def shifts_of(facility_ids: frozenset[int], by: User, *, on: date | None = None) -> QuerySet[Shift]:
    """Shifts that somebody may see, the newest first: one's own, and where `billing.shifts` is held all. One query.

    Args:
        facility_ids: where the caller may take payments or see shifts; ``ALL`` for everywhere.
        on: only those opened on this date of their facility.
    """
    shifts = _with_people().filter(within(facility_ids))
    if not allows(by, "billing.shifts", None):
        others = [key for key, codes in by.grants.items() if key is not None and "billing.shifts" in codes]
        shifts = shifts.filter(Q(cashier=by) | Q(facility_id__in=others))
    return shifts.filter(date=on) if on else shifts


def free_drawers(facility_id: int) -> QuerySet[Drawer]:
    """The drawers at which nobody sits, by name. One query."""
    taken = Shift.objects.filter(facility_id=facility_id, closed_at=None).values("drawer_id")
    return Drawer.objects.filter(facility_id=facility_id, is_active=True).exclude(pk__in=taken).order_by("name", "pk")


@dataclass(frozen=True, slots=True)
class MethodFigures:
    """What came and went by one way of paying in a shift."""

    method: Method
    payments: int
    taken: Decimal
    refunds: int
    given: Decimal

    @property
    def net(self) -> Decimal:
        """Taken less given back."""
        return self.taken - self.given


@dataclass(frozen=True, slots=True)
class MovementFigures:
    """What went into a drawer or out of it in a shift, by one kind of movement.

    Attributes:
        added: to what the drawer holds; below zero where cash went out.
    """

    kind: MovementKind
    count: int
    added: Decimal


@dataclass(frozen=True, slots=True)
class ShiftReport:
    """The figures of a shift: an X report while it is open, a Z report once it is closed.

    Attributes:
        kind: "X" or "Z".
        methods: each way of paying that was used, in the order of `states.Method`.
        movements: cash that was carried to the safe or from it, or spent, in the order in which it was.
        expected: cash that must lie in the drawer: float and cash taken less cash given back, and what was moved.
        counted: what lay there at the close; None while the shift is open.
        difference: counted less expected; None while the shift is open.
        advances: the part of what was taken that went onto patients' accounts.
        first_receipt, last_receipt: numbers of the receipts written; empty where there are none.
    """

    kind: str
    shift: Shift
    methods: tuple[MethodFigures, ...]
    movements: tuple[CashMovement, ...]
    float_amount: Decimal
    expected: Decimal
    counted: Decimal | None
    difference: Decimal | None
    advances: Decimal
    receipts: int
    vouchers: int
    first_receipt: str
    last_receipt: str

    @property
    def payments(self) -> int:
        """How many payments were taken."""
        return sum(each.payments for each in self.methods)

    @property
    def refunds(self) -> int:
        """How many refunds were given."""
        return sum(each.refunds for each in self.methods)

    @property
    def taken(self) -> Decimal:
        """What came in by all ways; what only moved off or onto a patient's account is none of it."""
        return sum((each.taken for each in self.methods if each.method != Method.ACCOUNT), ZERO)

    @property
    def given(self) -> Decimal:
        """What was given back by all ways but onto the account."""
        return sum((each.given for each in self.methods if each.method != Method.ACCOUNT), ZERO)

    @property
    def net(self) -> Decimal:
        """Taken less given back."""
        return self.taken - self.given

    def of(self, method: str) -> MethodFigures:
        """The figures of one way of paying; zeros where it was not used."""
        for each in self.methods:
            if each.method == method:
                return each
        return MethodFigures(Method(method), 0, ZERO, 0, ZERO)

    @property
    def moved(self) -> tuple[MovementFigures, ...]:
        """The movements by their kinds, in the order of `states.MovementKind`; those that there were."""
        found = []
        for kind in MovementKind:
            amounts = [each.added for each in self.movements if each.kind == kind]
            if amounts:
                found.append(MovementFigures(kind, len(amounts), sum(amounts, ZERO)))
        return tuple(found)

    @property
    def cash_in(self) -> Decimal:
        """What came into the drawer though nobody paid."""
        return sum((each.amount for each in self.movements if each.added > 0), ZERO)

    @property
    def cash_out(self) -> Decimal:
        """What went out of it though nobody was paid back."""
        return sum((each.amount for each in self.movements if each.added < 0), ZERO)

    @property
    def without_cash(self) -> Decimal:
        """Net takings by card, bank, UPI and wallet."""
        return self.net - self.of(Method.CASH).net


def expected_cash(shift: Shift) -> Decimal:
    """What must lie in the drawer of a shift. One query; whoever decides by it holds the shift's lock."""
    cash = Q(shift_id=shift.pk, method=Method.CASH)
    taken = Payment.objects.filter(cash).order_by().values("method").annotate(sum=Sum("amount")).values("sum")
    given = Refund.objects.filter(cash).order_by().values("method").annotate(sum=-Sum("amount")).values("sum")
    moved = movements_of(shift).order_by().values("shift_id").annotate(sum=Sum("added")).values("sum")
    return sum(taken.union(given, moved, all=True).values_list("sum", flat=True), shift.float_amount)


def moved_cash(shift: Shift) -> tuple[Decimal, Decimal]:
    """What came into the drawer of a shift and what went out of it, though nobody paid. One query."""
    into = Q(added__gt=0)
    found = CashMovement.objects.filter(shift_id=shift.pk).aggregate(
        came=Sum("amount", filter=into), went=Sum("amount", filter=~into)
    )
    return found["came"] or ZERO, found["went"] or ZERO


def petty_spent(facility_id: int) -> Decimal:
    """What of petty cash was spent and not brought back, in all shifts of a facility. One query.

    Whoever decides by it holds the lock of the account of petty cash.
    """
    rows = CashMovement.objects.filter(facility_id=facility_id, kind__in=PETTY)
    return -(rows.aggregate(added=Sum("added"))["added"] or ZERO)


def movements_of(shift: Shift) -> QuerySet[CashMovement]:
    """What was moved into and out of the drawer of a shift, the newest first, each with who did it. One query."""
    return CashMovement.objects.filter(shift_id=shift.pk).select_related("by")


def shift_report(shift: Shift) -> ShiftReport:
    """The figures of a shift as they are now; those of a closed one never change again. Three queries."""
    came, went = _by_method(shift)
    methods = tuple(_figures(method, came, went) for method in Method if method in came or method in went)
    cash = _figures(Method.CASH, came, went)
    movements = tuple(movements_of(shift).order_by("pk"))
    papers = (
        Receipt.objects.filter(shift_id=shift.pk)
        .order_by()
        .aggregate(
            receipts=Count("pk", filter=Q(kind=ReceiptKind.PAYMENT)),
            vouchers=Count("pk", filter=Q(kind=ReceiptKind.REFUND)),
            first=Min("number", filter=Q(kind=ReceiptKind.PAYMENT)),
            last=Max("number", filter=Q(kind=ReceiptKind.PAYMENT)),
        )
    )
    return ShiftReport(
        kind="Z" if shift.closed_at else "X",
        shift=shift,
        methods=methods,
        movements=movements,
        float_amount=shift.float_amount,
        expected=shift.float_amount + cash.net + sum((each.added for each in movements), ZERO),
        counted=shift.counted,
        difference=shift.difference if shift.closed_at else None,
        advances=sum((row["advances"] or ZERO for row in came.values()), ZERO),
        receipts=papers["receipts"],
        vouchers=papers["vouchers"],
        first_receipt=papers["first"] or "",
        last_receipt=papers["last"] or "",
    )


def _by_method(shift: Shift) -> tuple[dict[str, dict], dict[str, dict]]:
    """What came and what went by each way of paying: both in one trip, for the cash desk asks at every change."""
    came, went = (
        each.objects.filter(shift_id=shift.pk)
        .order_by()
        .values("method")
        .annotate(side=Value(side), count=Count("pk"), sum=Sum("amount"), advances=Sum("amount", filter=Q(bill=None)))
        for side, each in (("came", Payment), ("went", Refund))
    )
    rows: list[Any] = list(came.union(went, all=True))
    return (
        {row["method"]: row for row in rows if row["side"] == "came"},
        {row["method"]: row for row in rows if row["side"] == "went"},
    )


def _figures(method: Method, came: dict[str, dict], went: dict[str, dict]) -> MethodFigures:
    nothing: dict = {"count": 0, "sum": ZERO}
    taken, given = came.get(method, nothing), went.get(method, nothing)
    return MethodFigures(method, taken["count"], taken["sum"], given["count"], given["sum"])
