"""A cash desk and clients of every role: what the tests of the API stand on."""

from decimal import Decimal
from typing import Any

from rest_framework.test import APIClient

from accounts.models import Role, User
from accounts.permissions import SYSTEM_ROLES
from accounts.tests.factories import FacilityFactory, UserFactory, device_client
from billing.models import BillingSettings, DiscountLimit, Drawer
from billing.tests.house import no_credit_limits
from patients.models import Patient
from patients.tests.factories import PatientFactory
from scheduling.tests.factories import DepartmentFactory, DoctorFactory
from tokens.tests.hall import where_it_is_noon

API = "/api/v1/"
ROLES = tuple(SYSTEM_ROLES)
ECG = {"description": "ECG", "unit_price": "650.00", "item_type": "test_order", "item_id": 12}


class Till:
    """Sunrise Hospital with two drawers, Medicine, Dr Rao, and a limit of 20 % on what the cash desk gives away.

    It lies where it is noon, so that the day never ends in the middle of a test.
    """

    def __init__(self, *, name: str = "Sunrise Hospital") -> None:
        self.facility = FacilityFactory(name=name, time_zone=where_it_is_noon())
        BillingSettings.objects.create(facility=self.facility)
        self.department = DepartmentFactory(facility=self.facility, name="Medicine")
        self.rao = DoctorFactory(department=self.department, name="Dr Rao")
        self.drawers = [Drawer.objects.create(facility=self.facility, name=f"Drawer {n}") for n in (1, 2)]
        for role, percent in (("billing-staff", 20), ("admin", 100)):
            DiscountLimit.objects.update_or_create(
                role=Role.objects.get(slug=role), defaults={"percent": Decimal(percent)}
            )
        no_credit_limits()
        self.clients: dict[str, APIClient] = {}
        self.users: dict[str, User] = {}

    @property
    def year(self) -> int:
        """The year that stands in numbers now."""
        return self.facility.local_date().year

    def user(self, role: str) -> User:
        """Somebody with that role here."""
        if role not in self.users:
            self.users[role] = UserFactory(username=f"{role}-{self.facility.pk}", roles=[role], facility=self.facility)
        return self.users[role]

    def client(self, role: str = "billing-staff") -> APIClient:
        """The device of somebody with that role here."""
        if role not in self.clients:
            self.clients[role] = device_client(self.user(role))
        return self.clients[role]

    def patient(self) -> Patient:
        """A patient who owes nothing yet."""
        return PatientFactory(facility=self.facility)

    def post(self, path: str, body: Any = None, *, role: str = "billing-staff", **headers: Any) -> Any:
        """The answer to a POST."""
        return self.client(role).post(f"{API}{path}", {} if body is None else body, format="json", **headers)

    def patch(self, path: str, body: Any, *, role: str = "billing-staff", **headers: Any) -> Any:
        """The answer to a PATCH."""
        return self.client(role).patch(f"{API}{path}", body, format="json", **headers)

    def get(self, path: str, *, role: str = "billing-staff", **query: Any) -> Any:
        """The answer to a GET."""
        return self.client(role).get(f"{API}{path}", query)

    def ask(self, *lines: dict[str, Any], role: str = "billing-staff", **more: Any) -> Any:
        """The answer to a request for a bill; of one ECG where no lines are given."""
        patient = more.pop("patient", None) or self.patient().pk
        return self.post("bills/", {"patient": patient, "lines": list(lines) or [ECG], **more}, role=role)

    def bill(self, *lines: dict[str, Any], **more: Any) -> dict[str, Any]:
        """A bill."""
        return made(self.ask(*lines, **more))

    def open(self, *, role: str = "billing-staff", amount: str = "500.00") -> dict[str, Any]:
        """An open shift."""
        return made(self.post("shifts/", {"float": amount}, role=role))

    def pay(self, bill: dict[str, Any], amount: str, method: str = "cash", **more: Any) -> Any:
        """The answer to a payment."""
        return self.post(f"bills/{bill['id']}/payments/", {"method": method, "amount": amount, **more})

    def paid(self, bill: dict[str, Any], amount: str, method: str = "cash", **more: Any) -> dict[str, Any]:
        """A payment."""
        return made(self.pay(bill, amount, method, **more))

    def shown(self, bill: dict[str, Any]) -> dict[str, Any]:
        """The bill as it is now."""
        return self.get(f"bills/{bill['id']}/").json()


def made(answer: Any) -> dict[str, Any]:
    """What a call made."""
    assert answer.status_code == 201, answer.content
    return answer.json()


def code(answer: Any) -> str:
    """The code of a refusal, which has a sentence, and says which field is to blame where one is."""
    first = answer.json()["errors"][0]
    assert first["detail"], first
    assert "attr" in first
    return first["code"]
