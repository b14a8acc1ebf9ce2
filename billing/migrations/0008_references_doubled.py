"""A mark for payments whose outside reference an earlier one has too, written otherwise ("ab12" and "AB12").

A column with a constant for a default is added without a look at a single row.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("billing", "0007_refunds_in_a_shift")]

    operations = [
        migrations.AddField(
            model_name="payment",
            name="reference_doubled",
            field=models.BooleanField(
                db_default=False,
                default=False,
                editable=False,
                help_text="An earlier payment has the same reference, written otherwise; from before that was refused.",
            ),
        ),
    ]
