"""The four presets, as data."""

from dataclasses import asdict

from django.db import migrations

from tokens.facts import PRESETS


def ship(apps, schema_editor):
    policies = apps.get_model("tokens", "AllocationPolicy")
    # Settings that came later are not in the table yet; their migrations give the presets their values.
    known = {field.name for field in policies._meta.get_fields()} - {"id", "name"}
    for preset in PRESETS.values():
        values = {name: value for name, value in asdict(preset).items() if name in known}
        policies.objects.update_or_create(facility=None, name=preset.name, defaults={**values, "is_preset": True})


class Migration(migrations.Migration):
    dependencies = [("tokens", "0002_promises")]

    operations = [migrations.RunPython(ship, migrations.RunPython.noop)]
