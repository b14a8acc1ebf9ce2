"""What all amounts have in common."""

from typing import Any

import pgtrigger
from django.db import models


def money(**options: Any) -> models.DecimalField:
    """An amount in the facility's currency, with two decimals; never a float."""
    return models.DecimalField(max_digits=14, decimal_places=2, **options)


def append_only() -> pgtrigger.Trigger:
    """Rows are added and stay as they are."""
    return pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)


def never_deleted() -> pgtrigger.Trigger:
    """Rows stay, though some of their values may change."""
    return pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete)
