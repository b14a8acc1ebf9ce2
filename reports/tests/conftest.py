"""What several files of tests begin with."""

import pytest

from billing.models import BillingSettings
from billing.tests.house import House


@pytest.fixture
def house() -> House:
    """A cash desk whose first shift is open."""
    house = House()
    BillingSettings.objects.create(facility=house.facility)
    house.open()
    return house
