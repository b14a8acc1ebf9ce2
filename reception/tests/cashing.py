"""A hall with a cash desk: drawers, prices, rules of money, and cashiers in their browsers.

::

    desk = CashDesk()
    bill = desk.owe("Sunita", "500", "150")
    desk.open()
    page = desk.meena.get(f"/cash/?bill={bill.pk}")
"""

import uuid
from decimal import Decimal
from typing import Any

from django.test import Client

from accounts.models import User
from accounts.tests.factories import UserFactory
from billing import actions
from billing.models import Bill, BillingSettings, CashMovement, DiscountLimit, Drawer, Price, Receipt, Shift
from billing.rules import LineIn
from billing.tenders import Tender
from billing.tests.house import no_credit_limits
from common.transactions import outermost
from patients.models import Patient
from reception.tests.factories import Hall


class CashDesk(Hall):
    """Two drawers, a short price list, a priority fee of 300; Meena and Farah take money."""

    def __init__(self, **hall: Any) -> None:
        super().__init__(**hall)
        no_credit_limits()
        self.drawers = [Drawer.objects.create(facility=self.facility, name=f"Drawer {n}") for n in (1, 2)]
        self.rules = BillingSettings.objects.create(
            facility=self.facility, address="12 Temple Road, Bengaluru", tax_number="GSTIN 29AAAAA0000A1Z5"
        )
        today = self.facility.local_date()
        self.prices = [
            Price.objects.create(
                facility=self.facility, code=code, name=name, item_type="service", amount=amount, valid_from=today
            )
            for code, name, amount in (("dressing", "Dressing", 200), ("ecg", "ECG", 350))
        ]
        self.cashier = self.user("billing-staff", name="Meena Pillai")
        self.meena = self.browser_of(self.cashier)

    def allow_discounts(self, percent: int) -> None:
        """Cashiers may give so much away."""
        role = self.cashier.roles.get(slug="billing-staff")
        DiscountLimit.objects.update_or_create(role=role, defaults={"percent": percent})

    def another(self, name: str = "Farah Khan") -> User:
        """A second cashier."""
        username = f"{name.split()[0].lower()}{self.serial}"
        found: User = UserFactory(username=username, name=name, roles=["billing-staff"], facility=self.facility)
        return found

    def browser_of(self, user: User) -> Client:
        """A browser in which somebody has signed in."""
        client = Client()
        client.force_login(user)
        return client

    def owe(self, patient: str | Patient, *prices: str, about: str = "A-014, Dr Rao", **more: Any) -> Bill:
        """An open bill, with a line for each price."""
        if isinstance(patient, str):
            patient = self.patient(patient)
        names = ("Consultation, Dr Rao", "Hospital fee", "Dressing", "ECG")
        lines = [
            LineIn(names[n % 4], Decimal(price), department_id=self.department.pk) for n, price in enumerate(prices)
        ]
        wish = {"facility_id": self.facility.pk, "patient_id": patient.pk, "lines": lines, "about": about}
        found: Bill = outermost(lambda: actions.create_bill(**{**wish, **more}, by=None))
        return found

    def open(self, cashier: User | None = None, *, drawer: int = 0, amount: str = "1000") -> Shift:
        """Begin a shift with a float."""
        wish = {"facility_id": self.facility.pk, "float_amount": Decimal(amount), "drawer_id": self.drawers[drawer].pk}
        found: Shift = outermost(lambda: actions.open_shift(**wish, by=cashier or self.cashier))
        return found

    def pay(
        self, bill: Bill, amount: str, method: str = "cash", *, by: User | None = None, reference: str = ""
    ) -> Receipt:
        """Somebody pays a part of a bill, or all of it."""
        tender = Tender(method, Decimal(amount), reference=reference)
        cashier = by or self.cashier
        found: Receipt = outermost(lambda: actions.pay(bill_id=bill.pk, tenders=[tender], by=cashier))
        return found

    def credit(self, bill: Bill, amount: str, reason: str = "Cancelled in time") -> None:
        """Something of a bill is not owed any more."""
        outermost(lambda: actions.credit_bill(bill_id=bill.pk, amount=Decimal(amount), reason=reason, by=None))

    def move(self, shift: Shift, kind: str, amount: str, reason: str = "") -> CashMovement:
        """The cashier carries cash into the drawer or out of it."""
        wish = {"shift_id": shift.pk, "kind": kind, "amount": Decimal(amount), "reason": reason}
        found: CashMovement = outermost(lambda: actions.move_cash(**wish, by=self.cashier))
        return found

    def send(self, path: str, client: Client | None = None, **sent: Any) -> Any:
        """A form as the page sends it, with a key of its own."""
        return (client or self.meena).post(path, {"idempotency_key": uuid.uuid4().hex, **sent})


def states(desk: CashDesk) -> dict[str, str]:
    """The page in each of its states."""
    shift = desk.open()
    desk.rules.priority_fee = Decimal(300)
    desk.rules.save()
    desk.allow_discounts(10)
    open_bill, paid, credited = desk.owe("Sunita", "500", "150"), desk.owe("Diya", "550"), desk.owe("Lata", "1450")
    desk.pay(open_bill, "200", "upi", reference="U-1")
    receipt = desk.pay(paid, "550")
    desk.pay(credited, "1450", "card", reference="C-1")
    desk.credit(credited, "725")
    token = desk.give("Ravi Kumar", "online")
    draft = desk.owe("Farhan", "2400", "650", draft=True)
    moved = desk.move(shift, "paid_out", "60", "Tea")
    return {
        "the list": "/cash/",
        "the oldest first": "/cash/?tab=unpaid",
        "drafts": f"/cash/?tab=drafts&bill={draft.pk}",
        "a draft that is discarded": f"/cash/?do=void&bill={draft.pk}",
        "a shift": f"/cash/?shift={shift.pk}",
        "nothing there": "/cash/?tab=void",
        "what is due": f"/cash/?bill={open_bill.pk}",
        "a split": f"/cash/?bill={open_bill.pk}&split=1",
        "what was taken": f"/cash/?tab=paid&receipt={receipt.pk}",
        "a refund": f"/cash/?do=refund&receipt={receipt.pk}",
        "what goes back": f"/cash/?tab=back&do=back&bill={credited.pk}",
        "cash in and out": "/cash/?do=move",
        "cash that was moved": f"/cash/?moved={moved.pk}",
        "a voucher": f"/cash/moves/{moved.pk}/",
        "a count": "/cash/?do=close",
        "a new bill": f"/cash/?do=bill&patient={open_bill.patient_id}",
        "who it is for": "/cash/?do=bill&q=sunita",
        "an advance": f"/cash/?do=advance&patient={open_bill.patient_id}",
        "a credit": f"/cash/?do=credit&bill={open_bill.pk}",
        "a token": f"/cash/?token={token.pk}",
        "priority": f"/cash/?do=priority&token={token.pk}",
        "a receipt": f"/cash/receipts/{receipt.pk}/",
        "a bill on paper": f"/cash/bills/{open_bill.pk}/paper/",
        "a report": f"/cash/shifts/{shift.pk}/report/",
    }
