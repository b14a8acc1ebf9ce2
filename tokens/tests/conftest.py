"""The engine is tested by itself: what its decisions mean in other apps is tested where those are."""

from typing import Any

import pytest


@pytest.fixture(autouse=True)
def _no_consequences(settings: Any) -> None:
    settings.OPD_CONSEQUENCES = []
