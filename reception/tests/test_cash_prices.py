"""A cashier who may bill at list prices only: the cash desk takes them from the list, and works as before."""

from decimal import Decimal

import pytest

from accounts.models import RolePermission
from billing import actions
from billing.errors import NotInPriceList
from billing.models import Bill, TaxRate
from billing.rules import LineIn
from common.transactions import outermost
from reception.tests.cashing import CashDesk

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> CashDesk:
    desk = CashDesk()
    RolePermission.objects.filter(permission__code="billing.price").delete()
    return desk


def test_the_form_bills_at_the_prices_and_taxes_of_the_list(desk: CashDesk) -> None:
    dressing, ecg = desk.prices
    begins = desk.facility.local_date()
    ecg.tax = TaxRate.objects.create(facility=desk.facility, name="GST", percent=12, valid_from=begins)
    ecg.save()
    patient = desk.patient("Sunita")
    sent = {"patient": patient.pk, "price": [dressing.pk, ecg.pk], "quantity": ["2", "1"]}
    assert desk.send("/cash/bills/", **sent).status_code == 302
    assert Bill.objects.get(patient=patient).total == Decimal(792)


def test_priority_is_sold_at_the_price_of_the_rules(desk: CashDesk) -> None:
    desk.rules.priority_fee = Decimal(300)
    desk.rules.save()
    desk.open()
    token = desk.give("Sunita", "online")
    answer = desk.send("/cash/priority/", token=token.pk, method="cash", received="300", amount="300")
    assert answer.status_code == 302
    token.refresh_from_db()
    assert token.paid


def test_what_the_form_does_not_offer_is_refused(desk: CashDesk) -> None:
    where = {"facility_id": desk.facility.pk, "patient_id": desk.patient("Sunita").pk, "by": desk.cashier}
    with pytest.raises(NotInPriceList):
        outermost(lambda: actions.create_bill(**where, lines=[LineIn("ECG", Decimal(350))]))
