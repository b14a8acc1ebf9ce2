"""What tests of money share."""

from typing import Any

import pytest


@pytest.fixture(autouse=True)
def _alone(settings: Any) -> None:
    """Billing by itself: no other app locks before it, nor follows it."""
    settings.OPD_BILL_LOCKS = ()
    settings.OPD_BILL_CONSEQUENCES = ()
