"""The demo's cash desk: what things cost, the drawers, and this morning's shift with all that can be seen there."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from random import Random

from django.db import transaction
from django.db.models import Max, Q, QuerySet
from django.utils import timezone

from accounts.models import Facility, Role, User
from billing import actions
from billing.models import Bill, BillingSettings, CreditLimit, Drawer, Payment, Price, Shift, TaxRate
from billing.prices import line_of
from billing.queries.shifts import expected_cash
from billing.rules import Off
from billing.states import OWED, Method, MovementKind
from billing.tenders import Tender
from common.errors import DomainError
from reception.demo.practice import MINUTE
from reception.money import reading
from reception.money.priority import take_priority_fee
from scheduling.models import Department
from tokens import allocation
from tokens.models import Token
from tokens.states import Status

FLOAT = Decimal("2000.00")
ADDRESS = "12 Temple Road, Bengaluru 560004"
TAX_NUMBER = "GSTIN 29AAAAA0000A1Z5"
TAXES = {"GST 12 %": Decimal(12), "GST 5 %": Decimal(5)}
PRICES = (
    ("x-ray-spine", "X-ray spine, 2 views", "test_order", "900.00", ""),
    ("x-ray-chest", "X-ray chest", "test_order", "450.00", ""),
    ("blood-count", "Complete blood count", "test_order", "320.00", ""),
    ("blood-sugar", "Blood sugar, fasting", "test_order", "110.00", ""),
    ("lipids", "Lipid profile", "test_order", "640.00", ""),
    ("ultrasound", "Ultrasound, abdomen", "test_order", "1250.00", ""),
    ("ecg", "ECG", "test_order", "280.00", ""),
    ("paracetamol", "Paracetamol 500 mg, strip of 10", "medicine", "24.00", "GST 12 %"),
    ("amoxicillin", "Amoxicillin 500 mg, strip of 10", "medicine", "90.00", "GST 12 %"),
    ("insulin", "Insulin, 10 ml", "medicine", "165.00", "GST 5 %"),
    ("dressing", "Dressing", "service", "150.00", ""),
)
"""Code, name, what it is, price in rupees, tax."""

CREDITED = {"billing-staff": Decimal(50), "manager": Decimal(100)}
"""Percent of a bill that a role may take off it by credit notes."""

EVENING = timedelta(hours=4)
"""Who came so long ago is still here, though it was on the day before."""

WAYS = {Method.CASH: 52, Method.UPI: 28, Method.CARD: 17, Method.BANK: 3}
"""Of a hundred payments."""


def furnish(facility: Facility, first: date) -> None:
    """Taxes, prices and drawers, in force since the hospital's first day. Done again it changes nothing."""
    if Drawer.objects.filter(facility=facility).exists():
        return
    taxes = {
        name: TaxRate.objects.create(facility=facility, name=name, percent=percent, valid_from=first)
        for name, percent in TAXES.items()
    }
    department = Department.objects.filter(facility=facility).order_by("pk").first()
    Price.objects.bulk_create(
        Price(
            facility=facility, code=code, name=name, item_type=kind, amount=Decimal(amount), tax=taxes.get(tax),
            valid_from=first, department=department,
        )
        for code, name, kind, amount, tax in PRICES
    )  # fmt: skip
    Drawer.objects.bulk_create(Drawer(facility=facility, name=f"Drawer {n}") for n in (1, 2))
    for role in Role.objects.filter(slug__in=CREDITED):
        CreditLimit.objects.update_or_create(role=role, defaults={"percent": CREDITED[role.slug]})


def rules(facility: Facility) -> BillingSettings:
    """What the hospital has decided about money; the row that is stored, where there is one."""
    known = BillingSettings.objects.filter(facility=facility).first()
    return known or BillingSettings(
        facility=facility,
        address=ADDRESS,
        tax_number=TAX_NUMBER,
        priority_fee=Decimal("300.00"),
        refund_later_percent=Decimal(50),
    )


def begin_billing(facility: Facility) -> None:
    """From now on whoever comes is billed."""
    rules(facility).save()
    reading.forget()


# Today


class Till:
    """Meena's drawer on one day, up to now."""

    def __init__(
        self, facility: Facility, cashier: User, desk: User | None, now: datetime, day: date | None = None
    ) -> None:
        self.facility, self.cashier, self.desk, self.now = facility, cashier, desk, now
        self.today = day or facility.local_date(now)
        self.chance = Random(f"cash desk {self.today}")
        self.opened = now

    def on(self, day: date, by: datetime) -> "Till":
        """The drawer on an earlier day, when everybody of that day had come."""
        last = Bill.objects.filter(facility=self.facility, date=day).aggregate(at=Max("issued_at"))["at"]
        return Till(self.facility, self.cashier, self.desk, (last or by) + timedelta(hours=1), day)

    def open(self) -> Shift:
        """The shift begins before the first patient comes."""
        first = Bill.objects.filter(facility=self.facility, date=self.today).order_by("issued_at").first()
        midnight = timezone.make_aware(datetime.combine(self.today, time()), self.facility.tz)
        begins = min(first.issued_at if first and first.issued_at else self.now, self.now - 30 * MINUTE) - 12 * MINUTE
        self.opened = max(begins, midnight)
        return actions.open_shift(facility_id=self.facility.pk, float_amount=FLOAT, by=self.cashier, at=self.opened)

    def take_all(self) -> None:
        """Most pay within some minutes, in the order in which they come; some have not been at the desk yet."""
        payers = []
        for bill in self._owed().order_by("pk"):
            at = max(bill.issued_at or self.now, self.opened) + self.chance.uniform(1, 14) * MINUTE
            if at < self.now - MINUTE and self.chance.random() < 0.95:
                payers.append((at, bill.pk, bill))
        for at, _, bill in sorted(payers, key=lambda payer: payer[:2]):
            self.take(bill, bill.due, at)

    def take(self, bill: Bill, amount: Decimal, at: datetime, method: Method | None = None) -> None:
        """Somebody pays."""
        tender = self.tender(f"{bill.pk:06d}{bill.version}", amount, method)
        actions.pay(bill_id=bill.pk, tenders=[tender], by=self.cashier, at=at)

    def tender(self, reference: str, amount: Decimal, method: Method | None = None) -> Tender:
        """How it is paid: cash in notes of a hundred, everything else with its reference."""
        method = method or self.chance.choices(list(WAYS), list(WAYS.values()))[0]
        if method == Method.CASH:
            return Tender(method, amount, tendered=amount + (100 - amount % 100) % 100)
        return Tender(method, amount, f"{method.value.upper()} {self.today:%y%m%d}{reference}")

    def ago(self, minutes: float) -> datetime:
        """So many minutes before now."""
        return self.now - minutes * MINUTE

    # By hand, so that it can be seen

    def pays_a_part(self) -> None:
        """The dearest open bill is paid in part."""
        bill = self._owed().order_by("-due", "pk").first()
        if bill is not None and bill.due > 300:
            self.take(bill, Decimal("200.00"), self.ago(4), Method.UPI)

    def orders_an_x_ray(self) -> None:
        """Who is at the X-ray has a bill for it that is not paid yet."""
        token = Token.objects.filter(session__facility=self.facility, session__date=self.today, away_to="X-ray").first()
        if token is not None:
            self._sell(token, ["x-ray-spine"], self.ago(4), f"{token.number}, X-ray")

    def buys_medicine(self) -> None:
        """Somebody who was seen buys medicine, with the discount for seniors, and pays by card."""
        token = self._tokens(Status.COMPLETED).order_by("-ended_at").first()
        if token is not None:
            bill = self._sell(
                token, ["paracetamol", "amoxicillin", "insulin"], self.ago(6), f"{token.number}, pharmacy"
            )
            self.take(bill, bill.due, self.ago(5), Method.CARD)

    def buys_priority(self) -> None:
        """Somebody who is expected pays for priority."""
        expected = self._tokens(Status.CONFIRMED).filter(paid=False, arrived_at=None, slot__ends_at__gt=self.now)
        token = expected.order_by("-slot__starts_at", "pk").first()
        if token is not None:
            tender = self.tender(f"T{token.pk}", rules(self.facility).priority_fee, Method.UPI)
            take_priority_fee(token_id=token.pk, tenders=[tender], by=self.cashier, at=self.ago(2))

    def goes_home(self) -> None:
        """Somebody who has paid goes home: the money stands at the cash desk, to be given back."""
        paid = Payment.objects.filter(facility=self.facility, date=self.today, bill__of_token__isnull=False)
        waits = self._tokens(Status.CONFIRMED).filter(of_visit__bill__in=paid.values("bill"), called_at=None)
        token = waits.exclude(source="emergency").order_by("-slot__starts_at", "-pk").first()
        if token is not None:
            allocation.cancel_token(token_id=token.pk, reason="Patient went home", by=self.desk, at=self.ago(1))

    def pays_ahead(self) -> None:
        """Somebody leaves an advance."""
        token = self._tokens(Status.IN_PROGRESS).order_by("pk").first()
        if token is not None:
            tender = self.tender(f"A{token.pk}", Decimal("1000.00"), Method.CASH)
            where = {"facility_id": self.facility.pk, "patient_id": token.patient_id}
            actions.take_advance(**where, tenders=[tender], by=self.cashier, at=self.ago(7))

    def carries_to_the_safe(self) -> None:
        """The drawer is full: all but the float goes to the safe."""
        shift = Shift.objects.get(cashier=self.cashier, closed_at=None)
        much = (expected_cash(shift) - FLOAT) // 1000 * 1000
        if much > 0:
            self.move(shift, MovementKind.TO_SAFE, much, "Too much in the drawer", self.ago(3))

    def buys_tea(self) -> None:
        """Tea for the desk, out of the drawer."""
        shift = Shift.objects.get(cashier=self.cashier, closed_at=None)
        self.move(shift, MovementKind.PAID_OUT, Decimal("60.00"), "Tea for the desk", self.ago(2.5))

    def move(self, shift: Shift, kind: MovementKind, amount: Decimal, reason: str, at: datetime) -> None:
        """Cash goes out of the drawer though nobody is paid back."""
        at = max(at, shift.opened_at)
        actions.move_cash(shift_id=shift.pk, kind=kind, amount=amount, reason=reason, by=self.cashier, at=at)

    def _owed(self) -> QuerySet[Bill]:
        # Soon after midnight those who came before it stand in the hall too.
        of_day = Q(date=self.today) | Q(date=self.today - timedelta(days=1), issued_at__gt=self.now - EVENING)
        return Bill.objects.filter(of_day, facility=self.facility, status__in=OWED)

    def _tokens(self, status: Status) -> QuerySet[Token]:
        return Token.objects.filter(session__facility=self.facility, session__date=self.today, status=status)

    def _sell(self, token: Token, codes: Sequence[str], at: datetime, about: str) -> Bill:
        prices = Price.objects.filter(facility=self.facility, code__in=codes).select_related("tax", "facility")
        lines = [line_of(price, doctor_id=token.session.doctor_id, on=self.today) for price in prices]
        senior = len(codes) > 1
        return actions.create_bill(
            facility_id=self.facility.pk,
            patient_id=token.patient_id,
            lines=lines,
            about=about,
            discount=Off(percent=Decimal(10)) if senior else None,
            discount_reason="Senior citizen" if senior else "",
            by=self.cashier,
            at=at,
        )


SHOWN: Sequence[Callable[[Till], None]] = (
    Till.pays_ahead,
    Till.buys_medicine,
    Till.pays_a_part,
    Till.orders_an_x_ray,
    Till.buys_priority,
    Till.goes_home,
    Till.carries_to_the_safe,
    Till.buys_tea,
)


def play_cash(facility: Facility, now: datetime, *, desk: User | None) -> None:
    """This morning's shift: most have paid, some have not, and each kind of bill is there once."""
    cashier = User.objects.filter(username="meena", is_active=True).first()
    if cashier is None or not Drawer.objects.filter(facility=facility, is_active=True).exists():
        return
    till = Till(facility, cashier, desk, now)
    try:
        _catch_up(till)
        till.open()
        till.take_all()
    except DomainError:
        # She has a shift already, or may take no money any more. A refusal has written nothing.
        transaction.set_rollback(False)
        return
    for show in SHOWN:
        try:
            show(till)
        except DomainError:
            # On a day that people have changed not everything can be shown. A refusal has written nothing.
            transaction.set_rollback(False)


def _catch_up(till: Till) -> None:
    """On the days since the last shift most have paid, and the drawer was counted every evening."""
    last = Shift.objects.filter(cashier=till.cashier).order_by("-date", "-pk").first()
    if last is None:
        return
    if last.closed_at is None and last.date < till.today:
        _end(till.on(last.date, last.opened_at), last)
    owed = Bill.objects.filter(facility=till.facility, status__in=OWED, date__gt=last.date, date__lt=till.today)
    for day in sorted({bill.date for bill in owed if bill.date}):
        before = till.on(day, till.now)
        _end(before, before.open())


def _end(till: Till, shift: Shift) -> None:
    """Take what is left to take, and count the drawer."""
    till.opened = shift.opened_at
    till.take_all()
    last = shift.payments.order_by("-at").values_list("at", flat=True).first() or shift.opened_at
    till.now = last + timedelta(minutes=30)
    till.carries_to_the_safe()
    actions.close_shift(
        shift_id=shift.pk, counts=None, counted=expected_cash(shift), by=till.cashier, at=last + timedelta(hours=1)
    )
