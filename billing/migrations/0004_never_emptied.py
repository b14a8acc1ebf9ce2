"""TRUNCATE fires no row trigger: what is never deleted is never emptied either."""

from django.db import migrations

TABLES = (
    "bill", "line", "creditnote", "creditline", "patientaccount", "receipt", "receiptprint", "payment", "refund",
    "shift", "drawer", "counter", "ledgeraccount", "ledgertransaction", "ledgerentry", "proofrun",
)

FUNCTION = """
CREATE FUNCTION billing_never_emptied() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is never emptied', TG_TABLE_NAME USING ERRCODE = 'check_violation';
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0003_of_one_facility")]

    operations = [
        migrations.RunSQL(FUNCTION, "DROP FUNCTION billing_never_emptied();"),
        *(
            migrations.RunSQL(
                f"CREATE TRIGGER never_emptied BEFORE TRUNCATE ON billing_{table}"
                " FOR EACH STATEMENT EXECUTE FUNCTION billing_never_emptied();",
                f"DROP TRIGGER never_emptied ON billing_{table};",
            )
            for table in TABLES
        ),
    ]
