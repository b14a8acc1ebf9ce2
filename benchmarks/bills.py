"""Bills and payments: from the request to the commit, numbering and posting included, beside the same by hand."""

import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from django.db import connection

from accounts.actions import give_role
from accounts.models import User
from benchmarks import http_load
from benchmarks.by_hand import ByHand
from benchmarks.hospital import Hospital, Load
from benchmarks.live_wire import Arrivals, percentiles
from benchmarks.operations import counted
from billing.actions import create_bill, open_shift, pay
from billing.models import Bill, BillingSettings, Drawer, LedgerEntry
from billing.rules import LineIn
from billing.states import Method
from billing.tenders import Tender
from common.transactions import outermost
from scheduling.models import Doctor
from tokens import allocation

ROUNDS: Final = 300
WARM_UP: Final = 20
ARRIVALS: Final = Load("arrivals", 20, 100)

Figures = dict[str, dict[str, Any]]


class CashDesk:
    """A cashier with an open shift, and doctors whose patients pay."""

    def __init__(self, hospital: Hospital) -> None:
        self.facility = hospital.facility
        self.doctor = hospital.doctors[0]
        self.first_patient, self.patients = hospital.first_patient, hospital.patients
        self.cashier = User.objects.create_user("meena", name="Meena")
        give_role(user=self.cashier, role="billing-staff", facility=self.facility)
        Drawer.objects.create(facility=self.facility, name="Drawer 1")
        outermost(lambda: open_shift(facility_id=self.facility.pk, float_amount=Decimal("2000.00"), by=self.cashier))
        _ = self.cashier.grants  # a device brings them along when it signs in

    def patient(self, number: int) -> int:
        """The id of somebody."""
        return self.first_patient + number % self.patients

    def bill(self, number: int) -> Bill:
        """The bill of a consultation, as a request makes it."""
        of = {"item_type": "service", "department_id": self.doctor.department_id, "doctor_id": self.doctor.pk}
        lines = [
            LineIn("Consultation", Decimal("500.00"), **of),  # type: ignore[arg-type]
            LineIn("Hospital fee", Decimal("100.00"), **of),  # type: ignore[arg-type]
        ]
        return outermost(
            lambda: create_bill(
                facility_id=self.facility.pk,
                patient_id=self.patient(number),
                lines=lines,
                billable_type="visit",
                about="A-001",
                by=self.cashier,
            )
        )

    def take(self, bill: Bill) -> None:
        """All of it, in cash."""
        tender = Tender(Method.CASH, bill.total, tendered=Decimal("1000.00"))
        outermost(lambda: pay(bill_id=bill.pk, tenders=[tender], by=self.cashier))


def measure(hospital: Hospital, *, rounds: int = ROUNDS) -> Figures:
    """A bill and a payment, and an arrival that brings a bill about."""
    return side_by_side(hospital, rounds=rounds) | _arrivals(hospital, rounds)


def side_by_side(hospital: Hospital, *, rounds: int) -> Figures:
    """Milliseconds of each, in turn with the same work by hand; and what it costs.

    Raises:
        RuntimeError: one side wrote other rows than the other.
    """
    desk = CashDesk(hospital)
    hand = ByHand(
        facility=desk.facility.pk,
        by=desk.cashier.pk,
        department=desk.doctor.department_id,
        doctor=desk.doctor.pk,
    )
    taken: dict[str, list[float]] = {"create a bill": [], "by hand": [], "take cash for it": []}
    for number in range(rounds + WARM_UP):
        ours: list[Bill] = []
        spans = {
            "create a bill": _timed(lambda: ours.append(desk.bill(number))),  # noqa: B023 - called at once
            "by hand": _timed(lambda: hand.bill(desk.patient(number))),  # noqa: B023
            "take cash for it": _timed(lambda: desk.take(ours[0])),  # noqa: B023
        }
        if number >= WARM_UP:
            for name, seconds in spans.items():
                taken[name].append(seconds)
    hand.close()
    _require_same_rows()
    found: Figures = {name: percentiles(each, 0) for name, each in taken.items()}
    bill = found["create a bill"]
    bill["ratio"] = round(found["by hand"]["p50_ms"] / bill["p50_ms"], 3)
    for name, act in _counted_acts(desk).items():
        with counted() as cost:
            act()
        found[name] |= cost.as_json()
    return found


def _timed(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def _counted_acts(desk: CashDesk) -> dict[str, Callable[[], object]]:
    bill = desk.bill(0)
    return {"create a bill": lambda: desk.bill(1), "take cash for it": lambda: desk.take(bill)}


def _require_same_rows() -> None:
    """Both sides wrote the same number of bills, each with the same entries.

    Raises:
        RuntimeError: they did not.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT count(*), sum(abs(e.amount)) FROM billing_ledgerentry e"
            " JOIN billing_ledgertransaction t ON t.id = e.transaction_id WHERE t.kind = 'issue' GROUP BY t.id"
        )
        shapes = cursor.fetchall()
    numbers = [str(bill) for bill in Bill.objects.order_by("number")]
    whole = all(int(number[-6:]) == place for place, number in enumerate(numbers, start=1))
    if len(shapes) != 1 or not whole or not LedgerEntry.objects.exists():
        raise RuntimeError(f"The bills by hand are others: {shapes}, {len(numbers)} numbers")


def _arrivals(hospital: Hospital, rounds: int) -> Figures:
    """The same arrivals over HTTP in a facility that makes no bills, and once it makes them."""
    found = {}
    for name in ("arrive over HTTP", "arrive over HTTP, with visit and bill"):
        if "bill" in name:
            BillingSettings.objects.create(facility=hospital.facility)
            Doctor.objects.filter(facility=hospital.facility).update(consultation_fee=500, hospital_fee=100)
        tokens = _expected(hospital, rounds + WARM_UP)
        with http_load.server() as port:
            arrivals = Arrivals(port, http_load.device(port, hospital), iter(tokens))
            seconds = [_timed(arrivals.next) for _ in tokens][WARM_UP:]
        found[name] = percentiles(seconds, 0)
    return found


def _expected(hospital: Hospital, count: int) -> list[int]:
    """Tokens of people who have a place and have not come yet."""
    ground = hospital.open_day(ARRIVALS)
    made = []
    for number in range(count):
        wish = {
            "patient_id": ground.patient(number),
            "source": "online",
            "slot_id": ground.first_slot + number % ground.load.slots,
        }
        outcome = outermost(lambda wish=wish: allocation.request_token(**wish, by=None))  # type: ignore[misc]
        assert outcome.token is not None
        made.append(outcome.token.id)
    return made
