"""How much may be taken off a bill by credit notes in a new hospital: as much as may be given away.

Else a limit on discounts would be none: what may not be given away would be taken off afterwards. A hospital that is
running keeps what it has. From then on the rows decide, and administrators change them.
"""

from django.db import migrations

LIMITS = (("manager", 50), ("billing-staff", 10))
"""As `0002_discount_limits`. Administrators have no limit: a role without a row."""


def give_limits(apps, schema_editor):
    if apps.get_model("accounts", "Facility").objects.exists():
        return
    Role = apps.get_model("accounts", "Role")
    CreditLimit = apps.get_model("billing", "CreditLimit")
    for slug, percent in LIMITS:
        for role in Role.objects.filter(slug=slug):
            CreditLimit.objects.get_or_create(role=role, defaults={"percent": percent})


class Migration(migrations.Migration):
    dependencies = [("billing", "0011_currency_stays")]

    operations = [migrations.RunPython(give_limits, migrations.RunPython.noop)]
