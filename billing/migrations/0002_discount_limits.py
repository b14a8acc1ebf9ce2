"""How much each system role may give away in a new hospital. From then on the rows decide, and administrators change them."""

from django.db import migrations

LIMITS = (
    ("super-admin", "Super admin", 100),
    ("admin", "Admin", 100),
    ("manager", "Manager", 50),
    ("billing-staff", "Billing staff", 10),
)


def give_limits(apps, schema_editor):
    Role = apps.get_model("accounts", "Role")
    DiscountLimit = apps.get_model("billing", "DiscountLimit")
    for slug, name, percent in LIMITS:
        # The roles themselves are made after all migrations, unless this hospital is older than its billing.
        role, _ = Role.objects.get_or_create(slug=slug, defaults={"name": name, "is_system": True})
        DiscountLimit.objects.get_or_create(role=role, defaults={"percent": percent})


class Migration(migrations.Migration):
    dependencies = [("billing", "0001_initial"), ("accounts", "0002_languages")]

    operations = [migrations.RunPython(give_limits, migrations.RunPython.noop)]
