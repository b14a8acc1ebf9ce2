"""A hall whose hospital bills: fees, a cashier with a drawer, and what stands in the books."""

from decimal import Decimal
from typing import Any

from django.db.models import Sum

from accounts.models import User
from accounts.tests.factories import UserFactory
from billing import actions
from billing.models import Bill, BillingSettings, Drawer, LedgerEntry, Line, Receipt
from billing.proof import prove
from billing.tenders import Tender
from billing.tests.house import no_credit_limits
from common.transactions import outermost
from patients.models import Patient
from reception.models import Visit, VisitToken
from reception.tests.factories import Hall
from scheduling.models import Doctor
from tokens.models import Token


class Till(Hall):
    """A hall of a hospital with billing settings: a consultation costs 500, the hospital fee 100, priority 300.

    Args:
        rules: fields of its `BillingSettings`.
    """

    def __init__(self, *, capacity: int = 2, policy: str = "weighted-waitlist", **rules: Any) -> None:
        super().__init__(capacity=capacity, policy=policy)
        self.rules = BillingSettings.objects.create(facility=self.facility, **{"priority_fee": 300, **rules})
        no_credit_limits()
        self.drawer = Drawer.objects.create(facility=self.facility, name="Drawer 1")
        self.meena: User = UserFactory(
            username=f"meena-{self.facility.pk}", roles=["billing-staff"], facility=self.facility
        )

    def doctor(self, name: str, **fields: Any) -> Doctor:
        """A doctor with fees."""
        return super().doctor(name, **{"consultation_fee": 500, "hospital_fee": 100, **fields})

    def open_shift(self, float_amount: int = 1000) -> Any:
        """The cashier begins."""
        where = {"facility_id": self.facility.pk, "drawer_id": self.drawer.pk}
        return outermost(lambda: actions.open_shift(**where, float_amount=Decimal(float_amount), by=self.meena))

    def pay(self, bill: Bill, amount: int | str | None = None, method: str = "upi") -> Receipt:
        """Money is taken for a bill; all that is due where no amount is said."""
        bill.refresh_from_db()
        reference = "" if method in ("cash", "account") else f"ref-{bill.pk}-{bill.version}"
        tender = Tender(method, Decimal(amount if amount is not None else bill.due), reference)
        return outermost(lambda: actions.pay(bill_id=bill.pk, tenders=[tender], by=self.meena))

    # What stands in the books

    def live(self, token: Token) -> Bill | None:
        """The consultation bill in force."""
        of_visit = VisitToken.objects.filter(token=token).select_related("bill").first()
        return of_visit.bill if of_visit else None

    def bills(self, token: Token) -> list[Bill]:
        """All bills about the token, oldest first."""
        ids = Line.objects.filter(item_type__in=["consultation", "priority"], item_id=token.pk).values("bill_id")
        return list(Bill.objects.filter(pk__in=ids).order_by("pk"))

    def states(self, token: Token) -> list[tuple[str, int, int, int]]:
        """(status, total, credited, paid) of all bills about the token, in whole units."""
        return [(b.status, int(b.total), int(b.credited), int(b.paid)) for b in self.bills(token)]

    def visits(self, patient: Patient) -> list[Visit]:
        """The patient's visits."""
        return list(Visit.objects.filter(patient=patient))

    def balanced(self) -> None:
        """The ledger agrees with bills and payments, and sums to nothing."""
        assert (LedgerEntry.objects.aggregate(sum=Sum("amount"))["sum"] or 0) == 0
        proof = prove(self.facility)
        assert proof.balanced, proof
