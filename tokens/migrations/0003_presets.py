"""The four presets, as data."""

from dataclasses import asdict

from django.db import migrations

from tokens.facts import PRESETS


def ship(apps, schema_editor):
    policies = apps.get_model("tokens", "AllocationPolicy")
    for preset in PRESETS.values():
        values = asdict(preset)
        values.pop("id")
        policies.objects.update_or_create(
            facility=None, name=values.pop("name"), defaults={**values, "is_preset": True}
        )


class Migration(migrations.Migration):
    dependencies = [("tokens", "0002_promises")]

    operations = [migrations.RunPython(ship, migrations.RunPython.noop)]
