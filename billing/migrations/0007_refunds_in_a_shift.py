"""Whatever is given back is given out of the open shift of whoever pays it, by every way.

Before, cash alone needed one. What was given back by card, UPI or bank without a shift stays as it is, for nothing of
money is ever changed: the check is not valid for what was there, reads no row, and holds for every new one.
"""

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("billing", "0006_cash_movements")]

    operations = [
        AddConstraintNotValid(
            model_name="refund",
            constraint=models.CheckConstraint(
                condition=models.Q(("shift__isnull", False), models.Q(("by__isnull", True), ("method", "account")), _connector="OR"),
                name="refund_in_a_shift",
            ),
        ),
    ]
