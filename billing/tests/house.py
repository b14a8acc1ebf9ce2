"""A cash desk for tests of money: Meena and Farah, two drawers, some patients, and a clock that is the test's own.

::

    house = House()
    bill = house.bill("600", "50")
    house.open()
    house.pay(bill, "300")
    assert house.due(bill) == Decimal("350.00")
"""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from django.db import connection

from accounts.models import User
from accounts.tests.factories import FacilityFactory, UserFactory
from billing import actions
from billing.models import Bill, CashMovement, CreditLimit, Drawer, Payment, Receipt, Refund, Shift
from billing.queries import advance_balance
from billing.rules import LineIn, Off
from billing.tenders import Tender
from common.transactions import outermost
from patients.models import Patient
from patients.tests.factories import PatientFactory
from scheduling.tests.factories import DepartmentFactory

DAY = date(2031, 3, 3)
"""A Monday far ahead, so that the real clock never interferes with the test's own."""

_serial = count(1)


def D(amount: str | int) -> Decimal:  # noqa: N802
    """An amount."""
    return Decimal(amount)


def lines(*prices: str, **more: Any) -> list[LineIn]:
    """A line for each price."""
    return [LineIn(description=f"Service {n}", unit_price=Decimal(price), **more) for n, price in enumerate(prices, 1)]


def cash(amount: str | Decimal) -> Tender:
    """Notes and coins."""
    return Tender("cash", Decimal(amount))


def card(amount: str | Decimal, reference: str = "") -> Tender:
    """A card, with the reference that its terminal shows."""
    return Tender("card", Decimal(amount), reference=reference or f"T-{next(_serial)}")


def from_account(amount: str | Decimal) -> Tender:
    """What the patient paid in advance."""
    return Tender("account", Decimal(amount))


def no_credit_limits() -> None:
    """Take away those of a new hospital: credit notes of any size may be written, but where a test sets a limit."""
    CreditLimit.objects.all().delete()


class House:
    """A hospital with a cash desk: everything that is done to money is done through its actions.

    Args:
        zone: the time zone of the facility, which decides its dates.
        drawers: how many, each with a cashier (`meena`, `farah`, ...), who is not at it yet.
    """

    def __init__(self, *, zone: str = "UTC", drawers: int = 2, departments: int = 2) -> None:
        number = next(_serial)
        self.now = datetime(DAY.year, DAY.month, DAY.day, 9, tzinfo=UTC)
        self.pace = timedelta(milliseconds=1)
        self.facility = FacilityFactory(name=f"Sunrise {number}", time_zone=zone)
        self.departments = [
            DepartmentFactory(facility=self.facility, name=f"Department {number}-{n}") for n in range(departments)
        ]
        self.drawers = [Drawer.objects.create(facility=self.facility, name=f"Drawer {n + 1}") for n in range(drawers)]
        self.cashiers = [self.person("billing-staff", "manager") for _ in range(drawers)]
        self.patient = self.newcomer()
        no_credit_limits()

    @property
    def meena(self) -> User:
        """The cashier of the first drawer."""
        return self.cashiers[0]

    @property
    def farah(self) -> User:
        """The cashier of the second."""
        return self.cashiers[1]

    def person(self, *roles: str) -> User:
        """Somebody who works here."""
        return UserFactory(username=f"teller-{next(_serial)}", roles=list(roles), facility=self.facility)

    def newcomer(self) -> Patient:
        """A patient."""
        return PatientFactory(facility=self.facility)

    def later(self, **time: int) -> None:
        """Let time pass, in the words of a timedelta."""
        self.now += timedelta(**time)

    # Actions, each a transaction of its own, at the time of the clock

    def act(self, action: Callable[..., Any], **arguments: Any) -> Any:
        """Run an action; Meena does it where nobody else is named. It takes a moment (`pace`)."""
        self.now += self.pace
        arguments = {"by": self.meena, "at": self.now} | arguments
        return outermost(lambda: action(**arguments))

    def bill(self, *prices: str, patient: Patient | None = None, **more: Any) -> int:
        """A bill over these prices, made by the clinic itself; its id."""
        asked = more.pop("lines", None) or lines(*prices)
        one = patient or self.patient
        arguments = {"facility_id": self.facility.id, "patient_id": one.id, "lines": asked, "by": None} | more
        return self.act(actions.create_bill, **arguments).id

    def open(self, cashier: User | None = None, drawer: int = 0, float_amount: str = "1000") -> Shift:
        """Begin a shift."""
        return self.act(
            actions.open_shift,
            facility_id=self.facility.id,
            float_amount=Decimal(float_amount),
            drawer_id=self.drawers[drawer].id,
            by=cashier or self.meena,
        )

    def close(self, shift: Shift, counted: str | Decimal, reason: str = "", **more: Any) -> Shift:
        """Count the drawer and end the shift."""
        arguments = {"counts": None, "counted": Decimal(counted), "reason": reason, "by": shift.cashier} | more
        return self.act(actions.close_shift, shift_id=shift.id, **arguments)

    def move(self, shift: Shift, kind: str, amount: str | Decimal, reason: str = "tea", **more: Any) -> CashMovement:
        """Carry cash to the safe or from it, or spend it; the cashier of the shift does."""
        arguments = {"kind": kind, "amount": Decimal(amount), "reason": reason, "by": shift.cashier} | more
        return self.act(actions.move_cash, shift_id=shift.id, **arguments)

    def pay(self, bill_id: int, *tenders: str | Decimal | Tender, **more: Any) -> Receipt:
        """Pay; what is only an amount is cash."""
        offered = [tender if isinstance(tender, Tender) else cash(tender) for tender in tenders]
        return self.act(actions.pay, bill_id=bill_id, tenders=offered, **more)

    def deposit(self, *tenders: str | Decimal | Tender, patient: Patient | None = None, **more: Any) -> Receipt:
        """Pay onto the patient's account."""
        offered = [tender if isinstance(tender, Tender) else cash(tender) for tender in tenders]
        who = (patient or self.patient).id
        return self.act(actions.take_advance, facility_id=self.facility.id, patient_id=who, tenders=offered, **more)

    def refund(self, payment: Payment | int, amount: str | Decimal, **more: Any) -> Refund:
        """Give back of a payment."""
        payment_id = payment.id if isinstance(payment, Payment) else payment
        arguments = {"reason": "was not seen", "payment_id": payment_id, "amount": Decimal(amount)} | more
        return self.act(actions.refund_payment, **arguments)

    def give_back(self, bill_id: int, **more: Any) -> Receipt:
        """Give back what is no longer owed."""
        return self.act(actions.give_back, bill_id=bill_id, **({"reason": "was credited"} | more))

    def refund_advance(self, amount: str | Decimal, *, patient: Patient | None = None, **more: Any) -> Receipt:
        """Pay out of the patient's account."""
        return self.act(
            actions.refund_advance,
            facility_id=self.facility.id,
            patient_id=(patient or self.patient).id,
            amount=Decimal(amount),
            reason="moves away",
            **more,
        )

    def void(self, bill_id: int, **more: Any) -> Bill:
        """Take a bill back."""
        return self.act(actions.void_bill, bill_id=bill_id, **({"reason": "wrong patient"} | more))

    def credit(self, bill_id: int, amount: str | Decimal, **more: Any) -> Any:
        """Take something off."""
        arguments = {"reason": "half of it was done", "amount": Decimal(amount)} | more
        return self.act(actions.credit_bill, bill_id=bill_id, **arguments)

    # What became of it

    def due(self, bill_id: int) -> Decimal:
        """What the bill says is due."""
        return Bill.objects.get(pk=bill_id).due

    def status(self, bill_id: int) -> str:
        """Where the bill is in its life."""
        return Bill.objects.get(pk=bill_id).status

    def paid(self, bill_id: int) -> Decimal:
        """What the bill says was paid."""
        return Bill.objects.get(pk=bill_id).paid

    def payments(self, bill_id: int | None) -> list[Payment]:
        """The payments of a bill, or those without one, oldest first."""
        return list(Payment.objects.filter(facility=self.facility, bill_id=bill_id).order_by("id"))

    def balance(self, kind: str, **of: Any) -> Decimal:
        """The balance of an account, or of several together, as the ledger's entries say."""
        return balance(self.facility.id, kind, **of)


def balance(facility_id: int, kind: str, *, patient: int | None = None, bill: int | None = None) -> Decimal:
    """The sum of the entries on accounts of a kind, asked of the database itself."""
    found = rows(
        """SELECT coalesce(sum(e.amount), 0) FROM billing_ledgerentry e JOIN billing_ledgeraccount a
               ON a.id = e.account_id WHERE a.facility_id = %s AND a.kind = %s
              AND (%s::bigint IS NULL OR e.patient_id = %s) AND (%s::bigint IS NULL OR e.bill_id = %s)""",
        facility_id, kind, patient, patient, bill, bill,
    )  # fmt: skip
    return found[0][0]


def rows(sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
    """What the database itself says."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall() if cursor.description else []


def numbers(facility_id: int, table: str = "billing_bill", letter: str = "B") -> list[int]:
    """The serials that were given in a table, in order."""
    found = rows(f"SELECT number FROM {table} WHERE facility_id = %s AND number LIKE %s", facility_id, f"{letter}-%")
    return sorted(int(number.rsplit("-", 1)[1]) for (number,) in found)


def gapless(serials: Sequence[int]) -> bool:
    """1, 2, 3 and so on, each once."""
    return list(serials) == list(range(1, len(serials) + 1))


__all__ = [
    "DAY",
    "House",
    "Off",
    "balance",
    "card",
    "cash",
    "from_account",
    "gapless",
    "lines",
    "no_credit_limits",
    "numbers",
    "rows",
]


def paid(house: House, *tenders: Any, total: str = "650") -> tuple[int, list[Payment]]:
    """A bill, and what was paid on it."""
    bill = house.bill(total)
    return bill, list(house.pay(bill, *tenders).payments.order_by("pk"))


def on_account(house: House) -> Decimal:
    """What lies on the account of the patient."""
    return advance_balance(house.facility.pk, house.patient.pk)
