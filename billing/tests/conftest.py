"""What tests of money share."""

from typing import Any

import pytest

from billing.tests.house import House
from billing.tests.racing import WithoutLock


@pytest.fixture(autouse=True)
def _alone(settings: Any) -> None:
    """Billing by itself: no other app locks before it, nor follows it."""
    settings.OPD_BILL_LOCKS = ()
    settings.OPD_BILL_CONSEQUENCES = ()


@pytest.fixture
def unlocked(monkeypatch: pytest.MonkeyPatch) -> WithoutLock:
    """The cash desk without its locks."""
    return WithoutLock(monkeypatch)


@pytest.fixture
def house() -> House:
    """Two cashiers, each at a drawer with 1000 in it."""
    one = House()
    one.open(one.meena, 0)
    one.open(one.farah, 1)
    return one
