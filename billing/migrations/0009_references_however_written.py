"""A reference stands for one payment, however it is written: large or small, with blanks or without.

What was taken before may have near duplicates, and nothing of a payment is ever changed. All of them but the first are
marked, and only what is not marked is held to be unique: a new payment finds the first of them and is refused. The
index is built while the cash desk goes on. Where a near duplicate comes between mark and index, the index is refused;
`migrate` again marks it and builds the index anew.
"""

from django.db import connection, migrations, models, transaction

import billing.models.fields

INDEX = "payment_reference_once_however_written"
FORM = billing.models.fields.NormalReference.template % {"expressions": "reference"}

# Only this trigger stands aside, for this one statement and the one column that no payment could have had before.
STAND_ASIDE = """
SELECT set_config('pgtrigger.ignore', (SELECT array_agg(tgname)::text FROM pg_trigger
    WHERE tgrelid = 'billing_payment'::regclass AND tgname LIKE 'pgtrigger\\_only\\_refunded\\_grows\\_%'), true)
"""

MARK = f"""
UPDATE billing_payment SET reference_doubled = TRUE FROM (
    SELECT id, row_number() OVER (PARTITION BY facility_id, method, {FORM} ORDER BY id) AS place
    FROM billing_payment WHERE reference <> '' AND rest_of_id IS NULL AND NOT reference_doubled) AS written
WHERE written.id = billing_payment.id AND written.place > 1
"""

BUILD = f"""
CREATE UNIQUE INDEX CONCURRENTLY {INDEX} ON billing_payment (facility_id, method, ({FORM}))
WHERE NOT (reference = '') AND rest_of_id IS NULL AND NOT reference_doubled
"""


def mark(apps=None, schema_editor=None):
    """Mark what was written otherwise before; how many payments that are."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(STAND_ASIDE)
        cursor.execute(MARK)
        marked = cursor.rowcount
        cursor.execute("SELECT set_config('pgtrigger.ignore', '{}', true)")
        return marked


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("billing", "0008_references_doubled")]

    operations = [
        migrations.RunPython(mark, migrations.RunPython.noop),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(f"DROP INDEX CONCURRENTLY IF EXISTS {INDEX}", migrations.RunSQL.noop),
                migrations.RunSQL(BUILD, f"DROP INDEX CONCURRENTLY IF EXISTS {INDEX}"),
            ],
            state_operations=[
                migrations.AddConstraint(
                    model_name="payment",
                    constraint=models.UniqueConstraint(
                        models.F("facility"),
                        models.F("method"),
                        billing.models.fields.NormalReference("reference"),
                        condition=models.Q(models.Q(("reference", ""), _negated=True), ("reference_doubled", False), ("rest_of", None)),
                        name=INDEX,
                    ),
                ),
            ],
        ),
    ]
